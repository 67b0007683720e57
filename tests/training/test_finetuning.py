"""Fine-tuning: what is trained and what stays, where it starts and stops, what comes out."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from astropy.table import Table
from safetensors.torch import load_file
from torch import nn

from glue_zoobot.analysis.heads import Head
from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.encoders import load
from glue_zoobot.errors import AnalysisError, EncoderError
from glue_zoobot.training import FinetuneRecipe, finetune, pretrain
from glue_zoobot.training.grouped import share_gradients
from glue_zoobot.training.layers import blocks, freeze, layer_groups, train_mode
from glue_zoobot.training.split import split_labels
from glue_zoobot.training.taught import embedded


@pytest.fixture(scope="session")
def start(catalogue, tmp_path_factory):
    """An encoder of a tiny network, hardly trained."""
    from glue_zoobot.training import PretrainRecipe
    from tests.training.conftest import QUICK

    recipe = PretrainRecipe(**{**QUICK, "epochs": 1})
    return pretrain(catalogue, recipe, tmp_path_factory.mktemp("start") / "start", "cpu")


@pytest.fixture(scope="session")
def kinds(catalogue):
    return {str(row["object_id"]): str(row["kind"]) for row in catalogue.table}


@pytest.fixture
def recipe(start):
    return FinetuneRecipe(init=str(start), epochs=3, batch_size=16)


def tuned_weights(folder):
    return load_file(folder / "model.safetensors")


def curves(folder):
    return json.loads((folder / "curves.json").read_text())["curves"]


def test_tuned_encoder_and_head_are_used_like_any_other(catalogue, kinds, recipe, tmp_path):
    taught = finetune(catalogue, kinds, "kind", recipe, tmp_path / "made", "cpu")
    encoder = load(tmp_path / "made", "cpu")
    store = EmbeddingStore.create(tmp_path / "store", Plan.freeze(catalogue.source.object_ids), encoder.spec)
    run(store.plan, store, catalogue.source, encoder)
    head = Head.load(tmp_path / "made" / "head")
    spec = encoder.spec
    head.check_encoder({"weights_sha256": spec.sha256, "preprocessing_hash": spec.preprocessing_hash})
    table = head.predict(*store.load())
    names = sorted(set(kinds.values()))
    assert table.colnames[:2] == ["object_id", "kind"]
    assert table.colnames[2:-2] == [f"kind_prob_{name}" for name in names]
    right = np.mean([kinds[row["object_id"]] == row["kind"] for row in table])
    assert right > 2 / len(names)
    assert "accuracy" in taught.text()
    assert head.provenance["calibrated_on"] == "galaxies held out"


def test_training_starts_from_the_head_of_the_frozen_encoder_and_keeps_the_best(
    catalogue, kinds, recipe, tmp_path, ears
):
    finetune(catalogue, kinds, "kind", recipe, tmp_path / "made", "cpu", report=ears)
    losses = [row["held_out_loss"] for row in curves(tmp_path / "made")]
    assert ears.figures[0]["epoch"] == 0
    assert ears.figures[0]["balanced_accuracy"] > 2 / 7
    card = (tmp_path / "made" / "README.md").read_text()
    assert f"| best epoch | {int(np.argmin(losses))} |" in card


def test_useless_training_ends_early_and_gives_the_frozen_encoder(catalogue, kinds, recipe, start, tmp_path):
    wild = replace(recipe, learning_rate=0.5, patience=2, epochs=50)
    finetune(catalogue, kinds, "kind", wild, tmp_path / "made", "cpu")
    assert len(curves(tmp_path / "made")) < 20
    before, after = tuned_weights(start), tuned_weights(tmp_path / "made")
    assert all(torch.equal(before[key].float(), after[key].float()) for key in before)


def test_only_the_blocks_asked_for_change(catalogue, kinds, recipe, start, tmp_path):
    eager = replace(recipe, n_blocks=1, learning_rate=1e-2, epochs=1)
    made = {str(k): v for k, v in list(kinds.items())[:24]}  # too few to hold out: the last state is kept
    finetune(catalogue, made, "kind", eager, tmp_path / "made", "cpu")
    before, after = tuned_weights(start), tuned_weights(tmp_path / "made")
    changed = {key for key in before if not torch.equal(before[key].float(), after[key].float())}
    network = timm.create_model("test_efficientnet", num_classes=0)
    assert changed
    trained = {name.rpartition(".")[0] for name in blocks(network)[-1]}
    assert {key.rpartition(".")[0] for key in changed} <= trained


def test_numbers_are_learnt_too(catalogue, recipe, tmp_path):
    sizes = {str(row["object_id"]): float(row["petro_radius"]) for row in catalogue.table}
    taught = finetune(catalogue, sizes, "petro_radius", recipe, tmp_path / "made", "cpu")
    assert any(figure.name == "R²" for figure in taught.figures)
    assert "r2" in curves(tmp_path / "made")[0]
    embedding = np.zeros((1, load(tmp_path / "made", "cpu").width), "float32")
    table = taught.head.predict(np.array(["a"]), embedding)
    assert table.colnames[1:4] == ["petro_radius", "petro_radius_lo", "petro_radius_hi"]


def test_stopped_and_continued_is_as_never_stopped(catalogue, kinds, recipe, tmp_path):
    recipe = replace(recipe, epochs=2, groups=4)
    finetune(catalogue, kinds, "kind", recipe, tmp_path / "straight", "cpu")
    asked = iter(range(10_000))
    stop = finetune(
        catalogue, kinds, "kind", recipe, tmp_path / "halting", "cpu", stopped=lambda: next(asked) >= 215
    )
    assert stop is None
    finetune(catalogue, kinds, "kind", recipe, tmp_path / "halting", "cpu")
    one, two = ([row["held_out_loss"] for row in curves(tmp_path / name)] for name in ("straight", "halting"))
    assert one == pytest.approx(two, rel=1e-4)
    for key, value in tuned_weights(tmp_path / "straight").items():
        torch.testing.assert_close(value, tuned_weights(tmp_path / "halting")[key], rtol=1e-4, atol=1e-5)


def test_other_labels_are_refused_in_the_same_folder(catalogue, kinds, recipe, tmp_path):
    short = replace(recipe, epochs=1)
    finetune(catalogue, kinds, "kind", short, tmp_path / "made", "cpu")
    fewer = dict(list(kinds.items())[:100])
    with pytest.raises(EncoderError, match="labels was"):
        finetune(catalogue, fewer, "kind", short, tmp_path / "made", "cpu")


@pytest.mark.parametrize("n", [60, 200])
def test_the_head_is_of_the_encoder_that_is_kept(catalogue, kinds, recipe, tmp_path, n):
    few = dict(list(kinds.items())[:n])  # with 60 too few are held out to calibrate by
    wild = replace(recipe, init="", architecture="test_efficientnet", input_size=32)
    head = finetune(catalogue, few, "kind", wild, tmp_path / "made", "cpu").head
    rows = np.arange(n)
    matrix, truth = embedded(catalogue, rows, np.array(list(few.values())), load(tmp_path / "made", "cpu"))
    assert (head.estimator.predict(matrix) == truth).mean() > 2 / 7


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"SIM-000000": "ring", "SIM-000001": "ring"}, "one class only"),
        ({"nobody": "ring"}, "none of the 1 labelled galaxies"),
        ({f"SIM-{i:06d}": i / 7 for i in range(9)}, "give at least 10"),
        ({f"SIM-{i:06d}": 3.0 for i in range(20)}, "1 different values"),
    ],
)
def test_too_little_to_learn_from(catalogue, recipe, tmp_path, labels, words):
    kind = "number" if labels and isinstance(next(iter(labels.values())), float) else None
    with pytest.raises(AnalysisError, match=words):
        finetune(catalogue, labels, "t", recipe, tmp_path / "made", "cpu", kind)
    assert not (tmp_path / "made").exists()


def test_every_class_is_drawn_equally_often_and_a_fifth_is_held_out(catalogue, kinds):
    split = split_labels(catalogue, kinds)
    assert 20 <= len(split.held) <= 60
    assert not set(split.train) & set(split.held)
    weights = split.weights()
    per_class = [weights[split.train_values == name].sum() for name in split.classes]
    np.testing.assert_allclose(per_class, 1 / len(split.classes))


def test_rates_decay_from_the_head_down():
    encoder, head = timm.create_model("test_efficientnet", num_classes=0), nn.Linear(256, 3)
    groups = layer_groups(encoder, head, 0.5, 0.05)
    scales = list(dict.fromkeys(group["scale"] for group in groups))
    assert scales == [0.5**level for level in range(len(blocks(encoder)) + 1)]
    assert any(p is head.weight for p in groups[0]["params"])
    n = sum(len(group["params"]) for group in groups)
    assert n == len(list(encoder.parameters())) + 2
    freeze(encoder, 2)
    assert len({group["scale"] for group in layer_groups(encoder, head, 0.5, 0.05)}) == 3


def test_statistics_follow_in_blocks_that_are_trained_and_stay_in_those_that_are_not():
    network = timm.create_model("test_efficientnet", num_classes=0)
    freeze(network, 1)
    train_mode(network)
    before = {k: v.clone() for k, v in network.state_dict().items() if "running" in k}
    network(torch.randn(8, 3, 32, 32) * 3 + 1)
    after = network.state_dict()
    moved = {key.rpartition(".")[0] for key in before if not torch.equal(before[key], after[key])}
    trained = {name.rpartition(".")[0] for name in blocks(network)[-1]}
    assert moved
    assert moved <= trained


def test_neurons_of_a_group_share_their_gradient():
    torch.manual_seed(0)
    pool = (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(nn.Conv2d(3, 12, 3), *pool, nn.Linear(12, 2))
    reference = copy.deepcopy(network)
    pictures = torch.randn(16, 3, 9, 9)
    assert share_gradients(network, pictures, 4, seed=0) == 1  # the last layer has fewer neurons than groups
    for model in (network, reference):
        model(pictures).square().sum().backward()
    shared, own = network[0].weight.grad, reference[0].weight.grad
    assert len(torch.unique(shared.flatten(1), dim=0)) == 4
    torch.testing.assert_close(shared.sum(0), own.sum(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network[4].weight.grad, reference[4].weight.grad)


def test_labels_by_verb(sample, start, kinds, tmp_path):
    from typer.testing import CliRunner

    from glue_zoobot.cli import app

    labels = tmp_path / "labels.csv"
    Table({"object_id": list(kinds), "kind": list(kinds.values())}).write(labels)
    words = ["finetune", sample, "--encoder", start, "--labels", labels, "--target", "kind"]
    words += ["-o", tmp_path / "made", "--epochs", "1", "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    told = [json.loads(line) for line in result.output.splitlines() if line.startswith("{")]
    assert told[-1] == {"event": "done", "encoder": str(tmp_path / "made")}
    assert [event["epoch"] for event in told if event["event"] == "epoch"] == [0, 1]


def test_network_begins_by_saying_what_the_head_of_the_frozen_encoder_says():
    from glue_zoobot.training.finetuning import Tuned

    class Passing(nn.Identity):
        num_features = 6

    random = np.random.default_rng(0)
    features = random.normal(5, [0, 1e-4, 1, 2, 3, 50], (40, 6)).astype("float32")
    weights, offset = random.normal(size=(6, 3)), random.normal(size=3)
    network = Tuned(Passing(), 3, dropout=0.5).eval()
    network.set_head(features, weights, offset)
    expected = features @ weights + offset
    said = network(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(said, expected, atol=0.02)


def test_with_too_few_labels_to_judge_by_it_stays_halfway_to_what_it_was(
    catalogue, kinds, recipe, start, tmp_path, monkeypatch
):
    from glue_zoobot.training import finetuning

    few, eager = dict(list(kinds.items())[:24]), replace(recipe, epochs=1, learning_rate=1e-2)
    finetune(catalogue, few, "kind", eager, tmp_path / "halfway", "cpu")
    monkeypatch.setattr(finetuning, "HALFWAY", 1.0)
    finetune(catalogue, few, "kind", eager, tmp_path / "whole", "cpu")
    before, halfway, whole = (tuned_weights(tmp_path / name) for name in (start, "halfway", "whole"))
    assert any(not torch.equal(before[key], whole[key]) for key in before)
    for key in before:
        if before[key].is_floating_point():
            torch.testing.assert_close(halfway[key], (before[key] + whole[key]) / 2)


def test_classes_are_learnt_once_more_with_the_galaxies_that_judged(
    catalogue, kinds, recipe, start, tmp_path, monkeypatch
):
    from glue_zoobot.training import finetuning

    shown, whole = set(), finetuning._Finetuning._batch

    def noted(self, step):
        drawn, pictures = whole(self, step)
        shown.update(self.split.train[drawn].tolist())
        return drawn, pictures

    monkeypatch.setattr(finetuning._Finetuning, "_batch", noted)
    taught = finetune(catalogue, kinds, "kind", replace(recipe, epochs=4), tmp_path / "made", "cpu")
    held = split_labels(catalogue, kinds).held
    best = min(curves(tmp_path / "made"), key=lambda row: row["held_out_loss"])
    assert best["epoch"] > 0, "or there is nothing to train again"
    assert len(shown & set(held.tolist())) > len(held) / 2
    judged, made = (tuned_weights(folder) for folder in (tmp_path / "made" / "judged", tmp_path / "made"))
    assert any(not torch.equal(judged[key], made[key]) for key in made)
    assert taught.head.provenance["weights_sha256"] == load(tmp_path / "made", "cpu").spec.sha256


def test_all_labels_among_those_held_out(catalogue, kinds, recipe, tmp_path):
    from glue_zoobot.encoders.mini import held_out

    aside = {name: kind for name, kind in kinds.items() if held_out(name)}
    with pytest.raises(AnalysisError, match="among the fifth that is held out"):
        finetune(catalogue, aside, "kind", recipe, tmp_path / "made", "cpu")


def test_full_memory_loses_nothing(catalogue, kinds, recipe, tmp_path, monkeypatch):
    from glue_zoobot.training import finetuning

    whole, calls = finetuning._Finetuning._loss, iter(range(1000))

    def full(self, *given):
        if next(calls) == 12:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, *given)

    monkeypatch.setattr(finetuning._Finetuning, "_loss", full)
    short = replace(recipe, epochs=2)
    with pytest.raises(EncoderError, match="smaller --batch-size"):
        finetune(catalogue, kinds, "kind", short, tmp_path / "made", "cpu")
    assert (tmp_path / "made" / "training" / "checkpoint.safetensors").exists()
    assert finetune(catalogue, kinds, "kind", short, tmp_path / "made", "cpu") is not None
