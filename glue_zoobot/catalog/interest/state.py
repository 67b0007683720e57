"""Rating galaxies by interest, and the ranking that follows from it: one state that windows follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties
from glue.core.hub import HubListener
from glue.core.message import DataCollectionDeleteMessage

from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.catalog.columns import free_number, our_columns, write_columns
from glue_zoobot.catalog.drawn_over import DrawnOver
from glue_zoobot.catalog.embeddings import embeddings_of, why_no_embeddings
from glue_zoobot.catalog.groups import (
    active_subset_kept,
    best_ranked,
    find_result_group,
    is_best_ranked,
    show_best_ranked,
)
from glue_zoobot.catalog.interest.log import RowLog, explain_log, remember_log
from glue_zoobot.catalog.interest.progress import (
    Yield,
    audit_of,
    own_consistency,
    remaining_of,
    unrated_picks,
    write_audit,
    yield_of,
)
from glue_zoobot.catalog.interest.ranking import MAX_RANK, ROUND, Question, Ranker, Ranking
from glue_zoobot.catalog.record import record_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis.labels_exchange import Agreement
    from glue_zoobot.analysis.remaining import Audit, Remaining

__all__ = ["GROUP_LABEL", "MODES", "RANK", "RATING", "SCORE", "Interest", "interest_of"]

GROUP_LABEL = "Most interesting"
SCORE, RANK, RATING = "interest_score", "interest_rank", "interest_rating"
GROUP_COLOUR = "#e5812b"
MODES = ("find", "teach", "check")
AUDIT_PICKS = 60
REPEAT_EVERY = 15
_APART = 10  # galaxies looked at between a rating and its blind repeat
_SHARE_SHOWN = 1 / 30  # of the catalogue, so that the best of a small one stand out of it
_EXAMPLES = 5  # of a subset to start from


class Interest(HasCallbackProperties, HubListener):
    """
    What one person finds interesting in a catalogue; one per data collection, see `interest_of`.

    A rating is on disk before anything else happens. Learning is in two steps, so that a window can put the
    slow one into a thread: `question` (a few arrays), `ranker.answer` of it (any thread), `take` (columns
    and the next galaxies).

    The ranking is three columns: ``interest_score`` (the rating that is expected), ``interest_rank`` (1 for
    the best galaxy not rated yet; 0 for those rated 3 or more) and ``interest_rating``; and a group of our
    own that selects ranks 1 to `count`. The user's subsets are never touched.

    Attributes
    ----------
    log : RowLog or None
        The ratings on disk.
    ratings : dict of int to int
        Those that stand, by row.
    ranker : Ranker
    why : str
        Why `current` is shown: "suggested", "chosen", "again", "repeat" (blind) or "check".
    note : str
        What the user should know; else empty.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    # Kept in the instance, see SimilarGalaxies: echo's own table would keep a closed session alive.
    data = CallbackProperty(
        docstring="The catalogue that is being rated",
        getter=lambda state: state.__dict__.get("_data"),
        setter=lambda state, data: state.__dict__.update(_data=data),
    )
    current = CallbackProperty(None, docstring="Row of the galaxy to rate now; None if there is none yet")
    mode = CallbackProperty(
        "find", docstring="find: likely interesting; teach: undecided; check: random picks, to count the rest"
    )
    count = CallbackProperty(100, docstring="How many of the best are selected; 1 to 10,000")
    repeats = CallbackProperty(False, docstring="Whether one in 15 is a galaxy rated before, unannounced")
    changes = CallbackProperty(0, docstring="Grows whenever ratings or ranking have changed")

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
        columns = [our_columns(data) for data in self._collection if hasattr(data, "meta")]
        ranks = [known[RANK] for known in columns if RANK in known]
        return find_result_group(self._collection, ranks, GROUP_LABEL)

    @property
    def hidden(self) -> bool:
        """Whether there is a ranking, and no group that shows the best: the user changed or removed it."""
        return self._ranks is not None and self.group is None

    def show_hidden(self) -> None:
        """Show the hidden best in a new group; the one that the user changed stays his."""
        if self.hidden:
            self._show_group()

    @property
    def n_found(self) -> int:
        """Galaxies rated 3 or more."""
        return sum(value >= INTERESTING for value in self.ratings.values())

    @property
    def round(self) -> int:
        """Number of the present round, from 1; a round has ten ratings."""
        return len(self.ratings) // ROUND + 1

    @property
    def next_rows(self) -> tuple[int, ...]:
        """Rows that come next, the current one first."""
        return tuple(row for row, _ in self._queue)

    @property
    def n_unlearned(self) -> int:
        """Ratings that the ranking does not know yet, or knows differently."""
        learned = self._learned
        changed = sum(learned.get(row) != value for row, value in self.ratings.items())
        return changed + sum(row not in self.ratings for row in learned)

    @property
    def due(self) -> bool:
        """Whether to learn now: a round is over, nothing is left to show, or the first find is there."""
        first_find = 0 < self.n_found < len(self.ratings) and self._scores is None
        return not self._queue or self.n_unlearned >= ROUND or first_find

    def yielded(self) -> Yield:
        """Count found against looked at."""
        return yield_of([] if self.log is None else self.log.standing())

    def consistency(self) -> Agreement | None:
        """Compare the user's own blind repeats; None without a log."""
        return None if self.log is None else own_consistency(self.log)

    def remaining(self) -> Remaining | None:
        """Estimate how many interesting galaxies are left; None before random picks were checked."""
        return remaining_of(self.audit, self.ratings)

    @property
    def picks_left(self) -> int:
        """Random picks that are not looked at yet."""
        return sum(1 for _ in unrated_picks(self.audit, self._seen))

    def last_rated(self, n: int) -> list[tuple[int, int]]:
        """Rows and ratings of what was rated last, newest first."""
        newest = list(dict.fromkeys(reversed(self._sequence)))
        return [(row, self.ratings[row]) for row in newest if row in self.ratings][:n]

    @property
    def n_ranked(self) -> int:
        """Galaxies that have a rank."""
        return 0 if self._ranks is None else int(np.nanmax(self._ranks, initial=0))

    def best(self, n: int) -> list[int]:
        """Rows of the `n` best, best first; of the present session's ranking."""
        if self._ranks is None:
            return []
        rows = np.flatnonzero((self._ranks >= 1) & (self._ranks <= n))
        return rows[np.argsort(self._ranks[rows])].tolist()

    def score(self, row: int) -> float:
        """Expected rating of a row; NaN where there is none."""
        return float("nan") if self._scores is None else float(self._scores[row])

    @property
    def n_embedded(self) -> int:
        """Galaxies that can be ranked."""
        embeddings = None if self.data is None else embeddings_of(self.data)
        return 0 if embeddings is None else len(embeddings)

    @property
    def can_undo(self) -> bool:
        """Whether anything is recorded that could be taken back."""
        return bool(self._sequence)

    @property
    def can_check(self) -> bool:
        """Whether random picks can be drawn: there is a ranking."""
        return self._scores is not None

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
        self.audit: Audit | None = audit_of(data)
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
        embeddings = embeddings_of(data)
        if embeddings is None:
            raise AnalysisError(why_no_embeddings(data))
        rows = np.unique(np.asarray(like, dtype=np.int64))
        usable = rows[embeddings.positions[rows] >= 0]
        if rows.size and not usable.size:
            raise AnalysisError(f"none of the {rows.size:,} galaxies to start from has an embedding")
        if data is not self.data:
            self.open(data)
        self.mode = "find" if self.mode == "check" else self.mode
        chosen = usable[np.linspace(0, len(usable) - 1, min(_EXAMPLES, len(usable))).astype(np.int64)]
        self._queue = [(int(row), "chosen") for row in chosen]
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

    # -- rating --------------------------------------------------------------------------------------

    def rate(self, row: int | Sequence[int], value: int | None) -> None:
        """
        Rate a galaxy, or several alike; on disk before anything else changes.

        Parameters
        ----------
        row : int or sequence of int
        value : int or None
            0 (dull) to 5 (wonderful); None to skip.

        Raises
        ------
        AnalysisError
            If nothing is being rated, or it could not be written: then it does not count.
        """
        if self.log is None:
            raise AnalysisError("choose the catalogue to rate first")
        rows = [int(one) for one in np.atleast_1d(row)]
        is_current = rows == [self.current]
        self.log.add(rows, value, self._shown(rows[0], self.why if is_current else "chosen"))
        remember_log(self.data, self.log.path)
        self._read_ratings()
        self._queue = [(one, why) for one, why in self._queue if one not in rows]
        if is_current:
            self._add_repeat()
        self._show_next()

    def skip(self) -> None:
        """Pass over the current galaxy; it is not shown again."""
        if self.current is not None:
            self.rate(self.current, None)

    def undo(self) -> int:
        """
        Take back what was recorded last, and show that galaxy again.

        Returns
        -------
        int
            How many ratings were taken back: several if they were given at once.
        """
        taken = [] if self.log is None else self.log.take_back()
        if not taken:
            return 0
        self._read_ratings()
        rows = [self.log.row_of(entry) for entry in taken]
        self._queue = [(row, why) for row, why in self._queue if row not in rows]
        self._queue.insert(0, (rows[0], taken[0].shown.get("why", "again")))
        self._show_next()
        return len(taken)

    def show_again(self, row: int) -> None:
        """Show a galaxy now, whether or not it was rated; a new rating replaces the old one."""
        self._queue = [(row, "again"), *((one, why) for one, why in self._queue if one != row)]
        self._show_next()

    # -- learning ------------------------------------------------------------------------------------

    def question(self) -> Question:
        """
        Gather what the next round is learned from.

        Raises
        ------
        AnalysisError
            If there is no catalogue, or it has no embeddings (any more).
        """
        if self.data is None:
            raise AnalysisError("choose the catalogue to rate first")
        embeddings = embeddings_of(self.data)
        if embeddings is None:
            raise AnalysisError(why_no_embeddings(self.data))
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
        self._learned, self._scores, self._ranks = ranking.question.given, ranking.scores, ranking.ranks
        if ranking.scores is not None or RANK in our_columns(data):
            self._write(ranking)
        if self.mode != "check":
            kept = [item for item in self._queue if item[1] != "suggested" or item[0] == self.current]
            waiting = {row for row, _ in kept}
            fresh = [int(row) for row in ranking.show if row not in self._seen and row not in waiting]
            self._queue = kept + [(row, "suggested") for row in fresh]
        self._show_next()
        self.changes += 1

    def learn(self) -> None:
        """Learn and rank at once, as long as it takes."""
        self.take(self.ranker.answer(self.question()))

    def _write(self, ranking: Ranking) -> None:
        unknown = np.full(self.data.size, np.nan, dtype=np.float32)
        rating = unknown.copy()
        rating[list(self.ratings)] = list(self.ratings.values())
        score = unknown if ranking.scores is None else ranking.scores
        rank = unknown if ranking.ranks is None else ranking.ranks  # every rating was taken back
        columns = {SCORE: score, RANK: rank, RATING: rating}
        write_columns(self.data, columns, self._provenance())
        self._show_group()

    def _show_group(self) -> None:
        before, rank = self.group, our_columns(self.data)[RANK]
        group = show_best_ranked(
            self._collection, before, rank, self.count, GROUP_LABEL, self.edit_subset_mode
        )
        if before is None:
            group.style.color = GROUP_COLOUR

    def _provenance(self) -> dict[str, Any]:
        return {
            "method": "interest",
            "encoder": embeddings_of(self.data).encoder_name,
            "ratings": len(self._learned),
            "ratings_interesting": sum(value >= INTERESTING for value in self._learned.values()),
            "log": self.log.path.name,
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
        if self.data is None or RANK not in our_columns(self.data):
            raise AnalysisError("nothing is ranked yet; rate a few galaxies first")
        rank = np.array(self.data[our_columns(self.data)[RANK]])
        rank[~((rank >= 1) & (rank <= self.count))] = np.nan
        name = f"{RANK}_{free_number(self.data, RANK + '_{}', start=2)}"
        column = write_columns(self.data, {name: rank}, self._provenance())[name]
        kept = int(np.isfinite(rank).sum())
        with active_subset_kept(self.edit_subset_mode):
            return self._collection.new_subset_group(
                label or f"{kept:,} most interesting", best_ranked(column, kept)
            )

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
        if self._scores is None:
            raise AnalysisError("random picks are drawn from a ranking: rate a few galaxies first")
        if not self.picks_left:
            scores = self._scores.copy()
            scores[list(self._seen)] = np.nan  # skipped ones take no part either
            self.audit = write_audit(self.data, self.ratings, scores, AUDIT_PICKS)
        self._queue = [(row, "check") for row in unrated_picks(self.audit, self._seen)]
        self.mode = "check"
        self._show_next()

    def _on_mode(self, mode: str) -> None:
        if mode not in MODES:
            raise AnalysisError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
        if mode != "check":  # what was chosen for another purpose is not shown; the next answer fills up
            self._queue = [item for item in self._queue if item[1] in ("chosen", "again")]

    # -- bookkeeping -----------------------------------------------------------------------------------

    def _shown(self, row: int, why: str) -> dict[str, Any]:
        """What the user was shown, and why, for the log."""
        shown: dict[str, Any] = {"why": why, "round": self.round, "mode": self.mode}
        if self._ranks is not None and np.isfinite(self._ranks[row]):
            shown["rank"] = int(self._ranks[row])
        if self._scores is not None and np.isfinite(self._scores[row]):
            shown["score"] = round(float(self._scores[row]), 3)
        embeddings = embeddings_of(self.data)
        if embeddings is not None:
            shown["encoder"] = embeddings.encoder_name
        return shown

    def _read_ratings(self) -> None:
        entries = self.log.standing()
        self._sequence = [self.log.row_of(entry) for entry in entries]
        self._seen = dict.fromkeys(self._sequence)
        pairs = zip(self._sequence, entries, strict=True)
        self.ratings = {row: entry.value for row, entry in pairs if entry.value is not None}
        self.changes += 1

    def _add_repeat(self) -> None:
        """Once in a while let a galaxy come back that was rated some time ago."""
        if not self.repeats or self.mode == "check" or len(self._sequence) % REPEAT_EVERY:
            return
        recent = set(self._sequence[-_APART:])
        old = [row for row in self.ratings if row not in recent and self._sequence.count(row) == 1]
        if old:
            chosen = np.random.default_rng(len(self._sequence)).choice(old)
            self._queue.insert(0, (int(chosen), "repeat"))

    def _show_next(self) -> None:
        if not self._queue and self.mode == "check":
            self.mode = "find"
        row, self.why = self._queue[0] if self._queue else (None, "")
        self.current = row

    def _on_count(self, count: int) -> None:
        if not 1 <= count <= MAX_RANK:
            self.count = min(max(int(count), 1), MAX_RANK)
        elif self.group is not None and self.data is not None and RANK in our_columns(self.data):
            self._show_group()

    def _on_data_removed(self, message: DataCollectionDeleteMessage) -> None:
        if message.data is self.data:
            self._forget()
            self.current = self.data = None
            self.changes += 1

    def _forget(self) -> None:
        self.log: RowLog | None = None
        self.audit = None
        self.ratings: dict[int, int] = {}
        self._sequence: list[int] = []
        self._seen: dict[int, None] = {}
        self._learned: dict[int, int] = {}
        self._scores: np.ndarray | None = None
        self._ranks: np.ndarray | None = None
        self._queue: list[tuple[int, str]] = []
        self.why = self.note = ""


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
    # Kept by the collection itself: a table of ours would keep closed sessions alive.
    if not hasattr(data_collection, "_zoobot_interest"):
        data_collection._zoobot_interest = Interest(data_collection)
    state = data_collection._zoobot_interest
    state.take_up()
    return state
