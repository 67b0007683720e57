"""Learn from a few ratings what one astronomer finds interesting, and rank the whole catalogue by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from sklearn.base import BaseEstimator

from glue_zoobot.analysis.anomaly import anomaly_ranks
from glue_zoobot.analysis.interest_gaussian import GaussianProcessInterest
from glue_zoobot.analysis.interest_linear import LogisticInterest
from glue_zoobot.analysis.interest_start import spread_rows, start
from glue_zoobot.analysis.labels import HIGHEST, INTERESTING
from glue_zoobot.analysis.selection import best_rows
from glue_zoobot.errors import AnalysisError

__all__ = ["DESCRIPTIONS", "METHODS", "MODES", "InterestModel", "start"]


class Learner(Protocol):
    """What a method must be able to do; prepared once for a matrix, then fitted again each round."""

    def learn(self, rows: np.ndarray, ratings: np.ndarray) -> None:
        """Fit to ratings, 0 to 5, and predict every row."""

    def keys(self) -> np.ndarray:
        """Give what the ranking goes by; (N,)."""

    def scores(self) -> np.ndarray:
        """Give predicted ratings; (N,) float32, 0 to 5."""

    def uncertainty(self) -> np.ndarray:
        """Give standard deviations of the predicted ratings; (N,) float32."""

    def to_find(self) -> np.ndarray:
        """Give how much to show each row to someone who wants to find; a new array."""

    def to_teach(self) -> np.ndarray:
        """Give how much to show each row to someone who wants to teach; a new array."""


SHRINKAGE = 30.0
BACKGROUND = 100.0  # dull galaxies

LEARNERS: dict[str, Callable[[np.ndarray, int], Learner]] = {
    "default": lambda matrix, seed: LogisticInterest(matrix, seed, SHRINKAGE, BACKGROUND),
    "logistic": LogisticInterest,
    "gaussian_process": GaussianProcessInterest,
}
METHODS = tuple(LEARNERS)
MODES = ("find", "teach")
ENOUGH_FOUND = 3  # interesting galaxies; with fewer a round looks elsewhere too
AFAR_SHARE = 0.3
DESCRIPTIONS = {
    "default": "L2-regularised logistic regression (C = 0.001) on all dimensions, standardised and partly "
    "decorrelated (shrinkage 30), the mean of the catalogue taking part as 100 galaxies rated dull",
    "logistic": "L2-regularised logistic regression (C = 0.001) on all standardised dimensions",
    "gaussian_process": "a Gaussian process (rational quadratic and white-noise kernel, expected improvement "
    "0.5) on 40 standardised principal components, after Walmsley et al. (2022)",
}
"""Each method in words, for a methods section."""


class InterestModel(BaseEstimator):
    """
    Rank galaxies by how interesting they are to the person who rated some of them.

    Parameters
    ----------
    method : {"default", "logistic", "gaussian_process"}
        How to learn; see `DESCRIPTIONS`.
    mode : {"find", "teach"}
        What `suggest` shows: "find" what the model believes interesting, "teach" what it is unsure of.
    random_state : int
        Same seed, same ratings, same answer.

    Attributes
    ----------
    scores_ : np.ndarray
        Shape (N,), float32: predicted rating, 0 to 5; NaN for rows whose embedding is not finite.
    rated_ : np.ndarray
        Shape (n,), int64: the rated rows.
    ratings_ : np.ndarray
        Shape (n,), float64: their ratings.
    """

    def __init__(self, method: str = "default", mode: str = "find", random_state: int = 0) -> None:
        self.method = method
        self.mode = mode
        self.random_state = random_state

    def fit(
        self, matrix: np.ndarray, rows: Sequence[int] | np.ndarray, ratings: Sequence[float] | np.ndarray
    ) -> InterestModel:
        """
        Learn from ratings and score every row.

        Fitting again with the same matrix keeps what was measured on all its rows: a round costs one pass.

        Parameters
        ----------
        matrix : np.ndarray
            Shape (N, D), float32; not copied, not changed.
        rows : sequence of int
            Positions of the rated galaxies in `matrix`; of a row given twice the last rating counts.
        ratings : sequence of float
            0 (dull) to 5. Equal ratings, or a single one, are enough: what is like them, or unlike them if
            they are low, comes first.

        Returns
        -------
        InterestModel
            Itself.

        Raises
        ------
        AnalysisError
            If there is no rating, a value is no rating, or a row is not in the matrix or not finite.
        """
        self._check_options()
        self.rated_, self.ratings_ = _checked(matrix, rows, ratings)
        prepared = (self.method, self.random_state)
        if getattr(self, "_matrix", None) is not matrix or getattr(self, "_prepared", None) != prepared:
            self._learner = LEARNERS[self.method](matrix, self.random_state)
            self._matrix, self._prepared = matrix, prepared
        self._learner.learn(self.rated_, self.ratings_)
        self.scores_ = self._learner.scores()
        return self

    @property
    def uncertainty_(self) -> np.ndarray:
        """Standard deviation of the predicted rating; (N,) float32. Computed when asked for."""
        return self._learner.uncertainty()

    def suggest(self, n: int = 10, exclude: Sequence[int] | np.ndarray = ()) -> np.ndarray:
        """
        Choose what to rate next.

        To find, that is what the model believes most interesting; but while nothing interesting has been
        rated, galaxies spread over the catalogue, and while fewer than three have, three in ten of those.

        Parameters
        ----------
        n : int
            How many.
        exclude : sequence of int
            Rows not to show, besides those already rated (skipped ones, say).

        Returns
        -------
        np.ndarray
            Shape (n,), or fewer where there are not as many; int64; what to show first comes first.
        """
        self._check_options()
        hidden = np.concatenate([self.rated_, np.asarray(exclude, dtype=np.int64)])
        keys = self._learner.to_find() if self.mode == "find" else self._learner.to_teach()
        keys[~np.isfinite(keys)] = -np.inf
        keys[hidden] = -np.inf
        n_afar = self._n_afar(n)
        rows = best_rows(keys, n - n_afar)
        rows = rows[np.lexsort((rows, -keys[rows]))][: n - n_afar]
        if not n_afar or not isinstance(self._learner, LogisticInterest):
            return rows
        known = np.concatenate([hidden, rows])
        afar = spread_rows(self._matrix, self._learner.scaling, n_afar, known, self.random_state)
        return np.concatenate([rows, afar])

    def _n_afar(self, n: int) -> int:
        """How many to choose far from all that was rated: a model that has seen little cannot look alone."""
        found = int((self.ratings_ >= INTERESTING).sum())
        if self.method != "default" or self.mode == "teach" or found >= ENOUGH_FOUND:
            return 0
        return round(AFAR_SHARE * n) if found else n

    def ranks(self) -> np.ndarray:
        """Give ranks, 1 for the most interesting; (N,) float32, NaN where there is no score."""
        return anomaly_ranks(self._learner.keys())

    def _check_options(self) -> None:
        for value, known, what in ((self.method, METHODS, "method"), (self.mode, MODES, "mode")):
            if value not in known:
                raise AnalysisError(f"there is no {what} {value!r}; choose one of {', '.join(known)}")


def _checked(
    matrix: np.ndarray, rows: Sequence[int] | np.ndarray, ratings: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    where, values = np.asarray(rows, dtype=np.int64), np.asarray(ratings, dtype=np.float64)
    if matrix.ndim != 2 or where.ndim != 1 or where.shape != values.shape:
        raise AnalysisError(
            f"{where.shape} rows and {values.shape} ratings of embeddings of shape {matrix.shape}: "
            "give one rating for each rated row"
        )
    if not where.size:
        raise AnalysisError("nothing is rated yet; rate at least one galaxy")
    outside = where[(where < 0) | (where >= len(matrix))]
    if outside.size:
        raise AnalysisError(f"row {outside[0]} was rated, but there are {len(matrix):,} embeddings")
    if not ((values >= 0) & (values <= HIGHEST)).all():
        raise AnalysisError(f"a rating is none of 0 to {HIGHEST}; skip what you cannot rate")
    latest = dict(zip(where.tolist(), values.tolist(), strict=True))
    where, values = np.array(list(latest), dtype=np.int64), np.array(list(latest.values()))
    unusable = where[~np.isfinite(matrix[where]).all(axis=1)]
    if unusable.size:
        raise AnalysisError(f"the embedding of row {unusable[0]} is not finite; embed the image again")
    return where, values
