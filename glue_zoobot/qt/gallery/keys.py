"""Keys that do something with galaxies, the same in the grid and in the detail view."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

__all__ = ["Action", "action_of"]


class Action(NamedTuple):
    """What a key asks for: ``similar``, ``example``, ``digit``, ``copy`` or ``filter``."""

    name: str
    value: int = 0  # the digit; for an example whether it is wanted (1) or unwanted (0)


def action_of(event: QKeyEvent) -> Action | None:
    """Return what a key asks for; None if it is not one of ours."""
    key, plain = event.key(), not event.modifiers() & ~Qt.KeypadModifier
    if event.matches(QKeySequence.Copy):
        return Action("copy")
    if event.matches(QKeySequence.Find):
        return Action("filter")
    if key in (Qt.Key_Plus, Qt.Key_Equal, Qt.Key_Minus):
        return Action("example", int(key != Qt.Key_Minus))
    if plain and key == Qt.Key_S:
        return Action("similar")
    if plain and Qt.Key_0 <= key <= Qt.Key_9:
        return Action("digit", key - Qt.Key_0)
    return None
