"""Encoders from elsewhere: pickles with code, lying headers, weights that are none. No code runs."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from glue_zoobot.encoders import find
from glue_zoobot.errors import EncoderError

from ..encoders.conftest import random_network
from .limits import read_bounded

CONFIG = {
    **{
        "architecture": "test_efficientnet",
        "num_features": 256,
        "input_size": 64,
        "crop": 1.0,
        "channels": 3,
    },
    **{"interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1], "licence": "none"},
}


class Touch:
    """Pickled, it makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def encoder(
    folder: Path, name: str, weights: bytes | None = None, file="model.safetensors", **config
) -> Path:
    """A folder of an encoder, as one is passed on."""
    path = folder / name
    path.mkdir()
    (path / "config.json").write_text(json.dumps({**CONFIG, **config}))
    if weights is not None:
        (path / file).write_bytes(weights)
    return path


def torch_file(content, **kw) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **kw)
    return file.getvalue()


def safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return random_network("test_efficientnet").state_dict()


def test_hostile_encoders(tmp_path, tensors):
    canary = tmp_path / "canary"
    evil = Touch(canary)
    state = {k: v.clone() for k, v in tensors.items()}
    save_file(state, tmp_path / "good.safetensors")
    good = (tmp_path / "good.safetensors").read_bytes()
    first = next(k for k, v in state.items() if v.ndim == 4)
    hyper = {"_instantiator": "os.system", "class_path": "os.system", "cmd": f"touch {canary}"}
    lightning = {"state_dict": state, "hyper_parameters": hyper, "pytorch-lightning_version": "2.5.0"}
    raw = pickle.dumps({"state_dict": evil})
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(evil))
        archive.writestr("archive/version", "3\n")
        archive.writestr("../../evil.txt", "x")
    entry = {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}
    bins = "pytorch_model.bin"
    cases = {
        "pickle": encoder(tmp_path, "pickle", raw, bins),
        "pickled as safetensors": encoder(tmp_path, "pst", raw),
        "torch zip": encoder(tmp_path, "zip", zipped.getvalue(), bins),
        "code beside tensors": encoder(tmp_path, "beside", torch_file({**state, "x": evil}), bins),
        "legacy torch": encoder(
            tmp_path, "legacy", torch_file(evil, _use_new_zipfile_serialization=False), bins
        ),
        "lightning with code": encoder(tmp_path, "lc", torch_file({**lightning, "callbacks": evil}), bins),
        # names in its hyper-parameters are never imported: its tensors are read, and nothing else
        "lightning": encoder(tmp_path, "lightning", torch_file(lightning), bins),
        "no weights": encoder(tmp_path, "none"),
        "empty": encoder(tmp_path, "empty", b""),
        "cut short": encoder(tmp_path, "cut", good[: len(good) // 2]),
        "wrong shape": encoder(tmp_path, "shape", _saved(tmp_path, {**state, first: state[first][:1]})),
        "NaN": encoder(tmp_path, "nan", _saved(tmp_path, {**state, first: state[first] * np.nan})),
        "infinite": encoder(tmp_path, "inf", _saved(tmp_path, {**state, first: state[first] / 0})),
        "huge header": encoder(tmp_path, "hh", safetensors({}, length=2**62)),
        "offsets beyond": encoder(tmp_path, "off", safetensors({"a": {**entry, "data_offsets": [0, 2**40]}})),
        "overlapping": encoder(tmp_path, "over", safetensors({"a": entry, "b": entry}, b"\0" * 64)),
        "lying shape": encoder(
            tmp_path, "ls", safetensors({"a": {**entry, "shape": [2**31, 2**31]}}, b"\0" * 64)
        ),
        "no JSON": encoder(tmp_path, "nj", safetensors(b"\xff" * 100)),
        "deep JSON": encoder(tmp_path, "dj", safetensors(b"[" * 100_000)),
        "loads another": encoder(
            tmp_path, "la", good, model_args={"checkpoint_path": str(tmp_path / "pickle" / bins)}
        ),
        "pretrained": encoder(tmp_path, "pre", good, model_args={"pretrained": True}),
        "backbone": encoder(
            tmp_path,
            "bb",
            good,
            family="torchvision",
            architecture="fcn_resnet50",
            model_args={"weights_backbone": "DEFAULT"},
        ),
        "hub": encoder(tmp_path, "hub", good, architecture="hf-hub:evil/evil"),
        "enormous": encoder(tmp_path, "big", good, input_size=10**7),
        "many": encoder(tmp_path, "many", good, architecture="+".join(["vit_giant_patch14_224"] * 50)),
        "wide": encoder(tmp_path, "wide", good, model_args={"width": 10**6, "channel_multiplier": 10**6}),
        "width": encoder(tmp_path, "width", good, num_features=2**40),
    }
    results = dict(zip(cases, read_bounded("encoders", list(cases.values()), 2500, 280), strict=True))
    assert not canary.exists()
    assert not (tmp_path.parent / "evil.txt").exists()
    assert {name for name, (outcome, _) in results.items() if outcome == "read"} == {"lightning"}
    del results["lightning"]
    for name, (_, text) in results.items():
        assert cases[name].name in text or str(cases[name]) in text, f"{name}: {text}"
    assert "could run code" in results["pickle"][1]


def _saved(folder: Path, tensors) -> bytes:
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "x.safetensors")
    return (folder / "x.safetensors").read_bytes()


def test_a_config_that_is_no_config(tmp_path):
    for number, text in enumerate(("", "[]", "{", "null", "[" * 50_000, "9" * 5000, '{"a": 1}')):
        path = tmp_path / str(number)
        path.mkdir()
        (path / "config.json").write_text(text)
        (path / "model.safetensors").write_bytes(b"")
        with pytest.raises(EncoderError, match=str(path)):
            find(str(path))


def test_a_store_does_not_say_where_weights_are_downloaded_from(tmp_path):
    """The manifest of a store names its encoder; an address in it that is not known is not asked."""
    from glue_zoobot.encoders import EncoderSpec, load

    spec = EncoderSpec(
        "x", "torchvision", "mobilenet_v2", "https://127.0.0.1:9/evil-0123abcd.pth", width=1280
    )
    with pytest.raises(EncoderError, match="not from https://download"):
        load(spec, device="cpu")
