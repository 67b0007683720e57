"""The classes of a target: names, colours, keys; adding, renaming and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties

from glue_zoobot.catalog.teaching.groups import free_colour
from glue_zoobot.catalog.teaching.undo import Step, Steps
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching.log import TargetLog

__all__ = ["Classes", "TaughtClass", "name_of"]

MANY_NUMBERS = 10  # different numbers, more than which are a quantity, as the engine counts


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


class Classes(HasCallbackProperties):
    """
    Classes of what is taught, or that it is a number; a base of `Labelling`, which knows the log.

    Attributes
    ----------
    labels : dict of int to str or float
        Those that stand, by row.
    steps : Steps
        What was done, to be taken back.
    """

    target = CallbackProperty("", docstring="Name of what is taught, and of its columns")
    wanted = CallbackProperty("", docstring="The class that threshold and likely are about")
    changes = CallbackProperty(0, docstring="Grows whenever labels or predictions have changed")

    log: TargetLog | None
    labels: dict[int, Any]
    steps: Steps
    _kind: str | None
    _colours: dict[str, str]

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
    def label_kind(self) -> str:
        """What labels are: classes, a number, or a redshift, which is a number with figures of its own."""
        from glue_zoobot.analysis.redshift import is_redshift

        if not self.is_number:
            return "classes"
        values = np.array(list(self.labels.values()), dtype=np.float64)
        return "redshift" if is_redshift(self.target, values) else "number"

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

    def set_kind(self, kind: str | None) -> None:
        """Say that labels are "classes" or a "number", whatever they look like; None to go by their looks."""
        before = self._kind
        self._kind = kind
        self.steps.add(Step("kind of labels", lambda: self._change_kind(before)))
        self._changed()

    def _change_kind(self, kind: str | None) -> int:
        self._kind = kind
        self._changed()
        return 0

    # -- adding, renaming, removing ----------------------------------------------------------------------

    def add_class(self, name: str, colour: str | None = None) -> None:
        """
        Add a class, still without labels.

        Raises
        ------
        AnalysisError
            If it has no name, or the target is a quantity.
        """
        before = dict(self._colours)
        self._name_class(name, colour)
        if before != self._colours:
            self.steps.add(Step(f"new class {name.strip()}", lambda: self._recolour(before)))
        self._changed()

    def rename_class(self, name: str, new: str) -> int:
        """
        Give a class another name, or join it with another one; each of its labels is written anew.

        Returns
        -------
        int
            How many galaxies are labelled otherwise now.

        Raises
        ------
        AnalysisError
            If it has no name, or there is no such class.
        """
        new = new.strip()
        if name not in {one.name for one in self.classes}:
            raise AnalysisError(f"there is no class {name}")
        if not new:
            raise AnalysisError("give the class a name")
        if new == name:
            return 0
        before, rows = dict(self._colours), self._rows_of(name)
        joined = new in before
        gesture = ""
        if rows:
            shown = {"why": "renamed", "from": name, "settles": True}
            gesture = self._record(dict.fromkeys(rows, new), shown)
        names = [other for other in before if not (joined and other == name)]
        self._colours = {(new if other == name else other): before[other] for other in names}
        self.wanted = new if self.wanted == name else self.wanted
        what = f"{name} joined with {new}" if joined else f"{name} renamed to {new}"
        self.steps.add(Step(what, lambda: self._restore_classes(before, gesture)))
        self._changed()
        return len(rows)

    def remove_class(self, name: str) -> int:
        """
        Remove a class, and take its labels back.

        Returns
        -------
        int
            How many labels were taken back.

        Raises
        ------
        AnalysisError
            If some of them are somebody else's.
        """
        before, rows = dict(self._colours), self._rows_of(name)
        taken = dict.fromkeys(rows, name)
        if rows:
            self._withdraw(rows)
        self._colours.pop(name, None)
        self.wanted = next(iter(self._colours), "") if self.wanted == name else self.wanted

        def back() -> int:
            if taken:
                self._record(taken, {"why": "restored", "settles": True})
            self._recolour(before)
            return 0

        self.steps.add(Step(f"removed class {name}", back))
        self._changed()
        return len(rows)

    def _name_class(self, name: str, colour: str | None) -> None:
        name = name.strip()
        if not name:
            raise AnalysisError("give the class a name")
        if self.is_number:
            raise AnalysisError(
                f"{self.target} is a number, which has no classes; teach them as another target"
            )
        self._colours[name] = colour or self._colours.get(name) or free_colour(list(self._colours.values()))
        self.wanted = self.wanted or name

    def _recolour(self, colours: dict[str, str]) -> int:
        self._colours = dict(colours)
        if self.wanted not in self._colours:
            self.wanted = next(iter(self._colours), "")
        self._changed()
        return 0

    def _restore_classes(self, colours: dict[str, str], gesture: str) -> int:
        taken = self._take_back(gesture) if gesture else 0
        self._recolour(colours)
        return taken

    def _rows_of(self, name: str) -> tuple[int, ...]:
        return next((one.rows[::-1] for one in self.classes if one.name == name), ())

    def _changed(self) -> None:
        self._remember()
        self.changes += 1

    # -- of `Labelling` ----------------------------------------------------------------------------------

    def _record(self, labels: Mapping[int, Any], shown: Mapping[str, Any], what: str = "") -> str:
        raise NotImplementedError

    def _withdraw(self, rows: Iterable[int]) -> None:
        raise NotImplementedError

    def _take_back(self, gesture: str = "") -> int:
        raise NotImplementedError

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
