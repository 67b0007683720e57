"""Curves of a training that grow while it runs: the loss, and how good it is by what one can judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy import QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet
from glue_zoobot.qt.teach.plots import SmallPlot

if TYPE_CHECKING:
    from glue_zoobot.qt.train.jobs import TrainJob

__all__ = ["CurvesView", "EpochPlot"]

_TRAINED, _HELD, _BEST = "#9aa3ad", "#2f6fb3", "#d55e00"
_NAMES = {
    "balanced_accuracy": "bal. accuracy",
    "r2": "R²",
    "precision_at_10": "neighbours alike",
    "accuracy": "accuracy",
    "held_out_loss": "loss",
    "loss": "loss",
}
_JUDGED = ("balanced_accuracy", "r2", "accuracy")


class EpochPlot(SmallPlot):
    """Figures by epoch; one line per key, the best epoch marked."""

    x_name = "epoch"
    height = 112

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.empty = "after the first epoch"
        self.lines: dict[str, np.ndarray] = {}
        self.best: int | None = None
        self.chance: float | None = None

    def show_epochs(
        self,
        epochs: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        best: int | None = None,
        chance: float | None = None,
    ) -> None:
        """Show some figures of all epochs; `chance` is drawn as a broken line."""
        lines = {
            key: np.array([(row["epoch"], row[key]) for row in epochs if row.get(key) is not None])
            for key in keys
        }
        self.lines = {key: line for key, line in lines.items() if len(line)}
        self.best, self.chance = best, chance
        if self.lines:
            self.y_name = _NAMES.get(next(iter(self.lines)), next(iter(self.lines)).replace("_", " "))
            every = np.concatenate(list(self.lines.values()))
            heights = every[:, 1] if chance is None else np.append(every[:, 1], chance)
            self.x_range = (0.0, max(1.0, float(every[:, 0].max())))
            self.y_range = _round_range(float(heights.min()), float(heights.max()))
        self.update()

    @property
    def has_points(self) -> bool:
        return bool(self.lines)

    def paint_points(self, painter: QtGui.QPainter) -> None:
        if self.chance is not None:
            painter.setPen(QtGui.QPen(QtGui.QColor("#b0b5bb"), 1, Qt.DashLine))
            painter.drawLine(
                self.place(self.x_range[0], self.chance), self.place(self.x_range[1], self.chance)
            )
        for number, line in enumerate(self.lines.values()):
            colour = QtGui.QColor(_HELD if number == len(self.lines) - 1 else _TRAINED)
            painter.setPen(QtGui.QPen(colour, 1.6))
            painter.setBrush(colour)
            places = [self.place(*point) for point in line]
            if len(places) == 1:
                painter.drawEllipse(places[0], 2, 2)
            painter.setBrush(Qt.NoBrush)
            painter.drawPolyline(QtGui.QPolygonF(places))
        judged = list(self.lines.values())[-1]
        for point in judged[judged[:, 0] == self.best] if self.best is not None else ():
            painter.setPen(Qt.NoPen)
            painter.setBrush(QtGui.QColor(_BEST))
            painter.drawEllipse(self.place(*point), 4, 4)


class CurvesView(QtWidgets.QWidget):
    """
    The curves of one training.

    Parameters
    ----------
    job : TrainJob
        Followed while it runs.
    """

    def __init__(self, job: TrainJob, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._job = job
        self.loss, self.judged = EpochPlot(), EpochPlot()
        plots = QtWidgets.QHBoxLayout()
        plots.setSpacing(6)
        plots.addWidget(self.loss)
        plots.addWidget(self.judged)
        self.text = quiet(QtWidgets.QLabel(wordWrap=True), small=True)
        self.text.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(plots)
        layout.addWidget(self.text)
        job.learned.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show all epochs there are."""
        epochs = self._job.epochs
        self.setVisible(bool(epochs))
        if not epochs:
            return
        best = best_epoch(epochs)
        held = any("held_out_loss" in row for row in epochs)
        self.loss.show_epochs(epochs, ("loss", "held_out_loss") if held else ("loss",), best)
        self.loss.setToolTip(
            "Grey: on the galaxies it trains on, as they are shown. Blue: on those held out."
            if held
            else "What is minimised"
        )
        key, chance = judged_by(epochs)
        self.judged.setVisible(key is not None)
        if key is not None:
            self.judged.show_epochs(epochs, (key,), best, chance)
        self.text.setText(_summary(epochs, key, best, chance))


def _round_range(low: float, high: float) -> tuple[float, float]:
    """Return a range with short numbers at its ends, wide enough not to make noise look like progress."""
    step = 0.05 if high - low < 1 else 0.5 if high - low < 10 else 5.0
    bottom, top = step * np.floor(low / step - 0.2), step * np.ceil(high / step + 0.2)
    bottom = max(bottom, 0.0) if low >= 0 else bottom  # no loss or share is below 0, no share above 1
    return bottom, min(top, 1.0) if 0.5 < high <= 1 else top


def judged_by(epochs: Sequence[Mapping[str, Any]]) -> tuple[str | None, float | None]:
    """Return the figure that says how good it is, and what chance would give, as far as there are any."""
    keys = {key for row in epochs for key in row}
    known = [key for key in _JUDGED if key in keys]
    if known:
        return known[0], None
    probes = sorted(key for key in keys if key.startswith("precision"))
    chance = next((row["chance"] for row in epochs if "chance" in row), None)
    return (probes[0] if probes else None), chance


def best_epoch(epochs: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the epoch with the smallest loss on galaxies held out, which is the one that is kept."""
    held = [row for row in epochs if row.get("held_out_loss") is not None]
    return min(held, key=lambda row: row["held_out_loss"])["epoch"] if held else None


def _summary(
    epochs: Sequence[Mapping[str, Any]], key: str | None, best: int | None, chance: float | None
) -> str:
    if key is None:
        return ""
    name = _NAMES.get(key, key.replace("_", " "))
    told = [row for row in epochs if row.get(key) is not None]
    if not told:
        return ""
    first, last = told[0], told[-1]
    shown = next((row for row in told if row["epoch"] == best), last)
    name = {"bal. accuracy": "balanced accuracy"}.get(name, name)
    text = f"{name[0].upper()}{name[1:]} {first[key]:.2f} at the start"
    if shown is not first:
        text += f", {shown[key]:.2f} in epoch {shown['epoch']}"
        text += " (best so far, which is kept)" if best is not None else ""
    elif best == first["epoch"] and len(told) > 1:
        text += "; nothing better yet"
    return text + (f"; chance is {chance:.2f}" if chance is not None else "")
