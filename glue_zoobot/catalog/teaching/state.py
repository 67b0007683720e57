"""Teaching a class or a quantity from a few labels: one state that windows follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from echo import CallbackProperty
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage

from glue_zoobot.analysis.inputs import leaks
from glue_zoobot.catalog.drawn_over import DrawnOver
from glue_zoobot.catalog.embeddings import embeddings_of, require_embeddings
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.interest.log import explain_log, log_path_of, remember_log
from glue_zoobot.catalog.one_per_session import one_per_session
from glue_zoobot.catalog.record import record_of, relative_to_data
from glue_zoobot.catalog.teaching.classes import TaughtClass, name_of
from glue_zoobot.catalog.teaching.groups import is_cut, is_cut_label
from glue_zoobot.catalog.teaching.lesson import (
    Answer,
    Question,
    answer,
    columns_of,
    next_rows,
    predicted_chances,
)
from glue_zoobot.catalog.teaching.log import TargetLog
from glue_zoobot.catalog.teaching.sources import input_values
from glue_zoobot.catalog.teaching.tuned import Tuned
from glue_zoobot.catalog.teaching.undo import Step
from glue_zoobot.errors import AnalysisError, ZoobotError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure

__all__ = ["MODES", "TaughtClass", "Teaching", "known_targets", "teaching_of"]

MODES = ("uncertain", "likely", "unlike")
DUE = 5
"""New labels after which to train again, if that goes by itself."""

_FEW = 5  # labels of a class, with fewer of which figures mean little


class Teaching(Tuned, HubListener):
    """
    What one person teaches about a catalogue; one per data collection, see `teaching_of`.

    Training is in two steps, so that a window can put the slow one into a thread: `question` (arrays),
    `~glue_zoobot.catalog.teaching.lesson.answer` of it (any thread), `take` (columns, groups, the next
    galaxies). Predictions are columns named as those of ``glue-zoobot predict``, and groups of our own that
    cut on them; the user's are never touched.

    Attributes
    ----------
    curve : list of (int, Figure)
        The first figure of merit by number of labels.
    inputs : tuple of str
        Columns that are learned from beside the image.
    """

    mode = CallbackProperty("uncertain", docstring="What to label next: uncertain, likely or unlike")
    auto = CallbackProperty(False, docstring="Whether to train again by itself after a few labels")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self._forget()
        self.add_callback("mode", self._on_mode)
        self.add_callback("wanted", self._on_wanted)
        self.add_callback("threshold", self._on_threshold)
        self._drawn_over = DrawnOver(data_collection.hub, is_cut, is_cut_label)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    # -- what is known -----------------------------------------------------------------------------------

    @property
    def n_new(self) -> int:
        """Labels that the head does not know yet, or knows differently."""
        changed = sum(self._learned.get(row) != value for row, value in self.labels.items())
        return changed + sum(row not in self.labels for row in self._learned)

    @property
    def due(self) -> bool:
        """Whether to train again by itself now."""
        return self.auto and self._head is not None and (self.n_new >= DUE or not self._queue)

    @property
    def targets(self) -> list[str]:
        """What was taught about this catalogue so far, or has labels."""
        if self.data is None:
            return []
        logged = [] if self.log is None else self.log.log.targets()
        return list(dict.fromkeys([*self._remembered().get("targets", {}), *logged, self.target]))

    def warnings(self) -> list[str]:
        """What the user should know of the labels, one short sentence each."""
        conflicts = counted(len(self.conflicts), "galaxy")
        found = [f"{conflicts} with contradictory labels; the latest counts"]
        found = found if self.conflicts else []
        few = [f"{one.name} ({len(one.rows)})" for one in self.classes if 0 < len(one.rows) < _FEW]
        if few and self._head is not None:
            found.append(f"too few labels to judge by: {', '.join(few)}")
        embeddings = self._embeddings
        if self._head is not None and self.usable_head is None and embeddings is not None:
            other = self._head.provenance.get("encoder", "another encoder")
            now = embeddings.encoder_name
            found.append(f"what is predicted is by {other}; the embeddings are by {now} now: train again")
        clearer = self.clearer()
        if clearer is not None and clearer.flatters:
            found.append("the figures flatter: see Result")
        lost = self.n_without_embedding
        if lost == len(self.labels) > 0:
            found.append(self.why_not_yet().rstrip("."))
        elif lost:
            found.append(f"{counted(lost, 'labelled galaxy')} without embedding not used")
        return found + self.leaks()

    def leaks(self) -> list[str]:
        """Say which of `inputs` alone tell the labels."""
        if not self.inputs or not self.labels:
            return []
        rows = np.array(list(self.labels))
        kind = "number" if self.is_number else "classes"
        labels = np.array([v if self.is_number else name_of(v) for v in self.labels.values()])
        try:
            values = input_values(self.data, self.inputs)[rows]
        except AnalysisError as error:
            return [str(error)]
        return leaks(self.inputs, values, labels, kind)

    # -- beginning ---------------------------------------------------------------------------------------

    def open(self, data: Data, target: str, path: str | Path | None = None) -> None:
        """
        Take up a target of a catalogue, with its labels and head of earlier sessions.

        Parameters
        ----------
        data : Data
            With embeddings.
        target : str
            What is taught, such as "ring" or "redshift"; columns are named after it.
        path : path, optional
            The log; by default the one that the dataset remembers, or one beside its embeddings.

        Raises
        ------
        AnalysisError
            If there is no name or no embedding, or the file is no log. Nothing has changed then.
        """
        target = target.strip()
        if not target:
            raise AnalysisError("give a name to what you teach, such as ring; its columns are called so")
        if data not in self._collection:
            raise AnalysisError(f"{data.label} is not in this session; add it first")
        require_embeddings(data)
        log = TargetLog(data, target, path)
        self._forget()
        self.log, self.note = log, explain_log(log)
        self.data, self.target, self.current = data, target, None
        remember_log(data, log.path)  # also if embeddings by another encoder are used, in another folder
        self._recall()
        self._read_labels()
        if self._head is not None and self.lesson is None:  # taught elsewhere: none of these is news to it
            self._learned = dict(self.labels)

    def take_up(self) -> None:
        """Take up what a restored session was teaching, if anything."""
        if self.data is not None:
            return
        for data in self._collection:
            remembered = record_of(data).get("teaching") if hasattr(data, "meta") else None
            if remembered and remembered.get("target"):
                try:
                    self.open(data, remembered["target"])
                except ZoobotError as error:
                    self.note = str(error)
                return

    # -- training ----------------------------------------------------------------------------------------

    def question(self) -> Question:
        """
        Gather what is trained from, and what to suggest.

        Raises
        ------
        AnalysisError
            If there is no catalogue, no embeddings (any more), or a column is gone.
        """
        self._check_open()
        embeddings = require_embeddings(self.data)
        ids = object_ids_of(self.data)
        values = input_values(self.data, self.inputs) if self.inputs else None
        hidden = np.array([*self.labels, *self._skipped], dtype=np.int64)
        return Question(
            self.target, embeddings, ids[embeddings.rows], self.labels_by_id(), self.label_kind, self.inputs,
            values, hidden, self.mode, self.wanted,
        )  # fmt: skip

    def take(self, found: Answer) -> None:
        """Write predictions to columns and groups, and show what comes next, unless it came too late."""
        if not self._fits(found.question):
            return
        before = self._snapshot()
        self.lesson, self._head, self._rows = found.lesson, found.lesson.head, found.rows
        self._learned = {row: found.question.labels[str(name)] for row, name in self._named(found)}
        self._grow_curve(len(found.rows), found.lesson.figures)
        self._show_predictions(found.lesson.head, found.columns, found.chances)
        self.take_next(found.question, found.show)
        self._keep_lesson(found.lesson)
        if not self.auto:  # else a training would stand between the user and the label he wants back
            text = f"training with {counted(len(found.rows), 'label')}"
            self.steps.add(Step(text, lambda: self._go_back(before)))
        self.changes += 1

    def take_next(self, question: Question, rows: np.ndarray) -> None:
        """Take up suggested rows, the first to be shown first, unless they came too late."""
        if not self._fits(question) or question.mode != self.mode:
            return
        known = set(self.labels) | self._skipped
        self._queue.drop_all((*MODES, "spread"))
        fresh = [row for row in rows.tolist() if row not in known]
        self._queue.put_last(fresh, "spread" if self._head is None else self.mode)
        self._show_next()

    def train(self) -> None:
        """Train, predict and show it at once, as long as it takes."""
        self.take(answer(self.question()))

    def suggest(self) -> None:
        """Choose what to label next at once, as long as it takes."""
        question = self.question()
        self.take_next(question, next_rows(question, self.usable_head))

    def use_inputs(self, columns: Sequence[str]) -> None:
        """Learn from these columns beside the image from the next training on."""
        before = self._snapshot()
        self.inputs = tuple(columns)
        self._learned = {}
        self._remember()
        self.steps.add(Step("choice of columns", lambda: self._go_back(before)))
        self.changes += 1

    # -- heads on disk -----------------------------------------------------------------------------------

    def save_head(self, path: str | Path) -> Path:
        """
        Write the head to a folder of the user's, for ``glue-zoobot predict`` and other catalogues.

        Raises
        ------
        AnalysisError
            If nothing is taught yet, or it cannot be written.
        """
        if self._head is None:
            raise AnalysisError("nothing is taught yet; train first")
        return self._head.save(path)

    def load_head(self, data: Data, path: str | Path) -> None:
        """
        Predict with a head that was taught elsewhere, on embeddings of the same encoder.

        Raises
        ------
        AnalysisError
            If it is no head, or of another encoder; the message names both. Nothing has changed then.
        """
        from glue_zoobot.analysis.heads import Head

        head = Head.load(path)
        embeddings = require_embeddings(data)
        inputs = tuple(json.loads(head.provenance.get("inputs", "[]")))
        values = input_values(data, inputs) if inputs else None
        none = np.empty(0, dtype=np.int64)
        question = Question(head.target, embeddings, none, {}, None, inputs, values, none, self.mode, "")
        head.check_encoder(question.provenance())
        columns = columns_of(head, embeddings, question.matrix)
        if (data, head.target) != (self.data, self.target):
            self.open(data, head.target)
        before = self._snapshot()
        self.inputs, self._head, self.lesson = inputs, head, None
        self._learned, self.curve = dict(self.labels), []
        self._show_predictions(head, columns, predicted_chances(head, columns))
        self._folder = relative_to_data(data, path)
        self._remember()
        name = Path(path).parent.name if Path(path).name == "head" else Path(path).name  # of an encoder
        self.steps.add(Step(f"use of the head {name}", lambda: self._go_back(before)))
        told = counted(int(head.provenance.get("labels", 0)), "galaxy")
        self.note = f"{head.target} is predicted by {name}, taught with {told}"
        self.changes += 1

    def use_votes(self, data: Data, head: Head) -> None:
        """
        Predict what volunteers would answer, with a head from `~.teaching_votes.learn_votes`; keep it.

        Raises
        ------
        AnalysisError
            If it cannot be kept, or the embeddings have changed meanwhile.
        """
        if (data, head.target) != (self.data, self.target):
            self.open(data, head.target)
        if self.lesson is not None or self.labels:
            raise AnalysisError(
                f"{head.target} is taught by labels already; give the columns of votes another name, or "
                "remove its classes"
            )
        self.load_head(data, head.save(self._lesson_folder()))

    # -- bookkeeping -------------------------------------------------------------------------------------

    def _fits(self, question: Question) -> bool:
        """Whether an answer is still about what is on the screen."""
        if self.data is None or question.target != self.target or question.inputs != self.inputs:
            return False
        return embeddings_of(self.data) is question.embeddings

    def _named(self, found: Answer) -> list[tuple[int, str]]:
        """Rows and ids of all labels that were given to training, used or not."""
        where = {str(self._id(row)): row for row in self.labels}
        where |= {str(self._id(row)): int(row) for row in found.rows}
        return [(where[name], name) for name in found.question.labels if name in where]

    def _grow_curve(self, n: int, figures: list[Figure]) -> None:
        self.curve = [point for point in self.curve if point[0] < n]
        if figures and np.isfinite(figures[0].value):
            self.curve.append((n, figures[0]))

    def _on_mode(self, mode: str) -> None:
        if mode not in MODES:
            raise AnalysisError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
        self._queue.drop_all(MODES)

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if message.data is self.data:
            self._forget()
            self.current = self.data = None
            self.target = ""
            self.changes += 1


def known_targets(data: Data) -> list[str]:
    """Return what was taught about a catalogue before: what it remembers, and what its log has labels of."""
    from glue_zoobot.analysis.labels import LabelLog

    try:
        logged = LabelLog(log_path_of(data)).targets()
    except AnalysisError:  # no log; opening the catalogue will say so
        logged = []
    return list(dict.fromkeys([*record_of(data).get("teaching", {}).get("targets", {}), *logged]))


def teaching_of(data_collection: DataCollection) -> Teaching:
    """
    Return what is taught in a session, taken up from its log and head if the session was restored.

    Parameters
    ----------
    data_collection : DataCollection

    Returns
    -------
    Teaching
        Always the same for the same data collection.
    """
    return one_per_session(Teaching, data_collection)
