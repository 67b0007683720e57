"""*Zoobot: Embed…*: choose an encoder, see what it sees and how long it takes, start."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.child import Child
from glue_zoobot.qt.embedded_already import embedded_already, why_not
from glue_zoobot.qt.jobs import EmbedRequest, duration
from glue_zoobot.qt.styles import paint, warn
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["EmbedDialog"]

_PICTURE = 104
_PICTURES = 4
_COLUMNS = ("Encoder", "Dimensions", "Size", "Licence", "On this computer")


class EmbedDialog(QtWidgets.QDialog):
    """
    Everything that decides an embedding, in one window; nothing is loaded in this process.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        A dataset with images.
    encoder : str, optional
        Name or path to start with; the best one that is on this computer if None.
    """

    def __init__(self, application: GlueApplication, data: Data, encoder: str | None = None) -> None:
        super().__init__(application)
        from glue_zoobot.catalog import source_of

        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"Embed {data.label}")
        self.resize(1000, 520)
        self._application, self._data, self._spec = application, data, source_of(data)
        self._wanted, self._store_chosen = encoder, False
        self._listed = ""
        self._rate: float | None = None
        self._probe: Child | None = None
        self._look_timer = QtCore.QTimer(self, singleShot=True, interval=200)
        self._look_timer.timeout.connect(self._look_for_earlier)
        self._build()
        self._probe_timer = QtCore.QTimer(self, singleShot=True, interval=400)
        self._probe_timer.timeout.connect(self._start_probe)
        self._work = run_in_thread(self, lambda: _list_encoders(data), self._fill_encoders, self._fail)
        self.finished.connect(self._release)

    @property
    def encoder(self) -> str:
        """Name or path of the chosen encoder; empty if none is."""
        typed = self.other.text().strip()
        item = self.encoders.currentItem()
        return typed or (item.data(0, Qt.UserRole) if item is not None else "")

    def request(self) -> EmbedRequest:
        """Return what the user has chosen."""
        return EmbedRequest(
            self._spec,
            Path(self.store.text()),
            self.encoder,
            self.device.currentText(),
            self.add_map.isChecked(),
        )

    # -- parts -------------------------------------------------------------------------------------

    def _build(self) -> None:
        columns = QtWidgets.QHBoxLayout()
        columns.setSpacing(20)
        columns.addLayout(self._choices(), 3)
        columns.addLayout(self._preview(), 2)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        heading = QtWidgets.QLabel(
            f"<b>Describe every image of {self._data.label} by a list of numbers</b>, so that look-alikes, "
            f"maps and outliers can be found. {counted(self._data.size, 'galaxy')} in {self._spec.path}",
            wordWrap=True,
        )
        self.already = QtWidgets.QLabel(wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        warn(self.already)
        layout.addWidget(heading)
        layout.addWidget(self.already)
        layout.addLayout(columns, 1)
        layout.addLayout(self._bottom())

    def _choices(self) -> QtWidgets.QLayout:
        self.encoders = QtWidgets.QTreeWidget(rootIsDecorated=False, alternatingRowColors=True)
        self.encoders.setHeaderLabels(list(_COLUMNS))
        self.encoders.setStyleSheet("QTreeView::item { padding: 2px 4px; }")
        self.encoders.currentItemChanged.connect(lambda item, _: item and self._on_listed(item))
        self.other = QtWidgets.QLineEdit(clearButtonEnabled=True)
        self.other.setPlaceholderText(
            "or another: hf_hub:owner/name, a timm name, a folder or .safetensors file"
        )
        self.other.textChanged.connect(self._on_typed)
        self.device = QtWidgets.QComboBox()
        self.device.addItem("auto")
        self.device.setToolTip("auto: the GPU if there is one")
        self.device.activated.connect(lambda *_: self._on_choice())
        self.store = QtWidgets.QLineEdit()
        self.store.textEdited.connect(self._on_store_edited)
        self.store.textChanged.connect(lambda *_: self._look_timer.start())
        browse = QtWidgets.QToolButton(text="…", toolTip="Choose a folder")
        browse.clicked.connect(self._browse)
        self.add_map = QtWidgets.QCheckBox("Add a map (PCA) when done", checked=True)
        form = QtWidgets.QGridLayout()
        form.setSpacing(8)
        form.addWidget(QtWidgets.QLabel("Compute on"), 0, 0)
        form.addWidget(self.device, 0, 1)
        form.addWidget(self.add_map, 0, 2, 1, 2, Qt.AlignRight)
        form.addWidget(QtWidgets.QLabel("Save in"), 1, 0)
        form.addWidget(self.store, 1, 1, 1, 2)
        form.addWidget(browse, 1, 3)
        form.setColumnStretch(2, 1)
        layout = QtWidgets.QVBoxLayout()
        layout.setSpacing(8)
        layout.addWidget(self.encoders, 1)
        layout.addWidget(self.other)
        layout.addLayout(form)
        return layout

    def _preview(self) -> QtWidgets.QLayout:
        grid = QtWidgets.QGridLayout()
        grid.setSpacing(6)
        grid.addWidget(QtWidgets.QLabel("<b>Image</b>", alignment=Qt.AlignCenter), 0, 0)
        grid.addWidget(QtWidgets.QLabel("<b>What the encoder sees</b>", alignment=Qt.AlignCenter), 0, 1)
        self.pictures = [(_frame(), _frame()) for _ in range(_PICTURES)]
        for row, pair in enumerate(self.pictures):
            for column, label in enumerate(pair):
                grid.addWidget(label, row + 1, column, Qt.AlignCenter)
        grid.setRowStretch(_PICTURES + 1, 1)
        return grid

    def _bottom(self) -> QtWidgets.QLayout:
        self.estimate = QtWidgets.QLabel(wordWrap=True)
        self.reason = warn(QtWidgets.QLabel(wordWrap=True, visible=False), problem=True)
        for label in (self.estimate, self.reason):
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())
        self.start_button = QtWidgets.QPushButton("Start", default=True)
        self.start_button.clicked.connect(self._start)
        cancel = QtWidgets.QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        layout = QtWidgets.QHBoxLayout()
        layout.addWidget(self.estimate, 1)
        layout.addWidget(self.reason, 1)
        layout.addWidget(cancel)
        layout.addWidget(self.start_button)
        self.start_button.setEnabled(False)
        return layout

    # -- encoders ----------------------------------------------------------------------------------

    def _fill_encoders(self, rows: list[dict[str, Any]]) -> None:
        from glue_zoobot.encoders import DEFAULT

        for row in sorted(rows, key=lambda row: not row["cached"]):
            here = "yes" if row["cached"] else "to be downloaded"
            size = f"{row['size_mb']:,.0f} MB" if row["size_mb"] else ""
            shown = Path(row["name"]).name  # of those that were trained here the folder
            item = QtWidgets.QTreeWidgetItem([shown, str(row["width"]), size, row["licence"], here])
            item.setData(0, Qt.UserRole, row["name"])
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignRight | Qt.AlignVCenter)
            item.setToolTip(0, f"{row['weights']}, {row['input_px']} px input")
            self.encoders.addTopLevelItem(item)
        for column in range(len(_COLUMNS)):
            self.encoders.resizeColumnToContents(column)
        self._select(self._wanted or _best(rows, DEFAULT))

    def _select(self, name: str) -> None:
        items = [self.encoders.topLevelItem(place) for place in range(self.encoders.topLevelItemCount())]
        matches = [item for item in items if name in (item.data(0, Qt.UserRole), item.text(0))]
        if matches:
            self.encoders.setCurrentItem(matches[0])
        else:
            self.other.setText(name)

    def _on_listed(self, item: QtWidgets.QTreeWidgetItem) -> None:
        self._listed = item.text(0)
        if self.other.text():
            self.other.clear()  # comes back as nothing typed
        else:
            self._on_choice()

    def _on_typed(self, text: str) -> None:
        """Let the list show no choice while another encoder is typed, and its last one when it is not."""
        chosen = self.encoders.currentItem()
        if text.strip() and chosen is not None:
            self.encoders.setCurrentItem(None)
        elif not text.strip() and chosen is None and self._listed:
            self._select(self._listed)  # comes back here
            return
        self._on_choice()

    def _on_choice(self) -> None:
        """React to another encoder or device: new store, new preview, new estimate."""
        self._allow(not self.other.text().strip(), "")  # what is listed is there; what is typed is looked for
        if self.encoder and not self._store_chosen:
            run_in_thread(self, lambda: _default_store(self._spec.path, self.encoder), self._set_store)
        self._rate = None
        self._say("Looking at a few galaxies…")
        self._look_timer.start()
        self._probe_timer.start()

    # -- store -------------------------------------------------------------------------------------

    def _set_store(self, path: Path) -> None:
        if not self._store_chosen:
            self.store.setText(str(path))

    def _on_store_edited(self, text: str) -> None:
        self._store_chosen = bool(text.strip())

    def _browse(self) -> None:
        path = QtWidgets.QFileDialog.getExistingDirectory(
            self, "Folder for the embeddings", self.store.text()
        )
        if path:
            self._store_chosen = True
            self.store.setText(path)

    def _look_for_earlier(self) -> None:
        """Say what there is already; the answer to an earlier choice is dropped."""
        data, store, encoder = self._data, self.store.text().strip(), self.encoder

        def look() -> tuple[str, str]:
            known = embedded_already(data, Path(store), encoder) if store else ""
            return known, why_not(encoder, store)

        def show(found: tuple[str, str]) -> None:
            if (store, encoder) == (self.store.text().strip(), self.encoder):
                self.already.setText(found[0])
                self.already.setVisible(bool(found[0]))
                self._allow(not found[1], found[1])

        run_in_thread(self, look, show)

    def _allow(self, possible: bool, reason: str) -> None:
        """Enable Start, or say beside it why it is not."""
        self.start_button.setEnabled(possible and bool(self.encoder))
        self.reason.setText(reason[:1].upper() + reason[1:])
        self.reason.setVisible(bool(reason))
        self.estimate.setVisible(not reason)

    # -- preview and estimate ------------------------------------------------------------------------

    def _start_probe(self) -> None:
        self._stop_probe()
        if not self.encoder:
            return
        for pair in self.pictures:
            for label in pair:
                label.clear()
        asked = {
            "source": self._spec.to_dict(),
            "encoder": self.encoder,
            "device": self.device.currentText(),
        }
        self._probe = Child(["-m", "glue_zoobot.qt.probe", json.dumps(asked)], self)
        self._shown = 0
        self._probe.said.connect(self._on_probe_event)
        self._probe.ended.connect(self._on_probe_ended)
        self._probe.start()

    def _on_probe_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "devices":
            self._offer_devices(event["devices"])
        elif kind == "view" and self._shown < _PICTURES:
            self._show_pair(event)
        elif kind == "rate":
            self._rate = event["rate"]
            time = duration(self._data.size / self._rate)
            self._say(
                f"<b>About {time}</b> for {counted(self._data.size, 'galaxy')} "
                f"({self._rate:,.0f} images/s here)."
            )
        elif kind in ("note", "error"):
            self._say(event.get("text") or event.get("message", ""))

    def _show_pair(self, event: dict[str, Any]) -> None:
        for label, name in zip(self.pictures[self._shown], ("image", "seen"), strict=True):
            pixmap = QtGui.QPixmap()
            pixmap.loadFromData(base64.b64decode(event[name]))
            label.setPixmap(pixmap.scaled(_PICTURE, _PICTURE, Qt.KeepAspectRatio, Qt.SmoothTransformation))
            label.setToolTip(event["object_id"])
        self._shown += 1
        if self._shown == _PICTURES:
            self._say("Measuring the speed…")

    def _on_probe_ended(self, code: int, crashed: bool) -> None:
        if crashed or code not in (0, 1):
            self._say("The speed could not be measured here; the job may still work.")

    def _offer_devices(self, names: list[str]) -> None:
        for name in names:
            if self.device.findText(name) < 0:
                self.device.addItem(name)

    def _say(self, text: str) -> None:
        self.estimate.setText(text)

    def _fail(self, error: Exception) -> None:
        self._say(str(error))

    # -- end ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        from glue_zoobot.qt.jobs_panel import jobs_panel

        request = self.request()
        self._stop_probe()  # the processor is wanted for the job
        jobs_panel(self._application).embed(self._data, request)
        self.accept()

    def _stop_probe(self) -> None:
        if self._probe is not None:
            self._probe.abandon()
            self._probe = None

    def _release(self, *args: Any) -> None:
        self._probe_timer.stop()
        self._look_timer.stop()
        self._work.drop()
        self._stop_probe()


def _list_encoders(data: Data) -> list[dict[str, Any]]:
    """List known encoders, after those that were trained on this dataset."""
    from glue_zoobot.catalog.encoders import trained_encoders
    from glue_zoobot.encoders import find, listing

    rows = []
    for folder in trained_encoders(data):
        try:
            spec = find(folder)
        except ZoobotError:
            continue
        size = (folder / "model.safetensors").stat().st_size / 1e6
        rows.append(
            {
                "name": str(folder),
                "width": spec.width,
                "size_mb": size,
                "licence": "trained here",
                "cached": True,
                "weights": str(folder),
                "input_px": spec.input_size,
            }
        )
    return [*rows, *listing()]


def _default_store(source: str, encoder: str) -> Path:
    from glue_zoobot.embedding import default_store

    return default_store(source, Path(encoder).name if Path(encoder).is_absolute() else encoder)


def _best(rows: list[dict[str, Any]], default: str) -> str:
    """Return the default encoder if it is here, else the first that is, else the default."""
    here = [row["name"] for row in rows if row["cached"]]
    here.sort(key=lambda name: Path(name).is_absolute())  # what was trained here is chosen by the user
    return default if default in here or not here else here[0]


def _frame() -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(alignment=Qt.AlignCenter)
    label.setFixedSize(_PICTURE, _PICTURE)
    return paint(label, "background: #202020; border-radius: 3px;")
