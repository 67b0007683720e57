"""Ratings of several people or programs: merge, compare, import, export."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.labels import HIGHEST, INTERESTING, Entry, LabelLog, checked_rating
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Agreement", "agreement", "consistency", "import_ratings", "merge", "ratings_table"]

ID_COLUMNS = ("object_id", "id_str", "id", "")  # "": the unnamed index column that pandas writes
RATING_COLUMNS = ("rating", "human_label", "interest_rating", "score_user", "label")
NOT_RATED = ("", "-1", "-1.0", "nan", "None")  # -1 is Astronomaly's "no label"


@dataclass(frozen=True)
class Agreement:
    """
    How well two sets of ratings of the same galaxies agree.

    Attributes
    ----------
    both : int
        Galaxies in both; with fewer than one the shares are NaN.
    same, within_one : float
        Share with the same rating, and with at most one step between.
    kappa : float
        Cohen's kappa with quadratic weights (Cohen 1968): 1 for perfect agreement, 0 for that of chance; NaN
        where it is not defined.
    kappa_interesting : float
        The same for "3 or more" against "less".
    mean_difference : float
        Second minus first: how much higher the second one rates.
    """

    both: int
    same: float
    within_one: float
    kappa: float
    kappa_interesting: float
    mean_difference: float

    def text(self) -> str:
        """Say it in a sentence."""
        if not self.both:
            return "no galaxy was rated by both"
        return (
            f"{self.both:,} galaxies rated by both: {self.same:.0%} the same, {self.within_one:.0%} within "
            f"one, weighted kappa {self.kappa:.2f}, kappa of interesting (≥ {INTERESTING}) "
            f"{self.kappa_interesting:.2f}, the second {self.mean_difference:+.2f} on average"
        )


def agreement(first: Mapping[str, int], second: Mapping[str, int]) -> Agreement:
    """
    Compare ratings of the same galaxies.

    Parameters
    ----------
    first, second : mapping of str to int
        Rating by object id, as from `LabelLog.current`.
    """
    return _agreement([(first[name], second[name]) for name in first if name in second])


def consistency(entries: Iterable[Entry], who: str | None = None, blind: bool = False) -> Agreement:
    """
    Compare repeated ratings of the same galaxy by the same person, each with the one before.

    Parameters
    ----------
    entries : iterable of Entry
        Ratings that stand, oldest first, as from `LabelLog.standing`.
    who : str, optional
        By default all people of the log, each with himself.
    blind : bool
        Only repeats that the person did not ask for, and was not told of.
    """
    last: dict[tuple[str, str], int] = {}
    pairs = []
    for entry in entries:
        if entry.value is None or who not in (None, entry.who):
            continue
        key = (entry.who, entry.object_id)
        if key in last and (not blind or entry.shown.get("why") == "repeat"):
            pairs.append((last[key], entry.value))
        last[key] = entry.value
    return _agreement(pairs)


def _agreement(pairs: list[tuple[int, int]]) -> Agreement:
    if not pairs:
        nan = float("nan")
        return Agreement(0, nan, nan, nan, nan, nan)
    a, b = np.array(pairs).T
    return Agreement(
        both=len(a),
        same=float((a == b).mean()),
        within_one=float((abs(a - b) <= 1).mean()),
        kappa=_kappa(a, b),
        kappa_interesting=_kappa((a >= INTERESTING).astype(int), (b >= INTERESTING).astype(int)),
        mean_difference=float((b - a).mean()),
    )


def _kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Quadratic weights: one minus the mean squared difference over that of independent ratings."""
    by_chance = np.square(a[:, None] - b[None, :]).mean()
    return float(1 - np.square(a - b).mean() / by_chance) if by_chance else float("nan")


def merge(first: LabelLog, second: LabelLog, into: str | Path) -> tuple[LabelLog, Agreement]:
    """
    Write the entries of two logs, each once and in the order of time, into a third.

    Parameters
    ----------
    first, second : LabelLog
    into : str or Path
        A new file, or a log that gains what it lacks.

    Returns
    -------
    merged : LabelLog
    agreement : Agreement
        Of the ratings that stand in the one and the other.

    Raises
    ------
    AnalysisError
        If the third log cannot be written.
    """
    entries = {entry.id: entry for log in (first, second) for entry in log.entries()}
    merged = LabelLog(into)
    merged.extend(sorted(entries.values(), key=lambda entry: entry.when))
    return merged, agreement(first.current(), second.current())


def import_ratings(
    path: str | Path,
    who: str = "imported",
    id_column: str | None = None,
    rating_column: str | None = None,
) -> list[Entry]:
    """
    Read ratings from a CSV file, that of Astronomaly (``ml_scores.csv``) included.

    Ids are read as text, digit by digit. Importing the same file twice gives the same entries, so a log takes
    them once.

    Parameters
    ----------
    path : str or Path
    who : str
        Whose ratings they are.
    id_column, rating_column : str, optional
        By default ``object_id`` or the unnamed first column, and ``rating`` or ``human_label``; -1 and empty
        cells are "not rated".

    Returns
    -------
    list of Entry
        For `LabelLog.extend`.

    Raises
    ------
    AnalysisError
        If the file cannot be read, lacks the columns, or holds a value that is no rating.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            ids = _column(path, reader.fieldnames or (), id_column, ID_COLUMNS, "id")
            values = _column(path, reader.fieldnames or (), rating_column, RATING_COLUMNS, "rating")
            pairs = [(row[ids], row[values]) for row in reader]
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnalysisError(f"{path}: no ratings can be read from it ({error}); give a CSV file") from error
    return [
        _imported(path, who, when, object_id, text)
        for object_id, text in pairs
        if object_id and (text or "").strip() not in NOT_RATED
    ]


def _column(path: Path, names: object, wanted: str | None, usual: tuple[str, ...], what: str) -> str:
    columns = list(names)  # type: ignore[call-overload]
    for name in usual if wanted is None else (wanted,):
        if name in columns:
            return str(name)
    missing = f"no column of {what}s" if wanted is None else f"there is no column {wanted!r}"
    raise AnalysisError(
        f"{path}: {missing} among {', '.join(map(repr, columns)) or 'none'}; call it {usual[0]}, or make a "
        f"log of the file first: glue-zoobot rate import {path} --{what}-column COLUMN --log ratings.jsonl"
    )


def _imported(path: Path, who: str, when: str, object_id: str, text: str) -> Entry:
    try:
        value = checked_rating(float(text))
    except (ValueError, AnalysisError) as error:
        raise AnalysisError(
            f"{path}: {text!r} for {object_id} is no rating from 0 to {HIGHEST}; correct it "
            "or name another column"
        ) from error
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"glue-zoobot:{who}:{object_id}:{value}").hex
    return Entry(name, when, who, object_id, value=value, shown={"imported": path.name})


def ratings_table(log: LabelLog) -> Table:
    """
    Give the ratings that stand as a table.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``rating`` int, ``who``, ``when`` (ISO 8601, UTC) of the latest rating, and
        ``n_ratings``: how many stand of this galaxy.
    """
    from astropy.table import Table

    latest: dict[str, Entry] = {}
    counts: dict[str, int] = {}
    for entry in log.standing():
        if entry.value is not None:
            latest[entry.object_id] = entry
            counts[entry.object_id] = counts.get(entry.object_id, 0) + 1
    columns = {
        "object_id": np.array(list(latest), dtype=str),
        "rating": np.array([entry.value for entry in latest.values()], dtype=np.int64),
        "who": np.array([entry.who for entry in latest.values()], dtype=str),
        "when": np.array([entry.when for entry in latest.values()], dtype=str),
        "n_ratings": np.array(list(counts.values()), dtype=np.int64),
    }
    return Table(columns, meta={"log": log.path.name, "ratings": str(len(latest))})
