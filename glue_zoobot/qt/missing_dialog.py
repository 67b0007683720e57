"""A session was opened whose images or embeddings are elsewhere now: say so, and offer to find them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.missing import Missing

__all__ = ["MissingDialog", "tell_what_is_missing"]

_INTRO = "The session is open, but some of what it refers to is no longer where it was."
_LATER = (
    "Plots, subsets and columns work as before. What you do not find now can be attached later: right-click "
    "the dataset, <i>Zoobot: Attach images…</i> or <i>Zoobot: Attach embeddings…</i>"
)


def tell_what_is_missing(application: GlueApplication) -> None:
    """Look in a thread, and show the dialog if anything is missing."""
    from glue_zoobot.catalog.missing import what_is_missing

    def show(found: list[Missing]) -> None:
        if found and application.app is not None:  # not closed meanwhile
            MissingDialog(application, found).show()

    collection = list(application.data_collection)
    run_in_thread(application, lambda: what_is_missing(collection), show)


class MissingDialog(QtWidgets.QDialog):
    """
    What is missing, line by line, each with a button that asks for its new place.

    Parameters
    ----------
    application : GlueApplication
    missing : list of Missing
    """

    def __init__(self, application: GlueApplication, missing: list[Missing]) -> None:
        super().__init__(application)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Missing images or embeddings")
        self.setMinimumWidth(520)
        self._application = application
        self.lines = [_Line(self, one) for one in missing]
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(QtWidgets.QLabel(_INTRO, wordWrap=True))
        for line in self.lines:
            layout.addWidget(line)
        layout.addWidget(QtWidgets.QLabel(_LATER, wordWrap=True))
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def found(self, missing: Missing) -> None:
        """Let the windows follow."""
        from glue_zoobot.qt.similar.panel import similar_panel

        if missing.what == "embeddings" and self._application.app is not None:
            similar_panel(self._application).embeddings_changed(missing.data)


class _Line(QtWidgets.QWidget):
    """One thing that is missing."""

    def __init__(self, dialog: MissingDialog, missing: Missing) -> None:
        super().__init__(dialog)
        self._dialog, self._missing = dialog, missing
        title = QtWidgets.QLabel(f"<b>The {missing.what} of {missing.data.label}</b>")
        self.state = QtWidgets.QLabel(f"not in {missing.path}", wordWrap=True)
        self.state.setTextFormat(Qt.PlainText)
        self.button = QtWidgets.QPushButton("Find…")
        self.button.clicked.connect(self._ask)
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(0, 1)
        layout.addWidget(title, 0, 0)
        layout.addWidget(self.state, 1, 0)
        layout.addWidget(self.button, 0, 1, 2, 1, Qt.AlignTop)

    def _ask(self) -> None:
        title = f"Folder of the {self._missing.what} of {self._missing.data.label}"
        folder = QtWidgets.QFileDialog.getExistingDirectory(self, title)
        if folder:
            self.button.setEnabled(False)
            self.state.setText(f"Looking in {folder} …")
            run_in_thread(self, lambda: self._missing.find_in(Path(folder)), self._on_found, self._on_error)

    def _on_found(self, n: int) -> None:
        self.state.setText(f"✓ found: {n:,} of {self._missing.data.size:,} galaxies")
        self.button.setVisible(False)
        self._dialog.found(self._missing)

    def _on_error(self, error: Exception) -> None:
        self.state.setText(str(error))
        self.button.setEnabled(True)
