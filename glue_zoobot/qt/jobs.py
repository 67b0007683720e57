"""Long work in child processes: it can be cancelled, can crash, and can be resumed, and glue lives on."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtWidgets

from glue_zoobot.qt.child import Child
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.images import SourceSpec

__all__ = ["ChildJob", "EmbedJob", "EmbedRequest", "counted", "duration", "pace", "source_options"]

_CANCELLED = 130  # exit code of a command that was asked to stop


class ChildJob(QtCore.QObject):
    """
    A command of ours in a child process, for a dataset; over any number of interruptions.

    Parameters
    ----------
    data : Data
        Gets the result, if it still exists then.
    title : str
    parent : QObject, optional

    Attributes
    ----------
    state : str
        ``running``, ``cancelling``, ``cancelled``, ``failed`` or ``done``.
    message : str
        The state in plain words.
    detail : str
        What the process wrote to standard error.
    done, total, broken : int
        Images so far; `total` is 0 until it is known.
    changed : Signal()
        Something of the above changed.
    finished : Signal()
        The result is with the dataset.
    """

    changed = QtCore.Signal()
    finished = QtCore.Signal()
    started_text = "Starting…"
    stopped_text = "Stopped."
    bar_format = "%v of %m"

    def __init__(self, data: Data, title: str, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.state, self.message, self.detail = "cancelled", "", ""
        self.done = self.total = self.broken = 0
        self._data = weakref.ref(data)
        self._child: Child | None = None
        self._outcome: dict[str, Any] = {}

    def arguments(self) -> list[str]:
        """Return the arguments of the Python interpreter that does the work."""
        raise NotImplementedError

    def succeed(self, outcome: dict[str, Any]) -> None:
        """Use what the process has made; called when it has ended well."""
        raise NotImplementedError

    def make_view(self) -> QtWidgets.QWidget | None:
        """Return what shows more of the job than a bar, if anything does."""
        return None

    def offers(self) -> list[tuple[str, str, Callable[[], object]]]:
        """What can be done with the result: text, tip and action of a button each."""
        return []

    def hear(self, event: dict[str, Any]) -> None:
        """Take in what the process says of its progress."""
        if event["event"] == "progress":
            self.done, self.total, self.broken = event["done"], event["total"], event["broken"]

    def text_of(self, event: dict[str, Any]) -> str:
        """Return what an event means for the user; empty if nothing."""
        return _text_of(event)

    @property
    def data(self) -> Data | None:
        """The dataset; None if it is gone."""
        return self._data()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int:
        """Process id of the child; 0 if there is none."""
        return self._child.pid if self._child is not None else 0

    def start(self) -> None:
        """Start, or go on where it was stopped."""
        if self.running:
            return
        self._outcome = {}
        self._child = Child(self.arguments(), self)
        self._child.said.connect(self._on_event)
        self._child.ended.connect(self._on_ended)
        self.become("running", self.started_text)
        self._child.start()

    def cancel(self) -> None:
        """Stop cleanly."""
        if self.running:
            self.become("cancelling", "Stopping…")
            self._child.cancel()

    def stop_now(self) -> None:
        """Stop before returning, for the moment when glue closes."""
        if self._child is not None:
            self._child.stop_now()

    def become(self, state: str, message: str) -> None:
        """Change the state and say so."""
        self.state, self.message = state, message
        self.changed.emit()

    def _on_event(self, event: dict[str, Any]) -> None:
        self.hear(event)
        if event["event"] in ("done", "error", "cancelled"):
            self._outcome = event
        if self.state == "running":  # the last words of a cancelled job are for a terminal
            self.message = self.text_of(event) or self.message
        self.changed.emit()

    def _on_ended(self, code: int, crashed: bool) -> None:
        self.detail = self._child.errors
        self._child.deleteLater()
        self._child = None
        kind = self._outcome.get("event")
        if code == 0 and not crashed:
            self.succeed(self._outcome)
        elif self.state == "cancelling" or kind == "cancelled" or code == _CANCELLED:
            self.become("cancelled", self.stopped_text)
        elif kind == "error":
            self.become("failed", str(self._outcome.get("message", "")))
        elif code == 1 and self.detail.startswith("glue-zoobot: "):
            self.become("failed", " ".join(self.detail.removeprefix("glue-zoobot: ").split()))
        else:
            self.become("failed", f"{_broke_off(code, crashed)} {self.stopped_text}")
        if self.state in ("cancelled", "failed"):
            self.stopped()

    def stopped(self) -> None:
        """React to an end before the end."""


@dataclass(frozen=True)
class EmbedRequest:
    """
    What is to be embedded, how, and where the result goes.

    Parameters
    ----------
    spec : SourceSpec
        The images.
    store : Path
        Folder of the embeddings.
    encoder : str
        Name or path of the encoder.
    device : str
        ``auto``, ``cpu``, ``cuda``, ...
    add_map : bool
        Whether to add a PCA map when everything is embedded.
    """

    spec: SourceSpec
    store: Path
    encoder: str
    device: str = "auto"
    add_map: bool = True

    def arguments(self) -> list[str]:
        """Return the arguments of the Python interpreter that does it; never a shell line."""
        command = ["-m", "glue_zoobot", "embed", self.spec.path, "--store", str(self.store)]
        return [
            *command, "--encoder", self.encoder, "--json", *source_options(self.spec), "--device", self.device
        ]  # fmt: skip


def source_options(spec: SourceSpec) -> list[str]:
    """Return the options of a verb that say how the images of a source are found."""
    optional = {
        "--id-column": spec.id_column,
        "--image-column": spec.image_column,
        "--image-root": spec.image_root,
        "--bands": spec.bands,
        "--preset": spec.preset,
        "--mosaic": spec.mosaic,
        "--size": spec.size,
        "--size-column": spec.size_column,
        "--size-factor": spec.size_factor,
        "--position": spec.position,
    }
    return [text for name, value in optional.items() if value is not None for text in (name, str(value))]


class EmbedJob(ChildJob):
    """
    One embedding of one dataset, from the first image until it is attached.

    Parameters
    ----------
    data : Data
    request : EmbedRequest
    parent : QObject, optional
    """

    stopped_text = "What is embedded is kept; Resume goes on from there."

    def __init__(self, data: Data, request: EmbedRequest, parent: QtCore.QObject | None = None) -> None:
        super().__init__(data, f"Embed {data.label} with {Path(request.encoder).name}", parent)
        self.request = request

    def arguments(self) -> list[str]:
        return self.request.arguments()

    def text_of(self, event: dict[str, Any]) -> str:
        text = super().text_of(event)
        return f"{text} · {self._usable()}".strip(" ·") if event["event"] == "progress" else text

    def _usable(self) -> str:
        """Say how much of what is done is in use already; empty if nothing is."""
        from glue_zoobot.catalog.embeddings import known_embeddings

        known = None if self.data is None else known_embeddings(self.data)
        if known is None or known.path != Path(os.path.abspath(self.request.store)):  # noqa: PTH100
            return ""
        return f"{len(known):,} of {known.part.total:,} can be searched so far"

    def succeed(self, outcome: dict[str, Any]) -> None:
        """Hand the embeddings to the dataset; they are read off the GUI thread."""
        from glue_zoobot.catalog import attach_embeddings

        self.broken = int(outcome.get("broken", 0))
        self.done = self.total = max(self.total, int(outcome.get("embedded", 0)) + self.broken)
        data = self.data
        if data is None:
            self.become("done", "Embedded; the dataset was closed meanwhile.")
            return
        self.become("running", "Reading the embeddings…")
        run_in_thread(
            self,
            lambda: attach_embeddings(data, self.request.store),
            self._attached,
            lambda error: self.become("failed", str(error)),
        )

    def stopped(self) -> None:
        """Count what is stored: the process has counted what it had embedded, some of it not yet saved."""
        run_in_thread(self, lambda: _stored(self.request.store), self._show_stored)

    def _show_stored(self, stored: tuple[int, int, int]) -> None:
        if not self.running:  # not resumed meanwhile
            self.done, self.total, self.broken = stored
            self.changed.emit()

    def _attached(self, matched: int) -> None:
        broken = f", {counted(self.broken, 'image')} broken" if self.broken else ""
        self.become(
            "done", f"{counted(matched, 'galaxy')} embedded{broken}. Similar galaxies can be found now."
        )
        self.finished.emit()


def _stored(store: Path) -> tuple[int, int, int]:
    """Return how many images of a store are done, how many there are, and how many are broken."""
    from glue_zoobot.embedding import EmbeddingStore

    status = EmbeddingStore.open(store).status()
    return status.done, status.total, status.broken


def duration(seconds: float) -> str:
    """Say a time in plain words, as rough as its use: ``40 s``, ``7 min``, ``3.2 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _text_of(event: dict[str, Any]) -> str:
    """Return what an event means for the user; empty if nothing."""
    if event["event"] == "found":
        return f"{str(event.get('text', '')).splitlines()[0]} · Loading the encoder…"
    if event["event"] == "progress":
        return _progress_text(event)
    return str(event.get("text", ""))


def pace(event: Mapping[str, Any]) -> list[str]:
    """Say how fast it goes and how long it still takes, as far as an event tells."""
    parts = [f"{event['rate']:,.0f} images/s"] if event.get("rate") else []
    left = event.get("seconds_left")
    return parts if left is None else [*parts, f"{duration(left)} left"]


def _progress_text(event: dict[str, Any]) -> str:
    parts = pace(event)
    if event.get("broken"):
        parts.append(f"{event['broken']:,} broken so far")
    return " · ".join(parts) or "Working…"


def _broke_off(code: int, crashed: bool) -> str:
    if not crashed:
        return f"The job ended with code {code}."
    if code == 9:
        return "The system stopped the job, most likely because memory ran out."
    return f"The job broke off (signal {code})."
