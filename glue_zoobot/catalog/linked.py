"""
Galaxies of one dataset in another that the user linked to it: by a join, by id, or by place on the sky.

So examples can be given in a catalogue that has no embeddings, such as one of spectra or of clusters, and
their look-alikes be found in the one that has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from glue.core.exceptions import IncompatibleAttribute
from glue.core.subset import ElementSubsetState

from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.images.identity import ID_NAMES, ids_of, normalise
from glue_zoobot.images.positions import DEC_NAMES, RA_NAMES

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["RADIUS", "Linked", "linked_datasets", "rows_in"]

RADIUS = 1.0
"""Arcseconds within which two linked places are the same galaxy."""


@dataclass(frozen=True)
class Linked:
    """
    Rows of another dataset.

    Attributes
    ----------
    rows : np.ndarray
        Shape (K,), int64, ascending.
    how : str
        What they were found by, for a message.
    """

    rows: np.ndarray
    how: str


def linked_datasets(data: Data) -> list[Data]:
    """Return the datasets that the user linked to one, by a join or by columns."""
    joined = list(getattr(data, "_key_joins", {}))
    derived = [cid.parent for cid in data.externally_derivable_components]
    others = dict.fromkeys(other for other in (*joined, *derived) if other is not None and other is not data)
    return [other for other in others if hasattr(other, "meta")]


def rows_in(other: Data, data: Data, rows: np.ndarray) -> Linked:
    """
    Find rows of a dataset in another one.

    Parameters
    ----------
    other : Data
        Linked to `data`.
    data : Data
    rows : np.ndarray
        Shape (M,), int64.

    Returns
    -------
    Linked
        Empty if none of them is there.
    """
    found = Linked(np.empty(0, dtype=np.int64), "")
    for how, find in (("the join", _joined), ("id", _same_id), (f"place within {RADIUS:g}″", _same_place)):
        if not found.rows.size:
            found = Linked(np.unique(find(other, data, rows)).astype(np.int64), how)
    return found


def _joined(other: Data, data: Data, rows: np.ndarray) -> np.ndarray:
    try:
        return np.flatnonzero(other.get_mask(ElementSubsetState(rows, data=data)))
    except IncompatibleAttribute:
        return np.empty(0, dtype=np.int64)


def _same_id(other: Data, data: Data, rows: np.ndarray) -> np.ndarray:
    """Rows with the same id, if the columns of ids are linked."""
    for cid in _columns(data, ID_NAMES):
        theirs = _values_in(other, cid)
        ids = None if theirs is None else ids_of(theirs)[0]
        if ids is not None:
            return np.flatnonzero(np.isin(ids.astype(str), object_ids_of(data)[rows].astype(str)))
    return np.empty(0, dtype=np.int64)


def _same_place(other: Data, data: Data, rows: np.ndarray) -> np.ndarray:
    """For each row the nearest of the other dataset, if right ascension and declination are linked."""
    from scipy.spatial import cKDTree

    columns = (_columns(data, _in_degrees(names)) for names in (RA_NAMES, DEC_NAMES))
    for ra, dec in zip(*columns, strict=False):
        theirs = [_values_in(other, cid) for cid in (ra, dec)]
        if theirs[0] is not None and theirs[1] is not None:
            places = _unit_vectors(theirs[0], theirs[1])
            known = np.flatnonzero(np.isfinite(places).all(axis=1))
            wanted = _unit_vectors(data[ra][rows], data[dec][rows])
            wanted = wanted[np.isfinite(wanted).all(axis=1)]
            chord = 2 * np.sin(np.radians(RADIUS / 3600) / 2)
            distance, nearest = cKDTree(places[known]).query(wanted, distance_upper_bound=chord)
            return known[nearest[np.isfinite(distance)]]
    return np.empty(0, dtype=np.int64)


def _in_degrees(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not name.endswith(("hours", "rad")))


def _columns(data: Data, names: tuple[str, ...]) -> Iterator[ComponentID]:
    """Columns with one of some usual names, best first."""
    by_name = {normalise(cid.label): cid for cid in reversed(data.main_components)}
    return (by_name[name] for name in names if name in by_name)


def _values_in(other: Data, cid: ComponentID) -> np.ndarray | None:
    """Values of a column of one dataset for the rows of another, as glue's links give them."""
    try:
        values = other[cid]
    except IncompatibleAttribute:
        return None
    return np.asarray(values) if np.shape(values) == other.shape else None


def _unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    lon, lat = np.radians(np.asarray(ra, dtype=np.float64)), np.radians(np.asarray(dec, dtype=np.float64))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
