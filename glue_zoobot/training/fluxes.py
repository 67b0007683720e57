"""Fluxes in three bands, where a source has them: dust and seeing are then exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from glue_zoobot.images import Catalogue, fits
from glue_zoobot.images.bandfiles import BandFilesSource
from glue_zoobot.images.bandnames import parse_bands
from glue_zoobot.images.decode import UnreadableImage, broken_because
from glue_zoobot.images.files import FileSource
from glue_zoobot.images.rgb import fill_nan
from glue_zoobot.training.stretch import COMPOSITES, Composite

__all__ = ["flux_reader"]


def flux_reader(catalogue: Catalogue, size: int) -> Callable[[int], Tensor] | None:
    """
    Find out how to read fluxes, if the pictures are FITS stamps drawn by the preset `sdss` or `legacy`.

    Other presets scale each picture by its own noise: what the encoder sees of a flux is then not known.

    Returns
    -------
    callable or None
        From a row to float16 (3, size, size): red, green and blue in the units of `Composite`. Raises
        `ImageError` where a band is missing, or the bands are not on one grid.
    """
    source: Any = catalogue.source
    composite = COMPOSITES.get(catalogue.spec.preset)
    planes_of: Callable[[Any, int, Composite], list[np.ndarray]]
    if composite is None:
        return None
    if isinstance(source, BandFilesSource) and set(composite.bands) <= set(source.bands):
        planes_of = _from_files
    elif isinstance(source, FileSource) and source.path(0).lower().endswith(fits.SUFFIXES):
        planes_of = _from_cube
    else:
        return None

    def read(row: int) -> Tensor:
        with broken_because(source.object_ids[row]):
            return _small(planes_of(source, row, composite), size, composite)

    return read


def _from_files(source: BandFilesSource, row: int, composite: Composite) -> list[np.ndarray]:
    return [fits.read_planes(source.path(row, band)).pixels[0] for band in composite.bands]


def _from_cube(source: FileSource, row: int, composite: Composite) -> list[np.ndarray]:
    planes = fits.read_planes(source.path(row))
    names = parse_bands(source.bands)[0] if source.bands else planes.names
    if len(names) != len(planes.pixels) or not set(composite.bands) <= set(names):
        raise UnreadableImage(f"its header does not name the bands {', '.join(composite.bands)}")
    return [planes.pixels[names.index(band)] for band in composite.bands]


def _small(planes: list[np.ndarray], size: int, composite: Composite) -> Tensor:
    """Scale the central square to `size` pixels, first row of the FITS file at the bottom as in pictures."""
    if len({plane.shape for plane in planes}) > 1:
        raise UnreadableImage("its bands differ in size")
    filled, _ = fill_nan(np.stack(planes)[:, ::-1])
    side = min(filled.shape[1:])
    top, left = ((length - side) // 2 for length in filled.shape[1:])
    square = torch.from_numpy(filled[None, :, top : top + side, left : left + side].copy())
    small = functional.interpolate(square, size=[size, size], mode="bilinear", antialias=True)[0]
    scales = torch.tensor(composite.scales)[:, None, None]
    return (small * scales).clamp(-6e4, 6e4).half()
