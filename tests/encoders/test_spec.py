from __future__ import annotations

import json

import pytest

from glue_zoobot.encoders import EncoderSpec, find
from glue_zoobot.errors import EncoderError


def spec(**fields):
    return EncoderSpec(name="x", family="timm", architecture="resnet18", weights="me/x", width=512, **fields)


def test_preprocessing_hash_of_zoobot_never_changes():
    # embeddings in stores of released versions carry this hash
    assert find("convnext_nano").preprocessing_hash == (
        "e49712cb1ffb0ba7f40dd11597db7cae718892aa57e74e497659f55106185486"
    )
    assert find("convnext_base").preprocessing_hash == find("convnext_nano").preprocessing_hash


@pytest.mark.parametrize(
    "change",
    [
        {"input_size": 128},
        {"crop": 0.9},
        {"interpolation": "bicubic"},
        {"mean": (0.5, 0.5, 0.5)},
        {"std": (255, 255, 255)},
        {"channels": 1, "mean": (0,), "std": (1,)},
        {"padding": "tf_same"},
    ],
)
def test_hash_follows_what_the_network_sees(change):
    assert spec(**change).preprocessing_hash != spec().preprocessing_hash


def test_hash_ignores_where_the_weights_are():
    moved = spec().replace(weights="/elsewhere/model.safetensors", revision="abc", sha256="1" * 64, name="y")
    assert moved.preprocessing_hash == spec().preprocessing_hash


def test_survives_json():
    one = spec(model_args={"global_pool": "avg"}, mean=(0.1, 0.2, 0.3))
    assert EncoderSpec.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"crop": 0.0}, "crop"),
        ({"crop": 1.5}, "crop"),
        ({"interpolation": "nearest"}, "interpolation"),
        ({"std": (1, 0, 1)}, "zero"),
        ({"channels": 1}, "mean and std"),
        ({"channels": 4}, "channels"),
        ({"input_size": 0}, "input_size"),
        ({"padding": "none"}, "padding"),
    ],
)
def test_nonsense_is_refused(change, word):
    with pytest.raises(EncoderError, match=word):
        spec(**change)
