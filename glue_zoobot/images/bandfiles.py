"""Colour pictures from one FITS file per band, brought onto one grid."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.images import fits, rgb
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.source import Fluxes, ImageSource, Picture


class BandFilesSource(ImageSource):
    """
    Colour pictures of galaxies that have one FITS file per band.

    Bands of a galaxy that are not aligned are brought onto the grid of the first one by their WCS.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    root, pattern : str
        Folder, and path below it with ``{id}`` and ``{band}``.
    bands : tuple of str
        Bands for red, green, blue (three), red and blue (two), or one.
    names : list of str, optional
        What stands for ``{id}`` in the files of each galaxy, where that is not its object id.
    there : sequence of str
        All bands that galaxies have files of, from blue to red; those to be drawn if not given.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        root: str,
        pattern: str,
        bands: tuple[str, ...],
        preset: str = "auto",
        names: list[str] | None = None,
        there: Sequence[str] = (),
    ) -> None:
        self.object_ids = object_ids
        self.names = object_ids if names is None else np.array(names, dtype=np.dtypes.StringDType())
        self.root = os.path.abspath(root)  # noqa: PTH100  symbolic links stay as the user sees them
        self.pattern, self.bands, self.preset = pattern, bands, preset
        self.there = tuple(there) or bands

    def path(self, i: int, band: str) -> str:
        """Return the file of image `i` in one band."""
        name = self.pattern.replace("{id}", self.names[i]).replace("{band}", band)
        return os.path.join(self.root, name)  # noqa: PTH118

    def _load(self, i: int) -> Picture:
        paths = [self.path(i, band) for band in self.bands]
        missing = [b for b, p in zip(self.bands, paths, strict=True) if not Path(p).is_file()]
        if missing:
            raise UnreadableImage(
                f"no file for band {', '.join(missing)}: {paths[self.bands.index(missing[0])]}"
            )
        stack, nanomaggies = _aligned(paths)
        return rgb.compose(stack, self.preset, self.bands, self.bands, nanomaggies)

    def _fluxes(self, i: int) -> Fluxes | None:
        """Read all bands that there are, on the grid of the picture."""
        wanted = (*self.bands, *(band for band in self.there if band not in self.bands))
        paths = {band: self.path(i, band) for band in wanted if Path(self.path(i, band)).is_file()}
        if not paths:
            raise UnreadableImage(f"no file for band {', '.join(wanted)}: {self.path(i, wanted[0])}")
        stack, _ = _aligned(list(paths.values()))
        names = tuple(band for band in self.there if band in paths)
        return Fluxes(stack[[list(paths).index(band) for band in names]], names, self.bands)


def _aligned(paths: list[str]) -> tuple[np.ndarray, bool]:
    """Read one plane per file on the grid of the first, (B, H, W), and whether all are in nanomaggies."""
    planes = [fits.read_planes(path) for path in paths]
    if any(len(p.pixels) != 1 for p in planes):
        raise UnreadableImage("a file of one band holds a cube")
    stack = np.stack([_on_grid_of(planes[0], p) for p in planes])[:, ::-1]
    return stack, all(p.nanomaggies for p in planes)


def _on_grid_of(reference: fits.Planes, plane: fits.Planes) -> np.ndarray:
    """
    Pixels of one band on the grid of another.

    Stamps of one size are mostly aligned already, and some carry the WCS of the frame they were cut from,
    which is wrong for them: pixels are moved only when the galaxy then fits better.
    """
    pixels = plane.pixels[0].astype(np.float32)
    target = reference.pixels[0].astype(np.float32)
    if plane is reference:
        return pixels
    moved = _resample(pixels, *_pixel_map(reference, plane), target.shape)
    if pixels.shape != target.shape or _likeness(target, moved) > _likeness(target, pixels) + 1e-3:
        return moved
    return pixels


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two images over the pixels that both have; -1 when less than half are shared."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 0.5 * a.size or a[both].std() == 0 or b[both].std() == 0:
        return -1.0
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _resample(
    pixels: np.ndarray, matrix: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Nearest pixel of a linear map from the new grid to the old one; NaN outside."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    xx = np.rint(matrix[0, 0] * x + matrix[0, 1] * y + offset[0]).astype(int)
    yy = np.rint(matrix[1, 0] * x + matrix[1, 1] * y + offset[1]).astype(int)
    inside = (xx >= 0) & (yy >= 0) & (xx < pixels.shape[1]) & (yy < pixels.shape[0])
    result = np.full(shape, np.nan, dtype=np.float32)
    result[inside] = pixels[yy[inside], xx[inside]]
    return result


def _pixel_map(reference: fits.Planes, plane: fits.Planes) -> tuple[np.ndarray, np.ndarray]:
    """Linear map from pixels of the reference to pixels of a band; the identity where there is no WCS."""
    from astropy.wcs import WCS

    frames = [WCS(_current(p.header), naxis=2, fix=False) for p in (reference, plane)]
    if not all(w.has_celestial for w in frames):
        if reference.pixels.shape != plane.pixels.shape:
            raise UnreadableImage("the bands differ in size and have no WCS to align them by")
        return np.eye(2), np.zeros(2)
    height, width = reference.pixels[0].shape
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1]], dtype=float)
    origin, right, up = frames[1].all_world2pix(frames[0].all_pix2world(corners, 0), 0)
    matrix = np.column_stack([(right - origin) / max(width - 1, 1), (up - origin) / max(height - 1, 1)])
    return matrix, origin


def _current(header: Any) -> Any:
    """Header without the old keyword RADECSYS, of which astropy would warn for every file."""
    header = header.copy()
    header.remove("RADECSYS", ignore_missing=True)
    return header
