"""Where galaxies are drawn in a scatter plot or over an image, and which of them lies under a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core import BaseData, Data, Subset
from glue.core.exceptions import IncompatibleAttribute
from glue.utils import datetime64_to_mpl, ensure_numerical

if TYPE_CHECKING:
    from collections.abc import Callable

    from glue_qt.viewers.image import ImageViewer
    from glue_qt.viewers.scatter import ScatterViewer
    from matplotlib.backend_bases import MouseEvent

__all__ = ["PICK_RADIUS", "clicked_row", "positions"]

#: How far from a point, in screen pixels, a click may be.
PICK_RADIUS = 10


def positions(
    viewer: ScatterViewer | ImageViewer, data: BaseData, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return where rows of a dataset are drawn, in the coordinates of the axes.

    Parameters
    ----------
    viewer : ScatterViewer or ImageViewer
    data : BaseData
    rows : np.ndarray, optional
        Shape (M,), int; all if None.

    Returns
    -------
    x, y : np.ndarray
        Shape (M,), NaN where a galaxy has no value.

    Raises
    ------
    IncompatibleAttribute
        If the dataset has not what the axes show.
    """
    view = None if rows is None else (rows,)
    state = viewer.state
    x, y = (_numbers(data.get_data(att, view=view)) for att in (state.x_att, state.y_att))
    full_sphere = getattr(state, "using_full_sphere", False)  # an image viewer knows no projections
    if getattr(state, "using_degrees", False):
        x = np.radians(x)
        y = np.radians(y) if full_sphere else y
    if full_sphere:  # as glue draws it: longitudes around zero, flipped with the limits
        x = np.mod(x + np.pi, 2 * np.pi) - np.pi
        x = -x if state.x_min > state.x_max else x
        y = -y if state.y_min > state.y_max else y
    return x, y


def _numbers(values: np.ndarray) -> np.ndarray:
    numbers = ensure_numerical(values)
    return datetime64_to_mpl(numbers) if numbers.dtype.kind == "M" else numbers


def clicked_row(
    viewer: ScatterViewer | ImageViewer, event: MouseEvent, where: Callable = positions
) -> tuple[Data | None, int]:
    """
    Find the point nearest to a click among the visible layers that are catalogues.

    Parameters
    ----------
    viewer : ScatterViewer or ImageViewer
    event : MouseEvent
        Of Matplotlib.
    where : callable, optional
        Takes viewer and dataset and gives what `positions` gives.

    Returns
    -------
    data : Data or None
        The dataset of the point; None if there is no point within `PICK_RADIUS` pixels.
    row : int
        Its row; -1 if there is none.
    """
    best: tuple[Data | None, int] = (None, -1)
    closest = float(PICK_RADIUS)
    shown = [a for a in viewer.layers if a.enabled and a.visible and a.layer.data.ndim == 1]  # no images
    whole = {artist.layer.data for artist in shown if isinstance(artist.layer, BaseData)}
    for artist in shown:
        if isinstance(artist.layer, Subset) and artist.layer.data in whole:
            continue  # its points are among those of the dataset
        rows, xy = _points(viewer, artist.layer, event, where)
        if len(rows) == 0:
            continue
        distance = np.hypot(*(xy - (event.x, event.y)).T)
        nearest = int(np.argmin(distance))
        if distance[nearest] <= closest:
            closest, best = float(distance[nearest]), (artist.layer.data, int(rows[nearest]))
    return best


def _points(
    viewer: ScatterViewer | ImageViewer, layer: Data | Subset, event: MouseEvent, where: Callable
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (M,) of a layer that may lie near the click, and their screen positions (M, 2)."""
    data = layer if isinstance(layer, BaseData) else layer.data
    try:
        x, y = where(viewer, data)
        if getattr(viewer.state, "using_rectilinear", True):
            rows = _in_box(viewer, x, y, event)
        else:
            rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if isinstance(layer, Subset):
            rows = rows[layer.to_mask()[rows]]
    except IncompatibleAttribute:
        return np.empty(0, dtype=np.int64), np.empty((0, 2))
    return rows, viewer.axes.transData.transform(np.column_stack([x[rows], y[rows]]))


def _in_box(
    viewer: ScatterViewer | ImageViewer, x: np.ndarray, y: np.ndarray, event: MouseEvent
) -> np.ndarray:
    """Return rows near a click: a cheap cut before the transform, for catalogues of millions."""
    corners = np.array([[event.x, event.y]]) + PICK_RADIUS * np.array([[-1, -1], [1, 1]])
    (x0, y0), (x1, y1) = np.sort(viewer.axes.transData.inverted().transform(corners), axis=0)
    rows = np.flatnonzero((x >= x0) & (x <= x1))
    y = y[rows]
    return rows[(y >= y0) & (y <= y1)]
