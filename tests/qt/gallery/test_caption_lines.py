"""Names of columns where there is little room."""

from __future__ import annotations

import pytest

from glue_zoobot.qt.gallery.caption_lines import short_name


def short(label, room, *others):
    return short_name(label, others, lambda text: len(text) <= room)


@pytest.mark.parametrize(
    ("room", "expected"), [(20, "interest_rank"), (12, "interest…"), (8, "…rank"), (5, "…rank"), (4, "")]
)
def test_whole_words_first(room, expected):
    assert short("interest_rank", room) == expected


def test_what_tells_it_from_the_others_is_kept():
    assert short("similarity_rank", 12, "interest_rank") == "similarity…"
    assert short("similarity_rank", 8, "interest_rank") == "similar…"
    assert short("mag_auto_g", 7, "mag_auto_r") == "…auto_g"


def test_words_that_all_share_say_nothing():
    assert short("smooth_debiased", 10, "edge_on_debiased") == "smooth…"
    assert short("t01_smooth", 8, "t01_disk") == "…smooth"
