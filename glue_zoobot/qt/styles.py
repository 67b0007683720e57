"""Colours and sizes that follow the theme and the font of the desktop, and stay where they are put."""

from __future__ import annotations

from typing import Any

from qtpy import QtGui, QtWidgets

__all__ = [
    "is_dark",
    "paint",
    "problem_text",
    "quiet",
    "quiet_colour",
    "quiet_label",
    "title",
    "warn",
    "warning_colour",
]

_QUIET = 0.68  # share of the text's colour; the rest is the window's
_SMALL = 0.88
_WARNING, _WARNING_ON_DARK = "#8a5a00", "#f0b54a"
_PROBLEM, _PROBLEM_ON_DARK = "#b02a1a", "#ff8a7a"


def quiet(label: Any, small: bool = False) -> Any:
    """Let a label stand back: less contrast, and perhaps smaller; returns it."""
    _colour(label, quiet_colour(label))
    if small:
        font = QtGui.QFont(label.font())
        font.setPointSizeF(_SMALL * font.pointSizeF())
        label.setFont(font)
    return label


def quiet_label() -> QtWidgets.QLabel:
    """Return a label for explanations."""
    return quiet(QtWidgets.QLabel(wordWrap=True), small=True)


def warn(label: Any, problem: bool = False) -> Any:
    """Let a label be seen: amber, or red for a problem; returns it."""
    _colour(label, warning_colour(label, problem))
    return label


def quiet_colour(widget: QtWidgets.QWidget, share: float = _QUIET) -> QtGui.QColor:
    """Return the colour of what stands back: so much of the text's, the rest of the window's."""
    palette = widget.palette()
    text, window = palette.color(QtGui.QPalette.WindowText), palette.color(QtGui.QPalette.Window)
    return _mixed(text, window, share)


def warning_colour(widget: QtWidgets.QWidget, problem: bool = False) -> QtGui.QColor:
    """Return amber, or red for a problem, that can be read on the window of the theme."""
    plain, on_dark = (_PROBLEM, _PROBLEM_ON_DARK) if problem else (_WARNING, _WARNING_ON_DARK)
    return QtGui.QColor(on_dark if is_dark(widget) else plain)


def problem_text(widget: QtWidgets.QWidget, problem: object) -> str:
    """Return rich text that is seen as a problem on the window of the theme."""
    return f"<span style='color:{warning_colour(widget, problem=True).name()}'>{problem}</span>"


def title(text: str) -> QtWidgets.QLabel:
    """Return a bold label."""
    label = QtWidgets.QLabel(text)
    font = QtGui.QFont(label.font())
    font.setBold(True)
    label.setFont(font)
    return label


def paint(widget: Any, declarations: str) -> Any:
    """
    Give one widget a style sheet that neither its children nor its tool tip inherit; returns it.

    Parameters
    ----------
    widget : QWidget
    declarations : str
        Such as ``background: #202020; border-radius: 3px;``
    """
    name = widget.objectName() or f"painted_{type(widget).__name__}"
    widget.setObjectName(name)
    widget.setStyleSheet(f"#{name} {{ {declarations} }}")
    return widget


def is_dark(widget: QtWidgets.QWidget) -> bool:
    """Tell whether the theme writes light on dark."""
    palette = widget.palette()
    window, text = palette.color(QtGui.QPalette.Window), palette.color(QtGui.QPalette.WindowText)
    return window.lightness() < text.lightness()


def _colour(label: QtWidgets.QLabel, colour: QtGui.QColor) -> None:
    palette = label.palette()
    palette.setColor(QtGui.QPalette.WindowText, colour)
    label.setPalette(palette)


def _mixed(one: QtGui.QColor, other: QtGui.QColor, share: float) -> QtGui.QColor:
    mixed = [
        round(share * a + (1 - share) * b) for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)
    ]
    return QtGui.QColor(*mixed)
