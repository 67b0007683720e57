"""*Fine-tune…*: train the network itself towards what is taught; a job of minutes or hours."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.styles import warn
from glue_zoobot.qt.train.jobs import TrainRequest
from glue_zoobot.qt.train.parts import TrainDialog, number_edit, spin
from glue_zoobot.training.defaults import FINETUNE_EPOCHS, PATIENCE
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["FinetuneDialog"]

_FEW = 200
_BLOCKS = (("all blocks", -1), ("the last block", 1), ("the last two", 2), ("the last three", 3))
_NUMBERS = (
    ("learning_rate", 1e-3, "Highest rate of AdamW, that of the head"),
    ("layer_decay", 1.0, "Rate of a block by that of the one above"),
    ("weight_decay", 0.05, "Of AdamW"),
    ("dropout", 0.5, "Of the features before the head"),
)


class FinetuneDialog(TrainDialog):
    """
    Everything that decides a fine-tuning.

    Parameters
    ----------
    application : GlueApplication
    state : Teaching
        With labels.
    """

    verb = "finetune"

    def __init__(self, application: GlueApplication, state: Teaching) -> None:
        super().__init__(application, state.data, f"Fine-tune to {state.target}")
        from glue_zoobot.catalog.encoders import encoder_folder

        self._target, self._labels = state.target, state.labels_by_id()
        self._kind = state.label_kind
        self._scratch = tempfile.TemporaryDirectory(prefix="glue-zoobot-", ignore_cleanup_errors=True)
        self.finished.connect(lambda *_: self._scratch.cleanup())
        self._build()
        start = state.encoder_path()
        self.folder.setText(str(encoder_folder(self._data, f"{self._target}-{Path(start).name}")))
        self._write_labels()
        self.show_unfinished()
        self.fill_encoders([], start)

    def _build(self) -> None:
        n = len(self._labels)
        self.heading.setText(
            f"<b>Train the network itself towards {self._target}.</b> {_counted(self._labels, self._kind)} "
            "One in five, chosen by a hash of its id, is held out to stop in time and to measure by. "
            "The head of a moment ago stays as it is."
        )
        self.warning = QtWidgets.QLabel(wordWrap=True, visible=n < _FEW)
        self.warning.setText(
            f"With {n:,} labels it seldom beats the head that <i>Train</i> makes in a second; "
            "from some hundred on it may."
        )
        warn(self.warning)
        self.epochs = spin(1, 1000, FINETUNE_EPOCHS, "At most; it ends when those held out gain nothing")
        self.patience = spin(1, 1000, PATIENCE, "Epochs without gain on those held out, after which it ends")
        self.blocks = QtWidgets.QComboBox()
        for text, number in _BLOCKS:
            self.blocks.addItem(text, number)
        self.grouped = QtWidgets.QCheckBox("neurons that act alike share a gradient")
        self.grouped.setToolTip("For few labels (Yoo et al. 2018)")
        self.batch_size = spin(2, 4096, 32, "Galaxies per step; fewer need less memory")
        self.numbers = {name: number_edit(value, tip) for name, value, tip in _NUMBERS}
        for signal in (self.epochs.valueChanged, self.batch_size.valueChanged, self.blocks.activated,
                       self.grouped.toggled):  # fmt: skip
            signal.connect(self._changed)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setSpacing(10)
        for part in (self.heading, self.warning, self.unfinished):
            layout.addWidget(part)
        layout.addLayout(self._form())
        layout.addStretch(1)
        layout.addLayout(self.bottom())
        self.resize(620, 350)

    def _form(self) -> QtWidgets.QLayout:
        grid = QtWidgets.QGridLayout()
        grid.setHorizontalSpacing(12)
        pairs = [
            ("Start from", self.begin_from), ("Epochs", self.epochs), ("Train", self.blocks),
            ("Patience", self.patience), ("Compute on", self.device), ("Batch size", self.batch_size),
        ]  # fmt: skip
        pairs += [(name.replace("_", " ").capitalize(), self.numbers[name]) for name, _, _ in _NUMBERS]
        for place, (text, widget) in enumerate(pairs):
            row, column = divmod(place, 2)
            grid.addWidget(QtWidgets.QLabel(text), row, 2 * column)
            grid.addWidget(widget, row, 2 * column + 1, Qt.AlignLeft)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        last = len(pairs) // 2
        grid.addWidget(self.grouped, last, 1, 1, 3)
        grid.addWidget(QtWidgets.QLabel("Save in"), last + 1, 0)
        grid.addWidget(self.folder, last + 1, 1, 1, 3)
        return grid

    # -- what is chosen --------------------------------------------------------------------------------

    @property
    def n_epochs(self) -> int:
        return self.epochs.value()

    def labels(self) -> dict[str, Any]:
        return self._labels

    def _options(self) -> dict[str, Any]:
        given = {name: float(field.text() or 0) for name, field in self.numbers.items()}
        return {
            "n_blocks": self.blocks.currentData(),
            "grouped": self.grouped.isChecked(),
            "batch_size": self.batch_size.value(),
            "patience": self.patience.value(),
            "device": self.device.currentText(),
            **given,
        }

    def request(self) -> TrainRequest:
        options = {"epochs": self.n_epochs, **self._options()}
        start = self.begin_from.currentData()
        return TrainRequest.of_labels(
            Path(self.folder.text().strip()), self._target, self._kind, start, options
        )

    def _changed(self, *args: Any) -> None:
        super()._changed()
        start = self.begin_from.currentData()
        if start is None:
            return
        here = Path(self._scratch.name)
        asked = TrainRequest.of_labels(here, self._target, self._kind, start, self._options())
        self.estimator.ask(asked.arguments(self._spec), self.n_epochs, at_most=True)

    def _write_labels(self) -> None:
        with (Path(self._scratch.name) / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("object_id", self._target), *self._labels.items()])


def _counted(labels: dict[str, Any], kind: str) -> str:
    if kind != "classes":
        return f"{counted(len(labels), 'galaxy')} with a value."
    counts = Counter(labels.values()).most_common(6)
    few = ", ".join(f"{count:,} {name}" for name, count in counts)
    return f"{counted(len(labels), 'labelled galaxy')}: {few}{' …' if len(set(labels.values())) > 6 else ''}."
