"""What an encoder is and what it expects to see, in one small frozen record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from glue_zoobot.errors import EncoderError

FAMILIES = ("mini", "zoobot", "timm", "torchvision")
INTERPOLATIONS = ("bilinear", "bicubic")
PADDINGS = ("network", "tf_same")
_LARGEST, _WIDEST, _MOST_PARTS = 2048, 2**17, 4  # beyond any network there is; a file may say anything


@dataclass(frozen=True)
class EncoderSpec:
    """
    A pretrained network, where its weights are, and how a picture becomes its input.

    Parameters
    ----------
    name : str
        What the user types and a store records.
    family : {"mini", "zoobot", "timm", "torchvision"}
        Decides how the network is built; all but ``torchvision`` are built by timm.
    architecture : str
        Name of the network in timm or torchvision.
    weights : str
        Hub id (``owner/name``), https address, absolute path of a file, or ``package``.
    revision : str
        Commit, tag or branch on the hub. `load` replaces it by the commit that was used.
    sha256 : str or None
        Of the weights file. Checked by `load` where it is given, filled in where it is not.
    input_size : int
        Side of the square input, pixels.
    crop : float
        Central fraction of the frame's side that is kept, 0 < crop <= 1.
    interpolation : {"bilinear", "bicubic"}
        Always antialiased, on uint8.
    mean, std : tuple of float
        Input is ``(pixel / 255 - mean) / std``, one number per channel.
    width : int
        Length of an embedding.
    channels : {3, 1}
        1 for a greyscale encoder, which sees the unweighted mean of red, green and blue.
    licence, citation : str
        Of the weights.
    size_mb : float
        Size of the weights file, 1e6 bytes.
    padding : {"network", "tf_same"}
        ``tf_same``: strided convolutions padded as TensorFlow does, for weights trained there.
    model_args : dict
        Further arguments for building the network, as timm saves them.

    Raises
    ------
    EncoderError
        If a value makes no sense.
    """

    name: str
    family: str
    architecture: str
    weights: str
    revision: str = "main"
    sha256: str | None = None
    input_size: int = 224
    crop: float = 1.0
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    width: int = 0
    channels: int = 3
    licence: str = "unknown"
    citation: str = ""
    size_mb: float = 0.0
    padding: str = "network"
    model_args: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(float(value) for value in self.mean))
        object.__setattr__(self, "std", tuple(float(value) for value in self.std))
        for complaint in self._complaints():
            raise EncoderError(f"encoder {self.name!r}: {complaint}. Correct its config or registration.")

    def _complaints(self) -> list[str]:
        checks = {
            f"family is {self.family!r}, not one of {FAMILIES}": self.family in FAMILIES,
            f"interpolation is {self.interpolation!r}, not one of {INTERPOLATIONS}": self.interpolation
            in INTERPOLATIONS,
            f"padding is {self.padding!r}, not one of {PADDINGS}": self.padding in PADDINGS,
            f"channels is {self.channels!r}, not 3 or 1": self.channels in (1, 3),
            f"crop is {self.crop!r}, not within 0 to 1": 0 < self.crop <= 1,
            f"input_size is {self.input_size!r}, not 1 to {_LARGEST}": 0 < self.input_size <= _LARGEST,
            f"width is {self.width!r}, not a length": 0 <= self.width <= _WIDEST,
            f"it is made of more than {_MOST_PARTS} networks": self.architecture.count("+") < _MOST_PARTS,
            f"mean and std need {self.channels} values each": len(self.mean)
            == len(self.std)
            == self.channels,
            "std holds a zero": all(self.std),
        }
        return [complaint for complaint, holds in checks.items() if not holds]

    @property
    def preprocessing_hash(self) -> str:
        """Hex digest of everything beside the weights that decides the numbers of an embedding."""
        recipe = {
            "input_size": self.input_size,
            "crop": round(self.crop, 9),
            "interpolation": self.interpolation,
            "antialias": True,
            "mean": self.mean,
            "std": self.std,
            "channels": self.channels,
            "grey": "mean",
            "padding": self.padding,
        }
        return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def replace(self, **changes: Any) -> EncoderSpec:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return {
            **asdict(self),
            "mean": list(self.mean),
            "std": list(self.std),
            "model_args": dict(self.model_args),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EncoderSpec:
        """Rebuild from `to_dict`; fields that a later version may have added are left out."""
        known = {item.name for item in fields(cls)}
        try:
            return cls(**{key: value for key, value in record.items() if key in known})
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise EncoderError(f"this describes no encoder ({error}): {str(record)[:200]}") from error
