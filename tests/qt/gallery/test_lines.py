"""Galaxies broken into lines."""

from __future__ import annotations

import numpy as np
import pytest

from glue_zoobot.qt.gallery.lines import Lines


def test_without_groups_it_is_reading_order():
    lines = Lines([7], 3)
    assert lines.n_lines == 3
    grid = lines.position(np.arange(3)[:, None], np.arange(3)[None, :])
    assert grid.tolist() == [[0, 1, 2], [3, 4, 5], [6, -1, -1]]
    assert [lines.header(line) for line in range(3)] == [-1] * 3
    assert lines.header_lines == []


def test_each_group_has_lines_of_its_own_under_a_header():
    lines = Lines([4, 1], 3, headed=True)
    grid = lines.position(np.arange(5)[:, None], np.arange(3)[None, :])
    assert grid.tolist() == [[-1, -1, -1], [0, 1, 2], [3, -1, -1], [-1, -1, -1], [4, -1, -1]]
    assert lines.header_lines == [0, 3]
    assert [lines.header(line) for line in range(5)] == [0, -1, -1, 1, -1]
    assert list(lines.positions_of(1)) == [4]


@pytest.mark.parametrize("headed", [False, True])
@pytest.mark.parametrize("n_columns", [1, 3, 50])
def test_cells_and_positions_agree(headed, n_columns):
    lines = Lines([5, 1, 9] if headed else [15], n_columns, headed)
    for position in range(15):
        assert lines.position(*lines.cell(position)) == position
    starts = [lines.from_line(line) for line in range(lines.n_lines + 2)]
    assert starts == sorted(starts)
    assert (starts[0], starts[-1]) == (0, 15)


def test_up_and_down_skip_headers_and_keep_the_column():
    lines = Lines([4, 1, 5], 3, headed=True)  # 0 1 2 / 3 // 4 // 5 6 7 / 8 9
    assert lines.step(1, 1) == 3
    assert lines.step(3, 1) == 4
    assert lines.step(4, 1) == 5
    assert lines.step(7, -1) == 4
    assert lines.step(9, -3) == 3
    assert lines.step(0, -1) == 0
    assert lines.step(0, 99) == 9


def test_nothing_to_show():
    lines = Lines([0], 4)
    assert lines.n_lines == 0
    assert lines.from_line(0) == 0
