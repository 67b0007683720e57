"""The protocol counts what it says, alike for every method."""

import numpy as np
import pytest

from glue_zoobot.analysis.interest import InterestModel
from glue_zoobot.analysis.interest_gaussian import expected_improvement
from glue_zoobot.analysis.protocol import (
    first_round,
    paired_difference,
    ratings_of_truth,
    run_protocol,
    summarise,
)
from glue_zoobot.analysis.protocol_baselines import NeighbourScore, UnsupervisedOrder
from glue_zoobot.analysis.protocol_report import CONTESTANTS, compare, text_table
from glue_zoobot.errors import AnalysisError


@pytest.fixture(scope="module")
def catalogue():
    """Return 900 galaxies of 30 dimensions, 45 of them interesting."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((900, 30)).astype(np.float32)
    truth = np.arange(900) % 20 == 3
    matrix[truth, :3] += 2
    return matrix, 5.0 * truth


class Oracle:
    """Know the truth and show it."""

    def __init__(self, ratings):
        self.ratings = ratings

    def fit(self, matrix, rows, ratings):
        self.scores_, self.rows = self.ratings.copy(), rows
        return self

    def suggest(self, n=10, exclude=()):
        order = np.argsort(-self.scores_, kind="stable")
        return order[~np.isin(order, self.rows)][:n]


def test_an_oracle_finds_everything(catalogue):
    matrix, ratings = catalogue
    first = np.flatnonzero(ratings == 0)[:10]
    run = run_protocol(Oracle(ratings), matrix, ratings, first)
    np.testing.assert_array_equal(run.found[:6], [0, 10, 20, 30, 40, 45])
    assert len(run.found) == len(run.seconds) == 20
    assert (run.found[-1], run.seen, run.weak) == (45, 45, False)
    assert run.paper["P@50"] == 0.9  # the 45 known ones come first
    assert run.paper["AP"] == 1
    assert run.unrated["P@50"] == 0
    assert np.isnan(run.unrated["AP"])  # nothing is left to find


def test_without_ratings_the_count_is_that_of_the_list(catalogue):
    matrix, ratings = catalogue
    ranker = UnsupervisedOrder("pca")
    run = run_protocol(ranker, matrix, ratings, np.arange(10))
    best = np.argsort(-ranker.scores_, kind="stable")
    rest = best[best >= 10]
    assert run.found[-1] == (ratings[:10] > 0).sum() + (ratings[rest[:190]] > 0).sum()
    assert run.seen == (ratings[:10] > 0).sum() + (ratings[rest[:390]] > 0).sum()


def test_all_methods_begin_with_the_same_galaxies_and_repeat(catalogue):
    matrix, ratings = catalogue
    results = compare(matrix, ratings, seeds=[1, 2], methods=["default", "logistic", "random"])
    again = compare(matrix, ratings, seeds=[1, 2], methods=["default"])
    for seed in range(2):
        assert len({runs[seed].found[0] for runs in results.values()}) == 1
        np.testing.assert_array_equal(results["default"][seed].found, again["default"][seed].found)
    means = {name: summarise(runs) for name, runs in results.items()}
    assert means["default"]["found"] > 2 * means["random"]["found"]
    difference, error = paired_difference(results["default"], results["random"], lambda run: run.found[-1])
    assert difference > 2 * error
    assert "45 of 900 galaxies are interesting" in text_table(results, 45, 900)


@pytest.mark.parametrize("name", ["gaussian_process", "neighbour_score"])
def test_baselines_learn(catalogue, name):
    matrix, ratings = catalogue
    run = run_protocol(CONTESTANTS[name](0), matrix, ratings, np.arange(10), n_ratings=40)
    assert run.found[-1] > 40 * 45 / 900


def test_neighbour_score_damps_where_it_was_dull(catalogue):
    matrix, ratings = catalogue
    dull = np.flatnonzero(ratings == 0)[:30]
    ranker = NeighbourScore().fit(matrix, dull, ratings[dull])
    before = UnsupervisedOrder().fit(matrix, dull, ratings[dull]).scores_
    shrunk = (before - before.min()) / np.ptp(before) * 5 - ranker.scores_
    assert shrunk[dull].mean() > np.delete(shrunk, dull).mean()


def test_starts(catalogue):
    matrix, ratings = catalogue
    for how in ("example", "random", "spread"):
        first = first_round(matrix, ratings >= 3, how, 5)
        assert len(set(first)) == 10
        np.testing.assert_array_equal(first, first_round(matrix, ratings >= 3, how, 5))
    assert ratings[first_round(matrix, ratings >= 3, "example", 5)[0]] == 5
    assert first_round(matrix, ratings >= 3, "example", 5, example=8)[0] == 8


def test_expected_improvement_by_simulation():
    draws = np.random.default_rng(0).normal(2, 1.5, 400_000)
    simulated = np.maximum(draws - 3 - 0.5, 0).mean()
    assert expected_improvement(np.array([2.0]), np.array([1.5]), 3, 0.5)[0] == pytest.approx(
        simulated, rel=0.02
    )


@pytest.mark.parametrize(
    ("values", "wanted", "expected"),
    [
        (["1", "0", ""], (), [5, 0, np.nan]),
        (["True", "no", "yes"], (), [5, 0, 5]),
        (["0.95", "0.55", "0.1"], (), [5, 3, 0]),
        (["0", "4", "2"], (), [0, 4, 2]),
        (["ring", "spiral", ""], ("ring",), [5, 0, np.nan]),
    ],
)
def test_truth_becomes_ratings(values, wanted, expected):
    np.testing.assert_array_equal(ratings_of_truth(values, wanted), expected)


def test_bad_questions_are_answered_in_words(catalogue):
    matrix, ratings = catalogue
    with pytest.raises(AnalysisError, match="too few"):
        run_protocol(InterestModel(), matrix[:300], ratings[:300], np.arange(10))
    with pytest.raises(AnalysisError, match="'magic' takes no part"):
        compare(matrix, ratings, [0], methods=["magic"])
    with pytest.raises(AnalysisError, match="holds words"):
        ratings_of_truth(["ring", "spiral"])
    with pytest.raises(AnalysisError, match="no galaxy is interesting"):
        ratings_of_truth(["0", "0"])
    with pytest.raises(AnalysisError, match="neither yes/no"):
        ratings_of_truth(["7", "0"])
