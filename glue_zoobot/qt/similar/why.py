"""*Why these?*: in which columns the galaxies that were found differ from the others."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.columns import measured_columns, sky_columns
from glue_zoobot.qt.styles import quiet, quiet_colour
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from astropy.table import Row, Table
    from glue.core import Data

    from glue_zoobot.catalog import SimilarGalaxies

__all__ = ["WhyDialog", "compare", "verdict"]

_COMPARED = 100_000  # other galaxies, drawn by chance; more change nothing but the time
_SHOWN = 30
_SPREAD = ("top_median", "top_low", "top_high", "rest_median", "rest_low", "rest_high")
_THESE, _BAR_WIDTH = "#e08a1e", 130
_NOTABLE = 0.3  # Kolmogorov-Smirnov distance
_HEADERS = (
    ("Column", "Columns of the catalogue, most different first"),
    ("Difference", "Kolmogorov-Smirnov distance of the two distributions: 0 the same, 1 wholly apart"),
    ("Rank correlation", "Spearman's, of the column with the similarity, over all galaxies compared"),
    ("These galaxies", "Their median, and between which the middle two thirds (68 %) of them are"),
    ("The others", "Their median, and between which the middle two thirds (68 %) of them are"),
    ("", "Bars: the middle two thirds of these galaxies (orange) and of the others (grey); lines: medians"),
)
_LEGEND = (
    "Difference: 0, these galaxies are like all others in this column; 1, wholly apart (Kolmogorov-Smirnov). "
    "In brackets, and as bars (these orange, the others grey): where the middle two thirds of the values are."
)
#: What a picture shows besides the shape of a galaxy, by the names of columns.
_NOT_SHAPE = {
    "colour": r"_minus_|colou?r|^[ugrizy] - [ugrizy]$",
    "brightness": r"mag|flux",
    "apparent size": r"rad|r_?[259]0|size|(^|_)r_?e(ff)?$",
    "place on the sky": r"^(ra|dec)|raj|dej|declination|ascension|alpha|delta",
    "distance": r"redshift|^z(_|$)|photo?_?z",
    "observing conditions": r"seeing|psf|airmass|sky|depth|exptime",
}


def compare(data: Data, similarity: np.ndarray, rows: np.ndarray) -> Table:
    """
    Compare the galaxies that were found with the others, column by column; not for a GUI thread.

    Parameters
    ----------
    data : Data
        N rows.
    similarity : np.ndarray
        Shape (N,), NaN where there is none.
    rows : np.ndarray
        Shape (K,), the galaxies that were found.

    Returns
    -------
    astropy.table.Table
        As from `glue_zoobot.analysis.explain.correlates`.

    Raises
    ------
    AnalysisError
        If there are too few galaxies.
    """
    from glue_zoobot.analysis.explain import correlates

    others = np.setdiff1d(np.flatnonzero(np.isfinite(similarity)), rows)
    if len(others) > _COMPARED:
        others = np.random.default_rng(0).choice(others, _COMPARED, replace=False)
    used = np.concatenate([rows, others])
    scores = similarity[used].astype(np.float64)
    scores[: len(rows)] += 2 * np.ptp(scores) + 1  # the found ones are the top, whatever cuts left out
    columns = [*measured_columns(data), *(sky_columns(data) or ())]
    return correlates(scores, {cid.label: data.get_data(cid, view=(used,)) for cid in columns}, top=len(rows))


def verdict(table: Table, conditions: Collection[str] = ()) -> str:
    """
    Say in a sentence or two what the answer goes along with, and warn where that is not shape.

    Parameters
    ----------
    table : astropy.table.Table
        As from `compare`.
    conditions : collection of str
        Columns on which there is a condition: that the galaxies differ in these goes without saying.
    """
    if not len(table):
        return "No column has enough numbers to compare: ten of these galaxies and ten others must have one."
    notable = [row for row in table if row["ks"] >= _NOTABLE and row["column"] not in conditions]
    if not notable:
        return (
            f"In none of the {'other ' if conditions else ''}columns do these galaxies differ much from the "
            "others: it is what they look like."
        )
    first = notable[0]
    text = (
        f"They differ most in {first['column']}: {first['top_median']:.3g} is typical of them, "
        f"{first['rest_median']:.3g} of the others."
    )
    other = _not_shape(first["column"])
    warning = (
        f" So the likeness may be one of {other} rather than shape: set a condition on it." if other else ""
    )
    return text + warning


def _not_shape(column: str) -> str | None:
    return next((what for what, names in _NOT_SHAPE.items() if re.search(names, column, re.I)), None)


def _with_spread(row: Row, which: str) -> str:
    middle, low, high = (f"{row[f'{which}_{name}']:.3g}" for name in ("median", "low", "high"))
    return f"{middle} ({low} to {high})"


class SpreadDelegate(QtWidgets.QStyledItemDelegate):
    """Paints where the values of the galaxies that were found lie, and those of the others below."""

    def paint(
        self,
        painter: QtGui.QPainter,
        option: QtWidgets.QStyleOptionViewItem,
        index: QtCore.QModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        told = index.data(Qt.UserRole)
        if not told:
            return
        start, end = min(told), max(told)
        area = QtCore.QRectF(option.rect).adjusted(6, 0, -6, 0)
        height = area.height() / 4

        def across(value: float) -> float:
            return area.left() + area.width() * (value - start) / ((end - start) or 1)

        grey = quiet_colour(self.parent(), 0.45)
        for place, (colour, values) in enumerate(((_THESE, told[:3]), (grey, told[3:]))):
            middle, low, high = map(across, values)
            top = area.center().y() + (place - 1) * (height + 1)
            painter.fillRect(QtCore.QRectF(low, top, max(high - low, 2), height), QtGui.QColor(colour))
            line = option.palette.color(QtGui.QPalette.Text)
            painter.fillRect(QtCore.QRectF(middle - 1, top - 1, 2, height + 2), line)


class WhyDialog(QtWidgets.QDialog):
    """
    A verdict, and the table behind it, for the answer as it is when this is opened.

    Parameters
    ----------
    parent : QWidget
    state : SimilarGalaxies
        With an answer.
    """

    def __init__(self, parent: QtWidgets.QWidget, state: SimilarGalaxies) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"Why these? {state.sentence().removeprefix('Showing the ')}")
        self.resize(860, 460)
        self.text = QtWidgets.QLabel("Comparing…", wordWrap=True)
        self.table = self._table()
        self.table.setItemDelegateForColumn(len(_HEADERS) - 1, SpreadDelegate(self.table))
        self.legend = quiet(QtWidgets.QLabel(_LEGEND, wordWrap=True), small=True)
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Close)
        buttons.rejected.connect(self.close)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        for widget in (self.text, self.table, self.legend, buttons):
            layout.addWidget(widget)
        self._conditions = {label for label, _ in state.cuts.within}
        data, rows = state.data, state.rows[: state.count]
        similarity = np.asarray(data[data.find_component_id("similarity")])
        self._work = run_in_thread(self, lambda: compare(data, similarity, rows), self._fill, self._fail)
        self.finished.connect(self._work.drop)

    def _table(self) -> QtWidgets.QTableWidget:
        table = QtWidgets.QTableWidget(0, len(_HEADERS), alternatingRowColors=True, showGrid=False)
        header = table.horizontalHeader()
        for place, (text, tip) in enumerate(_HEADERS):
            item = QtWidgets.QTableWidgetItem(text)
            item.setToolTip(tip)
            side = Qt.AlignRight if place else Qt.AlignLeft
            item.setTextAlignment(side | Qt.AlignVCenter)
            table.setHorizontalHeaderItem(place, item)
        header.setSectionResizeMode(QtWidgets.QHeaderView.Interactive)
        header.setSectionResizeMode(0, QtWidgets.QHeaderView.Stretch)
        header.setMinimumSectionSize(60)
        table.setTextElideMode(Qt.ElideMiddle)  # long names differ at their ends
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(round(1.6 * table.fontMetrics().height()))
        table.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        return table

    def _fill(self, table: Table) -> None:
        self.text.setText(
            verdict(table, self._conditions).replace("_", "_\u200b")
        )  # long names may go on in the next line
        if not len(table):
            self._show_text_only()
        self.table.setRowCount(min(len(table), _SHOWN))
        for line, row in enumerate(table[:_SHOWN]):
            shares = (f"{row[name]:.2f}" for name in ("ks", "correlation"))
            values = (_with_spread(row, which) for which in ("top", "rest"))
            for column, text in enumerate((row["column"], *shares, *values)):
                item = QtWidgets.QTableWidgetItem(str(text))
                item.setToolTip(str(text))
                if column:
                    item.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
                self.table.setItem(line, column, item)
            item = QtWidgets.QTableWidgetItem()
            item.setData(Qt.UserRole, [float(row[name]) for name in _SPREAD])
            self.table.setItem(line, len(_HEADERS) - 1, item)
        for place in range(1, len(_HEADERS) - 1):
            self.table.resizeColumnToContents(place)
        self.table.setColumnWidth(len(_HEADERS) - 1, _BAR_WIDTH)

    def _fail(self, error: Exception) -> None:
        self.text.setText(str(error))
        self._show_text_only()

    def _show_text_only(self) -> None:
        for part in (self.table, self.legend):
            part.hide()
        self.adjustSize()
