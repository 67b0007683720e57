"""How galaxies are compared: by which likeness, by how many numbers, and on which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.qt.parts import choice, row, tool
from glue_zoobot.qt.similar.cuts import describe
from glue_zoobot.qt.styles import title

if TYPE_CHECKING:
    from glue_zoobot.catalog.question import Question

__all__ = ["Comparison"]

_METRICS = (("Angle", "cosine"), ("Distance", "euclidean"))
_COMPONENTS = (("all numbers", None), *((f"{k} main components", k) for k in (100, 50, 20, 10)))
_CUTS_TIP = "Only galaxies of like magnitude or redshift, or apart on the sky …"
_BESIDE, _LEAST = 52, 200  # screen pixels: of the button's frame and the one beside it; of text
_SEVERAL = (("Near their mean", "mean"), ("Near any of them", "any"))


class Comparison(QtWidgets.QWidget):
    """
    Options of a question.

    Attributes
    ----------
    changed : Signal(object)
        Options of `~glue_zoobot.catalog.question.Question` by name.
    cuts_wanted : Signal()
        The conditions are to be chosen.
    """

    changed = QtCore.Signal(object)
    cuts_wanted = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__()
        # Not `metric`: that is a method of every widget, which PySide would call.
        self.metric_choice = choice(_METRICS, "How the likeness of two galaxies is measured")
        self.components = choice(
            _COMPONENTS, "Fewer main components leave out fine differences, and much of the noise"
        )
        self.several = choice(
            _SEVERAL, "Mean: what they have in common. Any: for examples that differ among themselves"
        )
        self._boxes = {
            "metric": self.metric_choice, "components": self.components, "several": self.several
        }  # fmt: skip
        for name, box in self._boxes.items():
            box.activated.connect(lambda _, name=name, box=box: self.changed.emit({name: box.currentData()}))
        self.several_label = QtWidgets.QLabel("Several examples:")
        self.cuts_button = QtWidgets.QPushButton()
        self.cuts_button.clicked.connect(self.cuts_wanted)
        self.no_cuts_button = tool(
            "×", "Take the conditions off", lambda: self.changed.emit({"cuts": Cuts()})
        )
        self._conditions = ""
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(title("Compare by"))
        layout.addLayout(row(self.metric_choice, self.components))
        layout.addLayout(row(self.several_label, self.several))
        layout.addLayout(row(self.cuts_button, self.no_cuts_button))

    def refresh(self, question: Question) -> None:
        """Show the options of a question."""
        for widget in (self.several_label, self.several):
            widget.setEnabled(len(question.like) > 1)
        for name, box in self._boxes.items():
            box.setCurrentIndex(max(0, box.findData(getattr(question, name))))
        self.no_cuts_button.setVisible(bool(question.cuts))
        self._conditions = f"Conditions: {describe(question.cuts)}"
        self._elide()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        """Shorten the conditions to what there is room for; a longer text would widen the panel."""
        text, room = self._conditions, self.width() - _BESIDE
        shown = self.cuts_button.fontMetrics().elidedText(text, Qt.ElideRight, max(room, _LEAST))
        self.cuts_button.setText(shown)
        self.cuts_button.setToolTip(text if shown != text else _CUTS_TIP)
