"""What users do today, to compare with: random order, an unsupervised score, Astronomaly's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glue_zoobot.analysis.anomaly import anomaly_scores, standardised_components
from glue_zoobot.analysis.interest import InterestModel
from glue_zoobot.analysis.labels import HIGHEST

__all__ = ["NeighbourScore", "RandomOrder", "UnsupervisedOrder"]

N_COMPONENTS = 40


class _Order:
    """Whatever ranks by `scores_` and shows its best galaxies that are not rated yet."""

    scores_: np.ndarray
    rated_: np.ndarray

    def suggest(self, n: int = 10, exclude: Sequence[int] = ()) -> np.ndarray:
        """Give the `n` best unrated rows."""
        keys = self.scores_.astype(np.float64)
        keys[self.rated_] = -np.inf
        keys[np.asarray(exclude, dtype=np.int64)] = -np.inf
        return np.argsort(-keys, kind="stable")[:n]


class RandomOrder:
    """
    Rate at random; the ranking at the end is that of logistic regression on those ratings.

    Parameters
    ----------
    random_state : int
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state
        self._model = InterestModel("logistic", random_state=random_state)

    def fit(self, matrix: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> RandomOrder:
        """Learn from ratings and score every row."""
        self.scores_, self.rated_ = self._model.fit(matrix, rows, ratings).scores_, rows
        return self

    def suggest(self, n: int = 10, exclude: Sequence[int] = ()) -> np.ndarray:
        """Give `n` random unrated rows."""
        order = np.random.default_rng(self.random_state).permutation(len(self.scores_))
        return order[~np.isin(order, np.concatenate([self.rated_, np.asarray(exclude, dtype=np.int64)]))][:n]


class UnsupervisedOrder(_Order):
    """
    Rate down the list of an anomaly score; ratings change nothing.

    Parameters
    ----------
    method : str
        Of `anomaly_scores`.
    random_state : int
    """

    def __init__(self, method: str = "isolation_forest", random_state: int = 0) -> None:
        self.method = method
        self.random_state = random_state

    def fit(self, matrix: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> UnsupervisedOrder:
        """Take note of what was rated."""
        if getattr(self, "_matrix", None) is not matrix:
            self._matrix = matrix
            self.scores_ = anomaly_scores(matrix, self.method, self.random_state)
        self.rated_ = rows
        return self


class NeighbourScore(_Order):
    r"""
    Astronomaly's active learning, written anew from its description.

    An isolation forest's score :math:`S`, scaled to 0 to 5, is damped where galaxies near by were rated dull:
    :math:`S \tanh(e^{\alpha d / \bar d} - 1 + \operatorname{artanh} u)` with the distance :math:`d` to the
    nearest rated galaxy and :math:`u = 0.1 + 0.85 r / 5`, where a random forest of 100 trees predicts the
    rating :math:`r`. On 40 standardised principal components; refitted each round.

    Parameters
    ----------
    random_state : int

    References
    ----------
    Lochner, M. & Bassett, B. A. 2021, Astronomy and Computing 36, 100481.
    """

    alpha = 1.0

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, matrix: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> NeighbourScore:
        """Learn from ratings and score every row."""
        from scipy.spatial import cKDTree
        from sklearn.ensemble import RandomForestRegressor

        if getattr(self, "_matrix", None) is not matrix:
            self._matrix = matrix
            self._components = standardised_components(matrix, N_COMPONENTS, self.random_state)
            strange = anomaly_scores(matrix, "isolation_forest", self.random_state)
            self._strange = HIGHEST * (strange - strange.min()) / np.ptp(strange)
        forest = RandomForestRegressor(n_estimators=100, random_state=self.random_state)
        predicted = forest.fit(self._components[rows], ratings).predict(self._components)
        distance = cKDTree(self._components[rows]).query(self._components)[0]
        trust = np.exp(self.alpha * distance / distance.mean()) - 1
        self.scores_ = self._strange * np.tanh(trust + np.arctanh(0.1 + 0.85 * predicted / HIGHEST))
        self.rated_ = rows
        return self
