"""Galaxies to show one after the other, each with the reason why."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["Queue"]


class Queue:
    """Rows that wait to be looked at, the first of them now; each is in it once."""

    def __init__(self) -> None:
        self._why: dict[int, str] = {}

    def __bool__(self) -> bool:
        return bool(self._why)

    @property
    def rows(self) -> tuple[int, ...]:
        """What comes next, the present one first."""
        return tuple(self._why)

    @property
    def first(self) -> tuple[int | None, str]:
        """The present row and why it is shown; None and empty if there is none."""
        return next(iter(self._why.items()), (None, ""))

    def put_first(self, rows: Iterable[int], why: str) -> None:
        """Show rows before all others, also such as have waited for another reason."""
        first = {int(row): why for row in rows}
        self._why = first | {row: reason for row, reason in self._why.items() if row not in first}

    def put_last(self, rows: Iterable[int], why: str) -> None:
        """Show rows after all others; those that wait already keep place and reason."""
        self._why |= {int(row): why for row in rows if int(row) not in self._why}

    def drop(self, rows: Collection[int]) -> None:
        """Show rows no more."""
        self._why = {row: why for row, why in self._why.items() if row not in rows}

    def drop_all(self, reasons: Collection[str]) -> None:
        """Show nothing more that waits for one of these reasons."""
        self._why = {row: why for row, why in self._why.items() if why not in reasons}

    def clear(self) -> None:
        """Show nothing more."""
        self._why = {}
