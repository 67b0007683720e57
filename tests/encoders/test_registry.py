from __future__ import annotations

import subprocess
import sys

import pytest

from glue_zoobot.encoders import EncoderSpec, find, listing, register, registry, specs
from glue_zoobot.errors import EncoderError


@pytest.fixture
def clean_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    yield
    registry._from_entry_points.cache_clear()


def other(name="theirs", **fields):
    return EncoderSpec(
        name=name, family="timm", architecture="resnet18", weights="them/net", width=512, **fields
    )


def test_zoobot_is_fed_as_it_was_trained_not_as_its_stored_config_says():
    spec = find("convnext_nano")
    assert spec.weights == "mwalmsley/zoobot-encoder-convnext_nano"
    assert (spec.width, spec.input_size, spec.interpolation) == (640, 224, "bilinear")
    assert spec.crop == pytest.approx(1 / 1.2)
    assert (spec.mean, spec.std) == ((0, 0, 0), (1, 1, 1))
    assert spec.licence == "Apache-2.0"


def test_mini_comes_first_and_then_the_recommended_encoder():
    assert [spec.name for spec in specs()][:2] == ["mini", "convnext_nano"]


def test_a_near_miss_is_proposed_once():
    with pytest.raises(EncoderError, match=r"did you mean convnext_nano or (?!convnext_nano )"):
        find("convnext_nani")


def test_greyscale_encoders_have_one_channel():
    grey = [spec for spec in specs() if "greyscale" in spec.name]
    assert {spec.architecture for spec in grey} == {"convnext_nano", "convnext_pico"}
    assert all(spec.channels == 1 for spec in grey)
    assert all(spec.channels == 3 for spec in specs() if "greyscale" not in spec.name)


def test_widths_are_those_of_the_networks():
    import timm
    import torch

    for name in ("convnext_nano", "convnext_base", "maxvit_tiny_tf_224", "efficientnet_b0", "resnet50"):
        spec = find(name)
        with torch.device("meta"):
            network = timm.create_model(spec.architecture, num_classes=0)
        assert getattr(network, "head_hidden_size", network.num_features) == spec.width, name


def test_photograph_networks_agree_with_their_publishers():
    for name in ("resnet50.a1_in1k", "convnext_nano.in12k_ft_in1k", "efficientnet_b0.ra_in1k"):
        theirs = find(f"timm:{name}")
        assert (theirs.preprocessing_hash, theirs.weights, theirs.width) == (
            find(name).preprocessing_hash,
            find(name).weights,
            find(name).width,
        )
    from glue_zoobot.encoders.find import _torchvision

    for name in ("mobilenet_v2", "resnet50"):
        theirs, ours = _torchvision(name), find(f"torchvision:{name}")
        assert (theirs.preprocessing_hash, theirs.weights, theirs.width) == (
            ours.preprocessing_hash,
            ours.weights,
            ours.width,
        )


def test_register_adds_a_name(clean_registry):
    register(other())
    register(other())
    assert find("theirs").weights == "them/net"
    assert "theirs" in [spec.name for spec in specs()]


def test_register_refuses_a_taken_name(clean_registry):
    with pytest.raises(EncoderError, match="convnext_nano"):
        register(other("convnext_nano"))


def test_other_packages_add_encoders_by_entry_point(tmp_path, monkeypatch, clean_registry):
    (tmp_path / "their_package.py").write_text(
        "from glue_zoobot.encoders import EncoderSpec\n"
        "def encoders():\n"
        "    return [EncoderSpec(name='from-them', family='timm', architecture='resnet18',"
        " weights='them/net', width=512)]\n"
        "def faulty():\n"
        "    raise RuntimeError('not today')\n"
    )
    info = tmp_path / "their_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[glue_zoobot.encoders]\ngood = their_package:encoders\nbad = their_package:faulty\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    registry._from_entry_points.cache_clear()
    assert find("from-them").weights == "them/net"
    assert find("convnext_nano").family == "zoobot"


def test_listing_says_what_a_user_chooses_by(hub):
    rows = {row["name"]: row for row in listing()}
    nano = rows["convnext_nano"]
    assert (nano["width"], nano["input_px"], nano["licence"], nano["cached"]) == (
        640,
        224,
        "Apache-2.0",
        False,
    )
    assert nano["size_mb"] == pytest.approx(59.9)


def test_listing_needs_no_torch():
    code = (
        "import sys; from glue_zoobot.encoders import listing, find, is_cached; "
        "listing(); is_cached(find('convnext_nano')); "
        "print(sorted({'torch', 'timm', 'torchvision'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
