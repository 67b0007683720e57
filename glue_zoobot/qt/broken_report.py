"""Which galaxies have no embedding, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["BrokenReport", "show_broken"]

_SHOWN = 1000


def show_broken(parent: QtWidgets.QWidget, store: Path) -> BrokenReport:
    """Open the report of a store beside whatever the user is doing."""
    report = BrokenReport(parent, store)
    report.show()
    return report


class BrokenReport(QtWidgets.QDialog):
    """
    A table of the galaxies without an embedding, with reasons; can be saved.

    Parameters
    ----------
    parent : QWidget
    store : Path
        Folder of the embeddings.
    """

    def __init__(self, parent: QtWidgets.QWidget, store: Path) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Images without an embedding")
        self.resize(720, 420)
        self._bad: Table | None = None
        self.summary = QtWidgets.QLabel("Reading…", wordWrap=True)
        self.table = QtWidgets.QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Galaxy", "Outcome", "Reason"])
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Close)
        self.save_button = buttons.addButton("Save list…", QtWidgets.QDialogButtonBox.ActionRole)
        self.save_button.clicked.connect(self._save)
        self.save_button.setEnabled(False)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self.summary)
        layout.addWidget(self.table)
        layout.addWidget(buttons)
        self._work = run_in_thread(self, lambda: _without_embedding(store), self._fill, self._fail)
        self.finished.connect(self._work.drop)

    def _fill(self, bad: Table) -> None:
        self._bad = bad
        shown = min(len(bad), _SHOWN)
        more = f" The first {shown:,} are shown; the saved list has all." if shown < len(bad) else ""
        self.summary.setText(f"Without an embedding: {counted(len(bad), 'image')}.{more}")
        self.table.setRowCount(shown)
        for row in range(shown):
            for column, name in enumerate(("object_id", "outcome", "reason")):
                self.table.setItem(row, column, QtWidgets.QTableWidgetItem(str(bad[name][row])))
        self.table.resizeColumnToContents(0)
        self.save_button.setEnabled(len(bad) > 0)

    def _fail(self, error: Exception) -> None:
        self.summary.setText(str(error))

    def _save(self) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, "Save list", "broken.csv", "Tables (*.csv *.ecsv)"
        )
        if path:
            self._bad.write(path, overwrite=True)


def _without_embedding(store: Path) -> Table:
    from glue_zoobot.embedding import EmbeddingStore

    outcomes = EmbeddingStore.open(store).outcomes()
    return outcomes[(outcomes["outcome"] == "broken") | (outcomes["outcome"] == "duplicate")]
