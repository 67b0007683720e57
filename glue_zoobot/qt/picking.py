"""Which galaxy lies under a click on a scatter plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core import BaseData, Data, Subset
from glue.core.exceptions import IncompatibleAttribute
from glue.utils import ensure_numerical

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer
    from matplotlib.backend_bases import MouseEvent

__all__ = ["PICK_RADIUS", "clicked_row"]

#: How far from a point, in screen pixels, a click may be.
PICK_RADIUS = 10


def clicked_row(viewer: ScatterViewer, event: MouseEvent) -> tuple[Data | None, int]:
    """
    Find the point nearest to a click among the visible layers.

    Returns
    -------
    data : Data or None
        The dataset of the point; None if there is no point within `PICK_RADIUS` pixels.
    row : int
        Its row; -1 if there is none.
    """
    best: tuple[Data | None, int] = (None, -1)
    closest = float(PICK_RADIUS)
    for artist in viewer.layers:
        if not (artist.enabled and artist.visible):
            continue
        rows, xy = _points(viewer, artist.layer, event)
        if len(rows) == 0:
            continue
        distance = np.hypot(*(xy - (event.x, event.y)).T)
        nearest = int(np.argmin(distance))
        if distance[nearest] <= closest:
            closest, best = float(distance[nearest]), (artist.layer.data, int(rows[nearest]))
    return best


def _points(viewer: ScatterViewer, layer: Data | Subset, event: MouseEvent) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (M,) of a layer that may lie near the click, and their screen positions (M, 2)."""
    data = layer if isinstance(layer, BaseData) else layer.data
    try:
        x, y = (ensure_numerical(data[att]) for att in (viewer.state.x_att, viewer.state.y_att))
        keep = np.isfinite(x) & np.isfinite(y)
        if isinstance(layer, Subset):
            keep &= layer.to_mask()
    except IncompatibleAttribute:
        return np.empty(0, dtype=np.int64), np.empty((0, 2))
    if viewer.state.using_degrees:
        x = np.radians(x)
        y = np.radians(y) if viewer.state.using_full_sphere else y
    if viewer.state.using_rectilinear:  # cheap cut before the transform, for catalogues of millions
        keep &= _in_box(viewer, x, y, event)
    rows = np.flatnonzero(keep)
    return rows, viewer.axes.transData.transform(np.column_stack([x[rows], y[rows]]))


def _in_box(viewer: ScatterViewer, x: np.ndarray, y: np.ndarray, event: MouseEvent) -> np.ndarray:
    corners = np.array([[event.x, event.y]]) + PICK_RADIUS * np.array([[-1, -1], [1, 1]])
    (x0, y0), (x1, y1) = np.sort(viewer.axes.transData.inverted().transform(corners), axis=0)
    return (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
