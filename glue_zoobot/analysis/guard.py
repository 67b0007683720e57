"""Which galaxies are unlike anything that was labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glue_zoobot.analysis.linear import Linear, Standardised

__all__ = ["Guard"]

N_AXES = 24
FALSE_ALARMS = 0.01  # share of galaxies like the labelled ones that are called unlike them
FEW = 8  # labels, below which nothing can be said


@dataclass(frozen=True)
class Guard:
    """
    Distance from the nearest class in units of the scatter within classes.

    The Mahalanobis distance of Lee et al. (2018, `arXiv:1807.03888`), on at most 24 principal axes of the
    standardised embeddings, with a shrunk covariance (Ledoit & Wolf 2004). A number has one class.

    Attributes
    ----------
    whitening : Linear
        From embeddings to coordinates in which the scatter within classes is one.
    means : np.ndarray
        Shape (C, K): the classes there.
    limit : float
        Larger squared distances are unlike; infinite with fewer than 8 labels.
    """

    whitening: Linear
    means: np.ndarray
    limit: float

    @classmethod
    def fit(cls, space: Standardised, codes: np.ndarray, n_classes: int, random_state: int = 0) -> Guard:
        """
        Learn from labelled rows.

        Parameters
        ----------
        space : Standardised
            Of the labelled rows.
        codes : np.ndarray
            Shape (n,), int: the class of each, 0 to ``n_classes - 1``; every class has a row.
        n_classes : int
        random_state : int
            Seed of the five parts in which the limit is found.
        """
        axes = space.principal(min(N_AXES, max(1, len(codes) // 4)))
        reduced = space.coordinates @ axes
        means, whiten = _scatter(reduced, codes, n_classes)
        limit = _limit(reduced, codes, n_classes, random_state)
        offset = np.zeros(whiten.shape[1])
        return cls(space.fold(axes @ whiten, offset), (means @ whiten).astype(np.float32), limit)

    def distances(self, whitened: np.ndarray) -> np.ndarray:
        """Squared distance of each row, (N,) float32, from the nearest class; of `whitening` applied."""
        best = np.full(len(whitened), np.inf, dtype=np.float32)
        square = np.einsum("ij,ij->i", whitened, whitened)
        for mean in self.means:
            np.minimum(best, square - 2 * (whitened @ mean) + mean @ mean, out=best)
        return best

    def unlike(self, whitened: np.ndarray) -> np.ndarray:
        """Tell which rows, (N,) bool, are beyond the limit; never one without an embedding."""
        with np.errstate(invalid="ignore"):
            return self.distances(whitened) > self.limit


def _scatter(reduced: np.ndarray, codes: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Class means (C, K), and the matrix (K, K) that makes the scatter within classes one."""
    from sklearn.covariance import ledoit_wolf

    means = np.full((n_classes, reduced.shape[1]), np.inf)
    for code in np.unique(codes):
        means[code] = reduced[codes == code].mean(axis=0)
    covariance, _ = ledoit_wolf(reduced - means[codes], assume_centered=True)
    variance, axes = np.linalg.eigh(covariance)
    return means, axes / np.sqrt(np.maximum(variance, 1e-12))


def _limit(reduced: np.ndarray, codes: np.ndarray, n_classes: int, random_state: int) -> float:
    """Distance that one in a hundred rows like these exceeds, each measured by a model without it."""
    from sklearn.model_selection import KFold

    if len(codes) < FEW:
        return float("inf")
    apart = np.empty(len(codes))
    for known, new in KFold(5, shuffle=True, random_state=random_state).split(reduced):
        means, whiten = _scatter(reduced[known], codes[known], n_classes)
        present = np.isfinite(means).all(axis=1)
        offsets = (reduced[new, None] - means[present]) @ whiten
        apart[new] = np.square(offsets).sum(axis=2).min(axis=1)
    # The one-in-a-hundred of few rows is their largest: then a little beyond it.
    level = 1 - FALSE_ALARMS
    return float(np.quantile(apart, level) * (1 + 1 / np.sqrt(len(codes))))
