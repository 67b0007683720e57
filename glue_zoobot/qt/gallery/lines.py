"""Galaxies broken into lines, group by group; arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["Lines"]


class Lines:
    """
    Where each position is in a grid of ``n_columns``, each group on lines of its own.

    Nothing here costs more with more galaxies, only with more groups.

    Parameters
    ----------
    sizes : sequence of int
        Galaxies in each group, each at least 1 unless there is a single group.
    n_columns : int
        Galaxies per line.
    headed : bool
        Whether a line with a header stands before each group.
    """

    def __init__(self, sizes: Sequence[int], n_columns: int, headed: bool = False) -> None:
        self.n_columns, self._head = n_columns, int(headed)
        self._sizes = np.asarray(sizes, dtype=np.int64)
        pictures = -(-self._sizes // n_columns)
        self._first_position = _starts(self._sizes)
        self._first_picture_line = _starts(pictures)
        self._first_line = _starts(pictures + self._head)

    @property
    def n_lines(self) -> int:
        """Lines with pictures, and headers."""
        return int(self._first_line[-1])

    @property
    def n_positions(self) -> int:
        """Galaxies."""
        return int(self._first_position[-1])

    @property
    def header_lines(self) -> list[int]:
        """Lines that are headers."""
        return self._first_line[:-1].tolist() if self._head else []

    def header(self, line: int) -> int:
        """Group of which a line is the header, -1 if it is none."""
        group = int(_place(self._first_line, line))
        return group if self._head and line == self._first_line[group] else -1

    def positions_of(self, group: int) -> range:
        """Positions of a group."""
        return range(int(self._first_position[group]), int(self._first_position[group + 1]))

    def group_of(self, position: int) -> int:
        """Group of a position."""
        return int(_place(self._first_position, position))

    def position(self, line: int | np.ndarray, column: int | np.ndarray) -> np.ndarray:
        """Position at a line and column, -1 where there is no galaxy; elementwise."""
        group = _place(self._first_line, line)
        place = (line - self._first_line[group] - self._head) * self.n_columns + column
        inside = (place >= 0) & (place < self._sizes[group])
        return np.where(inside, self._first_position[group] + place, -1)

    def cell(self, position: int) -> tuple[int, int]:
        """Line and column of a position."""
        group = self.group_of(position)
        line, column = divmod(int(position - self._first_position[group]), self.n_columns)
        return line + int(self._first_line[group]) + self._head, column

    def from_line(self, line: int) -> int:
        """First position that is not above a line."""
        if line >= self.n_lines:
            return self.n_positions
        group = _place(self._first_line, max(line, 0))
        place = max(line - self._first_line[group] - self._head, 0) * self.n_columns
        return int(self._first_position[group] + min(place, self._sizes[group]))

    def step(self, position: int, lines: int) -> int:
        """Position so many lines of pictures further down, in the same column as far as there is one."""
        line, column = self.cell(position)
        picture_line = line - self._head * (int(_place(self._first_line, line)) + 1) + lines
        if picture_line < 0:
            return 0
        if picture_line >= self._first_picture_line[-1]:
            return self.n_positions - 1
        group = _place(self._first_picture_line, picture_line)
        place = (picture_line - self._first_picture_line[group]) * self.n_columns + column
        return int(self._first_position[group] + min(place, self._sizes[group] - 1))


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)])


def _place(starts: np.ndarray, value: int | np.ndarray) -> np.ndarray:
    """Index of the part that holds a value; values past the end belong to the last part."""
    return np.clip(np.searchsorted(starts, value, side="right") - 1, 0, max(len(starts) - 2, 0))
