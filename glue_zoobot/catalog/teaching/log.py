"""The labels of one target in the log of a catalogue, by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from glue_zoobot.catalog.interest.log import RowLog
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.analysis.labels import Entry

__all__ = ["Conflict", "TargetLog"]


@dataclass(frozen=True)
class Conflict:
    """A galaxy that was labelled differently: ``given`` holds (who, value), oldest first; the last counts."""

    row: int
    given: tuple[tuple[str, Any], ...]

    def text(self) -> str:
        """Say it: "ada: ring, bob: spiral"."""
        return ", ".join(f"{who}: {value}" for who, value in self.given)


class TargetLog(RowLog):
    """
    The labels of one target by rows of a dataset; in the same file as ratings and other targets.

    Parameters
    ----------
    data : Data
    target : str
        What the labels are about.
    path : path, optional
        By default where the ratings of the dataset are.

    Raises
    ------
    AnalysisError
        If the file exists and is no log.
    """

    def __init__(self, data: Data, target: str, path: str | Path | None = None) -> None:
        self.target = target
        super().__init__(data, path)

    def standing(self) -> list[Entry]:
        """Labels that stand, of galaxies in the dataset, oldest first."""
        entries = self.log.standing(self.target)
        self._find_rows(entry.object_id for entry in entries)
        return [entry for entry in entries if entry.object_id in self._rows]

    def add_labels(self, labels: Mapping[int, Any], shown: Mapping[str, Any]) -> str:
        """
        Put labels of rows on disk, in one piece: one gesture, that one undo takes back; return its id.

        Raises
        ------
        AnalysisError
            If one is no label, or they could not be written: then none of them counts.
        """
        names = {str(self._ids[row]): value for row, value in labels.items()}
        gesture = self.add_by_name(names, shown)
        for row in labels:
            self._rows.setdefault(str(self._ids[row]), int(row))
        return gesture

    def add_by_name(self, labels: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
        """Do the same for object ids, some of which the dataset may lack."""
        from glue_zoobot.analysis.labels import Entry, checked_label

        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        shown = {**shown, "gesture": uuid4().hex[:12]}
        self.log.extend(
            [
                Entry(
                    uuid4().hex, when, self.log.who, name, "label", checked_label(value), shown,
                    target=self.target,
                )
                for name, value in labels.items()
            ]
        )  # fmt: skip
        return str(shown["gesture"])

    def withdraw(self, rows: Iterable[int]) -> None:
        """
        Take back every label of some rows, in one piece.

        Raises
        ------
        AnalysisError
            If one of them is somebody else's, which is not ours to take back.
        """
        wanted = {str(self._ids[row]) for row in rows}
        entries = [entry for entry in self.standing() if entry.object_id in wanted]
        others = sorted({entry.who for entry in entries} - {self.log.who})
        if others:
            raise AnalysisError(
                f"some of these labels are by {', '.join(others)}; give those galaxies other labels instead"
            )
        self._undo(entries)

    def take_back(self, gesture: str = "") -> list[Entry]:
        """Take back what a gesture of this user labelled, by default his last one; in one piece."""
        # Of all ids: a file of labels may name galaxies that the dataset lacks.
        mine = [entry for entry in self.log.standing(self.target) if entry.who == self.log.who]
        if not mine:
            return []
        gesture = gesture or mine[-1].shown.get("gesture", mine[-1].id)
        last = [entry for entry in mine if entry.shown.get("gesture", entry.id) == gesture]
        self._undo(last)
        return last

    def _undo(self, entries: Iterable[Entry]) -> None:
        from glue_zoobot.analysis.labels import Entry

        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.log.extend(
            [Entry(uuid4().hex, when, self.log.who, e.object_id, kind="undo", undoes=e.id) for e in entries]
        )

    def conflicts(self) -> list[Conflict]:
        """Galaxies with different labels, unless the last one was given in full knowledge of the others."""
        given: dict[int, list[Entry]] = {}
        for entry in self.standing():
            given.setdefault(self.row_of(entry), []).append(entry)
        return [
            Conflict(row, tuple((entry.who, entry.value) for entry in entries))
            for row, entries in given.items()
            if len({entry.value for entry in entries}) > 1 and not entries[-1].shown.get("settles")
        ]
