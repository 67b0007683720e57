"""How many labels an encoder saves: the curve, going on after a stop, the tables."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.analysis.efficiency import Run, fractions, saved_labels, saving_table, text_table
from glue_zoobot.cli import app
from glue_zoobot.errors import AnalysisError
from glue_zoobot.training import FinetuneRecipe, PretrainRecipe, pretrain
from glue_zoobot.training.label_curve import LabelCurve, from_scratch
from tests.training.conftest import QUICK


@pytest.fixture(scope="module")
def start(catalogue, tmp_path_factory):
    recipe = PretrainRecipe(**{**QUICK, "epochs": 1})
    return pretrain(catalogue, recipe, tmp_path_factory.mktemp("start") / "start", "cpu")


@pytest.fixture
def curve(catalogue, start, tmp_path):
    labels = {str(row["object_id"]): float(row["redshift"]) for row in catalogue.table}
    recipe = FinetuneRecipe(init=str(start), epochs=1)
    return LabelCurve(catalogue, labels, "redshift", None, recipe, tmp_path / "curve", "cpu")


def test_a_sixteenth_to_all():
    assert fractions(2000) == [125, 250, 500, 1000, 2000]


def test_stopped_and_continued(curve, ears):
    asked = iter(range(1000))
    given = (("frozen", "tuned", "scratch"), [20, 40], range(1), ears)
    assert curve.run(*given, stopped=lambda: next(asked) >= 3) is None
    before = curve.results()
    assert 2 <= len(before) < 6
    with (curve.folder / "results.jsonl").open("a") as file:
        file.write('{"method": "frozen", "labe')  # as a machine that lost its power leaves it
    runs = curve.run(*given)
    assert {(run.method, run.labels) for run in runs} == {
        (method, n) for method in ("frozen", "tuned", "scratch") for n in (20, 40)
    }
    assert runs[0] == before[0]
    assert len(curve.results()) == 6
    assert {"sigma_mad", "outliers_005", "bias", "r2", "coverage"} <= set(runs[0].values)
    assert not list(curve.folder.glob("tuned-*"))


def test_results_of_another_recipe_are_not_mixed(curve, ears):
    from dataclasses import replace

    curve.run(("frozen",), [20], range(1), ears)
    other = replace(curve, recipe=replace(curve.recipe, epochs=7))
    with pytest.raises(AnalysisError, match="made in another way"):
        other.run(("frozen",), [20], range(1), ears)
    with pytest.raises(AnalysisError, match="no method 'magic'"):
        curve.run(("magic",), [20], range(1), ears)
    classes = replace(curve, labels={str(i): "ring" for i in curve.labels}, target="kind", kind="classes")
    with pytest.raises(AnalysisError):
        classes.run(("frozen",), [20], range(1), ears)


def test_from_scratch_is_the_same_network(start):
    recipe = from_scratch(FinetuneRecipe(init=str(start)))
    assert recipe.init == ""
    assert recipe.architecture == "test_efficientnet"
    assert recipe.input_size == 32


def runs_of(errors):
    return [
        Run(method, n, seed, {"sigma_mad": error * (1 + 0.01 * seed), "r2": 0.5})
        for method, of_count in errors.items()
        for n, error in of_count.items()
        for seed in range(3)
    ]


def test_labels_saved_are_read_off_the_baseline():
    power = {n: n**-0.5 for n in (100, 200, 400, 800)}
    half = {n: (3 * n) ** -0.5 for n in (100, 200, 400, 800)}  # as good as three times the labels
    runs = runs_of({"scratch": power, "tuned": half, "hopeless": {100: 1.0}})
    ratios = dict(saved_labels(runs, "tuned", "scratch", "sigma_mad"))
    assert ratios[100] == pytest.approx(3, rel=0.01)
    assert ratios[200] == pytest.approx(3, rel=0.01)
    assert np.isinf(ratios[400])
    assert saved_labels(runs, "hopeless", "scratch", "sigma_mad") == []
    table = saving_table(runs, "scratch", "sigma_mad")
    assert "| 100 | 3.0 | – |" in table
    assert "| 400 | > 2.0 | – |" in table
    assert "| 100 | tuned | 3 |" in text_table(runs)


def test_by_verb(sample, start, catalogue, tmp_path):
    table = catalogue.table["object_id", "petro_radius"]
    Table(table, copy=True).write(tmp_path / "sizes.csv")
    words = [
        "bench",
        "photoz",
        sample,
        "--target",
        "petro_radius",
        "--encoder",
        start,
        "-o",
        tmp_path / "out",
    ]
    words += ["--labels", tmp_path / "sizes.csv", "--methods", "frozen,scratch", "--counts", "30,60"]
    words += ["--seeds", "1", "--epochs", "1", "--device", "cpu"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, (result.output, result.exception)
    assert "| 60 | scratch | 1 |" in result.output
    assert "Times as many labels that scratch needs for the same" in result.output
    assert (tmp_path / "out" / "curves.png").stat().st_size > 5000
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["frozen", "frozen", "scratch", "scratch"]
    again = CliRunner().invoke(app, [str(word) for word in words])
    assert "4 of 4 measured before" in again.output
