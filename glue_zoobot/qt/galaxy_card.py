"""One galaxy after the other to judge: what the cards of the *Interest* and the *Teach* panel share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.component import CategoricalComponent
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.interest.widgets import BigPicture
from glue_zoobot.qt.styles import quiet, title

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["GalaxyCard", "small_button"]

_PREFETCHED = 8
_FACTS = 4  # columns shown below the id


class GalaxyCard(QtWidgets.QWidget):
    """
    The galaxy of the moment: its picture, what is known of it, and the keys.

    A subclass lays the parts out, and says what stands in the corner of the picture or in its place.

    Parameters
    ----------
    state : Interest or Teaching
        With ``data``, ``current``, ``next_rows`` and ``can_undo``.

    Attributes
    ----------
    digit : Signal(int)
        One of `digits` was pressed.
    skipped : Signal()
    undone : Signal(bool)
        Take back what was done last; or, if true, what was judged last.
    """

    digit = QtCore.Signal(int)
    skipped = QtCore.Signal()
    undone = QtCore.Signal(bool)
    digits = "0123456789"

    def __init__(self, state: Any) -> None:
        super().__init__()
        self._state = state
        self.also_wanted: list[int] = []  # pictures shown elsewhere in the panel
        self.thumbnails = ThumbnailLoader(self)
        self.thumbnails.arrived.connect(self._on_arrived)
        self.picture = BigPicture()
        self.picture.resized.connect(self.load)
        self.name = title("")
        self.name.setTextInteractionFlags(Qt.TextSelectableByMouse)
        # One line: the picture must not change its size from one to the next.
        self.facts = quiet(QtWidgets.QLabel(), small=True)
        self.facts.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self.undo_button = small_button("↶ Undo", "Take the last one back (Backspace, Ctrl+Z)")
        self.undo_button.clicked.connect(lambda: self.undone.emit(False))
        self.skip_button = small_button("Skip", "Show another; this one is not asked again (Space)")
        self.skip_button.clicked.connect(self.skipped)

    # -- of a subclass ---------------------------------------------------------------------------------

    def corner(self, row: int) -> str:
        """Return what stands in the corner of a picture."""
        raise NotImplementedError

    def nothing(self) -> str:
        """Return what stands in the place of a picture, if there is no galaxy to judge."""
        raise NotImplementedError

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import images_of, object_ids_of

        state, data, row = self._state, self._state.data, self._state.current
        self.thumbnails.set_source(None if data is None else images_of(data))
        self.skip_button.setEnabled(row is not None)
        self.undo_button.setEnabled(state.can_undo)
        self.name.setText("" if row is None else str(object_ids_of(data)[row]))
        facts = "" if row is None else "  ·  ".join(_facts_of(data, row))
        self.facts.setText(self.facts.fontMetrics().elidedText(facts, Qt.ElideRight, self.width()))
        self.facts.setToolTip(facts)
        self.load()
        self._show_picture()

    def load(self) -> None:
        """Read the pictures that come next now, so that no key press waits for one."""
        if self._state.current is None:
            return
        ratio = self.devicePixelRatioF()
        self.thumbnails.set_size(round(self.picture.edge * ratio), ratio)
        self.thumbnails.want([self._state.current, *self._state.next_rows[:_PREFETCHED], *self.also_wanted])

    def _show_picture(self) -> None:
        from glue_zoobot.catalog import images_of

        row = self._state.current
        if row is None:
            self.picture.show_picture(None, None, waiting=self.nothing())
            return
        thumbnail = self.thumbnails.get(row)
        if thumbnail is not None or images_of(self._state.data) is None:
            self.picture.show_picture(row, thumbnail, self.corner(row), "This catalogue has no images.")
        else:
            self.picture.show_picture(None, None, self.corner(row), "Reading the picture…")

    @property
    def is_seen(self) -> bool:
        """Whether the current galaxy is on the screen, so that a key is meant for it."""
        return self._state.current is not None and self.picture.row_seen == self._state.current

    def _on_arrived(self, row: int) -> None:
        if row == self._state.current:
            self._show_picture()

    # -- keys ------------------------------------------------------------------------------------------

    def wants(self, event: QtGui.QKeyEvent) -> bool:
        """Tell whether a key is one of ours."""
        ours = event.key() in (Qt.Key_Space, Qt.Key_Backspace) and not event.modifiers()
        undo = event.matches(QtGui.QKeySequence.Undo)
        return self.isVisible() and (ours or undo or self._digit_of(event) is not None)

    def press(self, event: QtGui.QKeyEvent) -> None:
        """Do what a key asks for; holding it down does it once."""
        digit = self._digit_of(event)
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key_Space:
            self.skipped.emit()
        elif digit is not None:
            self.digit.emit(digit)
        else:
            self.undone.emit(event.key() == Qt.Key_Backspace)

    def _digit_of(self, event: QtGui.QKeyEvent) -> int | None:
        plain = not event.modifiers() & ~Qt.KeypadModifier
        return int(event.text()) if plain and event.text() in tuple(self.digits) else None

    def close_down(self) -> None:
        """Stop reading pictures."""
        self.thumbnails.close()


def small_button(text: str, tip: str) -> QtWidgets.QPushButton:
    """Return a button below a picture, which leaves the keyboard to the picture."""
    button = QtWidgets.QPushButton(text, toolTip=tip)
    button.setFocusPolicy(Qt.NoFocus)
    button.setStyleSheet("QPushButton { padding: 3px 7px; }")
    return button


def _facts_of(data: Data, row: int) -> list[str]:
    """A few numbers of a galaxy as text, where it has them; neither positions nor what we computed."""
    known = {cid.uuid for cid in (*our_columns(data).values(), *(sky_columns(data) or ()))}
    shown = []
    for cid in data.main_components:
        if cid.uuid not in known and cid.label != "object_id":
            text = _value(data, cid, row)
            if text:
                shown.append(f"{cid.label} {text}")
        if len(shown) == _FACTS:
            break
    return shown


def _value(data: Data, cid: ComponentID, row: int) -> str:
    component = data.get_component(cid)
    if isinstance(component, CategoricalComponent):  # somebody's class of it would lead the hand
        return ""
    value = np.asarray(component.data)[row]
    if value.dtype.kind == "f":
        return f"{value:.4g}" if np.isfinite(value) else ""
    is_id = value.dtype.kind in "iu" and abs(int(value)) > 10**9
    return "" if is_id else str(value)
