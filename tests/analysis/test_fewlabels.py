"""The few-label protocol."""

import numpy as np
import pytest

from glue_zoobot.analysis.fewlabels import (
    Score,
    compare_heads,
    difference_table,
    draw,
    held_out,
    one_name_each,
    scores_table,
    text_table,
)
from glue_zoobot.analysis.merit import debiased_calibration_error, expected_calibration_error
from glue_zoobot.errors import AnalysisError


def problem(n=300, seed=0):
    rng = np.random.default_rng(seed)
    ring = rng.random(n) < 0.4
    X = rng.normal(size=(n, 16)).astype(np.float32)
    X[:, 0] += 3 * ring
    return np.array([f"galaxy {i}" for i in range(n)]), X, np.where(ring, "yes", "no")


def test_the_split_depends_on_the_id_alone():
    ids = np.array([f"g{i}" for i in range(2000)])
    first = held_out(ids)
    shuffled = np.random.default_rng(1).permutation(2000)
    assert np.array_equal(held_out(ids[shuffled]), first[shuffled])
    assert first.mean() == pytest.approx(0.4, abs=0.05)


def test_more_labels_help_and_all_heads_take_part(tmp_path):
    ids, X, y = problem()
    scores = compare_heads(ids, X, y, "classes", X, counts=(10, 100, 5000), seeds=range(3))
    assert {score.head for score in scores} == {"auto", "prototypes", "logistic"}
    assert {score.labels for score in scores} == {10, 100}, "more labels than there are is left out"
    losses = {n: np.mean([s.values["log_loss"] for s in scores if s.labels == n]) for n in (10, 100)}
    assert losses[100] < losses[10]
    assert "| 100 | auto | 0." in text_table(scores)
    assert len(scores_table(scores, {"encoder": "test"})) == len(scores)
    assert draw(scores, tmp_path / "f.png", "ring").stat().st_size > 5000


def test_numbers():
    ids, X, _ = problem()
    scores = compare_heads(ids, X, X[:, 1].astype(float), "number", X, counts=(50,), seeds=range(2))
    assert all(score.values["r2"] > 0.9 for score in scores)


def test_too_few_to_measure_by():
    ids, X, y = problem(40)
    with pytest.raises(AnalysisError, match="at least 50 and 10 are needed"):
        compare_heads(ids, X, y, "classes", X)


def test_entries_of_one_galaxy_are_on_one_side():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 500), rng.uniform(-89, 89, 500)
    ra[0], ra[1] = 0.0001, 359.9999  # across 0 h
    dec[:2] = 10.0
    ids = np.array([f"g{i}" for i in range(500)])
    twice = np.append(ids, np.char.add(ids, " again"))
    names = one_name_each(twice, np.append(ra, ra + 0.0001), np.append(dec, dec))
    assert np.array_equal(held_out(names)[:500], held_out(names)[500:])
    assert names[0] == names[1]
    assert len(set(names[:500])) == 499
    assert one_name_each(ids, np.full(500, np.nan), dec).tolist() == ids.tolist()


def test_differences_are_of_the_same_draws_and_galaxies():
    better = [Score("a", 10, k, {"accuracy": 0.75}, "1101" * 50) for k in range(5)]
    worse = [Score("b", 10, k, {"accuracy": 0.5}, "1100" * 50) for k in range(5)]
    text = difference_table([*better, *worse], "b")
    assert "| 10 | +0.250 ± 0.031 |" in text, "the draws agree, but a quarter of the galaxies decides"
    assert "–" in difference_table([*better, *worse[:1], Score("c", 20, 0, {"accuracy": 1.0})], "b")


def test_calibration_error_of_a_perfect_head_is_chance():
    rng = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(40):
        p = rng.uniform(0.5, 1, 400)
        probabilities, codes = np.column_stack([p, 1 - p]), (rng.random(400) > p).astype(int)
        plain.append(expected_calibration_error(probabilities, codes))
        debiased.append(debiased_calibration_error(probabilities, codes))
    assert np.mean(plain) > 0.03
    assert np.mean(debiased) < 0.02
    wrong = np.column_stack([p * 0 + 0.95, p * 0 + 0.05])
    assert debiased_calibration_error(wrong, codes) == pytest.approx(0.95 - (codes == 0).mean(), abs=0.03)
