"""Two-dimensional maps of embeddings, each with a record of how it was made."""

from __future__ import annotations

from typing import Any

import numpy as np

from glue_zoobot.analysis.principal import principal_axes
from glue_zoobot.errors import AnalysisError

__all__ = ["METHODS", "make_map", "pca_map", "umap_map"]

METHODS = ("pca", "umap")
UMAP_COMPONENTS = 40  # as Zoobot's users do: principal components first, then UMAP


def make_map(
    matrix: np.ndarray, method: str = "pca", random_state: int = 0, **options: Any
) -> tuple[np.ndarray, dict[str, Any]]:
    """
    Lay galaxies out in two dimensions.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D), embeddings.
    method : {"pca", "umap"}
        `pca_map` (seconds for a million) or `umap_map` (minutes).
    random_state : int
        Same seed, same map.
    **options
        Passed to the function of the method.

    Returns
    -------
    positions : np.ndarray
        Shape (N, 2), float32; NaN for rows that are not finite.
    provenance : dict
        Method, seed, numbers and versions, fit for JSON.

    Raises
    ------
    AnalysisError
        If there is no such method or there are too few galaxies.
    """
    if method not in METHODS:
        raise AnalysisError(f"there is no map method {method!r}; choose one of {', '.join(METHODS)}")
    lay_out = pca_map if method == "pca" else umap_map
    return lay_out(matrix, random_state=random_state, **options)


def pca_map(
    matrix: np.ndarray, n_components: int = 2, random_state: int = 0
) -> tuple[np.ndarray, dict[str, Any]]:
    """
    Map along the directions of greatest variance.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    n_components : int
        Dimensions of the map.
    random_state : int
        Seed of the sample of rows, where there are more than 100,000.

    Returns
    -------
    positions : np.ndarray
        Shape (N, n_components), float32.
    provenance : dict
    """
    axes = principal_axes(matrix, n_components, random_state)
    return axes.transform(matrix), {
        "method": "pca",
        "random_state": random_state,
        "explained_variance_ratio": [round(float(share), 4) for share in axes.explained_variance_ratio],
    }


def umap_map(
    matrix: np.ndarray,
    subset: int = 20_000,
    random_state: int = 0,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
) -> tuple[np.ndarray, dict[str, Any]]:
    """
    Map that keeps neighbours together (UMAP, McInnes et al. 2018), of up to 40 principal components.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    subset : int
        The map is fitted to at most this many random galaxies; the others are placed into it.
    random_state : int
        Same seed and versions, same map.
    n_neighbors, min_dist
        As in UMAP.

    Returns
    -------
    positions : np.ndarray
        Shape (N, 2), float32; NaN for rows that are not finite.
    provenance : dict

    Raises
    ------
    AnalysisError
        If there are fewer than four galaxies with an embedding.
    """
    import umap

    n_components = min(UMAP_COMPONENTS, matrix.shape[1])
    reduced = principal_axes(matrix, n_components, random_state).transform(matrix)
    usable = np.flatnonzero(np.isfinite(reduced).all(axis=1))
    if len(usable) < 4:
        raise AnalysisError(f"a map needs at least four embedded galaxies; there are {len(usable)}")
    fitted = usable
    if len(usable) > subset:
        fitted = np.sort(np.random.default_rng(random_state).choice(usable, subset, replace=False))
    n_neighbors = min(n_neighbors, len(fitted) - 1)
    # A few points cannot carry UMAP's spectral start.
    start = "spectral" if len(fitted) > 10 else "random"
    model = umap.UMAP(
        n_neighbors=n_neighbors, min_dist=min_dist, init=start, random_state=random_state, n_jobs=1
    )
    positions = np.full((len(matrix), 2), np.nan, dtype=np.float32)
    positions[fitted] = model.fit_transform(reduced[fitted])
    others = np.setdiff1d(usable, fitted)
    if others.size:
        positions[others] = model.transform(reduced[others])
    return positions, {
        "method": "umap",
        "random_state": random_state,
        "fitted_to": len(fitted),
        "principal_components": n_components,
        "n_neighbors": n_neighbors,
        "min_dist": min_dist,
        "umap_learn": umap.__version__,
    }
