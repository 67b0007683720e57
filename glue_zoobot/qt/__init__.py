"""The windows: viewer, tools, panels, dialogs and jobs inside glue."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

__all__ = ["SETUP_PROBLEMS", "setup"]

logger = logging.getLogger(__name__)

#: What could not be registered, and why; shown by *Zoobot: check installation*.
SETUP_PROBLEMS: dict[str, str] = {}


class _Later:
    """
    Stands for a class until glue makes the first of its objects: only then its module is imported.

    Parameters
    ----------
    module, name : str
        Where the class is, inside this package.
    **attributes
        What glue asks the class for before.
    """

    def __init__(self, module: str, name: str, **attributes: str) -> None:
        self.module, self.name = f"{__name__}.{module}", name
        vars(self).update(attributes)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(self.module), self.name)(*args, **kwargs)


_GALLERY = _Later("gallery.viewer", "GalleryViewer", LABEL="Galaxy Gallery")
_SCATTER_TOOLS = (
    _Later("tools", "SimilarTool", tool_id="zoobot:similar"),
    _Later("hover_tool", "HoverTool", tool_id="zoobot:hover"),
)
_IMAGE_TOOLS = _SCATTER_TOOLS[1:]


def _register_gallery() -> None:
    from glue_qt.config import qt_client

    if _GALLERY not in qt_client:
        qt_client.add(_GALLERY)


def _register_scatter_tools() -> None:
    from glue_qt.viewers.scatter import ScatterViewer

    _offer(ScatterViewer, *_SCATTER_TOOLS)


def _register_image_tools() -> None:
    from glue_qt.viewers.image import ImageViewer

    _offer(ImageViewer, *_IMAGE_TOOLS)


def _offer(viewer: type, *tools: _Later) -> None:
    """Add tools to a kind of viewer, once."""
    from glue.config import viewer_tool

    for tool in tools:
        if tool.tool_id not in viewer_tool.members:
            viewer_tool.add(tool)
        if tool.tool_id not in viewer.tools:
            # A new list: a subclass of the viewer without tools of its own shares the old one.
            viewer.tools = [*viewer.tools, tool.tool_id]


def _register_markers() -> None:
    from glue_zoobot.qt import markers  # noqa: F401  registration happens at import, once


def _register_actions() -> None:
    from glue_zoobot.qt import actions, stores  # noqa: F401  registration happens at import, once


def _register_sessions() -> None:
    from glue_zoobot.qt import restoring  # noqa: F401  registration happens at import, once


def setup() -> None:
    """
    Register the Galaxy Gallery, the tools and the actions with glue; glue calls this when it starts.

    Safe to call more than once and never raises: glue hides the reason when a plugin fails, so a
    feature that cannot be registered is left out, logged, and named by *Zoobot: check installation*.
    Imports neither torch nor anything else that is slow.
    """
    for register in (
        _register_gallery,
        _register_scatter_tools,
        _register_image_tools,
        _register_markers,
        _register_actions,
        _register_sessions,
    ):
        name = register.__name__.removeprefix("_register_")
        try:
            register()
        except Exception as exc:  # whatever it is: the other features must still come up
            SETUP_PROBLEMS[name] = f"{type(exc).__name__}: {exc}"
            logger.exception("glue-zoobot: %s is not available", name)
        else:
            SETUP_PROBLEMS.pop(name, None)
