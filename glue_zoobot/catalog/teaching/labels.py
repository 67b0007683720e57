"""The labels of one target of a catalogue, and the galaxies that wait for one; without predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty

from glue_zoobot.catalog.embeddings import embeddings_of
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.interest.log import remember_log
from glue_zoobot.catalog.one_per_session import dataset_property
from glue_zoobot.catalog.queue import Queue
from glue_zoobot.catalog.teaching.classes import Classes, name_of
from glue_zoobot.catalog.teaching.log import TargetLog
from glue_zoobot.catalog.teaching.undo import Step, Steps
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.catalog.embeddings import RowEmbeddings
    from glue_zoobot.catalog.teaching.log import Conflict

__all__ = ["Labelling"]

_KNOWING = ("mistake", "conflict", "again")


class Labelling(Classes):
    """
    Labels by row, and a queue of galaxies to label; a base of `Teaching`.

    A label is on disk before anything else happens.

    Attributes
    ----------
    log : TargetLog or None
        The labels on disk.
    why : str
        Why `current` is shown.
    note : str
        What the user should know of the log and of what was done last; else empty.
    """

    why: str
    note: str
    _queue: Queue
    _skipped: set[int]

    data = dataset_property("The catalogue")
    current = CallbackProperty(None, docstring="Row of the galaxy to label now; None if there is none yet")

    @property
    def next_rows(self) -> tuple[int, ...]:
        """Rows that come next, the current one first."""
        return self._queue.rows

    @property
    def conflicts(self) -> list[Conflict]:
        """Galaxies with different labels; the latest counts."""
        return [] if self.log is None else self.log.conflicts()

    @property
    def n_without_embedding(self) -> int:
        """Labelled galaxies that cannot be learned from."""
        return len(self._without_embedding())

    @property
    def _embeddings(self) -> RowEmbeddings | None:
        return None if self.data is None else embeddings_of(self.data)

    def _without_embedding(self) -> set[int]:
        """Labelled rows that have no embedding; none if there are no embeddings at all."""
        embeddings = self._embeddings
        if embeddings is None:
            return set()
        rows = np.array(list(self.labels), dtype=np.int64)
        return set(rows[embeddings.positions[rows] < 0].tolist())

    def why_not_yet(self, of_images: bool = False) -> str:
        """Say what is missing to learn from embeddings, or from images themselves; empty if nothing is."""
        said = {str(value) for value in self.labels.values()}
        if not said:
            return "Label a few galaxies first."
        if not self.is_number and len(said) < 2:
            return f"All labels say {said.pop()}: label some galaxies as something else, too."
        lacking = set() if of_images else self._without_embedding()
        if not lacking:
            return ""
        usable = {str(value) for row, value in self.labels.items() if row not in lacking}
        then = "embed them (right-click the catalogue, Zoobot: Embed…), or label others"
        if not usable:
            return f"None of the {counted(len(lacking), 'labelled galaxy')} has an embedding: {then}."
        if not self.is_number and len(usable) < 2:
            return f"All labelled galaxies but those that are {usable.pop()} lack an embedding: {then}."
        return ""

    def labels_by_id(self) -> dict[str, Any]:
        """Labels that stand, by object id."""
        ids = object_ids_of(self.data)
        return {str(ids[row]): value for row, value in self.labels.items()}

    # -- labels ------------------------------------------------------------------------------------------

    def label(self, rows: int | Sequence[int], value: str | float) -> None:
        """
        Label a galaxy, or several alike; on disk before anything else changes.

        Parameters
        ----------
        rows : int or sequence of int
        value : str or float
            Name of the class, or the number.

        Raises
        ------
        AnalysisError
            If nothing is being taught, or it could not be written: then it does not count.
        """
        self._check_open()
        given = [int(row) for row in np.atleast_1d(rows)]
        is_current = given == [self.current]
        why = self.why if is_current else "chosen"
        what = f"label {value}" if len(given) == 1 else f"{len(given):,} labels {value}"
        self._record(dict.fromkeys(given, value), self._shown(given[0], why), what)
        self._queue.drop(given)
        self._show_next()

    def skip(self) -> None:
        """Pass over the current galaxy; it is not suggested again in this session."""
        if self.current is not None:
            self._skipped.add(self.current)
            self._queue.drop([self.current])
            self._show_next()
            self.changes += 1

    def review(self, rows: Sequence[int], why: str = "again") -> None:
        """Show galaxies now, whether or not they are labelled; a new label replaces the old one."""
        self._queue.put_first(rows, why)
        self._show_next()

    # -- taking back -------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is anything that could be taken back."""
        return bool(self.undo_text)

    @property
    def undo_text(self) -> str:
        """What `undo` takes back, in words; empty if there is nothing."""
        if self.steps.last is not None:
            return self.steps.last.text
        mine = self.log is not None and any(e.who == self.log.log.who for e in self.log.standing())
        return "the labels given last" if mine else ""

    def undo(self, of_labels: bool = False) -> int:
        """
        Take back what was done last; a galaxy whose label is taken back is shown again.

        Parameters
        ----------
        of_labels : bool
            Take back what was *labelled* last, whatever was done since.

        Returns
        -------
        int
            How many labels were taken back: several if they were given at once, by a subset or a column.
        """
        step = self.steps.pop(of_labels)
        if step is not None:
            return step.back()
        return self._take_back()  # of an earlier session

    def _take_back(self, gesture: str = "") -> int:
        if self.log is None:
            return 0
        taken = self.log.take_back(gesture)
        if not taken:
            return 0
        self._read_labels()
        if len(taken) == 1:
            self.review([self.log.row_of(taken[0])], taken[0].shown.get("why", "again"))
        return len(taken)

    def _withdraw(self, rows: Iterable[int]) -> None:
        self._check_open().withdraw(rows)
        self._read_labels()

    # -- bookkeeping -------------------------------------------------------------------------------------

    def _check_open(self) -> TargetLog:
        """Return the log; an error if nothing is being taught."""
        if self.log is None or self.data is None:
            raise AnalysisError("choose a catalogue and what to teach first")
        return self.log

    def _record(self, labels: Mapping[int, Any], shown: Mapping[str, Any], what: str = "") -> str:
        """Write labels of one gesture and return its id; as `what` it can be taken back."""
        if any(isinstance(value, str) for value in labels.values()) and self.is_number and self.labels:
            raise AnalysisError(f"{self.target} is a number; teach classes as another target")
        before = dict(self._colours)
        gesture = self._check_open().add_labels(labels, shown)
        self._after_recording()
        if what:
            self._keep_step(what, gesture, before)
        return gesture

    def _keep_step(self, what: str, gesture: str, colours: dict[str, str]) -> None:
        """Remember a gesture of labels, with the classes that there were before it."""

        def back() -> int:
            taken = self._take_back(gesture)
            new = [name for name in self._colours if name not in colours]
            if new and not any(one.rows for one in self.classes if one.name in new):
                self._recolour(colours)
            return taken

        self.steps.add(Step(what, back, of_labels=True))

    def _after_recording(self) -> None:
        self.note = ""
        remember_log(self.data, self._check_open().path)
        self._read_labels()
        self._remember()

    def _read_labels(self) -> None:
        log = self._check_open()
        labels: dict[int, Any] = {}
        for entry in log.standing():
            row = log.row_of(entry)
            labels.pop(row, None)  # so that those labelled last are last
            labels[row] = entry.value
        self.labels = labels
        if not self.is_number:
            self.labels = {row: name_of(value) for row, value in labels.items()}
            names = [one.name for one in self.classes]
            if self.wanted not in names:
                self.wanted = names[0] if names else ""
        self.changes += 1

    def _id(self, row: int) -> str:
        return str(object_ids_of(self.data)[row])

    def _shown(self, row: int, why: str) -> dict[str, Any]:
        """What the user was shown, and why, for the log."""
        shown: dict[str, Any] = {"why": why, "labels": len(self.labels)}
        if why in _KNOWING:
            shown["settles"] = True
        embeddings = embeddings_of(self.data)
        return shown if embeddings is None else shown | {"encoder": embeddings.encoder_name}

    def _show_next(self) -> None:
        row, self.why = self._queue.first
        self.current = row

    def _forget(self) -> None:
        self.log, self.labels, self.steps = None, {}, Steps()
        self._kind, self._colours = None, {}
        self._queue, self._skipped = Queue(), set()
        self.why = self.note = ""
