"""Ratings on disk, and the galaxies that wait for one; without what follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty, HasCallbackProperties

from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.catalog.embeddings import embeddings_of
from glue_zoobot.catalog.interest.log import remember_log
from glue_zoobot.catalog.interest.progress import Yield, yield_of
from glue_zoobot.catalog.interest.ranking import ROUND
from glue_zoobot.catalog.one_per_session import dataset_property
from glue_zoobot.catalog.queue import Queue
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue_zoobot.analysis.labels_exchange import Agreement
    from glue_zoobot.catalog.interest.log import RowLog

__all__ = ["Rating"]

REPEAT_EVERY = 15
_APART = 10  # galaxies looked at between a rating and its blind repeat


class Rating(HasCallbackProperties):
    """
    Ratings by row, and a queue of galaxies to rate; a base of `Interest`.

    A rating is on disk before anything else happens.

    Attributes
    ----------
    log : RowLog or None
        The ratings on disk.
    ratings : dict of int to int
        Those that stand, by row.
    why : str
        Why `current` is shown: "suggested", "chosen", "again", "repeat" (blind) or "check".
    note : str
        What the user should know; else empty.
    """

    log: RowLog | None
    ratings: dict[int, int]
    why: str
    note: str
    _sequence: list[int]
    _seen: dict[int, None]
    _queue: Queue

    data = dataset_property("The catalogue that is being rated")
    current = CallbackProperty(None, docstring="Row of the galaxy to rate now; None if there is none yet")
    mode = CallbackProperty(
        "find", docstring="find: likely interesting; teach: undecided; check: random picks, to count the rest"
    )
    repeats = CallbackProperty(False, docstring="Whether one in 15 is a galaxy rated before, unannounced")
    changes = CallbackProperty(0, docstring="Grows whenever ratings or ranking have changed")

    # -- what is known -------------------------------------------------------------------------------

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
        return self._queue.rows

    @property
    def can_undo(self) -> bool:
        """Whether anything is recorded that could be taken back."""
        return bool(self._sequence)

    def last_rated(self, n: int) -> list[tuple[int, int]]:
        """Rows and ratings of what was rated last, newest first."""
        newest = list(dict.fromkeys(reversed(self._sequence)))
        return [(row, self.ratings[row]) for row in newest if row in self.ratings][:n]

    def yielded(self) -> Yield:
        """Count found against looked at."""
        return yield_of([] if self.log is None else self.log.standing())

    def consistency(self) -> Agreement | None:
        """Compare the user's own blind repeats; None without a log."""
        from glue_zoobot.analysis.labels_exchange import consistency

        log = self.log
        return None if log is None else consistency(log.standing(), log.log.who, blind=True)

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
        log = self._check_open()
        rows = [int(one) for one in np.atleast_1d(row)]
        is_current = rows == [self.current]
        log.add(rows, value, self._shown(rows[0], self.why if is_current else "chosen"))
        remember_log(self.data, log.path)
        self._read_ratings()
        self._queue.drop(rows)
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
        if self.log is None:
            return 0
        taken = self.log.take_back()
        if not taken:
            return 0
        self._read_ratings()
        rows = [self.log.row_of(entry) for entry in taken]
        self._queue.drop(rows)
        self._queue.put_first(rows[:1], taken[0].shown.get("why", "again"))
        self._show_next()
        return len(taken)

    def show_again(self, row: int) -> None:
        """Show a galaxy now, whether or not it was rated; a new rating replaces the old one."""
        self._queue.put_first([row], "again")
        self._show_next()

    # -- bookkeeping ---------------------------------------------------------------------------------

    def _check_open(self) -> RowLog:
        """Return the log; an error if nothing is being rated."""
        if self.log is None:
            raise AnalysisError("choose the catalogue to rate first")
        return self.log

    def _shown(self, row: int, why: str) -> dict[str, Any]:
        """What the user was shown, and why, for the log."""
        shown: dict[str, Any] = {"why": why, "round": self.round, "mode": self.mode}
        embeddings = embeddings_of(self.data)
        return shown if embeddings is None else shown | {"encoder": embeddings.encoder_name}

    def _read_ratings(self) -> None:
        log = self._check_open()
        entries = log.standing()
        self._sequence = [log.row_of(entry) for entry in entries]
        self._seen = dict.fromkeys(self._sequence)
        pairs = zip(self._sequence, entries, strict=True)
        self.ratings = {row: entry.value for row, entry in pairs if entry.value is not None}
        self.changes += 1

    def _add_repeat(self) -> None:
        """Once in a while let a galaxy come back that was rated some time ago."""
        if not self.repeats or self.mode == "check" or len(self._sequence) % REPEAT_EVERY:
            return
        recent, times = set(self._sequence[-_APART:]), Counter(self._sequence)
        old = [row for row in self.ratings if row not in recent and times[row] == 1]
        if old:
            self._queue.put_first([np.random.default_rng(len(self._sequence)).choice(old)], "repeat")

    def _show_next(self) -> None:
        if not self._queue and self.mode == "check":
            self.mode = "find"
        row, self.why = self._queue.first
        self.current = row

    def _forget(self) -> None:
        self.log = None
        self.ratings, self._sequence, self._seen = {}, [], {}
        self._queue = Queue()
        self.why = self.note = ""
