"""From a trained network to a directory that is an encoder: weights, configuration, curves and model card."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.encoders import EncoderSpec
from glue_zoobot.errors import EncoderError
from glue_zoobot.training.checkpoint import save_tensors
from glue_zoobot.training.recipes import require_same

__all__ = ["fingerprint", "finished", "prepare", "versions", "write_encoder"]

WORK = "training"
CURVES = "curves.json"


def finished(folder: Path, recipe: Mapping[str, Any]) -> bool:
    """
    Whether a folder holds the encoder that this recipe makes.

    Raises
    ------
    EncoderError
        If it holds an encoder that was trained in another way, or something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if (folder / "config.json").is_file() and (folder / CURVES).is_file():
        require_same(recipe, json.loads((folder / CURVES).read_text(encoding="utf-8"))["recipe"], folder)
        return True
    if not (folder / WORK).is_dir():
        raise EncoderError(f"{folder} exists and is not an encoder in training; choose another name with -o")
    return False


def fingerprint(words: Iterable[object]) -> str:
    """Short hash of some words, in their order."""
    return hashlib.sha256("\n".join(map(str, words)).encode()).hexdigest()[:16]


def prepare(folder: Path) -> Path:
    """Make the folder of the encoder with one for the work on it; return the latter."""
    try:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(f"{folder} cannot be made ({error}); choose another place with -o") from error
    return folder / WORK


def write_encoder(
    folder: Path,
    network: nn.Module,
    spec: EncoderSpec,
    recipe: Mapping[str, Any],
    curves: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> Path:
    """
    Write the directory of an encoder, its configuration last, and remove what was needed on the way.

    Parameters
    ----------
    folder : Path
    network : nn.Module
        Gives (B, D) features.
    spec : EncoderSpec
        How pictures become its input.
    recipe, curves, facts : mappings
        For the card: how, how it went, and from what.

    Returns
    -------
    Path
        The folder, which `glue_zoobot.encoders.find` opens.
    """
    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    write_atomically(folder / "model.safetensors", lambda path: save_tensors(weights, path, {"format": "pt"}))
    (folder / "model.safetensors").chmod(0o644)
    record = {"recipe": recipe, "facts": facts, "versions": versions(), "curves": list(curves)}
    _write(folder / CURVES, json.dumps(record, indent=1))
    _write(folder / "README.md", _card(folder.name, spec, record))
    _write(folder / "config.json", json.dumps(_config(spec, network), indent=2) + "\n")
    shutil.rmtree(folder / WORK, ignore_errors=True)  # some systems keep a file that is mapped
    return folder


def versions() -> dict[str, str]:
    """Versions of what takes part in a training."""
    return {name: version(name) for name in ("glue-zoobot", "torch", "timm")} | {
        "python": platform.python_version()
    }


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _config(spec: EncoderSpec, network: nn.Module) -> dict[str, Any]:
    return {
        "architecture": spec.architecture,
        "family": "torchvision" if spec.family == "torchvision" else "timm",
        "num_classes": 0,
        "num_features": int(network.num_features),  # type: ignore[arg-type]
        "input_size": spec.input_size,
        "crop": spec.crop,
        "interpolation": spec.interpolation,
        "mean": list(spec.mean),
        "std": list(spec.std),
        "channels": spec.channels,
        "padding": spec.padding,
        "model_args": dict(spec.model_args),
        "licence": spec.licence,
        "citation": spec.citation,
    }


def _card(name: str, spec: EncoderSpec, record: Mapping[str, Any]) -> str:
    """Text of the model card: what a user of the weights has to know, with the figures as numbers."""
    lines = [f"# {name}", "", "A galaxy encoder trained with glue-zoobot.", ""]
    seen = f"the centre {spec.crop:.0%} of the frame at {spec.input_size} pixels"
    lines += [f"Network {spec.architecture}; sees {seen}."]
    for title in ("facts", "recipe", "versions"):
        lines += ["", f"## {title.capitalize()}", "", "| | |", "| --- | --- |"]
        lines += [f"| {key} | {_cell(value)} |" for key, value in record[title].items()]
    curves = record["curves"]
    columns = list(dict.fromkeys(key for row in curves for key in row))
    lines += ["", "## Curves", "", "| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
    lines += ["| " + " | ".join(_cell(row.get(key, "")) for key in columns) + " |" for row in _some(curves)]
    return "\n".join([*lines, "", f"All epochs are in `{CURVES}`.", ""])


def _some(curves: Sequence[Mapping[str, Any]], most: int = 30) -> list[Mapping[str, Any]]:
    """Rows of the table: those with more than a loss, else every so many, and the last."""
    told = [row for row in curves if len(row) > 2] or list(curves)
    every = -(-len(told) // most) or 1
    return [*told[:-1:every], *told[-1:]]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
