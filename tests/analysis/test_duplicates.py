"""Galaxies that are in a catalogue more than once."""

from __future__ import annotations

import numpy as np
import pytest

from glue_zoobot.analysis.duplicates import KINDS, NONE, NOT_COMPARED, find_duplicates
from glue_zoobot.errors import AnalysisError

SAME, OVERLAPPING, PICTURES = KINDS
ARCSEC = 1 / 3600


def sky(n, random_state=1):
    """Places all over the sky, degrees apart."""
    rng = np.random.default_rng(random_state)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-0.9, 0.9, n)))


def embeddings(n, random_state=0):
    return np.random.default_rng(random_state).normal(size=(n, 32)).astype(np.float32)


def find(matrix, ra=None, dec=None, **options):
    return find_duplicates(len(matrix), np.arange(len(matrix)), matrix, ra, dec, **options)


def test_three_kinds_are_told_apart_by_the_sky():
    n = 300
    matrix, (ra, dec) = embeddings(n), sky(n)
    ra[1], dec[1] = ra[0], dec[0] + 0.5 * ARCSEC
    ra[3], dec[3] = ra[2], dec[2] + 12 * ARCSEC
    matrix[5] = matrix[4]
    matrix[1] = matrix[0]  # the same source has the same picture, too
    found = find(matrix, ra, dec, stamp=30)
    assert found.kinds[:6].tolist() == [SAME, SAME, OVERLAPPING, OVERLAPPING, PICTURES, PICTURES]
    assert set(found.kinds[6:]) == {NONE}
    assert found.groups[0] == found.groups[1]
    assert len(set(found.groups[[0, 2, 4]])) == 3
    assert np.isnan(found.groups[6:]).all()
    assert {kind: pairs.tolist() for kind, pairs in found.pairs.items()} == {
        SAME: [[0, 1]],
        OVERLAPPING: [[2, 3]],
        PICTURES: [[4, 5]],
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((359.9999, 10.0), (0.0001, 10.0)),
        ((-0.0001, 10.0), (359.9999, 10.0)),
        ((0.0, 89.99995), (180.0, 89.99995)),
        ((12.0, -90.0), (250.0, -90.0)),
    ],
)
def test_neither_0_h_nor_the_poles_part_a_source(first, second):
    ra, dec = np.array([first, second, (100.0, 0.0)]).T
    assert find(embeddings(3), ra, dec, radius=1).kinds.tolist() == [SAME, SAME, NONE]


def test_a_picture_stored_again_is_still_the_same_picture():
    matrix = embeddings(200)
    matrix[7] = matrix[3] + 0.003 * embeddings(200, 5)[0]
    found = find(matrix)
    assert np.flatnonzero(found.kinds == PICTURES).tolist() == [3, 7]


def test_every_copy_of_a_blank_picture_is_in_one_group():
    matrix = embeddings(2000)
    matrix[500:1500] = matrix[0]
    found = find(matrix)
    members = np.flatnonzero(found.kinds == PICTURES)
    assert members.tolist() == [0, *range(500, 1500)]
    assert len(set(found.groups[members])) == 1


def test_many_galaxies_at_one_place_do_not_make_it_slow():
    n = 5000
    ra, dec = np.zeros(n), np.zeros(n)
    found = find(embeddings(n), ra, dec)
    assert set(found.kinds) == {SAME}
    assert len(set(found.groups)) == 1


def test_rows_of_which_nothing_is_known_are_not_called_unique():
    ra, dec = np.array([10.0, np.nan, np.nan, 50.0]), np.array([0.0, 0.0, np.nan, 0.0])
    found = find_duplicates(4, np.array([0, 1]), embeddings(2), ra, dec)
    assert found.kinds.tolist() == [NONE, NONE, NOT_COMPARED, NONE]


def test_a_source_in_several_pieces_is_one_group():
    ra, dec = np.full(4, 30.0), 0.8 * ARCSEC * np.arange(4)
    found = find(embeddings(4), ra, dec, radius=1)
    assert set(found.kinds) == {SAME}
    assert len(set(found.groups)) == 1


def test_against_all_pairs():
    n = 400
    rng = np.random.default_rng(3)
    ra, dec = 150 + rng.uniform(0, 0.05, n), 60 + rng.uniform(0, 0.05, n)
    pairs = find(embeddings(n), ra, dec, radius=2, stamp=8).pairs
    lon, lat = np.radians(ra), np.radians(dec)
    cosine = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(
        lon[:, None] - lon
    )
    apart = np.degrees(np.arccos(np.clip(cosine, -1, 1))) * 3600
    i, j = np.triu_indices(n, 1)
    near = {(a, b): apart[a, b] for a, b in zip(i, j, strict=True) if apart[a, b] <= 8}
    assert {tuple(p) for p in pairs[SAME]} == {p for p, d in near.items() if d <= 2}
    assert {tuple(p) for p in pairs[OVERLAPPING]} == {p for p, d in near.items() if d > 2}


def test_bad_questions_say_so():
    with pytest.raises(AnalysisError, match="embed"):
        find_duplicates(5, np.empty(0, dtype=int), np.empty((0, 4), dtype=np.float32))
    with pytest.raises(AnalysisError, match="below zero"):
        find(embeddings(3), radius=-1)
