"""Small plots of the *Teach* panel, drawn by hand: they follow a slider without waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet_colour

if TYPE_CHECKING:
    from glue_zoobot.analysis.merit import Figure, Reliability
    from glue_zoobot.catalog.teaching.expected import Chances

__all__ = [
    "COMPLETENESS",
    "PURITY",
    "CurvePlot",
    "ReliabilityPlot",
    "SmallPlot",
    "ThresholdPlot",
    "TruthPlot",
]

PURITY, COMPLETENESS = "#8f63d6", "#878d96"  # of no class; seen on light and on dark
_INK = "#3d6fa8"
_FRAME = 0.22  # share of the text's colour; the rest is the window's
_STEPS = 101
_SMALL = 0.3


class SmallPlot(QtWidgets.QWidget):
    """
    Axes of a small plot: a frame, numbers at their ends, a name below and beside.

    Attributes
    ----------
    x_range, y_range : tuple of float
    """

    x_name = y_name = ""
    height = 128

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(self.height)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Minimum)  # as its neighbour
        self.x_range, self.y_range = (0.0, 1.0), (0.0, 1.0)
        self.empty = "train first"

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(150, self.height)

    @property
    def has_points(self) -> bool:
        """Whether there is anything to draw."""
        return False

    def plot_area(self) -> QtCore.QRectF:
        """Inside of the frame."""
        line = self.fontMetrics().height()
        return QtCore.QRectF(self.rect()).adjusted(30, 5, -8, -line - 3)

    def place(self, x: float, y: float) -> QtCore.QPointF:
        """Return where a point is on the screen."""
        area, (x0, x1), (y0, y1) = self.plot_area(), self.x_range, self.y_range
        across, up = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        return QtCore.QPointF(area.left() + area.width() * across, area.bottom() - area.height() * up)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        font = QtGui.QFont(self.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() - 2))
        painter.setFont(font)
        area = self.plot_area()
        painter.setPen(quiet_colour(self, _FRAME))
        painter.drawRect(area)
        self._paint_names(painter, area)
        if self.has_points:
            painter.setClipRect(area.adjusted(-4, -4, 4, 4))
            self.paint_points(painter)
        else:
            painter.setPen(quiet_colour(self))
            painter.drawText(area, Qt.AlignCenter | Qt.TextWordWrap, self.empty)

    def paint_points(self, painter: QtGui.QPainter) -> None:
        """Draw what there is; of a subclass."""

    def _paint_names(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        line = painter.fontMetrics().height()
        painter.setPen(quiet_colour(self))
        below = QtCore.QRectF(area.left() - 12, area.bottom() + 1, area.width() + 20, line)
        if self.has_points:
            painter.drawText(below.translated(6, 0), Qt.AlignLeft, _number(self.x_range[0]))
            painter.drawText(below, Qt.AlignRight, _number(self.x_range[1]))
            left = QtCore.QRectF(0, area.top() - 3, area.left() - 3, line)
            painter.drawText(left, Qt.AlignRight, _number(self.y_range[1]))
            left.moveBottom(area.bottom() + 3)
            painter.drawText(left, Qt.AlignRight, _number(self.y_range[0]))
        painter.drawText(below, Qt.AlignHCenter, self.x_name)
        painter.save()
        painter.translate(area.left() - 8, area.center().y())
        painter.rotate(-90)
        painter.drawText(QtCore.QRectF(-60, -line, 120, line), Qt.AlignCenter, self.y_name)
        painter.restore()

    def paint_diagonal(self, painter: QtGui.QPainter) -> None:
        """Draw where both axes agree."""
        low, high = max(self.x_range[0], self.y_range[0]), min(self.x_range[1], self.y_range[1])
        painter.setPen(QtGui.QPen(quiet_colour(self, _FRAME), 1, Qt.DashLine))
        painter.drawLine(self.place(low, low), self.place(high, high))

    def paint_bar(self, painter: QtGui.QPainter, x: float, y: float, low: float, high: float) -> None:
        """Draw a point with its interval."""
        painter.setPen(QtGui.QPen(QtGui.QColor(_INK), 1.2))
        painter.drawLine(self.place(x, low), self.place(x, high))
        painter.setPen(Qt.NoPen)
        painter.setBrush(QtGui.QColor(_INK))
        painter.drawEllipse(self.place(x, y), 3, 3)


class ReliabilityPlot(SmallPlot):
    """How often stated probabilities came true, with 95 % intervals."""

    x_name, y_name = "stated", "came true"

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: Reliability | None = None
        self.setToolTip("Held out: how often the predicted class was right, against its stated probability")

    def show_reliability(self, found: Reliability | None) -> None:
        """Show it; None for none."""
        self.found = found
        if self.has_points:
            low = min(float(found.stated.min()), float(found.low.min()))
            self.x_range = self.y_range = (max(0.0, np.floor(low * 10 - 0.01) / 10), 1.0)
        self.update()

    @property
    def has_points(self) -> bool:
        return self.found is not None and len(self.found.counts) > 0

    def paint_points(self, painter: QtGui.QPainter) -> None:
        self.paint_diagonal(painter)
        found = self.found
        for point in zip(found.stated, found.observed, found.low, found.high, strict=True):
            self.paint_bar(painter, *map(float, point))


class CurvePlot(SmallPlot):
    """The first figure of merit by number of labels, as it grows."""

    x_name = "labels"

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: Sequence[tuple[int, Figure]] = ()
        self.setToolTip("How good the head was after each training, with 95 % intervals")

    def show_curve(self, points: Sequence[tuple[int, Figure]]) -> None:
        """Show figures by number of labels."""
        self.points = list(points)
        if self.points:
            self.y_name = self.points[0][1].name
            counts = [n for n, _ in self.points]
            lows = [figure.low for _, figure in self.points if np.isfinite(figure.low)]
            apart = len(counts) > 1 and min(counts) > 0.5 * max(counts)
            start = 0.9 * min(counts) if apart else 0.0
            self.x_range = (start, start + (max(counts) - start) * 1.08)
            self.y_range = (max(0.0, np.floor(min([0.5, *lows]) * 10) / 10), 1.0)
            highest = max(np.nanmax([figure.high, figure.value]) for _, figure in self.points)
            if highest < _SMALL:  # a scatter, not a share
                self.y_range = (0.0, float(f"{1.2 * highest:.1g}") or 1.0)
        self.update()

    @property
    def has_points(self) -> bool:
        return bool(self.points)

    def paint_points(self, painter: QtGui.QPainter) -> None:
        painter.setPen(QtGui.QPen(QtGui.QColor(_INK), 1.2))
        painter.drawPolyline(QtGui.QPolygonF([self.place(n, figure.value) for n, figure in self.points]))
        for n, figure in self.points:
            self.paint_bar(painter, n, figure.value, figure.low, figure.high)


class TruthPlot(SmallPlot):
    """Held-out predictions of a number against its values."""

    x_name, y_name = "value", "predicted"
    height = 170

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.values = self.predicted = np.empty(0)
        self.setToolTip("Each labelled galaxy, predicted by a model that was not shown it")

    def show_pairs(self, values: np.ndarray, predicted: np.ndarray) -> None:
        """Show (n,) against (n,)."""
        self.values, self.predicted = values, predicted
        if len(values):
            both = np.concatenate([values, predicted])
            low, high = np.percentile(both, [0.5, 99.5])
            margin = 0.04 * (high - low) or 1.0
            self.x_range = self.y_range = (float(low - margin), float(high + margin))
        self.update()

    @property
    def has_points(self) -> bool:
        return len(self.values) > 0

    @property
    def n_outside(self) -> int:
        """How many galaxies the frame leaves out, so that the others are seen apart."""
        low, high = self.x_range
        inside = [(low <= numbers) & (numbers <= high) for numbers in (self.values, self.predicted)]
        return int(len(self.values) - np.logical_and(*inside).sum())

    def paint_points(self, painter: QtGui.QPainter) -> None:
        self.paint_diagonal(painter)
        ink = QtGui.QColor(_INK)
        ink.setAlphaF(0.5 if len(self.values) < 500 else 0.2)
        painter.setPen(Qt.NoPen)
        painter.setBrush(ink)
        for x, y in zip(self.values[:5000], self.predicted[:5000], strict=True):
            painter.drawEllipse(self.place(x, y), 2, 2)


class ThresholdPlot(SmallPlot):
    """
    Expected purity and completeness by threshold; press or drag to choose one.

    Attributes
    ----------
    chosen : Signal(float)
    """

    chosen = QtCore.Signal(float)
    x_name = "threshold"
    height = 92

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._of: Chances | None = None
        self.lines: list[np.ndarray] = []
        self.threshold = 0.8
        self.setCursor(Qt.SplitHCursor)
        self.setToolTip("Expected purity (violet) and completeness (grey) by threshold: drag to choose")

    def show_chances(self, chances: Chances | None, threshold: float) -> None:
        """Show what is expected at each threshold, and where it is now."""
        if chances is not self._of:
            self._of = chances
            steps = np.linspace(0, 1, _STEPS)
            found = [] if chances is None else [chances.expect(step) for step in steps]
            pairs = np.array([(one.purity, one.completeness) for one in found]).reshape(-1, 2)
            self.lines = [np.column_stack([steps, pairs[:, k]]) for k in range(2)] if found else []
        self.threshold = threshold
        self.update()

    @property
    def has_points(self) -> bool:
        return bool(self.lines)

    def paint_points(self, painter: QtGui.QPainter) -> None:
        x = self.place(self.threshold, 0).x()
        area = self.plot_area()
        painter.fillRect(
            QtCore.QRectF(QtCore.QPointF(x, area.top()), area.bottomRight()), QtGui.QColor(61, 111, 168, 28)
        )
        for line, colour in zip(self.lines, (PURITY, COMPLETENESS), strict=True):
            known = line[np.isfinite(line[:, 1])]
            painter.setPen(QtGui.QPen(QtGui.QColor(colour), 2))
            painter.drawPolyline(QtGui.QPolygonF([self.place(*point) for point in known]))
        painter.setPen(QtGui.QPen(self.palette().color(QtGui.QPalette.WindowText), 1.6))
        painter.drawLine(QtCore.QPointF(x, area.top()), QtCore.QPointF(x, area.bottom()))

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        self._choose(event)

    def _choose(self, event: QtGui.QMouseEvent) -> None:
        if self.has_points and event.buttons() & Qt.LeftButton:
            area = self.plot_area()
            share = (event.pos().x() - area.left()) / max(area.width(), 1)
            self.chosen.emit(round(min(max(share, 0.0), 1.0), 2))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{3 if abs(value) >= 1 else 2}g}"
