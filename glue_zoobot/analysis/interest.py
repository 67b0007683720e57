"""Learn from a few ratings what one astronomer finds interesting, and rank the whole catalogue by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from glue_zoobot.analysis.anomaly import anomaly_ranks
from glue_zoobot.analysis.interest_linear import LinearInterest, Scaling, fit_logistic
from glue_zoobot.analysis.labels import HIGHEST
from glue_zoobot.analysis.selection import best_rows
from glue_zoobot.errors import AnalysisError

__all__ = ["METHODS", "MODES", "InterestModel", "start"]

METHODS = ("default", "logistic")
MODES = ("find", "teach")
C_LOGISTIC = 0.001


class InterestModel(BaseEstimator):
    """
    Rank galaxies by how interesting they are to the person who rated some of them.

    Parameters
    ----------
    method : {"default", "logistic"}
        "logistic": L2-regularised logistic regression on all standardised dimensions, C = 0.001.
    mode : {"find", "teach"}
        What `suggest` shows: "find" what the model believes interesting, "teach" what it is unsure of.
    random_state : int
        Same seed, same ratings, same answer.

    Attributes
    ----------
    scores_ : np.ndarray
        Shape (N,), float32: expected rating, 0 to 5; NaN for rows whose embedding is not finite.
    rated_ : np.ndarray
        Rows that were rated, (n,) int64.
    """

    def __init__(self, method: str = "default", mode: str = "find", random_state: int = 0) -> None:
        self.method = method
        self.mode = mode
        self.random_state = random_state

    def fit(self, matrix: np.ndarray, rows: Sequence[int], ratings: Sequence[float]) -> InterestModel:
        """
        Learn from ratings and score every row.

        Fitting again with the same matrix keeps what was measured on all its rows, so a round costs one pass.

        Parameters
        ----------
        matrix : np.ndarray
            Shape (N, D), float32; not copied, not changed.
        rows : sequence of int
            Positions of the rated galaxies in `matrix`.
        ratings : sequence of float
            0 (dull) to 5.

        Returns
        -------
        InterestModel
            Itself.

        Raises
        ------
        AnalysisError
            If there is no rating, a value is no rating, or a row is not in the matrix.
        """
        self._check_options()
        self.rated_, self.ratings_ = _checked(matrix, rows, ratings)
        if getattr(self, "_matrix", None) is not matrix:
            self._scaling = Scaling.of(matrix, self.random_state)
            self._matrix = matrix
        self._model = self._fit_model()
        self._logits = self._model.logits(matrix, self._scaling)
        with np.errstate(over="ignore", invalid="ignore"):
            self.scores_ = (HIGHEST / (1 + np.exp(-self._logits))).astype(np.float32)
        return self

    def suggest(self, n: int = 10, exclude: Sequence[int] = ()) -> np.ndarray:
        """
        Choose what to rate next.

        Parameters
        ----------
        n : int
        exclude : sequence of int
            Rows not to show, besides those already rated (skipped ones, say).

        Returns
        -------
        np.ndarray
            Shape (n,) or fewer, int64, what to show first.
        """
        keys = self._logits.copy() if self.mode == "find" else -np.abs(self._logits)
        keys[~np.isfinite(keys)] = -np.inf
        keys[self.rated_] = -np.inf
        keys[np.asarray(exclude, dtype=np.int64)] = -np.inf
        rows = best_rows(keys, n)
        return rows[np.lexsort((rows, -keys[rows]))][:n]

    def ranks(self) -> np.ndarray:
        """Give ranks by score, 1 for the most interesting; (N,) float32, NaN where there is no score."""
        return anomaly_ranks(self._logits)

    def _check_options(self) -> None:
        for value, known, what in ((self.method, METHODS, "method"), (self.mode, MODES, "mode")):
            if value not in known:
                raise AnalysisError(f"there is no {what} {value!r}; choose one of {', '.join(known)}")

    def _fit_model(self) -> LinearInterest:
        vectors = self._scaling.apply(self._matrix[self.rated_])
        return fit_logistic(vectors, self.ratings_ / HIGHEST, C_LOGISTIC)


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
        Row of a galaxy that the user finds interesting: it comes first, then those most like it.
    random_state : int

    Returns
    -------
    np.ndarray
        Shape (n,) or fewer, int64.
    """
    finite = np.flatnonzero(np.isfinite(matrix @ np.zeros(matrix.shape[1], dtype=matrix.dtype)))
    if example is None:
        return np.random.default_rng(random_state).permutation(finite)[:n]
    model = InterestModel(random_state=random_state).fit(matrix, [example], [HIGHEST])
    return np.append(example, model.suggest(n - 1)).astype(np.int64)


def _checked(
    matrix: np.ndarray, rows: Sequence[int], ratings: Sequence[float]
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
    return where, values
