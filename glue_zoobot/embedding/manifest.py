"""What a store says about itself, and when two such statements agree."""

from __future__ import annotations

import dataclasses
import json
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from glue_zoobot.embedding.files import decide, write_atomically
from glue_zoobot.embedding.plan import Plan
from glue_zoobot.errors import StoreError

FORMAT = 1
FILE = "manifest.json"
_PACKAGES = ("glue-zoobot", "torch", "torchvision", "timm", "numpy", "pyarrow", "Pillow")


def new_manifest(plan: Plan, encoder_spec: Any, precision: str | None) -> dict[str, Any]:
    """
    Manifest of a new store.

    Parameters
    ----------
    plan : Plan
    encoder_spec : EncoderSpec
        Its fields and its ``preprocessing_hash`` are recorded.
    precision : str or None
        ``float32`` or ``bfloat16``; None leaves the choice to the first run.
    """
    return {
        "format": FORMAT,
        "catalogue": {"name": plan.name, "galaxies": plan.n, "rows": plan.n_rows, "plan": plan.hash},
        "encoder": describe_encoder(encoder_spec),
        "precision": precision,
        "dtype": "float16",
        "versions": _versions(),
    }


def describe_encoder(spec: Any) -> dict[str, Any]:
    """Fields of an `EncoderSpec` and its preprocessing hash, as JSON holds them."""
    fields = dataclasses.asdict(spec) | {"preprocessing_hash": spec.preprocessing_hash}
    return json.loads(json.dumps(fields, default=str))


def encoder_difference(stored: dict[str, Any], offered: dict[str, Any]) -> str | None:
    """
    Say in what two encoders differ, both named; None where they are the same.

    The weights are the same where their SHA-256 is, wherever they lie; without it, where id and
    commit are, as far as these are known. Names, licences and other words do not matter.
    """
    keys = ["architecture", "width", "preprocessing_hash"]
    if stored.get("sha256") and offered.get("sha256"):
        keys.append("sha256")
    else:
        pinned = all(
            re.fullmatch("[0-9a-f]{40}", str(encoder.get("revision"))) for encoder in (stored, offered)
        )
        keys += ["weights", "revision"] if pinned else ["weights"]
    for key in keys:
        if stored.get(key) != offered.get(key):
            what = "preprocessing" if key == "preprocessing_hash" else key
            return (
                f"'{stored.get('name')}' ({what} {_short(stored.get(key))}), "
                f"not '{offered.get('name')}' ({what} {_short(offered.get(key))})"
            )
    return None


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Read and check a store's manifest.

    Raises
    ------
    StoreError
        There is none, it is damaged, or a newer version of this package wrote it.
    """
    path = folder / FILE
    try:
        manifest = json.loads(path.read_text("utf-8"))
        number = manifest["format"]
        if number == FORMAT:
            _check(manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"{folder} holds no embedding store (no {FILE}). Make one with `glue-zoobot embed`."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read ({error}). Restore it, or start a new store in another folder."
        ) from error
    if number != FORMAT:
        raise StoreError(
            f"{folder} has store format {number}, this glue-zoobot reads format {FORMAT}. Update glue-zoobot."
        )
    return manifest


def _check(manifest: dict[str, Any]) -> None:
    """Raise `ValueError` unless what all other code relies on is there, and is what it should be."""
    encoder, precision = manifest["encoder"], manifest["precision"]
    words = {f"encoder {key}": encoder[key] for key in ("name", "preprocessing_hash")}
    words["catalogue plan"] = manifest["catalogue"]["plan"]
    for what, text in words.items():
        if not isinstance(text, str):
            raise ValueError(f"its {what} is {text!r}")
    if type(encoder["width"]) is not int or not 0 < encoder["width"] < 2**20:
        raise ValueError(f"its encoder width is {encoder['width']!r}")
    if precision is not None and not isinstance(precision, str):
        raise ValueError(f"its precision is {precision!r}")


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a store's manifest atomically."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / FILE, lambda temporary: temporary.write_text(text, "utf-8"))


def choose(folder: Path, key: str, value: Any) -> Any:
    """
    Settle what several workers may choose at the same moment: the first choice is everybody's.

    It lies in a file of its own, ``chosen-KEY.json``, since of two who rewrite the manifest one loses.
    """
    text = decide(folder / f"chosen-{key}.json", json.dumps(value))
    try:
        return json.loads(text)
    except ValueError as error:
        raise StoreError(
            f"{folder / f'chosen-{key}.json'} cannot be read ({error}). Delete this file and run again."
        ) from error


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] if len(text) in (40, 64) else text


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
