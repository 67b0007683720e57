"""How many labels an encoder saves: the curve, going on after a stop, the tables."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.analysis.efficiency import fractions, saved_labels, saving_table, text_table
from glue_zoobot.analysis.fewlabels import Score
from glue_zoobot.cli import app
from glue_zoobot.training import PretrainRecipe, pretrain
from tests.training.conftest import QUICK


@pytest.fixture(scope="module")
def start(catalogue, tmp_path_factory):
    recipe = PretrainRecipe(**{**QUICK, "epochs": 1})
    return pretrain(catalogue, recipe, tmp_path_factory.mktemp("start") / "start", "cpu")


def test_a_sixteenth_to_all():
    assert fractions(2000) == [125, 250, 500, 1000, 2000]


def runs_of(errors):
    return [
        Score(method, n, seed, {"sigma_mad": error * (1 + 0.01 * seed), "r2": 0.5})
        for method, of_count in errors.items()
        for n, error in of_count.items()
        for seed in range(3)
    ]


def test_labels_saved_are_read_off_the_baseline():
    power = {n: n**-0.5 for n in (100, 200, 400, 800)}
    half = {n: (3 * n) ** -0.5 for n in (100, 200, 400, 800)}  # as good as three times the labels
    runs = runs_of({"scratch": power, "tuned": half, "hopeless": {100: 1.0}})
    savings = {saving.labels: saving for saving in saved_labels(runs, "tuned", "scratch", "sigma_mad")}
    assert savings[100].ratio == pytest.approx(3, rel=0.01)
    assert savings[100].low == pytest.approx(3, rel=0.01)  # the draws differ, but in both methods alike
    assert savings[200].high == pytest.approx(3, rel=0.01)
    assert np.isinf(savings[400].ratio)
    assert saved_labels(runs, "hopeless", "scratch", "sigma_mad")[0].ratio == 0
    table = saving_table(runs, "scratch", "sigma_mad")
    assert "| 100 | 3.0 | < 1 |" in table
    assert "| 400 | > 2.0 | – |" in table
    assert "| 100 | tuned | 3 |" in text_table(runs)


def test_the_interval_of_labels_saved_follows_from_the_draws():
    random = np.random.default_rng(0)
    runs = [
        Score(head, n, seed, {"sigma_mad": (times * n) ** -0.5 * random.normal(1, 0.05)})
        for head, times in (("scratch", 1), ("tuned", 2))
        for n in (100, 200, 400, 800, 1600)
        for seed in range(5)
    ]
    saving = saved_labels(runs, "tuned", "scratch", "sigma_mad")[2]
    assert saving.low < saving.ratio < saving.high
    assert saving.low == pytest.approx(2, rel=0.4)
    assert saving.high == pytest.approx(2, rel=0.4)


def test_a_baseline_of_fewer_draws_than_the_method():
    runs = runs_of({"tuned": {100: 0.1, 200: 0.07}, "scratch": {100: 0.2, 200: 0.1}})
    runs = [run for run in runs if run.head == "tuned" or run.seed == 0]
    assert saved_labels(runs, "tuned", "scratch", "sigma_mad")[0].ratio == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("target", ["redshift", "petro_radius"])
def test_by_verb(sample, start, catalogue, tmp_path, target):
    table = catalogue.table["object_id", target]
    Table(table, copy=True).write(tmp_path / "labels.csv")
    words = ["bench", "photoz", sample, "--target", target, "--encoder", start, "-o", tmp_path / "out"]
    words += ["--labels", tmp_path / "labels.csv", "--methods", "frozen,scratch", "--counts", "30,60"]
    words += ["--seeds", "1", "--epochs", "1", "--device", "cpu"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, (result.output, result.exception)
    assert "| 60 | start scratch | 1 |" in result.output
    measure = "σ_MAD" if target == "redshift" else "scatter"
    assert f"Times as many labels that start scratch needs for the same {measure}" in result.output
    assert (tmp_path / "out" / "curves.png").stat().st_size > 5000
    record = tmp_path / "out" / "record.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()][1:]
    assert [line["head"] for line in lines] == [
        "start frozen",
        "start frozen",
        "start scratch",
        "start scratch",
    ]
    again = CliRunner().invoke(app, [str(word) for word in words])
    assert again.exit_code == 0
    assert len(record.read_text().splitlines()) == 5


def test_a_quantity_is_asked_for(sample, start, tmp_path):
    words = ["bench", "photoz", sample, "--encoder", start, "-o", tmp_path / "out"]
    result = CliRunner().invoke(app, [str(word) for word in [*words, "--target", "kind"]])
    assert "holds classes, not numbers" in str(result.exception)
    result = CliRunner().invoke(
        app, [str(word) for word in [*words, "--target", "redshift", "--counts", "5"]]
    )
    assert "ten labels at least" in str(result.exception)
