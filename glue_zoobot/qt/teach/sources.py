"""Where labels come from: a new class, subsets, columns, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.teach.dialogs import ColumnDialog

if TYPE_CHECKING:
    from glue.core import Subset

    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["LabelSources"]


class LabelSources(QtWidgets.QWidget):
    """
    A row of ways to get labels.

    Parameters
    ----------
    state : Teaching
    attempt : callable
        Does what it is given and says what goes wrong; gives whether it went well.

    Attributes
    ----------
    said : Signal(str)
        What was done, if there is anything to say of it.
    named, taken : Signal()
        A class was named: its key can be pressed now; or made of a subset.
    votes_wanted : Signal(str)
        Learn the votes on the question that a column belongs to.
    """

    said = QtCore.Signal(str)
    named = QtCore.Signal()
    taken = QtCore.Signal()
    votes_wanted = QtCore.Signal(str)

    def __init__(self, state: Teaching, attempt: Callable[[Callable[[], Any]], bool]) -> None:
        super().__init__()
        self._state, self._attempt = state, attempt
        self.new_class = QtWidgets.QLineEdit(placeholderText="New class, Enter")
        self.new_class.setToolTip("Name a class; its key then labels galaxies so")
        self.new_class.returnPressed.connect(self._add_class)
        self.from_subset = _button(
            "Subset", "Label the members of a subset as a class of its name, or of the name typed at the left"
        )
        self.subsets = QtWidgets.QMenu(self)
        self.subsets.aboutToShow.connect(self.fill_subsets)
        self.from_subset.setMenu(self.subsets)
        self.from_column = _button("Column…", "Take labels from a column of the catalogue")
        self.from_column.clicked.connect(self.choose_column)
        self.from_file = _button("File…", "Take labels from a table with an id column, or from a log")
        self.from_file.clicked.connect(self._choose_file)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.new_class, 1)
        for button in (self.from_subset, self.from_column, self.from_file):
            row.addWidget(button)

    def refresh(self) -> None:
        """Show what the state says."""
        self.new_class.setEnabled(not self._state.is_number)

    def _add_class(self) -> None:
        name = self.new_class.text()
        if self._attempt(lambda: self._state.add_class(name)):
            self.new_class.clear()
            self.named.emit()

    # -- subsets ---------------------------------------------------------------------------------------

    def fill_subsets(self) -> None:
        """List the user's subsets, not those of ours that follow predictions."""
        self.subsets.clear()
        state = self._state
        ours = {id(state.group(name)) for name in ("", *state.class_names)}
        found = [s for s in (state.data.subsets if state.data is not None else ()) if hasattr(s, "group")]
        found = [subset for subset in found if id(subset.group) not in ours]
        for subset in found:
            icon = QtGui.QPixmap(12, 12)
            icon.fill(QtGui.QColor(subset.style.color))
            action = self.subsets.addAction(QtGui.QIcon(icon), subset.label)
            action.triggered.connect(lambda _=False, subset=subset: self.add_subset(subset))
        if not found:
            self.subsets.addAction("No subsets yet: select galaxies in any view").setEnabled(False)

    def add_subset(self, subset: Subset) -> None:
        """Label the members of a subset as a class of the name that is typed, or of its own."""
        name = self.new_class.text().strip() or None
        if self._attempt(lambda: self._state.add_subset(subset, name)):
            self.new_class.clear()
            self.said.emit(self._state.note)
            self.taken.emit()

    # -- columns and files -----------------------------------------------------------------------------

    def choose_column(self) -> None:
        """Ask which column, and how."""
        self.column_dialog = ColumnDialog(self._state, self)
        self.column_dialog.setAttribute(Qt.WA_DeleteOnClose)
        self.column_dialog.accepted.connect(self._add_column)
        self.column_dialog.votes_wanted.connect(self.votes_wanted)
        self.column_dialog.open()

    def _add_column(self) -> None:
        chosen = self.column_dialog
        self._attempt(lambda: self._state.add_column(chosen.column, chosen.clear, chosen.most, chosen.within))

    def _choose_file(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self,
            "Table or log of labels",
            "",
            "Labels (*.csv *.ecsv *.fits *.parquet *.vot *.jsonl);;All files (*)",
        )
        if path:
            self.add_file(path)

    def add_file(self, path: str) -> None:
        """Take labels from a file; of several columns the one named like the target, or the one chosen."""
        from glue_zoobot.catalog.teaching.sources import columns_of_file

        def take() -> None:
            names = columns_of_file(path)
            name = self._state.target if self._state.target in names else names[0] if len(names) == 1 else ""
            if not name and names:
                text = f"Which column has the labels of {self._state.target}?"
                name, _ = QtWidgets.QInputDialog.getItem(self, "Labels from a file", text, names, 0, False)
            if name or not names:
                self._state.add_file(path, name)

        if self._attempt(take):
            self.said.emit(self._state.note)


def _button(text: str, tip: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.NoFocus)
    button.setStyleSheet("padding: 4px 9px;")
    return button
