"""How well neighbours in an embedding are of one class: the figure to watch while an encoder learns."""

from __future__ import annotations

import numpy as np

from glue_zoobot.analysis import SimilaritySearch

__all__ = ["MOST_PROBED", "NEIGHBOURS", "precision_at"]

NEIGHBOURS = 10
MOST_QUERIES, MOST_PROBED = 2000, 20_000


def precision_at(
    matrix: np.ndarray, codes: np.ndarray, asked: np.ndarray, k: int = NEIGHBOURS
) -> dict[str, float]:
    """
    Class-balanced precision of the `k` nearest neighbours by cosine.

    Parameters
    ----------
    matrix : np.ndarray
        (N, D) embeddings of labelled galaxies.
    codes : np.ndarray
        (N,) classes.
    asked : np.ndarray
        (N,) bool: which are queries; their neighbours are sought among all others.
    k : int

    Returns
    -------
    dict
        ``precision_at_10`` (of the k), the mean over classes of the mean share of neighbours of the query's
        class; ``chance``, the same for random neighbours; ``queries``. Empty if nothing can be asked.
    """
    queries = np.flatnonzero(asked)[:MOST_QUERIES]
    if len(codes) <= k or not len(queries):
        return {}
    search = SimilaritySearch(matrix)
    share = np.array([np.mean(codes[search.query(like=[row], k=k)[0]] == codes[row]) for row in queries])
    others = (np.bincount(codes)[codes[queries]] - 1) / (len(codes) - 1)
    return {
        f"precision_at_{k}": _balanced(share, codes[queries]),
        "chance": _balanced(others, codes[queries]),
        "queries": len(queries),
    }


def _balanced(values: np.ndarray, codes: np.ndarray) -> float:
    return float(np.mean([values[codes == code].mean() for code in np.unique(codes)]))
