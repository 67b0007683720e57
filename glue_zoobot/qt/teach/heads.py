"""Heads on disk, and the columns that are learned from: what the menu of the *Teach* panel asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.teach.dialogs import InputsDialog
from glue_zoobot.qt.teach.votes import VotesDialog

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["TeachHeads"]


class TeachHeads(QtCore.QObject):
    """
    Saves the head, takes up another one, and chooses columns.

    Parameters
    ----------
    state : Teaching
    panel : QWidget
        Parent of the windows.

    Attributes
    ----------
    said, failed : Signal(str)
    loaded : Signal()
        Another head predicts.
    """

    said = QtCore.Signal(str)
    failed = QtCore.Signal(str)
    loaded = QtCore.Signal()

    def __init__(self, state: Teaching, panel: QtWidgets.QWidget) -> None:
        super().__init__(panel)
        self._state, self._panel = state, panel

    def choose_inputs(self) -> None:
        """Ask which columns are learned from beside the image."""
        self.dialog = InputsDialog(self._state, self._panel)
        self.dialog.setAttribute(Qt.WA_DeleteOnClose)
        self.dialog.accepted.connect(lambda: self._state.use_inputs(self.dialog.chosen))
        self.dialog.open()

    def ask_votes(self, data: Data | None = None, column: str = "") -> None:
        """Ask which question of volunteers is learned; for the catalogue that is taught, or another one."""
        self.dialog = VotesDialog(self._state, data or self._state.data, self._panel, column)
        self.dialog.accepted.connect(self.loaded)
        self.dialog.open()

    def save(self) -> None:
        """Ask for a folder, and write the head there."""
        target = self._state.target
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self._panel, "Folder of the new head", f"{target}.head"
        )
        if not path:
            return
        try:
            self._state.save_head(path)
        except ZoobotError as error:
            self.failed.emit(str(error))
        else:
            self.said.emit(f"The head is in {path}: glue-zoobot predict, or another catalogue here, uses it.")

    def choose(self, data: Data | None = None) -> None:
        """Ask for the folder of a head; for the catalogue that is taught, unless another one is given."""
        path = QtWidgets.QFileDialog.getExistingDirectory(self._panel, "Folder of a head")
        if path:
            self.load(data or self._state.data, path)

    def load(self, data: Data, path: str | Path) -> None:
        """Predict with a head that was taught elsewhere."""
        try:
            self._state.load_head(data, path)
        except ZoobotError as error:
            self.failed.emit(str(error))
        else:
            self.loaded.emit()
