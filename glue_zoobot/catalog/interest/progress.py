"""What rating has yielded: found against looked at, and the audit of what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.catalog.columns import our_columns, write_columns
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.analysis.labels import Entry
    from glue_zoobot.analysis.remaining import Audit, Remaining

__all__ = ["Yield", "audit_of", "remaining_of", "write_audit", "yield_of"]

BAND, PICK = "audit_band", "audit_pick"
FEWEST_PICKS = 15


@dataclass(frozen=True)
class Yield:
    """
    How many interesting galaxies were found by looking at how many.

    Attributes
    ----------
    found : np.ndarray
        Shape (n + 1,), int64: found after 0, 1, … n galaxies, each counted when it was first rated and with
        the rating that stands.
    """

    found: np.ndarray

    @property
    def looked(self) -> int:
        """Galaxies rated."""
        return len(self.found) - 1


def yield_of(entries: list[Entry]) -> Yield:
    """Count what the ratings that stand, oldest first, have found."""
    values: dict[str, int] = {}
    for entry in entries:
        if entry.value is not None:
            values[entry.object_id] = entry.value  # keeps the place of the first rating
    good = np.array(list(values.values()), dtype=np.int64) >= INTERESTING
    return Yield(np.concatenate([[0], np.cumsum(good)]))


def write_audit(data: Data, ratings: Mapping[int, int], scores: np.ndarray, n_picks: int) -> Audit:
    """
    Draw random galaxies from bands of a ranking, and keep the draw as columns of the dataset.

    Parameters
    ----------
    data : Data
        N rows.
    ratings : mapping of int to int
        By row.
    scores : np.ndarray
        Shape (N,), NaN where there is none.
    n_picks : int
        How many to draw; fewer from a small catalogue.

    Raises
    ------
    AnalysisError
        If fewer than fifteen galaxies are not rated yet.
    """
    from glue_zoobot.analysis.remaining import plan_audit

    rated = np.array(list(ratings), dtype=np.int64)
    free = int(np.isfinite(scores).sum() - np.isfinite(scores[rated]).sum())
    if free < FEWEST_PICKS:
        raise AnalysisError(f"only {free} galaxies are not rated yet: look at them all instead of a few")
    audit = plan_audit(scores, rated, min(n_picks, free))
    band, pick = np.full((2, data.size), np.nan, dtype=np.float32)
    for number, (start, end) in enumerate(zip(audit.edges, audit.edges[1:], strict=False), start=1):
        band[audit.order[start:end]] = number
    pick[audit.rows] = np.arange(1, len(audit.rows) + 1)
    write_columns(data, {BAND: band, PICK: pick}, {"method": "audit", "picks": len(audit.rows)})
    return audit


def audit_of(data: Data) -> Audit | None:
    """Read the audit of a dataset back from its columns, as in a reopened session; None if there is none."""
    from glue_zoobot.analysis.remaining import Audit

    columns = our_columns(data)
    if BAND not in columns or PICK not in columns:
        return None
    band, pick = data[columns[BAND]], data[columns[PICK]]
    inside = np.flatnonzero(np.isfinite(band))
    order = inside[np.argsort(band[inside], kind="stable")]
    edges = np.concatenate([[0], np.cumsum(np.bincount(band[inside].astype(np.int64))[1:])])
    rows = np.flatnonzero(np.isfinite(pick))
    rows = rows[np.argsort(pick[rows])]
    return Audit(rows, band[rows].astype(np.int64) - 1, order, edges)


def remaining_of(audit: Audit | None, ratings: Mapping[int, int]) -> Remaining | None:
    """Estimate how many interesting galaxies are left; None before every band has a rated pick."""
    if audit is None:
        return None
    try:
        return audit.remaining({row: value >= INTERESTING for row, value in ratings.items()})
    except AnalysisError:
        return None


def unrated_picks(audit: Audit | None, seen: Mapping[int, object]) -> Iterator[int]:
    """Picks of an audit that were neither rated nor skipped, in the order in which to show them."""
    return (int(row) for row in (() if audit is None else audit.rows) if int(row) not in seen)
