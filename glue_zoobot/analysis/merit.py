"""Figures of merit of a head, each with the interval that few labels deserve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Figure",
    "Reliability",
    "area_under_curve",
    "bootstrapped",
    "class_figures",
    "coverage_figure",
    "debiased_calibration_error",
    "expected_calibration_error",
    "number_figures",
    "reliability",
    "vote_figures",
]

CALIBRATION_ERROR = "calibration error"
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

    @property
    def digits(self) -> int:
        """How many digits behind the point the interval deserves."""
        width = self.high - self.low
        return 2 if not 0 < width < 0.03 else min(6, 1 - int(np.floor(np.log10(width))))

    def text(self) -> str:
        """Say it: "accuracy 0.84 (0.78–0.89)", with as many digits as the interval deserves."""
        value, low, high = (f"{number:.{self.digits}f}" for number in (self.value, self.low, self.high))
        return f"{self.name} {value} ({low}{'–' if self.low >= 0 else ' to '}{high})"


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
        CALIBRATION_ERROR: lambda rows: expected_calibration_error(p[rows], y[rows]),
    }
    if p.shape[1] == 2:
        measures["area under the curve"] = lambda rows: area_under_curve(p[rows, 1], y[rows] == 1)
    return [bootstrapped(name, measure, len(y), random_state) for name, measure in measures.items()]


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
    return [bootstrapped(name, measure, len(error), random_state) for name, measure in measures.items()]


def vote_figures(
    question: str, counts: np.ndarray, concentrations: np.ndarray, random_state: int = 0
) -> list[Figure]:
    """
    R² and mean error of the fractions of votes, and how many of the votes are inside the 68 % intervals.

    Parameters
    ----------
    question : str
    counts : np.ndarray
        Shape (n, A): votes for each answer.
    concentrations : np.ndarray
        Shape (n, A), held out.
    random_state : int
        Seed of the bootstrap.
    """
    fraction = counts / counts.sum(axis=1, keepdims=True)
    error = concentrations / concentrations.sum(axis=1, keepdims=True) - fraction
    inside = _inside(counts, concentrations).mean(axis=1)
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "R²": lambda rows: float(1 - np.square(error[rows]).sum() / (_scatter(fraction[rows]) or np.nan)),
        "mean error": lambda rows: float(np.abs(error[rows]).mean()),
        "inside 68 % intervals": lambda rows: float(inside[rows].mean()),
    }
    return [
        bootstrapped(f"{question}: {name}", measure, len(counts), random_state)
        for name, measure in measures.items()
    ]


def _scatter(values: np.ndarray) -> float:
    return float(np.square(values - values.mean(axis=0)).sum())


def _inside(counts: np.ndarray, concentrations: np.ndarray, coverage: float = 0.68) -> np.ndarray:
    """
    Tell how far votes lie in the central interval of the prediction for as many votes, (n, A), 0 to 1.

    Votes are whole, so that few of them lie partly inside: that part is counted, by which the mean is the
    coverage if the prediction is right (Czado, Gneiting & Held 2009, Biometrics 65, 1254).
    """
    from scipy.stats import betabinom

    votes, asked = np.rint(counts), np.rint(counts).sum(axis=1, keepdims=True)
    rest = concentrations.sum(axis=1, keepdims=True) - concentrations
    below = betabinom.cdf(votes - 1, asked, concentrations, rest)
    upto = betabinom.cdf(votes, asked, concentrations, rest)
    low, high = (1 - coverage) / 2, (1 + coverage) / 2
    shared = np.minimum(upto, high) - np.maximum(below, low)
    return np.asarray(np.clip(shared / np.maximum(upto - below, 1e-12), 0, 1))


def coverage_figure(covered: np.ndarray, coverage: float, random_state: int = 0) -> Figure:
    """
    Share of true values that lie in their interval, which should be what was promised.

    Parameters
    ----------
    covered : np.ndarray
        Shape (n,), bool; held out.
    coverage : float
        What was promised, 0 to 1.
    random_state : int
        Seed of the bootstrap.
    """
    name = f"in the {coverage:.0%} interval".replace("%", " %")
    return bootstrapped(name, lambda rows: float(covered[rows].mean()), len(covered), random_state)


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
    found = _of_most_probable(probabilities, codes)
    if not len(found.counts):
        return float("nan")
    return float(np.average(np.abs(found.stated - found.observed), weights=found.counts))


def debiased_calibration_error(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """
    Root of the mean squared difference between stated and observed probability, without that of chance.

    With few galaxies in a bin even a perfect head shows an `expected_calibration_error`, of 0.03 where 400
    galaxies are measured. Here the variance of the observed share is taken off (Kumar, Liang & Ma 2019,
    `arXiv:1909.10155`, definition 4.1); what is left may be negative by chance, and counts as 0.

    Parameters
    ----------
    probabilities : np.ndarray
        Shape (n, C).
    codes : np.ndarray
        Shape (n,), int.
    """
    found = _of_most_probable(probabilities, codes)
    if not len(found.counts) or found.counts.min() < 2:
        return float("nan")
    chance = found.observed * (1 - found.observed) / (found.counts - 1)
    squares = np.square(found.stated - found.observed) - chance
    return float(np.sqrt(max(0.0, np.average(squares, weights=found.counts))))


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
    n, n_bins = len(order), min(N_BINS, max(1, len(order) // 5), len(order))
    edges = np.arange(n_bins + 1) * n // max(n_bins, 1)
    counts = np.diff(edges)
    # By slices of the sorted arrays, not bin by bin: the bootstrap asks for this hundreds of times.
    means, observed = (np.add.reduceat(v[order], edges[:-1]) / counts for v in (stated, true.astype(float)))
    centre, half = _wilson(observed, counts)
    return Reliability(means, observed, centre - half, centre + half, counts)


def _of_most_probable(probabilities: np.ndarray, codes: np.ndarray) -> Reliability:
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == codes)


def _wilson(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z2 = 1.96**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return centre, half


def bootstrapped(name: str, measure: Callable[[np.ndarray], float], n: int, random_state: int) -> Figure:
    """Give a figure of n galaxies with its 95 % interval; `measure` takes rows drawn again and again."""
    if not n:
        return Figure(name, np.nan, np.nan, np.nan)
    rng = np.random.default_rng(random_state)
    drawn = np.array([measure(rng.integers(n, size=n)) for _ in range(N_DRAWS)])
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    value = measure(np.arange(n))
    if name == CALIBRATION_ERROR:  # it takes the scatter that drawing again adds for error
        excess = drawn.mean() - value
        low, high = max(0.0, low - excess), max(value, high - excess)
    return Figure(name, value, float(low), float(high))


def _balanced(predicted: np.ndarray, codes: np.ndarray) -> float:
    return float(np.mean([(predicted[codes == code] == code).mean() for code in np.unique(codes)]))


def area_under_curve(score: np.ndarray, member: np.ndarray) -> float:
    """
    Chance that a member scores above a non-member, ties half (Mann & Whitney 1947).

    Parameters
    ----------
    score : np.ndarray
        Shape (n,), without NaN.
    member : np.ndarray
        Shape (n,), bool.

    Returns
    -------
    float
        NaN where all are members, or none.
    """
    members, others = score[member], np.sort(score[~member])
    if not len(members) or not len(others):
        return float("nan")
    below = np.searchsorted(others, members, "left") + np.searchsorted(others, members, "right")
    return float(below.mean() / (2 * len(others)))
