"""Where teaching begins: which catalogue, what it is called, and what is missing if it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.interest_tabs import quiet_label

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["TeachBegin"]

_HOW_TO = """<p style="font-size: 13pt; color: #606060">What shall it learn?</p>
<p>Label a few galaxies, and the whole catalogue is predicted: <b>classes</b> such as ring and no ring, or a
<b>number</b> such as redshift. Pick subsets, press Train, see probabilities in every view, label what it asks
for, repeat.</p>"""
_EMPTY = """<p><b>First open a catalogue with images:</b> <i>File, Open Data Set</i>, or drop it
on the window.</p>"""
_WATCH_MS = 700


class TeachBegin(QtWidgets.QWidget):
    """
    The page shown before anything is taught.

    Attributes
    ----------
    begin_wanted : Signal(object, str)
        Dataset, and name of the target.
    embed_wanted, load_wanted : Signal(object)
        Dataset.
    """

    begin_wanted = QtCore.Signal(object, str)
    embed_wanted = QtCore.Signal(object)
    load_wanted = QtCore.Signal(object)

    def __init__(self, application: GlueApplication, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._collection = application.data_collection
        self._shown: tuple | None = None
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.catalogue = QtWidgets.QComboBox()
        self.name_label = QtWidgets.QLabel("Name of what you teach; its columns are called so")
        self.name = QtWidgets.QComboBox(editable=True)
        self.name.lineEdit().setPlaceholderText("ring, merger, kind, redshift …")
        self.name.lineEdit().returnPressed.connect(self._begin)
        self.begin = QtWidgets.QPushButton("Start")
        self.begin.setMinimumHeight(34)
        self.embed = QtWidgets.QPushButton("Embed…")
        self.load = QtWidgets.QPushButton("Use a head taught before…")
        self.load.setFlat(True)
        self.note = quiet_label()
        layout.addWidget(QtWidgets.QLabel(_HOW_TO, wordWrap=True))
        for widget in (self.text, self.catalogue, self.name_label, self.name, self.begin, self.embed):
            layout.addWidget(widget)
        layout.addWidget(self.note)
        layout.addWidget(self.load)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignTop)
        self.catalogue.activated.connect(self._refresh_chosen)
        self.begin.clicked.connect(self._begin)
        self.embed.clicked.connect(lambda: self.embed_wanted.emit(self.data))
        self.load.clicked.connect(lambda: self.load_wanted.emit(self.data))
        # Embeddings may come at any time, from a job or another panel; nobody tells.
        self._watch = QtCore.QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self.refresh)

    def _begin(self) -> None:
        self.begin_wanted.emit(self.data, self.name.currentText())

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
        chosen = self.catalogue.currentData()
        return next((data for data in self._catalogues() if data.uuid == chosen), None)

    def choose(self, data: Data) -> None:
        """Choose a dataset."""
        self.refresh()
        self.catalogue.setCurrentIndex(max(0, self.catalogue.findData(data.uuid)))
        self._refresh_chosen()

    def refresh(self) -> None:
        """Show what there is to teach; a timer calls this, so it is cheap when nothing has changed."""
        from glue_zoobot.catalog.record import record_of

        found = self._catalogues()
        known = tuple((data.uuid, data.label, record_of(data).get("store")) for data in found)
        if known == self._shown:
            return
        self._shown, before = known, self.catalogue.currentData()
        self.catalogue.clear()
        for data in found:
            self.catalogue.addItem(data.label, data.uuid)
        self.catalogue.setCurrentIndex(max(0, self.catalogue.findData(before)))
        self._refresh_chosen()

    def _refresh_chosen(self, *args: object) -> None:
        from glue_zoobot.catalog import embeddings_of, why_no_embeddings
        from glue_zoobot.catalog.teaching import known_targets

        data = self.data
        self.catalogue.setVisible(self.catalogue.count() > 1)
        embedded = data is not None and embeddings_of(data) is not None
        for widget in (self.name_label, self.name, self.begin, self.load):
            widget.setVisible(embedded)
        self.embed.setVisible(data is not None and not embedded)
        if data is None:
            self.text.setText(_EMPTY)
        elif not embedded:
            self.text.setText(f"{why_no_embeddings(data)}.")
        else:
            self.text.setText(f"<b>{data.label}</b>: {len(embeddings_of(data)):,} galaxies are ready.")
            typed = self.name.currentText()
            self.name.clear()
            self.name.addItems(known_targets(data))
            self.name.setCurrentText(typed or (self.name.itemText(0) if self.name.count() else ""))

    def _catalogues(self) -> list[Data]:
        from glue_zoobot.catalog import source_of
        from glue_zoobot.catalog.record import record_of

        one_dimensional = [data for data in self._collection if data.ndim == 1 and hasattr(data, "meta")]
        return [data for data in one_dimensional if record_of(data).get("store") or source_of(data)]
