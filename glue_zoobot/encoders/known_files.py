"""Weights files that carry no description of their own, recognised by their SHA-256."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.encoders.weights import sha256_of

# MobileNetV2 1.0, ImageNet, trained in TensorFlow, with torchvision's tensor names. It reads [-1, 1] and was
# trained with TensorFlow's "same" padding; with torch's own its features are others (mean cosine 0.73).
_MOBILENET_V2_TENSORFLOW: dict[str, Any] = {
    "family": "torchvision",
    "architecture": "mobilenet_v2",
    "input_size": 224,
    "crop": 1.0,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "width": 1280,
    "padding": "tf_same",
    "licence": "Apache-2.0",
    "citation": "converted from tf2_mobilenet_v2_1.0_224_ptq of google-coral/test_data",
}

KNOWN_FILES: dict[str, dict[str, Any]] = {
    "691a67bc1ac42072593bbe9c1d66a5482acb7312a10e0edcd92f9970de79ee68": _MOBILENET_V2_TENSORFLOW,
}


def known_file(path: Path) -> EncoderSpec | None:
    """Describe a weights file that is recognised by its SHA-256, else None."""
    digest = sha256_of(path)
    if digest not in KNOWN_FILES:
        return None
    size = round(path.stat().st_size / 1e6, 1)
    return EncoderSpec(
        name=path.stem,
        weights=str(path),
        revision="local",
        sha256=digest,
        size_mb=size,
        **KNOWN_FILES[digest],
    )
