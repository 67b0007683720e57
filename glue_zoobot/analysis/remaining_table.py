"""An audit as a table, so that its picks can be rated elsewhere and later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.analysis.remaining import Audit
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["audit_of_table", "audit_table"]


def audit_table(audit: Audit, object_ids: np.ndarray) -> Table:
    """
    Write down an audit.

    Parameters
    ----------
    audit : Audit
    object_ids : np.ndarray
        Shape (N,), of the rows that were ranked.

    Returns
    -------
    astropy.table.Table
        All galaxies of the audit, best first: ``object_id`` str, ``band`` int from 1, ``pick`` int: the order
        in which to rate, 0 for those that were not picked.
    """
    from astropy.table import Table

    place = {int(row): number for number, row in enumerate(audit.rows, start=1)}
    band = np.searchsorted(audit.edges, np.arange(len(audit.order)), side="right")
    return Table(
        {
            "object_id": object_ids[audit.order].astype(str),
            "band": band,
            "pick": [place.get(int(row), 0) for row in audit.order],
        }
    )


def audit_of_table(table: Table, ratings: Mapping[str, int]) -> tuple[Audit, dict[int, bool]]:
    """
    Read an audit back, with the ratings that were given by now.

    Parameters
    ----------
    table : astropy.table.Table
        From `audit_table`; columns may be text.
    ratings : mapping of str to int
        By object id; those of galaxies outside the audit count as found earlier.

    Returns
    -------
    audit : Audit
        Its rows are places in the table.
    interesting : dict
        For `Audit.remaining`.

    Raises
    ------
    AnalysisError
        If the table is no audit.
    """
    if not {"object_id", "band", "pick"} <= set(table.colnames):
        raise AnalysisError("this table is no audit (object_id, band, pick); make one with `rate audit`")
    band, pick = (np.array([int(value) for value in table[name]]) for name in ("band", "pick"))
    rows = np.flatnonzero(pick)
    rows = rows[np.argsort(pick[rows])]
    edges = np.concatenate([[0], np.cumsum(np.bincount(band)[1:])])
    places = {str(name): place for place, name in enumerate(table["object_id"])}
    interesting = {
        places.get(name, -1 - number): value >= INTERESTING
        for number, (name, value) in enumerate(ratings.items())
    }
    return Audit(rows, band[rows] - 1, np.arange(len(table)), edges), interesting
