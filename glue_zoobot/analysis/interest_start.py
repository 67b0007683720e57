"""What to rate before there is any rating, and where to look when nothing interesting was found yet."""

from __future__ import annotations

import numpy as np

from glue_zoobot.analysis.interest_linear import Scaling, moments
from glue_zoobot.errors import AnalysisError

__all__ = ["spread_rows", "start"]

N_CANDIDATES = 1_000


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
    Choose rows far from some others and from each other, one after the other (Gonzalez 1985).

    Among a random sample, so that they are neither all of a kind nor only the strangest of a large catalogue.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    scaling : Scaling
        Coordinates of the distance.
    n : int
    away_from : np.ndarray
        Rows that are known already, and never chosen; without any the first is far from the mean.
    random_state : int

    Returns
    -------
    np.ndarray
        Shape (n,) or fewer, int64.
    """
    generator = np.random.default_rng([random_state, len(away_from)])
    sample = generator.choice(len(matrix), min(N_CANDIDATES + len(away_from), len(matrix)), replace=False)
    sample = sample[~np.isin(sample, away_from) & np.isfinite(matrix[sample]).all(axis=1)]
    places = scaling.apply(matrix[sample])
    known = scaling.apply(matrix[away_from]) if len(away_from) else np.zeros((1, matrix.shape[1]))
    distance = np.min([np.square(places - place).sum(axis=1) for place in known], axis=0)
    chosen: list[int] = []
    for _ in range(min(n, len(sample))):
        farthest = int(distance.argmax())
        chosen.append(int(sample[farthest]))
        distance = np.minimum(distance, np.square(places - places[farthest]).sum(axis=1))
        distance[farthest] = -1
    return np.array(chosen, dtype=np.int64)
