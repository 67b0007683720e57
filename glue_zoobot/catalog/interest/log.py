"""The log of a catalogue's ratings: where it is, and which rows its entries are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.record import data_file, record_of, relative_to_data, resolve, update_record
from glue_zoobot.folders import cache_folder

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.analysis.labels import Entry, LabelLog

__all__ = ["RowLog", "explain_log", "log_path_of", "remember_log"]


def log_path_of(data: Data) -> Path:
    """
    Return where the ratings of a dataset are, or will be.

    What the dataset remembers; else beside its embeddings, or where those would be.
    """
    record = record_of(data)
    if record.get("ratings"):
        return resolve(data, record["ratings"])
    label = re.sub(r"[^\w.+-]+", "_", data.label).strip("._")
    name = f"{label or 'catalogue'}.ratings.jsonl"
    if record.get("store"):
        return resolve(data, record["store"]).with_name(name)
    file = data_file(data)
    if file is None:
        return cache_folder() / "ratings" / name
    from glue_zoobot.embedding import default_store

    return default_store(file, "mini").with_name(name)


def remember_log(data: Data, path: str | Path) -> None:
    """Say where the ratings of a dataset are; kept with the session, relative to the data."""
    relative = relative_to_data(data, path)
    if record_of(data).get("ratings") != relative:
        update_record(data, ratings=relative)


class RowLog:
    """
    A `LabelLog` by rows of a dataset. Entries about galaxies that the dataset lacks are kept, and not used.

    Parameters
    ----------
    data : Data
    path : path, optional
        By default `log_path_of` the data.

    Raises
    ------
    AnalysisError
        If the file exists and is no log.
    """

    def __init__(self, data: Data, path: str | Path | None = None) -> None:
        from glue_zoobot.analysis.labels import LabelLog

        self.log: LabelLog = LabelLog(path or log_path_of(data))
        self._ids = object_ids_of(data)
        self._rows: dict[str, int] = {}
        self._strangers: set[str] = set()
        self.standing()

    @property
    def path(self) -> Path:
        """The file."""
        return self.log.path

    def add(self, rows: Iterable[int], value: int | None, shown: Mapping[str, Any]) -> None:
        """
        Put one rating of several rows on disk, in one piece.

        Parameters
        ----------
        rows : iterable of int
        value : int or None
            0 to 5; None for passed over.
        shown : mapping
            What the user was shown, in plain values.

        Raises
        ------
        AnalysisError
            If it is no rating, or could not be written: then none of it counts.
        """
        from glue_zoobot.analysis.labels import Entry, checked_rating

        when, value = datetime.now(UTC).isoformat(timespec="milliseconds"), checked_rating(value)
        shown = {**shown, "gesture": uuid4().hex[:12]}
        names = {str(self._ids[row]): int(row) for row in rows}
        self.log.extend(
            Entry(uuid4().hex, when, self.log.who, name, value=value, shown=shown) for name in names
        )
        for name, row in names.items():  # not by a look through all ids: cost must not grow with them
            self._rows.setdefault(name, row)

    def take_back(self) -> list[Entry]:
        """Take back what this user's last gesture recorded about galaxies of the dataset, if there is any."""
        mine = [entry for entry in self.standing() if entry.who == self.log.who]
        if not mine:
            return []
        gesture = mine[-1].shown.get("gesture", mine[-1].id)
        last = [entry for entry in mine if entry.shown.get("gesture", entry.id) == gesture]
        for entry in last:
            self.log.take_back(entry)
        return last

    def row_of(self, entry: Entry) -> int:
        """Return the row that an entry is about."""
        return self._rows[entry.object_id]

    def standing(self) -> list[Entry]:
        """Ratings and skips that stand, of galaxies in the dataset, oldest first."""
        entries = self.log.standing()
        self._find_rows(entry.object_id for entry in entries)
        return [entry for entry in entries if entry.object_id in self._rows]

    def _find_rows(self, names: Iterable[str]) -> None:
        """Look new ids up, all in one pass; of rows with equal ids the first."""
        wanted = {name for name in names if name not in self._rows and name not in self._strangers}
        if not wanted:
            return
        for row in np.flatnonzero([name in wanted for name in self._ids.tolist()])[::-1].tolist():
            self._rows[str(self._ids[row])] = row
        self._strangers |= wanted - set(self._rows)

    @property
    def n_strangers(self) -> int:
        """Rated galaxies that the dataset lacks."""
        return len(self._strangers)


def explain_log(log: RowLog) -> str:
    """Say what the user should know of a log that was just opened; empty if all is well."""
    notes = []
    if log.log.damaged:
        notes.append(
            f"lines of {log.path.name} that cannot be read, and were passed over: {log.log.damaged:,}"
        )
    if log.n_strangers:
        notes.append(f"ratings kept of galaxies that are not in this catalogue: {log.n_strangers:,}")
    return "; ".join(notes)
