"""What was done last and how to take it back, in the order in which it was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Step", "Steps"]

_MOST = 200


@dataclass(frozen=True)
class Step:
    """
    One thing that was done.

    Attributes
    ----------
    text : str
        What, such as "12 labels from Rings".
    back : callable
        Takes it back; gives how many labels that were.
    of_labels : bool
        Whether it was the labelling of galaxies, which the key for the last label takes back.
    """

    text: str
    back: Callable[[], int]
    of_labels: bool = False


class Steps:
    """Things done since a target was opened, at most so many as anyone would take back."""

    def __init__(self) -> None:
        self._done: list[Step] = []

    @property
    def last(self) -> Step | None:
        """The last one."""
        return self._done[-1] if self._done else None

    def add(self, step: Step) -> None:
        """Something was done."""
        self._done = [*self._done, step][-_MOST:]

    def pop(self, of_labels: bool = False) -> Step | None:
        """Give up the last one, or the last that labelled galaxies."""
        place = next(
            (k for k in reversed(range(len(self._done))) if self._done[k].of_labels or not of_labels), None
        )
        return None if place is None else self._done.pop(place)

    def clear(self) -> None:
        """Forget all."""
        self._done = []
