"""
The state of a training in one file, either the old one or the new one, never half of either.

Tensors (networks, optimiser) are safetensors, all else is JSON in its header. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.errors import EncoderError

__all__ = ["load", "read_facts", "save", "save_tensors"]

_OPTIMISER = "optimiser"


def save(
    path: Path, networks: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer, facts: Mapping[str, Any]
) -> None:
    """
    Write a checkpoint.

    Raises
    ------
    StoreError
        If the disk is full, and so on; the checkpoint before it is then still there.
    """
    tensors = {
        f"{name}.{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"{_OPTIMISER}.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
    whole = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    metadata = {"state": json.dumps(dict(facts))}
    write_atomically(path, lambda temporary: save_tensors(whole, temporary, metadata))


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file; a full disk is an `OSError`, as it is for any other file."""
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_facts(path: Path) -> dict[str, Any]:
    """
    Read what a checkpoint says beside its tensors.

    Raises
    ------
    EncoderError
        If it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["state"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"{path} cannot be read ({error}). Delete it, and the training begins anew."
        ) from error


def load(path: Path, networks: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """
    Put networks and optimiser into the state of a checkpoint.

    Returns
    -------
    dict
        What `save` was given as `facts`.

    Raises
    ------
    EncoderError
        If it is damaged, or of another network.
    """
    facts = read_facts(path)
    try:
        tensors = load_file(path)
        for name, network in networks.items():
            network.load_state_dict(_below(tensors, name))
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(tensors, _OPTIMISER).items():
            number, _, item = key.partition(".")
            state.setdefault(int(number), {})[item] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise EncoderError(f"{path} does not fit this training ({error}). Choose another -o.") from error
    return facts


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")
    }
