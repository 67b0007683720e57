"""Teach a quantity from few galaxies that have it: ridge regression on stored embeddings, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from glue_zoobot.analysis.guard import Guard
from glue_zoobot.analysis.interest_linear import one_thread
from glue_zoobot.analysis.linear import Standardised, checked, checked_width
from glue_zoobot.errors import AnalysisError

__all__ = ["Estimates", "GalaxyRegressor"]

PENALTIES = tuple(float(p) for p in np.logspace(0, 6, 13))
N_FOLDS = 10
FEWEST = 10  # galaxies


@dataclass(frozen=True)
class Estimates:
    """
    What a head says of every galaxy.

    Attributes
    ----------
    values, low, high : np.ndarray
        Shape (N,), float32, in the unit of the target; NaN where a galaxy has no finite embedding.
    unlike : np.ndarray
        Shape (N,), bool: unlike anything it was taught on, so an extrapolation.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unlike: np.ndarray


class GalaxyRegressor(RegressorMixin, BaseEstimator):
    """
    A quantity from few galaxies: ridge regression on standardised dimensions, with conformal intervals.

    The penalty is the one of least leave-one-out error. Errors of predictions for galaxies that the model in
    question was not shown are themselves learned from the embedding, so that intervals are wide where the
    answer is uncertain (Lei et al. 2018, section 5.2), and scaled to the stated coverage.

    Parameters
    ----------
    random_state : int
        Same seed, same galaxies, same answer.

    Attributes
    ----------
    penalty_ : float
    out_of_fold_ : np.ndarray
        Shape (n,): value of each galaxy by a model that was not shown it.
    nonconformity_ : np.ndarray
        Shape (n,), sorted: held-out errors in units of their predicted scale.
    linear_ : Linear
        From embeddings to the value and the log of the scale of its error.
    limits_ : tuple of float
        Values are kept between these: those of a share (0 and 1), else infinite.
    guard_ : Guard
    n_features_in_ : int
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any, catalogue: np.ndarray | None = None) -> GalaxyRegressor:
        """
        Learn.

        Parameters
        ----------
        X : np.ndarray
            Shape (n, D): embeddings.
        y : array-like
            Shape (n,): finite numbers. If all lie between 0 and 1, predictions do as well.
        catalogue : np.ndarray, optional
            Shape (N, D): embeddings of all galaxies, which scale the dimensions.

        Raises
        ------
        AnalysisError
            If there are fewer than 10 galaxies, a value is missing, all are equal, or an embedding is not
            finite.
        """
        X, y = checked(X, y)
        y = _checked_values(y)
        self.n_features_in_ = X.shape[1]
        self.limits_ = (0.0, 1.0) if y.min() >= 0 and y.max() <= 1 else (-np.inf, np.inf)
        with one_thread():
            self._learn(Standardised(X, catalogue), y)
        return self

    def _learn(self, space: Standardised, y: np.ndarray) -> None:
        weights, offset, self.penalty_ = _ridge(space.coordinates, y)
        self.out_of_fold_ = self._clipped(_held_out(space.coordinates, y, self.penalty_, self.random_state))
        errors = np.abs(y - self.out_of_fold_)
        log_errors = np.log(errors + 0.1 * errors.mean() + 1e-12)
        slope, level, penalty = _ridge(space.coordinates, log_errors)
        scales = np.exp(_held_out(space.coordinates, log_errors, penalty, self.random_state))
        self.nonconformity_ = np.sort(errors / scales)
        self.linear_ = space.fold(np.column_stack([weights, slope]), np.array([offset, level]))
        self.guard_ = Guard.fit(space, np.zeros(len(y), dtype=int), 1, self.random_state)

    def estimates(self, X: np.ndarray, coverage: float = 0.68) -> Estimates:
        """Give values, intervals, and what is unlike the taught galaxies, in one pass over ``X`` (N, D)."""
        found = self.linear_.beside(self.guard_.whitening)(checked_width(X, self.n_features_in_))
        with np.errstate(over="ignore"):
            half = np.exp(found[:, 1]) * np.float32(self._stretch(coverage))
        values = found[:, 0]
        low, high = self._clipped(values - half), self._clipped(values + half)
        return Estimates(self._clipped(values), low, high, self.guard_.unlike(found[:, 2:]))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give values, (N,) float32; NaN where an embedding is not finite."""
        return self.estimates(X).values

    def predict_interval(self, X: np.ndarray, coverage: float = 0.68) -> np.ndarray:
        """
        Intervals that hold the true value with a stated probability.

        Parameters
        ----------
        X : np.ndarray
            Shape (N, D).
        coverage : float
            Between 0 and 1, for galaxies drawn like the taught ones.

        Returns
        -------
        np.ndarray
            Shape (N, 2), float32: lower and upper end; infinite where the galaxies are too few to promise it.
        """
        found = self.estimates(X, coverage)
        return np.column_stack([found.low, found.high])

    def unlike(self, X: np.ndarray) -> np.ndarray:
        """Tell which rows, (N,) bool, are unlike anything it was taught on."""
        return self.guard_.unlike(self.guard_.whitening(checked_width(X, self.n_features_in_)))

    def _stretch(self, coverage: float) -> float:
        """Half width of the interval in units of the predicted scale of error."""
        if not 0 < coverage < 1:
            raise AnalysisError(f"a coverage of {coverage} cannot be promised; give one between 0 and 1")
        place = int(np.ceil((len(self.nonconformity_) + 1) * coverage))
        return float(self.nonconformity_[place - 1]) if place <= len(self.nonconformity_) else np.inf

    def _clipped(self, values: np.ndarray) -> np.ndarray:
        return np.clip(values, *self.limits_)


def _checked_values(y: np.ndarray) -> np.ndarray:
    try:
        y = y.astype(np.float64)
    except ValueError as error:
        raise AnalysisError(f"the values are not all numbers ({error}); teach classes instead") from error
    missing = int((~np.isfinite(y)).sum())
    if missing:
        raise AnalysisError(f"{missing} of {len(y)} galaxies have no value; leave them out")
    if len(y) < FEWEST:
        raise AnalysisError(f"{len(y)} galaxies are too few to learn a quantity; give at least {FEWEST}")
    if y.min() == y.max():
        raise AnalysisError(f"all {len(y)} values are {y[0]:g}; there is nothing to learn from a constant")
    return y


def _ridge(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Weights (r,), offset, and the penalty of least leave-one-out error."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(alphas=PENALTIES).fit(X, y)
    return model.coef_, float(model.intercept_), float(model.alpha_)


def _held_out(X: np.ndarray, y: np.ndarray, penalty: float, random_state: int) -> np.ndarray:
    """Value of each row by a model that was not shown it, (n,)."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_predict

    folds = KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=random_state)
    return cross_val_predict(Ridge(alpha=penalty), X, y, cv=folds)
