"""
Which galaxy a row is: the object id.

Ids are text and never pass through float: SDSS ids have up to 19 digits, a float64 keeps 15 to 17.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError

#: Usual names of an id column, best first; compared in lower case without ``_``, ``-`` and spaces.
ID_NAMES = (
    *("objectid", "idstr", "iauname", "objid", "dr7objid", "dr8objid", "dr8id", "dr10objid", "dr12objid"),
    *("galaxyid", "sourceid", "targetid", "assetid", "specobjid", "coaddobjectid", "uniqueid", "catalogueid"),
    *("catalogid", "legacyid", "cosmosid", "euclidid", "candelsid", "subjectid", "zooniverseid", "galid"),
    *("id", "ident", "identifier", "ids", "name", "objectname", "objname", "galaxyname", "galaxy"),
)
#: A column is taken as id without being asked for only when at least this share of its values is unique.
_MOSTLY_UNIQUE = 0.9
_NEAREST = 5  # column names that a message proposes
_ID_LIKE = re.compile(
    r"(^|[_\- ])(id|ids|uid|id_?str)([_\- ]|$)|obj_?id|galaxy_?id|iauname|[a-z]_?Id$|[a-z]ID$"
)


@dataclass(frozen=True)
class Identity:
    """The id of every row and where it comes from."""

    object_ids: np.ndarray
    origin: str
    notes: tuple[str, ...] = ()

    def duplicates(self) -> dict[str, list[int]]:
        """Later rows of every id that is there more than once; the first row keeps the id."""
        if len(set(self.object_ids)) == len(self.object_ids):
            return {}
        first: set[str] = set()
        later: dict[str, list[int]] = {}
        for row, object_id in enumerate(self.object_ids):
            if object_id in first:
                later.setdefault(object_id, []).append(row)
            first.add(object_id)
        return later


def normalise(name: str) -> str:
    """Lower case without separators, to compare column names."""
    return re.sub(r"[_\-\s]", "", name).lower()


def is_id_like(name: str) -> bool:
    """Whether a column of this name holds ids, so that it is to be read as text."""
    return normalise(name) in ID_NAMES or bool(_ID_LIKE.search(name) or _ID_LIKE.search(name.lower()))


def find_column(columns: list[str], wanted: str) -> str:
    """Return the column a user named: exact, else in another case; `CatalogueError` if there is none."""
    if wanted in columns:
        return wanted
    for column in columns:
        if column.lower() == wanted.lower():
            return column
    near = difflib.get_close_matches(wanted.lower(), [c.lower() for c in columns], _NEAREST, 0.5)
    shown = [c for c in columns if c.lower() in near] or columns[:_NEAREST]
    raise CatalogueError(
        f"there is no column {wanted!r} among the {len(columns):,}; "
        f"{'nearest' if near else 'the first'}: {', '.join(shown) or 'none'}"
    )


def identify(
    table: Table, id_column: str | None = None, fallback: Callable[[], list[str] | None] = lambda: None
) -> Identity:
    """
    Find the id of every row.

    Parameters
    ----------
    table : astropy.table.Table
        N rows.
    id_column : str, optional
        The column a user named.
    fallback : callable, optional
        Gives ids from file names, when no column will do; the row number is used when it gives None.

    Raises
    ------
    CatalogueError
        The named column is missing or unfit.
    """
    if id_column is not None:
        name = find_column(table.colnames, id_column)
        ids, problem = ids_of(table[name])
        if ids is None:
            raise CatalogueError(
                f"column {name!r} cannot serve as object id: {problem}. Name another column."
            )
        return Identity(ids, f"column {name!r}")
    notes: list[str] = []
    for name in _candidates(table.colnames):
        ids, problem = ids_of(table[name])
        if ids is not None and len(set(ids)) < _MOSTLY_UNIQUE * len(ids):
            ids, problem = None, "many of its values repeat"
        if ids is not None:
            return Identity(ids, f"column {name!r}", tuple(notes))
        notes.append(f"column {name!r} not used as object id: {problem}")
    from_files = fallback()
    if from_files is not None:
        return Identity(np.array(from_files, dtype=object), "file stem", tuple(notes))
    notes.append("no id column found: galaxies are named by row number, so keep the order of the rows")
    return Identity(np.array([str(i) for i in range(len(table))], dtype=object), "row number", tuple(notes))


def _candidates(columns: list[str]) -> list[str]:
    by_name = {normalise(c): c for c in reversed(columns)}
    return [by_name[n] for n in ID_NAMES if n in by_name]


def ids_of(column: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Values of a column as ids (N,) object of str, or None and the reason why they will not do."""
    values = np.asarray(column)
    if values.ndim != 1:
        return None, "it holds more than one value in a row"
    if values.dtype.kind == "f":
        exact = np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2.0**53)
        if not exact.all():
            return None, "it holds floating-point numbers or gaps, so digits of the ids may be lost"
        values = values.astype(np.int64)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind not in "iuUOT":
        return None, f"its values are of type {values.dtype}"
    if np.any(getattr(column, "mask", False)):
        return None, "it has gaps"
    ids = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v).strip() for v in values.tolist()]
    if "" in ids:
        return None, f"{sum(not i for i in ids)} of its cells are empty"
    return np.array(ids, dtype=object), ""
