"""The gallery's toolbar buttons."""

from __future__ import annotations

from pathlib import Path

from glue.config import viewer_tool
from glue.viewers.common.tool import Tool

__all__ = ["MostSimilarFirstTool", "SimilarGalaxiesTool"]

ICONS = Path(__file__).resolve().parents[1] / "icons"


@viewer_tool
class SimilarGalaxiesTool(Tool):
    """Look for galaxies like the selected ones."""

    icon = str(ICONS / "gallery_similar.svg")
    tool_id = "zoobot:gallery_similar"
    action_text = "Similar galaxies"
    tool_tip = "Find galaxies that look like the selected ones"
    shortcut = "S"

    def activate(self):
        self.viewer.find_similar()


@viewer_tool
class MostSimilarFirstTool(Tool):
    """Order by similarity; shown once something similar was looked for."""

    icon = str(ICONS / "gallery_most_similar_first.svg")
    tool_id = "zoobot:gallery_most_similar_first"
    action_text = "Most similar first"
    tool_tip = "Show the look-alikes first, most similar at the top"

    def activate(self):
        self.viewer.state.sort_most_similar_first()
