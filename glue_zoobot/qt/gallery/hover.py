"""The picture under the mouse, large, with its values."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtWidgets import QFrame, QLabel, QVBoxLayout

from glue_zoobot.qt.gallery.thumbnails import Thumbnail, ThumbnailLoader

if TYPE_CHECKING:
    from qtpy.QtGui import QPixmap
    from qtpy.QtWidgets import QWidget

    from glue_zoobot.qt.gallery.grid import GridView
    from glue_zoobot.qt.gallery.state import GalleryViewerState

__all__ = ["EDGE", "LARGE_BYTES", "HoverPicture", "PicturePopup"]

DELAY = 450  # ms that the mouse must rest
EDGE = 360  # pixels of the window
NAME_STYLE = "color:#8f959b;padding-right:12px"
LARGE_BYTES = 16 * 2**20


class PicturePopup(QFrame):
    """A picture above a table of values; takes neither the mouse nor the keyboard."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.ToolTip)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WA_ShowWithoutActivating)
        self.setObjectName("hover")
        self.setStyleSheet("#hover{background:#1c1d1f;border:1px solid #5a6068} QLabel{color:#e2e4e6}")
        self.picture, self.values = QLabel(alignment=Qt.AlignCenter), QLabel()
        self.picture.setFixedSize(EDGE, EDGE)
        self.values.setMaximumWidth(EDGE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.picture)
        layout.addWidget(self.values)

    def set_values(self, pairs: list[tuple[str, str]]) -> None:
        rows = "".join(
            f"<tr><td style='{NAME_STYLE}'>{escape(label)}</td><td>{escape(value)}</td></tr>"
            for label, value in pairs
        )
        self.values.setText(f"<table>{rows}</table>")

    def set_picture(self, pixmap: QPixmap) -> None:
        """Show a picture as large as there is room."""
        edge = round(EDGE * pixmap.devicePixelRatio())
        self.picture.setPixmap(pixmap.scaled(edge, edge, Qt.KeepAspectRatio, Qt.SmoothTransformation))

    def set_text(self, text: str) -> None:
        """Say something in the place of a picture."""
        self.picture.setWordWrap(True)
        self.picture.setText(text)

    def move_beside(self, place: QPoint, distance: int) -> None:
        """Go to the right of a place on the screen and below it, or to the other side if there is no room."""
        screen = self.parentWidget().screen().availableGeometry()
        x, y = place.x() + distance, place.y() + distance
        if x + self.width() > screen.right():
            x = max(place.x() - distance - self.width(), screen.left())
        if y + self.height() > screen.bottom():
            y = max(screen.bottom() - self.height(), screen.top())
        self.move(x, y)


class HoverPicture(QObject):
    """
    Shows the enlarged picture while the mouse rests on one of a `GridView`.

    Parameters
    ----------
    view : GridView
        The grid.
    state : GalleryViewerState
        Gives the values, and whether to enlarge at all.
    """

    def __init__(self, view: GridView, state: GalleryViewerState) -> None:
        super().__init__(view)
        self._view, self._state = view, state
        self._row = -1
        self.popup = PicturePopup(view)
        self.large = ThumbnailLoader(self, max_bytes=LARGE_BYTES)
        self.large.arrived.connect(self._on_arrived)
        self._timer = QTimer(self, singleShot=True, interval=DELAY)
        self._timer.timeout.connect(self._show)
        view.viewport().installEventFilter(self)
        view.installEventFilter(self)
        view.verticalScrollBar().valueChanged.connect(self.hide)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.MouseMove and watched is self._view.viewport() and not event.buttons():
            self._on_move(event.position().toPoint())
        elif kind in (QEvent.Leave, QEvent.MouseButtonPress, QEvent.Wheel, QEvent.KeyPress, QEvent.Hide):
            self.hide()
        return False

    def _on_move(self, point: QPoint) -> None:
        position = self._view.model().position(self._view.indexAt(point))
        row = int(self._view.model().rows[position]) if position >= 0 else -1
        if row != self._row:
            self.hide()
            self._row = row
        if row >= 0 and self._state.enlarge and not self.popup.isVisible():
            self._timer.start()

    def hide(self, *args: object) -> None:
        """Show nothing until the mouse rests again."""
        self._timer.stop()
        self.popup.hide()
        self._row = -1

    def _show(self) -> None:
        small = self._view.thumbnail(self._row)
        if small is None or small.pixmap is None:  # a broken one has its tooltip
            return
        ratio = self._view.devicePixelRatioF()
        self.large.set_size(round(EDGE * ratio), ratio)
        self.large.want([self._row])
        self._set_picture(self.large.get(self._row) or small)
        self.popup.set_values(self._state.details(self._row))
        self.popup.adjustSize()
        self.popup.move(self._place())
        self.popup.show()

    def _set_picture(self, thumbnail: Thumbnail) -> None:
        if thumbnail.pixmap is not None:
            self.popup.set_picture(thumbnail.pixmap)

    def _on_arrived(self, row: int) -> None:
        if row == self._row and self.popup.isVisible():
            self._set_picture(self.large.get(row))

    def _place(self) -> QPoint:
        """Beside the picture, and on the screen."""
        cell = self._view.cell_rect(self._row)
        screen = self._view.screen().availableGeometry()
        size = self.popup.size()
        x = cell.right() + 4
        if x + size.width() > screen.right():
            x = max(cell.left() - size.width() - 4, screen.left())
        y = min(max(cell.top(), screen.top()), max(screen.bottom() - size.height(), screen.top()))
        return QPoint(x, y)

    def close(self) -> None:
        """Hide, and stop the threads."""
        self.hide()
        self.popup.close()
        self.large.close()
