"""Other pictures of the same fluxes, for the eye alone: another softening, white level, choice of bands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from glue_zoobot.images import rgb
from glue_zoobot.images.decode import UnreadableImage, broken_because
from glue_zoobot.images.source import Fluxes, ImageSource

__all__ = ["Stretch", "read_stretched"]


@dataclass(frozen=True)
class Stretch:
    """
    How fluxes are shown.

    Attributes
    ----------
    softening : float
        In units of the noise of the sky: linear below, logarithmic above.
    percentile : float
        The pixel that is white: this share of them, in percent, is darker.
    bands : tuple of str
        Shown as red, green and blue; one alone is grey. Empty: those of the catalogue's own picture.
    """

    softening: float = 3.0
    percentile: float = 99.7
    bands: tuple[str, ...] = ()


def read_stretched(source: ImageSource, i: int, stretch: Stretch) -> np.ndarray:
    """
    Read one image with a stretch of its own; a picture without fluxes comes as it is.

    Parameters
    ----------
    source : ImageSource
    i : int
        Row.
    stretch : Stretch

    Returns
    -------
    numpy.ndarray
        uint8, shape (H, W, 3).

    Raises
    ------
    ImageError
        The image cannot be read, or has not the bands asked for.
    """
    fluxes = source.fluxes(i)
    if fluxes is None:
        return source.read(i)
    with broken_because(source.object_ids[i]):
        return _stretched(fluxes, stretch)


def _stretched(fluxes: Fluxes, stretch: Stretch) -> np.ndarray:
    bands = stretch.bands or fluxes.drawn
    unknown = [band for band in bands if band not in fluxes.names]
    if unknown:
        raise UnreadableImage(
            f"no band {', '.join(unknown)} here; the bands of this galaxy are {', '.join(fluxes.names)}"
        )
    planes = fluxes.planes[[fluxes.names.index(band) for band in bands]]
    levels = partial(rgb.asinh, softening=stretch.softening, percentile=stretch.percentile)
    return rgb.draw(planes, range(len(bands)), bands, levels, incomplete=levels).pixels
