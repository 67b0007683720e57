"""Votes of volunteers: the likelihood, what is learned by it, tables of Galaxy Zoo."""

import numpy as np
import pytest
from astropy.table import Table
from scipy.stats import dirichlet_multinomial

from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.merit import vote_figures
from glue_zoobot.analysis.teaching import next_to_label
from glue_zoobot.analysis.teaching_votes import questions_in, read_votes, teach_votes, votes_in
from glue_zoobot.analysis.votes import GalaxyVotes, Question, _slope, log_likelihood
from glue_zoobot.errors import AnalysisError

SMOOTH = Question("smooth-or-featured", ("smooth", "featured", "artifact"))
BAR = Question("bar", ("yes", "no"))
PROVENANCE = {"encoder": "test", "weights_sha256": "a" * 64, "preprocessing_hash": "b" * 16}


def volunteers(n=600, seed=0, asked=40):
    """Embeddings, and votes on two questions; the second is only for those who said featured."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 30)).astype(np.float32)
    logs = np.column_stack([1.2 * X[:, 0] + 1, 1.5 - X[:, 0] + 0.5 * X[:, 1], np.full(n, -1.0)])
    first = np.array([rng.multinomial(asked, rng.dirichlet(np.exp(row))) for row in logs])
    barred = 1 / (1 + np.exp(-2 * X[:, 2]))
    yes = np.array(
        [rng.binomial(m, rng.beta(4 * p, 4 - 4 * p)) for m, p in zip(first[:, 1], barred, strict=True)]
    )
    return X, np.column_stack([first, yes, first[:, 1] - yes]).astype(float), barred


def test_the_likelihood_is_that_of_scipy_and_its_slope_is_right():
    rng = np.random.default_rng(0)
    counts, logs = rng.multinomial(20, [0.5, 0.3, 0.2], size=50), rng.normal(size=(50, 3))
    expected = [dirichlet_multinomial.logpmf(k, np.exp(a), 20) for k, a in zip(counts, logs, strict=True)]
    np.testing.assert_allclose(log_likelihood(counts, logs), expected, rtol=1e-9)
    step = 1e-5 * np.eye(3)
    for j in range(3):
        slope = (log_likelihood(counts, logs + step[j]) - log_likelihood(counts, logs - step[j])) / 2e-5
        np.testing.assert_allclose(_slope(counts, np.exp(logs))[:, j], slope, rtol=1e-4, atol=1e-6)


def test_fractions_and_intervals_are_those_of_other_galaxies():
    X, votes, barred = volunteers()
    head = GalaxyVotes().fit(X[:400], votes[:400], [SMOOTH, BAR], X)
    found = head.shares(X[400:])
    np.testing.assert_allclose(found.mean[:, :3].sum(axis=1), 1, rtol=1e-5)
    assert np.corrcoef(found.mean[:, 3], barred[400:])[0, 1] > 0.9
    assert (found.low < found.high).all()
    for part in head.parts():
        told = votes[400:, part].sum(axis=1) > 0
        alpha = head.concentrations(X[400:])[told, part]
        inside = vote_figures("q", votes[400:, part][told], alpha)[2].value
        assert inside == pytest.approx(0.68, abs=0.07)


def test_votes_weigh_by_their_number_and_none_weigh_nothing():
    X, votes, _ = volunteers()
    votes[:300] = np.nan
    head = GalaxyVotes().fit(X, votes, [SMOOTH, BAR])
    again = GalaxyVotes().fit(X[300:], votes[300:], [SMOOTH, BAR])
    np.testing.assert_allclose(head.predict(X), again.predict(X), atol=1e-4)
    unknown = X[:1].copy()
    unknown[:] = np.nan
    assert np.isnan(head.shares(unknown).mean).all()


def test_a_head_of_votes_on_disk_says_the_same(tmp_path):
    X, votes, _ = volunteers(200)
    head = Head("votes", GalaxyVotes().fit(X, votes, [SMOOTH, BAR]), PROVENANCE)
    table = Head.load(head.save(tmp_path / "head")).predict(np.arange(200).astype(str), X)
    expected = head.predict(np.arange(200).astype(str), X)
    assert table.colnames[1:4] == [f"smooth-or-featured_smooth_{x}" for x in ("fraction", "lo", "hi")]
    assert table.colnames[-1] == "votes_unlike"
    for name in table.colnames[1:]:
        np.testing.assert_array_equal(table[name], expected[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v[:, :4], "do not fit 5 answers"),
        (lambda v: -v, "negative"),
        (lambda v: v * [1, 0, 0, 1, 1], "all votes on 'smooth-or-featured' are for one answer"),
        (lambda v: np.where(np.arange(200)[:, None] < 190, np.nan, v), "10 galaxies have votes"),
    ],
)
def test_what_cannot_be_learned(change, message):
    X, votes, _ = volunteers(200)
    with pytest.raises(AnalysisError, match=message):
        GalaxyVotes().fit(X, change(votes), [SMOOTH, BAR])


def as_table(votes, ids):
    table = Table({"iauname": ids})
    total = votes[:, :3].sum(axis=1)
    for name, values in zip(SMOOTH.answers, votes.T, strict=False):
        table[f"smooth-or-featured_{name}"] = values.astype(int)
        table[f"smooth-or-featured_{name}_fraction"] = values / total
    table["smooth-or-featured_total-votes"] = total.astype(int)
    table["bar_yes_fraction"] = votes[:, 3] / np.maximum(votes[:, 3:].sum(axis=1), 1)
    table["bar_no_fraction"] = 1 - table["bar_yes_fraction"]
    table["asked about bars"] = votes[:, 3:].sum(axis=1)
    return table


def test_tables_of_galaxy_zoo(tmp_path):
    X, votes, _ = volunteers(200)
    ids = np.array([f"J{i:06d}" for i in range(200)])
    as_table(votes, ids).write(tmp_path / "gz.csv")
    asked = ["smooth-or-featured", "bar: yes, no"]
    found = read_votes(tmp_path / "gz.csv", asked, ["bar: asked about bars"])
    assert found.questions == (SMOOTH, BAR)
    np.testing.assert_allclose(found.counts, votes, atol=1e-6)
    by_fraction = read_votes(tmp_path / "gz.csv", ["smooth-or-featured: smooth_fraction, featured_fraction"])
    np.testing.assert_allclose(by_fraction.counts, votes[:, :2], atol=1e-6)
    assert by_fraction.questions[0].answers == ("smooth", "featured")
    with pytest.raises(AnalysisError, match=r"gz\.csv: .*nothing says of how many votes"):
        read_votes(tmp_path / "gz.csv", ["bar"])
    with pytest.raises(AnalysisError, match="no column 'elliptical'"):
        read_votes(tmp_path / "gz.csv", ["smooth-or-featured: elliptical, smooth"])
    lesson = teach_votes("votes", ids, X, found, PROVENANCE)
    assert "bar (" in lesson.text()
    assert lesson.figures[0].value > 0.3
    strangers = r"the 200 galaxies with votes of .*gz\.csv \(J000000 …, by column 'iauname'\).*\(a …\)"
    with pytest.raises(AnalysisError, match=strangers):
        teach_votes("votes", np.array(["a", "b"]), X[:2], found, PROVENANCE)


def test_empty_columns_are_said_to_be_empty():
    table = Table({"name": ["a", "b"], "bar_yes": [np.nan, np.nan], "bar_no": [np.nan, np.nan]})
    with pytest.raises(AnalysisError, match=r"no galaxy has votes on 'bar'.*bar_yes, bar_no"):
        votes_in(table, np.array(["a", "b"]), ["bar: yes, no"], ["bar_yes"])


def test_what_to_ask_volunteers_next():
    X, votes, _ = volunteers(300)
    head = Head("votes", GalaxyVotes().fit(X, votes, [SMOOTH, BAR]), PROVENANCE)
    shares = head.estimator.shares(X)
    likely = next_to_label(head, X, 5, "likely", wanted="yes")
    assert shares.mean[likely, 3].min() > np.median(shares.mean[:, 3])
    unsure, width = next_to_label(head, X, 5), (shares.high - shares.low).max(axis=1)
    assert width[unsure].min() > np.median(width)
    assert len(next_to_label(head, X, 5, "unlike")) == 5


def test_votes_that_all_agree_do_not_saturate():
    X, _, _ = volunteers(60)
    share = 1 / (1 + np.exp(-X[:, 0].astype(float)))
    counts = 40 * np.column_stack([share, 1 - share])  # no scatter at all: concentrations run to their limit
    predicted = GalaxyVotes().fit(X[:, :2], counts, [BAR]).predict(X[:, :2])[:, 0]
    assert np.corrcoef(predicted, share)[0, 1] > 0.95


def test_questions_are_found_by_the_names_of_columns():
    names = ["bar_yes", "bar_no", "bar_total-votes", "how-round_round_fraction", "how-round_cigar_fraction"]
    names += ["t06_odd_a14_yes_debiased", "t06_odd_a15_no_debiased", "mag_r", "x_fraction", "ra"]
    found = questions_in(names)
    assert {name: list(answers) for name, answers in found.items()} == {
        "bar": ["yes", "no"],
        "how-round": ["round", "cigar"],
        "t06_odd": ["a14_yes", "a15_no"],
    }
    assert found["t06_odd"]["a14_yes"] == "t06_odd_a14_yes_debiased"
