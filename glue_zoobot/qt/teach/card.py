"""One galaxy to label: its picture, a key for each class, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.galaxy_card import GalaxyCard
from glue_zoobot.qt.teach.classes import key_style

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["TeachCard"]

_MOST_KEYS = 10
_KEYS_A_LINE = 3
_MODES = (
    ("uncertain", "the undecided", "Close to a tie, or with a wide interval: the best lessons"),
    ("likely", "the likeliest", "Likely members of the class chosen under Result, or the highest values"),
    ("unlike", "the unlike", "Most unlike anything that is labelled"),
)
_WHY = {
    "spread": "spread over the catalogue",
    "uncertain": "undecided",
    "unlike": "unlike anything labelled",
    "mistake": "you and the head disagree",
    "conflict": "labelled differently",
    "again": "labelled before",
}


class TeachCard(GalaxyCard):
    """
    The galaxy of the moment, with a key for each class.

    What the head thinks of it is not shown, so that it does not lead the hand that labels.

    Parameters
    ----------
    state : Teaching

    Attributes
    ----------
    labelled : Signal(object)
        Name of a class, or a number.
    mode_wanted : Signal(str)
    """

    labelled = QtCore.Signal(object)
    mode_wanted = QtCore.Signal(str)

    def __init__(self, state: Teaching) -> None:
        super().__init__(state)
        self.busy = False
        self.keys: dict[str, QtWidgets.QPushButton] = {}
        self._flash = QtCore.QTimer(self, singleShot=True, interval=140)
        self._flash.timeout.connect(lambda: [key.setDown(False) for key in self.keys.values()])
        self._build()

    def _build(self) -> None:
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.name)
        layout.addWidget(self.facts)
        self._keys = QtWidgets.QGridLayout()
        self._keys.setSpacing(5)
        layout.addLayout(self._keys)
        self.value = QtWidgets.QLineEdit(placeholderText="Its value, then Enter")
        self.value.setValidator(QtGui.QDoubleValidator(self.value))
        self.value.returnPressed.connect(self._on_value)
        layout.addWidget(self.value)
        layout.addLayout(self._footer())

    def _footer(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(4)
        self.modes = QtWidgets.QComboBox()
        self.modes.setFocusPolicy(Qt.NoFocus)
        for mode, text, tip in _MODES:
            self.modes.addItem(text, mode)
            self.modes.setItemData(self.modes.count() - 1, tip, Qt.ToolTipRole)
        self.modes.setToolTip("What to label next")
        self.modes.activated.connect(lambda _: self.mode_wanted.emit(self.modes.currentData()))
        row.addWidget(QtWidgets.QLabel("Next:"))
        row.addWidget(self.modes)
        row.addStretch(1)
        row.addWidget(self.undo_button)
        row.addWidget(self.skip_button)
        return row

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        self._refresh_keys()
        self.modes.setCurrentIndex(self.modes.findData(state.mode))
        self.modes.setEnabled(state.head is not None)
        self.value.setVisible(state.is_number)
        self.value.setEnabled(state.current is not None)
        self.undo_button.setToolTip(
            f"Take back: {state.undo_text} (Ctrl+Z). Backspace takes the last label back, "
            "whatever was done since"
        )
        super().refresh()

    def _refresh_keys(self) -> None:
        classes = [one for one in self._state.classes if one.key is not None][:_MOST_KEYS]
        if [one.name for one in classes] != list(self.keys):
            for key in self.keys.values():
                self._keys.removeWidget(key)
                key.hide()
                key.deleteLater()
            self.keys = {one.name: self._make_key(one.name) for one in classes}
            for place, key in enumerate(self.keys.values()):
                self._keys.addWidget(key, place // _KEYS_A_LINE, place % _KEYS_A_LINE)
            for place in range(_KEYS_A_LINE):
                self._keys.setColumnStretch(place, int(place < len(classes)))
        present = self._state.labels.get(self._state.current)
        for one in classes:
            key = self.keys[one.name]
            width = max(30, self.width() // min(len(classes), _KEYS_A_LINE) - 34)
            key.setText(f"{one.key}  {key.fontMetrics().elidedText(one.name, Qt.ElideMiddle, width)}")
            mark = " border: 2px solid palette(window-text);" if one.name == present else ""
            key.setStyleSheet(key_style(one.colour).replace(" border: none;", mark or " border: none;"))
            key.setEnabled(self._state.current is not None)

    def _make_key(self, name: str) -> QtWidgets.QPushButton:
        key = QtWidgets.QPushButton()
        key.setMinimumHeight(30)
        key.setFocusPolicy(Qt.NoFocus)
        key.setToolTip(f"This galaxy is {name}")
        key.clicked.connect(lambda: self.labelled.emit(name))
        return key

    def flash(self, name: str) -> None:
        """Let a key look pressed for a moment."""
        if name in self.keys:
            self.keys[name].setDown(True)
            self._flash.start()

    def corner(self, row: int) -> str:
        state = self._state
        if row in state.labels:
            return f"you said {state.labels[row]}"
        return f"likely {state.wanted}" if state.why == "likely" else _WHY.get(state.why, "")

    def nothing(self) -> str:
        return "Choosing what to label next…" if self.busy else "Nothing waits for a label."

    def _on_value(self) -> None:
        number, fits = self.locale().toDouble(self.value.text())
        if fits and self._state.current is not None:
            self.value.clear()
            self.labelled.emit(number)
