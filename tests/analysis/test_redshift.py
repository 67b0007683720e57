"""Redshifts and other quantities: the figures of the field, bins, catalogue columns, honest intervals."""

import numpy as np
import pytest
from astropy.table import Table

from glue_zoobot.analysis.bins import Bins, softmax_regression
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.inputs import beside, leaks, read_inputs
from glue_zoobot.analysis.redshift import is_redshift, redshift_figures
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.analysis.teaching import teach
from glue_zoobot.errors import AnalysisError

PROVENANCE = {"encoder": "test", "weights_sha256": "a" * 64, "preprocessing_hash": "b" * 16}


def redshifts(n, seed=0, width=40):
    """Embeddings, and redshifts that bend with them and scatter more the farther they are."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, width)).astype(np.float32)
    z = 0.12 * np.exp(0.6 * X[:, 0] + 0.2 * X[:, 1])
    return X, np.abs(z * (1 + 0.15 * rng.normal(size=n)))


class TestFigures:
    """The formulae of the field, by hand."""

    def test_by_hand(self):
        truth = np.array([0.0, 1.0, 0.25, 3.0, 0.5])
        predicted = truth + np.array([0.01, -0.04, 0.25, -1.2, 0.0]) * (
            1 + np.array([0, 1, 0.25, 3, 0.5])
        ) / [*(1, 2, 1.25, 4, 1)]
        error = (predicted - truth) / (1 + truth)
        found = {figure.name: figure for figure in redshift_figures(truth, predicted)}
        assert found["bias"].value == pytest.approx(error.mean())
        assert found["median bias"].value == pytest.approx(np.median(error))
        middle = np.median(error)
        assert found["σ_MAD"].value == pytest.approx(1.4826 * np.median(np.abs(error - middle)))
        assert found["outliers > 0.05"].value == pytest.approx(2 / 5)
        assert found["outliers > 0.15"].value == pytest.approx(2 / 5)
        assert all(figure.low <= figure.value <= figure.high for figure in found.values())

    def test_small_figures_are_told_with_digits_that_say_something(self):
        error = np.random.default_rng(0).normal(0, 0.01, 5000)
        text = redshift_figures(np.zeros(5000), error)[0].text()
        assert text.startswith("σ_MAD 0.00") or text.startswith("σ_MAD 0.01")
        assert len(text.split()[1]) >= 6

    @pytest.mark.parametrize(
        ("name", "values", "answer"),
        [
            ("z", [0.1, 0.2], True),
            ("z_spec", [0.1, -99, 2.0], True),
            ("Redshift", [0.0, 0.4], True),
            ("ZPHOT", [1.0, 4.06], True),
            ("z", [18.2, 21.0], False),  # a magnitude
            ("mag_z", [0.1, 0.2], False),
            ("redshift", [-0.5, 0.2], False),
            ("size", [0.1, 0.2], False),
        ],
    )
    def test_a_redshift_is_known_by_name_and_values(self, name, values, answer):
        assert is_redshift(name, np.array(values, dtype=float)) is answer


class TestBins:
    """`Bins` and the softmax over them."""

    def test_quantiles_invert_the_cumulative_distribution(self):
        rng = np.random.default_rng(0)
        values = rng.gamma(2, size=500)
        bins = Bins.of(values, 20)
        p = rng.dirichlet(np.ones(len(bins)), size=300)
        inside = rng.uniform(*bins.edges[[0, -1]], size=300)
        np.testing.assert_allclose(bins.quantiles(p, bins.cumulative(p, inside)), inside, atol=1e-6)
        assert np.all(bins.cumulative(p, np.full(300, -5.0)) == 0)
        np.testing.assert_allclose(bins.cumulative(p, np.full(300, 1e6)), 1)

    def test_a_sure_bin_gives_its_value_whatever_point_is_taken(self):
        bins = Bins(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.5, 1.4, 3.0]))
        p = np.eye(3)
        assert bins.points(p).tolist() == bins.points(p, "mode").tolist() == [0.5, 1.4, 3.0]
        assert bins.points(p, "median").tolist() == pytest.approx([0.5, 1.5, 3.0])

    def test_equal_values_share_a_bin(self):
        bins = Bins.of(np.repeat([0.1, 0.2, 0.9], 50))
        assert len(bins) <= 4
        assert (np.diff(bins.centres) > 0).all()

    def test_softmax_regression_is_multinomial_logistic_regression(self):
        from sklearn.linear_model import LogisticRegression

        rng = np.random.default_rng(1)
        X, codes = rng.normal(size=(300, 4)), rng.integers(3, size=300)
        X[:, 0] += codes
        weights = softmax_regression(X, np.eye(3)[codes], 1.0)
        expected = LogisticRegression(C=1.0, tol=1e-6).fit(X, codes)
        said = X @ weights[:-1] + weights[-1]
        np.testing.assert_allclose(
            said - said.mean(1, keepdims=True), expected.decision_function(X), atol=0.02
        )


class TestHead:
    """`GalaxyRegressor` on what bends, and as a file."""

    @pytest.mark.parametrize("method", ["ridge", "bins"])
    def test_intervals_cover_what_they_promise(self, method):
        covered, own = [], []
        for seed in range(4):
            X, z = redshifts(2300, seed)
            head = GalaxyRegressor(method=method, redshift=True).fit(X[:300], z[:300])
            found = head.estimates(X[300:])
            covered.append(((found.low <= z[300:]) & (z[300:] <= found.high)).mean())
            own.append(head.covered_.mean())
            assert (found.low <= found.values).all()
            assert (found.values <= found.high).all()
            assert (found.values >= 0).all()
        assert np.mean(covered) == pytest.approx(0.68, abs=0.04)
        assert np.mean(own) == pytest.approx(0.68, abs=0.05)

    def test_takes_what_is_better_and_says_so(self):
        X, z = redshifts(1500)
        bent = GalaxyRegressor(redshift=True).fit(
            X[:500], np.where(X[:500, 0] > 0, 0.5, 0.1) + 0.01 * z[:500]
        )
        straight = GalaxyRegressor().fit(X[:500], X[:500] @ np.ones(40))
        assert bent.method_ == f"{len(bent.bins_)} bins"
        assert straight.method_ == "ridge regression"
        assert set(straight.errors_) == {"ridge regression", "32 bins"}
        assert straight.errors_["ridge regression"] < 0.1 * straight.errors_["32 bins"]

    def test_distribution_and_what_has_none(self):
        X, z = redshifts(300)
        X[7] = np.nan
        head = GalaxyRegressor(method="bins").fit(X[100:], z[100:])
        p = head.predict_bins(X)
        assert np.isnan(p[7]).all()
        np.testing.assert_allclose(np.delete(p, 7, 0).sum(axis=1), 1, rtol=1e-5)
        assert np.isnan(head.predict(X)[7])
        with pytest.raises(AnalysisError, match="no distribution"):
            GalaxyRegressor(method="ridge").fit(X[100:], z[100:]).predict_bins(X)

    def test_beyond_the_labelled_range_is_flagged(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(4000, 3)).astype(np.float32)
        y = X[:, 0] + 0.05 * rng.normal(size=4000)
        taught = np.flatnonzero(np.abs(y) < 0.8)[:400]
        for method in ("ridge", "bins"):
            head = GalaxyRegressor(method=method).fit(X[taught], y[taught], X)
            said = head.unlike(X)
            assert said[np.abs(y) > 1.2].mean() > 0.95
            assert said[np.abs(y) < 0.7].mean() < 0.03

    @pytest.mark.parametrize("method", ["ridge", "bins"])
    def test_a_judge_sees_through_embeddings_that_know_the_answer(self, method):
        X, z = redshifts(900)
        leaking = X.copy()
        leaking[:150, 5:] += (
            3 * z[:150, None] - 3 * z[:150].mean()
        )  # as an encoder has of galaxies it was tuned on
        judge = leaking[150:300], z[150:300]
        blind = GalaxyRegressor(method=method).fit(leaking[:150], z[:150])
        judged = GalaxyRegressor(method=method).fit(leaking[:150], z[:150], judge=judge)
        errors = [np.abs(head.predict(leaking[300:]) - z[300:]).mean() for head in (blind, judged)]
        assert errors[1] <= errors[0]
        name = judged.method_
        assert judged.errors_[name] == pytest.approx(errors[1], rel=0.3)

    @pytest.mark.parametrize("method", ["ridge", "bins"])
    def test_survives_a_file(self, method, tmp_path):
        X, z = redshifts(400)
        head = Head("z", GalaxyRegressor(method=method, redshift=True).fit(X, z), PROVENANCE)
        head.save(tmp_path / "h")
        again = Head.load(tmp_path / "h")
        ids = np.arange(400).astype(str)
        one, two = head.predict(ids, X), again.predict(ids, X)
        assert one.colnames == ["object_id", "z", "z_lo", "z_hi", "z_unlike"]
        for name in one.colnames:
            np.testing.assert_array_equal(one[name], two[name])
        assert again.estimator.method_ == head.estimator.method_

    def test_teaching_measures_a_redshift_as_one(self):
        X, z = redshifts(300)
        ids = np.arange(300).astype(str)
        labels = dict(zip(ids, z, strict=True)) | {"5": -99.0}
        lesson = teach("z_spec", ids, X, labels, PROVENANCE)
        assert [figure.name for figure in lesson.figures][:2] == ["σ_MAD", "outliers > 0.05"]
        assert len(lesson.labelled.rows) == 299
        assert "a redshift" in lesson.text()
        assert lesson.learned()
        other = teach("z_spec", ids, X, labels | {"5": 0.1}, PROVENANCE, kind="number")
        assert other.figures[0].name == "R²"
        noise = np.random.default_rng(3).permutation(z)
        assert not teach("z", ids, X, dict(zip(ids, noise, strict=True)), PROVENANCE).learned()


class TestInputs:
    """Columns of the catalogue beside the embedding."""

    @pytest.fixture
    def table(self, tmp_path):
        rng = np.random.default_rng(0)
        table = Table({"objid": [f"58772298174130{i:04d}" for i in range(100)]})
        table["mag_g"], table["mag_r"] = rng.normal(18, 1, 100), rng.normal(17, 1, 100)
        table["kind"] = "ring"
        table.write(tmp_path / "cat.csv")
        return tmp_path / "cat.csv", table

    def test_columns_and_colours_by_id(self, table):
        path, known = table
        ids = np.array(["587722981741300007", "nobody", "587722981741300003"], dtype=object)
        found = read_inputs(path, ["mag_r", "mag_g-mag_r"], ids)
        assert found[0] == pytest.approx([known["mag_r"][7], known["mag_g"][7] - known["mag_r"][7]])
        assert np.isnan(found[1]).all()
        assert found[2, 0] == pytest.approx(known["mag_r"][3])

    def test_what_is_missing_is_named(self, table):
        ids = np.array(["587722981741300007"], dtype=object)
        with pytest.raises(AnalysisError, match="no column mag_i, mag_z; it has objid, mag_g"):
            read_inputs(table[0], ["mag_i", "mag_g", "mag_z"], ids)
        with pytest.raises(AnalysisError, match="kind does not hold numbers"):
            read_inputs(table[0], ["kind"], ids)
        with pytest.raises(AnalysisError, match="none of the 1 galaxies"):
            read_inputs(table[0], ["mag_g"], np.array(["nobody"], dtype=object))

    def test_a_galaxy_without_a_value_has_no_answer(self):
        joined = beside(np.ones((3, 2), np.float32), np.array([[1.0, 2], [np.nan, 2], [3, 4]]))
        assert joined.shape == (3, 4)
        assert np.isnan(joined[1, 2:]).all()

    def test_a_column_that_holds_the_answer_is_told(self):
        rng = np.random.default_rng(0)
        z = rng.gamma(2, size=200)
        columns = np.column_stack(
            [rng.normal(size=200), np.log(z) + 0.01 * rng.normal(size=200), z + rng.normal(size=200)]
        )
        said = leaks(["size", "logz", "mag"], columns, z, "number")
        assert len(said) == 1
        assert said[0].startswith("logz alone")
        near = np.where(z > 1, "far", "near")
        assert leaks(["size", "logz", "mag"], columns, near, "classes")[0].startswith("logz")

    def test_a_few_columns_are_heard_among_many_dimensions(self):
        rng = np.random.default_rng(0)
        X, colour = rng.normal(size=(1500, 300)), rng.normal(size=1500)
        y = colour + 0.3 * X[:, 0]
        joined = np.column_stack([X, colour])
        errors = {
            n: np.abs(
                GalaxyRegressor(method="ridge", n_columns=n)
                .fit(joined[:80], y[:80], joined)
                .predict(joined[80:])
                - y[80:]
            ).mean()
            for n in (0, 1)
        }
        assert errors[1] < 0.6 * errors[0]
