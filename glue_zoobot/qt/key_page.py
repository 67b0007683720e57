"""A page around a card of one galaxy: keys that nothing in the page has use for are those of the card."""

from __future__ import annotations

from typing import Protocol

from qtpy import QtCore, QtGui, QtWidgets

__all__ = ["KeyPage"]


class _Card(Protocol):
    def wants(self, event: QtGui.QKeyEvent) -> bool: ...

    def press(self, event: QtGui.QKeyEvent) -> None: ...


class KeyPage(QtWidgets.QWidget):
    """
    Hands keys to a card.

    Parameters
    ----------
    card : widget
        With ``wants(event)`` and ``press(event)``.
    layout : QLayout
        Of the page; the card is somewhere in it.
    """

    def __init__(self, card: _Card, layout: QtWidgets.QLayout) -> None:
        super().__init__()
        self._card = card
        self.setLayout(layout)

    def event(self, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.ShortcutOverride and self._card.wants(event):
            event.accept()  # glue's own Ctrl+Z would undo something else
            return True
        return super().event(event)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if self._card.wants(event):
            self._card.press(event)
        else:
            super().keyPressEvent(event)
