"""A few small pictures of galaxies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.row_mime import mime_of_rows
from glue_zoobot.qt.styles import paint
from glue_zoobot.qt.threads import Work, run_in_thread

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["ThumbnailStrip", "to_image"]


def to_image(pixels: np.ndarray, edge: int | None = None) -> QtGui.QImage:
    """Convert uint8 (H, W, 3) to an image that owns its pixels, at most `edge` wide and high."""
    rgb = np.ascontiguousarray(pixels)
    height, width, _ = rgb.shape
    image = QtGui.QImage(rgb.data, width, height, 3 * width, QtGui.QImage.Format_RGB888)
    if edge is None:
        return image.copy()
    return image.scaled(edge, edge, Qt.KeepAspectRatio, Qt.SmoothTransformation).copy()


class _Picture(QtWidgets.QLabel):
    """One picture that can be clicked and dragged."""

    clicked = QtCore.Signal()
    dragged = QtCore.Signal()

    def __init__(self, edge: int) -> None:
        super().__init__(alignment=Qt.AlignCenter)
        self.setFixedSize(edge, edge)
        self.setCursor(Qt.PointingHandCursor)
        paint(self, "background: #202020; color: #a0a0a0; border-radius: 3px; font-size: 9px;")
        self._pressed: QtCore.QPoint | None = None

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        self._pressed = event.pos() if event.button() == Qt.LeftButton else None

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        far = QtWidgets.QApplication.startDragDistance()
        if self._pressed is not None and (event.pos() - self._pressed).manhattanLength() >= far:
            self._pressed = None
            self.dragged.emit()

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        if self._pressed is not None and self.rect().contains(event.pos()):
            self.clicked.emit()
        self._pressed = None


class ThumbnailStrip(QtWidgets.QWidget):
    """
    Pictures of some rows of a catalogue in a small grid, read off the GUI thread.

    Parameters
    ----------
    edge : int
        Width and height of a picture in screen pixels.
    columns : int
        Pictures per line.
    limit : int
        The most pictures to show.

    Attributes
    ----------
    clicked : Signal(int)
        The row of a picture.
    """

    clicked = QtCore.Signal(int)

    def __init__(self, edge: int, columns: int, limit: int, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._edge, self._columns, self._limit = edge, columns, limit
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(columns, 1)
        self._grid.setRowStretch(limit // columns + 1, 1)
        self._work: Work | None = None
        self._shown: tuple[Any, tuple[int, ...]] = (None, ())
        self.labels: list[_Picture] = []

    def show_rows(self, data: Data | None, rows: Sequence[int], captions: Sequence[str]) -> None:
        """Show the pictures of `rows` (M,) with `captions` (M,) as tool tips."""
        from glue_zoobot.catalog import images_of

        wanted = tuple(int(row) for row in rows[: self._limit])
        self._set_labels(captions[: len(wanted)])
        if (data, wanted) == self._shown:
            return
        self._shown = (data, wanted)
        self._drop_work()
        images = images_of(data) if data is not None and wanted else None
        for label in self.labels:
            label.setPixmap(QtGui.QPixmap())
            label.setText("…" if images is not None else "no\npicture")
        if images is not None:
            edge = round(self._edge * self.devicePixelRatioF())
            self._work = run_in_thread(
                self, lambda: [_read(images, row, edge) for row in wanted], self._set_pictures
            )

    def _set_labels(self, captions: Sequence[str]) -> None:
        for label in self.labels[len(captions) :]:
            self._grid.removeWidget(label)
            label.deleteLater()
        del self.labels[len(captions) :]
        while len(self.labels) < len(captions):
            place = len(self.labels)
            label = _Picture(self._edge)
            label.clicked.connect(lambda place=place: self.clicked.emit(self._shown[1][place]))
            label.dragged.connect(lambda place=place: self._drag(place))
            self._grid.addWidget(label, place // self._columns, place % self._columns)
            self.labels.append(label)
        for label, caption in zip(self.labels, captions, strict=True):
            label.setToolTip(caption)

    def _set_pictures(self, pictures: list[QtGui.QImage | str]) -> None:
        for label, picture in zip(self.labels, pictures, strict=False):
            if isinstance(picture, str):
                label.setText("no\npicture")
                label.setToolTip(f"{label.toolTip()}\n{picture}")
            else:
                picture.setDevicePixelRatio(self.devicePixelRatioF())
                label.setPixmap(QtGui.QPixmap.fromImage(picture))

    def _drag(self, place: int) -> None:
        data, rows = self._shown
        drag = QtGui.QDrag(self)
        drag.setMimeData(mime_of_rows(data, [rows[place]]))
        pixmap = self.labels[place].pixmap()
        if pixmap is not None:
            drag.setPixmap(pixmap)
        drag.exec(Qt.CopyAction)

    def _drop_work(self) -> None:
        if self._work is not None:
            self._work.drop()
            self._work = None


def _read(images: Any, row: int, edge: int) -> QtGui.QImage | str:
    """Return the picture of a row, or the reason why there is none."""
    try:
        return to_image(images.read(row), edge)
    except ZoobotError as exc:
        return str(exc)
