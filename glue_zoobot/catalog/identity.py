"""Which galaxy a row of a glue dataset is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from glue.core.component import CategoricalComponent

from glue_zoobot.catalog.record import record_of, update_record
from glue_zoobot.images.identity import ID_NAMES, ids_of, normalise

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["describe_ids", "id_columns", "match_rows", "object_ids_of", "remember_id_column"]

_NONE = np.empty(0, dtype=np.int64)

# Keyed by uuids: a ComponentID knows its dataset, and would keep it alive here for ever.
_CACHE: WeakKeyDictionary[Data, tuple[tuple[str | None, ...], np.ndarray]] = WeakKeyDictionary()


def object_ids_of(data: Data) -> np.ndarray:
    """
    Return the object id of every row.

    From the column ``object_id``, which our loaders make; else the column by which images or embeddings
    were matched; else the first usable one with a usual name; else the row number.

    Parameters
    ----------
    data : Data

    Returns
    -------
    np.ndarray
        Shape (N,), of str.
    """
    key = (record_of(data).get("id_column"), *(cid.uuid for cid in _named(data)), str(data.size))
    known = _CACHE.get(data)
    if known is None or known[0] != key:
        known = _CACHE[data] = (key, _ids(data))
    return known[1]


def describe_ids(data: Data) -> str:
    """Say for a message what the ids of a dataset look like, and why a likely column did not serve."""
    unfit = [
        f"column {cid.label!r} will not do: {ids_of(data.get_component(cid).data)[1]}"
        for cid in _named(data)
        if _as_text(data, cid) is None
    ]
    return "; ".join([f"ids such as {str(object_ids_of(data)[0])!r}", *unfit])


def match_rows(data: Data, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Find the rows of a dataset that are known by id elsewhere, and remember the id column that served.

    Parameters
    ----------
    data : Data
    wanted : np.ndarray
        Shape (M,), ids of the other side; the first of equal ids counts.

    Returns
    -------
    rows : np.ndarray
        Rows of `data`, ascending; of rows with equal ids only the first.
    positions : np.ndarray
        For each of them, where it is in `wanted`.
    """
    best, served = (_NONE, _NONE), None
    for cid, ids in id_columns(data):
        found = _match(ids, wanted)
        if len(found[0]) > len(best[0]):
            best, served = found, cid
        if len(best[0]) == min(data.size, len(wanted)):
            break
    remember_id_column(data, served)
    return best


def id_columns(data: Data) -> Iterator[tuple[ComponentID | None, np.ndarray]]:
    """Give the columns that may hold ids, best first, each with the ids (N,); without any, row numbers."""
    named = _named(data)
    if not named:
        yield None, _row_numbers(data)
    for cid in named:
        ids = _as_text(data, cid)
        if ids is not None:
            yield cid, ids


def remember_id_column(data: Data, served: ComponentID | None) -> None:
    """Take the ids of a dataset from this column from now on; None changes nothing."""
    if served is not None and record_of(data).get("id_column") != served.label:
        update_record(data, id_column=served.label)


def _match(ids: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    where = {object_id: position for position, object_id in reversed(list(enumerate(wanted.tolist())))}
    if len(where) == len(ids) == len(wanted) and (ids == wanted).all():
        return np.arange(len(ids)), np.arange(len(ids))
    rows, positions, seen = [], [], set()
    for row, object_id in enumerate(ids.tolist()):
        position = where.get(object_id)
        if position is not None and position not in seen:
            seen.add(position)
            rows.append(row)
            positions.append(position)
    return np.array(rows, dtype=np.int64), np.array(positions, dtype=np.int64)


def _ids(data: Data) -> np.ndarray:
    remembered = record_of(data).get("id_column")
    for cid in sorted(_named(data), key=lambda cid: cid.label != remembered):
        ids = _as_text(data, cid)
        if ids is not None:
            return ids
    return _row_numbers(data)


def _named(data: Data) -> list[ComponentID]:
    """Columns with a usual name of ids, best first."""
    by_name = {normalise(cid.label): cid for cid in reversed(data.main_components)}
    return [by_name[name] for name in ID_NAMES if name in by_name]


def _as_text(data: Data, cid: ComponentID) -> np.ndarray | None:
    component = data.get_component(cid)
    categorical = isinstance(component, CategoricalComponent)
    if categorical and cid.label == "object_id":
        return np.asarray(component.labels)  # as our loaders make it
    ids = ids_of(component.labels if categorical else component.data)[0]
    return ids if ids is not None and len(set(ids)) > 0.5 * len(ids) else None


def _row_numbers(data: Data) -> np.ndarray:
    return np.arange(data.size).astype(str)
