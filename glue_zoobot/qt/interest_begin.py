"""Where rating begins: which catalogue, from which galaxies, and what is missing if it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core.exceptions import IncompatibleAttribute
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.interest_tabs import quiet_label
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data
    from glue.core.subset import Subset
    from glue_qt.app import GlueApplication

__all__ = ["BeginPage", "rows_of_subset"]

_HOW_TO = """<p style="font-size: 13pt">Which galaxies interest you?</p>
<p>Rate a few, from 0 (dull) to 5 (wonderful), and the whole catalogue is ranked by how interesting each
galaxy is <i>to you</i>. Every ten ratings the ranking learns, and shows you better ones.</p>"""
_EMPTY = """<p><b>First open a catalogue with images:</b> <i>File, Open Data Set</i>, or drop it
on the window.</p>"""
_SPREAD = "galaxies from all over the catalogue"
_SUGGESTED = "what the ranking suggests"
_WATCH_MS = 700


class BeginPage(QtWidgets.QWidget):
    """
    The page shown before there is anything to rate.

    Attributes
    ----------
    begin_wanted : Signal(object, object)
        Dataset, and the rows to look at first (none: all over the catalogue).
    embed_wanted, other_log_wanted : Signal(object)
        Dataset.
    """

    begin_wanted = QtCore.Signal(object, object)
    embed_wanted = QtCore.Signal(object)
    other_log_wanted = QtCore.Signal(object)

    def __init__(self, application: GlueApplication, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._collection = application.data_collection
        self._shown: tuple = ()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        how_to = QtWidgets.QLabel(_HOW_TO, wordWrap=True)
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.catalogue = QtWidgets.QComboBox()
        self.start = QtWidgets.QComboBox()
        self.start_label = QtWidgets.QLabel("Look first at")
        self.begin = QtWidgets.QPushButton("Start rating")
        self.begin.setMinimumHeight(34)
        self.embed = QtWidgets.QPushButton("Embed…")
        self.other_log = QtWidgets.QPushButton("Use other ratings…")
        self.other_log.setFlat(True)
        self.note = quiet_label()
        for widget in (how_to, self.text, self.catalogue, self.start_label, self.start, self.begin):
            layout.addWidget(widget)
        for widget in (self.embed, self.note, self.other_log):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignTop)
        self.catalogue.activated.connect(self._refresh_chosen)
        self.begin.clicked.connect(self._begin)
        self.embed.clicked.connect(lambda: self.embed_wanted.emit(self.data))
        self.other_log.clicked.connect(lambda: self.other_log_wanted.emit(self.data))
        # Embeddings may come at any time, from a job or another panel; nobody tells.
        self._watch = QtCore.QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self.refresh)

    def _begin(self) -> None:
        like = self.like
        if self.start.currentData() is not None and not len(like):
            self.note.setText(f"{self.start.currentText()} selects no galaxy; choose another start.")
            return
        self.note.clear()
        self.begin_wanted.emit(self.data, like)

    def showEvent(self, event: QtCore.QEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._watch.start()

    def hideEvent(self, event: QtCore.QEvent) -> None:
        super().hideEvent(event)
        self._watch.stop()

    @property
    def data(self) -> Data | None:
        """The chosen dataset."""
        label = self.catalogue.currentData()
        return next((data for data in self._catalogues() if data.uuid == label), None)

    @property
    def like(self) -> np.ndarray:
        """Rows of the chosen subset; none to look all over the catalogue."""
        number = self.start.currentData()
        subsets = [] if self.data is None or number is None else self._subsets(self.data)
        return (
            rows_of_subset(subsets[number]) if number is not None and number < len(subsets) else np.empty(0)
        )

    def refresh(self) -> None:
        """Show what there is to rate; a timer calls this, so it is cheap when nothing has changed."""
        from glue_zoobot.catalog.record import record_of

        found = self._catalogues()
        known = tuple(
            (data.uuid, data.label, record_of(data).get("store"), *(s.label for s in self._subsets(data)))
            for data in found
        )
        if known == self._shown and self.text.text():
            return
        self._shown, before = known, self.catalogue.currentData()
        self.catalogue.clear()
        for data in found:
            self.catalogue.addItem(data.label, data.uuid)
        self.catalogue.setCurrentIndex(max(0, self.catalogue.findData(before)))
        self._refresh_chosen()

    def _refresh_chosen(self, *args: object) -> None:
        from glue_zoobot.catalog import embeddings_of, why_no_embeddings
        from glue_zoobot.catalog.interest_log import log_path_of

        data = self.data
        self.catalogue.setVisible(self.catalogue.count() > 1)
        embedded = data is not None and embeddings_of(data) is not None
        for widget in (self.start_label, self.start, self.begin, self.other_log):
            widget.setVisible(embedded)
        self.embed.setVisible(data is not None and not embedded)
        if data is None:
            self.text.setText(_EMPTY)
        elif not embedded:
            self.text.setText(f"{why_no_embeddings(data)}.")
        else:
            rated = log_path_of(data).exists()
            found = "Ratings of an earlier time are there." if rated else ""
            self.text.setText(
                f"<b>{data.label}</b>: {counted(len(embeddings_of(data)), 'galaxy')} ready. {found}"
            )
            self.begin.setText("Go on rating" if rated else "Start rating")
            self._fill_starts(data, _SUGGESTED if rated else _SPREAD)

    def _fill_starts(self, data: Data, first: str) -> None:
        self.start.clear()
        self.start.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.start.addItem(first)
        for number, subset in enumerate(self._subsets(data)):
            self.start.addItem(f"the subset “{subset.label}”", number)

    def _catalogues(self) -> list[Data]:
        from glue_zoobot.catalog import source_of
        from glue_zoobot.catalog.record import record_of

        one_dimensional = [data for data in self._collection if data.ndim == 1 and hasattr(data, "meta")]
        return [data for data in one_dimensional if record_of(data).get("store") or source_of(data)]

    def _subsets(self, data: Data) -> list[Subset]:
        return [subset for subset in data.subsets if hasattr(subset, "group")]


def rows_of_subset(subset: Subset) -> np.ndarray:
    """Rows that a subset selects; none if it cannot be applied to its dataset."""
    try:
        return np.flatnonzero(subset.to_mask())
    except IncompatibleAttribute:
        return np.empty(0, dtype=np.int64)
