"""The question "what looks like these?" and its answer, as one state that windows follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties, delay_callback
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage

from glue_zoobot.catalog.columns import free_number, our_columns, provenance_of, write_columns
from glue_zoobot.catalog.embeddings import RowEmbeddings, embeddings_of, why_no_embeddings
from glue_zoobot.catalog.groups import active_subset_kept, best_ranked, find_result_group, show_best_ranked
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis import SimilaritySearch

__all__ = ["GROUP_LABEL", "MAX_RANK", "RANK", "SCORE", "SimilarGalaxies", "similar_galaxies"]

GROUP_LABEL = "Similar galaxies"
SCORE, RANK = "similarity", "similarity_rank"
MAX_RANK = 10_000
_NAMED = 5  # galaxies named in a message
_REMEMBERED = 100  # ids of a question kept with its columns


class SimilarGalaxies(HasCallbackProperties, HubListener):
    """
    The present similarity question of a session; one per data collection, see `similar_galaxies`.

    The answer is two columns, ``similarity`` and ``similarity_rank``, and a group of our own that selects
    ranks 1 to `count`: it costs a few hundred bytes in a session, follows `count` without a new
    search, and opens in a glue without this package. The user's subsets are never touched.

    Attributes
    ----------
    rows : np.ndarray
        Shape (K,), int64: rows of the answer, best first, K up to 10,000 whatever `count` is.
    scores : np.ndarray
        Shape (K,), float32: their cosine similarity, or minus the Euclidean distance.
    note : str
        What the user should know of the last question, such as examples that were left out; else empty.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    # Kept in the instance: echo keeps values in a table of the class, from which a dataset, through its
    # hub, would keep this state and so itself alive when the session is closed.
    data = CallbackProperty(
        docstring="The dataset that was asked about",
        getter=lambda state: state.__dict__.get("_data"),
        setter=lambda state, data: state.__dict__.update(_data=data),
    )
    like = CallbackProperty((), docstring="Rows of the examples, a tuple of int")
    unlike = CallbackProperty((), docstring="Rows that the answer should be unlike, a tuple of int")
    count = CallbackProperty(100, docstring="How many of the best are selected; 1 to 10,000")
    metric = CallbackProperty("cosine", docstring="cosine or euclidean")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self._forget_answer()
        self.add_callback("count", self._on_count)
        self.add_callback("metric", self._on_metric)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    @property
    def group(self) -> SubsetGroup | None:
        """The group that shows the answer; None before the first question, or if the user removed it."""
        ranks = [our_columns(data)[RANK] for data in self._datasets() if RANK in our_columns(data)]
        return find_result_group(self._collection, ranks, GROUP_LABEL)

    def find(self, data: Data, like: Sequence[int], unlike: Sequence[int] = ()) -> SubsetGroup:
        """
        Ask for the galaxies most like some and unlike others, and select the best `count`.

        Parameters
        ----------
        data : Data
            With embeddings.
        like, unlike : sequence of int
            Rows. Of several, those without an embedding are left out, and `note` says so.

        Returns
        -------
        SubsetGroup
            Ours, labelled "Similar galaxies".

        Raises
        ------
        AnalysisError
            If the dataset has no embeddings, no example has one, or they contradict each other. Nothing
            has changed then.
        """
        embeddings = embeddings_of(data)
        if embeddings is None:
            raise AnalysisError(why_no_embeddings(data))
        if data not in self._collection:
            raise AnalysisError(f"{data.label} is not in this session; add it first")
        search = embeddings.search(self.metric)
        like, unlike, note = _usable(data, embeddings, search, like, unlike)
        question = embeddings.positions[like], embeddings.positions[unlike]
        best, scores, everywhere = search.query_all(*question, k=MAX_RANK)
        self._write(data, embeddings, like, unlike, best, scores, everywhere)
        self.rows, self.scores, self.note = embeddings.rows[best], scores, note
        group = self._show(data)
        with delay_callback(self, "data", "like", "unlike"):
            self.data, self.like, self.unlike = data, tuple(like.tolist()), tuple(unlike.tolist())
        return group

    def keep(self, label: str | None = None) -> SubsetGroup:
        """
        Freeze the present answer into a new group that later questions do not change.

        It is a cut on a rank column of its own, such as ``similarity_rank_2``, not a list of rows: so it can
        still be sorted best first, is drawn as markers in large catalogues, combines with other subsets, and
        costs glue nothing when it asks for single rows. The price: 5 MB in the session per million rows.

        Parameters
        ----------
        label : str, optional
            Of the group; by default after the first example.

        Raises
        ------
        AnalysisError
            If there is no answer to keep.
        """
        if not self.rows.size:
            raise AnalysisError("there is no answer to keep; ask for similar galaxies first")
        kept = self.rows[: self.count]
        rank = np.full(self.data.size, np.nan, dtype=np.float32)
        rank[kept] = np.arange(1, len(kept) + 1)
        name = f"{RANK}_{free_number(self.data, RANK + '_{}', start=2)}"
        column = write_columns(self.data, {name: rank}, self._provenance(self.data, self.like, self.unlike))[
            name
        ]
        with active_subset_kept(self.edit_subset_mode):
            return self._collection.new_subset_group(
                label or f"Similar to {self._examples()}", best_ranked(column, len(kept))
            )

    def clear(self) -> None:
        """Forget the question and remove its group; the columns keep the last answer."""
        group = self.group
        if group is not None:
            with active_subset_kept(self.edit_subset_mode):
                self._collection.remove_subset_group(group)
        self._forget_question()

    def sentence(self) -> str:
        """Say what is shown now, in one line for a status bar; empty without a question."""
        if self.data is None or not self.like:
            return ""
        text = f"Showing the {min(self.count, len(self.rows)):,} galaxies most like {self._examples()}"
        return f"{text} ({self.note})" if self.note else text

    def table(self) -> Table:
        """
        Return the best `count` as a table, best first.

        Returns
        -------
        astropy.table.Table
            ``object_id`` str, ``rank`` int from 1, ``similarity`` float32.
        """
        from astropy.table import Table

        rows = self.rows[: self.count]
        ids = object_ids_of(self.data)[rows] if rows.size else np.empty(0)
        return Table(
            {
                "object_id": np.asarray(ids).astype(str),
                "rank": np.arange(1, len(rows) + 1),
                "similarity": self.scores[: self.count],
            },
            meta=self._provenance(self.data, self.like, self.unlike) if rows.size else {},
        )

    def _datasets(self) -> list[Data]:
        return [data for data in self._collection if hasattr(data, "meta")]

    def _write(
        self,
        data: Data,
        embeddings: RowEmbeddings,
        like: np.ndarray,
        unlike: np.ndarray,
        best: np.ndarray,
        scores: np.ndarray,
        everywhere: np.ndarray,
    ) -> None:
        """Turn an answer among embeddings into columns of the dataset; NaN where there is none."""
        score, rank = np.full((2, data.size), np.nan, dtype=np.float32)
        score[embeddings.rows] = everywhere
        score[embeddings.rows[best]] = scores
        rank[like] = 0
        rank[embeddings.rows[best]] = np.arange(1, len(best) + 1)
        write_columns(data, {SCORE: score, RANK: rank}, self._provenance(data, like, unlike))

    def _show(self, data: Data) -> SubsetGroup:
        rank = our_columns(data)[RANK]
        return show_best_ranked(
            self._collection, self.group, rank, self.count, GROUP_LABEL, self.edit_subset_mode
        )

    def _provenance(self, data: Data, like: Sequence[int], unlike: Sequence[int]) -> dict[str, Any]:
        ids, embeddings = object_ids_of(data), embeddings_of(data)
        return {
            "method": "similarity",
            "metric": self.metric,
            "encoder": None if embeddings is None else embeddings.encoder_name,
            "n_like": len(like),
            "like": [str(ids[row]) for row in like[:_REMEMBERED]],
            "unlike": [str(ids[row]) for row in unlike[:_REMEMBERED]],
        }

    def _examples(self) -> str:
        single = len(self.like) == 1
        return str(object_ids_of(self.data)[self.like[0]]) if single else f"{len(self.like):,} galaxies"

    def _on_count(self, count: int) -> None:
        if not 1 <= count <= MAX_RANK:
            self.count = min(max(int(count), 1), MAX_RANK)
        elif self.like and self.group is not None:
            self._show(self.data)

    def _on_metric(self, metric: str) -> None:
        if self.data is not None and self.like:
            self.find(self.data, self.like, self.unlike)

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if message.data is self.data:
            self._forget_question()

    def _forget_answer(self) -> None:
        self.rows, self.scores = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        self.note = ""

    def _forget_question(self) -> None:
        self._forget_answer()
        with delay_callback(self, "data", "like", "unlike"):
            self.data, self.like, self.unlike = None, (), ()

    def take_up(self) -> None:
        """Take up the question of a restored session from its columns and its group, if there is one."""
        group = self.group
        if self.data is not None or group is None:
            return
        rank_id = group.subset_state.att
        data = next(data for data in self._datasets() if our_columns(data).get(RANK) is rank_id)
        made = provenance_of(data, RANK)
        rank, score = data[rank_id], data[our_columns(data).get(SCORE, rank_id)]
        answer = np.flatnonzero(rank > 0)
        self.count, self.metric = round(group.subset_state.hi - 0.5), made.get("metric", "cosine")
        self.rows = answer[np.argsort(rank[answer])]
        self.scores = np.asarray(score[self.rows], dtype=np.float32)
        with delay_callback(self, "data", "like", "unlike"):
            self.data = data
            self.like = tuple(np.flatnonzero(rank == 0).tolist())
            self.unlike = _rows_of(data, made.get("unlike", []))


def similar_galaxies(data_collection: DataCollection) -> SimilarGalaxies:
    """
    Return the similarity question of a session, taken up from its columns if it was restored.

    Parameters
    ----------
    data_collection : DataCollection

    Returns
    -------
    SimilarGalaxies
        Always the same for the same data collection.
    """
    # Kept by the collection itself: a table of ours would keep closed sessions alive.
    if not hasattr(data_collection, "_zoobot_similar_galaxies"):
        data_collection._zoobot_similar_galaxies = SimilarGalaxies(data_collection)
    state = data_collection._zoobot_similar_galaxies
    state.take_up()
    return state


def _usable(
    data: Data,
    embeddings: RowEmbeddings,
    search: SimilaritySearch,
    like: Sequence[int],
    unlike: Sequence[int],
) -> tuple[np.ndarray, np.ndarray, str]:
    """Rows that have an embedding, and a note on those that have none."""
    given = [np.unique(np.asarray(rows, dtype=np.int64)) for rows in (like, unlike)]
    every = np.concatenate(given)
    outside = every[(every < 0) | (every >= data.size)]
    if outside.size:
        raise AnalysisError(f"row {outside[0]} was asked for, but {data.label} has {data.size:,} rows")
    both = np.intersect1d(*given)
    if both.size:
        raise AnalysisError(f"{_names(data, both)} is wanted both like and unlike; take it out of one list")
    fit = (embeddings.positions[every] >= 0) & ~np.isin(embeddings.positions[every], search.never_found)
    usable = [np.intersect1d(rows, every[fit]) for rows in given]
    if fit.all():
        return usable[0], usable[1], ""
    text = f"no embedding for {_names(data, every[~fit])}: image broken, not yet embedded, or id repeated"
    if not usable[0].size:
        raise AnalysisError(f"{text}; choose another galaxy")
    return usable[0], usable[1], f"{text}; left out"


def _rows_of(data: Data, object_ids: Sequence[str]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(np.isin(object_ids_of(data), object_ids)).tolist()) if object_ids else ()


def _names(data: Data, rows: np.ndarray) -> str:
    ids = ", ".join(str(object_ids_of(data)[row]) for row in rows[:_NAMED])
    return ids + (f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else "")
