"""Principal axes of a set of embeddings, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glue_zoobot.errors import AnalysisError

__all__ = ["PrincipalAxes", "principal_axes"]

BLOCK_ROWS = 16_384
FIT_ROWS = 100_000  # the axes of more rows than this differ by less than a map or a scan can show


@dataclass(frozen=True)
class PrincipalAxes:
    """
    The directions in which embeddings vary most.

    Parameters
    ----------
    mean : np.ndarray
        Shape (D,), float32.
    axes : np.ndarray
        Shape (n_components, D), float32, orthonormal rows, most variance first.
    explained_variance_ratio : np.ndarray
        Shape (n_components,): share of the total variance along each axis.
    """

    mean: np.ndarray
    axes: np.ndarray
    explained_variance_ratio: np.ndarray

    def transform(self, matrix: np.ndarray) -> np.ndarray:
        """
        Coordinates along the axes.

        Parameters
        ----------
        matrix : np.ndarray
            Shape (N, D).

        Returns
        -------
        np.ndarray
            Shape (N, n_components), float32; rows that are not finite come out not finite.
        """
        reduced = np.empty((len(matrix), len(self.axes)), dtype=np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            for part in _blocks(len(matrix)):
                np.matmul(matrix[part] - self.mean, self.axes.T, out=reduced[part])
        return reduced


def principal_axes(matrix: np.ndarray, n_components: int, random_state: int = 0) -> PrincipalAxes:
    """
    Principal component analysis through the covariance of at most 100,000 random rows.

    For far more rows than columns this is as exact as, and much cheaper than, a decomposition of the matrix.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D); rows that are not finite are left out of the fit.
    n_components : int
        How many axes, 1 to D.
    random_state : int
        Seed of the choice of rows, where there are more than 100,000.

    Returns
    -------
    PrincipalAxes

    Raises
    ------
    AnalysisError
        If there are not at least two finite rows, or not as many columns as wanted axes.
    """
    if not 1 <= n_components <= matrix.shape[1]:
        raise AnalysisError(
            f"{n_components} principal components were asked of embeddings {matrix.shape[1]} wide; "
            f"ask for 1 to {matrix.shape[1]}"
        )
    rows = _finite_sample(matrix, random_state)
    mean = _mean(matrix, rows)
    variance, axes = np.linalg.eigh(_covariance(matrix, rows, mean))
    variance, axes = variance[::-1], axes[:, ::-1].T[:n_components]
    # The sign of an axis is arbitrary: the largest loading is made positive, so that maps do not flip.
    axes = axes * np.sign(axes[np.arange(n_components), np.abs(axes).argmax(axis=1)])[:, None]
    total = variance.sum() or 1.0
    return PrincipalAxes(mean.astype(np.float32), axes.astype(np.float32), variance[:n_components] / total)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK_ROWS, n)) for start in range(0, n, BLOCK_ROWS))


def _finite_sample(matrix: np.ndarray, random_state: int) -> np.ndarray:
    rows = np.arange(len(matrix))
    if len(rows) > FIT_ROWS:
        rows = np.sort(np.random.default_rng(random_state).choice(len(rows), FIT_ROWS, replace=False))
    finite = np.concatenate(
        [np.isfinite(matrix[rows[part]]).all(axis=1) for part in _blocks(len(rows))] or [[]]
    )
    rows = rows[finite.astype(bool)]
    if len(rows) < 2:
        raise AnalysisError("fewer than two galaxies have a finite embedding; embed the images first")
    return rows


def _mean(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total = sum(matrix[rows[part]].sum(axis=0, dtype=np.float64) for part in _blocks(len(rows)))
    return np.asarray(total) / len(rows)


def _covariance(matrix: np.ndarray, rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for part in _blocks(len(rows)):
        centred = matrix[rows[part]] - mean.astype(np.float32)
        total += centred.T @ centred
    return total / len(rows)
