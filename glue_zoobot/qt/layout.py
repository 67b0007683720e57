"""Open a catalogue in glue with linked views arranged: map, colours, sky, gallery, look-alikes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from glue_qt.utils import process_events

from glue_zoobot.qt.columns import class_column, colour_column, magnitude_and_colour, map_columns, sky_columns
from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.similar_panel import similar_panel

if TYPE_CHECKING:
    from glue.core import ComponentID, Data
    from glue.viewers.common.viewer import Viewer
    from glue_qt.app import GlueApplication
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["WINDOW_SIZE", "grab", "open_in_glue"]

#: Width and height of the main window for which the views are arranged.
WINDOW_SIZE = (1600, 1000)


def open_in_glue(
    data: Data,
    object_id: str | None = None,
    application: GlueApplication | None = None,
    size: tuple[int, int] = WINDOW_SIZE,
) -> GlueApplication:
    """
    Open a catalogue with its views side by side in one tab, and show the window.

    A view whose columns are missing is left out, and the others take its room.

    Parameters
    ----------
    data : Data
        A catalogue, as from `glue_zoobot.catalog.load`.
    object_id : str, optional
        Show the look-alikes of this galaxy.
    application : GlueApplication, optional
        Where to open it; a new main window if None.
    size : (int, int)
        Width and height of the window in screen pixels.

    Returns
    -------
    GlueApplication
        The main window, shown; ``application.start(maximized=False, size=size)`` runs it.
    """
    from glue_qt.app import GlueApplication

    application = application or GlueApplication()
    if data not in application.data_collection:
        application.data_collection.append(data)
    application.resize(*size)
    application.show()
    similar_panel(application).show_result()
    _place(application, _views(application, data))
    if object_id is not None:
        _show_similar(application, data, object_id)
    return application


def grab(application: GlueApplication, path: str | os.PathLike[str], settle: float = 1.0) -> Path:
    """
    Save a picture of the main window, also where there is no display.

    Parameters
    ----------
    application : GlueApplication
    path : path-like
        A file whose suffix Qt can write, such as ``.png``.
    settle : float
        Seconds to let pictures load and plots be drawn first.

    Returns
    -------
    Path
        The file.
    """
    process_events(wait=settle)
    path = Path(path)
    if not application.grab().save(str(path)):
        raise OSError(f"The screenshot could not be written to {path}: check the folder and the suffix")
    return path


def _views(application: GlueApplication, data: Data) -> dict[str, Viewer]:
    """Open the views that the columns of `data` allow, by the place that they take."""
    views: dict[str, Viewer] = {}
    if (columns := map_columns(data)) is not None:
        views["map"] = _scatter(application, data, *columns, "Map of galaxy images")
        _colour_by(views["map"], colour_column(data))
    if (columns := magnitude_and_colour(data)) is not None:
        views["colours"] = _scatter(application, data, *columns, f"{columns[1]} against {columns[0]}")
    elif (column := class_column(data)) is not None:
        views["colours"] = _histogram(application, data, column)
    if (columns := sky_columns(data)) is not None:
        views["sky"] = _scatter(application, data, *columns, "Sky")
        _east_to_the_left(views["sky"])
    views["gallery"] = _gallery(application, data)
    return views


def _scatter(
    application: GlueApplication, data: Data, x: ComponentID, y: ComponentID, title: str
) -> ScatterViewer:
    from glue_qt.viewers.scatter import ScatterViewer

    viewer = application.new_data_viewer(ScatterViewer, data=data)
    viewer.state.x_att, viewer.state.y_att = x, y
    viewer.state.title = title
    viewer.state.layers[0].size = 4 if data.size < 10_000 else 2
    viewer.state.layers[0].alpha = 0.7
    return viewer


def _histogram(application: GlueApplication, data: Data, column: ComponentID) -> Viewer:
    from glue_qt.viewers.histogram import HistogramViewer

    viewer = application.new_data_viewer(HistogramViewer, data=data)
    viewer.state.x_att = column
    viewer.state.title = f"Numbers by {column}"
    viewer.state.x_ticklabel_size = 6  # so that a few words fit side by side
    return viewer


def _gallery(application: GlueApplication, data: Data) -> Viewer:
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    return application.new_data_viewer(GalleryViewer, data=data)


def _colour_by(viewer: ScatterViewer, column: ComponentID | None) -> None:
    from glue.config import colormaps

    if column is None:
        return
    layer = viewer.state.layers[0]
    values = layer.layer[column]
    low, high = np.nanpercentile(values, [2, 98])
    layer.cmap_mode, layer.cmap_att = "Linear", column
    layer.cmap = dict(colormaps.members)["Viridis"]
    layer.cmap_vmin, layer.cmap_vmax = float(low), float(high)


def _east_to_the_left(viewer: ScatterViewer) -> None:
    viewer.state.flip_x()


def _place(application: GlueApplication, views: dict[str, Viewer]) -> None:
    """Map over colours and sky at the left, the gallery at the right over the full height."""
    process_events(wait=0.1)
    area = application.current_tab.viewport().size()
    width, height = area.width(), area.height()
    lower = [views[name] for name in ("colours", "sky") if name in views]
    left = round(width * 0.58) if lower or "map" in views else 0
    _set_geometry(views["gallery"], left, 0, width - left, height)
    top = 0
    if "map" in views:
        top = round(height * 0.58) if lower else height
        _set_geometry(views["map"], 0, 0, left, top)
    for number, view in enumerate(lower):
        start, end = (round(left * (number + step) / len(lower)) for step in (0, 1))
        _set_geometry(view, start, top, end - start, height - top)
    process_events()


def _set_geometry(viewer: Viewer, x: int, y: int, width: int, height: int) -> None:
    viewer.move(x, y)
    viewer.viewer_size = (width, height)


def _show_similar(application: GlueApplication, data: Data, object_id: str) -> None:
    from glue_zoobot.catalog import object_ids_of
    from glue_zoobot.errors import CatalogueError

    rows = np.flatnonzero(object_ids_of(data) == object_id)
    if len(rows) == 0:
        raise CatalogueError(f"{data.label} has no galaxy {object_id}: give one of its ids")
    find_similar(application, data, [int(rows[0])])
