"""The windows: viewer, tools, panels, dialogs and jobs inside glue."""

from __future__ import annotations

import logging

__all__ = ["SETUP_PROBLEMS", "setup"]

logger = logging.getLogger(__name__)

#: What could not be registered, and why; shown by *Zoobot: check installation*.
SETUP_PROBLEMS: dict[str, str] = {}


def _register_gallery() -> None:
    from glue_qt.config import qt_client

    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    if GalleryViewer not in qt_client:
        qt_client.add(GalleryViewer)


def _register_scatter_tools() -> None:
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.qt.hover_tool import HoverTool
    from glue_zoobot.qt.tools import SimilarTool

    for tool in (SimilarTool, HoverTool):
        if tool.tool_id not in ScatterViewer.tools:
            # A new list: a subclass of the viewer without tools of its own shares the old one.
            ScatterViewer.tools = [*ScatterViewer.tools, tool.tool_id]


def _register_markers() -> None:
    from glue_zoobot.qt import markers  # noqa: F401  registration happens at import, once


def _register_actions() -> None:
    from glue_zoobot.qt import actions  # noqa: F401  registration happens at import, once


def setup() -> None:
    """
    Register the Galaxy Gallery, the tools and the actions with glue; glue calls this when it starts.

    Safe to call more than once and never raises: glue hides the reason when a plugin fails, so a
    feature that cannot be registered is left out, logged, and named by *Zoobot: check installation*.
    Imports neither torch nor anything else that is slow.
    """
    for register in (_register_gallery, _register_scatter_tools, _register_markers, _register_actions):
        name = register.__name__.removeprefix("_register_")
        try:
            register()
        except Exception as exc:  # whatever it is: the other features must still come up
            SETUP_PROBLEMS[name] = f"{type(exc).__name__}: {exc}"
            logger.exception("glue-zoobot: %s is not available", name)
        else:
            SETUP_PROBLEMS.pop(name, None)
