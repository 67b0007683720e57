"""How many are left: the intervals must hold the truth as often as they say."""

import numpy as np
import pytest

from glue_zoobot.analysis.remaining import plan_audit
from glue_zoobot.errors import AnalysisError


def simulated(rng):
    """Return scores, truth and rated rows of a catalogue of random size, rarity and quality of ranking."""
    n = int(np.exp(rng.uniform(np.log(2_000), np.log(20_000))))
    truth = rng.random(n) < np.exp(rng.uniform(np.log(0.005), np.log(0.05)))
    scores = rng.standard_normal(n) + rng.uniform(1, 3) * truth
    rated = np.argsort(-scores)[: rng.integers(100, 400)]
    return scores, truth, rated


def audited(scores, truth, rated, n_picks, seed=0):
    audit = plan_audit(scores, rated, n_picks, random_state=seed)
    return audit, {int(row): bool(truth[row]) for row in [*rated, *audit.rows]}


def test_ninety_per_cent_intervals_hold_the_truth_in_ninety_per_cent():
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(400):
        scores, truth, rated = simulated(rng)
        audit, ratings = audited(scores, truth, rated, int(rng.choice([60, 100, 200])), seed)
        answer = audit.remaining(ratings, random_state=seed)
        left = truth.sum() - answer.found
        covered.append(answer.left_low <= left <= answer.left_high)
    assert 0.87 <= np.mean(covered) <= 0.93


def test_more_picks_narrow_the_interval():
    scores, truth, rated = simulated(np.random.default_rng(3))
    widths = []
    for n_picks in (50, 200, 800):
        audit, ratings = audited(scores, truth, rated, n_picks)
        answer = audit.remaining(ratings)
        widths.append(answer.left_high - answer.left_low)
        assert answer.completeness_low <= answer.completeness <= answer.completeness_high
    assert widths[0] > widths[1] > widths[2]


def test_everything_rated_leaves_nothing_open():
    truth = np.arange(500) % 50 == 0
    audit, _ = audited(truth.astype(float), truth, [], 60)
    answer = audit.remaining({row: bool(truth[row]) for row in range(500)})
    assert (answer.left_low, answer.left, answer.left_high) == (0, 0, 0)
    assert answer.found == 10
    everything = {row: bool(truth[row]) for row in range(500)}
    assert audit.top(500, everything)["completeness"] == (1, 1, 1)


def test_purity_of_the_top_follows_the_truth():
    rng = np.random.default_rng(1)
    truth = np.arange(20_000) < 400
    scores = np.where(truth, 3, 0) + rng.standard_normal(20_000)
    audit, ratings = audited(scores, truth, [], 600)
    n = int(audit.edges[1])
    _, low, high = audit.top(n, ratings)["purity"]
    assert low <= truth[np.argsort(-scores)[:n]].mean() <= high


def test_picks_are_random_unrated_rows_of_their_band():
    scores = np.arange(1000.0)
    scores[5] = np.nan
    rated = np.arange(900, 1000)
    audit = plan_audit(scores, rated, 100, random_state=4)
    assert len(set(audit.rows)) == len(audit.rows)
    assert not np.isin(audit.rows, rated).any()
    assert 5 not in audit.order
    for row, band in zip(audit.rows, audit.band, strict=True):
        assert row in audit.order[audit.edges[band] : audit.edges[band + 1]]
    np.testing.assert_array_equal(audit.rows, plan_audit(scores, rated, 100, random_state=4).rows)


def test_stopping_hint():
    scores, truth, rated = simulated(np.random.default_rng(5))
    audit, ratings = audited(scores, truth, rated, 100)
    assert audit.remaining(ratings).hint(wanted=0).startswith("You may stop")
    assert audit.remaining(ratings).hint(wanted=1.01).startswith("Go on")


def test_unrated_picks_and_too_few_galaxies_are_said():
    audit = plan_audit(np.arange(500.0), [], 50)
    with pytest.raises(AnalysisError, match="band 1 of 5"):
        audit.remaining({})
    with pytest.raises(AnalysisError, match="50 random picks from 40"):
        plan_audit(np.arange(40.0), [], 50)
    with pytest.raises(AnalysisError, match="ask for 15 or more"):
        plan_audit(np.arange(400.0), [], 5)
