"""Ranking by interest: what is like the liked comes first, whatever the ratings are."""

import numpy as np
import pytest
from sklearn.base import clone

from glue_zoobot.analysis.interest import METHODS, InterestModel, start
from glue_zoobot.analysis.interest_linear import logistic_weights
from glue_zoobot.errors import AnalysisError


@pytest.fixture(scope="module")
def catalogue():
    """Return a matrix (N, D) and which rows are interesting: 40 of 2,000, apart in a few dimensions."""
    rng = np.random.default_rng(0)
    truth = np.arange(2000) % 50 == 7
    matrix = rng.standard_normal((2000, 60)).astype(np.float32) @ rng.standard_normal((60, 60))
    matrix = (matrix / matrix.std(axis=0) * rng.uniform(0.1, 20, 60)).astype(np.float32)
    matrix[truth, :6] += 2.5 * matrix[:, :6].std(axis=0)
    return matrix, truth


@pytest.fixture(scope="module")
def rated(catalogue):
    _, truth = catalogue
    rng = np.random.default_rng(1)
    rows = np.concatenate([rng.choice(np.flatnonzero(truth), 8), rng.choice(np.flatnonzero(~truth), 40)])
    return np.unique(rows)


@pytest.mark.parametrize("method", METHODS)
def test_interesting_galaxies_are_found(catalogue, rated, method):
    matrix, truth = catalogue
    model = InterestModel(method).fit(matrix, rated, 5.0 * truth[rated])
    others = np.setdiff1d(np.arange(len(matrix)), rated)
    best = others[np.argsort(-model.scores_[others])[:30]]
    assert truth[best].mean() > 0.6
    assert model.scores_.dtype == np.float32
    assert model.scores_.min() >= 0
    assert model.scores_.max() <= 5
    assert model.uncertainty_.shape == (2000,)
    assert (model.uncertainty_ >= 0).all()
    assert np.isin(model.suggest(10), others).all()


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_answer(catalogue, rated, method):
    matrix, truth = catalogue
    first, second = (
        InterestModel(method, random_state=3).fit(matrix, rated, 5.0 * truth[rated]) for _ in "ab"
    )
    np.testing.assert_array_equal(first.scores_, second.scores_)
    np.testing.assert_array_equal(first.suggest(20), second.suggest(20))
    np.testing.assert_array_equal(first.uncertainty_, second.uncertainty_)


def test_it_is_a_scikit_learn_estimator(catalogue, rated):
    matrix, truth = catalogue
    model = InterestModel("logistic", mode="teach", random_state=5)
    copy = clone(model)
    assert copy.get_params() == {"method": "logistic", "mode": "teach", "random_state": 5}
    copy.fit(matrix, rated, 5.0 * truth[rated])
    assert not hasattr(model, "scores_")
    again = copy.fit(matrix, rated[:5], 5.0 * truth[rated[:5]])
    np.testing.assert_array_equal(
        again.scores_, clone(model).fit(matrix, rated[:5], 5.0 * truth[rated[:5]]).scores_
    )


def test_logistic_is_that_of_scikit_learn(catalogue, rated):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    matrix, truth = catalogue
    scaled = StandardScaler().fit_transform(matrix.astype(np.float64))
    expected = LogisticRegression(C=0.001, tol=1e-10, max_iter=10_000).fit(scaled[rated], truth[rated])
    model = InterestModel("logistic").fit(matrix, rated, 5.0 * truth[rated])
    np.testing.assert_allclose(model.scores_ / 5, expected.predict_proba(scaled)[:, 1], atol=1e-4)


@pytest.mark.parametrize("n", [30, 90])
def test_more_or_fewer_rows_than_columns_fit_alike(n):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(n)
    vectors, targets = rng.standard_normal((n, 50)), rng.integers(0, 2, n)
    expected = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(vectors, targets)
    weights = logistic_weights(vectors, targets.astype(float), 0.1)
    np.testing.assert_allclose(weights[:-1], expected.coef_[0], atol=1e-4)
    np.testing.assert_allclose(weights[-1], expected.intercept_[0], atol=1e-3)


def test_order_of_rows_does_not_matter(catalogue, rated):
    matrix, truth = catalogue
    order = np.random.default_rng(2).permutation(len(matrix))
    place = np.argsort(order)
    model = InterestModel().fit(matrix, rated, 5.0 * truth[rated])
    shuffled = InterestModel().fit(matrix[order], place[rated], 5.0 * truth[rated])
    np.testing.assert_allclose(shuffled.scores_, model.scores_[order], atol=1e-3)


def test_graded_ratings_order_the_middle(catalogue):
    matrix, _ = catalogue
    rows = np.arange(0, 2000, 10)
    scaled = (matrix[:, 0] - matrix[:, 0].mean()) / matrix[:, 0].std()
    grades = np.clip(np.round(2.5 + 1.5 * scaled), 0, 5)
    model = InterestModel().fit(matrix, rows, grades[rows])
    means = [model.scores_[grades == grade].mean() for grade in range(6)]
    assert (np.diff(means) > 0).all()


@pytest.mark.parametrize("rating", [0, 2, 5])
@pytest.mark.parametrize("n_rated", [1, 12])
@pytest.mark.parametrize("method", METHODS)
def test_equal_ratings_still_give_a_ranking(catalogue, rating, n_rated, method):
    matrix, _ = catalogue
    model = InterestModel(method).fit(matrix, np.arange(n_rated), np.full(n_rated, rating))
    assert np.isfinite(model.scores_).all()
    assert len(set(model.suggest(10))) == 10


def test_one_liked_galaxy_ranks_those_like_it_first(catalogue):
    matrix, truth = catalogue
    liked = np.flatnonzero(truth)[0]
    model = InterestModel().fit(matrix, [liked], [5])
    assert model.ranks()[liked] <= 5


def test_dull_look_alikes_do_not_hide_what_tells_the_liked_from_all_others():
    """Whoever goes down a ranking meets look-alikes: they share one trait with the liked, not the other."""
    rng = np.random.default_rng(4)
    matrix = rng.standard_normal((3000, 40)).astype(np.float32)
    liked, alike = np.arange(3000) < 60, np.arange(3000) >= 2900
    matrix[liked | alike, 0] += 4
    matrix[liked, 1] += 2
    rows = np.r_[:30, 2940:3000]
    others = np.r_[30:60, 60:2900]
    best = {}
    for method in ("default", "logistic"):
        scores = InterestModel(method).fit(matrix, rows, 5.0 * liked[rows]).scores_
        best[method] = liked[others[np.argsort(-scores[others])[:30]]].mean()
        if method == "default":
            assert scores[60:2900].mean() < 1  # most galaxies are dull, and are said to be
    assert best["default"] > 0.8
    assert best["default"] > best["logistic"]


def test_teach_shows_those_between_the_dull_and_the_interesting(catalogue, rated):
    matrix, truth = catalogue
    model = InterestModel(mode="teach").fit(matrix, rated, 5.0 * truth[rated])
    undecided = model.scores_[model.suggest(10)]
    model.mode = "find"
    likely = model.scores_[model.suggest(10)]
    assert np.median(model.scores_) < undecided.min()
    assert undecided.mean() < likely.mean()
    assert np.ptp(undecided) < np.ptp(likely)


def test_excluded_and_broken_rows_are_never_suggested(catalogue, rated):
    matrix, truth = catalogue
    matrix = matrix.copy()
    broken = np.setdiff1d(np.flatnonzero(truth), rated)[:5]
    matrix[broken] = np.nan
    model = InterestModel().fit(matrix, rated, 5.0 * truth[rated])
    assert np.isnan(model.scores_[broken]).all()
    assert np.isnan(model.ranks()[broken]).all()
    first = model.suggest(50)
    assert not np.isin(first, broken).any()
    assert not np.isin(model.suggest(50, exclude=first), first).any()
    assert len(model.suggest(5000)) == 2000 - len(rated) - len(broken)
    with pytest.raises(AnalysisError, match=f"row {broken[0]} is not finite"):
        model.fit(matrix, broken[:1], [5])


def test_bad_questions_are_answered_in_words(catalogue):
    matrix, _ = catalogue
    with pytest.raises(AnalysisError, match="nothing is rated yet"):
        InterestModel().fit(matrix, [], [])
    with pytest.raises(AnalysisError, match="row 2000 was rated"):
        InterestModel().fit(matrix, [2000], [5])
    with pytest.raises(AnalysisError, match="none of 0 to 5"):
        InterestModel().fit(matrix, [1], [6])
    with pytest.raises(AnalysisError, match="one rating for each"):
        InterestModel().fit(matrix, [1, 2], [3])
    with pytest.raises(AnalysisError, match="no method 'magic'"):
        InterestModel("magic").fit(matrix, [1], [3])


def test_of_a_galaxy_rated_twice_the_last_rating_counts(catalogue, rated):
    matrix, truth = catalogue
    ratings = 5.0 * truth[rated]
    twice = InterestModel().fit(matrix, np.append(rated[0], rated), np.append(5 - ratings[0], ratings))
    once = InterestModel().fit(matrix, rated, ratings)
    np.testing.assert_allclose(twice.scores_, once.scores_, atol=1e-5)


def test_the_matrix_is_neither_changed_nor_copied(catalogue, rated):
    import tracemalloc

    matrix, truth = catalogue
    before = matrix.copy()
    large = np.tile(matrix, (100, 1))
    tracemalloc.start()
    InterestModel().fit(large, rated, 5.0 * truth[rated]).suggest(10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * large.nbytes
    np.testing.assert_array_equal(matrix, before)


def test_start_without_example_is_spread_and_with_one_begins_with_it(catalogue):
    matrix, _ = catalogue
    rows = start(matrix, 10, random_state=1)
    assert len(set(rows)) == 10
    np.testing.assert_array_equal(rows, start(matrix, 10, random_state=1))
    with_example = start(matrix, 10, example=7)
    assert with_example[0] == 7
    assert len(set(with_example)) == 10
    with pytest.raises(AnalysisError, match="row 5000 has no usable embedding"):
        start(matrix, 10, example=5000)


def test_without_anything_found_the_next_round_looks_elsewhere(catalogue):
    matrix, truth = catalogue
    dull = np.flatnonzero(~truth)[:10]
    model = InterestModel().fit(matrix, dull, np.zeros(10))
    first = model.suggest(10)
    assert len(set(first)) == 10
    assert not np.isin(first, dull).any()
    more = InterestModel().fit(matrix, np.append(dull, first), np.zeros(20)).suggest(10)
    assert not np.isin(more, first).any()
    liked = np.append(dull, np.flatnonzero(truth)[0])
    model = InterestModel().fit(matrix, liked, [*np.zeros(10), 5])
    unrated = np.setdiff1d(np.arange(len(matrix)), liked)
    best = unrated[np.argsort(-model.scores_[unrated])]
    np.testing.assert_array_equal(model.suggest(10)[:7], best[:7])
    assert not np.isin(model.suggest(10)[7:], best[:10]).all()
