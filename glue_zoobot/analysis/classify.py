"""Teach a class from a few labelled galaxies: linear heads on stored embeddings, calibrated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from glue_zoobot.analysis.guard import Guard
from glue_zoobot.analysis.interest_linear import one_thread
from glue_zoobot.analysis.linear import Standardised, checked, checked_width
from glue_zoobot.errors import AnalysisError

__all__ = ["METHODS", "GalaxyClassifier", "Predictions"]

STRENGTHS = (1e-3, 1e-2, 1e-1)  # C of logistic regression
N_FOLDS = 5
FEW = 60  # labels, below which the folds are drawn several times, as one draw decides by luck
REPEATS = 3
EVIDENCE = 5.0  # nats of log loss, summed over the labels, that cost a candidate a factor e of its share
WARINESS = 10.0  # labels: how strongly a calibration is drawn to what needs no labels


Fit = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Predictions:
    """
    What a head says of every galaxy.

    Attributes
    ----------
    probabilities : np.ndarray
        Shape (N, C), float32; NaN where a galaxy has no finite embedding.
    unlike : np.ndarray
        Shape (N,), bool: unlike anything that was labelled.
    """

    probabilities: np.ndarray
    unlike: np.ndarray


class GalaxyClassifier(ClassifierMixin, BaseEstimator):
    """
    Classes from few labels: a linear head with calibrated probabilities.

    Candidates are nearest class means (Snell et al. 2017) and logistic regression of several strengths, on
    standardised dimensions. The head is their mean, each weighed by its cross-validated log loss.
    Probabilities are calibrated by one temperature and an offset for each class (Guo et al. 2017), and class
    sets by conformal prediction (Sadinle et al. 2019), from predictions by models that were not shown the
    galaxy in question.

    Parameters
    ----------
    method : {"auto", "prototypes", "logistic"}
        Which candidates; "auto" takes all.
    random_state : int
        Same seed, same labels, same answer.

    Attributes
    ----------
    classes_ : np.ndarray
        Shape (C,): the labels, sorted.
    method_ : str
        What was chosen, in words: the candidates with most weight.
    log_loss_ : dict
        Cross-validated log loss of each candidate, in nats, after calibration.
    shares_ : dict
        Weight of each candidate; they add to 1.
    out_of_fold_ : np.ndarray
        Shape (n, C): calibrated probabilities of the labelled galaxies, each by a model that was not shown
        it; NaN for the only galaxy of a class.
    nonconformity_ : np.ndarray
        Shape (m,), sorted: one minus the held-out probability of the true class.
    linear_ : Linear
        From embeddings to calibrated logits.
    guard_ : Guard
    n_features_in_ : int
    """

    def __init__(self, method: str = "auto", random_state: int = 0) -> None:
        self.method = method
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any, catalogue: np.ndarray | None = None) -> GalaxyClassifier:
        """
        Learn.

        Parameters
        ----------
        X : np.ndarray
            Shape (n, D): embeddings of the labelled galaxies.
        y : array-like
            Shape (n,): their classes, text, whole numbers or bool.
        catalogue : np.ndarray, optional
            Shape (N, D): embeddings of all galaxies, which scale the dimensions.

        Raises
        ------
        AnalysisError
            If there are not two classes, labels and embeddings do not match, or an embedding is not finite.
        """
        X, y = checked(X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise AnalysisError(
                f"all {len(y)} labels are '{self.classes_[0]}'; also label galaxies that are something else"
            )
        self.n_features_in_ = X.shape[1]
        with one_thread():
            space = Standardised(X, catalogue)
            self.linear_ = space.fold(*self._learn(space.coordinates, codes))
            self.guard_ = Guard.fit(space, codes, len(self.classes_), self.random_state)
        own = self.out_of_fold_[np.arange(len(codes)), codes]
        self.nonconformity_ = np.sort(1 - own[np.isfinite(own)])
        return self

    def predictions(self, X: np.ndarray) -> Predictions:
        """Give probabilities and what is unlike the labelled galaxies, in one pass over ``X`` (N, D)."""
        values = self.linear_.beside(self.guard_.whitening)(checked_width(X, self.n_features_in_))
        n_classes = len(self.classes_)
        logits, whitened = values[:, :n_classes], values[:, n_classes:]
        return Predictions(_probabilities(logits), self.guard_.unlike(whitened))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Give calibrated probabilities, (N, C) float32; NaN where an embedding is not finite."""
        return _probabilities(self.linear_(checked_width(X, self.n_features_in_)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give the most probable class of each row, (N,); every embedding must be finite."""
        probabilities = self.predict_proba(X)
        if np.isnan(probabilities).any():
            raise AnalysisError("a galaxy without a finite embedding has no class; leave such rows out")
        return self.classes_[np.argmax(probabilities, axis=1)]

    def predict_set(self, X: np.ndarray, coverage: float = 0.9) -> np.ndarray:
        """
        Sets of classes that hold the true one with a stated probability.

        Parameters
        ----------
        X : np.ndarray
            Shape (N, D).
        coverage : float
            Between 0 and 1, for galaxies drawn like the labelled ones.

        Returns
        -------
        np.ndarray
            Shape (N, C), bool. An empty set says that no class fits well enough; with too few labels for a
            promise the set holds every class.
        """
        return self.sets_of(self.predict_proba(X), coverage)

    def sets_of(self, probabilities: np.ndarray, coverage: float = 0.9) -> np.ndarray:
        """Give the sets of `predict_set` from probabilities, (N, C)."""
        if not 0 < coverage < 1:
            raise AnalysisError(f"a coverage of {coverage} cannot be promised; give one between 0 and 1")
        n = len(self.nonconformity_)
        place = int(np.ceil((n + 1) * coverage))
        worst = self.nonconformity_[place - 1] if 0 < place <= n else 1.0
        with np.errstate(invalid="ignore"):
            return np.asarray(1 - probabilities <= worst + 1e-7)

    def unlike(self, X: np.ndarray) -> np.ndarray:
        """Tell which rows, (N,) bool, are unlike anything that was labelled."""
        return self.guard_.unlike(self.guard_.whitening(checked_width(X, self.n_features_in_)))

    # -- choosing and calibrating --------------------------------------------------------------------

    def _candidates(self) -> dict[str, Fit]:
        """Every way to learn, by its name in words."""
        wanted = METHODS.get(self.method)
        if wanted is None:
            raise AnalysisError(f"there is no method {self.method!r}; choose one of {', '.join(METHODS)}")
        ways: dict[str, Fit] = {"nearest class means": _prototypes}
        for strength in STRENGTHS:
            ways[f"logistic regression, C = {strength:g}"] = _logistic(strength)
        return {name: way for name, way in ways.items() if name.startswith(wanted)}

    def _learn(self, coordinates: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cross-validate the candidates and mix them; weights (r, C) and offset (C,) of calibrated logits."""
        candidates, n_classes = self._candidates(), len(self.classes_)
        folds = _folds(codes, self.random_state)
        tested = folds[0] >= 0  # all but the only galaxy of a class
        self.log_loss_, held_out, weights_of, offset_of = {}, {}, {}, {}
        for name, way in candidates.items():
            weights, offset = way(coordinates, codes, n_classes)
            logits = _held_out(way, coordinates, codes, n_classes, folds)[:, tested]
            scale = Calibration.fit(logits, codes[tested], (coordinates @ weights + offset).std())
            held_out[name] = scale(logits)
            weights_of[name], offset_of[name] = weights / scale.temperature, scale(offset)
            self.log_loss_[name] = _log_loss(held_out[name], codes[tested])
        self.shares_ = _shares(self.log_loss_, tested.sum())
        self.method_ = " and ".join(name for name, share in self.shares_.items() if share > 0.2)
        mixed = _mean(held_out, self.shares_)
        scale = Calibration.fit(mixed, codes[tested], 1.0)
        self.out_of_fold_ = np.full((len(codes), n_classes), np.nan)
        self.out_of_fold_[tested] = _calibrated_apart(mixed, codes[tested], folds[:, tested])
        weights = _mean(weights_of, self.shares_)
        return weights / scale.temperature, scale(_mean(offset_of, self.shares_))


@dataclass(frozen=True)
class Calibration:
    """
    One temperature and an offset for each class that turn logits into those of honest probabilities.

    Attributes
    ----------
    temperature : float
    offset : np.ndarray
        Shape (C,), added after division by the temperature.
    """

    temperature: float
    offset: np.ndarray

    @classmethod
    def fit(
        cls, logits: np.ndarray, codes: np.ndarray, spread: float, with_offset: bool = True
    ) -> Calibration:
        """
        Minimise the log loss of logits, (repeats, n, C), of classes ``codes``, (n,).

        With few labels both are drawn to what needs none: the temperature to ``spread``, offsets to zero,
        each as strongly as by `WARINESS` labels. Without an offset no class gains at the cost of another.
        """
        spread, n, n_classes = float(spread) or 1.0, max(len(codes), 1), logits.shape[-1]
        scaled, truth = logits / spread, np.eye(n_classes)[codes]

        def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            sharpness, offset = np.exp(parameters[0]), parameters[1:] * with_offset
            logp = log_softmax(sharpness * scaled + offset, axis=-1)
            error = (np.exp(logp) - truth) / (len(logits) * n)
            of_offset = error.sum(axis=(0, 1)) * with_offset
            gradient = np.append(sharpness * (error * scaled).sum(), of_offset)
            loss = WARINESS * np.square(parameters).sum() / (2 * n) - (logp * truth).sum() / (len(logits) * n)
            return loss, gradient + WARINESS * parameters / n

        found = minimize(cost, np.zeros(n_classes + 1), jac=True, method="L-BFGS-B")
        return cls(spread / float(np.exp(found.x[0])), found.x[1:])

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Calibrate logits, (..., C)."""
        return np.asarray(logits / self.temperature + self.offset)


METHODS = {
    "auto": "",
    "prototypes": "nearest class means",
    "logistic": "logistic regression",
}
"""Names of the methods, and how their candidates' names begin."""


def _folds(codes: np.ndarray, random_state: int) -> np.ndarray:
    """
    Give the fold in which each row is held out, (repeats, n); -1 for the only row of a class, never held out.

    Every class is dealt out evenly, so that none is missing from what a model is shown.
    """
    rng = np.random.default_rng(random_state)
    folds = np.full((1 if len(codes) >= FEW else REPEATS, len(codes)), -1)
    for repeat in folds:
        for code in np.unique(codes):
            rows = rng.permutation(np.flatnonzero(codes == code))
            if len(rows) > 1:
                repeat[rows] = (np.arange(len(rows)) + rng.integers(N_FOLDS)) % N_FOLDS
    return folds


def _held_out(way: Fit, X: np.ndarray, codes: np.ndarray, n_classes: int, folds: np.ndarray) -> np.ndarray:
    """Logits by models that were not shown the row: (repeats, n, C); NaN where the fold is -1."""
    logits = np.full((*folds.shape, n_classes), np.nan)
    for repeat, fold_of in zip(logits, folds, strict=True):
        for fold in np.unique(fold_of[fold_of >= 0]):
            new = fold_of == fold
            weights, offset = way(X[~new], codes[~new], n_classes)
            repeat[new] = X[new] @ weights + offset
    return logits


def _calibrated_apart(logits: np.ndarray, codes: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Probabilities (n, C) from held-out logits (repeats, n, C), calibrated by other rows than themselves."""
    probabilities = np.zeros(logits.shape[1:])
    for repeat, fold_of in zip(logits, folds, strict=True):
        for fold in np.unique(fold_of):
            new = fold_of == fold
            scale = Calibration.fit(repeat[None, ~new], codes[~new], 1.0)
            probabilities[new] += softmax(scale(repeat[new]), axis=-1) / len(logits)
    return probabilities


def _shares(losses: dict[str, float], n: int) -> dict[str, float]:
    """Weigh candidates by their evidence from ``n`` labels; beforehand the first counts as all others."""
    if not n:
        return {name: float(place == 0) for place, name in enumerate(losses)}
    logs = -n * np.array(list(losses.values())) / EVIDENCE
    logs[0] += np.log(max(1, len(logs) - 1))
    return dict(zip(losses, softmax(logs).tolist(), strict=True))


def _mean(arrays: dict[str, np.ndarray], shares: dict[str, float]) -> np.ndarray:
    return np.asarray(sum(share * arrays[name] for name, share in shares.items()))


def _prototypes(X: np.ndarray, codes: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits are minus half the squared distances from class means, up to a constant of the row."""
    means = np.stack([X[codes == code].mean(axis=0) for code in range(n_classes)])
    return means.T, -np.square(means).sum(axis=1) / 2


def _logistic(strength: float) -> Fit:
    from sklearn.linear_model import LogisticRegression

    def fit(X: np.ndarray, codes: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
        return _every_class(LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(X, codes))

    return fit


def _every_class(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """One column of weights for each class, also of two classes."""
    weights, offset = model.coef_, model.intercept_
    if len(weights) == 1:
        weights, offset = np.vstack([-weights, weights]) / 2, np.append(-offset, offset) / 2
    return weights.T, offset


def _probabilities(logits: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(softmax(logits, axis=1))


def _log_loss(logits: np.ndarray, codes: np.ndarray) -> float:
    """Mean over rows and repeats, in nats; of logits (repeats, n, C)."""
    if not len(codes):
        return float("nan")
    return float(-log_softmax(logits, axis=-1)[:, np.arange(len(codes)), codes].mean())
