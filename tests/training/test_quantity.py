"""Fine-tuning towards a number or a redshift: both ways, the figures of the field, honest intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from astropy.table import Table

from glue_zoobot.training import FinetuneRecipe, PretrainRecipe, finetune, pretrain
from glue_zoobot.training.quantity import Quantity
from tests.training.conftest import QUICK


@pytest.fixture(scope="module")
def start(catalogue, tmp_path_factory):
    recipe = PretrainRecipe(**{**QUICK, "epochs": 1})
    return pretrain(catalogue, recipe, tmp_path_factory.mktemp("start") / "start", "cpu")


@pytest.fixture(scope="module")
def redshifts(catalogue):
    return {str(row["object_id"]): float(row["redshift"]) for row in catalogue.table}


@pytest.mark.parametrize("bins", [False, True])
def test_redshifts_by_number_and_by_bins(catalogue, redshifts, start, bins, tmp_path):
    recipe = FinetuneRecipe(init=str(start), epochs=1, batch_size=32, bins=bins)
    missing = dict(list(redshifts.items())[:3])
    labels = redshifts | dict.fromkeys(missing, -99.0)
    taught = finetune(catalogue, labels, "z_spec", recipe, tmp_path / "made", "cpu")
    names = [figure.name for figure in taught.figures]
    assert names[:3] == ["σ_MAD", "outliers > 0.05", "outliers > 0.15"]
    assert names[-1] == "in the 68 % interval"
    assert 0.5 < taught.figures[-1].value < 0.85
    epochs = json.loads((tmp_path / "made" / "curves.json").read_text())["curves"]
    assert {"held_out_loss", "r2", "sigma_mad", "outliers"} <= set(epochs[0])
    table = taught.head.predict(np.array(["a"]), np.zeros((1, taught.head.estimator.n_features_in_), "f4"))
    assert table.colnames[1:] == ["z_spec", "z_spec_lo", "z_spec_hi", "z_spec_unlike"]


@pytest.mark.parametrize("binned", [False, True])
def test_the_last_layer_begins_as_the_frozen_head_and_truth_costs_least(binned):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 12)).astype("f4")
    values = 0.2 + 0.05 * features[:, 0] + 0.005 * rng.normal(size=400)
    quantity = Quantity(values, binned, redshift=True)
    weights, offset = quantity.head(features, values, seed=0)
    said = torch.from_numpy((features @ weights + offset).astype("f4"))
    truth = torch.from_numpy(((values - values.mean()) / values.std()).astype("f4"))
    assert said.shape == (400, quantity.n_outputs)
    figures = quantity.figures(said, truth)
    assert figures["r2"] > 0.9
    assert figures["sigma_mad"] < 0.02
    assert quantity.loss(said, truth) < quantity.loss(said, truth[torch.randperm(400)])


def test_by_verb(sample, start, catalogue, tmp_path):
    from typer.testing import CliRunner

    from glue_zoobot.cli import app

    labels = tmp_path / "z.csv"
    Table({"object_id": catalogue.table["object_id"], "redshift": catalogue.table["redshift"]}).write(labels)
    words = ["finetune", sample, "--encoder", start, "--labels", labels, "--target", "redshift", "--bins"]
    words += ["-o", tmp_path / "made", "--epochs", "1", "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "sigma_mad" in result.output
    assert "σ_MAD" in result.output or "u03c3_MAD" in result.output
