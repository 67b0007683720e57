"""Ways to learn from few labels, compared in one command that may be stopped."""

import json
import shutil

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.analysis.fewlabels import Score
from glue_zoobot.analysis.teaching import labelled_rows
from glue_zoobot.cli import app
from glue_zoobot.errors import AnalysisError
from glue_zoobot.training import FinetuneRecipe, pretrain
from glue_zoobot.training.fewlabels import Contest, Record


@pytest.fixture(scope="module")
def start(catalogue, tmp_path_factory):
    from glue_zoobot.training import PretrainRecipe
    from tests.training.conftest import QUICK

    recipe = PretrainRecipe(**{**QUICK, "epochs": 1})
    return pretrain(catalogue, recipe, tmp_path_factory.mktemp("start") / "start", "cpu")


@pytest.fixture
def contest(catalogue, start):
    kinds = {str(row["object_id"]): str(row["kind"]) for row in catalogue.table}
    labelled = labelled_rows(catalogue.source.object_ids, kinds)
    names = catalogue.source.object_ids[labelled.rows]
    recipe = FinetuneRecipe(epochs=1, batch_size=16)
    told = []

    def make(**changes):
        given = {"methods": ("frozen", "fine-tuned", "grouped", "scratch"), "counts": (30,), "seeds": (0,)}
        return Contest(
            catalogue, labelled, names, "kind", recipe=recipe, device="cpu", tell=told.append,
            **{"encoders": [str(start)], **given, **changes},
        )  # fmt: skip

    make.told = told
    return make


def test_all_ways_with_the_same_labels_and_galaxies(contest, tmp_path):
    scores = contest().run(tmp_path / "record.jsonl")
    assert [score.head for score in scores] == [f"start {way}" for way in contest().methods]
    assert len({len(score.right) for score in scores}) == 1
    assert not (tmp_path / "record.work").exists()


def test_stopped_and_run_again_it_goes_on(contest, tmp_path):
    record, few = tmp_path / "record.jsonl", {"methods": ("frozen",), "seeds": (0, 1)}
    asked = iter([False, True])
    assert contest(**few, stopped=lambda: next(asked)).run(record) is None
    assert len(record.read_text().splitlines()) == 2
    with record.open("a") as file:
        file.write('{"head": "start fro')  # killed in the middle of a line
    assert len(contest(**few).run(record)) == 2
    assert len(contest.told) == 2, "what was measured before is not measured again"
    again = contest(**few).run(record)
    assert [score.seed for score in again] == [0, 1]
    assert len(contest.told) == 2


def test_an_encoder_trained_anew_does_not_join_figures_of_the_old_one(contest, start, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(start, tmp_path / "start")
    few = {"methods": ("frozen",), "encoders": [str(folder)]}
    assert contest(**few).run(tmp_path / "record.jsonl")
    weights = {name: 2 * tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(AnalysisError, match="another file of weights"):
        contest(**few).run(tmp_path / "record.jsonl")


def test_another_comparison_is_refused(tmp_path):
    Record(tmp_path / "r.jsonl", {"target": "ring"}).add(Score("a", 10, 0, {"accuracy": 0.5}, "10"))
    assert ("a", 10, 0) in Record(tmp_path / "r.jsonl", {"target": "ring"})
    with pytest.raises(AnalysisError, match="another target"):
        Record(tmp_path / "r.jsonl", {"target": "bar"})
    (tmp_path / "other.jsonl").write_text(json.dumps({"id": 3}) + "\n")
    with pytest.raises(AnalysisError, match="is no record"):
        Record(tmp_path / "other.jsonl", {"target": "ring"})


def test_a_draw_of_one_class_is_left_out(contest, tmp_path):
    scores = contest(methods=("frozen",), counts=(2, 30), seeds=range(6)).run(tmp_path / "record.jsonl")
    assert sum(score.labels == 30 for score in scores) == 6
    assert all(np.isfinite(score.values["accuracy"]) for score in scores)


def test_by_verb(sample, start, tmp_path):
    table = Table.read(sample)
    words = ["bench", "fewlabels", sample, "--target", "kind", "--labels", "20,60", "--seeds", "2"]
    words += ["--encoder", start, "--methods", "frozen", "-o", tmp_path / "b.csv", "--device", "cpu"]
    words += ["--figure", tmp_path / "b.png"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "| 60 | start frozen |" in result.output
    assert len(Table.read(tmp_path / "b.csv")) == 4
    assert len(table) == 200
