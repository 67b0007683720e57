"""Teach a quantity from few galaxies that have it: linear heads on stored embeddings, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, RegressorMixin

from glue_zoobot.analysis.bins import Bins, softmax_regression
from glue_zoobot.analysis.guard import Guard
from glue_zoobot.analysis.interest_linear import one_thread
from glue_zoobot.analysis.linear import Standardised, blocks, checked, checked_width
from glue_zoobot.analysis.redshift import OUTLIERS, relative_error, scatter
from glue_zoobot.errors import AnalysisError

__all__ = ["COVERAGE", "METHODS", "Estimates", "GalaxyRegressor", "measure_quantity"]

METHODS = ("auto", "ridge", "bins")
PENALTIES = tuple(float(p) for p in np.logspace(0, 6, 13))
BIN_PENALTIES = (10.0, 3.0, 1.0)
N_AXES = 128  # principal axes that bins are learned from; more gain nothing and take longer
N_FOLDS = 10
N_BIN_FOLDS = 5  # bins take longer
FEWEST = 10  # galaxies
FEWEST_FOR_BINS = 40
COVERAGE = 0.68
Judge = tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Estimates:
    """
    What a head says of every galaxy.

    Attributes
    ----------
    values, low, high : np.ndarray
        Shape (N,), float32, in the unit of the target; NaN where a galaxy has no finite embedding.
    unlike : np.ndarray
        Shape (N,), bool: unlike anything it was taught on, or beyond the values it was taught: extrapolated.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unlike: np.ndarray


class GalaxyRegressor(RegressorMixin, BaseEstimator):
    """
    A quantity from few galaxies, with conformal intervals, by ridge regression or as the probability of bins.

    *Ridge*: the penalty is the one of least leave-one-out error. Errors of predictions for galaxies that the
    model in question was not shown are themselves learned from the embedding, so that intervals are wide
    where the answer is uncertain (Lei et al. 2018, section 5.2), and scaled to the stated coverage.

    *Bins*: a softmax over bins of the quantity, whose mean is the value (Pasquet et al. 2019, Hayat et al.
    2021; see `~glue_zoobot.analysis.bins`). Intervals lie between quantiles of that distribution, which are
    moved until they cover what they should (Chernozhukov et al. 2021).

    Parameters
    ----------
    random_state : int
        Same seed, same galaxies, same answer.
    method : {"auto", "ridge", "bins"}
        "auto" takes bins where they have the smaller mean absolute error in cross-validation.
    redshift : bool
        Errors count in units of 1 + z, and no value is below zero.
    n_columns : int
        How many of the last dimensions are columns of the catalogue beside the embedding.

    Attributes
    ----------
    method_ : str
        What was chosen, in words.
    errors_ : dict
        Cross-validated mean absolute error of each candidate, over 1 + z for a redshift.
    out_of_fold_ : np.ndarray
        Shape (n,): value of each galaxy by a model that was not shown it.
    covered_ : np.ndarray
        Shape (n,), bool: whether the 68 % interval, set without it, holds the true value.
    nonconformity_ : np.ndarray
        Shape (n,), sorted: held-out errors in units of their predicted scale, or for bins distances of the
        true value from the median in probability.
    linear_ : Linear
        From embeddings to the value and the log of the scale of its error by ridge regression, and then to
        the logits of the bins, if there are any.
    bins_ : Bins or None
    range_ : tuple of float
        Least and greatest value that it was taught.
    limits_ : tuple of float
        Values are kept between these: those of a share (0 and 1), else infinite.
    guard_ : Guard
    n_features_in_ : int
    """

    def __init__(
        self, random_state: int = 0, method: str = "auto", redshift: bool = False, n_columns: int = 0
    ) -> None:
        self.random_state = random_state
        self.method = method
        self.redshift = redshift
        self.n_columns = n_columns

    def fit(
        self, X: np.ndarray, y: Any, catalogue: np.ndarray | None = None, judge: Judge = None
    ) -> GalaxyRegressor:
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
        judge : tuple of np.ndarray, optional
            Embeddings (m, D) and values (m,) of other galaxies, which decide penalty and method instead of
            cross-validation: among galaxies that a fine-tuned encoder has seen that would flatter.

        Raises
        ------
        AnalysisError
            If there are fewer than 10 galaxies, a value is missing, all are equal, or an embedding is not
            finite.
        """
        if self.method not in METHODS:
            raise AnalysisError(f"there is no method {self.method!r}; choose one of {', '.join(METHODS)}")
        X, y = checked(X, y)
        y = _checked_values(y)
        self.n_features_in_ = X.shape[1]
        self.range_ = (float(y.min()), float(y.max()))
        self.limits_ = _limits(y, self.redshift)
        with one_thread():
            space = Standardised(X, catalogue, self.n_columns)
            self._learn(space, y, None if judge is None else (space.of(judge[0]), judge[1]))
        return self

    def _learn(self, space: Standardised, y: np.ndarray, judge: Judge) -> None:
        ridge = _Ridge.fit(space.coordinates, y, self._clipped, self.random_state, judge)
        self.out_of_fold_, scores, self.bins_ = ridge.held_out, ridge.scores, None
        self.method_ = "ridge regression"
        self.errors_ = {self.method_: self._error(y, ridge, judge)}
        weights, offset = ridge.weights, ridge.offset
        if self.method == "bins" or (self.method == "auto" and len(y) >= FEWEST_FOR_BINS):
            axes = space.principal(N_AXES)
            seen = None if judge is None else (judge[0] @ axes, judge[1])
            binned = _Binned.fit(space.coordinates @ axes, y, self._mean_error, self.random_state, seen)
            name = f"{len(binned.bins)} bins"
            self.errors_[name] = self._error(y, binned, seen)
            if self.method == "bins" or self.errors_[name] < self.errors_[self.method_]:
                self.method_, self.bins_ = name, binned.bins
                self.out_of_fold_, scores = binned.held_out, binned.scores
                weights = np.hstack([weights, axes @ binned.weights[:-1]])
                offset = np.append(offset, binned.weights[-1])
        self.covered_ = _covered_apart(scores, self.random_state)
        self.nonconformity_ = np.sort(scores)
        self.linear_ = space.fold(weights, offset)
        self.guard_ = Guard.fit(space, np.zeros(len(y), dtype=int), 1, self.random_state)

    def _error(self, y: np.ndarray, found: _Ridge | _Binned, judge: Judge) -> float:
        if judge is None:
            return self._mean_error(y, found.held_out)
        return self._mean_error(judge[1], self._clipped(found.values(judge[0])))

    def _mean_error(self, y: np.ndarray, values: np.ndarray) -> float:
        return float((np.abs(values - y) / (1 + y if self.redshift else 1)).mean())

    def calibrate(self, X: np.ndarray, y: np.ndarray) -> None:
        """Set the intervals by other galaxies than it was taught on: embeddings (m, D), values (m,)."""
        said = self.linear_(checked_width(X, self.n_features_in_)).astype(np.float64)
        if self.bins_ is None:
            scores = np.abs(y - self._clipped(said[:, 0])) / np.exp(said[:, 1])
        else:
            scores = np.abs(self.bins_.cumulative(softmax(said[:, 2:], axis=1), y) - 0.5)
        self.covered_ = _covered_apart(scores, self.random_state)
        self.nonconformity_ = np.sort(scores)

    def estimates(self, X: np.ndarray, coverage: float = COVERAGE) -> Estimates:
        """Give values, intervals, and what is extrapolated, in one pass over ``X`` (N, D)."""
        X, stretch = checked_width(X, self.n_features_in_), self._stretch(coverage)
        both, n_said = self.linear_.beside(self.guard_.whitening), len(self.linear_.offset)
        numbers = np.full((3, len(X)), np.nan, dtype=np.float32)
        unlike = np.zeros(len(X), dtype=bool)
        for part in blocks(len(X)):
            said = both(X[part])
            numbers[:, part] = self._interval(said[:, :n_said].astype(np.float64), stretch)
            unlike[part] = self.guard_.unlike(said[:, n_said:]) | self._beyond(said)
        return Estimates(numbers[0], numbers[1], numbers[2], unlike)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give values, (N,) float32; NaN where an embedding is not finite."""
        return self.estimates(X).values

    def predict_interval(self, X: np.ndarray, coverage: float = COVERAGE) -> np.ndarray:
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

    def predict_bins(self, X: np.ndarray) -> np.ndarray:
        """
        Probability that the value lies in each of the bins between ``bins_.edges``.

        Parameters
        ----------
        X : np.ndarray
            Shape (N, D).

        Returns
        -------
        np.ndarray
            Shape (N, B), float32; NaN where an embedding is not finite.

        Raises
        ------
        AnalysisError
            If ridge regression was chosen, which gives no distribution.
        """
        if self.bins_ is None:
            raise AnalysisError(
                "ridge regression gives an interval but no distribution; teach with method='bins' to have one"
            )
        with np.errstate(invalid="ignore"):
            return softmax(self.linear_(checked_width(X, self.n_features_in_))[:, 2:], axis=1)

    def unlike(self, X: np.ndarray) -> np.ndarray:
        """Tell which rows, (N,) bool, are unlike anything it was taught on, or beyond its values."""
        return self.estimates(X).unlike

    def _interval(self, said: np.ndarray, stretch: float) -> np.ndarray:
        """Value, lower and upper end, (3, n), of what `linear_` says."""
        if self.bins_ is None:
            with np.errstate(over="ignore"):
                half = np.exp(said[:, 1]) * stretch
            return self._clipped(np.stack([said[:, 0], said[:, 0] - half, said[:, 0] + half]))
        numbers = np.full((3, len(said)), np.nan)
        known = np.isfinite(said).all(axis=1)
        p = softmax(said[known, 2:], axis=1)
        value = self.bins_.points(p)
        ends = [self.bins_.quantiles(p, np.clip(0.5 + side * stretch, 0, 1)) for side in (-1, 1)]
        numbers[:, known] = value, np.minimum(ends[0], value), np.maximum(ends[1], value)
        if np.isinf(stretch):
            numbers[1:, known] = np.array([-np.inf, np.inf])[:, None]
        return self._clipped(numbers)

    def _beyond(self, said: np.ndarray) -> np.ndarray:
        """Where ridge regression is outside the values taught, by more than the scale of its error."""
        with np.errstate(over="ignore", invalid="ignore"):
            value, scale = said[:, 0], np.exp(said[:, 1])
            return (value + scale < self.range_[0]) | (value - scale > self.range_[1])

    def _stretch(self, coverage: float) -> float:
        """Score that galaxies like the taught ones stay below with a stated probability."""
        if not 0 < coverage < 1:
            raise AnalysisError(f"a coverage of {coverage} cannot be promised; give one between 0 and 1")
        place = int(np.ceil((len(self.nonconformity_) + 1) * coverage))
        return float(self.nonconformity_[place - 1]) if place <= len(self.nonconformity_) else np.inf

    def _clipped(self, values: np.ndarray) -> np.ndarray:
        return np.clip(values, *self.limits_)


def measure_quantity(head: GalaxyRegressor, X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """
    Measure a head on galaxies that neither it nor its encoder was shown.

    Parameters
    ----------
    head : GalaxyRegressor
    X : np.ndarray
        Shape (n, D).
    y : np.ndarray
        Shape (n,): the true values.

    Returns
    -------
    dict
        Of a redshift sigma_mad, outliers_005, outliers_015, bias and median_bias of dz / (1 + z), else
        scatter and bias; always r2 and coverage (of the 68 % intervals).
    """
    found = head.estimates(X, COVERAGE)
    error = found.values - y
    covered = (found.low <= y) & (y <= found.high)
    both = {"r2": float(1 - np.square(error).mean() / np.var(y)), "coverage": float(covered.mean())}
    if not head.redshift:
        return {"r2": both["r2"], "scatter": scatter(error), "bias": float(error.mean()), **both}
    error = relative_error(y, found.values)
    outliers = {f"outliers_{100 * limit:03.0f}": float((np.abs(error) > limit).mean()) for limit in OUTLIERS}
    averages = {"bias": float(error.mean()), "median_bias": float(np.median(error))}
    return {"sigma_mad": scatter(error), **outliers, **averages, **both}


@dataclass(frozen=True)
class _Ridge:
    """Ridge regression of the value and of the log of its error: (r, 2), (2,); values and scores held out."""

    weights: np.ndarray
    offset: np.ndarray
    held_out: np.ndarray
    scores: np.ndarray

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        clip: Callable[[np.ndarray], np.ndarray],
        random_state: int,
        judge: Judge,
    ) -> _Ridge:
        weights, offset, penalty = _ridge(X, y, judge)
        values = clip(_held_out(X, y, penalty, random_state))
        errors = np.abs(y - values)
        log_errors = np.log(errors + 0.1 * errors.mean() + 1e-12)
        slope, level, penalty = _ridge(X, log_errors)
        scores = errors / np.exp(_held_out(X, log_errors, penalty, random_state))
        return cls(np.column_stack([weights, slope]), np.array([offset, level]), values, scores)

    def values(self, X: np.ndarray) -> np.ndarray:
        return X @ self.weights[:, 0] + self.offset[0]


@dataclass(frozen=True)
class _Binned:
    """Softmax over bins, its weights (r + 1, B), with the penalty that cross-validation prefers."""

    bins: Bins
    weights: np.ndarray
    held_out: np.ndarray
    scores: np.ndarray

    @classmethod
    def fit(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        error: Callable[[np.ndarray, np.ndarray], float],
        random_state: int,
        judge: Judge,
    ) -> _Binned:
        bins = Bins.of(y)
        targets, probabilities = bins.targets(y), np.zeros((len(BIN_PENALTIES), len(y), len(bins)))
        for new in _folds(len(y), N_BIN_FOLDS, random_state):
            known, weights = np.setdiff1d(np.arange(len(y)), new), None
            for penalty, found in zip(BIN_PENALTIES, probabilities, strict=True):
                weights = softmax_regression(X[known], targets[known], penalty, weights)
                found[new] = softmax(X[new] @ weights[:-1] + weights[-1], axis=1)
        errors = [error(y, bins.points(p)) for p in probabilities]
        if judge is not None:
            errors = [
                error(judge[1], one.values(judge[0])) for one in cls._path(bins, X, targets, BIN_PENALTIES)
            ]
        best = int(np.argmin(errors))
        p = probabilities[best]
        fitted = list(cls._path(bins, X, targets, BIN_PENALTIES[: best + 1]))[-1]
        return replace(fitted, held_out=bins.points(p), scores=np.abs(bins.cumulative(p, y) - 0.5))

    @classmethod
    def _path(
        cls, bins: Bins, X: np.ndarray, targets: np.ndarray, penalties: Sequence[float]
    ) -> Iterator[_Binned]:
        """One fit after the other, each begun where the last one ended."""
        weights, nothing = None, np.empty(0)
        for penalty in penalties:
            weights = softmax_regression(X, targets, penalty, weights)
            yield cls(bins, weights, nothing, nothing)

    def values(self, X: np.ndarray) -> np.ndarray:
        return self.bins.points(softmax(X @ self.weights[:-1] + self.weights[-1], axis=1))


def _limits(y: np.ndarray, redshift: bool) -> tuple[float, float]:
    if redshift:
        return (min(0.0, float(y.min())), np.inf)
    return (0.0, 1.0) if y.min() >= 0 and y.max() <= 1 else (-np.inf, np.inf)


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


def _ridge(X: np.ndarray, y: np.ndarray, judge: Judge = None) -> tuple[np.ndarray, float, float]:
    """Weights (r,), offset, and the penalty of least leave-one-out error, or of least error for a judge."""
    from sklearn.linear_model import Ridge, RidgeCV

    if judge is not None:
        models = [Ridge(alpha=penalty).fit(X, y) for penalty in PENALTIES]
        best = min(models, key=lambda model: float(np.square(model.predict(judge[0]) - judge[1]).mean()))
        return best.coef_, float(best.intercept_), float(best.alpha)
    model = RidgeCV(alphas=PENALTIES).fit(X, y)
    return model.coef_, float(model.intercept_), float(model.alpha_)


def _held_out(X: np.ndarray, y: np.ndarray, penalty: float, random_state: int) -> np.ndarray:
    """Value of each row by a model that was not shown it, (n,)."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_predict

    folds = KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=random_state)
    return cross_val_predict(Ridge(alpha=penalty), X, y, cv=folds)


def _folds(n: int, n_folds: int, random_state: int) -> list[np.ndarray]:
    """Rows that are held out together, as every row is once."""
    return np.array_split(np.random.default_rng(random_state).permutation(n), min(n_folds, n))


def _covered_apart(scores: np.ndarray, random_state: int) -> np.ndarray:
    """Which rows, (n,) bool, are within the 68 % interval that the scores of others set."""
    covered = np.zeros(len(scores), dtype=bool)
    for new in _folds(len(scores), N_FOLDS, random_state):
        others = np.sort(np.delete(scores, new))
        place = int(np.ceil((len(others) + 1) * COVERAGE))
        covered[new] = scores[new] <= (others[place - 1] if place <= len(others) else np.inf)
    return covered
