"""What the tour shows, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtWidgets

from glue_zoobot.qt.columns import map_columns
from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.host import question_of

if TYPE_CHECKING:
    from glue.core import Data
    from glue.viewers.common.viewer import Viewer
    from glue_qt.app import GlueApplication

__all__ = ["STEPS", "Scene", "Step"]

_TOOL = "zoobot:similar"
_SHARE_SHOWN = 1 / 10  # of the catalogue, after the step of the slider; at most a hundred


class Scene:
    """
    The views of one catalogue, as far as they are open now.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        With pictures and embeddings.
    """

    def __init__(self, application: GlueApplication, data: Data) -> None:
        self.application, self.data = application, data

    def arrange(self) -> None:
        """Open the views side by side, unless a map and a gallery of the catalogue are there already."""
        from glue_zoobot.qt.layout import open_in_glue

        if self.map_view() is None or self.gallery() is None:
            if self.application.current_tab.subWindowList():
                self.application.new_tab()
            size = self.application.size()
            open_in_glue(self.data, application=self.application, size=(size.width(), size.height()))

    def map_view(self) -> Viewer | None:
        """The scatter plot of a map of the catalogue."""
        from glue_qt.viewers.scatter import ScatterViewer

        axes = map_columns(self.data)
        plots = [view for view in self._views() if isinstance(view, ScatterViewer)]
        return next((view for view in plots if axes and view.state.x_att is axes[0]), None)

    def gallery(self) -> Viewer | None:
        """A gallery of the catalogue."""
        from glue_zoobot.qt.gallery.viewer import GalleryViewer

        shown = [view for view in self._views() if isinstance(view, GalleryViewer)]
        return next((view for view in shown if view.state.data is self.data), None)

    def example(self) -> int:
        """A galaxy that catches the eye, and is not asked about already."""
        from glue_zoobot.catalog import embeddings_of

        rows = embeddings_of(self.data).rows
        kind = self.data.find_component_id("kind")
        if kind is not None:
            rings = np.flatnonzero(self.data[kind] == "ring")
            rows = np.intersect1d(rows, rings) if len(rings) else rows
        asked = question_of(self.application).like
        free = [row for row in rows if row not in asked] or rows
        return int(free[min(1, len(free) - 1)])  # in the sample the second is in the midst of its look-alikes

    def _views(self) -> list[Viewer]:
        return list(chain(*self.application.viewers))


@dataclass(frozen=True)
class Step:
    """
    One note of the tour.

    Parameters
    ----------
    title, text : str
    act : callable
        Does in the scene what the text speaks of; returns what to point at, None if that was closed.
    """

    title: str
    text: str
    act: Callable[[Scene], QtWidgets.QWidget | None]


def _show_map(scene: Scene) -> QtWidgets.QWidget | None:
    return _brought_forward(scene.map_view())


def _click(scene: Scene) -> QtWidgets.QWidget | None:
    view = scene.map_view()
    if view is not None:
        view.toolbar.active_tool = _TOOL
        find_similar(scene.application, scene.data, [scene.example()], view.set_status)
    return _brought_forward(view)


def _how_many(scene: Scene) -> QtWidgets.QWidget | None:
    from glue_zoobot.qt.similar.panel import similar_panel

    panel = similar_panel(scene.application)
    panel.show_result()
    panel.state.count = max(1, min(100, round(_SHARE_SHOWN * scene.data.size)))
    return panel.slider


def _pictures(scene: Scene) -> QtWidgets.QWidget | None:
    view = scene.gallery()
    if view is not None:
        view.state.sort_most_similar_first()
        view.grid.scrollToTop()
    return _brought_forward(view)


def _rate(scene: Scene) -> QtWidgets.QWidget | None:
    from glue_zoobot.qt.interest.panel import interest_panel

    panel = interest_panel(scene.application)
    panel.show_panel()
    if panel.state.data is not scene.data:
        panel.start(scene.data)
    return panel


def _teach(scene: Scene) -> QtWidgets.QWidget | None:
    from glue_zoobot.qt.teach.panel import teach_panel

    panel = teach_panel(scene.application)
    panel.show_panel()
    return panel


def _brought_forward(view: Viewer | None) -> QtWidgets.QWidget | None:
    """Show the tab of a view, and the view above the others in it."""
    if view is None:
        return None
    window = view.parent()
    area = window.mdiArea()
    tabs = view.session.application.tab_widget
    tabs.setCurrentWidget(area)
    area.setActiveSubWindow(window)
    return window


STEPS = (
    Step(
        "A map of what galaxies look like",
        "Every point is a galaxy. A network has looked at its picture; galaxies that look alike lie close "
        "together. Everything stays usable while this note is here.",
        _show_map,
    ),
    Step(
        "Click one: its look-alikes light up everywhere",
        "Key <b>N</b> switches the tool on, then click a point. That was just done for the galaxy with the "
        "star: its look-alikes are red in every view. Try another one.",
        _click,
    ),
    Step(
        "As many as you like",
        "Move the slider, and every view follows. Above it, add examples by dropping pictures; below it, set "
        "conditions, or ask why these were found. <i>Keep as subset</i> freezes the answer.",
        _how_many,
    ),
    Step(
        "The pictures, most similar first",
        "Arrow keys move, <b>Enter</b> shows a galaxy large, <b>S</b> finds what looks like those selected, "
        "<b>+</b> and <b>−</b> add them as examples. Type a filter above, such as <i>redshift &gt; 0.1</i>.",
        _pictures,
    ),
    Step(
        "What interests you?",
        "Rate a few galaxies with the keys <b>0</b> to <b>5</b>, here or in the gallery. Every ten ratings "
        "the whole catalogue is ranked anew by what interests <i>you</i>. <b>Enter</b> in the panel goes on.",
        _rate,
    ),
    Step(
        "Teach a class, or a quantity",
        "Name it, label a few galaxies, press Train: the whole catalogue gets probabilities, in columns like "
        "any other. That was all; your own galaxies come in by <i>File, Open Data Set</i>.",
        _teach,
    ),
)
