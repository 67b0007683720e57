"""From what a user types to an `EncoderSpec`."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from glue_zoobot.encoders import weights
from glue_zoobot.encoders.configs import read_config, spec_from_config
from glue_zoobot.encoders.known_files import known_file
from glue_zoobot.encoders.published import (
    ZOOBOT_CITATION,
    ZOOBOT_GREY_VIEW,
    ZOOBOT_LICENCE,
    ZOOBOT_OWNER,
    ZOOBOT_PREFIXES,
    ZOOBOT_VIEW,
)
from glue_zoobot.encoders.registry import registry
from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError


def find(name: str | Path) -> EncoderSpec:
    """
    Describe the encoder that a name or path stands for. Reads no weights.

    Parameters
    ----------
    name : str or Path
        A registered name (``convnext_nano``, ``mini``...); ``hf_hub:owner/name``, perhaps ``@revision``; a
        timm name (``timm:resnet18``, or ``resnet18.a1_in1k``); ``torchvision:mobilenet_v2``; a directory with
        ``config.json`` and ``model.safetensors`` or ``pytorch_model.bin``; a ``.safetensors`` file.
        A directory whose path names a Zoobot encoder is fed as Zoobot is; ``zoobot:DIRECTORY`` says so.

    Returns
    -------
    EncoderSpec

    Raises
    ------
    EncoderError
        If nothing of that name is known, or its description cannot be had.
    """
    text = str(name)
    known = registry()
    spec = known.get(text) or known.get(text.removeprefix("zoobot-encoder-"))
    if spec is not None:
        return spec
    kind, _, rest = text.partition(":")
    if kind in ("hf_hub", "hf-hub"):
        return _on_hub(rest)
    if kind == "torchvision":
        return _torchvision(rest)
    if kind == "timm":
        return _timm(rest)
    if kind == "zoobot":
        return _local(Path(rest), zoobot=True)
    path = Path(text).expanduser()
    if path.exists() or len(path.parts) > 1 or path.suffix == ".safetensors":
        return _local(path)
    return _timm(text)


def _local(path: Path, zoobot: bool | None = None) -> EncoderSpec:
    path = path.expanduser().absolute()
    if path.is_dir():
        return _directory(path, zoobot)
    if not path.is_file():
        raise EncoderError(
            f"there is no encoder at {path}; give a directory with config.json, or a .safetensors file. "
            "An encoder on the Hugging Face hub is written hf_hub:owner/name."
        )
    if path.suffix != ".safetensors":
        raise EncoderError(f"{path} is no .safetensors file; give one, or a directory with config.json.")
    return _single_file(path, zoobot)


def _directory(path: Path, zoobot: bool | None) -> EncoderSpec:
    files = [path / name for name in weights.WEIGHT_FILES if (path / name).is_file()]
    if not files:
        raise EncoderError(
            f"{path} holds neither of {', '.join(weights.WEIGHT_FILES)}; it is no encoder directory."
        )
    return _described(read_config(path / "config.json"), files[0], path.name, zoobot)


def _single_file(path: Path, zoobot: bool | None) -> EncoderSpec:
    """Described by its own header, by a JSON file beside it, or known by its SHA-256."""
    beside = path.with_suffix(".json")
    if path.name in weights.WEIGHT_FILES and (path.parent / "config.json").is_file():
        return _directory(path.parent, zoobot)
    header = weights.header_config(path)
    if header is not None:
        return _described(header, path, path.stem, zoobot)
    if beside.is_file():
        return _described(read_config(beside), path, path.stem, zoobot)
    spec = known_file(path)
    if spec is not None:
        return spec
    raise EncoderError(
        f"{path} does not say which network it is for, nor what that network sees. "
        f"Describe it in {beside.name} beside it, for instance:\n{json.dumps(_EXAMPLE)}"
    )


_EXAMPLE = {
    "architecture": "convnext_nano",
    "num_features": 640,
    "input_size": 224,
    "crop": 0.8333333,
    "interpolation": "bilinear",
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
}


def _described(config: dict[str, Any], file: Path, name: str, zoobot: bool | None) -> EncoderSpec:
    if zoobot is None:
        zoobot = "crop" not in config and _is_zoobots(file)
    size = round(file.stat().st_size / 1e6, 1)
    fields: dict[str, Any] = {"name": name, "weights": str(file), "revision": "local", "size_mb": size}
    spec = spec_from_config(config, file.parent, **fields)
    return spec.replace(**_as_zoobot(grey=spec.channels == 1)) if zoobot else spec


def _is_zoobots(file: Path) -> bool:
    """Whether a file or its directory is named as Zoobot's encoders are, or lies in the hub's cache."""
    cache = tuple(f"models--{ZOOBOT_OWNER}--{prefix}" for prefix in ZOOBOT_PREFIXES)
    named = any(name.startswith(ZOOBOT_PREFIXES) for name in (file.name, file.parent.name))
    return named or any(folder.name.startswith(cache) for folder in file.parents)


def _as_zoobot(grey: bool) -> dict[str, Any]:
    view = ZOOBOT_GREY_VIEW if grey else ZOOBOT_VIEW
    return {"family": "zoobot", "licence": ZOOBOT_LICENCE, "citation": ZOOBOT_CITATION, **view}


def _on_hub(rest: str) -> EncoderSpec:
    repository, _, revision = rest.partition("@")
    for spec in registry().values():
        if spec.weights == repository:
            return spec.replace(revision=revision) if revision else spec
    unread = EncoderSpec(f"hf_hub:{repository}", "timm", "", repository, revision or "main")
    try:
        file = weights.hub_file(repository, "config.json", unread.revision)
    except Exception as error:
        raise EncoderError(weights.ways_out(unread, error)) from error
    fields: dict[str, Any] = {"name": unread.name, "weights": repository, "revision": unread.revision}
    spec = spec_from_config(read_config(file), file, **fields)
    owner, _, repository_name = repository.partition("/")
    zoobot = owner == ZOOBOT_OWNER and repository_name.startswith(ZOOBOT_PREFIXES)
    return spec.replace(**_as_zoobot(grey=spec.channels == 1)) if zoobot else spec


def _timm(name: str) -> EncoderSpec:
    import timm

    if not timm.is_model(name):
        near = difflib.get_close_matches(name, {**registry(), **dict.fromkeys(timm.list_models())}, n=3)
        raise EncoderError(
            f"no encoder is called {name!r}{'; did you mean ' + ' or '.join(near) + '?' if near else '.'} "
            "`glue-zoobot encoders` lists them; a path or hf_hub:owner/name will do as well."
        )
    stored = timm.get_pretrained_cfg(name)
    if stored is None or not stored.hf_hub_id:
        raise EncoderError(
            f"timm has no published weights for {name!r}; choose one of timm.list_pretrained()."
        )
    config = {**stored.to_dict(), "architecture": stored.architecture, "num_features": _width(name)}
    fields = {"name": f"{stored.architecture}.{stored.tag}", "weights": stored.hf_hub_id}
    return spec_from_config(config, f"timm's {name}", **fields)


def _width(name: str) -> int:
    """Width of a network, from one built without memory."""
    import timm
    import torch

    with torch.device("meta"):
        network: Any = timm.create_model(name, pretrained=False, num_classes=0)
    return getattr(network, "head_hidden_size", None) or network.num_features


def _torchvision(name: str) -> EncoderSpec:
    from torchvision import models

    try:
        published = models.get_model_weights(name).DEFAULT
    except ValueError as error:
        raise EncoderError(f"torchvision has no network called {name!r}: {error}") from error
    view = published.transforms()
    config = {
        "architecture": name,
        "num_features": _torchvision_width(name),
        "input_size": view.crop_size[0],
        "crop": view.crop_size[0] / view.resize_size[0],
        "interpolation": view.interpolation.value,
        "mean": view.mean,
        "std": view.std,
    }
    fields: dict[str, Any] = {
        "name": f"torchvision:{name}",
        "family": "torchvision",
        "licence": "BSD-3-Clause",
    }
    size = published.meta.get("_file_size", 0.0)
    return spec_from_config(config, fields["name"], weights=published.url, size_mb=size, **fields)


def _torchvision_width(name: str) -> int:
    import torch
    from torch import nn
    from torchvision import models

    with torch.device("meta"):
        network = models.get_model(name, weights=None)
    return int([layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1].in_features)
