"""Exact search: what a user relies on when told "these are the most similar"."""

import numpy as np
import pytest

from glue_zoobot.analysis import SimilaritySearch
from glue_zoobot.errors import AnalysisError


@pytest.fixture
def clustered():
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((30, 160), dtype=np.float32) * 3
    return (centres[rng.integers(30, size=6000)] + rng.standard_normal((6000, 160))).astype(np.float32)


def brute_force(matrix, row, k, metric):
    matrix = matrix.astype(np.float64)
    if metric == "cosine":
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        score = unit @ unit[row]
    else:
        score = -np.linalg.norm(matrix - matrix[row], axis=1)
    score[row] = -np.inf
    order = np.argsort(-score, kind="stable")[:k]
    return order, score[order]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 10, 700])
def test_finds_what_brute_force_finds(clustered, metric, k):
    rows, scores = SimilaritySearch(clustered, metric).query([17], k=k)
    expected, expected_scores = brute_force(clustered, 17, k, metric)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert set(rows) == set(expected)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-5)
    assert (np.diff(scores) <= 0).all()
    assert 17 not in rows


def test_scores_of_all_agree_with_the_query(clustered):
    for metric in ("cosine", "euclidean"):
        search = SimilaritySearch(clustered, metric)
        rows, scores = search.query([4, 9], [100], k=50)
        np.testing.assert_allclose(search.scores([4, 9], [100])[rows], scores, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("width", [3, 7, 33, 640])
def test_equal_embeddings_come_in_row_order(metric, width):
    rng = np.random.default_rng(0)
    distinct = rng.standard_normal((5, width), dtype=np.float32)
    matrix = distinct[np.arange(4000) % 5]
    rows, scores = SimilaritySearch(matrix, metric).query([0], k=1000)
    np.testing.assert_array_equal(rows[:799], np.arange(5, 4000, 5))
    assert len(set(scores[:799])) == 1
    for block in np.split(rows, np.flatnonzero(np.diff(scores)) + 1):
        assert (np.diff(block) > 0).all()


def test_near_duplicates_far_from_the_origin_are_told_apart():
    matrix = np.full((500, 64), 1000, dtype=np.float32)
    matrix[:, 0] += np.arange(500) * 0.01
    rows, scores = SimilaritySearch(matrix, "euclidean").query([250], k=4)
    assert set(rows) == {249, 251, 248, 252}
    np.testing.assert_allclose(scores, [-0.01, -0.01, -0.02, -0.02], rtol=0.02)


def test_more_than_there_are_gives_all_others():
    matrix = np.random.default_rng(0).standard_normal((10, 4)).astype(np.float32)
    rows, _ = SimilaritySearch(matrix).query([3], k=100)
    assert sorted(rows) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert SimilaritySearch(matrix[:1]).query([0])[0].size == 0


@pytest.mark.parametrize("method", ["exact", "two-stage"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_broken_embeddings_are_never_found(clustered, metric, method):
    clustered[[5, 50]] = np.nan
    clustered[77, 3] = np.inf
    clustered[99] = 0
    search = SimilaritySearch(clustered, metric, method=method)
    rows, scores = search.query([0], k=6000)
    assert not {5, 50, 77} & set(rows)
    assert (99 in rows) == (metric == "euclidean" and len(rows) == 5996)
    assert np.isfinite(scores).all()
    assert np.isnan(search.scores([0])[[5, 50, 77]]).all()
    with pytest.raises(AnalysisError, match="row 50"):
        search.query([0, 50])


def test_several_examples_lie_between_them():
    angles = np.radians(np.arange(0, 91, 10))
    matrix = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    rows, _ = SimilaritySearch(matrix).query([0, 8], k=1)
    assert rows.tolist() == [4]
    rows, _ = SimilaritySearch(matrix, "euclidean").query([2, 4], k=1)
    assert rows.tolist() == [3]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_unlike_examples_push_the_answer_away(metric):
    angles = np.radians(np.arange(0, 91, 10))
    matrix = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    search = SimilaritySearch(matrix, metric)
    away, _ = search.query([5], unlike=[8], k=1)
    assert away[0] < 5
    assert search.query([5], unlike=[2], k=1)[0][0] > 5
    assert 8 not in search.query([5], unlike=[8])[0]


def test_euclidean_answer_does_not_depend_on_the_origin(clustered):
    here, _ = SimilaritySearch(clustered, "euclidean").query([1, 2], [3], k=20)
    there, _ = SimilaritySearch(clustered + 5, "euclidean").query([1, 2], [3], k=20)
    assert set(here) == set(there)


def test_bad_questions_are_refused(clustered):
    search = SimilaritySearch(clustered)
    with pytest.raises(AnalysisError, match="at least one"):
        search.query([])
    with pytest.raises(AnalysisError, match="both like and unlike"):
        search.query([1, 2], [2])
    with pytest.raises(AnalysisError, match="6,000 embeddings"):
        search.query([6000])
    with pytest.raises(AnalysisError, match="cosine, euclidean"):
        SimilaritySearch(clustered, "manhattan")
    with pytest.raises(AnalysisError, match="two-stage"):
        SimilaritySearch(clustered, method="hnsw")
    with pytest.raises(AnalysisError, match="embed"):
        SimilaritySearch(np.empty((0, 5), dtype=np.float32))


def test_the_stored_vectors_are_neither_copied_nor_changed(clustered):
    before = clustered.copy()
    clustered.setflags(write=False)
    search = SimilaritySearch(clustered)
    search.query([1], [2])
    np.testing.assert_array_equal(clustered, before)
    assert np.shares_memory(search._matrix, clustered)


def test_half_precision_and_foreign_byte_order_are_accepted(clustered):
    expected, _ = SimilaritySearch(clustered.astype(np.float16).astype(np.float32)).query([0])
    for dtype in (np.float16, ">f4"):
        rows, _ = SimilaritySearch(clustered.astype(np.float16).astype(dtype)).query([0])
        np.testing.assert_array_equal(rows, expected)


def test_search_among_principal_components_ignores_what_varies_least():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((300, 3)) * 10
    matrix = np.hstack([signal, rng.standard_normal((300, 5)) * 1e-3]).astype(np.float32)
    reduced, _ = SimilaritySearch(matrix, "euclidean", n_components=3).query([0], k=10)
    full, _ = SimilaritySearch(signal.astype(np.float32), "euclidean").query([0], k=10)
    np.testing.assert_array_equal(reduced, full)
    with pytest.raises(AnalysisError, match="1 to 8"):
        SimilaritySearch(matrix, n_components=9)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_two_stage_says_how_approximate_it_is(clustered, metric):
    search = SimilaritySearch(clustered, metric, method="two-stage")
    assert 0.95 <= search.measured_recall_ <= 1
    exact = SimilaritySearch(clustered, metric)
    assert exact.measured_recall_ == 1
    rows, scores = search.query([11], k=20)
    expected, _ = exact.query([11], k=20)
    assert len(np.intersect1d(rows, expected)) >= 18
    assert np.isin(scores, exact.query([11], k=2000)[1]).all()
    noise = np.random.default_rng(0).standard_normal((20000, 400)).astype(np.float32)
    assert SimilaritySearch(noise, metric, method="two-stage").measured_recall_ < 0.95


def brute_any(matrix, like, metric):
    """Largest score with any of several rows, one row at a time."""
    search = SimilaritySearch(matrix, metric)
    return np.max([search.scores([row]) for row in like], axis=0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nearest_to_any_is_the_best_over_single_examples(clustered, metric, monkeypatch):
    monkeypatch.setattr("glue_zoobot.analysis.similarity.ANY_EXAMPLES", 3)
    monkeypatch.setattr("glue_zoobot.analysis.similarity.ANY_ROWS", 1000)
    like = [4, 90, 800, 801, 5000]
    rows, scores, everywhere = SimilaritySearch(clustered, metric).query_any(like, k=50)
    expected = brute_any(clustered, like, metric)
    others = np.setdiff1d(np.arange(len(clustered)), like)
    np.testing.assert_allclose(everywhere[others], expected[others], rtol=1e-3, atol=1e-4)
    assert set(rows) == set(others[np.argsort(-expected[others], kind="stable")[:50]])
    np.testing.assert_allclose(scores, expected[rows], rtol=1e-3, atol=1e-4)
    assert (np.diff(scores) <= 0).all()


def test_nearest_to_any_finds_both_kinds_where_the_mean_finds_neither():
    angles = np.radians(np.linspace(0, 90, 91))
    matrix = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    search = SimilaritySearch(matrix)
    assert sorted(search.query([0, 90], k=2)[0]) != [1, 89]
    assert sorted(search.query_any([0, 90], k=2)[0]) == [1, 89]


def test_nearest_to_any_of_one_is_nearest_to_it(clustered):
    search = SimilaritySearch(clustered)
    np.testing.assert_array_equal(search.query_any([7], [9], k=30)[0], search.query([7], [9], k=30)[0])


def test_nearest_to_any_leaves_out_what_cannot_be_found(clustered):
    clustered[3] = np.nan
    rows, _, everywhere = SimilaritySearch(clustered).query_any([1, 2], k=6000)
    assert 3 not in rows
    assert np.isnan(everywhere[3])
    assert len(rows) == 5997
