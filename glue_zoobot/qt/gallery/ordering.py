"""Put rows in order: stable in both directions, what is missing always last."""

from __future__ import annotations

import numpy as np
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import Data

__all__ = ["ZERO_RANK", "order_by", "sort_values", "zero_rank_name"]

#: Columns that rank galaxies, by how their names start, and what rank 0 says of a galaxy.
ZERO_RANK = {"similarity_rank": "query", "interest_rank": "rated"}
FEW = 3  # so many with rank 0 stay in front; more would hide the answer


def zero_rank_name(cid: ComponentID) -> str:
    """What rank 0 means in a column; empty if it does not rank galaxies."""
    return next((name for start, name in ZERO_RANK.items() if cid.label.startswith(start)), "")


def order_by(values: np.ndarray, descending: bool = False) -> np.ndarray:
    """
    Row order of ``values``.

    Equal values keep their order in both directions; NaN and NaT come last in both.

    Parameters
    ----------
    values : (N,) ndarray
        Numbers or datetimes.
    descending : bool, optional
        Largest first.

    Returns
    -------
    (N,) ndarray of int64
    """
    missing = np.isnat(values) if values.dtype.kind in "mM" else np.isnan(values)
    present = np.flatnonzero(~missing)
    if descending:  # sorting the reversed rows keeps equal values in catalogue order once turned round
        backwards = present[::-1]
        order = backwards[np.argsort(values[backwards], kind="stable")][::-1]
    else:
        order = present[np.argsort(values[present], kind="stable")]
    return np.concatenate([order, np.flatnonzero(missing)])


def sort_values(data: Data, cid: ComponentID, descending: bool = False) -> np.ndarray:
    """
    Numbers by which the rows of ``data`` can be ordered along ``cid``.

    Categories count by their place among the categories; an empty one is missing. Of a rank, a few 0
    (the question itself) come first; many, such as all galaxies of a subset, follow the answer.

    Returns
    -------
    (N,) ndarray
    """
    component = data.get_component(cid)
    if not isinstance(component, CategoricalComponent):
        values = np.asarray(component.data)
        values = values if values.dtype.kind in "mMf" else values.astype(float)
        return _questions_placed(values) if zero_rank_name(cid) and not descending else values
    codes = np.rint(component.codes)  # views may have jittered them by up to half a category
    codes[np.isin(codes, np.flatnonzero(component.categories == ""))] = np.nan
    return codes


def _questions_placed(rank: np.ndarray) -> np.ndarray:
    questions = rank == 0
    return np.where(questions, np.inf, rank) if np.count_nonzero(questions) > FEW else rank
