"""One galaxy to rate: its picture, what is known of it, the keys, and the round it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets

from glue_zoobot.catalog.interest.ranking import ROUND
from glue_zoobot.qt.galaxy_card import GalaxyCard, small_button
from glue_zoobot.qt.interest.widgets import RatingKeys, RoundDots

if TYPE_CHECKING:
    from glue_zoobot.catalog.interest import Interest

__all__ = ["RatingCard"]

_MODE_STYLE = "QPushButton { padding: 3px 7px; } QPushButton:checked { background: #3d6fa8; color: white; }"
_MODES = (
    ("find", "Find", "Show what is likely to interest you"),
    ("teach", "Teach", "Show what is hard to tell: fewer finds, a better ranking"),
    ("check", "Check", "Show random picks, to learn how many interesting galaxies are left"),
)


class RatingCard(GalaxyCard):
    """
    The galaxy of the moment, with keys from dull to wonderful.

    Parameters
    ----------
    state : Interest

    Attributes
    ----------
    rated : Signal(int)
        The user has given 0 to 5.
    mode_wanted : Signal(str)
    """

    rated = QtCore.Signal(int)
    mode_wanted = QtCore.Signal(str)
    digits = "012345"

    def __init__(self, state: Interest) -> None:
        super().__init__(state)
        self.keys = RatingKeys()
        for signal in (self.keys.rated, self.digit):
            signal.connect(self.rated)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(self._header())
        layout.addWidget(self.picture, 1)
        for part in (self.name, self.facts, self.keys):
            layout.addWidget(part)
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
            button = small_button(text, tip)
            button.setCheckable(True)
            button.setStyleSheet(_MODE_STYLE)
            button.clicked.connect(lambda _=False, mode=mode: self.mode_wanted.emit(mode))
            self.modes[mode] = button
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.undo_button)
        row.addWidget(self.skip_button)
        return row

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        self._refresh_round()
        for mode, button in self.modes.items():
            button.setChecked(mode == state.mode)
        self.modes["check"].setEnabled(state.can_check)
        self.keys.setEnabled(state.current is not None)
        super().refresh()

    def _refresh_round(self) -> None:
        state = self._state
        if state.mode == "check":
            self.round_text.setText(f"Random picks: {state.picks_left} to go")
        else:
            self.round_text.setText(f"Round {state.round}")
        in_round = len(state.ratings) % ROUND
        newest = [value for _, value in state.last_rated(in_round)]
        self.dots.show_values(newest[::-1])

    def corner(self, row: int) -> str:
        state = self._state
        if state.why == "check":
            return "random pick"
        rated = state.why in ("again", "chosen") and row in state.ratings
        return f"you gave {state.ratings[row]}" if rated else ""

    def nothing(self) -> str:
        done = self._state.data is not None and not self._state.due
        return "Every galaxy is rated." if done else "Learning…"
