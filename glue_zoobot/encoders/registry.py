"""The encoders known by name; other packages add theirs by an entry point or by `register`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from glue_zoobot.encoders.configs import read_config, spec_from_config
from glue_zoobot.encoders.published import imagenet_specs, zoobot_specs
from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

ENTRY_POINT_GROUP = "glue_zoobot.encoders"
DEFAULT = "convnext_nano"
MINI_DIRECTORY = Path(__file__).parent / "mini"
_log = logging.getLogger(__name__)
_registered: dict[str, EncoderSpec] = {}


def register(spec: EncoderSpec) -> None:
    """
    Make an encoder known under its name.

    Parameters
    ----------
    spec : EncoderSpec
        Registering the same description twice does nothing.

    Raises
    ------
    EncoderError
        If another encoder has that name.
    """
    known = registry().get(spec.name)
    if known is not None and known != spec:
        raise EncoderError(
            f"an encoder named {spec.name!r} is registered already ({known.weights}); "
            "give the new one another name."
        )
    _registered[spec.name] = spec


def registry() -> dict[str, EncoderSpec]:
    """All known encoders by name: `mini`, then Zoobot's, the recommended ones first. Imports no torch."""
    return {**_built_in(), **_from_entry_points(), **_registered}


def specs() -> list[EncoderSpec]:
    """All known encoders in the order of `registry`. Imports no torch."""
    return list(registry().values())


def mini_spec() -> EncoderSpec | None:
    """Describe our own small network, or None where the package holds no weights for it."""
    if not (MINI_DIRECTORY / "model.safetensors").is_file():
        return None
    config = read_config(MINI_DIRECTORY / "config.json")
    size = (MINI_DIRECTORY / "model.safetensors").stat().st_size / 1e6
    fields: dict[str, Any] = {
        "name": "mini",
        "family": "mini",
        "weights": "package",
        "revision": "package",
        "size_mb": round(size, 1),
    }
    return spec_from_config(config, MINI_DIRECTORY, **fields)


@cache
def _built_in() -> dict[str, EncoderSpec]:
    mini = mini_spec()
    known = [*([mini] if mini else []), *zoobot_specs(), *imagenet_specs()]
    return {spec.name: spec for spec in known}


@cache
def _from_entry_points() -> dict[str, EncoderSpec]:
    """An entry point names an `EncoderSpec`, several, or a function that returns them."""
    found: dict[str, EncoderSpec] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            offered: Any = point.load()
            offered = offered() if callable(offered) else offered
            some: Iterable[EncoderSpec] = [offered] if isinstance(offered, EncoderSpec) else list(offered)
            found.update({spec.name: spec for spec in some if spec.name not in _built_in()})
        except Exception as error:
            # another package's fault must not take our own encoders away
            _log.warning("encoders of %s are left out: %s", point.value, error)
    return found
