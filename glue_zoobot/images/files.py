"""One file per galaxy: JPEG, PNG, TIFF, FITS or a NumPy array, mixed as they come."""

from __future__ import annotations

import os
import stat

import numpy as np

from glue_zoobot.images import decode, fits
from glue_zoobot.images.arrays import array_fluxes, read_array_bytes, read_array_file, read_array_fluxes
from glue_zoobot.images.source import Fluxes, ImageSource, Picture

RASTER_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff")
ARRAY_SUFFIXES = (".npy", ".npz")
IMAGE_SUFFIXES = RASTER_SUFFIXES + fits.SUFFIXES


class FileSource(ImageSource):
    """
    Images in files of their own.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    paths : sequence of str
        Shape (N,), relative to `root` or absolute.
    root : str
        Folder.
    preset, bands : str
        For FITS files, see `glue_zoobot.images.rgb`.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        paths: list[str],
        root: str,
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        self.object_ids = object_ids
        self.root = os.path.abspath(root)  # noqa: PTH100  symbolic links stay as the user sees them
        self.paths = np.array(paths, dtype=object)  # the texts themselves are those of the table
        self.preset = preset
        self.bands = bands

    def path(self, i: int) -> str:
        """Return the absolute path of image `i`."""
        return os.path.join(self.root, self.paths[i])  # noqa: PTH118  the hot path

    def _load(self, i: int) -> Picture:
        return read_file(self.path(i), self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        path = self.path(i)
        if path.lower().endswith(fits.SUFFIXES):
            return fits.fluxes_of(fits.read_planes(path), self.preset, self.bands)
        if path.lower().endswith(ARRAY_SUFFIXES):
            return read_array_fluxes(path, self.preset, self.bands)
        return None


def read_file(path: str, preset: str = "auto", bands: str | None = None) -> Picture:
    """Read one image file; which reader, its suffix says."""
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):  # noqa: PTH112, PTH116
        raise decode.UnreadableImage(f"a pipe or device, not an image: {path}")  # would never end
    name = path.lower()
    if name.endswith(fits.SUFFIXES):
        return fits.read_stamp(path, preset, bands)
    if name.endswith(ARRAY_SUFFIXES):
        return read_array_file(path, preset, bands)
    return Picture(decode.decode_file(path))


def read_bytes(data: bytes, name: str, preset: str = "auto", bands: str | None = None) -> Picture:
    """Read one image that is in memory; `name` is that of its file."""
    lower = name.lower()
    if lower.endswith(fits.SUFFIXES):
        return fits.colours(fits.planes_in(data), preset, bands)
    if lower.endswith(ARRAY_SUFFIXES):
        return read_array_bytes(data, preset, bands)
    return Picture(decode.decode_bytes(data))


def fluxes_in(data: bytes, name: str, preset: str = "auto", bands: str | None = None) -> Fluxes | None:
    """Like `read_bytes`, but the bands; None where the file holds a picture."""
    lower = name.lower()
    if lower.endswith(fits.SUFFIXES):
        return fits.fluxes_of(fits.planes_in(data), preset, bands)
    return array_fluxes(data, preset, bands) if lower.endswith(ARRAY_SUFFIXES) else None


def stem(path: str) -> str:
    """Name of a file without its folder and suffix; ``.fits.gz`` counts as one suffix."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return strip_suffix(name)


def strip_suffix(name: str) -> str:
    """Remove the suffix of an image file; a dot inside a name without a known suffix stays."""
    lower = name.lower()
    known = [s for s in (*IMAGE_SUFFIXES, *ARRAY_SUFFIXES) if lower.endswith(s) and len(name) > len(s)]
    return name[: -max(map(len, known))] if known else name


def stems(paths: list[str]) -> list[str]:
    """Ids from file names: the stem, or the relative path without suffix where stems clash."""
    short = [stem(p) for p in paths]
    seen: dict[str, int] = {}
    for name in short:
        seen[name] = seen.get(name, 0) + 1
    if len(seen) == len(short):
        return short
    return [
        s if seen[s] == 1 else strip_suffix(p.replace("\\", "/")) for s, p in zip(short, paths, strict=True)
    ]
