"""The gallery's toolbar buttons."""

from __future__ import annotations

from pathlib import Path

from glue.config import viewer_tool
from glue.viewers.common.tool import Tool
from qtpy.QtCore import Qt

from glue_zoobot.qt.host import icon_path

__all__ = ["ExportTool", "MostSimilarFirstTool", "SimilarGalaxiesTool"]


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


@viewer_tool
class ExportTool(Tool):
    """Write galaxies with their captions to a PDF or PNG file."""

    icon = str(Path(__file__).with_name("icons") / "export.svg")
    tool_id = "zoobot:gallery_export"
    action_text = "Export as figure"
    tool_tip = "Export what is seen, or the first galaxies, as a figure with captions"

    def activate(self) -> None:
        from glue_zoobot.qt.gallery.export import ExportDialog  # late: glue starts without it

        dialog = ExportDialog(self.viewer)
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.open()
