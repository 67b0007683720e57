"""*Zoobot: Train encoder…*: learn an encoder from the images of a dataset themselves, as a job."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.child import Child
from glue_zoobot.qt.styles import paint
from glue_zoobot.qt.train.columns import class_columns, fraction_columns
from glue_zoobot.qt.train.jobs import TrainRequest, as_options
from glue_zoobot.qt.train.parts import TrainDialog, number_edit, spin
from glue_zoobot.training.defaults import PRETRAIN_EPOCHS

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["TrainEncoderDialog"]

_AUGMENTATIONS = (
    ("rotate", "by any angle"),
    ("flip", "mirrored"),
    ("jitter", "the centre moves by up to 3 % of the frame"),
    ("zoom", "field of view by up to 1.3 either way"),
    ("dust", "reddened by a random E(B−V); leave it out where colour is what you are after"),
    ("blur", "seeing, up to 1.2 pixels"),
    ("exposure", "gain within 1.25 either way, and a sky level"),
    ("noise", "Gaussian noise"),
)
_OBJECTIVES = (("SimCLR (contrastive)", "simclr"), ("VICReg (without negatives)", "vicreg"))
_SCRATCH = (
    ("from scratch: regnety_002, small", "regnety_002"),
    ("from scratch: convnext_nano", "convnext_nano"),
)
_FEWEST = 32
_FEW = 5000
_WAIT_MS = 500
_SHEET = QtCore.QSize(560, 320)


class TrainEncoderDialog(TrainDialog):
    """
    Everything that decides a training without labels.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        With images.
    """

    verb = "pretrain"

    def __init__(self, application: GlueApplication, data: Data) -> None:
        super().__init__(application, data, f"Train an encoder on {data.label}")
        from glue_zoobot.catalog.encoders import encoder_folder

        self._scratch = tempfile.TemporaryDirectory(prefix="glue-zoobot-", ignore_cleanup_errors=True)
        self._drawing: Child | None = None
        self._drawn: tuple[str, ...] = ()
        self._draw_timer = QtCore.QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._draw_timer.timeout.connect(self._draw)
        self.finished.connect(self._release)
        self._build()
        self.folder.setText(str(encoder_folder(data, f"{data.label}-encoder")))
        self.show_unfinished()
        self.fill_encoders([(text, f"scratch:{name}") for text, name in _SCRATCH], "scratch:regnety_002")

    # -- parts -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        n = self._data.size
        few = f" With {n:,} images an encoder that has seen labels is hard to beat." if n < _FEW else ""
        self.heading.setText(
            f"<b>Learn an encoder from the images of {self._data.label} themselves</b>, without labels: two "
            "views of a galaxy are to be told from those of all others. For images unlike those of the "
            f"encoders that there are.{few}"
        )
        self._make_choices()
        left = QtWidgets.QVBoxLayout()
        left.addLayout(self._form())
        left.addStretch(1)
        columns = QtWidgets.QHBoxLayout()
        columns.setSpacing(18)
        columns.addLayout(left)
        columns.addLayout(self._augmentations(), 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setSpacing(10)
        for part in (self.heading, self.unfinished):
            layout.addWidget(part)
        layout.addLayout(columns, 1)
        where = QtWidgets.QHBoxLayout()
        where.addWidget(QtWidgets.QLabel("Save in"))
        where.addWidget(self.folder, 1)
        layout.addLayout(where)
        layout.addLayout(self.bottom())
        self.resize(960, 560)

    def _make_choices(self) -> None:
        self.objective = QtWidgets.QComboBox()
        for text, name in _OBJECTIVES:
            self.objective.addItem(text, name)
        self.epochs = spin(1, 10_000, PRETRAIN_EPOCHS, "How often each galaxy is shown")
        self.batch_size = spin(2, 8192, 128, "Galaxies per step; fewer need less memory")
        self.input_size = spin(0, 512, 0, "Pixels that the encoder sees; 0 takes that of the start, or 64")
        self.input_size.setSpecialValueText("as the start")
        self.learning_rate = number_edit(1e-3, "Highest rate of AdamW")
        self.probe = QtWidgets.QComboBox()
        self.probe.addItem("none", "")
        self.probe.setToolTip("Classes by which to watch whether neighbours are alike; they are not learnt")
        self.supervise = QtWidgets.QListWidget()
        self.supervise.setToolTip("Learnt beside, all questions at once; missing answers cost nothing")
        self.supervise.setMaximumHeight(110)
        self.supervise.setTextElideMode(Qt.ElideMiddle)  # long names differ at their ends
        self.supervise.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        classes = class_columns(self._data)
        for label in classes:
            self.probe.addItem(label, label)
        self.probe.setCurrentIndex(min(1, self.probe.count() - 1))
        for label in [*classes, *fraction_columns(self._data)]:
            item = QtWidgets.QListWidgetItem(label)
            item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsUserCheckable)
            item.setCheckState(Qt.Unchecked)
            self.supervise.addItem(item)
        for box in (self.objective, self.probe):
            box.activated.connect(self._changed)
        for field in (self.epochs, self.batch_size, self.input_size):
            field.valueChanged.connect(self._changed)
        self.supervise.itemChanged.connect(self._changed)

    def _form(self) -> QtWidgets.QLayout:
        form = QtWidgets.QFormLayout()
        form.addRow("Start", self.begin_from)
        form.addRow("Objective", self.objective)
        form.addRow("Epochs", self.epochs)
        form.addRow("Batch size", self.batch_size)
        form.addRow("Pixels", self.input_size)
        form.addRow("Learning rate", self.learning_rate)
        form.addRow("Compute on", self.device)
        form.addRow("Watch by", self.probe)
        if self.supervise.count():
            form.addRow("Learn too", self.supervise)
        return form

    def _augmentations(self) -> QtWidgets.QLayout:
        grid = QtWidgets.QGridLayout()
        self.augmentations = {}
        for place, (name, tip) in enumerate(_AUGMENTATIONS):
            box = QtWidgets.QCheckBox(name, checked=True, toolTip=tip)
            box.toggled.connect(self._changed)
            grid.addWidget(box, place // 4, place % 4)
            self.augmentations[name] = box
        self.sheet = QtWidgets.QLabel(
            "Drawing what the encoder will learn to ignore…", alignment=Qt.AlignCenter
        )
        self.sheet.setMinimumSize(_SHEET)
        paint(self.sheet, "background: palette(base); border-radius: 4px;")
        self.sheet.setWordWrap(True)
        layout = QtWidgets.QVBoxLayout()
        layout.addWidget(
            QtWidgets.QLabel("<b>What may change between two views</b>: the encoder learns to ignore it")
        )
        layout.addLayout(grid)
        layout.addWidget(self.sheet, 1)
        return layout

    # -- what is chosen --------------------------------------------------------------------------------

    @property
    def n_epochs(self) -> int:
        return self.epochs.value()

    def _without(self) -> list[str]:
        return [name for name, box in self.augmentations.items() if not box.isChecked()]

    def _look(self) -> dict[str, Any]:
        """What decides how a view looks."""
        start = str(self.begin_from.currentData() or "")
        scratch = start.startswith("scratch:")
        return {
            "architecture": start.removeprefix("scratch:") if scratch else None,
            "init": None if scratch else start,
            "input_size": self.input_size.value() or None,
            "without": self._without(),
        }

    def _options(self) -> dict[str, Any]:
        items = [self.supervise.item(k) for k in range(self.supervise.count())]
        return self._look() | {
            "objective": self.objective.currentData(),
            "batch_size": self.batch_size.value(),
            "learning_rate": float(self.learning_rate.text() or 0),
            "supervise": [item.text() for item in items if item.checkState() == Qt.Checked],
            "probe": self.probe.currentData() or None,
            "device": self.device.currentText(),
        }

    def request(self) -> TrainRequest:
        options = as_options({"epochs": self.n_epochs, **self._options()})
        start = self._look()["init"] or ""
        return TrainRequest("pretrain", Path(self.folder.text().strip()), options, start=start)

    def _changed(self, *args: Any) -> None:
        super()._changed()
        if self.begin_from.currentData() is None:
            return
        if self._data.size < _FEWEST:
            self.estimate.setText(f"{self._data.size} images are too few: at least {_FEWEST} are needed.")
            self.start_button.setEnabled(False)
            return
        if as_options(self._look()) != self._drawn:
            self._draw_timer.start()
        asked = TrainRequest("pretrain", Path(self._scratch.name) / "e", as_options(self._options()))
        self.estimator.ask(asked.arguments(self._spec), self.n_epochs)

    # -- contact sheet ---------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Let a child process draw; another choice takes its place."""
        self._stop_drawing()
        self._drawn = as_options(self._look())
        path = Path(self._scratch.name) / "sheet.png"
        request = TrainRequest(
            "pretrain", Path(self._scratch.name) / "e", (*self._drawn, "--preview", str(path))
        )
        self._drawing = Child(request.arguments(self._spec), self)
        self._drawing.said.connect(lambda event: self._on_drawn(event, path))
        self._drawing.start()

    def _on_drawn(self, event: dict[str, Any], path: Path) -> None:
        if event["event"] == "done":
            pixmap = QtGui.QPixmap(str(path))
            self.sheet.setPixmap(
                pixmap.scaled(self.sheet.size(), Qt.KeepAspectRatio, Qt.SmoothTransformation)
            )
            self.sheet.setToolTip("Each column shows one augmentation, the last two all together")
        elif event["event"] == "error":
            self.sheet.setText(event["message"])

    def _stop_drawing(self) -> None:
        if self._drawing is not None:
            self._drawing.abandon()
            self._drawing = None

    def _release(self, *args: Any) -> None:
        self._draw_timer.stop()
        self._stop_drawing()
        self._scratch.cleanup()
