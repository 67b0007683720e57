"""Teaching a class or a quantity from a few labels: one state that windows follow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage
from glue.core.subset import ElementSubsetState

from glue_zoobot.catalog.columns import our_columns, provenance_of, write_columns
from glue_zoobot.catalog.embeddings import embeddings_of, why_no_embeddings
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.interest_log import explain_log, log_path_of
from glue_zoobot.catalog.record import record_of, relative_to_data, resolve, update_record
from glue_zoobot.catalog.teaching_expected import Chances, Expected
from glue_zoobot.catalog.teaching_groups import UNLIKE_COLOUR, find_cut, show_cut
from glue_zoobot.catalog.teaching_labels import Labelling, TaughtClass, name_of
from glue_zoobot.catalog.teaching_lesson import (
    Answer,
    Question,
    answer,
    columns_of,
    load_lesson,
    next_rows,
    predicted_chances,
    probability_columns,
    save_lesson,
)
from glue_zoobot.catalog.teaching_log import TargetLog
from glue_zoobot.catalog.teaching_review import Confusion, Mistake, confusion_of, mistakes_of, reliability_of
from glue_zoobot.catalog.teaching_sources import input_values, leak
from glue_zoobot.errors import AnalysisError, ZoobotError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure, Reliability
    from glue_zoobot.analysis.teaching import Lesson

__all__ = ["MODES", "TaughtClass", "Teaching", "known_targets", "teaching_of"]

MODES = ("uncertain", "likely", "unlike")
DUE = 5
"""New labels after which to train again, if that goes by itself."""

_THRESHOLD = 0.8
_MOST_GROUPS = 5  # classes that get a group each; of more only the one being looked at
_FEW = 5  # labels of a class, with fewer of which figures mean little


class Teaching(Labelling, HubListener):
    """
    What one person teaches about a catalogue; one per data collection, see `teaching_of`.

    Training is in two steps, so that a window can put the slow one into a thread: `question` (arrays),
    `~glue_zoobot.catalog.teaching_lesson.answer` of it (any thread), `take` (columns, groups, the next
    galaxies). Predictions are columns named as those of ``glue-zoobot predict``, and groups of our own that
    cut on them; the user's are never touched.

    Attributes
    ----------
    lesson : Lesson or None
        What the last training gave, with figures of merit.
    curve : list of (int, Figure)
        The first figure of merit by number of labels.
    inputs : tuple of str
        Columns that are learned from beside the image.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    mode = CallbackProperty("uncertain", docstring="What to label next: uncertain, likely or unlike")
    threshold = CallbackProperty(_THRESHOLD, docstring="Probability from which the wanted class is selected")
    auto = CallbackProperty(False, docstring="Whether to train again by itself after a few labels")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self._forget()
        self.add_callback("mode", self._on_mode)
        self.add_callback("wanted", self._on_wanted)
        self.add_callback("threshold", self._on_threshold)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    # -- what is known -----------------------------------------------------------------------------------

    @property
    def head(self) -> Head | None:
        """What predicts, if anything was taught or loaded."""
        return self._head

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

    def mistakes(self) -> list[Mistake]:
        """Held-out predictions that contradict a label that still stands, most confident first."""
        if self.lesson is None:
            return []
        found = mistakes_of(self.lesson, self._rows)
        return [one for one in found if self.labels.get(one.row) == self._learned.get(one.row)]

    def confusion(self) -> Confusion | None:
        """Give the confusion matrix of held-out predictions; None for a number or before training."""
        return None if self.lesson is None else confusion_of(self.lesson, self._rows)

    def expected(self, name: str | None = None, threshold: float | None = None) -> Expected | None:
        """What a threshold selects of a class, by default the present ones; None before training."""
        chances = self.chances(name)
        return None if chances is None else chances.expect(self.threshold if threshold is None else threshold)

    def chances(self, name: str | None = None) -> Chances | None:
        """Probabilities of a class over the catalogue, by default of the wanted one; None before training."""
        return self._chances.get(self.wanted if name is None else name)

    def reliability(self) -> Reliability | None:
        """Compare stated and observed probabilities, held out; None for a number or before training."""
        return None if self.lesson is None else reliability_of(self.lesson)

    @property
    def n_unlike(self) -> int:
        """Galaxies that are unlike anything labelled: what is said of them is an extrapolation."""
        column = self.column(f"{self.target}_unlike")
        return 0 if column is None else int(np.nansum(self.data[column]))

    @property
    def class_names(self) -> list[str]:
        """Classes that have a probability: of yes and no only yes."""
        return list(self._chances)

    def threshold_of(self, name: str) -> float:
        """Probability from which a class is selected."""
        return self._thresholds.get(name, _THRESHOLD)

    def column(self, label: str) -> ComponentID | None:
        """Return a column of predictions by the label it was asked for; None if it is not there."""
        return None if self.data is None else our_columns(self.data).get(label)

    def group(self, name: str) -> SubsetGroup | None:
        """Return the group of a class, or of "" for what is unlike anything labelled."""
        column = self._probability_labels.get(name) if name else f"{self.target}_unlike"
        found = None if column is None else self.column(column)
        return None if found is None else find_cut(self._collection, found)

    def warnings(self) -> list[str]:
        """What the user should know of the labels, one short sentence each."""
        found = [f"{len(self.conflicts):,} galaxies have contradictory labels; the latest counts"]
        found = found if self.conflicts else []
        few = [f"{one.name} ({len(one.rows)})" for one in self.classes if 0 < len(one.rows) < _FEW]
        if few and self._head is not None:
            found.append(f"too few labels to judge by: {', '.join(few)}")
        lost = self.n_without_embedding
        if lost:
            found.append(f"{lost:,} labelled galaxies have no embedding and are not used")
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
        found = [leak(name, values[:, k], labels, kind) for k, name in enumerate(self.inputs)]
        return [text for text in found if text]

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
        if embeddings_of(data) is None:
            raise AnalysisError(why_no_embeddings(data))
        log = TargetLog(data, target, path)
        self._forget()
        self.log, self.note = log, explain_log(log)
        self.data, self.target, self.current = data, target, None
        self._recall()
        self._read_labels()

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
        embeddings = embeddings_of(self.data)
        if embeddings is None:
            raise AnalysisError(why_no_embeddings(self.data))
        ids = object_ids_of(self.data)
        values = input_values(self.data, self.inputs) if self.inputs else None
        hidden = np.array([*self.labels, *self._skipped], dtype=np.int64)
        kind = "number" if self.is_number else "classes"
        return Question(
            self.target, embeddings, ids[embeddings.rows], self._labels_by_id(), kind, self.inputs, values,
            hidden, self.mode, self.wanted,
        )  # fmt: skip

    def take(self, found: Answer) -> None:
        """Write predictions to columns and groups, and show what comes next, unless it came too late."""
        if not self._fits(found.question):
            return
        self.lesson, self._head, self._rows = found.lesson, found.lesson.head, found.rows
        self._learned = {row: found.question.labels[str(name)] for row, name in self._named(found)}
        self._grow_curve(len(found.rows))
        self._show_predictions(found.columns, found.chances)
        self.take_next(found.question, found.show)
        self._keep_lesson()
        self.changes += 1

    def take_next(self, question: Question, rows: np.ndarray) -> None:
        """Take up suggestions, unless they came too late."""
        if not self._fits(question) or question.mode != self.mode:
            return
        asked = [item for item in self._queue if item[1] not in (*MODES, "spread")]
        known = {row for row, _ in asked} | set(self.labels) | self._skipped
        why = self.mode if self._head is not None else "spread"
        self._queue = asked + [(int(row), why) for row in rows if int(row) not in known]
        self._show_next()

    def train(self) -> None:
        """Train, predict and show it at once, as long as it takes."""
        self.take(answer(self.question()))

    def suggest(self) -> None:
        """Choose what to label next at once, as long as it takes."""
        question = self.question()
        self.take_next(question, next_rows(question, self._head))

    def use_inputs(self, columns: Sequence[str]) -> None:
        """Learn from these columns beside the image from the next training on."""
        self.inputs = tuple(columns)
        self._learned = {}
        self._remember()
        self.changes += 1

    def show_cell(self, labelled: str, said: str) -> SubsetGroup:
        """
        Select the galaxies in a cell of the confusion matrix, in the one group of ours that is for this.

        Raises
        ------
        AnalysisError
            If the cell is empty, or there is none.
        """
        table = self.confusion()
        if table is None or not {labelled, said} <= set(table.names):
            raise AnalysisError(f"there is no cell of {labelled} called {said}")
        rows = table.cells[table.names.index(labelled)][table.names.index(said)]
        if not len(rows):
            raise AnalysisError(f"no galaxy labelled {labelled} was called {said}")
        label = f"{labelled} called {said}" if labelled != said else f"{labelled}, rightly called so"
        state = ElementSubsetState(rows, data=self.data)
        if self._cell not in self._collection.subset_groups:
            with active_subset_kept(self.edit_subset_mode):
                self._cell = self._collection.new_subset_group(label, state, color=self.colour_of(said))
        else:
            self._cell.subset_state, self._cell.label = state, label
            self._cell.style.color = self.colour_of(said)
        return self._cell

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
        embeddings = embeddings_of(data)
        if embeddings is None:
            raise AnalysisError(why_no_embeddings(data))
        inputs = tuple(json.loads(head.provenance.get("inputs", "[]")))
        values = input_values(data, inputs) if inputs else None
        none = np.empty(0, dtype=np.int64)
        question = Question(head.target, embeddings, none, {}, None, inputs, values, none, self.mode, "")
        head.check_encoder(question.provenance())
        columns = columns_of(head, embeddings, question.matrix)
        self.open(data, head.target)
        self.inputs, self._head, self.lesson = inputs, head, None
        self._learned, self.curve = dict(self.labels), []
        self._show_predictions(columns, predicted_chances(head, columns))
        n = head.provenance.get("labels")
        self.note = f"{head.target} is predicted by {Path(path).name}, taught with {n} labels"
        self.changes += 1

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

    def _show_predictions(self, columns: Mapping[str, np.ndarray], chances: dict[str, Chances]) -> None:
        head = self._head
        self._probability_labels = probability_columns(head)
        columns = dict(columns) | dict.fromkeys(self._stale(columns), np.full(self.data.size, np.nan))
        written = write_columns(self.data, columns, self._provenance(head))
        unlike, labels = columns[f"{self.target}_unlike"], self._probability_labels
        self._chances = chances
        if self.wanted not in self._chances:
            self.wanted = next(iter(self._chances), self.wanted)
        if np.nansum(unlike) or find_cut(self._collection, written[f"{self.target}_unlike"]) is not None:
            self._cut_unlike(written[f"{self.target}_unlike"])  # first, so that classes are drawn above it
        for name, label in labels.items():
            if len(self._chances) <= _MOST_GROUPS or name == self.wanted:
                self._cut(name, written[label])

    def _stale(self, columns: Mapping[str, np.ndarray]) -> list[str]:
        """Columns of probabilities of classes that are no more."""
        return [
            label
            for label in our_columns(self.data)
            if label not in columns
            and label.startswith(f"{self.target}_prob")
            and provenance_of(self.data, label).get("target") == self.target
        ]

    def _cut_unlike(self, column: ComponentID) -> None:
        label = f"unlike anything labelled ({self.target})"
        show_cut(self._collection, column, 0.5, label, UNLIKE_COLOUR, self.edit_subset_mode)

    def _cut(self, name: str, column: ComponentID) -> None:
        threshold = self.threshold_of(name)
        shown = self.target if list(self._chances) == ["yes"] or len(self._chances) == 1 else name
        label = f"{shown} (p > {threshold:g})"
        colour = self.colour_of(name)
        show_cut(self._collection, column, threshold, label, colour, self.edit_subset_mode)

    def _provenance(self, head: Head) -> dict[str, Any]:
        method = getattr(head.estimator, "method_", "ridge regression")
        return {**head.provenance, "target": head.target, "method": f"teaching: {method}"}

    def _grow_curve(self, n: int) -> None:
        self.curve = [point for point in self.curve if point[0] < n]
        if self.lesson.figures and np.isfinite(self.lesson.figures[0].value):
            self.curve.append((n, self.lesson.figures[0]))

    def _on_mode(self, mode: str) -> None:
        if mode not in MODES:
            raise AnalysisError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
        self._queue = [item for item in self._queue if item[1] not in MODES]

    def _on_wanted(self, name: str) -> None:
        self.threshold = self.threshold_of(name)
        column = self.column(self._probability_labels.get(name, ""))
        if column is not None:
            self._cut(name, column)

    def _on_threshold(self, threshold: float) -> None:
        kept = round(min(max(float(threshold), 0.0), 1.0), 3)
        if kept != threshold:
            self.threshold = kept
            return
        if self.threshold_of(self.wanted) == kept:
            return
        self._thresholds[self.wanted] = kept
        column = self.column(self._probability_labels.get(self.wanted, ""))
        if column is not None:
            self._cut(self.wanted, column)
        self._remember()

    # -- across sessions ---------------------------------------------------------------------------------

    def _remembered(self) -> dict[str, Any]:
        return record_of(self.data).get("teaching", {}) if self.data is not None else {}

    def _remember(self) -> None:
        """Keep what the log does not say with the dataset, and so with the session."""
        known = self._remembered()
        mine = {
            "classes": self._colours,
            "thresholds": self._thresholds,
            "kind": self._kind,
            "inputs": list(self.inputs),
            "head": self._folder,
        }
        targets = {**known.get("targets", {}), self.target: mine}
        update_record(self.data, teaching={"target": self.target, "targets": targets})

    def _recall(self) -> None:
        """Take up classes, thresholds and head of an earlier session; the log has the labels."""
        known = self._remembered().get("targets", {}).get(self.target, {})
        self._colours = dict(known.get("classes", {}))
        self._thresholds = {name: float(value) for name, value in known.get("thresholds", {}).items()}
        self._kind, self.inputs = known.get("kind"), tuple(known.get("inputs", ()))
        self._folder = known.get("head")
        self.wanted = next(iter(self._colours), "")
        self.threshold = self.threshold_of(self.wanted)
        if self._folder:
            self._recall_lesson(resolve(self.data, self._folder))

    def _recall_lesson(self, folder: Path) -> None:
        rows = {str(name): row for row, name in reversed(list(enumerate(object_ids_of(self.data))))}
        try:
            self.lesson, self.curve = load_lesson(folder, rows)
        except AnalysisError as error:
            self.note = str(error)
            return
        self._head, self._rows = self.lesson.head, self.lesson.labelled.rows
        values = self.lesson.labelled.values.tolist()
        pairs = zip(self._rows.tolist(), values, strict=True)
        self._learned = {row: value for row, value in pairs if row >= 0}
        self._probability_labels = probability_columns(self._head)
        columns = {label: self.data[cid] for label, cid in our_columns(self.data).items()}
        if {*self._probability_labels.values(), f"{self.target}_unlike"} <= set(columns):
            self._chances = predicted_chances(self._head, columns)
        if self.wanted not in self._chances:
            self.wanted = next(iter(self._chances), self.wanted)

    def _keep_lesson(self) -> None:
        """Keep the head beside the log, so that a session finds it again; a failure costs only that."""
        log = self.log.path
        stem = re.sub(r"\.ratings\.jsonl$|\.jsonl$", "", log.name)
        folder = log.with_name(f"{stem}.heads") / (
            re.sub(r"[^\w.+-]+", "_", self.target).strip("._") or "head"
        )
        try:
            save_lesson(folder, self.lesson, [self._id(row) for row in self._rows], self.curve)
        except AnalysisError as error:
            self.note = str(error)
            return
        self._folder = relative_to_data(self.data, folder)
        self._remember()

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if message.data is self.data:
            self._forget()
            self.current = self.data = None
            self.target = ""
            self.changes += 1

    def _forget(self) -> None:
        super()._forget()
        self.lesson: Lesson | None = None
        self.curve: list[tuple[int, Figure]] = []
        self.inputs: tuple[str, ...] = ()
        self._head: Head | None = None
        self._rows = np.empty(0, dtype=np.int64)
        self._learned: dict[int, Any] = {}
        self._folder: str | None = None
        self._thresholds: dict[str, float] = {}
        self._probability_labels: dict[str, str] = {}
        self._chances: dict[str, Chances] = {}
        self._cell: SubsetGroup | None = None


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
    # Kept by the collection itself: a table of ours would keep closed sessions alive.
    if not hasattr(data_collection, "_zoobot_teaching"):
        data_collection._zoobot_teaching = Teaching(data_collection)
    state = data_collection._zoobot_teaching
    state.take_up()
    return state
