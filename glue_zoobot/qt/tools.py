"""Click a point in a scatter plot: its look-alikes light up in every linked view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue.config import viewer_tool
from glue.viewers.matplotlib.toolbar_mode import ToolbarModeBase

from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.host import icon_path
from glue_zoobot.qt.picking import clicked_row

if TYPE_CHECKING:
    from matplotlib.backend_bases import MouseEvent

__all__ = ["SimilarTool"]


@viewer_tool
class SimilarTool(ToolbarModeBase):
    """Click on a point to find the galaxies that look most like it. The user's own subset stays as it is."""

    icon = icon_path("similar")
    tool_id = "zoobot:similar"
    action_text = "Similar galaxies"
    tool_tip = "Find the galaxies that look like the one you click on"
    status_tip = "CLICK on a point to find the galaxies that look like it"
    shortcut = "N"

    def press(self, event: MouseEvent) -> None:
        """Act on a left click inside the axes."""
        if event.inaxes is not self.viewer.axes or event.button != 1:
            return
        data, row = clicked_row(self.viewer, event)
        if data is None:
            self.viewer.set_status("No galaxy there: click closer to a point")
            return
        find_similar(self.viewer.session.application, data, [row], self._report)

    def _report(self, text: str) -> None:
        if self.viewer is not None:  # not closed meanwhile
            self.viewer.set_status(text)
