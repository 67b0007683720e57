"""The gallery's toolbar buttons."""

from __future__ import annotations

from glue.config import viewer_tool
from glue.viewers.common.tool import Tool

from glue_zoobot.qt.host import icon_path

__all__ = ["MostSimilarFirstTool", "SimilarGalaxiesTool"]


@viewer_tool
class SimilarGalaxiesTool(Tool):
    """Look for galaxies like the selected ones."""

    icon = icon_path("similar")
    tool_id = "zoobot:gallery_similar"
    action_text = "Similar galaxies"
    tool_tip = "Find galaxies that look like the selected ones"
    shortcut = "S"

    def activate(self) -> None:
        self.viewer.find_similar()


@viewer_tool
class MostSimilarFirstTool(Tool):
    """Order by similarity; shown once something similar was looked for."""

    icon = icon_path("gallery_most_similar_first")
    tool_id = "zoobot:gallery_most_similar_first"
    action_text = "Most similar first"
    tool_tip = "Show the look-alikes first, most similar at the top"

    def activate(self) -> None:
        self.viewer.state.sort_most_similar_first()
