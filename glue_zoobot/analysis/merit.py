"""Figures of merit of a head, each with the interval that few labels deserve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Figure",
    "Reliability",
    "class_figures",
    "expected_calibration_error",
    "number_figures",
    "reliability",
]

N_BINS = 10
N_DRAWS = 400


@dataclass(frozen=True)
class Figure:
    """
    One figure with its 95 % interval.

    Attributes
    ----------
    name : str
    value, low, high : float
        NaN where it is not defined.
    """

    name: str
    value: float
    low: float
    high: float

    def text(self) -> str:
        """Say it: "accuracy 0.84 (0.78–0.89)"."""
        return f"{self.name} {self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class Reliability:
    """
    Stated against observed probabilities, in ten bins of equal numbers of galaxies.

    Attributes
    ----------
    stated, observed : np.ndarray
        Shape (B,): mean stated probability and share for which it was true.
    low, high : np.ndarray
        Shape (B,): 95 % interval of the observed share (Wilson 1927).
    counts : np.ndarray
        Shape (B,), int.
    """

    stated: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray


def class_figures(probabilities: np.ndarray, codes: np.ndarray, random_state: int = 0) -> list[Figure]:
    """
    Accuracy, balanced accuracy, calibration error and, for two classes, area under the curve.

    Parameters
    ----------
    probabilities : np.ndarray
        Shape (n, C), held out; rows with NaN are left out.
    codes : np.ndarray
        Shape (n,), int: the true classes.
    random_state : int
        Seed of the bootstrap.
    """
    known = np.isfinite(probabilities).all(axis=1)
    p, y = probabilities[known], np.asarray(codes)[known]
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "accuracy": lambda rows: float((p[rows].argmax(axis=1) == y[rows]).mean()),
        "balanced accuracy": lambda rows: _balanced(p[rows].argmax(axis=1), y[rows]),
        "calibration error": lambda rows: expected_calibration_error(p[rows], y[rows]),
    }
    if p.shape[1] == 2:
        measures["area under the curve"] = lambda rows: _area(p[rows, 1], y[rows])
    return [_bootstrapped(name, measure, len(y), random_state) for name, measure in measures.items()]


def number_figures(truth: np.ndarray, predicted: np.ndarray, random_state: int = 0) -> list[Figure]:
    """
    R², scatter (1.4826 × the median absolute deviation), bias (mean error), all of held-out predictions.

    Parameters
    ----------
    truth, predicted : np.ndarray
        Shape (n,), in the unit of the target.
    random_state : int
        Seed of the bootstrap.
    """
    error = np.asarray(predicted) - np.asarray(truth)
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "R²": lambda rows: float(1 - np.square(error[rows]).mean() / (np.var(truth[rows]) or np.nan)),
        "scatter": lambda rows: float(1.4826 * np.median(np.abs(error[rows] - np.median(error[rows])))),
        "bias": lambda rows: float(error[rows].mean()),
    }
    return [_bootstrapped(name, measure, len(error), random_state) for name, measure in measures.items()]


def expected_calibration_error(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """
    Mean difference between stated and observed probability of the most probable class (Guo et al. 2017).

    Parameters
    ----------
    probabilities : np.ndarray
        Shape (n, C).
    codes : np.ndarray
        Shape (n,), int.
    """
    found = reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == codes)
    if not len(found.counts):
        return float("nan")
    return float(np.average(np.abs(found.stated - found.observed), weights=found.counts))


def reliability(stated: np.ndarray, true: np.ndarray) -> Reliability:
    """
    Compare stated probabilities with how often they came true.

    Parameters
    ----------
    stated : np.ndarray
        Shape (n,), 0 to 1.
    true : np.ndarray
        Shape (n,), bool.
    """
    order = np.argsort(stated, kind="stable")
    parts = [part for part in np.array_split(order, min(N_BINS, max(1, len(order) // 5))) if len(part)]
    counts = np.array([len(part) for part in parts], dtype=int)
    observed = np.array([np.mean(true[part]) for part in parts])
    centre, half = _wilson(observed, counts)
    means = np.array([np.mean(stated[part]) for part in parts])
    return Reliability(means, observed, centre - half, centre + half, counts)


def _wilson(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z2 = 1.96**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return centre, half


def _bootstrapped(name: str, measure: Callable[[np.ndarray], float], n: int, random_state: int) -> Figure:
    if not n:
        return Figure(name, np.nan, np.nan, np.nan)
    rng = np.random.default_rng(random_state)
    drawn = np.array([measure(rng.integers(n, size=n)) for _ in range(N_DRAWS)])
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return Figure(name, measure(np.arange(n)), float(low), float(high))


def _balanced(predicted: np.ndarray, codes: np.ndarray) -> float:
    return float(np.mean([(predicted[codes == code] == code).mean() for code in np.unique(codes)]))


def _area(score: np.ndarray, codes: np.ndarray) -> float:
    """Chance that a member scores above a non-member, ties half (Mann & Whitney 1947)."""
    from scipy.stats import rankdata

    members = int((codes == 1).sum())
    others = len(codes) - members
    if not members or not others:
        return float("nan")
    return float((rankdata(score)[codes == 1].sum() - members * (members + 1) / 2) / (members * others))
