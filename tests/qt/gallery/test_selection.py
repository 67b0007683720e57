"""What a gesture selects, without any window."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data

from glue_zoobot.qt.gallery.selection import GallerySelection, subset_state_of


@pytest.fixture
def selection():
    """Six galaxies shown in the order 5 4 3 2 1 0."""
    selection = GallerySelection()
    selection.reset(6)
    selection.set_rows(np.arange(6)[::-1])
    return selection


def test_click_and_toggle(selection):
    selection.only(0)
    assert selection.selected_rows.tolist() == [5]
    selection.toggle(2)
    assert selection.selected_rows.tolist() == [3, 5]
    selection.toggle(0)
    assert selection.selected_rows.tolist() == [3]
    selection.only(1)
    assert selection.selected_rows.tolist() == [4]


def test_extend_runs_along_the_order_shown(selection):
    selection.only(1)
    selection.extend(3)
    assert selection.selected_rows.tolist() == [2, 3, 4]
    selection.extend(0)  # from the same start
    assert selection.selected_rows.tolist() == [4, 5]


def test_extend_can_keep(selection):
    selection.only(5)
    selection.toggle(0)
    selection.extend(1, keep=True)
    assert selection.selected_rows.tolist() == [0, 4, 5]


def test_band_is_one_gesture(selection):
    selection.only(0)
    selection.begin()
    selection.band(np.array([1]))
    selection.band(np.array([1, 2]))
    assert selection.selected_rows.tolist() == [3, 4]
    assert np.flatnonzero(selection.before).tolist() == [5]


def test_band_with_a_base_toggles(selection):
    selection.only(0)
    base = selection.mask
    selection.band(np.array([0, 1]), base)
    assert selection.selected_rows.tolist() == [4]


def test_selection_and_keyboard_follow_the_galaxies_when_reordered(selection):
    selection.only(0)
    selection.set_rows(np.arange(6))
    assert selection.selected_rows.tolist() == [5]
    assert selection.current == 5
    selection.set_rows(np.arange(3))
    assert selection.selected_rows.tolist() == [5]
    assert selection.current == -1


def test_all_means_all_that_is_shown(selection):
    selection.set_rows(np.array([4, 2]))
    selection.all()
    assert selection.selected_rows.tolist() == [2, 4]


def test_subset_state_is_frozen(selection):
    data = Data(x=np.arange(6.0))
    selection.only(0)
    state = subset_state_of(data, selection.mask)
    selection.mask[:] = False
    assert data.get_mask(state).tolist() == [False] * 5 + [True]
