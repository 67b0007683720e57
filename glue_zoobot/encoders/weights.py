"""
Where an encoder's weights are, how they get here, and how they are read.

Hub files live in the cache of ``huggingface_hub`` (``HF_HOME``), torchvision's in that of ``torch.hub``
(``TORCH_HOME``). What is cached is used without asking the network. Safetensors are preferred; pickled
weights are read by torch's weights-only unpickler, which builds tensors and runs no code. Nothing here
imports torch before tensors are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue_zoobot.encoders.registry import MINI_DIRECTORY, registry
from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

if TYPE_CHECKING:
    import torch

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_TRUSTED = "https://download.pytorch.org/"
HUB_PREFIXES = ("hf_hub:", "hf-hub:")


@dataclass(frozen=True)
class WeightsFile:
    """A weights file on this disk and the revision it belongs to."""

    path: Path
    revision: str


def hub_cache() -> Path:
    """Return the directory where ``huggingface_hub`` keeps its files."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def torch_cache() -> Path:
    """Return the directory where ``torch.hub`` keeps downloaded weights."""
    fallback = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", fallback)).expanduser() / "hub" / "checkpoints"


def cached(spec: EncoderSpec) -> WeightsFile | None:
    """Return the weights file of an encoder if it is on this disk. Asks no network."""
    if spec.weights == "package":
        return _if_there(MINI_DIRECTORY / WEIGHT_FILES[0], spec)
    if spec.weights.startswith("https://"):
        return _if_there(torch_cache() / spec.weights.rsplit("/", 1)[-1], spec)
    if Path(spec.weights).is_absolute():
        return _if_there(Path(spec.weights), spec)
    for name in WEIGHT_FILES:
        path = hub_file_if_cached(spec.weights, name, spec.revision)
        if path is not None:
            return WeightsFile(path, commit_of(path))
    return None


def fetch(spec: EncoderSpec) -> WeightsFile:
    """
    Return the weights file of an encoder, downloading it if it is not on this disk.

    Raises
    ------
    EncoderError
        If it is not here and cannot be downloaded; names the ways out.
    """
    here = cached(spec)
    if here is not None:
        return here
    if spec.weights == "package" or Path(spec.weights).is_absolute():
        raise EncoderError(f"encoder {spec.name!r}: its weights are missing, looked at {_looked(spec)}.")
    try:
        return _download_address(spec) if spec.weights.startswith("https://") else _download_hub(spec)
    except Exception as error:
        raise EncoderError(ways_out(spec, error)) from error


def hub_file(repository: str, name: str, revision: str = "main") -> Path:
    """Return a file of a hub repository, from the cache or downloaded; raises what the hub library raises."""
    from huggingface_hub import hf_hub_download

    here = hub_file_if_cached(repository, name, revision)
    if here is None:
        _knock()
        here = Path(hf_hub_download(repository, name, revision=revision, cache_dir=hub_cache()))
    return here


def _knock() -> None:
    """Ask once whether the hub answers: its library tries for half a minute before it says no."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if not constants.is_offline_mode():
        get_session().head(constants.ENDPOINT, timeout=10)


def hub_file_if_cached(repository: str, name: str, revision: str) -> Path | None:
    """Return a file of a hub repository if it is in the cache."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name, revision=revision, cache_dir=hub_cache())
    return Path(found) if isinstance(found, str) else None


def commit_of(path: Path) -> str:
    """Return the commit of a cached hub file: ``.../snapshots/<commit>/<file>``."""
    return path.parent.name


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """
    Read the tensors of a weights file.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or pickled weights, of which only tensors are accepted.

    Raises
    ------
    EncoderError
        If the file is damaged, or holds anything but weights.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise EncoderError(
            f"{path} holds more than weights and was not opened, since reading it could run code. "
            "Get the encoder as .safetensors, or from its publisher."
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise EncoderError(f"{path} cannot be read as weights: {error}. Download it again.") from error
    return _tensors_in(content, path)


def header_config(path: Path) -> dict[str, Any] | None:
    """
    Return the encoder's description in the header of a safetensors file, if it has one.

    It is a ``config.json`` in our layout under the key ``glue_zoobot``.

    Raises
    ------
    EncoderError
        If the file is no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
        return json.loads(header["glue_zoobot"]) if "glue_zoobot" in header else None
    except (SafetensorError, OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read as safetensors: {error}. Download it again.") from error


def _tensors_in(content: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise EncoderError(f"{path} holds no plain set of tensors; save the encoder's state dict instead.")
    return content


def _if_there(path: Path, spec: EncoderSpec) -> WeightsFile | None:
    return WeightsFile(path, spec.revision) if path.is_file() else None


def _download_hub(spec: EncoderSpec) -> WeightsFile:
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in WEIGHT_FILES:
        try:
            path = hub_file(spec.weights, name, spec.revision)
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            continue
        return WeightsFile(path, commit_of(path))
    raise EncoderError(f"the repository holds neither of {WEIGHT_FILES}")


def _download_address(spec: EncoderSpec) -> WeightsFile:
    from huggingface_hub import constants
    from torch.hub import download_url_to_file

    if constants.is_offline_mode():
        raise EncoderError("HF_HUB_OFFLINE is set, so nothing is downloaded")
    registered = {known.weights for known in registry().values()}
    if not spec.weights.startswith(_TRUSTED) and spec.weights not in registered:
        # a store or a session may name any address
        raise EncoderError(f"it is not from {_TRUSTED}; download it yourself if you trust it")
    path = torch_cache() / spec.weights.rsplit("/", 1)[-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    # torchvision writes the first digits of the SHA-256 into the file's name
    download_url_to_file(spec.weights, str(path), hash_prefix=path.stem.rsplit("-", 1)[-1], progress=False)
    return WeightsFile(path, spec.revision)


def _looked(spec: EncoderSpec) -> str:
    if spec.weights == "package":
        return str(MINI_DIRECTORY)
    if Path(spec.weights).is_absolute():
        return spec.weights
    if spec.weights.startswith("https://"):
        return str(torch_cache() / spec.weights.rsplit("/", 1)[-1])
    return str(hub_cache() / ("models--" + spec.weights.replace("/", "--")))


def ways_out(spec: EncoderSpec, error: Exception) -> str:
    """Say which encoder cannot be had, where it was looked for, why, and what to do about it."""
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    home = "TORCH_HOME" if spec.weights.startswith("https://") else "HF_HOME"
    return (
        f"encoder {spec.name!r} ({spec.weights}, revision {spec.revision}) is not on this machine "
        f"and could not be downloaded: {reason}\n"
        f"Looked in {_looked(spec)}.\n"
        f"Two ways out: (1) download it on a machine with a connection, then copy that machine's cache here "
        f"and set {home} to it, or pass the directory with config.json and the weights as the encoder; "
        "(2) use the small encoder that is part of this package: --encoder mini."
    )
