"""Linear functions of embeddings, learned in changed coordinates and applied to the unchanged matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

__all__ = ["Linear", "Standardised", "blocks", "checked", "checked_width"]

BLOCK_ROWS = 16_384
MEASURED_ROWS = 20_000  # mean and deviation of more rows than this differ by less than labels can tell


@dataclass(frozen=True)
class Linear:
    """
    ``X @ weights + offset``.

    Attributes
    ----------
    weights : np.ndarray
        Shape (D, K), float32.
    offset : np.ndarray
        Shape (K,), float32.
    """

    weights: np.ndarray
    offset: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Apply to ``X`` (N, D) in blocks, so that nothing but the answer, (N, K) float32, is held."""
        values = np.empty((len(X), len(self.offset)), dtype=np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            for part in blocks(len(X)):
                np.matmul(np.asarray(X[part], dtype=np.float32), self.weights, out=values[part])
        values += self.offset
        return values

    def beside(self, other: Linear) -> Linear:
        """Both functions in one product: one pass over a large matrix instead of two."""
        return Linear(np.hstack([self.weights, other.weights]), np.append(self.offset, other.offset))


class Standardised:
    """
    Coordinates of a few rows in which to learn: unit variance, and no more dimensions than rows.

    A ridge penalty does not notice a rotation, so a fit to the rotated rows is the fit to the standardised
    ones, for a fraction of the cost where rows are fewer than dimensions.

    Parameters
    ----------
    X : np.ndarray
        Shape (n, D): the rows to learn from, finite.
    catalogue : np.ndarray, optional
        Shape (N, D): every galaxy. Its mean and deviation scale the dimensions, which a few labelled rows
        would tell badly; rows that are not finite are left out.
    n_columns : int
        How many of the last dimensions are columns of the catalogue. Together they get the weight of the
        whole embedding: as a few among hundreds of dimensions a penalty would hardly let them speak.

    Attributes
    ----------
    mean, deviation : np.ndarray
        Shape (D,), float64.
    coordinates : np.ndarray
        Shape (n, r), float64, r the smaller of n and D.
    """

    def __init__(self, X: np.ndarray, catalogue: np.ndarray | None = None, n_columns: int = 0) -> None:
        sample = _finite_sample(X if catalogue is None else catalogue)
        if len(sample) < 2:
            sample = np.asarray(X)
        self.mean = sample.mean(axis=0, dtype=np.float64)
        spread = sample.std(axis=0, dtype=np.float64)
        varies = spread > 1e-6 * (np.abs(self.mean) + 1e-12)
        self.deviation = np.where(varies, spread, np.inf)  # a constant dimension counts for nothing
        if 0 < n_columns < len(self.deviation):
            self.deviation[-n_columns:] /= np.sqrt((len(self.deviation) - n_columns) / n_columns)
        standard = (np.asarray(X, dtype=np.float64) - self.mean) / self.deviation
        self.coordinates, self._axes = standard, np.eye(standard.shape[1])
        if len(standard) < standard.shape[1]:  # the rows themselves span what they can teach
            squares, left = np.linalg.eigh(standard @ standard.T)
            kept = squares > 1e-9 * max(squares[-1], 1e-12)  # rows may be equal
            self._axes = (left[:, kept] / np.sqrt(squares[kept])).T @ standard
            self.coordinates = standard @ self._axes.T

    def of(self, X: np.ndarray) -> np.ndarray:
        """Give the coordinates of other rows, (N, D), that are finite: (N, r)."""
        return ((np.asarray(X, dtype=np.float64) - self.mean) / self.deviation) @ self._axes.T

    def principal(self, n_axes: int) -> np.ndarray:
        """Directions in which `coordinates` vary most, (r, K), orthonormal columns, most first."""
        _, axes = np.linalg.eigh(self.coordinates.T @ self.coordinates)
        return axes[:, ::-1][:, :n_axes]

    def fold(self, weights: np.ndarray, offset: np.ndarray) -> Linear:
        """Turn a function of `coordinates`, (r, K) and (K,), into one of unchanged embeddings."""
        folded = (self._axes.T @ weights) / self.deviation[:, None]
        return Linear(folded.astype(np.float32), (offset - self.mean @ folded).astype(np.float32))


def blocks(n: int) -> Iterator[slice]:
    """Slices of at most `BLOCK_ROWS` that cover ``n`` rows."""
    return (slice(start, min(start + BLOCK_ROWS, n)) for start in range(0, n, BLOCK_ROWS))


def checked(X: np.ndarray, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Make sure that there is one finite embedding for each label, and at least two."""
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or len(X) != len(y):
        raise AnalysisError(
            f"{len(y)} labels do not fit embeddings of shape {X.shape}; give one row for each"
        )
    if len(y) < 2:
        raise AnalysisError(f"{counted(len(y), 'label')}: too few to learn from; label two galaxies or more")
    broken = int((~np.isfinite(X).all(axis=1)).sum())
    if broken:
        raise AnalysisError(f"{broken} labelled galaxies have no finite embedding; leave them out")
    return X, y


def checked_width(X: np.ndarray, width: int) -> np.ndarray:
    """Make sure that embeddings are as wide as those that a head was taught on."""
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != width:
        raise AnalysisError(
            f"this head was taught on embeddings {width} wide and got {X.shape[-1]}; use embeddings of the "
            "encoder that it was taught on"
        )
    return X


def _finite_sample(matrix: np.ndarray) -> np.ndarray:
    step = -(-len(matrix) // MEASURED_ROWS)
    sample = np.asarray(matrix[::step] if step > 1 else matrix)
    return sample[np.isfinite(sample).all(axis=1)]
