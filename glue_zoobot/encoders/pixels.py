"""
From a galaxy's uint8 picture to the numbers that a network reads.

Every encoder goes through these functions, with the numbers of its `EncoderSpec`:

1. the central square of the frame, `crop` of its shorter side (Zoobot: 1/1.2), exactly centred;
2. antialiased bilinear (or bicubic) scaling to the input size, on uint8, one picture at a time,
   so that it cannot depend on the other pictures of a batch; small pictures are enlarged;
3. for a greyscale encoder the unweighted mean of the three colours, as Zoobot's own loader does it
   (``ToGray`` in galaxy-datasets), rounded to uint8;
4. ``(pixel / 255 - mean) / std`` in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def central_square(height: int, width: int, fraction: float) -> tuple[slice, slice]:
    """Rows and columns of the central square; equal margins, so that flips and crops commute."""
    shorter = min(height, width)
    margin = min(round(shorter * (1 - fraction) / 2), (shorter - 1) // 2)
    side = shorter - 2 * margin
    top, left = (height - side) // 2, (width - side) // 2
    return slice(top, top + side), slice(left, left + side)


def resize(image: NDArray[np.uint8], spec: EncoderSpec) -> torch.Tensor:
    """
    Crop and scale one picture to the encoder's input.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB picture; of one that is not square the central square is used.
    spec : EncoderSpec
        Whose size, crop, interpolation and channels apply.

    Returns
    -------
    torch.Tensor of uint8, shape (3, S, S)
        Grey encoders get three equal channels.

    Raises
    ------
    EncoderError
        If `image` has another shape or type.
    """
    _check_picture(image)
    rows, columns = central_square(image.shape[0], image.shape[1], spec.crop)
    # a copy of RGB rows viewed as channels-last: the layout of torch's fast uint8 path
    square = torch.from_numpy(np.array(image[rows, columns], order="C")).permute(2, 0, 1)[None]
    if square.shape[-1] != spec.input_size:
        size = [spec.input_size, spec.input_size]
        square = functional.interpolate(
            square, size=size, mode=spec.interpolation, align_corners=False, antialias=True
        )
    if spec.channels == 1:
        square = square.float().mean(1, keepdim=True).round().to(torch.uint8).expand(-1, 3, -1, -1)
    return square[0].contiguous()


def to_input(batch: torch.Tensor, spec: EncoderSpec) -> torch.Tensor:
    """
    Scale resized pictures to the network's value range.

    Parameters
    ----------
    batch : torch.Tensor of uint8, shape (B, 3, S, S)
        Pictures from `resize`, on any device.
    spec : EncoderSpec
        Whose mean, std and channels apply.

    Returns
    -------
    torch.Tensor of float32, shape (B, channels, S, S)
        On the same device.
    """
    pixels = batch.to(torch.float32)
    if spec.channels == 1:
        pixels = pixels.mean(1, keepdim=True)
    mean = torch.tensor(spec.mean, device=batch.device).view(1, -1, 1, 1)
    std = torch.tensor(spec.std, device=batch.device).view(1, -1, 1, 1)
    return (pixels / 255 - mean) / std


def as_batch(pictures: object, spec: EncoderSpec) -> torch.Tensor:
    """
    Make one resized uint8 batch of whatever a caller holds.

    Parameters
    ----------
    pictures : sequence or array
        (B, H, W, 3) pictures, a list of pictures of different sizes, or resized (B, 3, S, S).
    spec : EncoderSpec
        Of the encoder that will read them.

    Returns
    -------
    torch.Tensor of uint8, shape (B, 3, S, S)

    Raises
    ------
    EncoderError
        If the shapes or the type fit neither form.
    """
    resized = (3, spec.input_size, spec.input_size)
    if isinstance(pictures, torch.Tensor | np.ndarray) and tuple(pictures.shape[1:]) == resized:
        batch = torch.as_tensor(pictures)
        if batch.dtype is not torch.uint8:
            raise EncoderError(f"pictures hold {batch.dtype}; an encoder reads uint8, 0 to 255.")
        return batch
    rows = [_resized(row, spec) for row in pictures]  # type: ignore[attr-defined]
    return torch.stack(rows) if rows else torch.empty((0, *resized), dtype=torch.uint8)


def _resized(picture: Any, spec: EncoderSpec) -> torch.Tensor:
    done = isinstance(picture, torch.Tensor) and tuple(picture.shape) == (3, spec.input_size, spec.input_size)
    return picture if done else resize(np.asarray(picture), spec)


def _check_picture(image: NDArray[np.uint8]) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise EncoderError(
            f"a picture has shape {image.shape} and type {image.dtype}; an encoder reads uint8 (H, W, 3). "
            "Convert it to RGB with glue_zoobot.images first."
        )
