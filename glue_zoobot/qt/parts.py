"""Small parts that panels are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from qtpy import QtWidgets

__all__ = ["choice", "long_list", "row", "tool"]

_VISIBLE = 20


def row(*widgets: QtWidgets.QWidget | None) -> QtWidgets.QHBoxLayout:
    """Lay widgets side by side; None is a space that takes what is left."""
    layout = QtWidgets.QHBoxLayout()
    layout.setSpacing(6)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget)
    return layout


def tool(text: str, tip: str, action: Callable[[], Any]) -> QtWidgets.QToolButton:
    """Make a small button without a frame."""
    button = QtWidgets.QToolButton(text=text, toolTip=tip, autoRaise=True)
    button.clicked.connect(lambda: action())
    return button


def long_list(box: QtWidgets.QComboBox) -> QtWidgets.QComboBox:
    """Let a box of many columns open a list with a scroll bar, and not one as high as the screen."""
    box.setStyleSheet("QComboBox { combobox-popup: 0; }")
    box.setMaxVisibleItems(_VISIBLE)
    return box


def choice(entries: Iterable[tuple[str, Any]], tip: str) -> QtWidgets.QComboBox:
    """Make a list to choose from; the second of each pair is its data."""
    box = QtWidgets.QComboBox(toolTip=tip)
    for text, value in entries:
        box.addItem(text, value)
    box.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
    return box
