"""What glue does not hand to a plugin: its main window, icons, messages that do not block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtWidgets
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from glue.core import DataCollection
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog import SimilarGalaxies

__all__ = ["application_of", "icon_path", "question_of", "show_message"]


def icon_path(name: str) -> str:
    """Return the path of one of our own icons."""
    return str(Path(__file__).with_name("icons") / f"{name}.svg")


def application_of(data_collection: DataCollection) -> GlueApplication | None:
    """Return the main window of a data collection; glue does not tell it to layer actions."""
    for window in QtWidgets.QApplication.topLevelWidgets():
        if getattr(window, "data_collection", None) is data_collection:
            return window
    return None


def question_of(application: GlueApplication) -> SimilarGalaxies:
    """Return the similarity question of a window, which leaves the user's active subset active."""
    from glue_zoobot.catalog import similar_galaxies

    question = similar_galaxies(application.data_collection)
    question.edit_subset_mode = application.session.edit_subset_mode
    return question


def show_message(parent: QtWidgets.QWidget | None, title: str, text: str, detail: str = "") -> None:
    """Show a message in a window of its own, without stopping the event loop."""
    box = QtWidgets.QMessageBox(QtWidgets.QMessageBox.Information, title, text, parent=parent)
    if detail:
        box.setDetailedText(detail)
    box.setAttribute(Qt.WA_DeleteOnClose)
    box.open()
