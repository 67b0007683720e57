"""The first page of a panel that works on a catalogue: which one, and what is missing if it cannot begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import quiet_label
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["BeginPage"]

_EMPTY = """<p><b>First open a catalogue with images:</b> <i>File, Open Data Set</i>, or drop it
on the window.</p>"""
_WATCH_MS = 700


class BeginPage(QtWidgets.QWidget):
    """
    Choice of a catalogue, what the panel asks of the user before it begins, and the way to embeddings.

    Parameters
    ----------
    application : GlueApplication
    how_to : str
        What the panel is for, as rich text.
    choices : sequence of QWidget
        What else is chosen here; hidden until the catalogue has embeddings.
    begin, other : str
        Words of the button that begins, and of the quiet one below.

    Attributes
    ----------
    embed_wanted, other_wanted : Signal(object)
        Dataset.
    """

    embed_wanted = QtCore.Signal(object)
    other_wanted = QtCore.Signal(object)

    def __init__(
        self,
        application: GlueApplication,
        how_to: str,
        choices: Sequence[QtWidgets.QWidget],
        begin: str,
        other: str,
    ) -> None:
        super().__init__()
        self._collection = application.data_collection
        self._shown: tuple | None = None
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.catalogue = QtWidgets.QComboBox()
        self.begin = QtWidgets.QPushButton(begin)
        self.begin.setMinimumHeight(34)
        self.embed = QtWidgets.QPushButton("Embed…")
        self.note = quiet_label()
        self.other = QtWidgets.QPushButton(other)
        self.other.setFlat(True)
        self._when_embedded = (*choices, self.begin, self.other)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(QtWidgets.QLabel(how_to, wordWrap=True))
        for widget in (self.text, self.catalogue, *choices, self.begin, self.embed, self.note, self.other):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignTop)
        self.catalogue.activated.connect(self._refresh_chosen)
        self.begin.clicked.connect(self._begin)
        self.embed.clicked.connect(lambda: self.embed_wanted.emit(self.data))
        self.other.clicked.connect(lambda: self.other_wanted.emit(self.data))
        # Embeddings may come at any time, from a job or another panel; nobody tells.
        self._watch = QtCore.QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self.refresh)

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
        """Show what there is; a timer calls this, so it is cheap when nothing has changed."""
        found = self._catalogues()
        known = tuple(self._known(data) for data in found)
        if known == self._shown:
            return
        self._shown, before = known, self.catalogue.currentData()
        self.catalogue.clear()
        for data in found:
            self.catalogue.addItem(data.label, data.uuid)
        self.catalogue.setCurrentIndex(max(0, self.catalogue.findData(before)))
        self._refresh_chosen()

    def showEvent(self, event: QtCore.QEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._watch.start()

    def hideEvent(self, event: QtCore.QEvent) -> None:
        super().hideEvent(event)
        self._watch.stop()

    def _begin(self) -> None:
        """Tell the panel to begin, with what was chosen."""
        raise NotImplementedError

    def _offer(self, data: Data) -> str:
        """Fill the choices for a dataset with embeddings; return what there is to add to its line."""
        raise NotImplementedError

    def _known(self, data: Data) -> tuple:
        """What of a dataset this page shows; when it changes, the page is filled anew."""
        from glue_zoobot.catalog.record import record_of

        return (data.uuid, data.label, record_of(data).get("store"))

    def _refresh_chosen(self, *args: object) -> None:
        from glue_zoobot.catalog import embeddings_of, why_no_embeddings

        data = self.data
        self.catalogue.setVisible(self.catalogue.count() > 1)
        embeddings = None if data is None else embeddings_of(data)
        for widget in self._when_embedded:
            widget.setVisible(embeddings is not None)
        self.embed.setVisible(data is not None and embeddings is None)
        if data is None:
            self.text.setText(_EMPTY)
        elif embeddings is None:
            self.text.setText(f"{why_no_embeddings(data)}.")
        else:
            ready = f"<b>{data.label}</b>: {counted(len(embeddings), 'galaxy')} ready."
            self.text.setText(f"{ready} {self._offer(data)}")

    def _catalogues(self) -> list[Data]:
        from glue_zoobot.catalog import source_of
        from glue_zoobot.catalog.record import record_of

        one_dimensional = [data for data in self._collection if data.ndim == 1 and hasattr(data, "meta")]
        return [data for data in one_dimensional if record_of(data).get("store") or source_of(data)]
