"""What to rate before there is any rating, and where to look when nothing interesting was found yet."""

from __future__ import annotations

import numpy as np

from glue_zoobot.analysis.interest_linear import Scaling, moments
from glue_zoobot.errors import AnalysisError

__all__ = ["spread_rows", "start"]

N_CANDIDATES = 1_000  # a random sample; farthest-first among all rows would find nothing but outliers


def start(matrix: np.ndarray, n: int = 10, example: int | None = None, random_state: int = 0) -> np.ndarray:
    """
    Choose the first galaxies to rate, before there is any rating.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    n : int
        How many.
    example : int, optional
        Row of a galaxy that the user finds interesting: it comes first. The others are spread over the
        catalogue all the same, since a model needs to see what is *not* interesting too.
    random_state : int

    Returns
    -------
    np.ndarray
        Shape (n,) or fewer, int64.

    Raises
    ------
    AnalysisError
        If the example is no row of the matrix, or its embedding is not finite.
    """
    given = np.array([] if example is None else [example], dtype=np.int64)
    if example is not None and not (0 <= example < len(matrix) and np.isfinite(matrix[example]).all()):
        raise AnalysisError(f"row {example} has no usable embedding; choose another example")
    scaling = Scaling.standard(*moments(matrix, random_state))
    return np.concatenate([given, spread_rows(matrix, scaling, n - len(given), given, random_state)])


def spread_rows(
    matrix: np.ndarray, scaling: Scaling, n: int, away_from: np.ndarray, random_state: int
) -> np.ndarray:
    """
    Choose rows that differ from each other and from some others, one after the other (Gonzalez 1985).

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    scaling : Scaling
        Coordinates in which rows are compared, by the angle between them.
    n : int
    away_from : np.ndarray
        Rows that are known already; never chosen.
    random_state : int

    Returns
    -------
    np.ndarray
        Shape (n,) or fewer, int64.
    """
    generator = np.random.default_rng([random_state, len(away_from)])
    sample = generator.choice(len(matrix), min(N_CANDIDATES + len(away_from), len(matrix)), replace=False)
    sample = sample[~np.isin(sample, away_from) & np.isfinite(matrix[sample]).all(axis=1)]
    units = unit_vectors(scaling.apply(matrix[sample]))
    chosen: list[int] = []
    if len(away_from):
        nearness = (units @ unit_vectors(scaling.apply(matrix[away_from])).T).max(axis=1)
    else:
        nearness = np.zeros(len(sample))
    for _ in range(min(n, len(sample))):
        best = int(nearness.argmin())
        chosen.append(int(sample[best]))
        nearness = np.maximum(nearness, units @ units[best])
        nearness[best] = np.inf
    return np.array(chosen, dtype=np.int64)


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
