"""
Looking at a galaxy again: what may change between two views of it although it stays the same galaxy.

=============  ===========================================================================================
`rotate`       by any angle
`flip`         mirrored or not: handedness is an accident of where we stand
`jitter`       the middle of the view moved by up to this share of the frame's side
`zoom`         field of view divided or multiplied by up to this: distance, and the size of the stamp
`dust`         reddened by a random E(B-V) (see `glue_zoobot.training.dust`); dereddened first by the
               catalogue's E(B-V) where there is one; on fluxes, or on colours made proportional to flux
`blur`         seeing: a Gaussian of up to this standard deviation in pixels of the view, on fluxes
`exposure`     gain within this factor either way, and a sky level
`noise`        Gaussian noise of up to this standard deviation, of colours from 0 to 1
=============  ===========================================================================================

Shapes are never sheared: axis ratio is morphology. Rotation, flip, jitter and zoom are one resampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from glue_zoobot.errors import EncoderError
from glue_zoobot.training import dust
from glue_zoobot.training.stretch import Composite

__all__ = ["NAMES", "Augmentations", "random_view"]

NAMES = ("rotate", "flip", "jitter", "zoom", "dust", "blur", "exposure", "noise")
_OFF = {"rotate": False, "flip": False, "jitter": 0.0, "zoom": 1.0, "dust": "", "blur": 0.0}
_OFF |= {"exposure": 1.0, "noise": 0.0}
_BLUR_REACH = 3.0  # a Gaussian is cut off at so many standard deviations
_SKY = (-0.02, 0.06)


@dataclass(frozen=True)
class Augmentations:
    """Which augmentations are applied, and how strongly; see the table of this module."""

    rotate: bool = True
    flip: bool = True
    jitter: float = 0.03
    zoom: float = 1.3
    dust: str = "lognormal"
    blur: float = 1.2
    exposure: float = 1.25
    noise: float = 0.03

    def __post_init__(self) -> None:
        if self.dust not in ("", *dust.DISTRIBUTIONS):
            raise EncoderError(f"dust is {self.dust!r}; it can be {' or '.join(dust.DISTRIBUTIONS)}")
        if min(self.jitter, self.blur, self.noise, self.zoom - 1, self.exposure - 1) < 0:
            raise EncoderError(
                "zoom and exposure are factors of at least 1, jitter, blur and noise at least 0"
            )

    def without(self, names: Iterable[str]) -> Augmentations:
        """
        Switch some off.

        Raises
        ------
        EncoderError
            If one is not known.
        """
        names = tuple(names)
        for name in names:
            if name not in NAMES:
                raise EncoderError(f"there is no augmentation {name!r}; there are {', '.join(NAMES)}")
        return replace(self, **{name: _OFF[name] for name in names})  # type: ignore[arg-type]

    def only(self, *names: str) -> Augmentations:
        """Switch all others off."""
        return self.without(name for name in NAMES if name not in names)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-able values."""
        return asdict(self)


def random_view(
    pictures: Tensor,
    size: int,
    crop: float,
    composite: Composite,
    augmentations: Augmentations,
    generator: Generator,
    ebv: Tensor | None = None,
) -> Tensor:
    """
    Look at each galaxy again.

    Parameters
    ----------
    pictures : Tensor
        (N, 3, H, H): uint8 colours, or floating-point fluxes in the units of `composite`. Whole frames.
    size : int
        Side of the views in pixels.
    crop : float
        Central share of the frame's side that a view shows without zoom.
    composite : Composite
        How colours are made of fluxes.
    augmentations : Augmentations
    generator : torch.Generator
        On the device of the pictures.
    ebv : Tensor, optional
        E(B-V) of each galaxy from its catalogue, (N,); NaN where not known.

    Returns
    -------
    Tensor
        (N, 3, size, size) float32 colours from 0 to 1.
    """
    a, n = augmentations, len(pictures)
    turn = orientation(n, a.rotate, a.flip, generator) * (crop * zoom(n, a.zoom, generator))[:, None, None]
    view = resample(_as_float(pictures), turn, jitter(n, a.jitter, generator), size)
    has_flux = pictures.is_floating_point()
    if has_flux or a.dust or a.blur:
        flux = view if has_flux else composite.to_flux(view)
        if a.dust:
            fresh = dust.random_ebv(n, a.dust, generator)
            flux = redden(flux, fresh, ebv, composite.coefficients.to(flux.device))
        if a.blur:
            flux = seeing(flux, _uniform(n, 0, a.blur, generator))
        view = composite.to_colours(flux)
    view = exposure(view, a.exposure, generator) if a.exposure != 1 else view
    return (noise(view, a.noise, generator) if a.noise else view).clamp(0, 1)


def orientation(n: int, rotate: bool, flip: bool, generator: Generator) -> Tensor:
    """Draw rotations by any angle, half of them mirrored; (n, 2, 2) orthogonal matrices."""
    angle = _uniform(n, 0, 2 * math.pi if rotate else 0, generator)
    sign = torch.ones_like(angle)
    if flip:
        sign = torch.randint(0, 2, (n,), generator=generator, device=generator.device) * 2.0 - 1
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos * sign, -sin], 1), torch.stack([sin * sign, cos], 1)], 1)


def jitter(n: int, most: float, generator: Generator) -> Tensor:
    """Draw shifts of the centre of the view, (n, 2), in the units of `resample`: the frame is 2 wide."""
    return 2 * most * (2 * torch.rand(n, 2, generator=generator, device=generator.device) - 1)


def zoom(n: int, most: float, generator: Generator) -> Tensor:
    """Draw factors of the field of view, (n,), uniform in their logarithm between 1 / most and most."""
    return torch.exp(_uniform(n, -math.log(most), math.log(most), generator))


def resample(images: Tensor, matrix: Tensor, shift: Tensor, size: int) -> Tensor:
    """
    Take square views out of frames by bilinear interpolation; what lies beyond the frame is mirrored.

    Parameters
    ----------
    images : Tensor
        (N, C, H, H).
    matrix : Tensor
        (N, 2, 2); the identity shows the whole frame, half of it the inner half.
    shift : Tensor
        (N, 2), where -1 and 1 are the edges of the frame.
    size : int
        Pixels of the views.

    Returns
    -------
    Tensor
        (N, C, size, size).
    """
    theta = torch.cat([matrix, shift[:, :, None]], 2)
    grid = F.affine_grid(theta, [len(images), images.shape[1], size, size], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def redden(flux: Tensor, fresh: Tensor, known: Tensor | None, coefficients: Tensor) -> Tensor:
    """
    Take the dust before each galaxy away and put other dust there.

    Parameters
    ----------
    flux : Tensor
        (N, B, H, W).
    fresh : Tensor
        E(B-V) to redden by, (N,).
    known : Tensor or None
        E(B-V) to deredden by, (N,); NaN or None where it is not known.
    coefficients : Tensor
        (B,).

    Returns
    -------
    Tensor
        ``flux * 10 ** (R * known / 2.5) * 10 ** (-R * fresh / 2.5)``.
    """
    excess = fresh if known is None else fresh - known.nan_to_num()
    return flux * dust.transmission(excess, coefficients)[:, :, None, None]


def seeing(images: Tensor, sigma: Tensor) -> Tensor:
    """
    Blur each image by a round Gaussian of its own width.

    Parameters
    ----------
    images : Tensor
        (N, C, H, W).
    sigma : Tensor
        Standard deviations in pixels, (N,); 0 leaves the image as it is.

    Returns
    -------
    Tensor
        Of the same shape; the sum of an image is kept but for what crosses its border.
    """
    n, channels = images.shape[:2]
    reach = max(1, math.ceil(_BLUR_REACH * float(sigma.max())))
    offset = torch.arange(-reach, reach + 1, device=images.device)
    kernel = torch.exp(-0.5 * (offset / sigma.clamp(min=1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None, None]
    planes = F.pad(images.reshape(1, n * channels, *images.shape[2:]), [reach] * 4, mode="reflect")
    planes = F.conv2d(F.conv2d(planes, kernel, groups=n * channels), kernel.mT, groups=n * channels)
    return planes.view_as(images)


def exposure(images: Tensor, most: float, generator: Generator) -> Tensor:
    """Change the gain, uniform in its logarithm between 1 / most and most, and the level of the sky."""
    gain = zoom(len(images), most, generator)
    sky = _uniform(len(images), *_SKY, generator)
    return images * gain[:, None, None, None] + sky[:, None, None, None]


def noise(images: Tensor, most: float, generator: Generator) -> Tensor:
    """Add Gaussian noise, its standard deviation drawn for each image between 0 and `most`."""
    drawn = torch.randn(images.shape, generator=generator, device=images.device)
    return images + drawn * _uniform(len(images), 0, most, generator)[:, None, None, None]


def plain_view(pictures: Tensor, size: int, crop: float, composite: Composite) -> Tensor:
    """Show the galaxies as an encoder sees them when it is used: the centre, nothing changed."""
    view = _as_float(pictures)
    if pictures.shape[-1] != size or crop != 1:
        matrix = crop * torch.eye(2, device=view.device).expand(len(view), 2, 2)
        view = resample(view, matrix, view.new_zeros(len(view), 2), size)
    return (composite.to_colours(view) if pictures.is_floating_point() else view).clamp(0, 1)


def _as_float(pictures: Tensor) -> Tensor:
    return pictures.float() if pictures.is_floating_point() else pictures.float() / 255


def _uniform(n: int, low: float, high: float, generator: Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator, device=generator.device)
