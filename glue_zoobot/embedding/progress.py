"""How far a run is, how fast, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """
    One report of a run.

    Attributes
    ----------
    done, total : int
        Galaxies, those finished by an earlier run included.
    broken : int
        How many of the done could not be read or embedded.
    rate : float or None
        Images per second over the recent past; None before it is known.
    seconds_left : float or None
        At that rate; None before it is known.
    """

    done: int
    total: int
    broken: int
    rate: float | None = None
    seconds_left: float | None = None


class Meter:
    """
    Turns counts into `Progress`, with the rate of the last ``window`` seconds.

    The recent rate, not the average, because a machine's speed changes while others use it.
    """

    def __init__(self, total: int, window: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self._window = window
        self._clock = clock
        self._history: deque[tuple[float, int]] = deque()

    def report(self, done: int, broken: int) -> Progress:
        """Progress at this moment."""
        now = self._clock()
        self._history.append((now, done))
        while len(self._history) > 2 and self._history[0][0] < now - self._window:
            self._history.popleft()
        then, before = self._history[0]
        if now <= then or done <= before:
            return Progress(done, self.total, broken)
        rate = (done - before) / (now - then)
        return Progress(done, self.total, broken, rate, (self.total - done) / rate)
