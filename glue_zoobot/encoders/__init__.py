"""
Pretrained networks: which exist, how they load, what exactly they expect to see.

``find`` turns a name or path into an `EncoderSpec`, ``load`` turns that into an `Encoder`. Importing this
package, listing what it knows and asking what is cached import neither torch nor timm.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue_zoobot.encoders.find import find
from glue_zoobot.encoders.registry import DEFAULT, register, specs
from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.encoders.weights import cached

if TYPE_CHECKING:
    from glue_zoobot.encoders.encoder import Encoder, finite_rows, load, pick_device
    from glue_zoobot.encoders.tuning import choose_precision, probe_batch_size

__all__ = [
    "DEFAULT",
    "Encoder",
    "EncoderSpec",
    "choose_precision",
    "find",
    "finite_rows",
    "is_cached",
    "listing",
    "load",
    "pick_device",
    "probe_batch_size",
    "register",
    "specs",
]

_NEEDS_TORCH = {
    "Encoder": "encoder",
    "finite_rows": "encoder",
    "load": "encoder",
    "pick_device": "encoder",
    "choose_precision": "tuning",
    "probe_batch_size": "tuning",
}


def is_cached(spec: EncoderSpec | str | Path) -> bool:
    """Whether an encoder's weights are on this machine. Asks no network."""
    return cached(spec if isinstance(spec, EncoderSpec) else find(spec)) is not None


def listing() -> list[dict[str, Any]]:
    """
    One row per known encoder, for a table.

    Returns
    -------
    list of dict
        Keys name, family, width, input_px, channels, size_mb, licence, revision, cached, weights.
    """
    return [
        {
            "name": spec.name,
            "family": spec.family,
            "width": spec.width,
            "input_px": spec.input_size,
            "channels": spec.channels,
            "size_mb": spec.size_mb,
            "licence": spec.licence,
            "revision": spec.revision,
            "cached": is_cached(spec),
            "weights": spec.weights,
        }
        for spec in specs()
    ]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_NEEDS_TORCH[name]}"), name)
