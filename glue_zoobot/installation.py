"""What works on this computer and what is missing; for the command line and for the window."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import glue_zoobot

__all__ = ["Finding", "check_installation"]

_REQUIRED = (
    "glue-core",
    "numpy",
    "astropy",
    "pyarrow",
    "Pillow",
    "h5py",
    "timm",
    "safetensors",
    "scikit-learn",
)
_OPTIONAL = {"umap-learn": "UMAP maps", "pynndescent": "UMAP maps", "glue-qt": "the window"}
_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


@dataclass(frozen=True)
class Finding:
    """
    One thing that was looked at.

    Attributes
    ----------
    what : str
        Its name.
    ok : bool
    detail : str
        Its version or place; or what is missing and how to get it.
    required : bool
        Whether glue-zoobot cannot work without it.
    """

    what: str
    ok: bool
    detail: str
    required: bool = False


def check_installation() -> list[Finding]:
    """
    Look at everything that glue-zoobot needs; imports torch, so it takes seconds.

    Returns
    -------
    list of Finding
        In the order in which they should be read.
    """
    return [
        Finding("glue-zoobot", True, f"{glue_zoobot.__version__}, Python {platform.python_version()}", True),
        *_packages(),
        *_torch(),
        *_qt(),
        *_encoders(),
        _hub(),
    ]


def _packages() -> Iterator[Finding]:
    for name in _REQUIRED:
        yield _package(name, f"missing: pip install {name}", required=True)
    for name, use in _OPTIONAL.items():
        yield _package(name, f"missing, needed for {use}: pip install {name}", required=False)


def _package(name: str, missing: str, required: bool) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name), required)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, missing, required)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except Exception as exc:  # a damaged installation raises all sorts of errors
        yield Finding(
            "torch", False, f"cannot be imported ({exc}): pip install --force-reinstall torch", True
        )
        return
    yield Finding("torch", True, torch.__version__, True)
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        yield Finding("GPU", True, ", ".join(names))
    elif torch.backends.mps.is_available():
        yield Finding("GPU", True, "Apple (mps)")
    else:
        yield Finding("GPU", False, f"not found; embedding runs on the {os.cpu_count()} processor cores")


def _qt() -> Iterator[Finding]:
    for name in _BINDINGS:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        yield Finding("Qt binding", True, f"{name} {version}")
        return
    yield Finding("Qt binding", False, 'missing, needed for the window: pip install "glue-zoobot[qt]"')


def _encoders() -> Iterator[Finding]:
    from glue_zoobot.encoders import listing

    known = listing()
    here = [row["name"] for row in known if row["cached"]]
    if here:
        yield Finding("encoders", True, f"on this computer: {', '.join(here)} (of {len(known)} known)")
    else:
        yield Finding("encoders", False, f"none of {len(known)} on this computer; downloaded when first used")


def _hub() -> Finding:
    from huggingface_hub import constants

    folder = constants.HF_HUB_CACHE
    if constants.HF_HUB_OFFLINE:
        return Finding("encoder cache", False, f"{folder}; HF_HUB_OFFLINE is set, so nothing is downloaded")
    parent = folder
    while not os.path.exists(parent):  # noqa: PTH110
        parent = os.path.dirname(parent)  # noqa: PTH120
    if not os.access(parent, os.W_OK):
        return Finding("encoder cache", False, f"{folder} cannot be written: set HF_HOME to another folder")
    return Finding("encoder cache", True, folder)


if __name__ == "__main__":
    # The window runs this in a child process, because importing torch would stop it for seconds.
    for finding in check_installation():
        sys.stdout.write(json.dumps({"event": "finding", **asdict(finding)}) + "\n")
        sys.stdout.flush()
