"""Strangeness without ratings: what is apart gets the highest score, whatever the method."""

import os

import numpy as np
import pytest

from glue_zoobot.analysis.anomaly import METHODS, anomaly_ranks, anomaly_scores
from glue_zoobot.errors import AnalysisError


@pytest.fixture(scope="module")
def matrix():
    """Return 600 rows on a plane of 50 dimensions; five leave the plane, far from each other."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((600, 10)) @ rng.standard_normal((10, 50))
    matrix += 0.1 * rng.standard_normal((600, 50))
    matrix[:5] += 15 * rng.standard_normal((5, 50))
    return matrix.astype(np.float32)


@pytest.mark.parametrize("method", ["knn", "isolation_forest", "lof"])
def test_what_is_apart_scores_highest(matrix, method):
    scores = anomaly_scores(matrix, method, random_state=1)
    assert scores.dtype == np.float32
    assert set(np.argsort(-scores)[:5]) == set(range(5))
    np.testing.assert_array_equal(scores, anomaly_scores(matrix, method, random_state=1))


def test_reconstruction_error_finds_what_the_others_do_not_vary_in():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((600, 60)) * np.where(np.arange(60) < 40, 10, 0.1)
    matrix[:5, 45:] += 3
    assert set(np.argsort(-anomaly_scores(matrix, "pca"))[:5]) == set(range(5))


@pytest.mark.parametrize("method", METHODS)
def test_broken_rows_are_never_ranked(matrix, method):
    matrix = matrix.copy()
    matrix[0], matrix[1, 3] = np.nan, np.inf
    scores = anomaly_scores(matrix, method)
    assert np.flatnonzero(np.isnan(scores)).tolist() == [0, 1]
    ranks = anomaly_ranks(scores)
    assert np.isnan(ranks[:2]).all()
    assert sorted(ranks[2:]) == list(range(1, 599))


@pytest.mark.skipif(
    "GLUE_ZOOBOT_SLOW" not in os.environ, reason="compiles for a minute; set GLUE_ZOOBOT_SLOW"
)
def test_graph_and_exact_neighbours_agree(matrix, monkeypatch):
    import glue_zoobot.analysis.anomaly as module

    exact = anomaly_scores(matrix, "knn")
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    graph = anomaly_scores(matrix, "knn")
    assert np.corrcoef(exact, graph)[0, 1] > 0.99


def test_ranks_put_equal_scores_in_the_order_of_rows():
    scores = np.array([0.0, 2.5, np.nan, -1.0, 2.5, -0.0, np.inf, -3e38], dtype=np.float32)
    expected = [3, 1, np.nan, 5, 2, 4, np.nan, 6]
    np.testing.assert_array_equal(anomaly_ranks(scores), expected)


def test_ranks_are_those_of_a_sort():
    scores = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    np.testing.assert_array_equal(np.argsort(anomaly_ranks(scores)), np.argsort(-scores, kind="stable"))


def test_too_few_or_unknown(matrix):
    with pytest.raises(AnalysisError, match="at least three"):
        anomaly_scores(matrix[:2])
    with pytest.raises(AnalysisError, match="knn, isolation_forest, lof, pca"):
        anomaly_scores(matrix, "magic")
