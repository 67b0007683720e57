"""Which galaxy a row of a glue dataset is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from glue.core.component import CategoricalComponent

from glue_zoobot.catalog.record import record_of, update_record
from glue_zoobot.images.identity import ID_NAMES, ids_of, normalise

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["match_rows", "object_ids_of"]

# By the column's uuid: a ComponentID knows its dataset, and would keep it alive here for ever.
_CACHE: WeakKeyDictionary[Data, tuple[str | None, np.ndarray]] = WeakKeyDictionary()


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
    cid = _id_column(data)
    uuid = None if cid is None else cid.uuid
    known = _CACHE.get(data)
    if known is None or known[0] != uuid or len(known[1]) != data.size:
        known = _CACHE[data] = (uuid, _row_numbers(data) if cid is None else _as_text(data, cid))
    return known[1]


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
    where = {object_id: position for position, object_id in reversed(list(enumerate(wanted.tolist())))}
    best: tuple[np.ndarray, np.ndarray] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    served = None
    for cid in _candidates(data) or [None]:
        ids = _row_numbers(data) if cid is None else _as_text(data, cid)
        found = _match(ids, where)
        if len(found[0]) > len(best[0]):
            best, served = found, cid
    if served is not None and record_of(data).get("id_column") != served.label:
        update_record(data, id_column=served.label)
    return best


def _match(ids: np.ndarray, where: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, positions, seen = [], [], set()
    for row, object_id in enumerate(ids.tolist()):
        position = where.get(object_id)
        if position is not None and position not in seen:
            seen.add(position)
            rows.append(row)
            positions.append(position)
    return np.array(rows, dtype=np.int64), np.array(positions, dtype=np.int64)


def _id_column(data: Data) -> ComponentID | None:
    remembered = record_of(data).get("id_column")
    candidates = _candidates(data)
    return next((cid for cid in candidates if cid.label == remembered), candidates[0] if candidates else None)


def _candidates(data: Data) -> list[ComponentID]:
    """Columns that may hold ids, best first."""
    by_name = {normalise(cid.label): cid for cid in reversed(data.main_components)}
    named = [by_name[name] for name in ID_NAMES if name in by_name]
    return [cid for cid in named if _as_text(data, cid) is not None]


def _as_text(data: Data, cid: ComponentID) -> np.ndarray | None:
    component = data.get_component(cid)
    if isinstance(component, CategoricalComponent):
        return np.asarray(component.labels)
    return ids_of(component.data)[0]


def _row_numbers(data: Data) -> np.ndarray:
    return np.arange(data.size).astype(str)
