"""Logistic models of interest, fitted to a few hundred ratings in milliseconds and applied in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import solve
from threadpoolctl import ThreadpoolController

from glue_zoobot.analysis.labels import HIGHEST, INTERESTING

__all__ = ["LogisticInterest", "Scaling", "logistic_weights", "moments"]

BLOCK_ROWS = 16_384
MEASURED_ROWS = 50_000  # moments of more rows than this differ by less than ratings can tell
N_COMMITTEE = 8


@dataclass(frozen=True)
class Scaling:
    """
    A linear change of coordinates, folded into weights instead of into a changed copy of the matrix.

    Attributes
    ----------
    mean : np.ndarray
        Shape (D,), float64.
    transform : np.ndarray
        Shape (D,), one factor for each dimension, or (D, D), columns the new coordinates; float64.
    """

    mean: np.ndarray
    transform: np.ndarray

    @classmethod
    def standard(cls, mean: np.ndarray, covariance: np.ndarray) -> Scaling:
        """Give each dimension unit variance; a constant one counts for nothing."""
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        varies = deviation > 1e-6 * (np.abs(mean) + 1e-12)
        return cls(mean, np.where(varies, 1 / np.where(varies, deviation, 1), 0))

    @classmethod
    def decorrelating(cls, mean: np.ndarray, covariance: np.ndarray, shrinkage: float) -> Scaling:
        r"""
        Remove in part the correlations that remain between standardised dimensions.

        The principal axis with variance :math:`\lambda` is divided by
        :math:`\sqrt{\lambda + s \bar\lambda}`, so shrinkage :math:`s` of 0 is whitening and infinity none.

        Parameters
        ----------
        mean, covariance : np.ndarray
            Shapes (D,) and (D, D), as from `moments`.
        shrinkage : float
        """
        factor = cls.standard(mean, covariance).transform
        variance, axes = np.linalg.eigh(covariance * np.outer(factor, factor))
        variance = np.maximum(variance, 1e-12)
        stretch = 1 / np.sqrt(variance + shrinkage * variance.mean())
        stretch /= np.sqrt((np.square(stretch) * variance).mean())  # mean variance 1: C means the same
        return cls(mean, factor[:, None] * axes * stretch)

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Changed copy of a few rows, (n, D) float32."""
        centred = vectors.astype(np.float32) - self.mean.astype(np.float32)
        transform = self.transform.astype(np.float32)
        return centred * transform if transform.ndim == 1 else centred @ transform

    def fold(self, weights: np.ndarray) -> np.ndarray:
        """Turn weights and offset (D + 1,) on new coordinates into those on the unchanged dimensions."""
        inner = weights[:-1]
        folded = self.transform * inner if self.transform.ndim == 1 else self.transform @ inner
        return np.append(folded, weights[-1] - folded @ self.mean)


def moments(matrix: np.ndarray, random_state: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """
    Measure mean (D,) and covariance (D, D) on at most 50,000 rows, those that are not finite left out.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D); read in blocks.
    random_state : int
        Seed of the choice of rows.
    """
    rows = np.arange(len(matrix))
    if len(rows) > MEASURED_ROWS:
        rows = np.sort(np.random.default_rng(random_state).choice(rows, MEASURED_ROWS, replace=False))
    width = matrix.shape[1]
    count, total, products = 0, np.zeros(width), np.zeros((width, width))
    origin = None
    for start in range(0, len(rows), BLOCK_ROWS):
        part = matrix[rows[start : start + BLOCK_ROWS]].astype(np.float32)
        part = part[np.isfinite(part).all(axis=1)]
        if not len(part):
            continue
        if origin is None:  # near the mean, so that squares lose no digits
            origin = part.mean(axis=0)
        part -= origin
        count += len(part)
        total += part.sum(axis=0, dtype=np.float64)
        products += part.T @ part
    if origin is None:
        return np.zeros(width), np.zeros((width, width))
    shift = total / count
    return origin + shift, products / count - np.outer(shift, shift)


class LogisticInterest:
    """
    L2-regularised logistic regression of ratings, as shares of the highest, on all dimensions.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D), float32; read, not copied.
    random_state : int
    shrinkage : float, optional
        Of `Scaling.decorrelating`; without it dimensions are only standardised.
    background : float
        The mean of the catalogue takes part as if so many galaxies there had been rated dull. What is shown
        is no random sample: without the mean a model learns what tells the liked from the disliked among the
        likely ones, and forgets what tells them from all the others.
    C : float
        Inverse regularisation, as in scikit-learn.

    Attributes
    ----------
    scaling : Scaling
        To unit variance of each dimension.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        random_state: int,
        shrinkage: float | None = None,
        background: float = 0.0,
        C: float = 0.001,
    ) -> None:
        self.C = C
        self.random_state = random_state
        self.background = background
        self._matrix = matrix
        mean, covariance = moments(matrix, random_state)
        self.scaling = self._coordinates = Scaling.standard(mean, covariance)
        if shrinkage is not None:
            with one_thread():
                self._coordinates = Scaling.decorrelating(mean, covariance, shrinkage)

    def learn(self, rows: np.ndarray, ratings: np.ndarray) -> None:
        """Fit to ratings, 0 to 5, and predict every row."""
        self._rows = rows
        self._targets = ratings / HIGHEST
        with one_thread():
            self._vectors = self._coordinates.apply(self._matrix[rows])
        self._logits = self._predict(np.ones(len(rows)))

    def keys(self) -> np.ndarray:
        """Give the logit of the share of the highest rating; (N,) float32."""
        return self._logits

    def scores(self) -> np.ndarray:
        """Give the predicted rating, 0 to 5; (N,) float32."""
        return _as_ratings(self._logits)

    def uncertainty(self) -> np.ndarray:
        """
        Give the standard deviation of the predicted rating over a committee; (N,) float32.

        Eight models, each fitted to the ratings with random weights (the Bayesian bootstrap of Rubin 1981).
        """
        generator = np.random.default_rng(self.random_state)
        draws = generator.exponential(size=(N_COMMITTEE, len(self._targets)))
        total, squares = np.zeros(len(self._matrix)), np.zeros(len(self._matrix))
        for weight in draws * (draws.shape[1] / draws.sum(axis=1, keepdims=True)):
            rating = _as_ratings(self._predict(weight))
            total += rating
            squares += np.square(rating, dtype=np.float64)
        variance = squares / N_COMMITTEE - np.square(total / N_COMMITTEE)
        return np.sqrt(np.maximum(variance, 0)).astype(np.float32)

    def to_find(self) -> np.ndarray:
        """Show the highest predicted ratings."""
        return self._logits.copy()

    def to_teach(self) -> np.ndarray:
        """
        Show the most undecided: those half way between the interesting and the dull among the rated.

        Where few are interesting a regularised model believes everything more dull than not, so a logit of
        zero would be no boundary.
        """
        interesting = self._targets * HIGHEST >= INTERESTING
        known = self._logits[self._rows]
        if interesting.all() or not interesting.any():
            return -np.abs(self._logits - known.mean())
        return -np.abs(self._logits - (known[interesting].mean() + known[~interesting].mean()) / 2)

    def _predict(self, sample_weight: np.ndarray) -> np.ndarray:
        """Fit, and score by one matrix-vector product over the unchanged matrix; NaN where a row is."""
        with one_thread():
            weights = self._coordinates.fold(self._weights(sample_weight))
        with np.errstate(invalid="ignore", over="ignore"):
            logits = self._matrix @ weights[:-1].astype(self._matrix.dtype)
            logits += logits.dtype.type(weights[-1])
        return logits

    def _weights(self, sample_weight: np.ndarray) -> np.ndarray:
        """Weights and offset, (D + 1,), on the changed coordinates, whose origin is the catalogue's mean."""
        if not self.background:
            return logistic_weights(self._vectors, self._targets, self.C, sample_weight)
        vectors = np.vstack([self._vectors, np.zeros_like(self._vectors[:1])])
        targets, weight = np.append(self._targets, 0.0), np.append(sample_weight, self.background)
        return logistic_weights(vectors, targets, self.C, weight)


def _as_ratings(logits: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return (HIGHEST / (1 + np.exp(-logits))).astype(np.float32)


def logistic_weights(
    vectors: np.ndarray, targets: np.ndarray, C: float, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """
    Fit L2-regularised logistic regression by Newton's method in the space that the rows span.

    Parameters
    ----------
    vectors : np.ndarray
        Shape (n, D).
    targets : np.ndarray
        Shape (n,), 0 to 1.
    C : float
        Inverse regularisation; the offset is not regularised.
    sample_weight : np.ndarray, optional
        Shape (n,).

    Returns
    -------
    np.ndarray
        Shape (D + 1,): weights and offset.
    """
    weight = np.ones(len(targets)) if sample_weight is None else sample_weight
    if len(vectors) > vectors.shape[1]:
        return _newton(vectors.astype(np.float64), targets, C, weight)
    gram = (vectors @ vectors.T).astype(np.float64)
    gram[np.diag_indices(len(gram))] += 1e-6 * (np.trace(gram) / len(gram) + 1e-12)  # rows may be equal
    coordinates = np.linalg.cholesky(gram)
    theta = _newton(coordinates, targets, C, weight)
    return np.append(np.linalg.solve(coordinates.T, theta[:-1]) @ vectors, theta[-1])


def _newton(features: np.ndarray, targets: np.ndarray, C: float, weight: np.ndarray) -> np.ndarray:
    """Minimise the penalised cross-entropy; weights and offset, shape (r + 1,)."""
    n, r = features.shape
    design = np.column_stack([features, np.ones(n)])
    penalty = np.append(np.full(r, 1 / C), 1e-6)
    theta = np.zeros(r + 1)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (weight * (chance - targets)) + penalty * theta
        hessian = (design.T * (weight * chance * (1 - chance))) @ design
        hessian[np.diag_indices(r + 1)] += penalty
        step = solve(hessian, gradient, assume_a="pos")
        change = np.abs(design @ step).max()
        theta -= step / max(1.0, change / 4)  # far from the minimum: shorter steps
        if change < 1e-4:  # Newton's steps shrink quadratically: what is left is 1e-8
            break
    return theta


@contextmanager
def one_thread() -> Iterator[None]:
    """
    Keep matrices of a few hundred rows on one thread.

    Sharing such small work among threads costs more than the work, on a busy machine a hundred times more.
    """
    with _thread_pools().limit(limits=1):
        yield


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()
