"""What glue does not hand to a plugin: its main window, icons, messages that do not block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtWidgets
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from glue.core import DataCollection
    from glue_qt.app import GlueApplication

__all__ = ["active_subset_kept", "application_of", "icon_path", "show_message"]


def icon_path(name: str) -> str:
    """Return the path of one of our own icons."""
    return str(Path(__file__).with_name("icons") / f"{name}.svg")


def application_of(data_collection: DataCollection) -> GlueApplication | None:
    """Return the main window of a data collection; glue does not tell it to layer actions."""
    for window in QtWidgets.QApplication.topLevelWidgets():
        if getattr(window, "data_collection", None) is data_collection:
            return window
    return None


@contextmanager
def active_subset_kept(application: GlueApplication) -> Iterator[None]:
    """
    Leave the user's active subset as it is while a group of ours comes or goes.

    glue makes every new group the active one, so that the user's next lasso would go into ours.
    """
    mode = application.session.edit_subset_mode
    active = list(mode.edit_subset or [])
    try:
        yield
    finally:
        groups = application.data_collection.subset_groups
        mode.edit_subset = [group for group in active if group in groups]


def show_message(parent: QtWidgets.QWidget | None, title: str, text: str, detail: str = "") -> None:
    """Show a message in a window of its own, without stopping the event loop."""
    box = QtWidgets.QMessageBox(QtWidgets.QMessageBox.Information, title, text, parent=parent)
    if detail:
        box.setDetailedText(detail)
    box.setAttribute(Qt.WA_DeleteOnClose)
    box.open()
