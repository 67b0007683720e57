"""From a catalogue to an encoder: what comes out, going on after a stop, and bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from astropy.table import Table
from PIL import Image
from safetensors.torch import load_file

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.encoders import find, load
from glue_zoobot.errors import CatalogueError, EncoderError
from glue_zoobot.images import open_catalogue
from glue_zoobot.training import objectives, pretrain


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same_weights(one, two):
    one, two = weights(one), weights(two)
    assert one.keys() == two.keys()
    for key in one:
        torch.testing.assert_close(one[key], two[key], rtol=1e-4, atol=1e-5)


def stop_after(n):
    """Say yes when asked for the n-th time."""
    asked = iter(range(10_000))
    return lambda: next(asked) >= n


def test_result_is_an_encoder_that_embeds(catalogue, quick, tmp_path, ears):
    recipe = quick(probe="kind", supervise=("kind",))
    folder = pretrain(catalogue, recipe, tmp_path / "made", "cpu", ears)
    plan = Plan.freeze(catalogue.source.object_ids[:40])
    encoder = load(folder, "cpu")
    store = EmbeddingStore.create(tmp_path / "store", plan, encoder.spec)
    run(plan, store, catalogue.source, encoder)
    _, matrix = store.load()
    assert matrix.shape == (40, find(folder).width)
    assert matrix.std(0).max() > 0
    assert [figures["epoch"] for figures in ears.figures] == [0, 1, 2]
    assert 0 < ears.figures[-1]["precision_at_10"] <= 1
    assert ears.steps[-1].done == ears.steps[-1].total == 400


def test_card_tells_data_recipe_and_curves(catalogue, quick, tmp_path):
    folder = pretrain(catalogue, quick(probe="kind"), tmp_path / "made", "cpu")
    card = (folder / "README.md").read_text()
    record = json.loads((folder / "curves.json").read_text())
    assert "| images | 200 |" in card
    assert "lognormal" in card
    assert "precision_at_10" in card
    assert record["recipe"]["seed"] == 0
    assert {"torch", "timm", "glue-zoobot"} <= record["versions"].keys()
    assert len(record["curves"]) == 3
    assert not (folder / "training").exists()


def test_other_objective_and_encoder_to_start_from(catalogue, quick, tmp_path):
    first = pretrain(catalogue, quick(objective="vicreg", epochs=1), tmp_path / "first", "cpu")
    recipe = quick(init=str(first), epochs=1, learning_rate=0.0, input_size=0)
    again = pretrain(catalogue, recipe, tmp_path / "again", "cpu")
    one, two = weights(first), weights(again)
    assert find(again).input_size == 32
    assert torch.equal(one["conv_stem.weight"], two["conv_stem.weight"])


@pytest.mark.parametrize("after", [3, 7])
def test_stopped_and_continued_is_as_never_stopped(catalogue, quick, tmp_path, after):
    recipe = quick(epochs=2)
    straight = pretrain(catalogue, recipe, tmp_path / "straight", "cpu")
    assert pretrain(catalogue, recipe, tmp_path / "halting", "cpu", stopped=stop_after(201 + after)) is None
    assert (tmp_path / "halting" / "training" / "checkpoint.safetensors").exists()
    halting = pretrain(catalogue, recipe, tmp_path / "halting", "cpu")
    assert_same_weights(straight, halting)
    losses = [json.loads((f / "curves.json").read_text())["curves"][-1]["loss"] for f in (straight, halting)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_killed_and_restarted_is_as_never_killed(sample, tmp_path):
    """In processes of their own with one thread: the last digits hang on the order of sums."""
    words = [sys.executable, "-m", "glue_zoobot", "pretrain", str(sample)]
    words += ["--architecture", "test_efficientnet", "--epochs", "8", "--batch-size", "100"]
    words += ["--input-size", "32", "--device", "cpu", "--json", "-o"]
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with subprocess.Popen([*words, killed], stdout=subprocess.PIPE, text=True, env=alone) as child:
        for line in child.stdout:
            event = json.loads(line)
            assert event["event"] != "error", event
            if event["event"] == "epoch" and event["epoch"] == 2:
                child.kill()
                break
    assert child.wait() == -9
    for folder in (killed, straight):
        subprocess.run([*words, folder], check=True, env=alone, capture_output=True)
    assert_same_weights(straight, killed)


def test_finished_is_not_trained_again_and_not_overwritten(catalogue, quick, tmp_path, ears):
    recipe = quick(epochs=1)
    folder = pretrain(catalogue, recipe, tmp_path / "made", "cpu")
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert pretrain(catalogue, recipe, folder, "cpu", ears) == folder
    assert "Nothing to do" in ears.words[0]
    with pytest.raises(EncoderError, match="seed was 0 and is now 1"):
        pretrain(catalogue, quick(epochs=1, seed=1), folder, "cpu")
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_loss_that_is_no_number_stops_and_keeps_the_last_good_state(catalogue, quick, tmp_path, monkeypatch):
    sound = objectives.OBJECTIVES["simclr"]
    steps = iter(range(100))
    monkeypatch.setitem(
        objectives.OBJECTIVES, "simclr", lambda p: sound(p) * (1.0 if next(steps) < 6 else float("nan"))
    )
    with pytest.raises(EncoderError, match=r"loss at step 6 is nan.*lower --learning-rate"):
        pretrain(catalogue, quick(epochs=3), tmp_path / "made", "cpu")
    kept = load_file(tmp_path / "made" / "training" / "checkpoint.safetensors")
    assert all(tensor.isfinite().all() for tensor in kept.values())
    monkeypatch.setitem(objectives.OBJECTIVES, "simclr", sound)
    gentler = quick(epochs=3, learning_rate=1e-4)
    assert pretrain(catalogue, gentler, tmp_path / "made", "cpu") == tmp_path / "made"


def test_too_few_and_all_broken_images(sample, quick, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for image in sorted((sample.parent / "images").iterdir())[:10]:
        shutil.copy(image, few)
    with pytest.raises(EncoderError, match="10 of 10 images"):
        pretrain(open_catalogue(few), quick(), tmp_path / "a", "cpu")
    for image in few.iterdir():
        image.write_bytes(b"no image")
    with pytest.raises(EncoderError, match="0 of 10 images"):
        pretrain(open_catalogue(few), quick(), tmp_path / "b", "cpu")


def test_mixed_sizes_and_some_broken_images_are_no_matter(sample, quick, tmp_path, ears):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for i, path in enumerate(sorted((sample.parent / "images").iterdir())[:60]):
        Image.open(path).resize((40 + i, 90 - i)).save(mixed / path.name)
    (mixed / "SIM-000007.png").write_bytes(b"<html>")
    folder = pretrain(open_catalogue(mixed), quick(epochs=1), tmp_path / "made", "cpu", ears)
    assert "1 images cannot be read" in ears.words[0]
    assert "| broken images left out | 1 |" in (folder / "README.md").read_text()


def test_folder_of_something_else_is_left_alone(catalogue, quick, tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(EncoderError, match="not an encoder in training"):
        pretrain(catalogue, quick(), tmp_path, "cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"architecture": "resnet1000"}, "timm has no network 'resnet1000'"),
        ({"objective": "magic"}, "'simclr' or 'vicreg'"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"probe": "shape"}, "no column is called 'shape'"),
        ({"probe": "redshift"}, "different values"),
        ({"supervise": ("votes_*",)}, r"no column is called 'votes_\*'"),
    ],
)
def test_choices_that_cannot_be(catalogue, quick, tmp_path, choices, words):
    with pytest.raises((EncoderError, CatalogueError), match=words):
        pretrain(catalogue, quick(**choices), tmp_path / "made", "cpu")
    assert not (tmp_path / "made").exists()


def test_fluxes_of_fits_cubes_are_used(quick, tmp_path):
    from astropy.io import fits

    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40] - 20
    for i in range(40):
        width, colour = random.uniform(2, 6), random.uniform(0.5, 2, (3, 1, 1))
        cube = colour * np.exp(-(x**2 + y**2) / (2 * width**2)) + random.normal(0, 0.01, (3, 40, 40))
        header = fits.Header({"BANDS": "grz", "SURVEY": "LegacySurvey"})
        fits.writeto(tmp_path / f"g{i:02d}.fits", cube.astype("float32"), header)
    Table({"file": [f"g{i:02d}.fits" for i in range(40)], "ebv": [0.1] * 40}).write(tmp_path / "c.ecsv")
    catalogue = open_catalogue(tmp_path / "c.ecsv", preset="legacy")
    folder = pretrain(catalogue, quick(epochs=1, batch_size=20), tmp_path / "made", "cpu")
    card = (folder / "README.md").read_text()
    assert "| fluxes | in bands |" in card
    assert "| galaxies with E(B-V) in the catalogue | 40 |" in card
