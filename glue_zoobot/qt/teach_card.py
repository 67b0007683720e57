"""One galaxy to label: its picture, a key for each class, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.interest_card import facts_of
from glue_zoobot.qt.interest_widgets import BigPicture
from glue_zoobot.qt.teach_classes import key_style

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["TeachCard"]

_PREFETCHED = 8
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


class TeachCard(QtWidgets.QWidget):
    """
    The galaxy of the moment.

    What the head thinks of it is not shown, so that it does not lead the hand that labels.

    Parameters
    ----------
    state : Teaching

    Attributes
    ----------
    labelled : Signal(object)
        Name of a class, or a number.
    digit : Signal(int)
        A digit key.
    skipped : Signal()
    undone : Signal(bool)
        Take back what was done last; or, if true, what was labelled last.
    mode_wanted : Signal(str)
    """

    labelled = QtCore.Signal(object)
    skipped = QtCore.Signal()
    undone = QtCore.Signal(bool)
    digit = QtCore.Signal(int)
    mode_wanted = QtCore.Signal(str)

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.busy = False
        self.keys: dict[str, QtWidgets.QPushButton] = {}
        self.thumbnails = ThumbnailLoader(self)
        self.thumbnails.arrived.connect(self._on_arrived)
        self._flash = QtCore.QTimer(self, singleShot=True, interval=140)
        self._flash.timeout.connect(lambda: [key.setDown(False) for key in self.keys.values()])
        self._build()

    def _build(self) -> None:
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(5)
        self.picture = BigPicture()
        self.picture.resized.connect(self._load)
        layout.addWidget(self.picture, 1)
        self.name = QtWidgets.QLabel(textInteractionFlags=Qt.TextSelectableByMouse)
        self.name.setStyleSheet("font-weight: bold;")
        self.facts = QtWidgets.QLabel()
        self.facts.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self.facts.setStyleSheet("color: #5f656d; font-size: 11px;")
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
        self.undo_button = _button("↶ Undo", "")
        self.undo_button.clicked.connect(lambda: self.undone.emit(False))
        self.skip_button = _button("Skip", "Show another; this one is not asked again (Space)")
        self.skip_button.clicked.connect(self.skipped)
        row.addWidget(QtWidgets.QLabel("Next:"))
        row.addWidget(self.modes)
        row.addStretch(1)
        row.addWidget(self.undo_button)
        row.addWidget(self.skip_button)
        return row

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import images_of, object_ids_of

        state, data, row = self._state, self._state.data, self._state.current
        self.thumbnails.set_source(None if data is None else images_of(data))
        self._refresh_keys()
        self.modes.setCurrentIndex(self.modes.findData(state.mode))
        self.modes.setEnabled(state.head is not None)
        self.value.setVisible(state.is_number)
        self.value.setEnabled(row is not None)
        self.skip_button.setEnabled(row is not None)
        self.undo_button.setEnabled(state.can_undo)
        self.undo_button.setToolTip(
            f"Take back: {state.undo_text} (Ctrl+Z). Backspace takes the last label back, "
            "whatever was done since"
        )
        self.name.setText("" if row is None else str(object_ids_of(data)[row]))
        facts = "" if row is None else "  ·  ".join(facts_of(data, row))
        self.facts.setText(self.facts.fontMetrics().elidedText(facts, Qt.ElideRight, self.width()))
        self.facts.setToolTip(facts)
        self._load()
        self._show_picture()

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
            mark = " border: 2px solid #202428;" if one.name == present else ""
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

    def _load(self) -> None:
        """Read the pictures that come next now, so that no key press waits for one."""
        if self._state.current is None:
            return
        ratio = self.devicePixelRatioF()
        self.thumbnails.set_size(round(self.picture.edge * ratio), ratio)
        self.thumbnails.want([self._state.current, *self._state.next_rows[:_PREFETCHED]])

    def _show_picture(self) -> None:
        from glue_zoobot.catalog import images_of

        state, row = self._state, self._state.current
        if row is None:
            waiting = "Choosing what to label next…" if self.busy else "Nothing waits for a label."
            self.picture.show_picture(None, None, waiting=waiting)
            return
        corner = f"likely {state.wanted}" if state.why == "likely" else _WHY.get(state.why, "")
        if row in state.labels:
            corner = f"you said {state.labels[row]}"
        thumbnail = self.thumbnails.get(row)
        if thumbnail is not None or images_of(state.data) is None:
            self.picture.show_picture(row, thumbnail, corner, "This catalogue has no images.")
        else:
            self.picture.show_picture(None, None, corner, "Reading the picture…")

    @property
    def is_seen(self) -> bool:
        """Whether the current galaxy is on the screen, so that a key is meant for it."""
        return self._state.current is not None and self.picture.row_seen == self._state.current

    def _on_arrived(self, row: int) -> None:
        if row == self._state.current:
            self._show_picture()

    def _on_value(self) -> None:
        number, fits = self.locale().toDouble(self.value.text())
        if fits and self._state.current is not None:
            self.value.clear()
            self.labelled.emit(number)

    # -- keys ------------------------------------------------------------------------------------------

    def wants(self, event: QtGui.QKeyEvent) -> bool:
        """Tell whether a key is one of ours."""
        if not self.isVisible():
            return False
        plain = not event.modifiers() & ~Qt.KeypadModifier
        keys = (Qt.Key_Space, Qt.Key_Backspace)
        undo = event.matches(QtGui.QKeySequence.Undo)
        return undo or (plain and (event.key() in keys or event.text() in tuple("0123456789")))

    def press(self, event: QtGui.QKeyEvent) -> None:
        """Do what a key asks for; holding it down does it once."""
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key_Space:
            self.skipped.emit()
        elif event.text() in tuple("0123456789") and not event.modifiers() & ~Qt.KeypadModifier:
            self.digit.emit(int(event.text()))
        else:
            self.undone.emit(event.key() == Qt.Key_Backspace)

    def close_down(self) -> None:
        """Stop reading pictures."""
        self.thumbnails.close()


def _button(text: str, tip: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.NoFocus)
    button.setStyleSheet("padding: 3px 7px;")
    return button
