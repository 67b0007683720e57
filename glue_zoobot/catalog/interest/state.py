"""Rating galaxies by interest, and the ranking that follows from it: one state that windows follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage

from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.drawn_over import DrawnOver
from glue_zoobot.catalog.embeddings import embeddings_of, require_embeddings
from glue_zoobot.catalog.groups import is_best_ranked
from glue_zoobot.catalog.interest.best import (
    GROUP_LABEL,
    RANK,
    best_group,
    keep_best,
    show_best,
    write_ranking,
)
from glue_zoobot.catalog.interest.log import RowLog, explain_log
from glue_zoobot.catalog.interest.progress import audit_of, remaining_of, unrated_picks, write_audit
from glue_zoobot.catalog.interest.ranking import MAX_RANK, ROUND, Question, Ranker, Ranking
from glue_zoobot.catalog.interest.rating import Rating
from glue_zoobot.catalog.one_per_session import one_per_session
from glue_zoobot.catalog.record import record_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis.remaining import Audit, Remaining

__all__ = ["MODES", "Interest", "interest_of"]

MODES = ("find", "teach", "check")
AUDIT_PICKS = 60
_SHARE_SHOWN = 1 / 30  # of the catalogue, so that the best of a small one stand out of it
_EXAMPLES = 5  # of a subset to start from


class Interest(Rating, HubListener):
    """
    What one person finds interesting in a catalogue; one per data collection, see `interest_of`.

    Galaxies are rated as in `Rating`. Learning is in two steps, so that a window can put the slow one into a
    thread: `question` (a few arrays), `ranker.answer` of it (any thread), `take` (columns and the next
    galaxies).

    The ranking is three columns: ``interest_score`` (the rating that is expected), ``interest_rank`` (1 for
    the best galaxy not rated yet; 0 for those rated 3 or more) and ``interest_rating``; and a group of our
    own that selects ranks 1 to `count`. The user's subsets are never touched.

    Attributes
    ----------
    ranker : Ranker
    audit : Audit or None
        The random picks by which `remaining` is estimated.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    audit: Audit | None
    _ranking: Ranking | None

    count = CallbackProperty(100, docstring="How many of the best are selected; 1 to 10,000")

    def __init__(self, data_collection: DataCollection) -> None:
        super().__init__()
        self._collection = data_collection
        self.edit_subset_mode: EditSubsetMode | None = None
        self.ranker = Ranker()
        self._forget()
        self.add_callback("count", self._on_count)
        self.add_callback("mode", self._on_mode)
        self._drawn_over = DrawnOver(data_collection.hub, is_best_ranked, GROUP_LABEL.__eq__)
        data_collection.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_data_removed)

    # -- what is known -------------------------------------------------------------------------------

    @property
    def group(self) -> SubsetGroup | None:
        """The group that shows the best; None before the first ranking, or if the user removed it."""
        return best_group(self._collection)

    @property
    def hidden(self) -> bool:
        """Whether there is a ranking, and no group that shows the best: the user changed or removed it."""
        return self._ranking is not None and self._ranking.ranks is not None and self.group is None

    def show_hidden(self) -> None:
        """Show the hidden best in a new group; the one that the user changed stays his."""
        if self.hidden:
            self._show_best()

    @property
    def n_unlearned(self) -> int:
        """Ratings that the ranking does not know yet, or knows differently."""
        learned = {} if self._ranking is None else self._ranking.question.given
        changed = sum(learned.get(row) != value for row, value in self.ratings.items())
        return changed + sum(row not in self.ratings for row in learned)

    @property
    def due(self) -> bool:
        """Whether to learn now: a round is over, nothing is left to show, or the first find is there."""
        first_find = 0 < self.n_found < len(self.ratings) and not self.can_check
        return not self._queue or self.n_unlearned >= ROUND or first_find

    def remaining(self) -> Remaining | None:
        """Estimate how many interesting galaxies are left; None before random picks were checked."""
        return remaining_of(self.audit, self.ratings)

    @property
    def picks_left(self) -> int:
        """Random picks that are not looked at yet."""
        return sum(1 for _ in unrated_picks(self.audit, self._seen))

    @property
    def n_ranked(self) -> int:
        """Galaxies that have a rank."""
        return 0 if self._ranking is None else self._ranking.n_ranked

    def best(self, n: int) -> list[int]:
        """Rows of the `n` best, best first; of the present session's ranking."""
        return [] if self._ranking is None else self._ranking.best(n)

    def score(self, row: int) -> float:
        """Expected rating of a row; NaN where there is none."""
        return float("nan") if self._ranking is None else self._ranking.score(row)

    @property
    def n_embedded(self) -> int:
        """Galaxies that can be ranked."""
        embeddings = None if self.data is None else embeddings_of(self.data)
        return 0 if embeddings is None else len(embeddings)

    @property
    def can_check(self) -> bool:
        """Whether random picks can be drawn: there is a ranking."""
        return self._scores is not None

    @property
    def _scores(self) -> np.ndarray | None:
        return None if self._ranking is None else self._ranking.scores

    # -- beginning -----------------------------------------------------------------------------------

    def open(self, data: Data, path: str | Path | None = None) -> None:
        """
        Take up a catalogue and its ratings, of earlier sessions too. Nothing is shown yet: see `begin`.

        Parameters
        ----------
        data : Data
        path : path, optional
            The log; by default the one that the dataset remembers, or one beside its embeddings.

        Raises
        ------
        AnalysisError
            If the dataset is not in this session or the file is no log: then nothing has changed.
        """
        if data not in self._collection:
            raise AnalysisError(f"{data.label} is not in this session; add it first")
        log = RowLog(data, path)
        self._forget()
        self.log, self.note = log, explain_log(log)
        self.audit = audit_of(data)
        self.data, self.mode, self.current = data, "find", None
        if self.group is None:
            self.count = min(self.count, max(10, round(data.size * _SHARE_SHOWN)))
        self._read_ratings()

    def begin(self, data: Data, like: Sequence[int] = ()) -> None:
        """
        Start, or go on, rating a catalogue.

        Parameters
        ----------
        data : Data
            With embeddings.
        like : sequence of int
            Rows to look at first: a galaxy or subset of the user's. Of many, five spread over them.

        Raises
        ------
        AnalysisError
            If there are no embeddings, or none of `like` has one. Nothing has changed then.
        """
        embeddings = require_embeddings(data)
        rows = np.unique(np.asarray(like, dtype=np.int64))
        usable = rows[embeddings.positions[rows] >= 0]
        if rows.size and not usable.size:
            raise AnalysisError(f"none of the {rows.size:,} galaxies to start from has an embedding")
        if data is not self.data:
            self.open(data)
        self.mode = "find" if self.mode == "check" else self.mode
        chosen = usable[np.linspace(0, len(usable) - 1, min(_EXAMPLES, len(usable))).astype(np.int64)]
        self._queue.clear()
        self._queue.put_last(chosen, "chosen")
        self._show_next()

    def take_up(self) -> None:
        """Take up the ratings of a restored session, if there are any."""
        if self.data is not None:
            return
        for data in self._collection:
            if hasattr(data, "meta") and record_of(data).get("ratings"):
                group = self.group
                if group is not None:
                    self.count = round(group.subset_state.hi - 0.5)
                try:
                    self.open(data)
                except AnalysisError as error:
                    self.note = str(error)
                return

    # -- learning ------------------------------------------------------------------------------------

    def question(self) -> Question:
        """
        Gather what the next round is learned from.

        Raises
        ------
        AnalysisError
            If there is no catalogue, or it has no embeddings (any more).
        """
        self._check_open()
        embeddings = require_embeddings(self.data)
        rows = np.array(list(self.ratings), dtype=np.int64)
        values = np.array(list(self.ratings.values()), dtype=np.float64)
        places = embeddings.positions[rows]
        usable = places >= 0
        usable[usable] = np.isfinite(embeddings.matrix[places[usable]]).all(axis=1)
        hidden = np.array([row for row in self._seen if row not in self.ratings], dtype=np.int64)
        given = dict(self.ratings)
        return Question(embeddings, given, rows[usable], values[usable], hidden, self.mode == "teach")

    def take(self, ranking: Ranking) -> None:
        """Write a ranking to columns and group, and show what it suggests, unless it came too late."""
        data = self.data
        if data is None or embeddings_of(data) is not ranking.question.embeddings:
            return
        self._ranking = ranking
        if ranking.scores is not None or RANK in our_columns(data):
            write_ranking(data, ranking, self.ratings, self._provenance(ranking))
            self._show_best()
        if self.mode != "check":
            self._suggest(row for row in ranking.show.tolist() if row not in self._seen)
        self._show_next()
        self.changes += 1

    def learn(self) -> None:
        """Learn and rank at once, as long as it takes."""
        self.take(self.ranker.answer(self.question()))

    def _suggest(self, rows: Iterable[int]) -> None:
        """Show these instead of what was suggested before, but leave the galaxy that is being looked at."""
        present, why = self._queue.first
        self._queue.drop_all(["suggested"])
        if present is not None and why == "suggested":
            self._queue.put_first([present], why)
        self._queue.put_last(rows, "suggested")

    def _provenance(self, ranking: Ranking) -> dict[str, Any]:
        learned = ranking.question.given
        return {
            "method": "interest",
            "encoder": ranking.question.embeddings.encoder_name,
            "ratings": len(learned),
            "ratings_interesting": sum(value >= INTERESTING for value in learned.values()),
            "log": self._check_open().path.name,
            "random_state": 0,
        }

    def keep(self, label: str | None = None) -> SubsetGroup:
        """
        Freeze the present best into a new group that later ratings do not change.

        Raises
        ------
        AnalysisError
            If nothing is ranked yet.
        """
        return keep_best(self._collection, self.data, self.count, label, self.edit_subset_mode)

    def _show_best(self) -> None:
        show_best(self._collection, self.data, self.count, self.edit_subset_mode)

    # -- checking how many are left -------------------------------------------------------------------

    def check(self) -> None:
        """
        Show random picks from all over the ranking, to learn how many interesting galaxies are left.

        Picks of an earlier check that nobody has looked at come first; without any, new ones are drawn.

        Raises
        ------
        AnalysisError
            If nothing is ranked yet, or hardly anything is left to draw from.
        """
        scores = self._scores
        if scores is None:
            raise AnalysisError("random picks are drawn from a ranking: rate a few galaxies first")
        if not self.picks_left:
            scores = scores.copy()
            scores[list(self._seen)] = np.nan  # skipped ones take no part either
            self.audit = write_audit(self.data, self.ratings, scores, AUDIT_PICKS)
        self._queue.clear()
        self._queue.put_last(unrated_picks(self.audit, self._seen), "check")
        self.mode = "check"
        self._show_next()

    def _on_mode(self, mode: str) -> None:
        if mode not in MODES:
            raise AnalysisError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
        if mode != "check":  # what was chosen for another purpose is not shown; the next answer fills up
            self._queue.drop_all(["suggested", "repeat", "check"])

    # -- bookkeeping -----------------------------------------------------------------------------------

    def _shown(self, row: int, why: str) -> dict[str, Any]:
        told = {} if self._ranking is None else self._ranking.told_of(row)
        return super()._shown(row, why) | told

    def _on_count(self, count: int) -> None:
        if not 1 <= count <= MAX_RANK:
            self.count = min(max(int(count), 1), MAX_RANK)
        elif self.group is not None and self.data is not None and RANK in our_columns(self.data):
            self._show_best()

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if message.data is self.data:
            self._forget()
            self.current = self.data = None
            self.changes += 1

    def _forget(self) -> None:
        super()._forget()
        self.audit = self._ranking = None


def interest_of(data_collection: DataCollection) -> Interest:
    """
    Return what is being rated in a session, taken up from its log if the session was restored.

    Parameters
    ----------
    data_collection : DataCollection

    Returns
    -------
    Interest
        Always the same for the same data collection.
    """
    return one_per_session(Interest, data_collection)
