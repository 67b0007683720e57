"""Unusual galaxies, without ratings: compute a score, see what it goes along with, look at the strangest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.styles import quiet_label
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import ComponentID

    from glue_zoobot.catalog.anomaly import Anomalies
    from glue_zoobot.catalog.interest import Interest

__all__ = ["UnusualTab"]

METHODS = (
    ("knn", "Far from its neighbours"),
    ("isolation_forest", "Easily set apart (isolation forest)"),
    ("lof", "Sparser than its neighbourhood (LOF)"),
    ("pca", "Badly reproduced (PCA)"),
)
_HOW_TO = "Scores every galaxy by how unlike the others it looks. Needs no ratings."


class UnusualTab(QtWidgets.QWidget):
    """
    Anomaly scores of the catalogue being rated.

    Attributes
    ----------
    gallery_wanted : Signal(object)
        Show the galaxies in the order of this column.
    """

    gallery_wanted = QtCore.Signal(object)

    def __init__(self, state: Interest, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.method = QtWidgets.QComboBox()
        for name, text in METHODS:
            self.method.addItem(text, name)
        self.button = QtWidgets.QPushButton("Score")
        self.button.clicked.connect(self._start)
        self.text = quiet_label()
        self.show_button = QtWidgets.QPushButton("Show most unusual in gallery")
        self.show_button.clicked.connect(lambda: self.gallery_wanted.emit(self._rank()))
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.method, 1)
        row.addWidget(self.button)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(row)
        layout.addWidget(self.text)
        layout.addStretch(1)
        layout.addWidget(self.show_button)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the present catalogue."""
        from glue_zoobot.catalog.anomaly import RANK
        from glue_zoobot.catalog.columns import provenance_of

        rank, data = self._rank(), self._state.data
        self.show_button.setVisible(rank is not None)
        if not self.button.isEnabled():
            return
        made = {} if rank is None else provenance_of(data, RANK)
        self.text.setText(_as_list(made.get("sentences", ())) if made else _HOW_TO)

    def _rank(self) -> ComponentID | None:
        from glue_zoobot.catalog.anomaly import RANK
        from glue_zoobot.catalog.columns import our_columns

        return None if self._state.data is None else our_columns(self._state.data).get(RANK)

    def _start(self) -> None:
        from glue_zoobot.catalog.anomaly import anomaly_question, find_anomalies

        data = self._state.data
        try:
            question = anomaly_question(data, self.method.currentData())
        except ZoobotError as error:
            self.text.setText(str(error))
            return
        self.button.setEnabled(False)
        self.text.setText(f"Scoring {counted(len(question.embeddings), 'galaxy')}…")
        run_in_thread(
            self, lambda: find_anomalies(question), lambda found: self._done(data, found), self._fail
        )

    def _done(self, data: object, found: Anomalies) -> None:
        from glue_zoobot.catalog.anomaly import write_anomalies

        self.button.setEnabled(True)
        if data is self._state.data:  # not removed meanwhile
            write_anomalies(data, found)
        self.refresh()

    def _fail(self, error: Exception) -> None:
        self.button.setEnabled(True)
        self.text.setText(str(error))


def _as_list(sentences: list[str]) -> str:
    if not sentences:
        return "Scored. Nothing else is known of what the strangest have in common."
    return "".join(f"<p style='margin: 0 0 3px 0'>• {text}</p>" for text in sentences)
