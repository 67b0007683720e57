"""Put rows in order: stable in both directions, what is missing always last."""

from __future__ import annotations

import numpy as np
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import Data

__all__ = [
    "ZERO_RANK",
    "grouped",
    "is_missing",
    "order_by",
    "random_order",
    "sort_values",
    "zero_rank_name",
]

#: Columns that rank galaxies, by how their names start, and what rank 0 says of a galaxy.
ZERO_RANK = {"similarity_rank": "query", "interest_rank": "rated"}
FEW = 3  # so many with rank 0 stay in front; more would hide the answer
MOST_GROUPS = 500


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


def random_order(rows: np.ndarray, size: int, seed: int) -> np.ndarray:
    """
    Rows in a random order that is the same whenever the seed is, whichever rows they are.

    Parameters
    ----------
    rows : (M,) ndarray of int
        Rows to put in order.
    size : int
        Rows of the dataset.
    seed : int
        Another number, another order.

    Returns
    -------
    (M,) ndarray of int
    """
    return rows[np.argsort(np.random.default_rng(seed).permutation(size)[rows])]


def is_missing(data: Data, cid: ComponentID) -> np.ndarray:
    """Which rows have no value in a column: (N,) bool."""
    return np.isnan(sort_values(data, cid, descending=True).astype(float))


def grouped(data: Data, cid: ComponentID, rows: np.ndarray) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """
    Put rows of the same category together; they keep their order within it.

    Parameters
    ----------
    data : Data
        The dataset.
    cid : ComponentID
        A column of categories.
    rows : (M,) ndarray of int
        Rows to group.

    Returns
    -------
    rows : (M,) ndarray of int
        Category by category, those without one last.
    groups : list of (str, int)
        Name and size of each group that has members. After `MOST_GROUPS` the rest is one group.
    """
    categories = data.get_component(cid).categories
    codes = sort_values(data, cid)[rows]
    codes = np.where(np.isnan(codes), len(categories), codes).astype(np.int64)
    present, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    titles = [f"{categories[c]}" if c < len(categories) else f"no {cid.label}" for c in present]
    if len(sizes) > MOST_GROUPS:
        titles, codes = [*titles[: MOST_GROUPS - 1], "others"], np.minimum(codes, MOST_GROUPS - 1)
        sizes = np.bincount(codes)
    return rows[np.argsort(codes, kind="stable")], list(zip(titles, sizes.tolist(), strict=True))
