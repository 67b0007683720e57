"""One round of learning: from the ratings given so far to a ranking and to what is shown next."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue_zoobot.analysis import InterestModel
    from glue_zoobot.catalog.embeddings import RowEmbeddings

__all__ = ["MAX_RANK", "ROUND", "Question", "Ranker", "Ranking"]

ROUND = 10
"""Galaxies rated before the model learns again, as in Walmsley et al. (2022)."""

MAX_RANK = 10_000
SEED = 0


@dataclass(frozen=True)
class Question:
    """
    What is known when a round begins; plain arrays, so that any thread may answer it.

    Attributes
    ----------
    embeddings : RowEmbeddings
    given : dict of int to int
        All ratings, by row.
    rows, values : np.ndarray
        Shape (n,): rated rows that have an embedding, and their ratings, 0 to 5.
    hidden : np.ndarray
        Rows that were skipped, and so are not shown again.
    teach : bool
        Whether to show what the model is unsure of, instead of what it believes interesting.
    """

    embeddings: RowEmbeddings
    given: dict[int, int]
    rows: np.ndarray
    values: np.ndarray
    hidden: np.ndarray
    teach: bool = False


@dataclass(frozen=True)
class Ranking:
    """
    The answer to a `Question`.

    Attributes
    ----------
    question : Question
    show : np.ndarray
        Rows to show next: those of the round, then as many again for the time until the next answer.
    scores : np.ndarray or None
        Shape (N,), float32: expected rating of every row, NaN without an embedding; None before
        two ratings differ.
    ranks : np.ndarray or None
        Shape (N,), float32: 1 for the best row that is not rated, to 10,000; 0 for rows rated interesting;
        NaN for those rated dull and for the rest.
    """

    question: Question
    show: np.ndarray
    scores: np.ndarray | None = None
    ranks: np.ndarray | None = None

    @property
    def n_ranked(self) -> int:
        """Galaxies that have a rank."""
        return 0 if self.ranks is None else int(np.nanmax(self.ranks, initial=0))

    def best(self, n: int) -> list[int]:
        """Rows of the `n` best, best first."""
        if self.ranks is None:
            return []
        rows = np.flatnonzero((self.ranks >= 1) & (self.ranks <= n))
        return rows[np.argsort(self.ranks[rows])].tolist()

    def score(self, row: int) -> float:
        """Expected rating of a row; NaN where there is none."""
        return float("nan") if self.scores is None else float(self.scores[row])

    def told_of(self, row: int) -> dict[str, float]:
        """Rank and score of a row, whichever it has."""
        rank = np.nan if self.ranks is None else self.ranks[row]
        told: dict[str, float] = {"rank": int(rank)} if np.isfinite(rank) else {}
        return told | ({"score": round(self.score(row), 3)} if np.isfinite(self.score(row)) else {})


class Ranker:
    """Answers one question after the other; fitting again to the same embeddings costs one pass over them."""

    def __init__(self) -> None:
        self._model: InterestModel | None = None
        self._lock = threading.Lock()

    def answer(self, question: Question) -> Ranking:
        """
        Learn from the ratings and rank every galaxy; before two ratings differ, look all over the catalogue.

        Raises
        ------
        AnalysisError
            If there is nothing to rank.
        """
        if not len(question.embeddings):
            raise AnalysisError("there are no embeddings to rank yet; embed the images first")
        with self._lock:
            if len(np.unique(question.values)) < 2:  # equal ratings do not say what sets galaxies apart
                return Ranking(question, _spread_rows(question))
            return self._learn(question)

    def _learn(self, question: Question) -> Ranking:
        from glue_zoobot.analysis import InterestModel

        if self._model is None:
            self._model = InterestModel(random_state=SEED)
        model, embeddings = self._model, question.embeddings
        model.mode = "teach" if question.teach else "find"
        rated = embeddings.positions[question.rows]
        model.fit(embeddings.matrix, rated, question.values)
        hidden = _positions(embeddings, question.hidden)
        first = model.suggest(ROUND, exclude=hidden)
        then = model.suggest(ROUND, exclude=np.concatenate([hidden, first]))
        scores, ranks = np.full((2, len(embeddings.positions)), np.nan, dtype=np.float32)
        scores[embeddings.rows] = model.scores_
        ranks[embeddings.rows] = _ranks_of_unrated(model.ranks(), rated, question.values)
        return Ranking(question, embeddings.rows[np.concatenate([first, then])], scores, ranks)


def _spread_rows(question: Question) -> np.ndarray:
    """Rows spread over the catalogue, without those that were seen."""
    from glue_zoobot.analysis.interest import start

    embeddings = question.embeddings
    hidden = _positions(embeddings, np.concatenate([question.hidden, question.rows]))
    rows = start(embeddings.matrix, 2 * ROUND + len(hidden), random_state=SEED)
    return embeddings.rows[rows[~np.isin(rows, hidden)][: 2 * ROUND]]


def _positions(embeddings: RowEmbeddings, rows: np.ndarray) -> np.ndarray:
    places = embeddings.positions[rows]
    return places[places >= 0]


def _ranks_of_unrated(ranks: np.ndarray, rated: np.ndarray, values: np.ndarray) -> np.ndarray:
    """
    Close the ranks up where rated galaxies are taken out.

    What was found already needs no rank among the candidates: it gets 0, so that it leads a gallery, and what
    was rated dull gets none.
    """
    from glue_zoobot.analysis.labels import INTERESTING

    before = np.searchsorted(np.sort(ranks[rated]), ranks)
    closed = ranks - before.astype(np.float32)
    closed[closed > MAX_RANK] = np.nan
    closed[rated] = np.where(values >= INTERESTING, 0, np.nan)
    return closed
