"""The first line of the *Teach* panel: what is taught, what can be taken back, and a menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["TeachHeader"]

_KINDS = ((None, "as they look"), ("classes", "classes"), ("number", "a number"))


class TeachHeader(QtWidgets.QWidget):
    """
    Choose what is taught.

    Parameters
    ----------
    state : Teaching

    Attributes
    ----------
    target_wanted : Signal(object)
        Name of a target; None for one that is still to be named.
    undone : Signal()
        Take back what was done last.
    menu : QMenu
        The owner adds what only it can do.
    """

    target_wanted = QtCore.Signal(object)
    undone = QtCore.Signal()

    def __init__(self, state: Teaching) -> None:
        super().__init__()
        self._state = state
        self.targets = QtWidgets.QComboBox()
        self.targets.setFocusPolicy(Qt.NoFocus)
        self.targets.setToolTip(
            "What is taught; its columns are called so. Each target is a question of its own: "
            "a galaxy can be ringed and barred"
        )
        self.targets.activated.connect(self._on_target)
        self.undo = QtWidgets.QToolButton(text="↶", autoRaise=True)
        self.undo.setFocusPolicy(Qt.NoFocus)
        self.undo.clicked.connect(self.undone)
        self.more = QtWidgets.QToolButton(text="⋯", autoRaise=True, toolTip="Heads, columns, kind of labels")
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more.setFocusPolicy(Qt.NoFocus)
        self.more.setPopupMode(QtWidgets.QToolButton.InstantPopup)
        self.menu = QtWidgets.QMenu(self)
        self._add_kinds()
        self.more.setMenu(self.menu)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QtWidgets.QLabel("Teach"))
        row.addWidget(self.targets, 1)
        row.addWidget(self.undo)
        row.addWidget(self.more)

    def add_actions(self, *actions: tuple[str, Callable[[], object]] | None) -> None:
        """Add entries to the menu; None for a separator."""
        for action in actions:
            if action is None:
                self.menu.addSeparator()
            else:
                self.menu.addAction(*action)

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        if [self.targets.itemData(k) for k in range(self.targets.count())] != [*state.targets, None]:
            self.targets.clear()
            for target in state.targets:
                self.targets.addItem(target, target)
            self.targets.insertSeparator(self.targets.count())
            self.targets.addItem("Something else…", None)
        self.targets.setCurrentIndex(self.targets.findData(state.target))
        self.kinds[state.kind].setChecked(True)
        self.undo.setEnabled(state.can_undo)
        self.undo.setToolTip(f"Undo: {state.undo_text}" if state.can_undo else "Nothing to undo")

    def _add_kinds(self) -> None:
        kinds = self.menu.addMenu("Labels are")
        group = (QtGui.QActionGroup if hasattr(QtGui, "QActionGroup") else QtWidgets.QActionGroup)(self.menu)
        self.kinds = {}
        for kind, text in _KINDS:
            action = kinds.addAction(text)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, kind=kind: self._state.set_kind(kind))
            group.addAction(action)
            self.kinds[kind] = action

    def _on_target(self, place: int) -> None:
        target = self.targets.itemData(place)
        if target != self._state.target:
            self.target_wanted.emit(target)
