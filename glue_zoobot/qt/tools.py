"""Click a point in a scatter plot: its look-alikes light up in every linked view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glue.viewers.matplotlib.toolbar_mode import ToolbarModeBase
from qtpy import QtCore
from qtpy.QtCore import Qt

from glue_zoobot.qt.drawing_order import DrawingOrder
from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.host import icon_path
from glue_zoobot.qt.kept_colours import KeptColours
from glue_zoobot.qt.picking import clicked_row
from glue_zoobot.qt.plot_labels import FittedNames
from glue_zoobot.qt.question_marks import QuestionMarks

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer
    from matplotlib.backend_bases import MouseEvent

__all__ = ["SimilarTool"]

_HINT = "Press N, then click a galaxy"


class SimilarTool(ToolbarModeBase):
    """Click on a point to find the galaxies that look most like it. The user's own subset stays as it is."""

    icon = icon_path("similar")
    tool_id = "zoobot:similar"
    action_text = "Similar galaxies"
    tool_tip = "Find the galaxies that look like the one you click on"
    status_tip = "CLICK on a point to find the galaxies that look like it"
    shortcut = "N"

    def __init__(self, viewer: ScatterViewer, **kwargs: Any) -> None:
        super().__init__(viewer, **kwargs)
        self._companions: list[QuestionMarks | KeptColours | DrawingOrder] = []
        viewer.toolbar_added.connect(self._on_toolbar)

    def press(self, event: MouseEvent) -> None:
        """Act on a left click inside the axes."""
        if event.inaxes is not self.viewer.axes or event.button != 1:
            return
        data, row = clicked_row(self.viewer, event)
        if data is None:
            self.viewer.set_status("No galaxy there: click closer to a point")
            return
        find_similar(self.viewer.session.application, data, [row], self._report)

    def deactivate(self) -> None:
        """Say so where nothing else takes its place."""
        super().deactivate()
        QtCore.QTimer.singleShot(0, self._say_off)  # glue empties the line after this

    def close(self) -> None:
        """Let go of the viewer."""
        for companion in self._companions:
            companion.release()
        super().close()

    def _on_toolbar(self) -> None:
        """Take the first place, the key wherever the focus is in the viewer, and show the question."""
        bar = self.viewer.toolbar
        action = bar.actions[self.tool_id]
        bar.insertAction(next(iter(bar.actions.values())), action)  # a narrow plot hides the last ones
        action.setShortcutContext(Qt.WidgetWithChildrenShortcut)  # glue's: while the toolbar has the focus
        self.viewer.addAction(action)
        companions = (QuestionMarks, KeptColours, DrawingOrder, FittedNames)
        self._companions = [companion(self.viewer) for companion in companions]
        filled = QtCore.QTimer(self.viewer, singleShot=True)  # gone with the viewer
        filled.timeout.connect(self._on_filled)
        filled.start(0)

    def _on_filled(self) -> None:
        """Say how to begin, once the viewer has its layers."""
        if self.viewer is None:
            return
        if not self.viewer.statusBar().currentMessage() and self._has_embeddings():
            self._report(_HINT)

    def _has_embeddings(self) -> bool:
        from glue_zoobot.catalog.record import record_of

        shown = [layer.layer for layer in self.viewer.state.layers]
        return any(record_of(data).get("store") for data in shown if hasattr(data, "meta"))

    def _say_off(self) -> None:
        if self.viewer is not None and self.viewer.toolbar.active_tool is None:
            self._report(f"{self.action_text} is off; key {self.shortcut} turns it on")

    def _report(self, text: str) -> None:
        if self.viewer is not None:  # not closed meanwhile
            self.viewer.set_status(text)
