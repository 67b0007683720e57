"""Questions of the *Teach* panel: which column holds labels, and which ones to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.component import CategoricalComponent
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.analysis.inputs import leak
from glue_zoobot.catalog.teaching.sources import (
    MOST,
    input_columns,
    input_values,
    labels_of_column,
    target_columns,
    yes_or_no,
)
from glue_zoobot.catalog.teaching.votes import questions_of
from glue_zoobot.errors import AnalysisError
from glue_zoobot.qt.parts import long_list
from glue_zoobot.qt.styles import problem_text, quiet_label
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import ComponentID, Subset

    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["ColumnDialog", "InputsDialog"]

_DEFAULT_MOST = 500


class ColumnDialog(QtWidgets.QDialog):
    """
    Take labels from a column of the catalogue.

    Parameters
    ----------
    state : Teaching

    Attributes
    ----------
    votes_wanted : Signal(str)
        The column is one of votes, and all answers to its question are to be learned instead.
    """

    votes_wanted = QtCore.Signal(str)

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, windowTitle=f"Labels of {state.target} from a column")
        self._state = state
        self._columns = target_columns(state.data)
        self._of_votes = {name for one in questions_of(state.data) for name in one.columns.values()}
        self._subsets = [subset for subset in state.data.subsets if hasattr(subset, "group")]
        self._build()
        self._choose_named(state.target)
        self._refresh()

    def _build(self) -> None:
        self.columns = long_list(QtWidgets.QComboBox())
        for cid in self._columns:
            self.columns.addItem(cid.label)
        self.as_is = QtWidgets.QRadioButton("as they are", checked=True)
        self.as_clear = QtWidgets.QRadioButton("clear cases only: no up to")
        self.low = QtWidgets.QDoubleSpinBox(decimals=3, minimum=-1e9, maximum=1e9, singleStep=0.05, value=0.2)
        self.high = QtWidgets.QDoubleSpinBox(
            decimals=3, minimum=-1e9, maximum=1e9, singleStep=0.05, value=0.8
        )
        clear = QtWidgets.QHBoxLayout()
        for widget in (self.as_clear, self.low, QtWidgets.QLabel(", yes from"), self.high):
            clear.addWidget(widget)
        clear.addStretch(1)
        self.within_box = QtWidgets.QComboBox()
        self.within_box.addItem("the whole catalogue")
        for subset in self._subsets:
            self.within_box.addItem(f"the subset “{subset.label}”")
        self.most_spin = QtWidgets.QSpinBox(minimum=2, maximum=MOST, value=_DEFAULT_MOST)
        self.most_spin.setGroupSeparatorShown(True)
        self.most_spin.setToolTip("More are drawn at random: a few hundred labels teach nearly all there is")
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.text.setMinimumHeight(40)
        self.votes = QtWidgets.QLabel(
            "Volunteers answered this: <a href='#'>learn all answers from the votes</a>"
        )
        self.votes.linkActivated.connect(self._go_to_votes)
        form = QtWidgets.QFormLayout()
        form.addRow("Column", self.columns)
        form.addRow("", self.votes)
        form.addRow("Values", self.as_is)
        form.addRow("", clear)
        form.addRow("From", self.within_box)
        form.addRow("At most", self.most_spin)
        self.buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Cancel)
        self.take = self.buttons.addButton("Take labels", QtWidgets.QDialogButtonBox.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.text)
        layout.addWidget(self.buttons)
        self.columns.currentIndexChanged.connect(self._refresh)
        self.within_box.currentIndexChanged.connect(self._refresh)
        for button in (self.as_is, self.as_clear):
            button.toggled.connect(self._refresh)
        for spin in (self.low, self.high, self.most_spin):
            spin.valueChanged.connect(self._refresh)

    def _choose_named(self, target: str) -> None:
        """Begin with a column that is called like the target, else with one of classes."""
        labels = [cid.label.lower() for cid in self._columns]
        named = [k for k, label in enumerate(labels) if label == target.lower()]
        near = [k for k, label in enumerate(labels) if target.lower() in label]
        self.columns.setCurrentIndex(next(iter(named + near), 0))

    @property
    def column(self) -> ComponentID | None:
        """The chosen column."""
        return self._columns[self.columns.currentIndex()] if self._columns else None

    @property
    def clear(self) -> tuple[float, float] | None:
        """Up to where *no* and from where *yes*; None to take values as they are."""
        return (self.low.value(), self.high.value()) if self.as_clear.isChecked() else None

    @property
    def most(self) -> int:
        """Most labels to take."""
        return self.most_spin.value()

    @property
    def within(self) -> Subset | None:
        """Subset to take them from; None for all."""
        place = self.within_box.currentIndex()
        return self._subsets[place - 1] if place > 0 else None

    def _refresh(self, *args: Any) -> None:
        numeric = self.column is not None and not isinstance(
            self._state.data.get_component(self.column), CategoricalComponent
        )
        self.votes.setVisible(self.column is not None and self.column.label in self._of_votes)
        self.as_clear.setEnabled(numeric)
        if not numeric:
            self.as_is.setChecked(True)
        for widget in (self.low, self.high):
            widget.setEnabled(self.as_clear.isChecked())
        try:
            self.text.setText(self._preview())
            self.take.setEnabled(True)
        except AnalysisError as error:
            self.text.setText(problem_text(self, error))
            self.take.setEnabled(False)

    def _go_to_votes(self, *args: Any) -> None:
        self.reject()
        self.votes_wanted.emit(self.column.label)

    def _preview(self) -> str:
        if self.column is None:
            raise AnalysisError(f"{self._state.data.label} has no column of classes or numbers: use a file")
        labels = labels_of_column(self._state.data, self.column, self.within)
        if self.clear is not None:
            labels = yes_or_no(labels, yes_from=self.clear[1], no_to=self.clear[0])
        names, counts = np.unique(list(labels.values()), return_counts=True)
        drawn = f"; {self.most:,} of them are drawn at random" if len(labels) > self.most else ""
        if len(names) > 10 and names.dtype.kind == "f":
            return f"{counted(len(labels), 'galaxy')} with a number{drawn}"
        number = names.dtype.kind == "f"  # "0.5 (3)", since "3 0.5" cannot be read
        each = [f"{n:g} ({k:,})" if number else f"{k:,} {n}" for n, k in zip(names, counts, strict=True)]
        few = ", ".join(each[:8])
        return f"{counted(len(labels), 'galaxy')}: {few}{' …' if len(names) > 8 else ''}{drawn}"


class InputsDialog(QtWidgets.QDialog):
    """Choose columns to learn from beside the image; says which of them hold the answer."""

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, windowTitle=f"Columns to learn {state.target} from")
        text = quiet_label()
        text.setText(
            "Beside the image. A galaxy without a value in one of them gets no prediction, and "
            "the head serves only catalogues that have the same columns."
        )
        self.list = QtWidgets.QListWidget()
        alarms = _alarms(state)
        for cid in input_columns(state.data):
            item = QtWidgets.QListWidgetItem(cid.label)
            item.setData(Qt.UserRole, cid.label)
            item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsUserCheckable)
            item.setCheckState(Qt.Checked if cid.label in state.inputs else Qt.Unchecked)
            if alarms.get(cid.label):
                item.setText(f"⚠ {cid.label}: may hold the answer")
                item.setToolTip(alarms[cid.label])
            self.list.addItem(item)
        buttons = QtWidgets.QDialogButtonBox(
            QtWidgets.QDialogButtonBox.Ok | QtWidgets.QDialogButtonBox.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(self.list)
        layout.addWidget(buttons)

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(380, 420)

    @property
    def chosen(self) -> list[str]:
        """Labels of the chosen columns."""
        items = [self.list.item(k) for k in range(self.list.count())]
        return [item.data(Qt.UserRole) for item in items if item.checkState() == Qt.Checked]


def _alarms(state: Teaching) -> dict[str, str]:
    """Why a column may hold the answer, by its label."""
    if not state.labels:
        return {}
    names = tuple(cid.label for cid in input_columns(state.data))
    rows, labels = np.array(list(state.labels)), np.array(list(state.labels.values()))
    kind = "number" if state.is_number else "classes"
    values = input_values(state.data, names)[rows] if names else np.empty((len(rows), 0))
    return {name: leak(name, values[:, k], labels, kind) for k, name in enumerate(names)}
