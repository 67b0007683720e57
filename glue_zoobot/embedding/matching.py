"""Which row of an image source is which galaxy of a plan, and a part of a source to send away."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from glue_zoobot.embedding.ids import Ids
from glue_zoobot.embedding.plan import Plan
from glue_zoobot.errors import StoreError

RowsOf = Callable[[int], np.ndarray]


def match(plan: Plan, source: Any, shards: Iterable[int]) -> RowsOf:
    """
    Find the galaxies of a plan in a source.

    Parameters
    ----------
    plan : Plan
    source : ImageSource
        In whatever order.
    shards : iterable of int
        Only these are asked for; no more of the plan is read where the source has kept its order.

    Returns
    -------
    callable
        Rows of the source, int64, that hold the galaxies of a shard.

    Raises
    ------
    StoreError
        The source lacks a galaxy.
    """
    ids = source.object_ids
    if len(ids) == plan.n_rows and all(
        np.array_equal(ids[plan.shard_rows(shard)], plan.shard_ids(shard)) for shard in shards
    ):
        return plan.shard_rows
    rows = _rows_by_id(plan, Ids.of(ids))
    return lambda shard: rows[plan.shard_slice(shard)]


def _rows_by_id(plan: Plan, ids: Ids) -> np.ndarray:
    """First row with each identifier of a plan, by numbers that stand for them; int64, shape (N,)."""
    wanted, there = plan.object_ids.numbers(), ids.numbers()
    order = np.argsort(there, kind="stable")
    place = np.searchsorted(there[order], wanted)
    rows = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(0, np.int64)
    for shard in plan.shards:
        part = plan.shard_slice(shard)
        names = plan.shard_ids(shard)
        absent = np.flatnonzero(ids[rows[part]] != names) if len(rows) else [0]
        for i in absent:  # not there, or its number is that of another: then it is searched for
            rows_named = [int(row) for row in order[there[order] == wanted[part][i]] if ids[row] == names[i]]
            if not rows_named:
                raise StoreError(
                    f"The images lack the galaxy {names[i]!r} of {plan.describe()}. Open the source that "
                    "the store was made for."
                )
            rows[part.start + i] = rows_named[0]
    return rows


class Part:
    """
    Some rows of an image source, small enough to be sent to a worker.

    Images are still asked for by their rows in the whole source. What the source keeps for each of its
    images (identifier, path) is there for these rows alone.

    Parameters
    ----------
    source : ImageSource
    rows : ndarray of int64
    """

    def __init__(self, source: Any, rows: np.ndarray) -> None:
        self._source = copy.copy(source)
        rows = np.sort(rows)
        for name, value in vars(source).items():
            if isinstance(value, np.ndarray | Ids) and len(value) == len(source):
                setattr(self._source, name, _Excerpt(rows, value))

    def load(self, row: int) -> Any:
        """Load image ``row`` of the whole source; see `ImageSource.load`."""
        return self._source.load(row)

    def read(self, row: int) -> np.ndarray:
        """Read image ``row`` of the whole source; see `ImageSource.read`."""
        return self._source.read(row)


class _Excerpt:
    """A few values of a long sequence, under the numbers that they have there."""

    def __init__(self, rows: np.ndarray, values: Any) -> None:
        self._rows = rows
        self._length = len(values)
        self._values = values[rows]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> Any:
        place = int(np.searchsorted(self._rows, row))
        if place == len(self._rows) or self._rows[place] != row:
            raise IndexError(f"row {row} is not among those that were sent")
        return self._values[place]
