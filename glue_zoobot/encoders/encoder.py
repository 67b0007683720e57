"""A loaded encoder: pictures in, embeddings out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from glue_zoobot.encoders import networks, pixels, weights
from glue_zoobot.encoders.find import find
from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Encoder:
    """
    A network with its weights, on a device, and the one way to feed it.

    An embedding depends on the picture alone: the network is in evaluation mode and each picture is resized
    by itself. Batches of different sizes may use different kernels, so float32 embeddings of one picture
    agree to about 1e-5 of their length on a CPU (1e-3 where a GPU computes in TF32), not to the last bit.

    Parameters
    ----------
    spec : EncoderSpec
        What was loaded.
    network : torch.nn.Module
        Gives (B, D) features of (B, channels, S, S) pictures.
    device : str
        ``cpu``, ``cuda``, ``mps``...
    """

    def __init__(self, spec: EncoderSpec, network: nn.Module, device: str = "cpu") -> None:
        self.spec = spec
        self.device = device
        self.precision = "float32"
        self._network = _placed(network, device)

    def __repr__(self) -> str:
        return f"Encoder({self.spec.name!r}, device={self.device!r}, precision={self.precision!r})"

    @property
    def width(self) -> int:
        """Length of an embedding."""
        return self.spec.width

    def resize(self, image: NDArray[np.uint8]) -> torch.Tensor:
        """Crop and scale one uint8 (H, W, 3) picture to uint8 (3, S, S); see `pixels.resize`."""
        return pixels.resize(image, self.spec)

    def preprocess(self, batch: object) -> torch.Tensor:
        """
        Bring pictures to the network's input, on its device.

        Parameters
        ----------
        batch : sequence or array of uint8
            (B, H, W, 3) pictures, a list of pictures of different sizes, or resized (B, 3, S, S).

        Returns
        -------
        torch.Tensor, shape (B, channels, S, S)

        Raises
        ------
        EncoderError
            If the pictures have another shape or type.
        """
        pictures = pixels.as_batch(batch, self.spec).to(self.device, non_blocking=True)
        numbers = pixels.to_input(pictures, self.spec).to(self.dtype)
        return numbers.contiguous(memory_format=torch.channels_last)

    def embed(self, batch: object) -> NDArray[np.float32]:
        """
        Embed pictures.

        Parameters
        ----------
        batch : sequence or array of uint8
            As for `preprocess`.

        Returns
        -------
        ndarray of float32, shape (B, D)
            A row may hold NaN or infinity if the network overflows; see `finite_rows`.
        """
        return self.forward(self.preprocess(batch)).float().cpu().numpy()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run the network on what `preprocess` made; (B, D) on the device, in the encoder's precision."""
        if len(inputs) == 0:
            return torch.empty((0, self.width), dtype=self.dtype, device=self.device)
        with torch.inference_mode():
            return self._network(inputs)

    def view(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture that the network sees of a galaxy, uint8 (S, S, 3)."""
        return self.resize(image).permute(1, 2, 0).contiguous().numpy()

    @property
    def dtype(self) -> torch.dtype:
        """Number type of weights and input."""
        return getattr(torch, self.precision)

    def set_precision(self, precision: str) -> None:
        """
        Change the number type of the weights.

        Parameters
        ----------
        precision : {"float32", "bfloat16"}
            Going back to float32 reads the weights anew, since bfloat16 has lost digits.
        """
        if precision == self.precision:
            return
        if self.precision != "float32":
            self._network = _placed(_network_of(self.spec), self.device)
        self._network.to(getattr(torch, precision))
        self.precision = precision


def finite_rows(embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows of (B, D) embeddings hold finite numbers only; the others are to be recorded as broken."""
    return np.asarray(np.isfinite(embeddings).all(axis=1))


def load(spec: EncoderSpec | str | Path, device: str = "auto") -> Encoder:
    """
    Load an encoder, downloading its weights if they are not on this machine.

    Parameters
    ----------
    spec : EncoderSpec, str or Path
        Or a name or path that `find` knows.
    device : str
        ``auto`` takes a GPU where there is one.

    Returns
    -------
    Encoder
        Its spec names the commit and the SHA-256 of the weights that were read.

    Raises
    ------
    EncoderError
        If the encoder is unknown, or its weights are missing, damaged, altered, or do not fit the network.
    """
    spec = spec if isinstance(spec, EncoderSpec) else find(spec)
    file = weights.fetch(spec)
    digest = weights.sha256_of(file.path)
    if spec.sha256 not in (None, digest):
        raise EncoderError(
            f"encoder {spec.name!r}: {file.path} is not the file that was expected. Its SHA-256 is {digest}, "
            f"not {spec.sha256}. Delete it and download it again."
        )
    spec = spec.replace(revision=file.revision, sha256=digest)
    return Encoder(spec, _network_of(spec), pick_device(device))


def pick_device(device: str = "auto") -> str:
    """
    Return the device to use: ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    EncoderError
        If the device asked for is not known, or is not there.
    """
    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if device == "auto":
        return next((kind for kind, available in there.items() if available()), "cpu")
    kind, _, number = device.partition(":")
    if kind not in ("cpu", *there) or not (number or "0").isdecimal():
        raise EncoderError(f"there is no device {device!r}; the devices are auto, cpu, cuda, cuda:1 and mps.")
    here = kind == "cpu" or there[kind]()
    if not here or (kind == "cuda" and int(number or 0) >= torch.cuda.device_count()):
        raise EncoderError(f"device {device!r} is not available here; use --device auto or --device cpu.")
    return device


def _placed(network: nn.Module, device: str) -> nn.Module:
    """On its device, channels last, by which convolutional networks gain 5 to 20 % on a CPU."""
    return network.eval().to(device).to(memory_format=torch.channels_last)


def _network_of(spec: EncoderSpec) -> nn.Module:
    tensors = weights.read_tensors(weights.fetch(spec).path)
    networks.require_size(spec, tensors)
    network = networks.build(spec)
    networks.fill(network, tensors, spec)
    width = networks.feature_width(network, spec)
    if width != spec.width:
        raise EncoderError(
            f"encoder {spec.name!r}: {spec.architecture} gives {width} numbers per galaxy, not {spec.width}. "
            "Correct num_features in its config."
        )
    return network
