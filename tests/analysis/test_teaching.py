"""Teaching a class or a quantity from few labels."""

import json

import numpy as np
import pytest

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.merit import class_figures, expected_calibration_error, reliability
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.analysis.teaching import labelled_rows, next_to_label, read_labels, teach
from glue_zoobot.errors import AnalysisError

NAMES = np.array(["merger", "ring", "spiral"])
PROVENANCE = {"encoder": "test", "weights_sha256": "a" * 64, "preprocessing_hash": "b" * 16}


def clusters(n, seed=0, width=48, apart=1.4, shares=(0.2, 0.3, 0.5)):
    """Embeddings of three overlapping classes, with dimensions of very different scale."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, size=n, p=shares)
    centres = np.random.default_rng(99).normal(size=(3, 6)) * apart
    X = rng.normal(size=(n, width)) * 0.7
    X[:, :6] = centres[codes] + rng.normal(size=(n, 6))
    scale = np.geomspace(0.01, 100, width)
    return (X * scale + 5 * scale).astype(np.float32), NAMES[codes]


def quantity(n, seed=0, width=48):
    """Embeddings, and a number whose noise depends on the embedding."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, width)).astype(np.float32)
    noise = np.where(X[:, 3] > 0, 0.6, 0.1)
    return X, 2 * X[:, 0] - X[:, 1] + noise * rng.normal(size=n)


class TestClasses:
    """`GalaxyClassifier`."""

    def test_a_few_labels_suffice(self):
        X, y = clusters(4000)
        head = GalaxyClassifier().fit(X[:60], y[:60], X)
        assert (head.predict(X[60:]) == y[60:]).mean() > 0.8

    @pytest.mark.parametrize("n", [100, 400])
    def test_probabilities_and_sets_are_honest(self, n):
        errors, coverages = [], []
        for seed in range(6):
            X, y = clusters(3000, seed=seed)
            head = GalaxyClassifier().fit(X[:n], y[:n], X)
            probabilities = head.predict_proba(X[n:])
            codes = np.searchsorted(head.classes_, y[n:])
            errors.append(expected_calibration_error(probabilities, codes))
            coverages.append(head.sets_of(probabilities, 0.9)[np.arange(len(codes)), codes].mean())
        assert np.mean(errors) < 0.05
        assert np.mean(coverages) == pytest.approx(0.9, abs=0.025)

    def test_is_at_least_as_good_as_each_of_its_parts(self):
        losses = {method: [] for method in ("auto", "prototypes", "logistic")}
        for seed in range(5):
            X, y = clusters(2000, seed=seed)
            for method, values in losses.items():
                head = GalaxyClassifier(method).fit(X[:50], y[:50], X)
                own = head.predict_proba(X[50:])[np.arange(1950), np.searchsorted(head.classes_, y[50:])]
                values.append(-np.log(own).mean())
        assert (
            np.mean(losses["auto"]) < min(np.mean(losses["prototypes"]), np.mean(losses["logistic"])) + 0.03
        )

    def test_same_labels_same_answer_in_any_order(self):
        X, y = clusters(500)
        first = GalaxyClassifier().fit(X[:80], y[:80], X).predict_proba(X)
        again = GalaxyClassifier().fit(X[:80], y[:80], X).predict_proba(X)
        assert np.array_equal(first, again)

    def test_what_was_never_labelled_is_unlike(self):
        X, y = clusters(3000)
        head = GalaxyClassifier().fit(X[:300], y[:300], X)
        strange = X[300:400] + 6 * X.std(axis=0)
        assert head.unlike(strange).mean() > 0.9
        assert head.unlike(X[300:]).mean() < 0.03

    def test_one_galaxy_of_a_class_is_enough(self):
        X, y = clusters(300)
        rows = [int(np.flatnonzero(y == name)[0]) for name in NAMES]
        head = GalaxyClassifier().fit(X[rows], y[rows], X)
        assert (head.predict(X[rows]) == y[rows]).all()
        assert head.predict_set(X, 0.9).all(), "nothing can be promised: every class is in the set"

    def test_rare_class_beside_common_ones(self):
        X, y = clusters(400)
        rows = np.append(np.flatnonzero(y == "spiral")[:30], np.flatnonzero(y == "ring")[0])
        head = GalaxyClassifier().fit(X[rows], y[rows], X)
        assert head.predict_proba(X[rows])[-1, 0] > head.predict_proba(X[rows])[0, 0]

    def test_galaxies_without_embedding_get_no_probability(self):
        X, y = clusters(200)
        head = GalaxyClassifier().fit(X[:100], y[:100])
        X[150] = np.nan
        found = head.predictions(X)
        assert np.isnan(found.probabilities[150]).all()
        assert not found.unlike[150]
        assert np.isfinite(np.delete(found.probabilities, 150, axis=0)).all()

    @pytest.mark.parametrize(
        ("X", "y", "message"),
        [
            (np.ones((3, 2)), ["ring"] * 3, "also label galaxies that are something else"),
            (np.ones((1, 2)), ["ring"], "too few"),
            (np.ones((3, 2)), ["ring", "spiral"], "do not fit"),
            (np.full((2, 2), np.nan), ["ring", "spiral"], "no finite embedding"),
        ],
    )
    def test_says_what_is_missing(self, X, y, message):
        with pytest.raises(AnalysisError, match=message):
            GalaxyClassifier().fit(X, y)

    def test_embeddings_that_are_all_alike_teach_nothing_but_do_not_fail(self):
        head = GalaxyClassifier().fit(np.ones((20, 4)), ["ring"] * 5 + ["spiral"] * 15)
        assert head.predict_proba(np.ones((1, 4)))[0] == pytest.approx([0.25, 0.75], abs=0.12)

    def test_refuses_embeddings_of_another_width(self):
        X, y = clusters(60)
        with pytest.raises(AnalysisError, match="48 wide and got 7"):
            GalaxyClassifier().fit(X, y).predict(X[:, :7])


class TestNumbers:
    """`GalaxyRegressor`."""

    def test_values_and_intervals(self):
        covered = {0.68: [], 0.9: []}
        for seed in range(6):
            X, y = quantity(3000, seed)
            head = GalaxyRegressor().fit(X[:300], y[:300], X)
            for coverage, shares in covered.items():
                low, high = head.predict_interval(X[300:], coverage).T
                shares.append(((low <= y[300:]) & (y[300:] <= high)).mean())
        assert np.corrcoef(head.predict(X[300:]), y[300:])[0, 1] > 0.95
        for coverage, shares in covered.items():
            assert np.mean(shares) == pytest.approx(coverage, abs=0.025)

    def test_intervals_are_wide_where_the_answer_is_uncertain(self):
        X, y = quantity(3000)
        low, high = GalaxyRegressor().fit(X[:1000], y[:1000]).predict_interval(X[1000:]).T
        noisy = X[1000:, 3] > 0
        assert np.median((high - low)[noisy]) > 1.5 * np.median((high - low)[~noisy])

    def test_shares_stay_between_zero_and_one(self):
        X, y = quantity(400)
        share = 1 / (1 + np.exp(-3 * y))
        found = GalaxyRegressor().fit(X[:200], share[:200]).estimates(X, 0.9)
        assert found.low.min() >= 0
        assert found.high.max() <= 1
        assert ((found.low <= found.values) & (found.values <= found.high)).all()

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            ([1.0] * 20, "nothing to learn from a constant"),
            ([1.0, 2.0], "too few"),
            ([*range(19), np.nan], "1 of 20 galaxies have no value"),
            (["ring"] * 20, "not all numbers"),
        ],
    )
    def test_says_what_is_missing(self, y, message):
        with pytest.raises(AnalysisError, match=message):
            GalaxyRegressor().fit(np.random.default_rng(0).normal(size=(len(y), 5)), y)


class TestHeads:
    """What is on disk says the same as what was taught."""

    @pytest.fixture
    def taught(self):
        X, y = clusters(400)
        ids = np.array([f"5877{i:014d}" for i in range(400)], dtype=object)
        return ids, X, teach("kind", ids, X, dict(zip(ids[:90], y[:90], strict=True)), PROVENANCE)

    def test_classes(self, taught, tmp_path):
        ids, X, lesson = taught
        table = lesson.head.predict(ids, X)
        again = Head.load(lesson.head.save(tmp_path / "head")).predict(ids, X)
        assert table.colnames[:3] == ["object_id", "kind", "kind_prob_merger"]
        assert {"kind_prob_ring", "kind_prob_spiral", "kind_set", "kind_unlike"} <= set(table.colnames)
        assert all(np.array_equal(table[name], again[name]) for name in table.colnames)
        assert table.meta["encoder"] == "test"
        assert table.meta["labels"] == "90"
        assert "of galaxies it was not shown" in lesson.text().lower()

    def test_yes_or_no(self, tmp_path):
        X, y = clusters(300)
        ids = np.arange(300).astype(str)
        labels = dict(zip(ids, (y == "ring").astype(int), strict=True))
        table = teach("ring", ids, X, labels, PROVENANCE).head.predict(ids, X)
        assert table.colnames == ["object_id", "ring_prob", "ring_unlike"]
        assert table["ring_prob"][y == "ring"].mean() > 0.6 > 0.3 > table["ring_prob"][y != "ring"].mean()

    def test_number(self, tmp_path):
        X, y = quantity(300)
        ids = np.arange(300).astype(str)
        head = teach("z", ids, X, dict(zip(ids[:100], y[:100], strict=True)), PROVENANCE).head
        table = Head.load(head.save(tmp_path / "z")).predict(ids, X)
        assert table.colnames == ["object_id", "z", "z_lo", "z_hi", "z_unlike"]
        assert np.allclose(table["z"], head.predict(ids, X)["z"])

    def test_refuses_another_encoder(self, taught):
        with pytest.raises(AnalysisError, match=r"taught on embeddings by test .*by convnext"):
            taught[2].head.check_encoder({**PROVENANCE, "encoder": "convnext", "weights_sha256": "c" * 64})

    def test_damage_is_named(self, taught, tmp_path):
        path = taught[2].head.save(tmp_path / "head")
        facts = json.loads((path / "head.json").read_text())
        (path / "head.json").write_text(json.dumps({**facts, "n_features_in": 7}))
        with pytest.raises(AnalysisError, match=r"head is damaged.*do not fit"):
            Head.load(path)
        (path / "head.safetensors").write_bytes(b"junk")
        with pytest.raises(AnalysisError, match="head is damaged"):
            Head.load(path)
        (path / "head.json").write_text(json.dumps({**facts, "format": 99}))
        with pytest.raises(AnalysisError, match="newer glue-zoobot"):
            Head.load(path)
        with pytest.raises(AnalysisError, match="is not a head"):
            Head.load(tmp_path)

    def test_does_not_write_over_something_else(self, taught, tmp_path):
        (tmp_path / "precious.txt").write_text("mine")
        with pytest.raises(AnalysisError, match="exists and is not a head"):
            taught[2].head.save(tmp_path)
        assert (tmp_path / "precious.txt").read_text() == "mine"


class TestLabels:
    """From files and logs to rows."""

    def test_ids_keep_all_digits(self, tmp_path):
        ids = np.array(["1237648720693755918", "1237648720693755919"])
        (tmp_path / "l.csv").write_text(f"objid,ring\n{ids[1]},yes\n{ids[0]},no\n9,\n")
        labels = read_labels(tmp_path / "l.csv", "ring")
        found = labelled_rows(ids, labels)
        assert labels == {ids[1]: "yes", ids[0]: "no"}
        assert found.rows.tolist() == [1, 0]
        assert found.values.tolist() == ["yes", "no"]

    def test_log_of_labels(self, tmp_path):
        log = LabelLog(tmp_path / "labels.jsonl", who="ada")
        log.label("a", "ring", "kind")
        log.label("a", "spiral", "kind")
        log.label("b", "ring", "kind")
        log.label("a", 0.31, "redshift")
        log.rate("a", 5)
        log.undo("kind")
        assert read_labels(log.path, "kind") == {"a": "spiral"}
        assert read_labels(log.path, "redshift") == {"a": 0.31}
        assert log.current() == {"a": 5}
        assert log.targets() == ["kind", "redshift"]
        with pytest.raises(AnalysisError, match="labels of: kind, redshift"):
            read_labels(log.path, "bar")

    @pytest.mark.parametrize("value", ["", "  ", None, float("nan"), [1]])
    def test_what_is_no_label(self, value, tmp_path):
        with pytest.raises(AnalysisError, match="is no label"):
            LabelLog(tmp_path / "l.jsonl").label("a", value, "kind")

    def test_kinds(self):
        ids = np.arange(40).astype(str)
        as_labels = lambda values: dict(zip(ids, values, strict=True))  # noqa: E731
        assert labelled_rows(ids, as_labels(np.linspace(0, 1, 40))).kind == "number"
        assert labelled_rows(ids, as_labels([0, 1] * 20)).kind == "classes"
        assert labelled_rows(ids, as_labels([True, False] * 20)).values[0] == "yes"
        assert labelled_rows(ids, as_labels([0.0, 1.0] * 20)).values[1] == "1"
        assert labelled_rows(ids, as_labels(["1", "2"] * 20), "number").values[1] == 2.0

    def test_labels_of_another_catalogue(self):
        with pytest.raises(AnalysisError, match="labels of another catalogue"):
            labelled_rows(np.array(["a"]), {"b": "ring"})
        assert labelled_rows(np.array(["a"]), {"a": 1, "b": 2}).unknown == ("b",)

    def test_files_that_will_not_do(self, tmp_path):
        (tmp_path / "l.csv").write_text("object_id,ring\na,\n")
        with pytest.raises(AnalysisError, match="the column ring is empty"):
            read_labels(tmp_path / "l.csv", "ring")
        with pytest.raises(AnalysisError, match="no such file"):
            read_labels(tmp_path / "none.csv", "ring")


class TestSuggestions:
    """What to label next."""

    def test_uncertain_likely_unlike(self):
        X, y = clusters(2000)
        X[1970:] += 8 * X.std(axis=0)
        ids = np.arange(2000).astype(str)
        labels = dict(zip(ids[:100], y[:100], strict=True))
        head = teach("kind", ids, X, labels, PROVENANCE).head
        sure = head.estimator.predict_proba(X).max(axis=1)
        rows = next_to_label(head, X, 10, "uncertain", exclude=range(100))
        assert len(set(rows)) == 10
        assert rows.min() >= 100
        assert sure[rows].max() < np.median(sure)
        assert (y[next_to_label(head, X, 10, "likely", range(100), wanted="ring")] == "ring").mean() > 0.8
        assert set(next_to_label(head, X, 5, "unlike", range(100))) <= set(range(1970, 2000))

    def test_are_diverse(self):
        X, y = clusters(300)
        X[200:] = X[200]
        y[200:] = y[200]
        ids = np.arange(300).astype(str)
        head = teach("kind", ids, X, dict(zip(ids[:90], y[:90], strict=True)), PROVENANCE).head
        rows = next_to_label(head, X, 8, "uncertain", range(90))
        assert (rows >= 200).sum() <= 1

    def test_nothing_left(self):
        X, y = clusters(50)
        ids = np.arange(50).astype(str)
        head = teach("kind", ids, X, dict(zip(ids, y, strict=True)), PROVENANCE).head
        assert len(next_to_label(head, X, 10, "uncertain", range(50))) == 0
        with pytest.raises(AnalysisError, match="no class 'bar'"):
            next_to_label(head, X, 1, "likely", (), "bar")


def test_intervals_of_figures_hold_the_truth():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(40):
        p = rng.dirichlet([1, 1], size=60)
        codes = (rng.random(60) < p[:, 1]).astype(int)
        figure = class_figures(p, codes, seed)[0]
        hits += figure.low <= 0.75 <= figure.high  # the mean of the larger of p and 1 - p
    assert hits >= 34


def test_interval_of_the_calibration_error_holds_it():
    """Drawing galaxies again adds scatter, which alone would push the interval above the figure."""
    rng = np.random.default_rng(0)
    for seed in range(10):
        p = rng.dirichlet([1, 1], size=100)
        codes = (rng.random(100) < p[:, 1]).astype(int)
        figure = next(f for f in class_figures(p, codes, seed) if f.name == "calibration error")
        assert 0 <= figure.low <= figure.value <= figure.high


def test_reliability_of_honest_probabilities():
    rng = np.random.default_rng(0)
    stated = rng.random(5000)
    found = reliability(stated, rng.random(5000) < stated)
    assert np.abs(found.stated - found.observed).max() < 0.06
    assert ((found.low <= found.stated) & (found.stated <= found.high)).mean() >= 0.8
    assert found.counts.sum() == 5000


def test_standing_labels_of_one_target(tmp_path):
    log = LabelLog(tmp_path / "log.jsonl")
    log.label("a", "ring", "kind")
    log.label("a", "merger", "kind")
    log.label("a", 0.3, "redshift")
    log.rate("a", 5)
    log.undo("redshift")
    assert [entry.value for entry in log.standing("kind")] == ["ring", "merger"]
    assert log.standing("redshift") == []
    assert [entry.value for entry in log.standing()] == [5]


def test_a_target_that_cannot_be_learned_is_called_so():
    X, y = clusters(300)
    ids = np.arange(300).astype(str)
    good = teach("kind", ids, X, dict(zip(ids[:100], y[:100], strict=True)), PROVENANCE)
    ids_as_numbers = np.random.default_rng(3).integers(10**17, 10**18, 300)
    bad = teach("objid", ids, X, dict(zip(ids, ids_as_numbers.tolist(), strict=True)), PROVENANCE)
    assert good.learned()
    assert not bad.learned()
    assert "no better than guessing" in bad.text()
