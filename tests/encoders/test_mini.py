"""The encoder in the package is real, small, and puts galaxies of a kind together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import glue_zoobot.encoders
from glue_zoobot.encoders import find, load
from glue_zoobot.encoders.mini import held_out
from glue_zoobot.images.simulated import SimulatedGalaxies

FOLDER = Path(glue_zoobot.encoders.__file__).parent / "mini"


@pytest.fixture(scope="module")
def encoder():
    return load("mini", device="cpu")


@pytest.fixture(scope="module")
def sample():
    return SimulatedGalaxies(n=160, random_state=5)


@pytest.fixture(scope="module")
def pictures(sample):
    return [sample.read(i) for i in range(len(sample))]


@pytest.fixture(scope="module")
def embeddings(encoder, pictures):
    return np.concatenate([encoder.embed(pictures[i : i + 32]) for i in range(0, len(pictures), 32)])


def test_the_package_stays_small():
    assert (FOLDER / "model.safetensors").stat().st_size <= 8e6


def test_the_spec_says_what_the_network_sees():
    spec = find("mini")
    assert spec.family == "mini"
    assert spec.input_size <= 128
    assert spec.licence == "BSD-3-Clause"


def test_the_model_card_tells_data_recipe_and_figures():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for fact in (
        "sdss_gz1",
        "train_mini.py",
        "held out",
        "precision@10",
        "Sloan Digital Sky Survey",
        "BSD-3-Clause",
    ):
        assert fact in card


def test_embeddings_are_finite_and_as_wide_as_announced(encoder, embeddings):
    assert embeddings.shape == (160, encoder.spec.width)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_frame_gives_finite_numbers(encoder, value):
    assert np.isfinite(encoder.embed(np.full((1, 64, 64, 3), value, np.uint8))).all()


def test_orientation_hardly_matters(encoder, pictures, embeddings):
    turned = encoder.embed([np.ascontiguousarray(np.rot90(picture)) for picture in pictures[:48]])
    assert cosine(turned, embeddings[:48]).mean() >= 0.98


def test_neighbours_are_of_the_same_kind_far_more_often_than_by_chance(sample, embeddings):
    kind = np.asarray(sample.table()["kind"])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    agreement = (kind[nearest] == kind[:, None]).mean()
    chance = np.mean([(kind == k).mean() for k in kind])
    assert agreement > 2.5 * chance


def test_the_split_keeps_about_a_fifth_and_never_changes():
    kept = [held_out(str(number)) for number in range(2000)]
    assert 0.17 < np.mean(kept) < 0.23
    assert [number for number in range(20) if kept[number]] == [0, 1, 14, 18]


def cosine(first, second):
    return (first * second).sum(1) / (np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1))
