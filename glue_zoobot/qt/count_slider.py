"""How many, from one to thousands, with one handle."""

from __future__ import annotations

import math

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

__all__ = ["MAX_COUNT", "CountSlider"]

#: The most that can be asked for.
MAX_COUNT = 10_000

_SLIDER_STEPS = 400


class CountSlider(QtWidgets.QSlider):
    """A slider from 1 to `maximum count` in equal ratios, so that 10 and 10,000 are both easy to hit."""

    count_changed = QtCore.Signal(int)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(Qt.Horizontal, parent)
        self.setRange(0, _SLIDER_STEPS)
        self.setPageStep(_SLIDER_STEPS // 10)
        self._max_count = MAX_COUNT
        self.valueChanged.connect(self._emit_count)

    def set_max_count(self, count: int) -> None:
        self._max_count = max(count, 2)

    def set_count(self, count: int) -> None:
        """Move the handle without a signal."""
        blocker = QtCore.QSignalBlocker(self)
        self.setValue(round(_SLIDER_STEPS * math.log(max(count, 1)) / math.log(self._max_count)))
        del blocker

    def _emit_count(self, position: int) -> None:
        self.count_changed.emit(round(self._max_count ** (position / _SLIDER_STEPS)))
