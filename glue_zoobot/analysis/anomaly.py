"""How strange is each galaxy among the others? Scores that need no ratings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glue_zoobot.analysis.principal import principal_axes
from glue_zoobot.errors import AnalysisError

__all__ = ["DESCRIPTIONS", "METHODS", "anomaly_ranks", "anomaly_scores"]

N_COMPONENTS = 40
"""Principal components, standardised, on which distances and trees work (as in Walmsley et al. 2022)."""

N_NEIGHBORS = 15
N_TREES = 200
EXACT_ROWS = 20_000
LOF_NEIGHBORS = 20
LOF_FIT_ROWS = 50_000  # its neighbour search grows as the square of the rows


def anomaly_scores(matrix: np.ndarray, method: str = "knn", random_state: int = 0) -> np.ndarray:
    """
    Score every galaxy by how unlike the others it is.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D), embeddings.
    method : {"knn", "isolation_forest", "lof", "pca"}
        "knn": mean distance to the 15 nearest others (Ramaswamy et al. 2000), exact for up to 20,000
        galaxies and from a nearest-neighbour-descent graph (Dong et al. 2011) beyond;
        "isolation_forest": how few random cuts set a galaxy apart (Liu et al. 2008), 200 trees;
        "lof": local outlier factor (Breunig et al. 2000), 20 neighbours;
        "pca": what 40 principal components do not reproduce, as a share of the galaxy's distance from the
        mean embedding.
    random_state : int
        Same seed, same scores.

    Returns
    -------
    np.ndarray
        Shape (N,), float32, higher is stranger; NaN for rows that are not finite.

    Raises
    ------
    AnalysisError
        If there is no such method or there are too few galaxies.
    """
    if method not in _METHODS:
        raise AnalysisError(f"there is no anomaly score {method!r}; choose one of {', '.join(METHODS)}")
    usable = np.isfinite(matrix @ np.zeros(matrix.shape[1], dtype=matrix.dtype))
    n_usable = int(usable.sum())
    if n_usable < 3:
        raise AnalysisError(f"strangeness needs at least three embedded galaxies; there are {n_usable}")
    scores = np.full(len(matrix), np.nan, dtype=np.float32)
    scores[usable] = _METHODS[method](matrix if usable.all() else matrix[usable], random_state)
    return scores


def anomaly_ranks(scores: np.ndarray) -> np.ndarray:
    """
    Rank scores.

    Parameters
    ----------
    scores : np.ndarray
        Shape (N,), higher is stranger.

    Returns
    -------
    np.ndarray
        Shape (N,), float32: 1 for the highest, equal scores by row; NaN where the score is.
    """
    ranks = np.full(len(scores), np.nan, dtype=np.float32)
    order = _best_first(scores)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def _best_first(scores: np.ndarray) -> np.ndarray:
    """
    Rows with a finite score, highest first, equal ones by row.

    Score and row are packed into one integer each: sorting those is ten times faster than a stable argsort.
    """
    usable = np.flatnonzero(np.isfinite(scores))
    bits = (scores[usable].astype(np.float32) + np.float32(0)).view(np.uint32)  # + 0 makes -0 equal to 0
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    packed = (~rising).astype(np.uint64) << np.uint64(32) | usable.astype(np.uint64)
    packed.sort()
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)


def standardised_components(matrix: np.ndarray, n_components: int, random_state: int) -> np.ndarray:
    """Principal components of a finite matrix, each scaled to unit variance; (N, n_components) float32."""
    n_components = min(n_components, matrix.shape[1], len(matrix) - 1)
    reduced = principal_axes(matrix, n_components, random_state).transform(matrix)
    spread = reduced.std(axis=0)
    reduced /= np.where(spread > 0, spread, 1)
    return reduced


def _knn(matrix: np.ndarray, random_state: int) -> np.ndarray:
    reduced = standardised_components(matrix, N_COMPONENTS, random_state)
    k = min(N_NEIGHBORS, len(reduced) - 1)
    if len(reduced) <= EXACT_ROWS:
        from sklearn.neighbors import NearestNeighbors

        distances = NearestNeighbors(n_neighbors=k).fit(reduced).kneighbors()[0]
    else:
        from pynndescent import NNDescent

        graph = NNDescent(reduced, n_neighbors=k + 1, random_state=random_state, low_memory=True)
        distances = graph.neighbor_graph[1][:, 1:]
    return distances.mean(axis=1)


def _isolation_forest(matrix: np.ndarray, random_state: int) -> np.ndarray:
    from sklearn.ensemble import IsolationForest

    reduced = standardised_components(matrix, N_COMPONENTS, random_state)
    forest = IsolationForest(n_estimators=N_TREES, random_state=random_state).fit(reduced)
    return -forest.score_samples(reduced)


def _lof(matrix: np.ndarray, random_state: int) -> np.ndarray:
    from sklearn.neighbors import LocalOutlierFactor

    reduced = standardised_components(matrix, N_COMPONENTS, random_state)
    k = min(LOF_NEIGHBORS, len(reduced) - 1)
    if len(reduced) <= LOF_FIT_ROWS:
        return -LocalOutlierFactor(n_neighbors=k).fit(reduced).negative_outlier_factor_
    sample = np.random.default_rng(random_state).choice(len(reduced), LOF_FIT_ROWS, replace=False)
    return -LocalOutlierFactor(n_neighbors=k, novelty=True).fit(reduced[sample]).score_samples(reduced)


def _pca(matrix: np.ndarray, random_state: int) -> np.ndarray:
    n_components = min(N_COMPONENTS, matrix.shape[1] - 1, len(matrix) - 1)
    axes = principal_axes(matrix, max(1, n_components), random_state)
    kept = np.square(axes.transform(matrix)).sum(axis=1)
    total = squared_lengths(matrix, axes.mean)
    return (total - kept) / np.where(total > 0, total, 1)


def squared_lengths(matrix: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Squared distance of each row from `mean`, shape (N,), without a second matrix."""
    lengths = np.empty(len(matrix), dtype=np.float32)
    for start in range(0, len(matrix), 16_384):
        centred = matrix[start : start + 16_384] - mean
        lengths[start : start + 16_384] = np.einsum("ij,ij->i", centred, centred)
    return lengths


_METHODS: dict[str, Callable[[np.ndarray, int], Any]] = {
    "knn": _knn,
    "isolation_forest": _isolation_forest,
    "lof": _lof,
    "pca": _pca,
}
METHODS = tuple(_METHODS)

DESCRIPTIONS = {
    "knn": f"the mean distance to the {N_NEIGHBORS} nearest neighbours in {N_COMPONENTS} standardised "
    "principal components (Ramaswamy et al. 2000)",
    "isolation_forest": f"those of an isolation forest of {N_TREES} trees on {N_COMPONENTS} standardised "
    "principal components (Liu et al. 2008)",
    "lof": f"local outlier factors with {LOF_NEIGHBORS} neighbours in {N_COMPONENTS} standardised principal "
    "components (Breunig et al. 2000)",
    "pca": f"the share of the distance from the mean embedding that {N_COMPONENTS} principal components "
    "do not reproduce",
}
"""Each score in words, for a methods section."""
