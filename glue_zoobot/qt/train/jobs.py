"""Trainings of an encoder as jobs: what was asked for, and what becomes of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtWidgets

from glue_zoobot.errors import EncoderError
from glue_zoobot.qt.jobs import ChildJob, pace, source_options
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.images import SourceSpec

__all__ = ["TrainJob", "TrainRequest"]

LABELS = "labels.csv"
_WORK, _REQUEST = "training", "request.json"


@dataclass(frozen=True)
class TrainRequest:
    """
    Which encoder is to be trained, and how.

    Parameters
    ----------
    verb : {"finetune", "pretrain"}
    folder : Path
        Of the new encoder.
    options : tuple of str
        Of the verb, as on the command line.
    target : str
        What is taught; of ``finetune``.
    start : str
        Encoder to start from; empty for random weights.
    """

    verb: str
    folder: Path
    options: tuple[str, ...]
    target: str = ""
    start: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def arguments(self, spec: SourceSpec) -> list[str]:
        """Return the arguments of the Python interpreter that does it; never a shell line."""
        return [
            "-m", "glue_zoobot", self.verb, spec.path, "-o", str(self.folder), "--json",
            *source_options(spec), *self.options,
        ]  # fmt: skip

    @classmethod
    def of_labels(
        cls, folder: Path, target: str, kind: str, start: str, options: Mapping[str, Any]
    ) -> TrainRequest:
        """Ask for fine-tuning with the labels that `keep` writes beside the encoder."""
        words = {"encoder": start, "labels": folder / LABELS, "target": target, "kind": kind, **options}
        return cls("finetune", folder, as_options(words), target, start)

    def keep(self, labels: Mapping[str, Any] | None = None) -> None:
        """
        Write down what is asked for, so that it can be gone on with after glue was closed.

        Raises
        ------
        EncoderError
            If the folder cannot be written.
        """
        try:
            (self.folder / _WORK).mkdir(parents=True, exist_ok=True)
            if labels is not None:
                with (self.folder / LABELS).open("w", newline="", encoding="utf-8") as stream:
                    csv.writer(stream).writerows([("object_id", self.target), *labels.items()])
            record = asdict(self) | {"folder": self.folder.name}
            (self.folder / _WORK / _REQUEST).write_text(json.dumps(record, indent=1), encoding="utf-8")
        except OSError as error:
            raise EncoderError(f"{self.folder} cannot be written ({error}); choose another place") from error

    @classmethod
    def recall(cls, folder: Path, record: Mapping[str, Any]) -> TrainRequest:
        """Read what `keep` wrote; the folder may have moved."""
        options = list(record["options"])
        if "--labels" in options:
            options[options.index("--labels") + 1] = str(folder / LABELS)
        return cls(
            str(record["verb"]), folder, tuple(options), str(record["target"]), str(record["start"]),
            dict(record.get("facts", {})),
        )  # fmt: skip


class TrainJob(ChildJob):
    """
    One training of an encoder on the images of a dataset.

    Parameters
    ----------
    data : Data
    request : TrainRequest
    parent : QObject, optional

    Attributes
    ----------
    epochs : list of dict
        What each epoch gave, from 0.
    learned : Signal()
        An epoch has ended.
    use_wanted, card_wanted, result_wanted : Signal(object)
        What is to be done with the result: this job.
    """

    learned = QtCore.Signal()
    use_wanted = QtCore.Signal(object)
    card_wanted = QtCore.Signal(object)
    result_wanted = QtCore.Signal(object)
    started_text = "Starting…"
    stopped_text = "What is learned is kept; Resume goes on from there."
    bar_format = "%p %"

    def __init__(self, data: Data, request: TrainRequest, parent: QtCore.QObject | None = None) -> None:
        name = request.folder.name
        what = f"Fine-tune {name} to {request.target}" if request.target else f"Train encoder {name}"
        super().__init__(data, f"{what} on {data.label}", parent)
        self.request = request
        self.epochs: list[dict[str, Any]] = []

    def arguments(self) -> list[str]:
        from glue_zoobot.catalog import source_of

        return self.request.arguments(source_of(self.data))

    def start(self) -> None:
        """Start, or go on where it was stopped; say so if the dataset is gone."""
        if self.data is None:
            self.become("failed", "The dataset was closed.")
        else:
            super().start()

    def make_view(self) -> QtWidgets.QWidget:
        """Curves that grow."""
        from glue_zoobot.qt.train.curves import CurvesView

        return CurvesView(self)

    def offers(self) -> list[tuple[str, str, Callable[[], object]]]:
        found = [
            ("Embed with it", "Describe every galaxy by the new encoder; what there is stays on disk",
             lambda: self.use_wanted.emit(self)),
            ("Card…", "From what it was made, how, and how it went", lambda: self.card_wanted.emit(self)),
        ]  # fmt: skip
        if self.request.target:
            tip = "Compare it with the encoder as it was"
            found.insert(0, ("Result", tip, lambda: self.result_wanted.emit(self)))
        return found

    def hear(self, event: dict[str, Any]) -> None:
        super().hear(event)
        if event.get("stage") == "reading":  # how far that is says nothing of how far the training is
            self.done = self.total = 0
        if event["event"] == "epoch":
            figures = {key: value for key, value in event.items() if key != "event"}
            self.epochs = [*(one for one in self.epochs if one["epoch"] < figures["epoch"]), figures]
            self.learned.emit()

    def text_of(self, event: dict[str, Any]) -> str:
        if event["event"] == "found":
            return "Reading the pictures…"
        if event["event"] == "progress":
            if event.get("stage") == "training" and event["done"] >= event["total"]:
                return "Measuring it on galaxies held out…" if self.request.target else "Writing it…"
            return _progress_text(event)
        return str(event.get("text", ""))

    def succeed(self, outcome: dict[str, Any]) -> None:
        """Remember the encoder with the dataset."""
        from glue_zoobot.catalog.encoders import remember_encoder

        self.done = self.total = max(self.total, 1)
        if self.data is None:
            self.become("done", f"The encoder is in {self.request.folder}; the dataset was closed meanwhile.")
            return
        remember_encoder(self.data, self.request.folder)
        self.become("done", self._ended())
        self.finished.emit()

    def _ended(self) -> str:
        from glue_zoobot.catalog.encoders import read_comparison

        compared = read_comparison(self.request.folder)
        text = f"The encoder {self.request.folder.name} is ready."
        return f"{text} {gain_text(compared)}" if compared else text

    def stopped(self) -> None:
        """Say what to do about what the user cannot know from the message of a command."""
        if self.state == "failed":
            self.become("failed", _advice(self.message))


def as_options(words: Mapping[str, Any]) -> tuple[str, ...]:
    """Write choices as options of a command; True is a flag, None and False are left out, lists repeat."""
    found: list[str] = []
    for name, value in words.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            found.append(option)
        elif isinstance(value, (list, tuple)):
            found += [word for one in value for word in (option, str(one))]
        elif value is not None and value is not False:
            found += [option, str(value)]
    return tuple(found)


def gain_text(compared: Mapping[str, Any]) -> str:
    """Say what fine-tuning gained on the galaxies held out, and whether that is more than chance."""
    name, value, low, high = compared["gain"]
    n = compared["held_out"]
    if value is None or low is None:
        return f"Held out: {counted(n, 'galaxy')}, too few to say what was gained."
    if value == low == high == 0:
        return f"Nothing was gained on {counted(n, 'galaxy')} held out: as good as the encoder was."
    text = (
        f"On {counted(n, 'galaxy')} held out the {name} changed by {value:+.2f} ({low:+.2f} to {high:+.2f})"
    )
    if low > 0:
        return f"{text}: better than before."
    if high < 0:
        return f"{text}: worse than before; keep the encoder you had."
    return f"{text}: so few galaxies cannot tell the two apart."


def _progress_text(event: Mapping[str, Any]) -> str:
    parts = []
    if event.get("stage") == "reading":
        parts.append(f"Reading the pictures: {event['done']:,} of {event['total']:,}")
    elif event.get("epoch"):
        parts.append(f"Epoch {event['epoch']} of {event['epochs']}")
    if event.get("loss") is not None:
        parts.append(f"loss {event['loss']:.3f}")
    parts += pace(event)
    return " · ".join(parts) or "Working…"


def _advice(message: str) -> str:
    """Put the options that a message of the command line names into the words of the window."""
    if message.startswith("The memory of "):
        return (
            message.split(" at step")[0] + ". What is learned is kept. Start again with fewer pixels, a "
            "smaller batch or a smaller network, or on the CPU."
        )
    if "ran away" in message:
        return "The training ran away (its loss is not a number any more). The last good state is kept; " + (
            "start again with a lower rate."
        )
    return message
