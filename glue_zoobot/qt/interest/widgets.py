"""Small widgets of the *Interest* panel: the large picture, the rating keys, the round, the yield curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet, title

if TYPE_CHECKING:
    from glue_zoobot.qt.gallery.thumbnails import Thumbnail

__all__ = ["COLOURS", "MEANINGS", "BigPicture", "RatingKeys", "RoundDots", "YieldCurve", "title"]

MEANINGS = ("dull", "ordinary", "so-so", "interesting", "striking", "wonderful")
#: Cool for what is dull, warm from 3 on: what counts as interesting.
COLOURS = ("#66707d", "#7b8796", "#93a0ae", "#d8a824", "#e5812b", "#d6452c")
_DARK = "#15171a"


class BigPicture(QtWidgets.QWidget):
    """One galaxy as large as there is room, square, with a word in its corner."""

    resized = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(180, 180)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Expanding)
        self.setFocusPolicy(Qt.StrongFocus)
        self._thumbnail: Thumbnail | None = None
        self._waiting, self.corner = "", ""
        self._row: int | None = None
        self.row_seen: int | None = None
        """The row that is on the screen, painted; a key pressed before that is meant for the one before."""

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(320, 320)

    @property
    def edge(self) -> int:
        """Width and height of the picture in screen pixels."""
        return max(32, min(self.width(), self.height()))

    @property
    def has_picture(self) -> bool:
        """Whether a galaxy is on the screen now."""
        return self._thumbnail is not None and self._thumbnail.pixmap is not None

    def show_picture(
        self, row: int | None, thumbnail: Thumbnail | None, corner: str = "", waiting: str = ""
    ) -> None:
        """Show the picture of a row, or why there is none, or (without a row) what is being waited for."""
        self._row, self._thumbnail, self.corner, self._waiting = row, thumbnail, corner, waiting
        self.update()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHints(QtGui.QPainter.Antialiasing | QtGui.QPainter.SmoothPixmapTransform)
        frame = QtCore.QRectF(0, 0, self.edge, self.edge)
        frame.moveCenter(QtCore.QRectF(self.rect()).center())
        outline = QtGui.QPainterPath()
        outline.addRoundedRect(frame, 6, 6)
        painter.setClipPath(outline)
        painter.fillPath(outline, QtGui.QColor(_DARK))
        if self.has_picture:
            pixmap = self._thumbnail.pixmap
            size = QtCore.QSizeF(pixmap.size()).scaled(frame.size(), Qt.KeepAspectRatio)
            place = QtCore.QRectF(QtCore.QPointF(), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, pixmap, QtCore.QRectF(pixmap.rect()))
        else:
            self._paint_text(painter, frame)
        self._paint_corner(painter, frame)
        self.row_seen = self._row

    def _paint_text(self, painter: QtGui.QPainter, frame: QtCore.QRectF) -> None:
        text = self._waiting if self._thumbnail is None else f"No picture:\n{self._thumbnail.reason}"
        painter.setPen(QtGui.QColor("#9aa0a6"))
        painter.drawText(frame.adjusted(12, 12, -12, -12), Qt.AlignCenter | Qt.TextWordWrap, text)

    def _paint_corner(self, painter: QtGui.QPainter, frame: QtCore.QRectF) -> None:
        if not self.corner:
            return
        width = painter.fontMetrics().horizontalAdvance(self.corner) + 14
        chip = QtCore.QRectF(frame.left() + 8, frame.top() + 8, width, painter.fontMetrics().height() + 6)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QtGui.QColor(0, 0, 0, 170))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(QtGui.QColor("#e8eaed"))
        painter.drawText(chip, Qt.AlignCenter, self.corner)


class RatingKeys(QtWidgets.QWidget):
    """Six keys, 0 to 5, that say what they mean."""

    rated = QtCore.Signal(int)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(1)
        self.keys: list[QtWidgets.QPushButton] = []
        self._release_timer = QtCore.QTimer(self, singleShot=True, interval=140)
        self._release_timer.timeout.connect(lambda: [key.setDown(False) for key in self.keys])
        for value, (word, colour) in enumerate(zip(MEANINGS, COLOURS, strict=True)):
            key = QtWidgets.QPushButton(str(value))
            key.setFocusPolicy(Qt.NoFocus)
            key.setToolTip(f"{value}: {word}" + (" (counts as interesting)" if value >= 3 else ""))
            key.setMinimumHeight(34)
            key.setStyleSheet(_key_style(colour))
            key.clicked.connect(lambda _=False, value=value: self.rated.emit(value))
            grid.addWidget(key, 0, value)
            grid.setColumnStretch(value, 1)
            self.keys.append(key)
            label = quiet(QtWidgets.QLabel(word, alignment=Qt.AlignHCenter), small=True)
            grid.addWidget(label, 1, value)

    def flash(self, value: int) -> None:
        """Let a key look pressed for a moment."""
        for key in self.keys:
            key.setDown(False)
        self.keys[value].setDown(True)
        self._release_timer.start()


def _key_style(colour: str) -> str:
    dark = QtGui.QColor(colour).darker(130).name()
    return (
        f"QPushButton {{ background: {colour}; color: white; border: none; border-radius: 5px;"
        " font-weight: bold; font-size: 15px; }"
        f"QPushButton:hover {{ background: {QtGui.QColor(colour).lighter(112).name()}; }}"
        f"QPushButton:pressed {{ background: {dark}; }}"
        "QPushButton:disabled { background: #c4c7cc; }"
    )


class RoundDots(QtWidgets.QWidget):
    """The ten galaxies of a round, coloured as they were rated."""

    def __init__(self, size: int, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = size
        self.values: tuple[int, ...] = ()
        self.setFixedSize(size * 13, 12)

    def show_values(self, values: Sequence[int]) -> None:
        """Ratings of the round so far."""
        self.values = tuple(values)
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        for place in range(self._size):
            known = place < len(self.values)
            painter.setBrush(QtGui.QColor(COLOURS[self.values[place]] if known else "#d3d6da"))
            painter.drawEllipse(QtCore.QRectF(13 * place + 1, 1, 10, 10))


class YieldCurve(QtWidgets.QWidget):
    """Interesting galaxies found against galaxies looked at, and what random order would give."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(84)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Expanding)
        self.found, self.share = np.zeros(1, dtype=np.int64), None

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(280, 110)

    def show_yield(self, found: np.ndarray, share: float | None) -> None:
        """
        Show a curve.

        Parameters
        ----------
        found : np.ndarray
            Shape (n + 1,): found after 0 to n galaxies.
        share : float or None
            Interesting among all galaxies, for the line of random order; None where it is not known.
        """
        self.found, self.share = found, share
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        font = QtGui.QFont(self.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() - 2))
        painter.setFont(font)
        n, most = max(10, len(self.found) - 1), max(5, int(self.found[-1]))
        left = painter.fontMetrics().horizontalAdvance(f"{most:,}") + 8
        plot = QtCore.QRectF(self.rect()).adjusted(left, 6, -8, -painter.fontMetrics().height() - 4)
        self._paint_axes(painter, plot, n, most)
        if self.share is not None:
            painter.setPen(QtGui.QPen(QtGui.QColor("#8a9099"), 1.4, Qt.DashLine))
            painter.drawLine(_place(plot, 0, 0, n, most), _place(plot, n, min(self.share * n, most), n, most))
        steps = np.arange(len(self.found))
        points = [_place(plot, x, y, n, most) for x, y in zip(steps, self.found, strict=True)]
        area = QtGui.QPolygonF([*points, _place(plot, steps[-1], 0, n, most)])
        painter.setPen(Qt.NoPen)
        painter.setBrush(QtGui.QColor(229, 129, 43, 50))
        painter.drawPolygon(area)
        painter.setPen(QtGui.QPen(QtGui.QColor(COLOURS[4]), 2))
        painter.setBrush(Qt.NoBrush)
        painter.drawPolyline(QtGui.QPolygonF(points))

    def _paint_axes(self, painter: QtGui.QPainter, plot: QtCore.QRectF, n: int, most: int) -> None:
        painter.setPen(QtGui.QColor("#c9ccd1"))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.drawLine(plot.bottomLeft(), plot.topLeft())
        painter.setPen(self.palette().color(QtGui.QPalette.Text))
        height = painter.fontMetrics().height()
        below = QtCore.QRectF(plot.left() - 20, plot.bottom() + 2, plot.width() + 26, height)
        painter.drawText(below, Qt.AlignRight, f"{n:,} looked at")
        if self.share is not None:
            painter.setPen(QtGui.QColor("#70767e"))
            painter.drawText(below, Qt.AlignHCenter, "- - at random")
            painter.setPen(self.palette().color(QtGui.QPalette.Text))
        painter.drawText(
            QtCore.QRectF(0, plot.top() - 4, plot.left() - 4, height), Qt.AlignRight, f"{most:,}"
        )
        painter.drawText(below.translated(16, 0), Qt.AlignLeft, "0")


def _place(plot: QtCore.QRectF, x: float, y: float, n: int, most: int) -> QtCore.QPointF:
    return QtCore.QPointF(plot.left() + plot.width() * x / n, plot.bottom() - plot.height() * y / most)
