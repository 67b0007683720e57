"""The Gaussian process of Walmsley et al. 2022 for ranking by interest."""

from __future__ import annotations

import warnings

import numpy as np

from glue_zoobot.analysis.anomaly import standardised_components
from glue_zoobot.analysis.labels import HIGHEST

__all__ = ["GaussianProcessInterest", "expected_improvement"]

N_COMPONENTS = 40
TRADE_OFF = 0.5
BLOCK_ROWS = 16_384


class GaussianProcessInterest:
    """
    Gaussian process regression of ratings on 40 standardised principal components.

    Kernel: rational quadratic plus white noise, refitted each round; acquisition: expected improvement with a
    trade-off of 0.5. Scored in float32 blocks, so that a million galaxies need seconds and little memory.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    random_state : int

    References
    ----------
    Walmsley, M. et al. 2022, MNRAS 513, 1581.
    """

    def __init__(self, matrix: np.ndarray, random_state: int) -> None:
        self.random_state = random_state
        self._finite = np.isfinite(matrix @ np.zeros(matrix.shape[1], dtype=matrix.dtype))
        usable = matrix if self._finite.all() else matrix[self._finite]
        components = standardised_components(usable, N_COMPONENTS, random_state)
        self._components = np.full((len(matrix), components.shape[1]), np.nan, dtype=np.float32)
        self._components[self._finite] = components

    def learn(self, rows: np.ndarray, ratings: np.ndarray) -> None:
        """Fit to ratings, 0 to 5, and predict every row."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RationalQuadratic, WhiteKernel

        process = GaussianProcessRegressor(
            RationalQuadratic() + WhiteKernel(), random_state=self.random_state
        )
        with warnings.catch_warnings():
            # Few or equal ratings leave the kernel's scales open; any of them serves.
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(self._components[rows], ratings)
        self._best = float(ratings.max())
        self._predict(process)

    def _predict(self, process: object) -> None:
        """Mean and deviation of every row, in blocks of float32."""
        kernel = process.kernel_  # type: ignore[attr-defined]
        known = process.X_train_.astype(np.float32)  # type: ignore[attr-defined]
        weights = process.alpha_.astype(np.float32)  # type: ignore[attr-defined]
        inverse = np.linalg.inv(process.L_).astype(np.float32)  # type: ignore[attr-defined]
        scale, mixture, noise = kernel.k1.length_scale, kernel.k1.alpha, kernel.k2.noise_level
        self.mean = np.empty(len(self._components), dtype=np.float32)
        self.deviation = np.empty(len(self._components), dtype=np.float32)
        lengths = np.square(known).sum(axis=1)
        for start in range(0, len(self._components), BLOCK_ROWS):
            block = self._components[start : start + BLOCK_ROWS]
            distances = np.square(block).sum(axis=1)[:, None] + lengths - 2 * block @ known.T
            np.maximum(distances, 0, out=distances)
            likeness = (1 + distances / np.float32(2 * mixture * scale**2)) ** np.float32(-mixture)
            self.mean[start : start + BLOCK_ROWS] = likeness @ weights
            explained = np.square(likeness @ inverse.T).sum(axis=1)
            self.deviation[start : start + BLOCK_ROWS] = np.sqrt(np.maximum(1 + noise - explained, 1e-9))

    def keys(self) -> np.ndarray:
        """Give the predicted rating, not cut to 0 to 5, so that it ranks without ties; (N,) float32."""
        return self.mean

    def scores(self) -> np.ndarray:
        """Give the predicted rating, 0 to 5; (N,) float32."""
        return np.clip(self.mean, 0, HIGHEST)

    def uncertainty(self) -> np.ndarray:
        """Give the standard deviation of a rating; (N,) float32."""
        return self.deviation

    def to_find(self) -> np.ndarray:
        """Give the expected improvement."""
        return expected_improvement(self.mean, self.deviation, self._best, TRADE_OFF)

    def to_teach(self) -> np.ndarray:
        """Where the process knows least."""
        return self.deviation.copy()


def expected_improvement(
    mean: np.ndarray, deviation: np.ndarray, best: float, trade_off: float
) -> np.ndarray:
    """
    How much a rating is expected to exceed the best so far by more than a trade-off.

    Parameters
    ----------
    mean, deviation : np.ndarray
        Shape (N,), of the predicted ratings.
    best : float
        Highest rating so far.
    trade_off : float

    Returns
    -------
    np.ndarray
        Shape (N,).

    References
    ----------
    Jones, D. R., Schonlau, M. & Welch, W. J. 1998, J. Global Optimization 13, 455.
    """
    from scipy.stats import norm

    gain = mean - best - trade_off
    return gain * norm.cdf(gain / deviation) + deviation * norm.pdf(gain / deviation)
