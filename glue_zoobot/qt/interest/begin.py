"""Where rating begins: which catalogue, and from which galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core.exceptions import IncompatibleAttribute
from qtpy import QtCore, QtWidgets

from glue_zoobot.qt.begin_page import BeginPage

if TYPE_CHECKING:
    from glue.core import Data
    from glue.core.subset import Subset
    from glue_qt.app import GlueApplication

__all__ = ["InterestBegin"]

_HOW_TO = """<p style="font-size: 13pt">Which galaxies interest you?</p>
<p>Rate a few, from 0 (dull) to 5 (wonderful), and the whole catalogue is ranked by how interesting each
galaxy is <i>to you</i>. Every ten ratings the ranking learns, and shows you better ones.</p>"""
_SPREAD = "galaxies from all over the catalogue"
_SUGGESTED = "what the ranking suggests"


class InterestBegin(BeginPage):
    """
    The page shown before there is anything to rate.

    Attributes
    ----------
    begin_wanted : Signal(object, object)
        Dataset, and the rows to look at first (none: all over the catalogue).
    """

    begin_wanted = QtCore.Signal(object, object)

    def __init__(self, application: GlueApplication) -> None:
        start = QtWidgets.QComboBox()
        start.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        label = QtWidgets.QLabel("Look first at")
        super().__init__(application, _HOW_TO, (label, start), "Start rating", "Use other ratings…")
        self.start = start

    @property
    def like(self) -> np.ndarray:
        """Rows of the chosen subset; none to look all over the catalogue."""
        number = self.start.currentData()
        subsets = [] if self.data is None or number is None else _subsets(self.data)
        return (
            _rows_of_subset(subsets[number]) if number is not None and number < len(subsets) else np.empty(0)
        )

    def _begin(self) -> None:
        like = self.like
        if self.start.currentData() is not None and not len(like):
            self.note.setText(f"{self.start.currentText()} selects no galaxy; choose another start.")
            return
        self.note.clear()
        self.begin_wanted.emit(self.data, like)

    def _known(self, data: Data) -> tuple:
        return (*super()._known(data), *(subset.label for subset in _subsets(data)))

    def _offer(self, data: Data) -> str:
        from glue_zoobot.catalog.interest.log import log_path_of

        rated = log_path_of(data).exists()
        self.begin.setText("Go on rating" if rated else "Start rating")
        self.start.clear()
        self.start.addItem(_SUGGESTED if rated else _SPREAD)
        for number, subset in enumerate(_subsets(data)):
            self.start.addItem(f"the subset “{subset.label}”", number)
        return "Ratings of an earlier time are there." if rated else ""


def _subsets(data: Data) -> list[Subset]:
    return [subset for subset in data.subsets if hasattr(subset, "group")]


def _rows_of_subset(subset: Subset) -> np.ndarray:
    """Rows that a subset selects; none if it cannot be applied to its dataset."""
    try:
        return np.flatnonzero(subset.to_mask())
    except IncompatibleAttribute:
        return np.empty(0, dtype=np.int64)
