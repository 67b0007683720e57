"""The labels of one target of a catalogue, and the galaxies that wait for one; without predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties

from glue_zoobot.catalog.embeddings import embeddings_of
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.interest_log import remember_log
from glue_zoobot.catalog.teaching_groups import free_colour
from glue_zoobot.catalog.teaching_log import TargetLog
from glue_zoobot.catalog.teaching_sources import MOST, labels_of_column, sampled, yes_or_no
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data, Subset

    from glue_zoobot.catalog.teaching_log import Conflict

__all__ = ["Labelling", "TaughtClass"]

MANY_NUMBERS = 10  # different numbers, more than which are a quantity, as the engine counts
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


class Labelling(HasCallbackProperties):
    """
    Labels by row, where they come from, and a queue of galaxies to label; the base of `Teaching`.

    A label is on disk before anything else happens.

    Attributes
    ----------
    log : TargetLog or None
        The labels on disk.
    labels : dict of int to str or float
        Those that stand, by row.
    why : str
        Why `current` is shown.
    note : str
        What the user should know of the log and of what was done last; else empty.
    """

    # Kept in the instance, see SimilarGalaxies: echo's own table would keep a closed session alive.
    data: Data | None = CallbackProperty(
        docstring="The catalogue",
        getter=lambda state: state.__dict__.get("_data"),
        setter=lambda state, data: state.__dict__.update(_data=data),
    )
    target = CallbackProperty("", docstring="Name of what is taught, and of its columns")
    current = CallbackProperty(None, docstring="Row of the galaxy to label now; None if there is none yet")
    wanted = CallbackProperty("", docstring="The class that threshold and likely are about")
    changes = CallbackProperty(0, docstring="Grows whenever labels or predictions have changed")

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
            members.setdefault(name_of(value), []).append(row)
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
    def next_rows(self) -> tuple[int, ...]:
        """Rows that come next, the current one first."""
        return tuple(row for row, _ in self._queue)

    @property
    def can_undo(self) -> bool:
        """Whether anything is labelled that could be taken back."""
        return self.log is not None and any(e.who == self.log.log.who for e in self.log.standing())

    @property
    def conflicts(self) -> list[Conflict]:
        """Galaxies with different labels; the latest counts."""
        return [] if self.log is None else self.log.conflicts()

    @property
    def n_without_embedding(self) -> int:
        """Labelled galaxies that cannot be learned from."""
        embeddings = None if self.data is None else embeddings_of(self.data)
        if embeddings is None:
            return 0
        return int((embeddings.positions[list(self.labels)] < 0).sum()) if self.labels else 0

    # -- labels ------------------------------------------------------------------------------------------

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

    # -- bookkeeping -------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.log is None or self.data is None:
            raise AnalysisError("choose a catalogue and what to teach first")

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
            self.labels = {row: name_of(value) for row, value in labels.items()}
            names = [one.name for one in self.classes]
            if self.wanted not in names:
                self.wanted = names[0] if names else ""
        self.changes += 1

    def _labels_by_id(self) -> dict[str, Any]:
        ids = object_ids_of(self.data)
        return {str(ids[row]): value for row, value in self.labels.items()}

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
        row, self.why = self._queue[0] if self._queue else (None, "")
        self.current = row

    def _forget(self) -> None:
        self.log: TargetLog | None = None
        self.labels = {}
        self._kind: str | None = None
        self._colours: dict[str, str] = {}
        self._queue: list[tuple[int, str]] = []
        self._skipped: set[int] = set()
        self.why = self.note = ""

    def _remember(self) -> None:
        """Keep classes with the dataset; here only in memory."""


def name_of(value: Any) -> str:
    """Return the name of a class, as the engine writes it."""
    from glue_zoobot.analysis.teaching import class_name

    return class_name(value)


def _look_like_a_quantity(values: Iterable[Any]) -> bool:
    """Tell whether labels are more different numbers than there are classes."""
    different = set(values)
    return len(different) > MANY_NUMBERS and all(isinstance(value, (int, float)) for value in different)


def _keys(names: list[str]) -> dict[str, int]:
    """Give each class a digit: one that is called like a digit its own, the others the next from 1 on."""
    keys = {name: int(name) for name in names if len(name) == 1 and name.isdigit()}
    free = [digit for digit in (*range(1, 10), 0) if digit not in keys.values()]
    others = [name for name in names if name not in keys]
    return keys | dict(zip(others, free, strict=False))
