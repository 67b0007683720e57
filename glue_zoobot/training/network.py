"""The network that is trained: an encoder of any architecture, and what hangs on it while it learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glue_zoobot.encoders import EncoderSpec, find
from glue_zoobot.encoders import networks as built
from glue_zoobot.encoders.weights import fetch, read_tensors
from glue_zoobot.errors import EncoderError

__all__ = ["PROJECTION", "Learner", "describe", "normalise", "trainable"]

PROJECTION = {"simclr": 128, "vicreg": 512}  # of each objective
SCRATCH_SIZE, SCRATCH_CROP = 64, 1 / 1.2


def describe(architecture: str, init: str, input_size: int, crop: float) -> EncoderSpec:
    """
    Describe the encoder that is to be made, before anything is trained.

    Parameters
    ----------
    architecture : str
        A timm network, used where `init` is empty.
    init : str
        Encoder to start from.
    input_size : int
        0 takes that of `init`, or 64.
    crop : float
        0 takes that of `init`, or 1/1.2.

    Returns
    -------
    EncoderSpec
        Of a network from random weights mean and std are 0 and 1, the width 0.

    Raises
    ------
    EncoderError
        If there is no such network or encoder.
    """
    if init:
        spec = find(init)
        return spec.replace(input_size=input_size or spec.input_size, crop=crop or spec.crop)
    import timm

    if not timm.is_model(architecture):
        raise EncoderError(
            f"timm has no network {architecture!r}; see timm.list_models(), or name an encoder with --init."
        )
    size = {"input_size": input_size or SCRATCH_SIZE, "crop": crop or SCRATCH_CROP}
    return EncoderSpec("untrained", "timm", architecture, "", **size)  # type: ignore[arg-type]


def trainable(spec: EncoderSpec, init: str) -> nn.Module:
    """
    Build the network, with the weights of `init` or random ones, ready to be trained.

    Raises
    ------
    EncoderError
        If it cannot be built for this size of picture, or weights are not to be had.
    """
    network = built.build(spec)
    if init:
        built.fill(network, read_tensors(fetch(spec).path), spec)
    try:
        width = built.feature_width(network, spec)
    except (RuntimeError, AssertionError) as error:
        raise EncoderError(
            f"{spec.architecture} cannot read pictures of {spec.input_size} pixels: {error}. Choose another "
            "--input-size."
        ) from error
    if not width:
        raise EncoderError(f"{spec.architecture} gives no vector per picture; choose another architecture.")
    network.num_features = width  # type: ignore[assignment]
    return network.requires_grad_(True).train().to(memory_format=torch.channels_last)


def normalise(view: Tensor, spec: EncoderSpec) -> Tensor:
    """Bring colours from 0 to 1, (B, 3, S, S), to what the network reads; see `encoders.pixels.to_input`."""
    if spec.channels == 1:
        view = view.mean(1, keepdim=True)
    mean, std = (view.new_tensor(values)[:, None, None] for values in (spec.mean, spec.std))
    return ((view - mean) / std).contiguous(memory_format=torch.channels_last)


class Learner(nn.Module):
    """
    An encoder with the projection of the objective and the heads of the questions learnt beside.

    Parameters
    ----------
    encoder : nn.Module
    projection : int
        Length of what the objective sees.
    heads : nn.ModuleDict
        One linear layer per set of questions; may be empty.
    """

    def __init__(self, encoder: nn.Module, projection: int, heads: nn.ModuleDict) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, heads
        width = int(encoder.num_features)  # type: ignore[arg-type]
        self.project = nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, projection),
        )

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return features (B, D), projections (B, P), and what each head says."""
        features = self.encoder(inputs)
        said = {name: head(features) for name, head in self.heads.items()}
        return features, self.project(features), said
