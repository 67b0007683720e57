"""The largest of a million numbers, in less time than sorting or partitioning them."""

from __future__ import annotations

import numpy as np

__all__ = ["best_rows"]

BLOCK = 32


def best_rows(keys: np.ndarray, k: int, tolerance: float = 0.0) -> np.ndarray:
    """
    Rows of the `k` largest keys, and of all that come within a tolerance of the last of them.

    Parameters
    ----------
    keys : np.ndarray
        Shape (N,), float32, without NaN; ``-inf`` is never found.
    k : int
        How many.
    tolerance : float
        How far below the k-th largest a key may lie.

    Returns
    -------
    np.ndarray
        int64, in ascending order; more than `k` if others tie with the last within the tolerance.
    """
    if k < 1:
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(keys >= _lower_bound(keys, k) - tolerance)
    found = keys[rows]
    finite = found > -np.inf
    rows, found = rows[finite], found[finite]
    if len(rows) > k:
        rows = rows[found >= np.partition(found, -k)[-k] - tolerance]
    return rows


def _lower_bound(keys: np.ndarray, k: int) -> float:
    """
    A number not above the k-th largest key, and not far below it.

    At least k keys reach the k-th largest of the maxima of blocks; those are cheap to find, because
    maxima run at memory speed while partitioning a million keys takes longer than the search itself.
    """
    n_blocks = len(keys) // BLOCK
    if n_blocks < 2 * k:
        return -np.inf
    maxima = keys[: n_blocks * BLOCK].reshape(n_blocks, BLOCK).max(axis=1)
    return float(np.partition(maxima, -k)[-k])
