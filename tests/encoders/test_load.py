from __future__ import annotations

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from glue_zoobot.encoders import find, is_cached, load
from glue_zoobot.errors import EncoderError

from .conftest import COMMIT, random_network, snapshot

OURS = {
    "architecture": "test_convnext",
    "num_features": 48,
    "input_size": 64,
    "crop": 1.0,
    "interpolation": "bilinear",
    "mean": [0.1, 0.1, 0.1],
    "std": [0.2, 0.2, 0.2],
    "channels": 3,
    "licence": "BSD-3-Clause",
}


def our_directory(path, tensors=None, **changes):
    path.mkdir()
    config = {**OURS, **changes}
    network = random_network(config["architecture"])
    config["num_features"] = changes.get("num_features", network.num_features)
    (path / "config.json").write_text(json.dumps(config))
    save_file(network.state_dict() if tensors is None else tensors, path / "model.safetensors")
    return path


def test_directory_saved_by_timm(tiny_directory, pictures):
    from timm import create_model

    encoder = load(str(tiny_directory), device="cpu")
    vectors = encoder.embed(pictures)
    assert vectors.dtype == np.float32
    assert vectors.shape == (12, encoder.spec.width) == (12, encoder.width)
    theirs = create_model(f"local-dir:{tiny_directory}", pretrained=True, num_classes=0).eval()
    with torch.inference_mode():
        expected = theirs(encoder.preprocess(pictures)).numpy()
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-5)


def test_directory_in_our_layout(tmp_path, pictures):
    encoder = load(our_directory(tmp_path / "ours"), device="cpu")
    assert encoder.spec.name == "ours"
    assert encoder.spec.mean == (0.1, 0.1, 0.1)
    assert encoder.embed(pictures[:2]).shape == (2, encoder.width)


def test_half_precision_weights_work_in_float32(tmp_path, pictures):
    tensors = {key: value.half() for key, value in random_network("test_convnext").state_dict().items()}
    encoder = load(our_directory(tmp_path / "half", tensors), device="cpu")
    assert encoder.precision == "float32"
    assert encoder.preprocess(pictures).dtype is torch.float32
    assert np.isfinite(encoder.embed(pictures)).all()


def test_spec_says_which_weights_were_read(tiny_directory):
    spec = load(str(tiny_directory), device="cpu").spec
    assert spec.sha256 == hashlib.sha256((tiny_directory / "model.safetensors").read_bytes()).hexdigest()


def test_altered_weights_are_refused(tiny_directory):
    spec = find(str(tiny_directory)).replace(sha256="0" * 64)
    with pytest.raises(EncoderError, match=r"not the file that was expected.*SHA-256"):
        load(spec, device="cpu")


def test_single_file_described_in_its_header(tmp_path, pictures):
    network = random_network("test_convnext")
    config = json.dumps({**OURS, "num_features": network.num_features})
    save_file(network.state_dict(), tmp_path / "net.safetensors", metadata={"glue_zoobot": config})
    assert load(tmp_path / "net.safetensors", device="cpu").embed(pictures[:1]).shape == (
        1,
        network.num_features,
    )


def test_single_file_described_beside_it(tmp_path):
    network = random_network("test_convnext")
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    with pytest.raises(EncoderError, match=r"net\.json") as caught:
        find(tmp_path / "net.safetensors")
    example = json.loads(str(caught.value).split("\n")[-1])
    described = {**example, "architecture": "test_convnext", "num_features": network.num_features}
    (tmp_path / "net.json").write_text(json.dumps(described))
    assert load(tmp_path / "net.safetensors", device="cpu").spec.name == "net"


def test_zoobot_weights_in_a_folder_are_fed_as_zoobot(tiny_directory, tmp_path):
    copy = tmp_path / "zoobot-encoder-test"
    shutil.copytree(tiny_directory, copy)
    for name in (str(copy), f"zoobot:{tiny_directory}"):
        spec = find(name)
        assert spec.family == "zoobot"
        assert (spec.mean, spec.std, spec.interpolation) == ((0, 0, 0), (1, 1, 1), "bilinear")
        assert spec.crop == pytest.approx(1 / 1.2)
    assert find(str(tiny_directory)).mean != (0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"architecture": "test_resnet", "num_features": 48}, "missing"),
        ({"num_features": 7}, "gives .* not 7"),
        ({"model_args": {"checkpoint_path": "other.pth"}}, "checkpoint_path"),
        ({"mean": None}, "describe"),
    ],
)
def test_directories_that_do_not_fit_are_refused(tmp_path, changes, word):
    tensors = random_network("test_convnext").state_dict()
    path = our_directory(tmp_path / "wrong", tensors, **changes)
    with pytest.raises(EncoderError, match=word):
        load(path, device="cpu")


def test_a_missing_config_is_named(tmp_path):
    path = our_directory(tmp_path / "bare")
    (path / "config.json").unlink()
    with pytest.raises(EncoderError, match=r"config\.json"):
        find(path)


def test_damaged_weights_are_named(tmp_path):
    path = our_directory(tmp_path / "torn")
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(EncoderError, match=r"model\.safetensors cannot be read"):
        load(path, device="cpu")


def test_weights_under_their_authors_names_are_translated(tmp_path):
    network = random_network("convnext_atto", seed=3)
    renamed = {}
    for key, value in network.state_dict().items():
        key = key.replace("stem.", "downsample_layers.0.").replace("head.norm.", "norm.")
        key = key.replace(".blocks.", ".").replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv")
        if ".downsample." in key:
            stage = key.split(".")[1]
            key = key.replace(f"stages.{stage}.downsample.", f"downsample_layers.{stage}.")
        renamed[key] = value
    path = our_directory(tmp_path / "theirs", renamed, architecture="convnext_atto", num_features=320)
    inputs = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = network(inputs)
        got = load(path, device="cpu").forward(inputs)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def nano_tensors():
    return random_network("convnext_nano").state_dict()


@pytest.fixture
def nano_on_hub(hub, nano_tensors):
    """Lay out the default encoder as the hub library does: pickled weights, and a config that is wrong."""
    folder = snapshot(hub, "mwalmsley/zoobot-encoder-convnext_nano")
    torch.save(nano_tensors, folder / "pytorch_model.bin")
    stored = {"input_size": [3, 224, 224], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    stored |= {"interpolation": "bicubic", "crop_pct": 0.95}
    config = {"architecture": "convnext_nano", "num_features": 640, "pretrained_cfg": stored}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_default_encoder_from_the_hubs_cache(nano_on_hub, pictures):
    assert is_cached("convnext_nano")
    encoder = load("convnext_nano", device="cpu")
    assert encoder.embed(pictures[:2]).shape == (2, 640)
    assert encoder.spec.revision == COMMIT
    assert encoder.spec.sha256 == hashlib.sha256((nano_on_hub / "pytorch_model.bin").read_bytes()).hexdigest()
    assert encoder.spec.preprocessing_hash == find("convnext_nano").preprocessing_hash


def test_all_names_of_the_default_encoder_mean_the_same(nano_on_hub):
    same = find("convnext_nano")
    assert find("hf_hub:mwalmsley/zoobot-encoder-convnext_nano") == same
    assert find("zoobot-encoder-convnext_nano") == same
    pinned = find(f"hf_hub:mwalmsley/zoobot-encoder-convnext_nano@{COMMIT}")
    assert pinned == same.replace(revision=COMMIT)
    assert is_cached(pinned)
    assert not is_cached(same.replace(revision="f" * 40))
    assert find(nano_on_hub).preprocessing_hash == same.preprocessing_hash


def test_a_hub_encoder_that_is_not_in_the_registry(hub, tiny_directory, pictures):
    folder = snapshot(hub, "someone/galaxy-net")
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(tiny_directory / name)
    encoder = load("hf_hub:someone/galaxy-net", device="cpu")
    assert encoder.spec.revision == COMMIT
    assert encoder.embed(pictures[:1]).shape == (1, encoder.width)


@pytest.mark.parametrize("name", ["convnext_nano", "hf_hub:someone/nothing", "torchvision:mobilenet_v2"])
def test_offline_without_weights_names_the_ways_out(hub, name):
    with pytest.raises(EncoderError) as caught:
        load(name, device="cpu")
    message = str(caught.value)
    assert name in message
    assert str(hub.parent) in message
    assert "HF_HOME" in message or "TORCH_HOME" in message
    assert "directory" in message
    assert "--encoder mini" in message


def test_pickle_that_would_run_code_is_refused(hub, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    folder = snapshot(hub, "mwalmsley/zoobot-encoder-convnext_nano")
    torch.save({"stem.0.weight": Hostile()}, folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="could run code"):
        load("convnext_nano", device="cpu")
    assert not (tmp_path / "ran").exists()


def test_safetensors_are_preferred_to_pickle(tiny_directory, tmp_path):
    copy = tmp_path / "both"
    shutil.copytree(tiny_directory, copy)
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    assert find(copy).weights.endswith("model.safetensors")
    (copy / "model.safetensors").unlink()
    assert find(copy).weights.endswith("pytorch_model.bin")
    load(copy, device="cpu")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("convnext_nanno", "convnext_nano"),
        ("./no/such/folder", "no encoder at"),
        ("mwalmsley/zoobot-encoder-convnext_nano", "hf_hub:"),
        ("torchvision:nonsense", "nonsense"),
    ],
)
def test_unknown_names_are_answered_with_a_hint(name, word):
    with pytest.raises(EncoderError, match=word):
        find(name)


def test_a_device_that_is_absent_is_said_so(tiny_directory, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EncoderError, match="--device cpu"):
        load(str(tiny_directory), device="cuda")
    for wrong in ("foo", "cpu:x", "meta"):
        with pytest.raises(EncoderError, match=f"no device '{wrong}'; the devices are"):
            load(str(tiny_directory), device=wrong)
