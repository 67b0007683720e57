"""A logistic model of interest, fitted to a few hundred ratings in milliseconds and applied in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LinearInterest", "Scaling", "fit_logistic"]

BLOCK_ROWS = 16_384
SCALING_ROWS = 100_000  # means and deviations of more rows than this differ by less than ratings can tell


@dataclass(frozen=True)
class Scaling:
    """
    Mean and inverse standard deviation of each dimension, folded into weights instead of into a scaled copy.

    Attributes
    ----------
    mean, factor : np.ndarray
        Shape (D,), float32. A constant dimension has factor 0.
    """

    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray, random_state: int = 0) -> Scaling:
        """Measure at most 100,000 rows of `matrix`, those that are not finite left out."""
        rows = np.arange(len(matrix))
        if len(rows) > SCALING_ROWS:
            rows = np.sort(np.random.default_rng(random_state).choice(rows, SCALING_ROWS, replace=False))
        count, total, squares = 0, np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
        for start in range(0, len(rows), BLOCK_ROWS):
            part = matrix[rows[start : start + BLOCK_ROWS]].astype(np.float64)
            part = part[np.isfinite(part).all(axis=1)]
            count += len(part)
            total += part.sum(axis=0)
            squares += np.square(part).sum(axis=0)
        mean = total / max(count, 1)
        deviation = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0))
        constant = deviation <= 1e-6 * (np.abs(mean) + 1e-12)
        factor = np.where(constant, 0, 1 / np.where(constant, 1, deviation))
        return cls(mean.astype(np.float32), factor.astype(np.float32))

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Scaled copy of a few rows, (n, D) float64."""
        return (vectors.astype(np.float64) - self.mean) * self.factor


@dataclass(frozen=True)
class LinearInterest:
    """Weights on scaled dimensions: the logit of a row z is ``z @ weights + offset``."""

    weights: np.ndarray
    offset: float

    def logits(self, matrix: np.ndarray, scaling: Scaling) -> np.ndarray:
        """One matrix-vector product over the unscaled matrix; (N,) float32, not finite where a row is not."""
        folded = self.weights * scaling.factor
        offset = self.offset - float(folded @ scaling.mean)
        with np.errstate(invalid="ignore", over="ignore"):
            logits = matrix @ folded.astype(np.float32)
            logits += np.float32(offset)
        return logits


def fit_logistic(
    vectors: np.ndarray, targets: np.ndarray, C: float, sample_weight: np.ndarray | None = None
) -> LinearInterest:
    """
    Fit L2-regularised logistic regression by Newton's method in the space that the rows span.

    Parameters
    ----------
    vectors : np.ndarray
        Shape (n, D), scaled.
    targets : np.ndarray
        Shape (n,), 0 to 1.
    C : float
        Inverse regularisation, as in scikit-learn: the offset is not regularised.
    sample_weight : np.ndarray, optional
        Shape (n,).

    Returns
    -------
    LinearInterest
    """
    basis, coordinates = spanned(vectors)
    theta = newton(coordinates, targets, C, sample_weight)
    return LinearInterest(basis.T @ theta[:-1], float(theta[-1]))


def spanned(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal basis (r, D) of the rows' span, and the rows' coordinates (n, r) in it; r <= min(n, D)."""
    if len(vectors) > vectors.shape[1]:
        return np.eye(vectors.shape[1]), vectors
    values, directions = np.linalg.eigh(vectors @ vectors.T)
    kept = values > values[-1] * 1e-10
    lengths = np.sqrt(values[kept])
    coordinates = directions[:, kept] * lengths
    return (directions[:, kept] / lengths).T @ vectors, coordinates


def newton(
    features: np.ndarray, targets: np.ndarray, C: float, sample_weight: np.ndarray | None, n_steps: int = 30
) -> np.ndarray:
    """Minimise the penalised cross-entropy; returns weights and offset, shape (r + 1,)."""
    n, r = features.shape
    design = np.column_stack([features, np.ones(n)])
    penalty = np.append(np.full(r, 1 / C), 1e-6)
    weight = np.ones(n) if sample_weight is None else sample_weight
    theta = np.zeros(r + 1)
    for _ in range(n_steps):
        chance = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (weight * (chance - targets)) + penalty * theta
        curvature = weight * chance * (1 - chance)
        hessian = (design.T * curvature) @ design
        hessian[np.diag_indices(r + 1)] += penalty
        step = np.linalg.solve(hessian, gradient)
        theta -= step / max(1.0, np.abs(design @ step).max() / 8)  # far from the minimum: shorter steps
        if np.abs(design @ step).max() < 1e-6:
            break
    return theta
