"""
A quantity as classes: which of many bins it falls into, and so how probable each value is.

As redshifts are learned by Pasquet et al. (2019, `arXiv:1806.06607`) and Hayat et al. (2021,
`arXiv:2101.04293`): a softmax over bins, whose mean over the probabilities is the value. Here the bins hold
equal numbers of the labelled galaxies, as a few hundred labels would leave many of equal width empty, and a
label counts a little for the neighbouring bins, which a softmax by itself does not know to be near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

__all__ = ["POINTS", "Bins", "softmax_regression"]

PER_BIN = 5  # labels
FEWEST, MOST = 8, 32  # bins
BLUR = 1.0  # bins: standard deviation of the weights by which a label counts for neighbours
STEPS = 40  # of the minimisation; more gain nothing on galaxies held out
POINTS = ("mean", "median", "mode")


@dataclass(frozen=True)
class Bins:
    """
    Bins of a quantity.

    Attributes
    ----------
    edges : np.ndarray
        Shape (B + 1,), rising, in the unit of the quantity.
    centres : np.ndarray
        Shape (B,): mean label of each.
    """

    edges: np.ndarray
    centres: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, n_bins: int = 0) -> Bins:
        """
        Bins that hold equal numbers of some values, as far as equal values let them.

        Parameters
        ----------
        values : np.ndarray
            Shape (n,), finite, of two different numbers at least.
        n_bins : int
            0 makes one for each five values, from 8 to 32.
        """
        n_bins = n_bins or int(np.clip(len(values) // PER_BIN, FEWEST, MOST))
        edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
        codes = cls(edges, edges[:-1]).codes(values)
        counts = np.bincount(codes, minlength=len(edges) - 1)
        middles = (edges[1:] + edges[:-1]) / 2
        sums = np.bincount(codes, values, minlength=len(middles))
        return cls(edges, np.where(counts > 0, sums / np.maximum(counts, 1), middles))

    def __len__(self) -> int:
        return len(self.centres)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Give the bin of each value, (n,) int; what lies outside is in the first or last."""
        return np.clip(np.searchsorted(self.edges, values, side="right") - 1, 0, len(self) - 1)

    def targets(self, values: np.ndarray) -> np.ndarray:
        """Give the share of each bin in each label, (n, B), rows adding to 1."""
        apart = np.arange(len(self)) - self.codes(values)[:, None]
        weights = np.exp(-0.5 * np.square(apart / BLUR))
        return weights / weights.sum(axis=1, keepdims=True)

    def points(self, p: np.ndarray, point: str = "mean") -> np.ndarray:
        """Give one value for each row of probabilities, (n, B): one of `POINTS`, (n,)."""
        if point == "mean":
            return p @ self.centres
        if point == "mode":
            return self.centres[np.argmax(p / np.diff(self.edges), axis=1)]
        return self.quantiles(p, np.full(len(p), 0.5))

    def cumulative(self, p: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Give the probability of less than each value, (n,), evenly spread within a bin."""
        codes = self.codes(values)
        below = np.concatenate([np.zeros((len(p), 1)), np.cumsum(p, axis=1)], axis=1)
        share = (values - self.edges[codes]) / np.diff(self.edges)[codes]
        rows = np.arange(len(p))
        return np.clip(below[rows, codes] + np.clip(share, 0, 1) * p[rows, codes], 0, 1)

    def quantiles(self, p: np.ndarray, level: np.ndarray | float) -> np.ndarray:
        """Give the values below which a probability lies, (n,): the inverse of `cumulative`."""
        above = np.cumsum(p, axis=1)
        level = np.broadcast_to(level, len(p))
        codes = np.minimum((above < level[:, None]).sum(axis=1), len(self) - 1)
        rows = np.arange(len(p))
        own = np.maximum(p[rows, codes], 1e-12)
        share = np.clip((level - above[rows, codes]) / own + 1, 0, 1)
        return self.edges[codes] + share * np.diff(self.edges)[codes]


def softmax_regression(
    X: np.ndarray, targets: np.ndarray, penalty: float, start: np.ndarray | None = None
) -> np.ndarray:
    """
    Fit multinomial logistic regression to shares instead of classes.

    Parameters
    ----------
    X : np.ndarray
        Shape (n, r).
    targets : np.ndarray
        Shape (n, B), rows adding to 1.
    penalty : float
        Half the weight of the squared norm of the coefficients, in nats, beside the summed cross-entropy.
    start : np.ndarray, optional
        Shape (r + 1, B): where the minimisation begins.

    Returns
    -------
    np.ndarray
        Shape (r + 1, B): coefficients, the last row the offsets.
    """
    beside = np.ones((len(X), 1), dtype=np.float32)
    design, q = np.hstack([X.astype(np.float32), beside]), targets.astype(np.float32)
    shape = (design.shape[1], q.shape[1])
    decay = np.full((shape[0], 1), penalty, dtype=np.float32)
    decay[-1] = 0

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape).astype(np.float32)
        logs = log_softmax(design @ weights, axis=1)
        slope = design.T @ (np.exp(logs) - q) + decay * weights
        value = -float((q * logs).sum(dtype=np.float64)) + 0.5 * float((decay * weights**2).sum())
        return value / len(q), slope.ravel().astype(np.float64) / len(q)

    if start is None:
        start = np.zeros(shape)
        start[-1] = np.log(np.maximum(targets.mean(axis=0), 1e-9))
    found = minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x).reshape(shape)
