"""The row of the *Teach* panel that trains: at once, by itself, or the network; and the number of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet, warn
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.qt.teach.work import TeachWork

__all__ = ["TrainRow", "WarningLine"]

_TRAIN_STYLE = (
    "QPushButton { background: #2f6fb3; color: white; border: none; border-radius: 5px; font-weight: bold;"
    " padding: 6px 18px; } QPushButton:hover { background: #3b7fc6; }"
    "QPushButton:pressed { background: #24578d; } QPushButton:disabled { background: #b9c0c8; }"
)
_TRAIN_TIP = "Learn from all labels, and predict every galaxy: about a second"
_TUNE_TIP = "Train the network itself, for some hundred labels and more: a job"


class TrainRow(QtWidgets.QWidget):
    """
    Buttons that train.

    Parameters
    ----------
    state : Teaching
    work : TeachWork

    Attributes
    ----------
    tune_wanted : Signal()
        Train the network itself.
    """

    tune_wanted = QtCore.Signal()

    def __init__(self, state: Teaching, work: TeachWork) -> None:
        super().__init__()
        self._state, self._work = state, work
        self.train = QtWidgets.QPushButton("Train")
        self.train.setStyleSheet(_TRAIN_STYLE)
        self.train.clicked.connect(work.train)
        self.auto = QtWidgets.QCheckBox("by itself")
        self.auto.setToolTip("Train again after every few labels")
        self.auto.toggled.connect(self._set_auto)
        self.tune = QtWidgets.QPushButton("Fine-tune…")
        self.tune.setStyleSheet("QPushButton { padding: 5px 8px; }")
        self.tune.clicked.connect(self.tune_wanted)
        self.status = quiet(QtWidgets.QLabel(alignment=Qt.AlignRight | Qt.AlignVCenter), small=True)
        # As wide as there is room: else the panel, and with it every plot, would change with each label.
        self.status.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for part in (self.train, self.auto, self.tune):
            part.setFocusPolicy(Qt.NoFocus)
            row.addWidget(part)
        row.addWidget(self.status, 1)

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        missing = state.why_not_yet()
        self.train.setEnabled(not self._work.running and not missing)
        self.train.setText("Training…" if self._work.training else "Train")
        self.train.setToolTip(missing or _TRAIN_TIP)
        missing = state.why_not_yet(of_images=True)
        self.tune.setEnabled(not missing)
        self.tune.setToolTip(missing or _TUNE_TIP)
        labels, new = counted(len(state.labels), "label"), state.n_new
        self.status.setText(f"{new:,} new of {labels}" if new and state.head is not None else labels)
        self.status.setToolTip(f"{self.status.text()}, kept in {state.log.path}")

    def _set_auto(self, on: bool) -> None:
        self._state.auto = on
        if on:
            self._work.train_if_new()


class WarningLine(QtWidgets.QLabel):
    """What the user should know of his labels, in one line; all of it in its tip."""

    def __init__(self) -> None:
        super().__init__(visible=False)
        self.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        warn(self)
        self._said = ""

    def show_warnings(self, warnings: list[str]) -> None:
        """Show them; takes no room if there are none."""
        self._said = "⚠ " + "; ".join(warnings)
        self.setVisible(bool(warnings))
        self.setToolTip("\n".join(warnings))
        self._elide()

    def resizeEvent(self, event: QtCore.QEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._said, Qt.ElideRight, self.width()))
