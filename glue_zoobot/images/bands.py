"""One FITS file per band and galaxy, found by a pattern such as ``{id}_{band}.fits``."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits, rgb
from glue_zoobot.images.bandnames import by_wavelength, split_bands
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.identity import Identity
from glue_zoobot.images.paths import list_images
from glue_zoobot.images.source import ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec

_BAND_IN_NAME = re.compile(
    r"(?P<id>.+?)(?P<mark>[._-])(?P<band>[ugrizyvYJHK]|[fF]\d{3,4}[wWmMlLpPnN])(?P<rest>[._].*|band\..*)"
)


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
    """

    def __init__(
        self, object_ids: np.ndarray, root: str, pattern: str, bands: tuple[str, ...], preset: str = "auto"
    ) -> None:
        self.object_ids = object_ids
        self.root = os.path.abspath(root)  # noqa: PTH100  symbolic links stay as the user sees them
        self.pattern, self.bands, self.preset = pattern, bands, preset

    def path(self, i: int, band: str) -> str:
        """Return the file of image `i` in one band."""
        name = self.pattern.replace("{id}", self.object_ids[i]).replace("{band}", band)
        return os.path.join(self.root, name)  # noqa: PTH118

    def _load(self, i: int) -> Picture:
        paths = [self.path(i, band) for band in self.bands]
        missing = [b for b, p in zip(self.bands, paths, strict=True) if not Path(p).is_file()]
        if missing:
            raise UnreadableImage(
                f"no file for band {', '.join(missing)}: {paths[self.bands.index(missing[0])]}"
            )
        planes = [fits.read_planes(path) for path in paths]
        if any(len(p.pixels) != 1 for p in planes):
            raise UnreadableImage("a file of one band holds a cube")
        stack = np.stack([_on_grid_of(planes[0], p) for p in planes])[:, ::-1]
        nanomaggies = all(p.nanomaggies for p in planes)
        return rgb.compose(stack, self.preset, self.bands, self.bands, nanomaggies)


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


def open_bands(spec: SourceSpec, folder: Path) -> Catalogue:
    """
    Open a folder with one FITS file per band by the pattern in ``spec.bands``.

    Raises
    ------
    CatalogueError
        The pattern lacks ``{id}`` or ``{band}``, or fits no file.
    """
    pattern, _, order = (
        (spec.bands or "").rpartition(":") if ":" in (spec.bands or "") else (spec.bands, "", "")
    )
    if not pattern or "{id}" not in pattern or "{band}" not in pattern:
        raise CatalogueError(f"bands={spec.bands!r}: a pattern such as '{{id}}_{{band}}.fits:irg' is needed")
    found = _match_files(list_images(folder, fits.SUFFIXES), pattern)
    if not found:
        raise CatalogueError(f"no file in {folder} fits the pattern {pattern!r}")
    bands = split_bands(order) or _three_of(by_wavelength(sorted({b for bs in found.values() for b in bs})))
    identity = Identity(np.array(sorted(found), dtype=object), "file name")
    source = BandFilesSource(identity.object_ids, str(folder), pattern, bands, spec.preset)
    table = Table({"bands": [",".join(by_wavelength(sorted(found[i]))) for i in identity.object_ids]})
    return Catalogue.assemble(spec, source, table, identity, (f"colours from bands {', '.join(bands)}",))


def _match_files(paths: list[str], pattern: str) -> dict[str, set[str]]:
    """Id to the bands it has a file of."""
    found: dict[str, set[str]] = {}
    for path in paths:
        match = _expression(pattern).fullmatch(path)
        if match:
            found.setdefault(match["id"], set()).add(match["band"])
    return found


def fits_pattern(path: str, pattern: str) -> bool:
    """Whether a path is one that the pattern describes."""
    return _expression(pattern).fullmatch(path) is not None


@lru_cache(maxsize=8)
def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\{id\}", "(?P<id>.+)", 1).replace(r"\{band\}", "(?P<band>[^/]+?)", 1)
    return re.compile(text.replace(r"\{id\}", "(?P=id)").replace(r"\{band\}", "(?P=band)"))


def _three_of(bands: list[str]) -> tuple[str, ...]:
    """Red, green, blue out of bands sorted from blue to red (ugriz gives i, r, g); two or one stay so."""
    if len(bands) < 3:
        return tuple(reversed(bands))
    middle = len(bands) // 2
    return (bands[middle + 1], bands[middle], bands[middle - 1])


def suggest_pattern(paths: list[str]) -> str | None:
    """Pattern of file names that look like one file per band: the same ids in several bands; else None."""
    patterns: dict[str, dict[str, set[str]]] = {}
    for path in paths:
        match = _BAND_IN_NAME.fullmatch(path)
        if match:
            tail = match["rest"]
            pattern = "{id}" + match["mark"] + "{band}" + tail
            patterns.setdefault(pattern, {}).setdefault(match["id"], set()).add(match["band"])
    for pattern, ids in patterns.items():
        several = sum(len(bands) > 1 for bands in ids.values())
        if several > 0.5 * len(ids):
            return pattern
    return None
