"""
Ratings and labels on disk: a log to which one only appends, so that a crash costs nothing that was given.

One JSON object per line. Every entry is forced to disk before `LabelLog.rate` returns, at a cost that does
not depend on how many galaxies or ratings there are. Galaxies are named by their object id, so ratings
survive rows that are added, removed or reordered.
"""

from __future__ import annotations

import getpass
import json
import math
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glue_zoobot.errors import AnalysisError

_APPENDING = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

__all__ = ["HIGHEST", "INTERESTING", "Conflict", "Entry", "LabelLog", "user_name"]

HIGHEST = 5
INTERESTING = 3
"""The lowest rating, of 0 to 5, that counts as interesting."""


@dataclass(frozen=True)
class Entry:
    """
    One line of a log.

    Attributes
    ----------
    id : str
        Unique.
    when : str
        ISO 8601, UTC.
    who : str
        User name.
    object_id : str
        The galaxy.
    kind : {"rating", "label", "undo"}
        An undo takes back the entry that `undoes` names.
    value : int, float, str or None
        Of a rating 0 (dull) to 5 (most interesting), None for a galaxy that was skipped; of a label the class
        or number.
    shown : dict
        What the user was shown, and why: rank, round, store, model …
    undoes : str or None
        Id of an entry.
    target : str or None
        Of a label: the class or quantity that it is about, such as "ring" or "redshift".
    """

    id: str
    when: str
    who: str
    object_id: str
    kind: str = "rating"
    value: Any = None
    shown: dict[str, Any] = field(default_factory=dict)
    undoes: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Conflict:
    """Different ratings of one galaxy: ``ratings`` holds (who, value), oldest first."""

    object_id: str
    ratings: tuple[tuple[str, int], ...]


def user_name() -> str:
    """Name of the person at the keyboard, as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


class LabelLog:
    """
    Append-only log of ratings.

    Several programs may write to one log at once; what they append is read by the next call of any method.
    A line that a crash cut short is passed over (`damaged` counts such lines), and the next entry starts on
    a line of its own.

    Parameters
    ----------
    path : str or Path
        The file; made, with its folder, at the first entry.
    who : str, optional
        Whose ratings are added; by default the user's login.

    Attributes
    ----------
    path : Path
    who : str
    damaged : int
        Lines that could not be read.

    Raises
    ------
    AnalysisError
        If the file exists and is not a log, or cannot be read.
    """

    def __init__(self, path: str | Path, who: str | None = None) -> None:
        self.path = Path(path).expanduser()
        self.who = who or user_name()
        self.damaged = 0
        self._entries: dict[str, Entry] = {}
        self._undone: set[str] = set()
        self._offset, self._file = 0, 0
        self._stored: set[str] = set()
        self._refresh()
        if self.damaged and not self._entries:
            raise AnalysisError(f"{self.path} is not a log of ratings; choose another file")

    def rate(self, object_id: str, value: int | None, **shown: Any) -> Entry:
        """
        Append a rating; when this returns it is on disk.

        Parameters
        ----------
        object_id : str
        value : int or None
            0 to 5; None to skip the galaxy.
        **shown
            What was shown: anything that fits JSON.

        Raises
        ------
        AnalysisError
            If the value is no rating, or the disk is full or read-only: then nothing was recorded, and
            nothing recorded before is lost.
        """
        entry = Entry(_new_id(), _now(), self.who, str(object_id), value=checked_rating(value), shown=shown)
        self.extend([entry])
        return entry

    def label(self, object_id: str, value: str | float, target: str, **shown: Any) -> Entry:
        """
        Append a label; when this returns it is on disk.

        Parameters
        ----------
        object_id : str
        value : str or float
            The class, or the number.
        target : str
            What the label is about.
        **shown
            What was shown: anything that fits JSON.

        Raises
        ------
        AnalysisError
            As `rate`.
        """
        entry = Entry(
            _new_id(), _now(), self.who, str(object_id), "label", checked_label(value), shown, target=target
        )
        self.extend([entry])
        return entry

    def undo(self, target: str | None = None) -> Entry | None:
        """
        Take back this user's latest rating, or label of a target, that still stands.

        Parameters
        ----------
        target : str, optional
            Of the label; without it the latest rating.

        Returns
        -------
        Entry or None
            What was taken back; None if there is nothing.
        """
        self._refresh()
        mine = [entry for entry in self._standing(target) if entry.who == self.who]
        if not mine:
            return None
        self.take_back(mine[-1])
        return mine[-1]

    def take_back(self, entry: Entry) -> None:
        """Append that `entry` no longer stands."""
        undoing = Entry(_new_id(), _now(), self.who, entry.object_id, kind="undo", undoes=entry.id)
        self.extend([undoing])

    def extend(self, entries: Iterable[Entry]) -> int:
        """
        Append entries of another log or an import; those that are here already are left out.

        Returns
        -------
        int
            How many were new.
        """
        self._refresh()
        new = [entry for entry in entries if entry.id not in self._entries]
        if new:
            _append(self.path, "".join(_as_line(entry) for entry in (*self._lost(), *new)))
            self._refresh()
        return len(new)

    def entries(self) -> list[Entry]:
        """Every entry, undone ones and undoings included, in the order of the file."""
        self._refresh()
        return list(self._entries.values())

    def standing(self, target: str | None = None) -> list[Entry]:
        """Ratings and skips, or labels of a target, that nobody has taken back, in the order of the file."""
        self._refresh()
        return list(self._standing(target))

    def current(self, who: str | None = None) -> dict[str, int]:
        """
        Give the ratings that stand: the latest of each galaxy.

        Parameters
        ----------
        who : str, optional
            Only this person's.

        Returns
        -------
        dict
            Rating, 0 to 5, by object id. A skip is no rating, and does not take one back.
        """
        return {
            entry.object_id: entry.value
            for entry in self.standing()
            if entry.value is not None and who in (None, entry.who)
        }

    def labels(self, target: str) -> dict[str, Any]:
        """
        Give the labels of one target that stand: the latest of each galaxy, by object id.

        Parameters
        ----------
        target : str
        """
        self._refresh()
        return {entry.object_id: entry.value for entry in self._standing(target)}

    def targets(self) -> list[str]:
        """Give what there are labels of, in the order of the first one."""
        self._refresh()
        return list(dict.fromkeys(e.target for e in self._entries.values() if e.kind == "label" and e.target))

    def skipped(self) -> set[str]:
        """Object ids that were shown and skipped, and never rated."""
        standing = self.standing()
        rated = {entry.object_id for entry in standing if entry.value is not None}
        return {entry.object_id for entry in standing} - rated

    def conflicts(self) -> list[Conflict]:
        """Galaxies that were rated differently, by one person or several; the latest is used."""
        ratings: dict[str, list[tuple[str, int]]] = {}
        for entry in self.standing():
            if entry.value is not None:
                ratings.setdefault(entry.object_id, []).append((entry.who, entry.value))
        return [
            Conflict(object_id, tuple(given))
            for object_id, given in ratings.items()
            if len({value for _, value in given}) > 1
        ]

    def _standing(self, target: str | None = None) -> Iterator[Entry]:
        kind = "rating" if target is None else "label"
        return (
            entry
            for entry in self._entries.values()
            if entry.kind == kind and entry.target == target and entry.id not in self._undone
        )

    def _refresh(self) -> None:
        """Read what was appended since the last look, by us or by others."""
        if self.path.exists() and not self.path.is_file():  # a device would be read without end
            raise AnalysisError(f"{self.path} is no file; choose another for the ratings")
        try:
            with self.path.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_size < self._offset or facts.st_ino != self._file:
                    self._begin_again(facts.st_ino)
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            self._begin_again(0)
            return
        except OSError as error:
            raise AnalysisError(f"{self.path}: the ratings cannot be read ({error})") from error
        end = text.rfind(b"\n") + 1  # what follows is an entry that another program is writing just now
        for line in text[:end].splitlines():
            self._take_in(line)
        self._offset += end

    def _begin_again(self, file: int) -> None:
        """
        Read a file from its start: it is new, was deleted, cut short or replaced by another.

        What was read before stands, and is written again with the next entry: a log that is deleted under a
        program that has it open loses nothing.
        """
        self._offset, self._file = 0, file
        self._stored.clear()

    def _lost(self) -> list[Entry]:
        """Entries that were read and are no longer in the file; nearly always none, which is soon told."""
        if len(self._stored) == len(self._entries):
            return []
        return [entry for entry in self._entries.values() if entry.id not in self._stored]

    def _take_in(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            entry = _from_line(line)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AnalysisError):
            self.damaged += 1
            return
        self._entries[entry.id] = entry
        self._stored.add(entry.id)
        if entry.undoes:
            self._undone.add(entry.undoes)


def checked_label(value: Any) -> str | float:
    """
    Make sure that a value can be a label.

    Raises
    ------
    AnalysisError
        If it is neither text, nor a finite number, nor true or false.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return value
    raise AnalysisError(f"{value!r} is no label; give the name of a class or a finite number")


def checked_rating(value: Any) -> int | None:
    """
    Make sure that a value is a rating.

    Raises
    ------
    AnalysisError
        If it is neither None nor a whole number from 0 to 5.
    """
    if value is None:
        return None
    if isinstance(value, bool) or value not in range(HIGHEST + 1):
        raise AnalysisError(f"{value!r} is no rating; give a whole number from 0 to {HIGHEST}")
    return int(value)


def _new_id() -> str:
    return uuid.uuid4().hex


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _as_line(entry: Entry) -> str:
    facts = {name: value for name, value in asdict(entry).items() if value is not None or name == "value"}
    return json.dumps(facts, ensure_ascii=False, default=str) + "\n"


def _from_line(line: bytes) -> Entry:
    facts = json.loads(line)
    known = {name: facts[name] for name in Entry.__dataclass_fields__ if name in facts}
    entry = Entry(**known)
    named = (entry.id, entry.when, entry.who, entry.object_id, entry.kind)
    if not all(isinstance(text, str) for text in named) or not isinstance(entry.shown, dict):
        raise TypeError("an entry names itself, its author and its galaxy")
    if entry.undoes is not None and not isinstance(entry.undoes, str):
        raise TypeError("an undo names an entry")
    if entry.kind == "label":
        checked_label(entry.value)
        if not isinstance(entry.target, str):
            raise TypeError("a label names its target")
    else:
        checked_rating(entry.value)
    return entry


def _append(path: Path, text: str) -> None:
    """Write in one piece at the end of the file and force it to disk, or leave the file as it was."""
    data = text.encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, _APPENDING, 0o644)
        try:
            if _ends_in_mid_line(descriptor):
                data = b"\n" + data
            if os.write(descriptor, data) < len(data):
                # What is there of it has no end of line: readers pass it over.
                raise OSError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AnalysisError(
            f"{path}: the rating could not be recorded ({error}). Earlier ratings are safe; make room or "
            "choose another place for the log, then rate this galaxy again"
        ) from error


def _ends_in_mid_line(descriptor: int) -> bool:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if not size:
        return False
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"
