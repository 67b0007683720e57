"""Encoders that were trained on the images of a dataset: where they are kept, and which there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue_zoobot.catalog.pictures import source_of
from glue_zoobot.catalog.record import record_of, relative_to_data, resolve, update_record

if TYPE_CHECKING:
    from glue.core import Data

__all__ = [
    "encoder_folder",
    "read_comparison",
    "read_curves",
    "remember_encoder",
    "trained_encoders",
    "unfinished_trainings",
]

_WORK = "training"  # of `glue_zoobot.training.card`, which imports torch
_REQUEST = "request.json"


def encoder_folder(data: Data, name: str) -> Path:
    """Return a folder for a new encoder, ``<source>.encoders/<name>``; with a number if there is one."""
    stem = re.sub(r"[^\w.+-]+", "_", name).strip("._") or "encoder"
    folder, number = _home(data) / stem, 2
    while folder.exists():
        folder, number = folder.with_name(f"{stem}-{number}"), number + 1
    return folder


def remember_encoder(data: Data, folder: Path) -> None:
    """Remember an encoder with the dataset, and so with the session."""
    known = record_of(data).get("encoders", [])
    mine = relative_to_data(data, folder)
    update_record(data, encoders=[*(one for one in known if one != mine), mine])


def trained_encoders(data: Data) -> list[Path]:
    """Return finished encoders that the dataset remembers or that lie beside its images, newest first."""
    found = [folder for folder in _folders(data) if (folder / "config.json").is_file()]
    return sorted(found, key=lambda folder: (folder / "config.json").stat().st_mtime, reverse=True)


def unfinished_trainings(data: Data) -> dict[Path, dict[str, Any]]:
    """Return trainings that were stopped, with what was asked for (see `glue_zoobot.qt.train.jobs`)."""
    found = {}
    for folder in _folders(data):
        request = _read(folder / _WORK / _REQUEST)
        if request and not (folder / "config.json").exists():
            found[folder] = request
    return found


def read_comparison(folder: Path) -> dict[str, Any] | None:
    """Return how a fine-tuned encoder compares with the frozen one; None if that is not known."""
    return _read(folder / "comparison.json")


def read_curves(folder: Path) -> list[dict[str, Any]]:
    """Return what each epoch of a finished training gave."""
    return (_read(folder / "curves.json") or {}).get("curves", [])


def _home(data: Data) -> Path:
    from glue_zoobot.embedding import default_store

    spec = source_of(data)
    beside = default_store("catalogue" if spec is None else spec.path, "encoder").parent
    return beside.with_name(beside.name.removesuffix(".embeddings") + ".encoders")


def _folders(data: Data) -> list[Path]:
    remembered = [resolve(data, path) for path in record_of(data).get("encoders", [])]
    home = _home(data)
    beside = sorted(home.iterdir()) if home.is_dir() else []
    return list(dict.fromkeys(path for path in [*remembered, *beside] if path.is_dir()))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
