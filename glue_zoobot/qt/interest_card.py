"""One galaxy to rate: its picture, what is known of it, the keys, and the round it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core.component import CategoricalComponent
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.interest_ranking import ROUND
from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.interest_widgets import BigPicture, RatingKeys, RoundDots
from glue_zoobot.qt.styles import quiet, title

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

    from glue_zoobot.catalog.interest import Interest

__all__ = ["RatingCard"]

_PREFETCHED = 6
_FACTS = 4  # columns shown below the id
_MODE_STYLE = "QPushButton { padding: 3px 7px; } QPushButton:checked { background: #3d6fa8; color: white; }"
_MANY_ROWS = 100_000
_FEW = 30  # different words that a column may have to be worth showing
_MODES = (
    ("find", "Find", "Show what is likely to interest you"),
    ("teach", "Teach", "Show what is hard to tell: fewer finds, a better ranking"),
    ("check", "Check", "Show random picks, to learn how many interesting galaxies are left"),
)


class RatingCard(QtWidgets.QWidget):
    """
    The galaxy of the moment.

    Parameters
    ----------
    state : Interest

    Attributes
    ----------
    rated : Signal(int)
        The user has given 0 to 5.
    skipped, undone : Signal()
    mode_wanted : Signal(str)
    """

    rated = QtCore.Signal(int)
    skipped = QtCore.Signal()
    undone = QtCore.Signal()
    mode_wanted = QtCore.Signal(str)

    def __init__(self, state: Interest, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.thumbnails = ThumbnailLoader(self)
        self.thumbnails.arrived.connect(self._on_arrived)
        self.also_wanted: list[int] = []  # pictures shown elsewhere in the panel
        self._build()

    def _build(self) -> None:
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(self._header())
        self.picture = BigPicture()
        self.picture.resized.connect(self._on_resized)
        layout.addWidget(self.picture, 1)
        self.name = title("")
        self.name.setTextInteractionFlags(Qt.TextSelectableByMouse)
        # One line: the picture must not change its size from one to the next.
        self.facts = quiet(QtWidgets.QLabel(), small=True)
        self.facts.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        layout.addWidget(self.name)
        layout.addWidget(self.facts)
        self.keys = RatingKeys()
        self.keys.rated.connect(self.rated)
        layout.addWidget(self.keys)
        layout.addLayout(self._footer())

    def _header(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.round_text = QtWidgets.QLabel()
        self.dots = RoundDots(ROUND)
        row.addWidget(self.round_text)
        row.addStretch(1)
        row.addWidget(self.dots)
        return row

    def _footer(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(4)
        self.modes: dict[str, QtWidgets.QPushButton] = {}
        for mode, text, tip in _MODES:
            button = _button(text, tip)
            button.setCheckable(True)
            button.setStyleSheet(_MODE_STYLE)
            button.clicked.connect(lambda _=False, mode=mode: self.mode_wanted.emit(mode))
            self.modes[mode] = button
            row.addWidget(button)
        row.addStretch(1)
        self.undo_button = _button("↶ Undo", "Take the last rating back (Backspace, Ctrl+Z)")
        self.undo_button.clicked.connect(self.undone)
        self.skip_button = _button("Skip", "Show another; this one is not asked again (Space)")
        self.skip_button.clicked.connect(self.skipped)
        row.addWidget(self.undo_button)
        row.addWidget(self.skip_button)
        return row

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import images_of, object_ids_of

        state, data, row = self._state, self._state.data, self._state.current
        self.thumbnails.set_source(None if data is None else images_of(data))
        self._refresh_round()
        for mode, button in self.modes.items():
            button.setChecked(mode == state.mode)
        self.modes["check"].setEnabled(state.can_check)
        self.keys.setEnabled(row is not None)
        self.skip_button.setEnabled(row is not None)
        self.undo_button.setEnabled(state.can_undo)
        self.name.setText("" if row is None else str(object_ids_of(data)[row]))
        facts = "" if row is None else "  ·  ".join(facts_of(data, row))
        self.facts.setText(self.facts.fontMetrics().elidedText(facts, Qt.ElideRight, self.width()))
        self.facts.setToolTip(facts)
        self.load()
        self._show_picture()

    def _refresh_round(self) -> None:
        state = self._state
        if state.mode == "check":
            self.round_text.setText(f"Random picks: {state.picks_left} to go")
        else:
            self.round_text.setText(f"Round {state.round}")
        in_round = len(state.ratings) % ROUND
        newest = [value for _, value in state.last_rated(in_round)]
        self.dots.show_values(newest[::-1])

    def load(self) -> None:
        """Read the pictures that come next now, so that no key press waits for one."""
        if self._state.current is None:
            return
        ratio = self.devicePixelRatioF()
        self.thumbnails.set_size(round(self.picture.edge * ratio), ratio)
        self.thumbnails.want([self._state.current, *self._state.next_rows[:_PREFETCHED], *self.also_wanted])

    def _show_picture(self) -> None:
        state, row = self._state, self._state.current
        if row is None:
            done = state.data is not None and not state.due
            self.picture.show_picture(None, None, waiting="Every galaxy is rated." if done else "Learning…")
            return
        corner = ""
        if state.why == "check":
            corner = "random pick"
        elif state.why in ("again", "chosen") and row in state.ratings:
            corner = f"you gave {state.ratings[row]}"
        thumbnail = self.thumbnails.get(row)
        if thumbnail is not None or not self._has_images():
            self.picture.show_picture(row, thumbnail, corner, "This catalogue has no images.")
        else:
            self.picture.show_picture(None, None, corner, "Reading the picture…")

    def _has_images(self) -> bool:
        from glue_zoobot.catalog import images_of

        return images_of(self._state.data) is not None

    def _on_arrived(self, row: int) -> None:
        if row == self._state.current:
            self._show_picture()

    def _on_resized(self) -> None:
        self.load()

    @property
    def is_seen(self) -> bool:
        """Whether the current galaxy is on the screen, so that a key is meant for it."""
        return self._state.current is not None and self.picture.row_seen == self._state.current

    # -- keys ------------------------------------------------------------------------------------------

    def wants(self, event: QtGui.QKeyEvent) -> bool:
        """Tell whether a key is one of ours."""
        plain = not event.modifiers() & ~Qt.KeypadModifier
        undo = event.matches(QtGui.QKeySequence.Undo)
        keys = (Qt.Key_Space, Qt.Key_Backspace)
        return undo or (plain and (event.key() in keys or event.text() in tuple("012345")))

    def press(self, event: QtGui.QKeyEvent) -> None:
        """Do what a key asks for; holding it down does it once."""
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key_Space:
            self.skipped.emit()
        elif event.text() in tuple("012345") and not event.modifiers() & ~Qt.KeypadModifier:
            self.rated.emit(int(event.text()))
        else:
            self.undone.emit()

    def close_down(self) -> None:
        """Stop reading pictures."""
        self.thumbnails.close()


def facts_of(data: Data, row: int) -> list[str]:
    """A few columns of a galaxy as text, where it has a value; neither positions nor what we computed."""
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
    if isinstance(component, CategoricalComponent):
        # Counting the different words of a long column takes a second.
        few = data.size <= _MANY_ROWS and len(component.categories) <= min(_FEW, data.size // 2)
        return str(component.labels[row]) if few else ""
    value = np.asarray(component.data)[row]
    if value.dtype.kind == "f":
        return f"{value:.4g}" if np.isfinite(value) else ""
    is_id = value.dtype.kind in "iu" and abs(int(value)) > 10**9
    return "" if is_id else str(value)


def _button(text: str, tip: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.NoFocus)
    button.setStyleSheet("QPushButton { padding: 3px 7px; }")
    return button
