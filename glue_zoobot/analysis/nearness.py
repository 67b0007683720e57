"""What a query asks of a metric: the target that examples make, and how near rows are to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glue_zoobot.errors import AnalysisError

__all__ = ["METRICS", "UNLIKE_WEIGHT", "Nearness"]

METRICS = ("cosine", "euclidean")

UNLIKE_WEIGHT = 0.5
"""Pull of the unlike examples relative to the like ones."""

BLOCK = 8_192  # rows that are widened at once


class Nearness:
    """
    How near the rows of a matrix are to the target of a query.

    Several examples are combined as in relevance feedback (Rocchio 1971): with the mean of the examples to
    be *like* :math:`m_+` and of those to be *unlike* :math:`m_-`, the target is :math:`m_+ - w m_-` of unit
    vectors for the cosine, and :math:`m_+ + w (m_+ - m_-)`, which does not depend on the origin, for
    Euclidean distance; :math:`w` is `UNLIKE_WEIGHT`.

    A search multiplies all rows with `factor` of the target and makes `keys` of the products, of which larger
    is nearer; of the best rows it takes `scores`, summed one by one in the same order, so that equal rows
    have equal scores.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D), float16 or float32, perhaps of a file; not copied.
    squares : np.ndarray
        Shape (N,), float32: squared lengths of the rows. Kept, and changed.
    metric : {"cosine", "euclidean"}

    Attributes
    ----------
    never_found : np.ndarray
        Rows, int64, that no search finds: not finite, or zero where the angle counts.

    References
    ----------
    Rocchio, J. J. 1971, in The SMART Retrieval System, ed. G. Salton, 313.
    """

    def __init__(self, matrix: np.ndarray, squares: np.ndarray, metric: str) -> None:
        self.metric = metric
        self._matrix = matrix
        usable = np.isfinite(squares) & ((squares > 0) | (metric == "euclidean"))
        self.never_found = np.flatnonzero(~usable)
        squares[self.never_found] = 1.0
        self._largest = float(squares.max(initial=1.0))
        self._norms = squares if metric == "euclidean" else 1.0 / np.sqrt(squares)

    def examples(
        self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Give the rows of a query, each once, ascending, int64.

        Raises
        ------
        AnalysisError
            If nothing is to be liked, or a row is in both lists or outside the matrix or has no usable
            embedding.
        """
        rows = [np.unique(np.asarray(given, dtype=np.int64)) for given in (like, unlike)]
        if not rows[0].size:
            raise AnalysisError(
                "nothing to search for: choose at least one galaxy that the answer should be like"
            )
        both = np.intersect1d(rows[0], rows[1])
        if both.size:
            raise AnalysisError(f"row {both[0]} is wanted both like and unlike; take it out of one list")
        given = np.concatenate(rows)
        outside = given[(given < 0) | (given >= len(self._matrix))]
        if outside.size:
            raise AnalysisError(
                f"row {outside[0]} was asked for, but there are {len(self._matrix):,} embeddings"
            )
        unusable = np.intersect1d(given, self.never_found)
        if unusable.size:
            raise AnalysisError(
                f"the embedding of row {unusable[0]} is empty or not finite; embed the image again"
            )
        return rows[0], rows[1]

    def target(self, like: np.ndarray, unlike: np.ndarray) -> np.ndarray:
        """Rocchio's query vector, shape (D,), float32; of unit length for the cosine."""
        target = self._mean(like)
        if unlike.size:
            away = self._mean(unlike)
            target += UNLIKE_WEIGHT * ((target - away) if self.metric == "euclidean" else -away)
        if self.metric == "cosine":
            length = np.linalg.norm(target)
            if length < 1e-6:
                raise AnalysisError("the examples cancel each other; choose others")
            target /= length
        return target.astype(np.float32)

    def factor(self, targets: np.ndarray) -> np.ndarray:
        """With what rows are to be multiplied for `keys`."""
        return 2 * targets if self.metric == "euclidean" else targets

    def keys(self, products: np.ndarray) -> np.ndarray:
        """Larger is nearer: the cosine, or 2 x·t - |x|²; (N,) float32, in place of the products."""
        with np.errstate(invalid="ignore", over="ignore"):
            if self.metric == "euclidean":
                products -= self._norms
            else:
                products *= self._norms
        products[self.never_found] = -np.inf
        return products

    def tolerance(self, target: np.ndarray) -> float:
        """Rounding of the product: keys this close to the last place are scored again before they are cut."""
        rounding = 4 * np.finfo(np.float32).eps * np.sqrt(self._matrix.shape[1])
        scale = 1.0 if self.metric == "cosine" else self._largest + float(np.dot(target, target))
        return float(rounding * scale)

    def ranked(self, rows: np.ndarray, target: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the `k` best of some rows and their `scores`, best first, equal ones by row."""
        scores = self.scores(rows, target)
        order = np.lexsort((rows, -scores))[: max(k, 0)]
        return rows[order], scores[order]

    def scores(self, rows: np.ndarray, target: np.ndarray) -> np.ndarray:
        """
        Cosine similarity, or minus the Euclidean distance, of some rows, float32.

        `target` has shape (D,), or (K, D) where each row has its own.
        """
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            vectors = np.asarray(self._matrix[rows[part]], dtype=np.float32)
            wanted = target if target.ndim == 1 else target[part]
            if self.metric == "euclidean":
                scores[part] = -np.sqrt(np.square(vectors - wanted).sum(axis=1))
            else:
                scores[part] = (vectors * wanted).sum(axis=1) / np.sqrt(np.square(vectors).sum(axis=1))
        return scores

    def as_scores(self, keys: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Turn keys of all rows into scores, in place; NaN for rows that are never found."""
        if self.metric == "euclidean":
            np.subtract(np.dot(target, target), keys, out=keys)
            np.negative(np.sqrt(np.maximum(keys, 0, out=keys), out=keys), out=keys)
        keys[self.never_found] = np.nan
        return keys

    def _mean(self, rows: np.ndarray) -> np.ndarray:
        total = np.zeros(self._matrix.shape[1])
        for start in range(0, len(rows), BLOCK):
            vectors = self._matrix[rows[start : start + BLOCK]].astype(np.float64)
            if self.metric == "cosine":
                vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            total += vectors.sum(axis=0)
        return total / len(rows)
