"""The galaxies of the question stand out in a scatter plot, whatever else is drawn there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.exceptions import IncompatibleAttribute
from matplotlib.patheffects import withStroke

from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.picking import positions

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["MOST_MARKED", "QuestionMarks"]

#: A question of more galaxies than this is not marked: they are a subset that can be seen already.
MOST_MARKED = 100

_STYLES = {
    "like": {"marker": "*", "markersize": 16, "markerfacecolor": "#ffb000"},
    "unlike": {"marker": "X", "markersize": 10, "markerfacecolor": "#ff4060"},
}
_ANY_STYLE = {
    "zorder": 90_000,  # above all layers; glue draws frame and messages above 99,998
    "linestyle": "",
    "markeredgecolor": "black",
    "markeredgewidth": 0.8,
    "path_effects": [withStroke(linewidth=3.5, foreground="white")],
    "clip_on": False,  # whole at the border, too; what is beyond it is left out
    "label": "_question",  # with an underscore it stays out of legends
}
_AXES = ("x_att", "y_att", "x_min", "x_max", "y_min", "y_max", "plot_mode", "angle_unit", "layers")


class QuestionMarks:
    """
    A star on every example, and a cross on every galaxy that the answer should be unlike.

    They belong to the plot alone: neither the list of subsets nor the session knows of them.

    Parameters
    ----------
    viewer : ScatterViewer
    """

    def __init__(self, viewer: ScatterViewer) -> None:
        self._viewer = viewer
        self._question = question_of(viewer.session.application)
        self._drawn: tuple[Any, ...] | None = None
        for name in ("like", "unlike"):
            self._question.add_callback(name, self.refresh)
        for name in _AXES:
            viewer.state.add_callback(name, self.refresh)
        self.refresh()

    def refresh(self, *args: Any) -> None:
        """Put the marks where the galaxies of the question are drawn now; glue calls often for nothing."""
        state, question, axes = self._viewer.state, self._question, self._viewer.axes
        shown = any(layer.data is question.data for layer in state.layers_data)
        flips = (state.x_min > state.x_max, state.y_min > state.y_max) if state.using_full_sphere else None
        wanted = (
            *(axes, state.x_att, state.y_att, state.plot_mode, state.angle_unit, flips, self._limits()),
            *(shown, question.data, question.like, question.unlike),
        )
        if wanted == self._drawn:
            return
        if self._drawn is None or axes is not self._drawn[0]:  # glue makes new axes for another projection
            self.lines = {
                name: axes.plot([], [], **_ANY_STYLE, **style)[0] for name, style in _STYLES.items()
            }
        self._drawn = wanted
        for name, line in self.lines.items():
            line.set_data(*self._places(getattr(question, name) if shown else ()))
        self._viewer.redraw()

    def release(self) -> None:
        """Follow neither question nor plot any more."""
        for name in ("like", "unlike"):
            self._question.remove_callback(name, self.refresh)
        for name in _AXES:
            self._viewer.state.remove_callback(name, self.refresh)

    def _places(self, rows: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        if 0 < len(rows) <= MOST_MARKED:
            with suppress(IncompatibleAttribute):  # the axes show another, linked dataset
                x, y = positions(self._viewer, self._question.data, np.asarray(rows))
                inside = self._inside(x, y)
                return x[inside], y[inside]
        return np.empty(0), np.empty(0)

    def _limits(self) -> tuple[float, ...]:
        state = self._viewer.state
        return (state.x_min, state.x_max, state.y_min, state.y_max) if state.using_rectilinear else ()

    def _inside(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Tell which places are within the axes; all are in a plot of the whole sphere."""
        limits = self._limits()
        if not limits or None in limits:
            return np.ones(x.shape, dtype=bool)
        (x0, x1), (y0, y1) = sorted(limits[:2]), sorted(limits[2:])
        return (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)
