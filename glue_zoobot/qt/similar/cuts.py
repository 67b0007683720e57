"""Conditions on an answer: near the examples in some columns, away from them on the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.qt.columns import measured_columns, sky_columns
from glue_zoobot.qt.parts import long_list

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["CutsDialog", "describe"]

_CONDITIONS = 3
_ANY = "(no condition)"
_INTRO = "Only galaxies whose value is near that of the example (of several: their median):"


def describe(cuts: Cuts) -> str:
    """Say the conditions in a few words."""
    parts = [f"{label} ± {tolerance:g}" if tolerance else f"same {label}" for label, tolerance in cuts.within]
    parts += [f"{cuts.separation:g}″ apart"] if cuts.separation > 0 else []
    return ", ".join(parts) or "none"


class CutsDialog(QtWidgets.QDialog):
    """
    Choose the conditions; the window behind stays usable.

    Parameters
    ----------
    parent : QWidget
    data : Data
    cuts : Cuts
        The present conditions.

    Attributes
    ----------
    chosen : Signal(object)
        New `Cuts`.
    """

    chosen = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget, data: Data, cuts: Cuts) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Conditions on the answer")
        self._data, self._sky = data, sky_columns(data)
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(16, 14, 16, 14)
        grid.setHorizontalSpacing(10)
        grid.addWidget(QtWidgets.QLabel(_INTRO), 0, 0, 1, 3)
        self.conditions = [self._condition(grid, number + 1) for number in range(_CONDITIONS)]
        self._separation(grid, _CONDITIONS + 1)
        grid.addWidget(self._buttons(), _CONDITIONS + 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self._show(cuts)

    def cuts(self) -> Cuts:
        """Return what is chosen."""
        within = tuple(
            (column.currentText(), tolerance.value())
            for column, tolerance in self.conditions
            if column.currentIndex() > 0
        )
        sky = ("ra", "dec") if self._sky is None else (self._sky[0].label, self._sky[1].label)
        return Cuts(within, self.separation.value(), sky)

    def _condition(
        self, grid: QtWidgets.QGridLayout, line: int
    ) -> tuple[QtWidgets.QComboBox, QtWidgets.QDoubleSpinBox]:
        column = long_list(QtWidgets.QComboBox())
        tolerance = QtWidgets.QDoubleSpinBox(decimals=4, maximum=1e9)
        column.addItems([_ANY, *(cid.label for cid in measured_columns(self._data))])
        column.activated.connect(lambda _: self._suggest(column, tolerance))
        column.currentIndexChanged.connect(lambda index: _enable(tolerance, index > 0))
        _enable(tolerance, False)
        grid.addWidget(column, line, 0)
        grid.addWidget(QtWidgets.QLabel("±"), line, 1)
        grid.addWidget(tolerance, line, 2)
        return column, tolerance

    def _separation(self, grid: QtWidgets.QGridLayout, line: int) -> None:
        self.separation = QtWidgets.QDoubleSpinBox(decimals=1, maximum=3600, suffix=" arcsec")
        self.separation.setSpecialValueText("off")
        self.separation.setEnabled(self._sky is not None)
        label = QtWidgets.QLabel("At least this far from the examples on the sky")
        tip = "So that the same galaxy in another image, or a shred of it, is not its own look-alike"
        if self._sky is None:
            tip = f"{self._data.label} has no columns of right ascension and declination"
        for widget in (label, self.separation):
            widget.setToolTip(tip)
        grid.addWidget(label, line, 0, 1, 2)
        grid.addWidget(self.separation, line, 2)

    def _buttons(self) -> QtWidgets.QDialogButtonBox:
        kinds = QtWidgets.QDialogButtonBox
        buttons = kinds(kinds.Apply | kinds.Reset | kinds.Close)
        buttons.button(kinds.Apply).setDefault(True)
        buttons.button(kinds.Apply).clicked.connect(lambda: self.chosen.emit(self.cuts()))
        buttons.button(kinds.Reset).clicked.connect(self._reset)
        buttons.rejected.connect(self.close)
        return buttons

    def _reset(self) -> None:
        self._show(Cuts())
        self.chosen.emit(Cuts())

    def _show(self, cuts: Cuts) -> None:
        wanted = [*cuts.within, *[(_ANY, 0.0)] * _CONDITIONS]
        for (column, tolerance), (label, value) in zip(self.conditions, wanted, strict=False):
            column.setCurrentIndex(max(0, column.findText(label)))
            tolerance.setValue(value)
        self.separation.setValue(cuts.separation)

    def _suggest(self, column: QtWidgets.QComboBox, tolerance: QtWidgets.QDoubleSpinBox) -> None:
        """Start with a fifth of the spread of the column, in two digits."""
        if column.currentIndex() > 0:
            values = self._data[self._data.find_component_id(column.currentText())]
            spread = float(np.nanstd(np.asarray(values, dtype=np.float64)))
            tolerance.setValue(float(f"{spread / 5:.2g}"))
            tolerance.setSingleStep(float(f"{spread / 20:.1g}") or 1.0)


def _enable(tolerance: QtWidgets.QDoubleSpinBox, enabled: bool) -> None:
    """Let a tolerance be chosen; 0 is no lack of a condition but the strictest, so it says so."""
    tolerance.setEnabled(enabled)
    tolerance.setSpecialValueText("0 (the same)" if enabled else " ")
