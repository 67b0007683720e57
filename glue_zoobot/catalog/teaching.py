"""Teaching a class or a quantity from a few labels: one state that windows follow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage
from glue.core.subset import ElementSubsetState

from glue_zoobot.catalog.columns import our_columns, provenance_of, write_columns
from glue_zoobot.catalog.embeddings import embeddings_of, why_no_embeddings
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.interest_log import explain_log, remember_log
from glue_zoobot.catalog.record import record_of, relative_to_data, resolve, update_record
from glue_zoobot.catalog.teaching_groups import UNLIKE_COLOUR, find_cut, free_colour, show_cut
from glue_zoobot.catalog.teaching_lesson import (
    Answer,
    Chances,
    Expected,
    Question,
    answer,
    columns_of,
    load_lesson,
    next_rows,
    probability_columns,
    save_lesson,
)
from glue_zoobot.catalog.teaching_log import TargetLog
from glue_zoobot.catalog.teaching_review import Confusion, Mistake, confusion_of, mistakes_of
from glue_zoobot.catalog.teaching_sources import (
    MOST,
    input_values,
    labels_of_column,
    leak,
    sampled,
    yes_or_no,
)
from glue_zoobot.errors import AnalysisError, ZoobotError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data, DataCollection, Subset
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure
    from glue_zoobot.analysis.teaching import Lesson
    from glue_zoobot.catalog.teaching_log import Conflict

__all__ = ["MODES", "TaughtClass", "Teaching", "teaching_of"]

MODES = ("uncertain", "likely", "unlike")
DUE = 5
"""New labels after which to train again, if that goes by itself."""

MANY_NUMBERS = 10  # different numbers, more than which are a quantity, as the engine counts
_THRESHOLD = 0.8
_MOST_GROUPS = 6  # classes that get a group each; of more only the one being looked at
_FEW = 5  # labels of a class, with fewer of which figures mean little
_KNOWING = ("mistake", "conflict", "again")


@dataclass(frozen=True)
class TaughtClass:
    """
    One class and its labels.

    Attributes
    ----------
    name, colour : str
    key : int or None
        The digit that labels a galaxy so.
    rows : tuple of int
        Labelled galaxies, those labelled last first.
    """

    name: str
    colour: str
    key: int | None
    rows: tuple[int, ...]


class Teaching(HasCallbackProperties, HubListener):
    """
    What one person teaches about a catalogue; one per data collection, see `teaching_of`.

    A label is on disk before anything else happens. Training is in two steps, so that a window can put the
    slow one into a thread: `question` (arrays), `~glue_zoobot.catalog.teaching_lesson.answer` of it (any
    thread), `take` (columns, groups, the next galaxies). Predictions are columns named as those of
    ``glue-zoobot predict``, and groups of our own that cut on them; the user's are never touched.

    Attributes
    ----------
    log : TargetLog or None
        The labels on disk.
    labels : dict of int to str or float
        Those that stand, by row.
    lesson : Lesson or None
        What the last training gave, with figures of merit.
    curve : list of (int, Figure)
        The first figure of merit by number of labels.
    inputs : tuple of str
        Columns that are learned from beside the image.
    why : str
        Why `current` is shown.
    note : str
        What the user should know of the log and of what was done last; else empty.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    # Kept in the instance, see SimilarGalaxies: echo's own table would keep a closed session alive.
    data = CallbackProperty(
        docstring="The catalogue",
        getter=lambda state: state.__dict__.get("_data"),
        setter=lambda state, data: state.__dict__.update(_data=data),
    )
    target = CallbackProperty("", docstring="Name of what is taught, and of its columns")
    current = CallbackProperty(None, docstring="Row of the galaxy to label now; None if there is none yet")
    mode = CallbackProperty("uncertain", docstring="What to label next: uncertain, likely or unlike")
    wanted = CallbackProperty("", docstring="The class that threshold and likely are about")
    threshold = CallbackProperty(_THRESHOLD, docstring="Probability from which the wanted class is selected")
    auto = CallbackProperty(False, docstring="Whether to train again by itself after a few labels")
    changes = CallbackProperty(0, docstring="Grows whenever labels or predictions have changed")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self._forget()
        self.add_callback("mode", self._on_mode)
        self.add_callback("wanted", self._on_wanted)
        self.add_callback("threshold", self._on_threshold)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    # -- what is known -------------------------------------------------------------------------------

    @property
    def is_number(self) -> bool:
        """Whether the target is a quantity, not classes."""
        if self._kind is not None:
            return self._kind == "number"
        return _look_like_a_quantity(self.labels.values())

    @property
    def kind(self) -> str | None:
        """What the user said that labels are: "classes" or "number"; None to go by their looks."""
        return self._kind

    @property
    def classes(self) -> list[TaughtClass]:
        """Classes in the order in which they came; none for a number."""
        if self.is_number:
            return []
        members: dict[str, list[int]] = {name: [] for name in self._colours}
        for row, value in self.labels.items():
            members.setdefault(_name(value), []).append(row)
        keys = _keys(list(members))
        return [
            TaughtClass(name, self.colour_of(name), keys.get(name), tuple(rows[::-1]))
            for name, rows in members.items()
        ]

    def colour_of(self, name: str) -> str:
        """Colour of a class."""
        if name not in self._colours:
            self._colours[name] = free_colour(list(self._colours.values()))
        return self._colours[name]

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
    def next_rows(self) -> tuple[int, ...]:
        """Rows that come next, the current one first."""
        return tuple(row for row, _ in self._queue)

    @property
    def can_undo(self) -> bool:
        """Whether anything is labelled that could be taken back."""
        return self.log is not None and any(e.who == self.log.log.who for e in self.log.standing())

    @property
    def targets(self) -> list[str]:
        """What was taught about this catalogue so far, or has labels."""
        if self.data is None:
            return []
        logged = [] if self.log is None else self.log.log.targets()
        return list(dict.fromkeys([*self._remembered().get("targets", {}), *logged, self.target]))

    @property
    def conflicts(self) -> list[Conflict]:
        """Galaxies with different labels; the latest counts."""
        return [] if self.log is None else self.log.conflicts()

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
        chances = self._chances.get(self.wanted if name is None else name)
        return None if chances is None else chances.expect(self.threshold if threshold is None else threshold)

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

    @property
    def n_without_embedding(self) -> int:
        """Labelled galaxies that cannot be learned from."""
        embeddings = None if self.data is None else embeddings_of(self.data)
        if embeddings is None:
            return 0
        return int((embeddings.positions[list(self.labels)] < 0).sum()) if self.labels else 0

    def leaks(self) -> list[str]:
        """Say which of `inputs` alone tell the labels."""
        if not self.inputs or not self.labels:
            return []
        rows = np.array(list(self.labels))
        kind = "number" if self.is_number else "classes"
        labels = np.array([v if self.is_number else _name(v) for v in self.labels.values()])
        try:
            values = input_values(self.data, self.inputs)[rows]
        except AnalysisError as error:
            return [str(error)]
        found = [leak(name, values[:, k], labels, kind) for k, name in enumerate(self.inputs)]
        return [text for text in found if text]

    # -- beginning -----------------------------------------------------------------------------------

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

    # -- labels ----------------------------------------------------------------------------------------

    def set_kind(self, kind: str | None) -> None:
        """Say that labels are "classes" or a "number", whatever they look like; None to go by their looks."""
        self._kind = kind
        self._remember()
        self.changes += 1

    def add_class(self, name: str, colour: str | None = None) -> None:
        """
        Add a class, still without labels.

        Raises
        ------
        AnalysisError
            If it has no name, or the target is a quantity.
        """
        name = name.strip()
        if not name:
            raise AnalysisError("give the class a name")
        if self.is_number:
            raise AnalysisError(
                f"{self.target} is a number, which has no classes; teach them as another target"
            )
        self._colours[name] = colour or self._colours.get(name) or free_colour(list(self._colours.values()))
        self.wanted = self.wanted or name
        self._remember()
        self.changes += 1

    def remove_class(self, name: str) -> None:
        """
        Remove a class that has no labels.

        Raises
        ------
        AnalysisError
            If it has: take them back first.
        """
        if any(one.name == name and one.rows for one in self.classes):
            raise AnalysisError(f"{name} has labels; undo them, or label those galaxies as something else")
        self._colours.pop(name, None)
        self.wanted = next(iter(self._colours), "") if self.wanted == name else self.wanted
        self._remember()
        self.changes += 1

    def add_subset(self, subset: Subset, name: str | None = None) -> int:
        """
        Label the present members of a subset as a class of its name and colour.

        Returns
        -------
        int
            How many were labelled.

        Raises
        ------
        AnalysisError
            If it has no members in this catalogue.
        """
        self._check_open()
        rows = np.flatnonzero(subset.to_mask()) if subset.data is self.data else np.empty(0, dtype=np.int64)
        if not rows.size:
            raise AnalysisError(
                f"the subset {subset.label} has no galaxy of {self.data.label}; choose another"
            )
        name = (name or subset.label).strip()
        self.add_class(name, subset.style.color)
        chosen = sampled(rows)
        self._record({int(row): name for row in chosen}, {"why": "subset", "subset": subset.label})
        if len(chosen) < len(rows):
            self.note = f"{len(chosen):,} of {len(rows):,} galaxies of {name} were drawn at random as labels"
        return len(chosen)

    def add_column(
        self,
        column: ComponentID,
        clear: tuple[float, float] | None = None,
        most: int = MOST,
        within: Subset | None = None,
    ) -> int:
        """
        Take labels from a column.

        Parameters
        ----------
        column : ComponentID
            Of classes or numbers; rows without a value get no label.
        clear : (float, float), optional
            Make yes and no of a number: no up to the first, yes from the second on.
        most : int
            Take at most so many, at random.
        within : Subset, optional
            Only its members.

        Returns
        -------
        int
            How many were labelled.

        Raises
        ------
        AnalysisError
            If there is nothing to take.
        """
        self._check_open()
        labels = labels_of_column(self.data, column)
        if within is not None:
            inside = within.to_mask()
            labels = {row: value for row, value in labels.items() if inside[row]}
        if clear is not None:
            labels = yes_or_no(labels, yes_from=clear[1], no_to=clear[0])
        if not labels:
            raise AnalysisError(f"no galaxy of {within.label} has a value in column {column.label!r}")
        rows = sampled(np.array(list(labels), dtype=np.int64), most)
        self._record({int(row): labels[int(row)] for row in rows}, {"why": "column", "column": column.label})
        return len(rows)

    def add_file(self, path: str | Path, column: str) -> int:
        """
        Take labels from a table or a log.

        Parameters
        ----------
        path : path
            A table with an id column, or a log (``.jsonl``).
        column : str
            Column of the table, or target of the log.

        Returns
        -------
        int
            How many galaxies of this catalogue were labelled. Labels of others are kept in the log.

        Raises
        ------
        AnalysisError, CatalogueError
            If there is no such file or column, or it is empty, or names no galaxy of this catalogue.
        """
        from glue_zoobot.analysis.teaching import read_labels

        self._check_open()
        labels = read_labels(path, column)
        known = set(object_ids_of(self.data).tolist())
        n = sum(name in known for name in labels)
        if not n:
            raise AnalysisError(
                f"none of the {len(labels):,} galaxies of {Path(path).name} ({next(iter(labels))} …) is in "
                f"{self.data.label}; is it another catalogue, or another id?"
            )
        self.log.add_by_name(labels, {"why": "file", "file": Path(path).name})
        self._after_recording()
        if n < len(labels):
            self.note = (
                f"{len(labels) - n:,} of {len(labels):,} ids are not in {self.data.label}; kept, not used"
            )
        return n

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
        self._record(dict.fromkeys(given, value), self._shown(given[0], why))
        self._queue = [(row, reason) for row, reason in self._queue if row not in given]
        self._show_next()

    def class_of_key(self, digit: int) -> str:
        """
        Return the class that a digit key stands for.

        Raises
        ------
        AnalysisError
            If there is none: the message names those that there are.
        """
        if self.is_number:
            raise AnalysisError(f"{self.target} is a number: type it in the Teach panel")
        keys = {one.key: one.name for one in self.classes if one.key is not None}
        if digit not in keys:
            known = ", ".join(f"{key} {name}" for key, name in sorted(keys.items())) or "none yet"
            raise AnalysisError(f"no class has the key {digit}; the keys of {self.target} are: {known}")
        return keys[digit]

    def skip(self) -> None:
        """Pass over the current galaxy; it is not suggested again in this session."""
        if self.current is not None:
            self._skipped.add(self.current)
            self._queue = [(row, why) for row, why in self._queue if row != self.current]
            self._show_next()
            self.changes += 1

    def undo(self) -> int:
        """
        Take back what was labelled last, and show that galaxy again.

        Returns
        -------
        int
            How many labels were taken back: several if they were given at once, by a subset or a column.
        """
        taken = [] if self.log is None else self.log.take_back()
        if not taken:
            return 0
        self._read_labels()
        if len(taken) == 1:
            self.review([self.log.row_of(taken[0])], taken[0].shown.get("why", "again"))
        return len(taken)

    def review(self, rows: Sequence[int], why: str = "again") -> None:
        """Show galaxies now, whether or not they are labelled; a new label replaces the old one."""
        first = [int(row) for row in rows]
        self._queue = [(row, why) for row in first] + [item for item in self._queue if item[0] not in first]
        self._show_next()

    # -- training --------------------------------------------------------------------------------------

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
        self._show_predictions(found.columns)
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
        import json

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
        self._show_predictions(columns)
        n = head.provenance.get("labels")
        self.note = f"{head.target} is predicted by {Path(path).name}, taught with {n} labels"
        self.changes += 1

    # -- cells of the confusion matrix -------------------------------------------------------------------

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

    # -- bookkeeping ---------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.log is None or self.data is None:
            raise AnalysisError("choose a catalogue and what to teach first")

    def _fits(self, question: Question) -> bool:
        """Whether an answer is still about what is on the screen."""
        if self.data is None or question.target != self.target or question.inputs != self.inputs:
            return False
        return embeddings_of(self.data) is question.embeddings

    def _record(self, labels: Mapping[int, Any], shown: Mapping[str, Any]) -> None:
        if any(isinstance(value, str) for value in labels.values()) and self.is_number and self.labels:
            raise AnalysisError(f"{self.target} is a number; teach classes as another target")
        self.log.add_labels(labels, shown)
        self._after_recording()

    def _after_recording(self) -> None:
        self.note = ""
        remember_log(self.data, self.log.path)
        self._read_labels()
        self._remember()

    def _read_labels(self) -> None:
        entries = self.log.standing()
        labels = {}
        for entry in entries:
            row = self.log.row_of(entry)
            labels.pop(row, None)  # so that those labelled last are last
            labels[row] = entry.value
        self.labels: dict[int, Any] = labels
        if not self.is_number:
            self.labels = {row: _name(value) for row, value in labels.items()}
            names = [one.name for one in self.classes]
            if self.wanted not in names:
                self.wanted = names[0] if names else ""
        self.changes += 1

    def _labels_by_id(self) -> dict[str, Any]:
        ids = object_ids_of(self.data)
        return {str(ids[row]): value for row, value in self.labels.items()}

    def _named(self, found: Answer) -> list[tuple[int, str]]:
        """Rows and ids of all labels that were given to training, used or not."""
        where = {str(self._id(row)): row for row in self.labels}
        where |= {str(self._id(row)): int(row) for row in found.rows}
        return [(where[name], name) for name in found.question.labels if name in where]

    def _id(self, row: int) -> str:
        return str(object_ids_of(self.data)[row])

    def _shown(self, row: int, why: str) -> dict[str, Any]:
        """What the user was shown, and why, for the log."""
        shown: dict[str, Any] = {"why": why, "labels": len(self.labels)}
        if why in _KNOWING:
            shown["settles"] = True
        embeddings = embeddings_of(self.data)
        return shown if embeddings is None else shown | {"encoder": embeddings.encoder_name}

    def _show_predictions(self, columns: Mapping[str, np.ndarray]) -> None:
        head = self._head
        self._probability_labels = probability_columns(head)
        columns = dict(columns) | dict.fromkeys(self._stale(columns), np.full(self.data.size, np.nan))
        written = write_columns(self.data, columns, self._provenance(head))
        self._chances = {name: Chances(columns[label]) for name, label in self._probability_labels.items()}
        if self.wanted not in self._chances:
            self.wanted = next(iter(self._chances), self.wanted)
        for name, label in self._probability_labels.items():
            if len(self._chances) <= _MOST_GROUPS or name == self.wanted:
                self._cut(name, written[label])
        unlike = f"{self.target}_unlike"
        if np.nansum(columns[unlike]) or find_cut(self._collection, written[unlike]) is not None:
            text = f"unlike anything labelled ({self.target})"
            show_cut(self._collection, written[unlike], 0.5, text, UNLIKE_COLOUR, self.edit_subset_mode)

    def _stale(self, columns: Mapping[str, np.ndarray]) -> list[str]:
        """Columns of probabilities of classes that are no more."""
        return [
            label
            for label in our_columns(self.data)
            if label not in columns
            and label.startswith(f"{self.target}_prob")
            and provenance_of(self.data, label).get("target") == self.target
        ]

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

    def _show_next(self) -> None:
        row, self.why = self._queue[0] if self._queue else (None, "")
        self.current = row

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

    # -- across sessions -----------------------------------------------------------------------------------

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
        columns = {name: self.column(label) for name, label in self._probability_labels.items()}
        self._chances = {n: Chances(self.data[cid]) for n, cid in columns.items() if cid is not None}
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
        self.log: TargetLog | None = None
        self.labels = {}
        self.lesson: Lesson | None = None
        self.curve: list[tuple[int, Figure]] = []
        self.inputs: tuple[str, ...] = ()
        self._head: Head | None = None
        self._rows = np.empty(0, dtype=np.int64)
        self._learned: dict[int, Any] = {}
        self._kind: str | None = None
        self._folder: str | None = None
        self._colours: dict[str, str] = {}
        self._thresholds: dict[str, float] = {}
        self._probability_labels: dict[str, str] = {}
        self._chances: dict[str, Chances] = {}
        self._queue: list[tuple[int, str]] = []
        self._skipped: set[int] = set()
        self._cell: SubsetGroup | None = None
        self.why = self.note = ""


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


def _name(value: Any) -> str:
    from glue_zoobot.analysis.teaching import class_name

    return class_name(value)


def _look_like_a_quantity(values: Any) -> bool:
    """Tell whether labels are more different numbers than there are classes."""
    different = set(values)
    return len(different) > MANY_NUMBERS and all(isinstance(value, (int, float)) for value in different)


def _keys(names: list[str]) -> dict[str, int]:
    """Give each class a digit: one that is called like a digit its own, the others the next from 1 on."""
    keys = {name: int(name) for name in names if len(name) == 1 and name.isdigit()}
    free = [digit for digit in (*range(1, 10), 0) if digit not in keys.values()]
    others = [name for name in names if name not in keys]
    return keys | dict(zip(others, free, strict=False))
