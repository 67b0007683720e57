"""Teach what volunteers would answer: Dirichlet-multinomial heads on stored embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaincinv, digamma, gammaln
from sklearn.base import BaseEstimator

from glue_zoobot.analysis.guard import Guard
from glue_zoobot.analysis.interest_linear import one_thread
from glue_zoobot.analysis.linear import Standardised, checked_width
from glue_zoobot.errors import AnalysisError

__all__ = ["GalaxyVotes", "Question", "Shares", "log_likelihood"]

PENALTIES = (1e5, 3e4, 1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1)
N_FOLDS = 5
FEWEST = 20  # galaxies with votes on a question
MOST = 20_000  # galaxies to learn from; a linear head learns nothing from more
FARTHEST = 3.0  # |log of the factor on all concentrations| by calibration
STEEPEST = 8.0  # |log of a concentration|, beyond which votes cannot tell it from infinite or none


@dataclass(frozen=True)
class Question:
    """
    A question that volunteers were asked.

    Attributes
    ----------
    name : str
    answers : tuple of str
        At least two.
    """

    name: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Shares:
    """
    What a head says of the answers of every galaxy, those of all questions side by side.

    Attributes
    ----------
    mean, low, high : np.ndarray
        Shape (N, A), float32, 0 to 1: expected fraction of the votes, and the interval of the fraction that
        very many volunteers would give; NaN where a galaxy has no finite embedding.
    unlike : np.ndarray
        Shape (N,), bool: unlike anything it was taught on.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unlike: np.ndarray


class GalaxyVotes(BaseEstimator):
    """
    Fractions of votes from some galaxies that volunteers have answered questions about.

    The votes k of the N volunteers who were asked a question follow a Dirichlet-multinomial distribution
    (Walmsley et al. 2022, MNRAS 509, 3966, equation 3), the concentrations of which are exponentials of
    linear functions of the standardised embedding. So forty votes weigh more than five, and no votes, as on a
    question that depends on the answer to another, weigh nothing. The ridge penalty of each question is that
    of most cross-validated likelihood; afterwards one factor on all concentrations makes the scatter that of
    galaxies that the model in question was not shown.

    Parameters
    ----------
    random_state : int
        Same seed, same galaxies, same answer.

    Attributes
    ----------
    questions_ : tuple of Question
    penalties_ : dict of str to float
        By question.
    out_of_fold_ : np.ndarray
        Shape (n, A): concentrations by models that were not shown the galaxy; NaN without votes.
    rows_ : np.ndarray
        Which of the rows given it learned from, (n,) int64.
    linear_ : Linear
        From embeddings to logarithms of concentrations.
    guard_ : Guard
    n_features_in_ : int
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(
        self,
        X: np.ndarray,
        counts: np.ndarray,
        questions: Sequence[Question],
        catalogue: np.ndarray | None = None,
    ) -> GalaxyVotes:
        """
        Learn.

        Parameters
        ----------
        X : np.ndarray
            Shape (n, D): embeddings, finite.
        counts : np.ndarray
            Shape (n, A): votes for each answer, the answers of all questions side by side, whole numbers or
            weighted; a question with a missing (NaN) answer, or no votes, says nothing of a galaxy.
        questions : sequence of Question
        catalogue : np.ndarray, optional
            Shape (N, D): embeddings of all galaxies, which scale the dimensions.

        Raises
        ------
        AnalysisError
            If votes and embeddings do not match, votes are negative, or a question has too few of them.
        """
        X, counts = _checked(X, counts, questions)
        self.questions_, self.n_features_in_ = tuple(questions), X.shape[1]
        rng = np.random.default_rng(self.random_state)
        self.rows_ = np.flatnonzero(np.isfinite(counts).any(axis=1))
        if len(self.rows_) > MOST:
            self.rows_ = np.sort(rng.choice(self.rows_, MOST, replace=False))
        counts = counts[self.rows_]
        folds = rng.permutation(len(counts)) % N_FOLDS
        self.penalties_: dict[str, float] = {}
        self.out_of_fold_ = np.full(counts.shape, np.nan)
        with one_thread():
            space = Standardised(X[self.rows_], catalogue)
            weights = np.zeros((space.coordinates.shape[1], counts.shape[1]))
            offset = np.zeros(counts.shape[1])
            for question, part in zip(self.questions_, self.parts(), strict=True):
                told = np.isfinite(counts[:, part]).all(axis=1)
                _require(question, counts[told, part])
                found = _learn(space.coordinates[told], counts[told, part], folds[told])
                weights[:, part], offset[part], held_out, self.penalties_[question.name] = found
                self.out_of_fold_[told, part] = np.exp(held_out)
            self.linear_ = space.fold(weights, offset)
            self.guard_ = Guard.fit(space, np.zeros(len(counts), dtype=int), 1, self.random_state)
        return self

    def parts(self) -> list[slice]:
        """Columns of each question among the answers of all."""
        ends = np.cumsum([len(question.answers) for question in self.questions_]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def concentrations(self, X: np.ndarray) -> np.ndarray:
        """Give concentrations of the Dirichlet distribution of the answers, (N, A) float32."""
        return _exp(self.linear_(checked_width(X, self.n_features_in_)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Give expected fractions of the votes, (N, A) float32, those of each question adding to one."""
        return self._mean(self.concentrations(X))

    def spread(self, X: np.ndarray) -> np.ndarray:
        """Give the standard deviation of the fraction that very many volunteers would give, (N, A)."""
        concentration = self.concentrations(X)
        mean, deviation = self._mean(concentration), np.empty_like(concentration)
        for part in self.parts():
            strength = concentration[:, part].sum(axis=1, keepdims=True)
            deviation[:, part] = np.sqrt(mean[:, part] * (1 - mean[:, part]) / (strength + 1))
        return deviation

    def shares(self, X: np.ndarray, coverage: float = 0.68) -> Shares:
        """
        Give fractions with their intervals, and what is unlike the taught galaxies.

        Parameters
        ----------
        X : np.ndarray
            Shape (N, D).
        coverage : float
            Of the intervals, which are central.
        """
        if not 0 < coverage < 1:
            raise AnalysisError(f"a coverage of {coverage} cannot be promised; give one between 0 and 1")
        both = self.linear_.beside(self.guard_.whitening)(checked_width(X, self.n_features_in_))
        n_answers = len(self.linear_.offset)
        concentration = _exp(both[:, :n_answers])
        low, high = np.empty_like(concentration), np.empty_like(concentration)
        for part in self.parts():
            own = concentration[:, part]
            rest = own.sum(axis=1, keepdims=True) - own
            low[:, part] = betaincinv(own, rest, (1 - coverage) / 2)
            high[:, part] = betaincinv(own, rest, (1 + coverage) / 2)
        return Shares(self._mean(concentration), low, high, self.guard_.unlike(both[:, n_answers:]))

    def _mean(self, concentration: np.ndarray) -> np.ndarray:
        fractions = np.empty_like(concentration)
        for part in self.parts():
            fractions[:, part] = concentration[:, part] / concentration[:, part].sum(axis=1, keepdims=True)
        return fractions


def log_likelihood(counts: np.ndarray, log_concentration: np.ndarray) -> np.ndarray:
    """
    Dirichlet-multinomial log likelihood of the votes on one question, (n,); also of weighted votes.

    Parameters
    ----------
    counts : np.ndarray
        Shape (n, A): votes for each answer.
    log_concentration : np.ndarray
        Shape (n, A).
    """
    alpha = np.exp(log_concentration)
    total, strength = counts.sum(axis=1), alpha.sum(axis=1)
    each = (gammaln(counts + alpha) - gammaln(alpha) - gammaln(counts + 1)).sum(axis=1)
    return gammaln(strength) - gammaln(total + strength) + gammaln(total + 1) + each


def _slope(counts: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Derivative of `log_likelihood` by the logarithms of the concentrations, (n, A)."""
    total, strength = counts.sum(axis=1, keepdims=True), alpha.sum(axis=1, keepdims=True)
    shared = digamma(strength) - digamma(total + strength)
    return alpha * (shared + digamma(counts + alpha) - digamma(alpha))


def _learn(
    X: np.ndarray, counts: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Weights (r, A), offset (A,) and held-out values (n, A), all calibrated, and the penalty chosen."""
    solutions: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    held_out, likelihood = {}, {}
    for penalty in PENALTIES:  # each begins at the stronger one before it
        held_out[penalty] = np.empty(counts.shape)
        for fold in np.unique(folds):
            new = folds == fold
            solutions[fold] = _fit(X[~new], counts[~new], penalty, solutions.get(fold))
            held_out[penalty][new] = _values(X[new], *solutions[fold])
        likelihood[penalty] = log_likelihood(counts, held_out[penalty]).sum()
        best = max(likelihood, key=lambda known: likelihood[known])
        if PENALTIES.index(penalty) > PENALTIES.index(best) + 1:
            break  # two in a row that are worse: weaker ones only take longer
    weights, offset = _fit(X, counts, best, None)
    shift = _calibration(counts, held_out[best])
    return weights, offset + shift, held_out[best] + shift, best


def _fit(
    X: np.ndarray, counts: np.ndarray, penalty: float, start: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (r, A) and offset (A,) of the logarithms of concentrations, of most penalised likelihood."""
    width, n_answers = X.shape[1], counts.shape[1]
    if start is None:
        start = np.zeros((width, n_answers)), np.log(2 * counts.sum(axis=0) / counts.sum() + 0.01)

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, offset = parameters[:-n_answers].reshape(width, n_answers), parameters[-n_answers:]
        raw = X @ weights + offset
        values = np.clip(raw, -STEEPEST, STEEPEST)
        slope = _slope(counts, np.exp(values)) * (np.abs(raw) < STEEPEST)
        loss = penalty * np.square(weights).sum() / 2 - log_likelihood(counts, values).sum()
        gradient = np.append((penalty * weights - X.T @ slope).ravel(), -slope.sum(axis=0))
        return loss / len(X), gradient / len(X)

    begin = np.append(start[0].ravel(), start[1])
    found = minimize(cost, begin, jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-6}).x
    return found[:-n_answers].reshape(width, n_answers), found[-n_answers:]


def _values(X: np.ndarray, weights: np.ndarray, offset: np.ndarray) -> np.ndarray:
    return np.clip(X @ weights + offset, -STEEPEST, STEEPEST)


def _calibration(counts: np.ndarray, held_out: np.ndarray) -> float:
    """Logarithm of the factor on all concentrations with which held-out votes are most likely."""
    found = minimize_scalar(
        lambda shift: -float(log_likelihood(counts, held_out + shift).sum()),
        bounds=(-FARTHEST, FARTHEST),
        method="bounded",
    )
    return float(found.x)


def _exp(values: np.ndarray) -> np.ndarray:
    most = STEEPEST + FARTHEST  # not less: calibrated values at the limit would all be the same
    return np.asarray(np.exp(np.clip(values, -most, most)))


def _checked(X: np.ndarray, counts: Any, questions: Sequence[Question]) -> tuple[np.ndarray, np.ndarray]:
    """Make sure that there are votes for each embedding; NaN for questions that nobody answered."""
    X, counts = np.asarray(X), np.array(counts, dtype=np.float64)
    n_answers = sum(len(question.answers) for question in questions)
    if X.ndim != 2 or counts.shape != (len(X), n_answers):
        raise AnalysisError(
            f"votes of shape {counts.shape} do not fit {n_answers} answers and embeddings of shape {X.shape}"
        )
    if not np.isfinite(X).all():
        broken = int((~np.isfinite(X).all(axis=1)).sum())
        raise AnalysisError(f"{broken} galaxies with votes have no finite embedding; leave them out")
    if (counts < 0).any():
        raise AnalysisError("there are negative numbers of votes; are these the right columns?")
    start = 0
    for question in questions:
        own = counts[:, start : start + len(question.answers)]
        own[~(own.sum(axis=1) > 0)] = np.nan
        start += len(question.answers)
    return X, counts


def _require(question: Question, counts: np.ndarray) -> None:
    """Make sure that a question can be learned."""
    if len(counts) < FEWEST:
        raise AnalysisError(
            f"{len(counts)} galaxies have votes on {question.name!r}, and at least {FEWEST} are needed; "
            "leave the question out or add galaxies"
        )
    if (counts.sum(axis=0) > 0).sum() < 2:
        raise AnalysisError(f"all votes on {question.name!r} are for one answer; there is nothing to learn")
