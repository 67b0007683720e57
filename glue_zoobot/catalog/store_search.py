"""The search among all galaxies of a store, kept from one question to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.store_rows import RowsById
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.catalog.question import Question
    from glue_zoobot.embedding import EmbeddingStore

__all__ = ["find_in_store"]

Found = tuple[np.ndarray, np.ndarray]
_KEPT_SHARE = 0.25  # of the memory that is free: a larger store is read anew, or searched from the disk


def find_in_store(
    store: EmbeddingStore, question: Question, count: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """
    Answer a question from all of a store.

    Returns
    -------
    ids, scores : np.ndarray
        Shape (K,), best first.
    notes : list of str
        What to tell of how they were found.

    Raises
    ------
    AnalysisError
        An example has no embedding, or the files of a search from the disk cannot be written.
    """
    ids = object_ids_of(question.data)
    like, unlike = ([str(ids[row]) for row in rows] for rows in (question.like, question.unlike))
    notes = ["conditions on columns do not count there"] if question.cuts else []
    search = _search(store, question)
    names, scores = search.query(like, unlike, question.several == "any" and len(like) > 1, count)
    return names, scores, notes + search.notes(question)


class _InMemory:
    def __init__(self, store: EmbeddingStore, question: Question) -> None:
        from glue_zoobot.analysis import SimilaritySearch

        self._names, matrix = store.load()
        self._by_id = RowsById(self._names)
        self._search = SimilaritySearch(matrix, question.metric, question.components)

    def query(self, like: Sequence[str], unlike: Sequence[str], any_of: bool, count: int) -> Found:
        places = self._places(like), self._places(unlike)
        query = self._search.query_any if any_of else self._search.query
        rows, scores = query(*places, k=count)[:2]
        return self._names[rows], scores

    def _places(self, names: Sequence[str]) -> np.ndarray:
        rows = self._by_id.find(np.array(names))
        missing = [name for name, row in zip(names, rows, strict=True) if row < 0]
        if missing:
            raise AnalysisError(f"no embedding for {', '.join(missing[:5])}; take it off the examples")
        return rows

    def notes(self, question: Question) -> list[str]:
        return [self._search.note] if self._search.note else []


class _FromDisk:
    def __init__(self, store: EmbeddingStore, question: Question) -> None:
        from glue_zoobot.analysis.disk_search import packed_search

        self._packed = packed_search(store, question.metric)

    def query(self, like: Sequence[str], unlike: Sequence[str], any_of: bool, count: int) -> Found:
        away, asked = self._packed.rows_of(unlike), self._packed.rows_of(like)
        each = asked[:, None] if any_of else asked[None]
        rows, scores = _best(
            [self._packed.query(some, away, count + len(asked)) for some in each], asked, count
        )
        return self._packed.ids_of(rows), scores

    def notes(self, question: Question) -> list[str]:
        recall = self._packed.measured_recall_
        return [
            *(["compared by all numbers"] if question.components is not None else []),
            *([f"from the disk, {recall:.1%} of the nearest are found"] if recall < 1 else []),
            *([self._packed.note] if self._packed.note else []),
        ]


_KEPT: WeakKeyDictionary[Data, tuple[Any, _InMemory | _FromDisk]] = WeakKeyDictionary()


def _search(store: EmbeddingStore, question: Question) -> _InMemory | _FromDisk:
    """Return the search of the last question, if it was among the same embeddings in the same way."""
    from glue_zoobot.analysis.disk_search import fits_memory

    fits = fits_memory(store)
    key = (fits, store.path, store.plan.hash, store.mark(), question.metric, question.components)
    kept = _KEPT.pop(question.data, None)
    if kept is not None and kept[0] == key:
        found = kept[1]
    else:
        del kept  # before there is another one
        found = (_InMemory if fits else _FromDisk)(store, question)
    if not fits or fits_memory(store, _KEPT_SHARE):
        _KEPT[question.data] = (key, found)
    return found


def _best(answers: Sequence[Found], examples: np.ndarray, count: int) -> Found:
    """Join answers: each row once, with its best score, without the examples."""
    rows = np.concatenate([rows for rows, _ in answers])
    scores = np.concatenate([scores for _, scores in answers])
    order = np.lexsort((rows, -scores))
    order = order[~np.isin(rows[order], examples)]
    first = np.sort(np.unique(rows[order], return_index=True)[1])
    chosen = order[first][:count]
    return rows[chosen], scores[chosen]
