"""
What is a redshift, and how good are photometric ones: the figures that the field gives.

With dz = (z_predicted - z_true) / (1 + z_true): bias, its mean and median; σ_MAD = 1.4826 × the median of
abs(dz - median(dz)); outliers, the share with abs(dz) beyond 0.05 (Pasquet et al. 2019, Hayat et al. 2021)
and beyond 0.15 (as is usual for deeper surveys, Hildebrandt et al. 2010).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from glue_zoobot.analysis.merit import Figure, bootstrapped, coverage_figure, number_figures

__all__ = [
    "OUTLIERS",
    "is_redshift",
    "quantity_figures",
    "redshift_figures",
    "relative_error",
    "scatter",
    "usable",
]

OUTLIERS = (0.05, 0.15)
NAMES = {
    *("z", "zs", "zp", "redshift", "redshifts", "zredshift", "zspec", "specz", "spectroz", "zphot", "photoz"),
    *("zphoto", "zbest", "bestz", "ztrue", "truez", "zhelio", "zcmb", "zred", "zcosmo", "zspectroscopic"),
    *("redshiftspec", "redshiftphot", "spectroscopicredshift", "photometricredshift", "redshifttrue"),
}
LEAST, MOST = -0.01, 15.0  # nearby galaxies approach at less than a hundredth of the speed of light


def is_redshift(name: str, values: np.ndarray) -> bool:
    """
    Tell whether a column is a redshift, by its name and its values.

    A column *z* of numbers around 20 is a magnitude; -99 and the like, for galaxies without one, are allowed.

    Parameters
    ----------
    name : str
    values : np.ndarray
        Shape (n,), float.
    """
    known = values[usable(values)]
    plain = re.sub(r"[^a-z]", "", name.lower())
    if plain not in NAMES or not len(known) or known.max() > MOST:
        return False
    sentinels = values[np.isfinite(values) & ~usable(values)]
    return bool((sentinels <= -1).all() and known.max() > 0)


def usable(values: np.ndarray) -> np.ndarray:
    """Tell which numbers, (n,) bool, can be redshifts and do not stand for a missing one."""
    return np.isfinite(values) & (values > LEAST)


def relative_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(z_predicted - z_true) / (1 + z_true), (n,)."""
    truth = np.asarray(truth, dtype=np.float64)
    return (np.asarray(predicted, dtype=np.float64) - truth) / (1 + truth)


def scatter(error: np.ndarray) -> float:
    """1.4826 × the median absolute deviation from the median: the deviation of normal errors, if all were."""
    return float(1.4826 * np.median(np.abs(error - np.median(error))))


def redshift_figures(truth: np.ndarray, predicted: np.ndarray, random_state: int = 0) -> list[Figure]:
    """
    σ_MAD, outliers, bias (mean and median) of dz / (1 + z), each with a 95 % bootstrap interval.

    Parameters
    ----------
    truth, predicted : np.ndarray
        Shape (n,): redshifts, the predicted ones held out.
    random_state : int
        Seed of the bootstrap.
    """
    error = relative_error(truth, predicted)

    def beyond(limit: float) -> Callable[[np.ndarray], float]:
        return lambda rows: float((np.abs(error[rows]) > limit).mean())

    measures: dict[str, Callable[[np.ndarray], float]] = {
        "σ_MAD": lambda rows: scatter(error[rows]),
        **{f"outliers > {limit:g}": beyond(limit) for limit in OUTLIERS},
        "bias": lambda rows: float(error[rows].mean()),
        "median bias": lambda rows: float(np.median(error[rows])),
    }
    return [bootstrapped(name, measure, len(error), random_state) for name, measure in measures.items()]


def quantity_figures(
    truth: np.ndarray,
    predicted: np.ndarray,
    covered: np.ndarray,
    redshift: bool,
    coverage: float = 0.68,
    random_state: int = 0,
) -> list[Figure]:
    """
    Figures of a redshift or of any other number, and how many true values lie in their intervals.

    Parameters
    ----------
    truth, predicted : np.ndarray
        Shape (n,), held out.
    covered : np.ndarray
        Shape (n,), bool.
    redshift : bool
    coverage : float
        What the intervals promise.
    random_state : int
        Seed of the bootstrap.
    """
    figures = redshift_figures if redshift else number_figures
    return [*figures(truth, predicted, random_state), coverage_figure(covered, coverage, random_state)]
