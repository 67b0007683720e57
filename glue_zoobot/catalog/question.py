"""A similarity question and its answer: plain values, found without touching glue, in any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from glue_zoobot.analysis import SimilaritySearch
from glue_zoobot.analysis.selection import best_rows
from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.catalog.embeddings import RowEmbeddings, embeddings_of, why_no_embeddings
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.linked import linked_datasets, rows_in
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["MAX_RANK", "Answer", "Question", "answer"]

MAX_RANK = 10_000
_NAMED = 5  # galaxies named in a message
_REMEMBERED = 100  # ids of a question kept with its columns


@dataclass(frozen=True)
class Question:
    """
    Which galaxies look like some and unlike others.

    Parameters
    ----------
    data : Data
        With embeddings.
    like, unlike : tuple of int
        Rows, ascending.
    metric : {"cosine", "euclidean"}
    components : int, optional
        Compare by so many principal components of the embeddings instead of all their numbers.
    cuts : Cuts
        Which galaxies may be in the answer, by their columns.
    several : {"mean", "any"}
        Of several examples: the galaxies nearest to their mean, or nearest to any one of them.
    """

    data: Data
    like: tuple[int, ...]
    unlike: tuple[int, ...] = ()
    metric: str = "cosine"
    components: int | None = None
    cuts: Cuts = field(default_factory=Cuts)
    several: str = "mean"

    def with_examples(self, rows: Iterable[int], wanted: bool) -> Question:
        """Return the question with more examples, or counter-examples; a row is one or the other."""
        new = {int(row) for row in rows}
        like, unlike = set(self.like) - new, set(self.unlike) - new
        (like if wanted else unlike).update(new)
        return replace(self, like=tuple(sorted(like)), unlike=tuple(sorted(unlike)))

    def without_examples(self, rows: Iterable[int]) -> Question:
        """Return the question without some of its examples and counter-examples."""
        gone = set(rows)
        return replace(
            self,
            like=tuple(row for row in self.like if row not in gone),
            unlike=tuple(row for row in self.unlike if row not in gone),
        )

    def examples(self) -> str:
        """Name the examples in a few words."""
        if len(self.like) == 1:
            return str(object_ids_of(self.data)[self.like[0]])
        return f"{len(self.like):,} galaxies"

    def provenance(self) -> dict[str, Any]:
        """Say how the answer is made, in plain values."""
        ids, embeddings = object_ids_of(self.data), embeddings_of(self.data)
        return {
            "method": "similarity",
            "metric": self.metric,
            "components": self.components,
            "cuts": self.cuts.to_dict(),
            "several": self.several,
            "encoder": None if embeddings is None else embeddings.encoder_name,
            "n_like": len(self.like),
            "like": [str(ids[row]) for row in self.like[:_REMEMBERED]],
            "unlike": [str(ids[row]) for row in self.unlike[:_REMEMBERED]],
        }

    @classmethod
    def from_columns(cls, data: Data, rank: np.ndarray, made: Mapping[str, Any]) -> Question:
        """Read a question back from its rank column, shape (N,), and provenance."""
        named = made.get("unlike") or []
        unlike = np.flatnonzero(np.isin(object_ids_of(data), named)) if named else np.empty(0, dtype=np.int64)
        return cls(
            data,
            tuple(np.flatnonzero(rank == 0).tolist()),
            tuple(unlike.tolist()),
            made.get("metric", "cosine"),
            made.get("components"),
            Cuts.from_dict(made.get("cuts") or {}),
            made.get("several", "mean"),
        )


@dataclass(frozen=True)
class Answer:
    """
    What was found.

    Attributes
    ----------
    question : Question
        As it was answered: examples without an embedding are left out.
    rows, scores : np.ndarray
        Shape (K,): rows of the dataset, best first, K up to 10,000; and their cosine similarity, or minus
        the Euclidean distance, float32.
    everywhere : np.ndarray
        Shape (N,), float32: the score of every row; NaN where there is no embedding.
    note : str
        What the user should know, such as examples that were left out; else empty.
    so_far : str
        How many galaxies were searched of how many that will be; empty if all were.
    """

    question: Question
    rows: np.ndarray
    scores: np.ndarray
    everywhere: np.ndarray
    note: str = ""
    so_far: str = ""


def answer(question: Question) -> Answer:
    """
    Search; may take seconds for the first question to a large catalogue, so not for a GUI thread.

    If the dataset has no embeddings, but one that the user linked to it has, the answer is about that one:
    the same galaxies there are the examples.

    Raises
    ------
    AnalysisError
        If neither has embeddings, no example has one, they contradict each other, or a cut asks for what the
        examples do not have.
    """
    question, embeddings, elsewhere = _where_embedded(question)
    data = question.data
    search = _search(embeddings, question.metric, question.components)
    like, unlike, note = _usable(question, embeddings, search)
    question = replace(question, like=tuple(like.tolist()), unlike=tuple(unlike.tolist()))
    places = embeddings.positions[like], embeddings.positions[unlike]
    query = search.query_any if question.several == "any" and len(like) > 1 else search.query_all
    best, scores, found = query(*places, k=MAX_RANK)
    if question.cuts:
        allowed = question.cuts.allowed(data, like)[embeddings.rows]
        allowed[np.concatenate(places)] = False
        best = _best_of(found, allowed)
        scores = found[best]
    everywhere = np.full(data.size, np.nan, dtype=np.float32)
    everywhere[embeddings.rows] = found
    everywhere[embeddings.rows[best]] = scores
    so_far = embeddings.so_far()
    note = "; ".join(text for text in (elsewhere, note, search.note, so_far) if text)
    return Answer(question, embeddings.rows[best], scores, everywhere, note, so_far)


def _where_embedded(question: Question) -> tuple[Question, RowEmbeddings, str]:
    """Return a question about a dataset with embeddings, these, and what to say if it is another one."""
    data = question.data
    own = embeddings_of(data)
    if own is not None:
        return question, own, ""
    found = [(other, embeddings_of(other)) for other in linked_datasets(data)]
    linked = [(other, embeddings) for other, embeddings in found if embeddings is not None]
    for other, embeddings in linked:
        like, unlike = (
            rows_in(other, data, np.array(rows, dtype=np.int64)) for rows in (question.like, question.unlike)
        )
        if like.rows.size:
            galaxies = f"{len(like.rows):,} found for {len(question.like):,} by {like.how}"
            question = replace(
                question, data=other, like=tuple(like.rows.tolist()), unlike=tuple(unlike.rows.tolist())
            )
            return question, embeddings, f"examples of {data.label} in {other.label}: {galaxies}"
    reason = why_no_embeddings(data)
    if not linked:
        raise AnalysisError(f"{reason}; or link it to a catalogue that has them")
    names = " or ".join(other.label for other, _ in linked)
    raise AnalysisError(f"{reason}; and none of the examples is in {names}, which is linked to it")


def _best_of(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return the best of the allowed rows, best first, equal ones by row."""
    keys = np.where(allowed & np.isfinite(scores), scores, -np.inf).astype(np.float32)
    rows = best_rows(keys, MAX_RANK)
    return rows[np.argsort(-keys[rows], kind="stable")][:MAX_RANK]


_REDUCED: WeakKeyDictionary[RowEmbeddings, dict[tuple[str, int], SimilaritySearch]] = WeakKeyDictionary()
_REDUCING = threading.Lock()


def _search(embeddings: RowEmbeddings, metric: str, components: int | None) -> SimilaritySearch:
    if components is None or components >= embeddings.matrix.shape[1]:
        return embeddings.search(metric)
    with _REDUCING:
        known = _REDUCED.setdefault(embeddings, {})
        if (metric, components) not in known:
            known.clear()  # the last one only: each is a smaller copy of the matrix
            known[metric, components] = SimilaritySearch(embeddings.matrix, metric, components)
        return known[metric, components]


def _usable(
    question: Question, embeddings: RowEmbeddings, search: SimilaritySearch
) -> tuple[np.ndarray, np.ndarray, str]:
    """Rows that have an embedding, and a note on those that have none."""
    data = question.data
    like, unlike = (np.unique(np.asarray(rows, dtype=np.int64)) for rows in (question.like, question.unlike))
    every = np.concatenate([like, unlike])
    outside = every[(every < 0) | (every >= data.size)]
    if outside.size:
        raise AnalysisError(f"row {outside[0]} was asked for, but {data.label} has {data.size:,} rows")
    both = np.intersect1d(like, unlike)
    if both.size:
        raise AnalysisError(f"{_names(data, both)} is wanted both like and unlike; take it out of one list")
    fit = (embeddings.positions[every] >= 0) & ~np.isin(embeddings.positions[every], search.never_found)
    like, unlike = (np.intersect1d(rows, every[fit]) for rows in (like, unlike))
    if fit.all():
        return like, unlike, ""
    text = f"no embedding for {_names(data, every[~fit])}: image broken, not yet embedded, or id repeated"
    if not like.size:
        raise AnalysisError(f"{text}; choose another galaxy")
    return like, unlike, f"{text}; left out"


def _names(data: Data, rows: Sequence[int] | np.ndarray) -> str:
    ids = ", ".join(str(object_ids_of(data)[row]) for row in rows[:_NAMED])
    return ids + (f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else "")
