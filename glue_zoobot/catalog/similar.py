"""The question "what looks like these?" and its answer, as one state that windows follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties, delay_callback
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage

from glue_zoobot.catalog.columns import free_number, our_columns, provenance_of, write_columns
from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.catalog.drawn_over import DrawnOver
from glue_zoobot.catalog.groups import (
    active_subset_kept,
    best_ranked,
    find_result_group,
    is_best_ranked,
    show_best_ranked,
)
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.one_per_session import dataset_property, one_per_session
from glue_zoobot.catalog.question import MAX_RANK, Answer, Question, answer
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from astropy.table import Table
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

__all__ = ["GROUP_LABEL", "MAX_RANK", "RANK", "SCORE", "SimilarGalaxies", "similar_galaxies"]

GROUP_LABEL = "Similar galaxies"
SCORE, RANK = "similarity", "similarity_rank"
_OPTIONS = ("metric", "components", "cuts", "several")
_LONGEST_HISTORY = 100


class SimilarGalaxies(HasCallbackProperties, HubListener):
    """
    The present similarity question of a session; one per data collection, see `similar_galaxies`.

    The answer is two columns, ``similarity`` and ``similarity_rank``, and a group of our own that selects
    ranks 1 to `count`: it costs a few hundred bytes in a session, follows `count` without a new
    search, and opens in a glue without this package. The user's subsets are never touched.

    Attributes
    ----------
    question : Question or None
        What is shown now.
    rows : np.ndarray
        Shape (K,), int64: rows of the answer, best first, K up to 10,000 whatever `count` is.
    scores : np.ndarray
        Shape (K,), float32: their cosine similarity, or minus the Euclidean distance.
    note : str
        What the user should know of the last question, such as examples that were left out; else empty.
    history : list of Question
        What was asked, oldest first.
    place : int
        Of the present question in the history; its length if there is none now.
    pending : Question or None
        What a window is searching for; None once an answer is shown.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    data = dataset_property("The dataset that was asked about")
    like = CallbackProperty((), docstring="Rows of the examples, a tuple of int")
    unlike = CallbackProperty((), docstring="Rows that the answer should be unlike, a tuple of int")
    count = CallbackProperty(100, docstring="How many of the best are selected; 1 to 10,000")
    metric = CallbackProperty("cosine", docstring="cosine or euclidean")
    components = CallbackProperty(None, docstring="How many principal components are compared; None for all")
    cuts = CallbackProperty(Cuts(), docstring="Conditions on the columns of the answer")
    several = CallbackProperty(
        "mean", docstring="Of several examples, near their mean or near any: mean, any"
    )
    answered = CallbackProperty(0, docstring="Grows with every answer, and when there is none any more")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self.history: list[Question] = []
        self.place = 0
        self.question: Question | None = None
        self.pending: Question | None = None
        self._forget_answer()
        self.add_callback("count", self._on_count)
        for name in _OPTIONS:
            self.add_callback(name, self._on_option)
        self._drawn_over = DrawnOver(data_collection.hub, is_best_ranked, GROUP_LABEL.__eq__)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    @property
    def group(self) -> SubsetGroup | None:
        """The group that shows the answer; None before the first question, or if the user removed it."""
        ranks = [our_columns(data)[RANK] for data in self._datasets() if RANK in our_columns(data)]
        return find_result_group(self._collection, ranks, GROUP_LABEL)

    @property
    def hidden(self) -> bool:
        """Whether there is an answer, and no group that shows it: the user has changed or removed that."""
        return self.question is not None and self.group is None

    def show_hidden(self) -> None:
        """Show a hidden answer in a new group; the one that the user changed stays his."""
        if self.hidden:
            self._show_group(self.data)

    def ask(self, data: Data, like: Sequence[int], unlike: Sequence[int] = ()) -> Question:
        """
        Return a question with the present options; nothing is searched yet.

        Parameters
        ----------
        data : Data
        like, unlike : sequence of int
            Rows.
        """
        rows = [tuple(int(row) for row in given) for given in (like, unlike)]
        return Question(data, rows[0], rows[1], self.metric, self.components, self.cuts, self.several)

    def find(self, data: Data, like: Sequence[int], unlike: Sequence[int] = ()) -> SubsetGroup:
        """
        Ask for the galaxies most like some and unlike others, and select the best `count`.

        A window takes three steps instead: `ask`, `~glue_zoobot.catalog.question.answer` in a thread, `show`.

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
            As from `~glue_zoobot.catalog.question.answer`. Nothing has changed then.
        """
        return self.show(answer(self.ask(data, like, unlike)))

    def show(self, answer: Answer, place: int | None = None) -> SubsetGroup:
        """
        Show an answer: write its columns, and select the best `count`.

        Parameters
        ----------
        answer : Answer
        place : int, optional
            Place of its question in the history; None to add the question there.

        Returns
        -------
        SubsetGroup
            Ours, labelled "Similar galaxies".

        Raises
        ------
        AnalysisError
            If the dataset is not in this session.
        """
        question = answer.question
        if question.data not in self._collection:
            raise AnalysisError(f"{question.data.label} is not in this session; add it first")
        self._write(answer)
        self.rows, self.scores, self.note = answer.rows, answer.scores, answer.note
        group = self._show_group(question.data)
        self._remember(question, place)
        self._follow(question)
        return group

    def neighbour(self, step: int) -> tuple[Question, int] | None:
        """Return the question so many steps on in the history, and its place; None if there is none."""
        place = self.place + step
        return (self.history[place], place) if 0 <= place < len(self.history) else None

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
        if self.question is None or not self.rows.size:
            raise AnalysisError("there is no answer to keep; ask for similar galaxies first")
        kept = self.rows[: self.count]
        rank = np.full(self.data.size, np.nan, dtype=np.float32)
        rank[kept] = np.arange(1, len(kept) + 1)
        name = f"{RANK}_{free_number(self.data, RANK + '_{}', start=2)}"
        column = write_columns(self.data, {name: rank}, self.question.provenance())[name]
        label = label or f"Similar to {self.question.examples()}"
        with active_subset_kept(self.edit_subset_mode):
            return self._collection.new_subset_group(label, best_ranked(column, len(kept)))

    def clear(self) -> None:
        """Forget the question and remove its group; the columns keep the last answer."""
        group = self.group
        if group is not None:
            with active_subset_kept(self.edit_subset_mode):
                self._collection.remove_subset_group(group)
        self.place = min(self.place + 1, len(self.history))  # one step back brings it back
        self._forget_question()

    def sentence(self) -> str:
        """Say what is shown now, in one line for a status bar; empty without a question."""
        if self.question is None:
            return ""
        shown = min(self.count, len(self.rows))
        text = f"Showing the {counted(shown, 'galaxy')} most like {self.question.examples()}"
        if self.question.unlike:
            text += f", unlike {len(self.question.unlike):,}"
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
            meta={} if self.question is None else self.question.provenance(),
        )

    def take_up(self) -> None:
        """Take up the question of a restored session from its columns and its group, if there is one."""
        group = self.group
        if self.data is not None or group is None:
            return
        rank_id = group.subset_state.att
        data = next(data for data in self._datasets() if our_columns(data).get(RANK) is rank_id)
        rank, score = data[rank_id], data[our_columns(data).get(SCORE, rank_id)]
        question = Question.from_columns(data, rank, provenance_of(data, RANK))
        found = np.flatnonzero(rank > 0)
        self.count = round(group.subset_state.hi - 0.5)
        self.rows = found[np.argsort(rank[found])]
        self.scores = np.asarray(score[self.rows], dtype=np.float32)
        self._remember(question, None)
        self._follow(question)

    def _datasets(self) -> list[Data]:
        return [data for data in self._collection if hasattr(data, "meta")]

    def _write(self, answer: Answer) -> None:
        """Turn an answer into columns of the dataset; NaN where there is none."""
        question = answer.question
        rank = np.full(question.data.size, np.nan, dtype=np.float32)
        rank[list(question.like)] = 0
        rank[answer.rows] = np.arange(1, len(answer.rows) + 1)
        made = question.provenance() | ({"so_far": answer.so_far} if answer.so_far else {})
        write_columns(question.data, {SCORE: answer.everywhere, RANK: rank}, made)

    def _show_group(self, data: Data) -> SubsetGroup:
        rank = our_columns(data)[RANK]
        return show_best_ranked(
            self._collection, self.group, rank, self.count, GROUP_LABEL, self.edit_subset_mode
        )

    def _remember(self, question: Question, place: int | None) -> None:
        if place is None and question != self.question:
            earlier = self.history[: self.place + (self.question is not None)]
            self.history = [*earlier, question][-_LONGEST_HISTORY:]
            place = len(self.history) - 1
        self.place = self.place if place is None else place

    def _follow(self, question: Question | None) -> None:
        """Let everything that windows follow say the same, before they hear of any of it."""
        with delay_callback(self, *_OPTIONS, "data", "like", "unlike", "answered"):
            self.question, self.pending = question, None
            if question is None:
                self.data, self.like, self.unlike = None, (), ()
            else:
                self.data, self.like, self.unlike = question.data, question.like, question.unlike
                for name in _OPTIONS:
                    setattr(self, name, getattr(question, name))
            self.answered += 1

    def _on_count(self, count: int) -> None:
        if not 1 <= count <= MAX_RANK:
            self.count = min(max(int(count), 1), MAX_RANK)
        elif self.like:  # also after the user drew over the group, or deleted it
            self._show_group(self.data)

    def _on_option(self, _: Any) -> None:
        asked = self.question
        if asked is not None and any(getattr(self, name) != getattr(asked, name) for name in _OPTIONS):
            self.find(self.data, self.like, self.unlike)

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        before = self.history[: self.place]
        self.history = [question for question in self.history if question.data is not message.data]
        self.place = sum(question.data is not message.data for question in before)
        if message.data is self.data:
            self._forget_question()

    def _forget_answer(self) -> None:
        self.rows, self.scores = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        self.note = ""
        self.question = None

    def _forget_question(self) -> None:
        self._forget_answer()
        self._follow(None)


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
    return one_per_session(SimilarGalaxies, data_collection)
