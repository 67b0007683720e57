"""
From the ``config.json`` beside a weights file to an `EncoderSpec`.

Two layouts are read. Ours says outright what the network sees::

    {"architecture": "convnext_nano", "num_features": 640, "input_size": 224, "crop": 0.8333,
     "interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1], "channels": 3,
     "family": "timm", "padding": "network", "licence": "Apache-2.0", "citation": "..."}

timm's (``save_for_hf``) holds a ``pretrained_cfg`` with ``input_size``, ``crop_pct``, ``mean``...
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

Config = Mapping[str, Any]


def read_config(path: Path) -> dict[str, Any]:
    """
    Read a ``config.json``.

    Raises
    ------
    EncoderError
        If it is missing or is not a JSON object.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(
            f"{path} cannot be read: {error}. An encoder needs it beside its weights."
        ) from error
    if not isinstance(config, dict):
        raise EncoderError(f"{path} holds no JSON object; see the documentation of encoder directories.")
    return config


def preprocessing_of(config: Config) -> dict[str, Any]:
    """Preprocessing fields of an `EncoderSpec`, from either layout."""
    return _ours(config) if "crop" in config else _timm(config)


def spec_from_config(config: Config, where: str | Path, **fields: Any) -> EncoderSpec:
    """
    Describe the encoder of a configuration.

    Parameters
    ----------
    config : mapping
        Content of a ``config.json``, in our layout or timm's.
    where : str or path
        For messages.
    **fields
        What the configuration cannot know (name, weights...) or must not decide.

    Raises
    ------
    EncoderError
        If something needed is missing.
    """
    try:
        known = {
            "family": config.get("family", "timm"),
            "architecture": config["architecture"],
            "width": int(config["num_features"]),
            "licence": _licence(config),
            "citation": config.get("citation", ""),
            "model_args": config.get("model_args", {}),
            "padding": config.get("padding", "network"),
        }
        return EncoderSpec(**{**known, **preprocessing_of(config), **fields})
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise EncoderError(
            f"{where} does not describe an encoder: {type(error).__name__} {error}. "
            "It needs architecture, num_features, input_size, crop, interpolation, mean and std."
        ) from error


def _licence(config: Config) -> str:
    stored = config.get("pretrained_cfg", config)
    return config.get("licence") or stored.get("license") or "unknown"


def _ours(config: Config) -> dict[str, Any]:
    return {
        "input_size": int(config["input_size"]),
        "crop": float(config["crop"]),
        "interpolation": config["interpolation"],
        "mean": tuple(config["mean"]),
        "std": tuple(config["std"]),
        "channels": int(config.get("channels", len(config["mean"]))),
    }


def _timm(config: Config) -> dict[str, Any]:
    stored = config.get("pretrained_cfg", config)
    channels, height, _ = stored["input_size"]
    return {
        "input_size": int(height),
        "crop": float(stored.get("crop_pct") or 1.0),
        "interpolation": stored["interpolation"],
        "mean": tuple(stored["mean"])[:channels],
        "std": tuple(stored["std"])[:channels],
        "channels": int(channels),
    }
