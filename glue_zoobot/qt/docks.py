"""Panels at the right of the main window: one of each kind, as tabs of one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qtpy import QtWidgets
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

__all__ = ["tabbed_panel"]

Panel = TypeVar("Panel", bound=QtWidgets.QDockWidget)


def tabbed_panel(application: GlueApplication, kind: type[Panel]) -> Panel:
    """
    Return the panel of a kind; there is never more than one in an application.

    A new one is hidden, behind *Similar galaxies*: one at the bottom would resize, and so redraw, every
    plot, and one beneath another would leave neither the room that it needs.
    """
    from glue_zoobot.qt.similar.panel import similar_panel

    panel = application.findChild(kind)
    if panel is None:
        panel = kind(application)
        beside = similar_panel(application)
        application.addDockWidget(Qt.RightDockWidgetArea, panel)
        application.tabifyDockWidget(beside, panel)
        panel.hide()
    return panel
