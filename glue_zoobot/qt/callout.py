"""A note that points at a widget of the window, and a frame around that; nothing else is blocked."""

from __future__ import annotations

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.compat import isalive
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import paint, quiet, title

__all__ = ["Callout"]

_WIDTH = 50  # letters of the font
_GAP = 12
_MARGIN = 8
_ACCENT = "#2a76c6"
_FOLLOW_MS = 150


class Callout(QtWidgets.QFrame):
    """
    A title, a text and the buttons Back, Next and Skip, over a main window.

    Parameters
    ----------
    window : QMainWindow
        Owner; the note goes with it.

    Attributes
    ----------
    stepped : Signal(int)
        1 for Next, -1 for Back.
    skipped : Signal()
        The user has seen enough: Skip, or Escape while the note has the keyboard.
    """

    stepped = QtCore.Signal(int)
    skipped = QtCore.Signal()

    def __init__(self, window: QtWidgets.QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName("zoobot_callout")
        self._window = window
        self._target: QtWidgets.QWidget | None = None
        self._frame = _Frame(window)
        self._build()
        self._follow = QtCore.QTimer(self, interval=_FOLLOW_MS)  # the target may be moved, resized or closed
        self._follow.timeout.connect(self.place)
        self._follow.start()

    def _build(self) -> None:
        self.setFocusPolicy(Qt.StrongFocus)
        paint(self, f"background: palette(base); border: 2px solid {_ACCENT}; border-radius: 8px;")
        shadow = QtWidgets.QGraphicsDropShadowEffect(self, blurRadius=24)
        shadow.setOffset(0, 3)
        self.setGraphicsEffect(shadow)
        self.heading = title("")
        self.heading.setWordWrap(True)
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.progress = quiet(QtWidgets.QLabel(), small=True)
        self.skip_button = QtWidgets.QPushButton("&Skip", flat=True)
        self.back_button = QtWidgets.QPushButton("&Back")
        self.next_button = QtWidgets.QPushButton("&Next", default=True)
        self.skip_button.clicked.connect(self.skipped)
        self.back_button.clicked.connect(lambda: self.stepped.emit(-1))
        self.next_button.clicked.connect(lambda: self.stepped.emit(1))
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self.progress)
        buttons.addStretch(1)
        for button in (self.skip_button, self.back_button, self.next_button):
            button.setAutoDefault(True)  # Enter presses the one with the keyboard
            buttons.addWidget(button)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self.heading)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("n" * _WIDTH))

    def show_note(
        self,
        heading: str,
        text: str,
        target: QtWidgets.QWidget | None,
        place: int,
        of: int,
        ready: bool = True,
    ) -> None:
        """
        Show a note.

        Parameters
        ----------
        heading, text : str
        target : QWidget, optional
            What to point at; None for nothing.
        place, of : int
            Which note this is, from 0, and of how many.
        ready : bool
            Whether one can go on.
        """
        self.heading.setText(heading)
        self.text.setText(text)
        self._point_at(target)
        self.progress.setText(f"{place + 1} of {of}")
        last = place == of - 1
        self.next_button.setText("&Done" if last else "&Next")
        self.back_button.setEnabled(place > 0)
        for widget in (self.progress, self.back_button, self.next_button):
            widget.setVisible(ready)
        self.skip_button.setVisible(not last)
        self.show()
        self.place()
        self.raise_()
        (self.next_button if ready else self).setFocus()  # so that Enter never skips unasked

    def _point_at(self, target: QtWidgets.QWidget | None) -> None:
        for widget, follow in ((self._target, False), (target, True)):
            if isinstance(widget, QtWidgets.QDockWidget) and isalive(widget):
                (widget.installEventFilter if follow else widget.removeEventFilter)(self)
        self._target = target

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Let Enter go on from a panel that has taken the keyboard, unless something there has use for it."""
        if watched is self._target and event.type() == QtCore.QEvent.KeyPress:
            typing = QtWidgets.QApplication.focusWidget()
            writes = typing is not None and typing.testAttribute(Qt.WA_InputMethodEnabled)
            if event.key() in (Qt.Key_Return, Qt.Key_Enter) and not writes:
                self.next_button.click()
                return True
        return super().eventFilter(watched, event)

    def place(self) -> None:
        """Stand beside what is pointed at, in the window, wherever that is now."""
        self.setFixedHeight(self.layout().totalHeightForWidth(self.width()))
        window = self._window.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        around = self._rect_of_target()
        self._frame.show_around(around)
        corner = _beside(around, self.size(), window) if around is not None else None
        if corner is None:
            corner = window.center() - self.rect().center()
        if self.pos() != corner:
            self.move(corner)
        self._stay_on_top()

    def _stay_on_top(self) -> None:
        """Stand above panels that were raised meanwhile; who is topmost comes last among the children."""
        inside = [child for child in self._window.children() if isinstance(child, QtWidgets.QWidget)]
        if [child for child in inside if not child.isWindow()][-1] is not self:
            self._frame.raise_()
            self.raise_()

    def end(self) -> None:
        """Leave nothing behind."""
        self._follow.stop()
        self._frame.deleteLater()
        self.hide()
        self.deleteLater()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.skipped.emit()
        elif event.key() in (Qt.Key_Left, Qt.Key_Right):
            step = 1 if event.key() == Qt.Key_Right else -1
            button = self.next_button if step > 0 else self.back_button
            if button.isVisible() and button.isEnabled():
                self.stepped.emit(step)
        else:
            super().keyPressEvent(event)

    def _rect_of_target(self) -> QtCore.QRect | None:
        """Where the target is in the window; None if it was closed or is hidden."""
        target = self._target
        if target is None or not isalive(target) or not QtWidgets.QWidget.isVisible(target):
            return None
        corner = self._window.mapFromGlobal(target.mapToGlobal(QtCore.QPoint(0, 0)))
        found = QtCore.QRect(corner, target.size()).intersected(self._window.rect())
        return None if found.isEmpty() else found


class _Frame(QtWidgets.QWidget):
    """A frame around the target, through which every click goes."""

    def __init__(self, window: QtWidgets.QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.hide()

    def show_around(self, rect: QtCore.QRect | None) -> None:
        """Move around a rectangle of the window; None for nowhere."""
        self.setVisible(rect is not None)
        if rect is not None and self.geometry() != rect.adjusted(-4, -4, 4, 4):
            self.setGeometry(rect.adjusted(-4, -4, 4, 4))
            inside = self.rect().adjusted(4, 4, -4, -4)
            self.setMask(QtGui.QRegion(self.rect()) - QtGui.QRegion(inside))  # the inside stays untouched
            self.raise_()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(_ACCENT))


def _beside(target: QtCore.QRect, size: QtCore.QSize, window: QtCore.QRect) -> QtCore.QPoint:
    """Return the corner of a note beside a target, or over its corner where there is no room beside it."""
    width, height = size.width(), size.height()
    middle = target.center() - QtCore.QPoint(width // 2, height // 2)
    places = (
        QtCore.QPoint(target.left() - _GAP - width, middle.y()),
        QtCore.QPoint(target.right() + _GAP, middle.y()),
        QtCore.QPoint(middle.x(), target.bottom() + _GAP),
        QtCore.QPoint(middle.x(), target.top() - _GAP - height),
    )
    for corner in places:
        kept = _within(QtCore.QRect(corner, size), window)
        if not kept.intersects(target):
            return kept.topLeft()
    low = QtCore.QPoint(target.right() - width - _GAP, target.bottom() - height - _GAP)
    return _within(QtCore.QRect(low, size), window).topLeft()


def _within(rect: QtCore.QRect, window: QtCore.QRect) -> QtCore.QRect:
    """Move a rectangle into the window."""
    moved = QtCore.QRect(rect)
    moved.moveLeft(max(window.left(), min(rect.left(), window.right() - rect.width())))
    moved.moveTop(max(window.top(), min(rect.top(), window.bottom() - rect.height())))
    return moved
