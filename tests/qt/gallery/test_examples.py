"""Examples and counter-examples, asked of real embeddings."""

from __future__ import annotations

import pytest

from glue_zoobot.qt.gallery.examples import ask, with_example
from tests.qt.conftest import *  # noqa: F403  the embedded survey
from tests.qt.conftest import wait_until


@pytest.mark.parametrize(
    ("like", "unlike", "rows", "wanted", "expected"),
    [
        ((), (), [3], True, ([3], [])),
        ((5, 1), (), [3], False, ([1, 5], [3])),
        ((1, 3), (2,), [3], False, ([1], [2, 3])),
        ((1,), (2, 4), [4, 2], True, ([1, 2, 4], [])),
    ],
)
def test_a_row_is_an_example_or_a_counter_example(like, unlike, rows, wanted, expected):
    assert with_example(like, unlike, rows, wanted) == expected


def test_asking_with_counter_examples(app, data, similar):
    told = []
    ask(app, data, [10], [12], told.append)
    wait_until(lambda: len(similar.rows))
    assert (similar.like, similar.unlike) == ((10,), (12,))
    assert 9 in similar.rows[:3]
    wait_until(lambda: told)
    ask(app, data, [10], [10], told.append)
    wait_until(lambda: len(told) > 1)
    assert "both like and unlike" in told[-1]
