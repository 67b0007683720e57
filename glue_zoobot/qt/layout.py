"""Open a catalogue in glue with linked views arranged: map, colours, sky, gallery, look-alikes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from glue_qt.utils import get_qapp, process_events

from glue_zoobot.errors import AnalysisError, CatalogueError
from glue_zoobot.qt import columns
from glue_zoobot.qt.arrangement import Arrangement
from glue_zoobot.qt.finding import find_now
from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.plot_labels import shortened
from glue_zoobot.qt.quiet import silence_offscreen
from glue_zoobot.qt.similar.panel import similar_panel

if TYPE_CHECKING:
    from glue.core import ComponentID, Data
    from glue.viewers.common.viewer import Viewer
    from glue.viewers.scatter.state import ScatterViewerState
    from glue_qt.app import GlueApplication
    from glue_qt.viewers.scatter import ScatterViewer
    from qtpy import QtCore

    from glue_zoobot.catalog import RowEmbeddings

__all__ = ["WINDOW_SIZE", "grab", "open_in_glue", "open_map", "size_in"]

#: Width and height of the main window, unless it is shown full screen.
WINDOW_SIZE = (1600, 1000)
_FRAME = (8, 40)  # of a desktop's windows, about

_THUMBNAIL_SIZE = 112  # three columns beside the plots
_SHARE_SHOWN = 1 / 30  # of the catalogue, so that the look-alikes of a small one stand out of it


def open_in_glue(
    data: Data,
    like: str | None = None,
    application: GlueApplication | None = None,
    size: tuple[int, int] | None = None,
) -> GlueApplication:
    """
    Open a catalogue with its views side by side in one tab, and show the window.

    A view whose columns are missing is left out, and the others take its room. A PCA map is added
    if there are embeddings but no map yet.

    Parameters
    ----------
    data : Data
        A catalogue, as from `glue_zoobot.catalog.load`.
    like : str, optional
        Start with the look-alikes of the galaxy with this object_id; a typical one if None.
    application : GlueApplication, optional
        Where to open it; a new main window if None.
    size : (int, int), optional
        Width and height of the window in screen pixels; `WINDOW_SIZE` if None, or less on a smaller screen.

    Returns
    -------
    GlueApplication
        The main window, shown. Its ``start()`` runs it.

    Raises
    ------
    CatalogueError
        If there is no galaxy `like`.
    """
    from glue_qt.app import GlueApplication

    get_qapp()
    silence_offscreen()
    application = application or GlueApplication()
    if data not in application.data_collection:
        application.data_collection.append(data)
    application.resize(*(size or size_in(_room(application))))
    application.show()
    # Columns first: for one that is added later every view fills its lists of columns again.
    _add_map(data)
    _show_similar(application, data, like)
    Arrangement(application.current_tab, _views(application, data))
    process_events()
    return application


def open_map(application: GlueApplication, data: Data, x: ComponentID, y: ComponentID) -> ScatterViewer:
    """Open a scatter plot of a map, coloured by a number that says something about galaxies."""
    viewer = _scatter(application, data, x, y, "Map of galaxy images")
    _colour_by(viewer, columns.colour_column(data))
    return viewer


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


def _room(application: GlueApplication) -> QtCore.QRect | None:
    """Room on the screen; None where no screen is seen."""
    screen = application.screen()
    return None if screen is None or get_qapp().platformName() == "offscreen" else screen.availableGeometry()


def size_in(room: QtCore.QRect | None) -> tuple[int, int]:
    """Give the size of a main window that fits into some room together with its frame."""
    if room is None:
        return WINDOW_SIZE
    return min(WINDOW_SIZE[0], room.width() - _FRAME[0]), min(WINDOW_SIZE[1], room.height() - _FRAME[1])


def _add_map(data: Data) -> None:
    from glue_zoobot.catalog import add_map, embeddings_of

    if columns.map_columns(data) is None and embeddings_of(data) is not None:
        with suppress(AnalysisError):  # too few galaxies for a map; the other views come up
            add_map(data, method="pca")


def _show_similar(application: GlueApplication, data: Data, like: str | None) -> None:
    from glue_zoobot.catalog import embeddings_of, object_ids_of

    embeddings = embeddings_of(data)
    question = question_of(application)
    question.count = min(question.count, max(10, round(_SHARE_SHOWN * data.size)))
    if like is not None:
        rows = np.flatnonzero(object_ids_of(data) == like)
        if len(rows) == 0:
            raise CatalogueError(f"{data.label} has no galaxy {like}: give one of its ids")
        find_now(application, data, [int(rows[0])])
    elif embeddings is not None:
        find_now(application, data, [_example(embeddings)])
    similar_panel(application).show_result()


def _example(embeddings: RowEmbeddings) -> int:
    """Choose a galaxy to start with: off the crowd, but no freak; the same one every time."""
    sample = embeddings.matrix[:10_000]
    distance = np.linalg.norm(sample - sample.mean(axis=0), axis=1)
    return int(embeddings.rows[np.argsort(distance, kind="stable")[int(0.8 * len(sample))]])


def _views(application: GlueApplication, data: Data) -> dict[str, Viewer]:
    """Open the views that the columns of `data` allow, by the place that they take."""
    places = _places(data)  # all columns first, see above
    views: dict[str, Viewer] = {}
    for place, (x, y) in places.items():
        if place == "map":
            views[place] = open_map(application, data, x, y)
        else:
            title = "Sky" if place == "sky" else f"{shortened(y)} against {shortened(x)}"
            views[place] = _scatter(application, data, x, y, title)
    if "sky" in views:
        views["sky"].state.flip_x()  # east to the left
    views["gallery"] = _gallery(application, data)
    return views


def _places(data: Data) -> dict[str, columns.Pair]:
    """Choose the columns of each scatter plot; without suitable ones the place stays empty."""
    pairs = {
        "map": columns.map_columns(data),
        "measured": columns.magnitude_and_colour(data) or columns.two_measurements(data),
        "sky": columns.sky_columns(data),
    }
    return {place: pair for place, pair in pairs.items() if pair is not None}


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


def _gallery(application: GlueApplication, data: Data) -> Viewer:
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    viewer = application.new_data_viewer(GalleryViewer, data=data)
    viewer.state.thumbnail_size = _THUMBNAIL_SIZE
    viewer.state.sort_most_similar_first()
    return viewer


def _colour_by(viewer: ScatterViewer, column: ComponentID | None) -> None:
    from glue.config import colormaps

    if column is None:
        return
    layer = viewer.state.layers[0]
    low, high = np.nanpercentile(layer.layer[column], [2, 98])
    layer.cmap_mode, layer.cmap_att = "Linear", column
    layer.cmap = dict(colormaps.members)["Viridis"]
    layer.cmap_vmin, layer.cmap_vmax = float(low), float(high)
    _name_colours(viewer.state)


def _name_colours(state: ScatterViewerState) -> None:
    """Let the title say what colours the points, as long as the user gives the plot no title of his own."""
    layer, plain = state.layers[0], state.title
    given = plain

    def rename(*args: Any) -> None:
        nonlocal given
        if state.title == given:
            column = shortened(layer.cmap_att)
            given = plain if layer.cmap_mode == "Fixed" else f"{plain}, coloured by {column}"
            state.title = given

    for name in ("cmap_mode", "cmap_att"):
        layer.add_callback(name, rename)
    rename()
