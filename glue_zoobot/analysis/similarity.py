"""Which galaxies look like these? Exact nearest neighbours by one pass over the embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from glue_zoobot.analysis.nearness import METRICS, Nearness
from glue_zoobot.analysis.principal import PrincipalAxes, principal_axes
from glue_zoobot.analysis.products import Products
from glue_zoobot.analysis.selection import best_rows
from glue_zoobot.errors import AnalysisError

__all__ = ["METRICS", "SimilaritySearch"]

METHODS = ("exact", "two-stage")
SCAN_COMPONENTS = 128  # of the two-stage scan; a fifth of the memory traffic of 640 columns
ANY_ROWS, ANY_EXAMPLES = 8_192, 2_048  # scored at once with each other: 64 MB, whatever the sizes


class SimilaritySearch:
    """
    Exact search for the embeddings nearest to one or more examples.

    A query is one matrix-vector product, which numpy runs at memory bandwidth: there is no index to build
    and no wrong answer. The best rows are then scored again one by one, so that equal embeddings get equal
    scores whatever the order in which the product summed them.

    How several examples to be like and unlike are combined is in `~glue_zoobot.analysis.nearness.Nearness`.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D). Not copied if it is float32 and C-contiguous; never changed. Rows that are not finite,
        and for the cosine rows of zeros, are never found.
    metric : {"cosine", "euclidean"}
        What is near.
    n_components : int, optional
        Search among this many principal components instead of the raw columns.
    method : {"exact", "two-stage"}
        "two-stage" scans 128 principal components and scores the best candidates exactly: several times
        faster on clustered embeddings, and *approximate*. How approximate is measured: `measured_recall_`.
    random_state : int
        Seed of the principal components' sample and of the rows on which the recall is measured.
    device : str
        Where the product is made: ``"auto"`` takes a GPU for a large matrix, if there is one.

    Attributes
    ----------
    never_found : np.ndarray
        Rows of `matrix`, int64, that no search finds: not finite, or zero where the angle counts.
    measured_recall_ : float
        Share of the true 100 nearest that the search finds, over 20 rows of `matrix`; 1 if exact.

    Raises
    ------
    AnalysisError
        If the matrix is not two-dimensional or empty, or an option does not exist.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        metric: str = "cosine",
        n_components: int | None = None,
        method: str = "exact",
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        _check(matrix, metric, method)
        if n_components is not None:
            matrix = principal_axes(matrix, n_components, random_state).transform(matrix)
        self.metric = metric
        self.method = method
        self._matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        self._multiply = Products(self._matrix, partial(_product, self._matrix), device)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.einsum("ij,ij->i", self._matrix, self._matrix)
        self._near = Nearness(self._matrix, squares, metric)
        self.never_found = self._near.never_found
        self._axes: PrincipalAxes | None = None
        self.measured_recall_ = 1.0
        if method == "two-stage" and self._matrix.shape[1] > SCAN_COMPONENTS:
            self._axes = principal_axes(self._matrix, SCAN_COMPONENTS, random_state)
            self._reduced = self._axes.transform(self._matrix)
            self.measured_recall_ = self._measure_recall(random_state)

    def __len__(self) -> int:
        return len(self._matrix)

    @property
    def note(self) -> str:
        """What the user should know of where the search was made; else empty."""
        return self._multiply.note

    def query(
        self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray = (), k: int = 100
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Find the rows most like some and unlike others.

        Parameters
        ----------
        like : sequence of int
            Rows to resemble; at least one.
        unlike : sequence of int
            Rows to stay away from.
        k : int
            How many; fewer come back where there are not as many.

        Returns
        -------
        rows : np.ndarray
            Shape (k,), int64, best first, equal scores by row. Never one of the query.
        scores : np.ndarray
            Shape (k,), float32: cosine similarity, or minus the Euclidean distance.

        Raises
        ------
        AnalysisError
            If nothing is to be liked, a row is in both lists or outside the matrix or has no usable
            embedding, or the examples cancel each other.
        """
        like, unlike = self._near.examples(like, unlike)
        target = self._near.target(like, unlike)
        if self._axes is None:
            return self._best(self._keys(target), target, like, unlike, k)
        rows = self._candidates(self._scan(target), like, unlike, max(1000, 3 * k), 0.0)
        return self._near.ranked(rows, target, k)

    def query_all(
        self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray = (), k: int = 100
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Find the best rows and score every row in the same pass, always exactly.

        Returns
        -------
        rows, scores : np.ndarray
            Shape (k,), as from `query`.
        all_scores : np.ndarray
            Shape (N,), as from `scores`.

        Raises
        ------
        AnalysisError
            As for `query`.
        """
        like, unlike = self._near.examples(like, unlike)
        target = self._near.target(like, unlike)
        keys = self._keys(target)
        everywhere = self._near.as_scores(keys.copy(), target)
        return *self._best(keys, target, like, unlike, k), everywhere

    def query_any(
        self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray = (), k: int = 100
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Find the rows nearest to any one of several examples, instead of to their mean.

        Each example has a target of its own, turned away from the mean of `unlike` as in `query`; a row's
        score is that of its nearest target. For examples that differ among themselves: a mean of spirals
        and mergers looks like neither. Time grows with the number of examples, memory does not.

        Returns
        -------
        rows, scores, all_scores : np.ndarray
            As from `query_all`.

        Raises
        ------
        AnalysisError
            As for `query`.
        """
        like, unlike = self._near.examples(like, unlike)
        targets = np.stack([self._near.target(like[i : i + 1], unlike) for i in range(len(like))])
        keys = self._near.keys(self._products(targets)[0])
        everywhere = self._near.as_scores(keys.copy(), np.zeros(1))
        squares = np.einsum("ij,ij->i", targets, targets)
        tolerance = self._near.tolerance(targets[int(np.argmax(squares))])
        rows = self._candidates(keys, like, unlike, k, tolerance)
        nearest = targets[self._products(targets, rows)[1]]
        return *self._near.ranked(rows, nearest, k), everywhere

    def _products(self, targets: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return for each row its key with the nearest of the targets (E, D), not yet finished; and which."""
        n = len(self) if rows is None else len(rows)
        best, which = np.full(n, -np.inf, dtype=np.float32), np.zeros(n, dtype=np.int32)
        for start in range(0, n, ANY_ROWS):
            part = slice(start, start + ANY_ROWS)
            vectors = self._matrix[part if rows is None else rows[part]]
            for first in range(0, len(targets), ANY_EXAMPLES):
                some = targets[first : first + ANY_EXAMPLES]
                with np.errstate(invalid="ignore", over="ignore"):
                    keys = vectors @ self._near.factor(some).T
                    if self.metric == "euclidean":  # the targets differ in length, too
                        keys -= np.einsum("ij,ij->i", some, some)
                nearest = keys.argmax(axis=1)
                found = keys[np.arange(len(keys)), nearest]
                better = found > best[part]
                best[part][better], which[part][better] = found[better], first + nearest[better]
        return best, which

    def scores(self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray = ()) -> np.ndarray:
        """
        Score every row against a query, always exactly.

        Parameters
        ----------
        like, unlike : sequence of int
            As for `query`.

        Returns
        -------
        np.ndarray
            Shape (N,), float32; NaN for rows that can never be found.

        Raises
        ------
        AnalysisError
            As for `query`.
        """
        like, unlike = self._near.examples(like, unlike)
        target = self._near.target(like, unlike)
        return self._near.as_scores(self._keys(target), target)

    def _best(
        self, keys: np.ndarray, target: np.ndarray, like: np.ndarray, unlike: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = self._candidates(keys, like, unlike, k, self._near.tolerance(target))
        return self._near.ranked(rows, target, k)

    def _keys(self, target: np.ndarray) -> np.ndarray:
        """Larger is nearer: the cosine, or 2 x·t - |x|², shape (N,), float32."""
        with np.errstate(invalid="ignore", over="ignore"):
            return self._near.keys(self._multiply(self._near.factor(target)[:, None])[0])

    def _scan(self, target: np.ndarray) -> np.ndarray:
        """The same from principal components: x·t ≈ (V x)·(V t) + mean·t, with the true norms."""
        assert self._axes is not None
        target = self._near.factor(target)
        with np.errstate(invalid="ignore", over="ignore"):
            products = self._reduced @ (self._axes.axes @ target)
            products += np.dot(self._axes.mean, target)
            return self._near.keys(products)

    def _candidates(
        self, keys: np.ndarray, like: np.ndarray, unlike: np.ndarray, k: int, tolerance: float
    ) -> np.ndarray:
        keys[like] = keys[unlike] = -np.inf
        return best_rows(keys, k, tolerance)

    def _measure_recall(self, random_state: int, n_queries: int = 20, k: int = 100) -> float:
        usable = np.setdiff1d(np.arange(len(self)), self.never_found)
        n_queries = min(n_queries, len(usable))
        found = []
        for row in np.random.default_rng(random_state).choice(usable, n_queries, replace=False):
            query = np.array([row]), np.array([], dtype=np.int64)
            target = self._near.target(*query)
            exact = self._candidates(self._keys(target), *query, k, 0.0)
            if exact.size:
                found.append(np.isin(exact, self.query(*query, k=k)[0]).mean())
        return float(np.mean(found)) if found else 1.0


def _product(matrix: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Product with one vector (D, 1), at memory bandwidth: (1, N)."""
    return (matrix @ targets[:, 0])[None]


def _check(matrix: np.ndarray, metric: str, method: str) -> None:
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise AnalysisError(f"embeddings of shape {matrix.shape} cannot be searched; embed the images first")
    if metric not in METRICS:
        raise AnalysisError(f"there is no metric {metric!r}; choose one of {', '.join(METRICS)}")
    if method not in METHODS:
        raise AnalysisError(f"there is no search method {method!r}; choose one of {', '.join(METHODS)}")
