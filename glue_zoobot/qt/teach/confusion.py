"""The confusion matrix as a grid of cells to click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet_colour

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching.review import Confusion

__all__ = ["ConfusionGrid"]

_LINE = 24
_HIGHEST = 90  # screen pixels of a name that is upright
_CORNER = "called →"
_RIGHT, _WRONG = QtGui.QColor("#2f7d5b"), QtGui.QColor("#c8442f")


class ConfusionGrid(QtWidgets.QWidget):
    """
    Labels against held-out predictions; a cell emits its classes when it is clicked.

    Attributes
    ----------
    cell_clicked : Signal(str, str)
        How its galaxies are labelled, and what they were called.
    """

    cell_clicked = QtCore.Signal(str, str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self.table: Confusion | None = None
        self.chosen: tuple[int, int] | None = None
        self._hover: tuple[int, int] | None = None

    def show_table(self, table: Confusion | None) -> None:
        """Show a matrix; None for none."""
        if table is None or self.table is None or table.names != self.table.names:
            self.chosen = None
        self.table = table
        self._fit()
        self.update()

    def _fit(self) -> None:
        """Take the height of all lines and of the names above them."""
        table = self.table
        self.setFixedHeight(0 if table is None else round(self._head() + _LINE * len(table.names)) + 4)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def cell_rect(self, i: int, j: int) -> QtCore.QRectF:
        """Where the cell of label `i` and prediction `j` is."""
        left, width = self._columns()
        return QtCore.QRectF(left + j * width, self._head() + _LINE * i, width, _LINE).adjusted(1, 1, -1, -1)

    def _columns(self) -> tuple[float, float]:
        """Left edge of the first cell, and the width of each."""
        widest = max(map(self.fontMetrics().horizontalAdvance, (*self.table.names, _CORNER)))
        left = min(widest + 12, 0.42 * self.width())
        return left, min((self.width() - left) / len(self.table.names), 92.0)

    def _head(self) -> float:
        """Height of the names above the columns, which are upright where they do not fit side by side."""
        widest = max(map(self.fontMetrics().horizontalAdvance, self.table.names))
        width = self._columns()[1]
        fit = widest <= width - 4 or width <= self.fontMetrics().ascent()
        return _LINE if fit else min(widest + 8, _HIGHEST)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        if self.table is None:
            return
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        self._paint_names(painter)
        counts = self.table.counts
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for i, j in np.ndindex(counts.shape):
            self._paint_cell(painter, i, j, int(counts[i, j]), float(share[i, j]))

    def _paint_cell(self, painter: QtGui.QPainter, i: int, j: int, count: int, share: float) -> None:
        rect = self.cell_rect(i, j)
        colour = QtGui.QColor(_RIGHT if i == j else _WRONG)
        colour.setAlphaF(0.08 + 0.85 * share if count else 0.04)
        painter.setBrush(colour)
        marked = (i, j) == self.chosen or ((i, j) == self._hover and count)
        painter.setPen(QtGui.QPen(self.palette().color(QtGui.QPalette.Text), 1.6) if marked else Qt.NoPen)
        painter.drawRoundedRect(rect, 3, 3)
        dark = self.palette().color(QtGui.QPalette.Text)
        painter.setPen(QtGui.QColor("white") if share > 0.55 else dark if count else quiet_colour(self, 0.4))
        if painter.fontMetrics().horizontalAdvance(f"{count:,}") <= rect.width():  # else its tip says it
            painter.drawText(rect, Qt.AlignCenter, f"{count:,}")

    def _paint_names(self, painter: QtGui.QPainter) -> None:
        painter.setPen(quiet_colour(self))
        (left, width), head = self._columns(), self._head()
        metrics = painter.fontMetrics()
        corner = QtCore.QRectF(0, head - _LINE, left - 6, _LINE)
        painter.drawText(corner, Qt.AlignVCenter | Qt.AlignRight, _CORNER)
        for k, name in enumerate(self.table.names):
            if width > metrics.ascent():  # else they were one on the other, and the lines have them, too
                self._paint_above(painter, QtCore.QRectF(left + k * width, 0, width, head), name)
            text = metrics.elidedText(name, Qt.ElideMiddle, round(left) - 8)
            place = QtCore.QRectF(0, head + _LINE * k, left - 6, _LINE)
            painter.drawText(place, Qt.AlignVCenter | Qt.AlignRight, text)

    def _paint_above(self, painter: QtGui.QPainter, place: QtCore.QRectF, name: str) -> None:
        if place.height() <= _LINE:
            painter.drawText(place, Qt.AlignCenter, name)
            return
        text = painter.fontMetrics().elidedText(name, Qt.ElideMiddle, round(place.height()) - 6)
        painter.save()
        painter.translate(place.left(), place.bottom())
        painter.rotate(-90)
        upright = QtCore.QRectF(4, 0, place.height() - 4, place.width())
        painter.drawText(upright, Qt.AlignLeft | Qt.AlignVCenter, text)
        painter.restore()

    def _cell_at(self, point: QtCore.QPoint) -> tuple[int, int] | None:
        if self.table is None:
            return None
        for i, j in np.ndindex(self.table.counts.shape):
            if self.cell_rect(i, j).contains(QtCore.QPointF(point)):
                return i, j
        return None

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        self._hover = self._cell_at(event.pos())
        self.setCursor(Qt.PointingHandCursor if self._hover else Qt.ArrowCursor)
        if self._hover is not None:
            i, j = self._hover
            labelled, said = self.table.names[i], self.table.names[j]
            self.setToolTip(
                f"{self.table.counts[i, j]:,} labelled {labelled}, called {said}: click to select them"
            )
        self.update()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        self._hover = None
        self.update()

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        cell = self._cell_at(event.pos())
        if cell is not None and self.table.counts[cell]:
            self.chosen = cell
            self.update()
            self.cell_clicked.emit(self.table.names[cell[0]], self.table.names[cell[1]])
