"""
FITS stamps: the first image wherever it is in the file, 2-D or a cube, plain or compressed.

Sizes are checked in the header before any pixel is read, and packed files are unpacked only so far.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from glue_zoobot.images import rgb
from glue_zoobot.images.bandnames import parse_bands, split_bands
from glue_zoobot.images.decode import UnreadableImage, check_size, describe
from glue_zoobot.images.source import Fluxes, Picture

SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.fz", ".fz")
#: Extensions that go with an image and are not it.
_COMPANIONS = (
    "ERR",
    "DQ",
    "IVAR",
    "INVVAR",
    "VAR",
    "VARIANCE",
    "WHT",
    "WEIGHT",
    "MASK",
    "PSF",
    "SKY",
    "CALIB",
    "RMS",
)
_MAX_BANDS = 32
_MAX_HEADER = 1024**2  # bytes; astropy would look for the end of a header through a file of any length
_END = b"END" + 77 * b" "
# The standard allows 999 axes and columns; astropy counts as far as the header says.
_TOO_MANY = [re.compile(name + rb" *= {0,20}\d{4}") for name in (b"NAXIS", b"TFIELDS")]
_MAX_STAMP = 256 * 1024**2  # bytes, unpacked; three bands of the largest picture in float32 are 200 MB
# Reading the pixels proves it or not. Filtered here, once: changing filters around a read is not thread-safe.
warnings.filterwarnings("ignore", message="File may have been truncated", category=UserWarning)


@dataclass(frozen=True)
class Planes:
    """What an image HDU holds: pixels (B, H, W), the bands if the header names them, and its WCS header."""

    pixels: np.ndarray
    names: tuple[str, ...]
    nanomaggies: bool
    header: Any


def read_stamp(path: str, preset: str = "auto", bands: str | None = None) -> Picture:
    """Read the first image of a FITS file as RGB; `bands` names the planes of a cube, ``"grz:zrg"``."""
    return colours(read_planes(path), preset, bands)


def colours(planes: Planes, preset: str, bands: str | None = None) -> Picture:
    """Make a colour picture of one image HDU, with the first row of the file at the bottom as FITS has it."""
    if _is_picture(planes):
        return Picture(np.ascontiguousarray(planes.pixels[:, ::-1].transpose(1, 2, 0)))
    names, order = _names(planes, bands)
    return rgb.compose(planes.pixels[:, ::-1], preset, names, order, planes.nanomaggies)


def fluxes_of(planes: Planes, preset: str, bands: str | None = None) -> Fluxes | None:
    """Return the bands of one image HDU, the last row of the file first; None for a picture kept as FITS."""
    if _is_picture(planes):
        return None
    names, order = _names(planes, bands)
    return rgb.describe(planes.pixels[:, ::-1], preset, names, order, planes.nanomaggies)


def _is_picture(planes: Planes) -> bool:
    return planes.pixels.dtype == np.uint8 and len(planes.pixels) == 3


def _names(planes: Planes, bands: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the planes, none if they are not as many, and the bands to draw."""
    names, order = parse_bands(bands) if bands else (planes.names, ())
    return (names if len(names) == len(planes.pixels) else ()), order


def read_planes(path: str) -> Planes:
    """Read the first image HDU of a file."""
    size = os.stat(path).st_size  # noqa: PTH116
    if size > _MAX_STAMP:
        raise UnreadableImage(f"a file of {size / 1e6:,.0f} MB is no galaxy stamp")
    with opened(path) as hdus:
        return _first_image(hdus)


def planes_in(data: bytes) -> Planes:
    """Like `read_planes`, of a file that is in memory, plain or packed with gzip."""
    from astropy.io import fits

    with damage_explained(), fits.open(io.BytesIO(_unpacked(io.BytesIO(data))), memmap=False) as hdus:
        return _first_image(hdus)


def _first_image(hdus: Any) -> Planes:
    hdu = next((h for h in parts(hdus) if is_image(h)), None)
    if hdu is None:
        raise UnreadableImage("a FITS file without an image")
    return planes_of(hdu)


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a FITS file; pixels are read, not mapped, so that a file that is cut short is noticed."""
    from astropy.io import fits

    with damage_explained(), fits.open(_checked(path), memmap=False, lazy_load_hdus=True) as hdus:
        yield hdus


def _checked(path: str) -> str | io.BytesIO:
    """
    Look at a file before astropy does, which believes every header; unpack it if it is packed.

    A stamp is read whole, so that all of its headers are looked at; of a large file only the start.
    """
    large = os.stat(path).st_size > _MAX_STAMP  # noqa: PTH116
    with open(path, "rb") as raw:  # noqa: PTH123
        start_only = large and not _is_gzip(raw)
        data = _unpacked(raw, _MAX_HEADER if start_only else _MAX_STAMP + 1)
    return path if start_only else io.BytesIO(data)


def _unpacked(raw: BinaryIO, most: int = _MAX_STAMP + 1) -> bytes:
    """Bytes of an open file, unpacked if need be; raises `UnreadableImage` for headers that lie."""
    with gzip.open(raw) if _is_gzip(raw) else nullcontext(raw) as file:
        data = file.read(most)
    if len(data) > _MAX_STAMP:
        raise UnreadableImage(f"it unpacks to more than {_MAX_STAMP / 1e6:.0f} MB; unpack it yourself")
    _check_headers(data)
    return data


def _check_headers(data: bytes) -> None:
    """Raise `UnreadableImage` for the start of what is no FITS file, or one that astropy would be lost in."""
    if not data.startswith(b"SIMPLE  ="):
        raise UnreadableImage(f"{describe(data[:64])}, where FITS was expected")
    if len(data) >= _MAX_HEADER and data.find(_END, 0, _MAX_HEADER) < 0:
        raise UnreadableImage(f"a FITS header without an end within {_MAX_HEADER / 1e6:.0f} MB")
    if any(pattern.search(data) for pattern in _TOO_MANY):
        raise UnreadableImage("a FITS header with more axes or columns than there can be")


def open_large(path: str) -> Any:
    """
    Open a file of any size, of which only headers and parts are read; the caller closes it.

    Only the start is looked at first, so that what is no FITS file is noticed.
    """
    from astropy.io import fits

    with open(path, "rb") as raw, gzip.open(raw) if _is_gzip(raw) else nullcontext(raw) as file:  # noqa: PTH123
        _check_headers(file.read(_MAX_HEADER))
    with damage_explained():
        return fits.open(path, memmap=False, lazy_load_hdus=True)


def _is_gzip(file: BinaryIO) -> bool:
    start = file.read(2)
    file.seek(0)
    return start == b"\x1f\x8b"


def parts(hdus: Any) -> Iterator[Any]:
    """Give the HDUs of a file; astropy would go round in circles where a header says a negative size."""
    for hdu in hdus:
        if hdu.fileinfo()["datSpan"] < 0:
            raise UnreadableImage("a FITS header with a negative size")
        yield hdu


@contextmanager
def damage_explained() -> Iterator[None]:
    """
    Turn what astropy raises for damaged files into `UnreadableImage`.

    A file that is cut short raises TypeError or ValueError when its pixels are read.
    """
    from astropy.io import fits

    kinds = (TypeError, ValueError, OverflowError, IndexError, KeyError, AttributeError, EOFError, zlib.error)
    try:
        yield
    except Exception as error:
        if not isinstance(error, (*kinds, fits.VerifyError)) and type(error).__name__ != "CfitsioException":
            raise  # astropy keeps the class of the last one to itself
        raise UnreadableImage(
            f"damaged FITS file, perhaps cut short ({' '.join(str(error).split())})"
        ) from error


def is_image(hdu: Any) -> bool:
    """Whether an HDU holds an image of a galaxy: two or three axes, no error map or mask."""
    if not getattr(hdu, "is_image", False) or hdu.name.upper().startswith(_COMPANIONS):
        return False
    return len([n for n in hdu.shape if n > 1]) in (2, 3)


def planes_of(hdu: Any) -> Planes:
    """Read the pixels of an image HDU as (B, H, W), after a look at its size."""
    shape = [n for n in hdu.shape if n > 1]
    if len(shape) == 2:
        shape = [1, *shape]
    channels_last = shape[2] <= 4 < shape[0]
    count, height, width = (shape[2], shape[0], shape[1]) if channels_last else shape
    check_size(width, height)
    if count > _MAX_BANDS:
        raise UnreadableImage(f"a cube of {count} planes is no image in a few bands")
    pixels = np.asarray(hdu.data).reshape(shape)
    if channels_last:
        pixels = pixels.transpose(2, 0, 1)
    header = hdu.header
    return Planes(pixels, band_names(header, count), in_nanomaggies(header), header)


def band_names(header: Any, count: int) -> tuple[str, ...]:
    """Bands of a cube: ``BANDS = 'grz'``, as the Legacy Surveys cutout service writes it."""
    bands = str(header.get("BANDS", "")).strip()
    return split_bands(bands) if len(split_bands(bands)) == count else ()


def in_nanomaggies(header: Any) -> bool:
    """Legacy Surveys cutouts are in nanomaggies and say so only by their BANDS."""
    unit = str(header.get("BUNIT", "")).strip().lower()
    return unit.startswith("nanomagg") or (not unit and "BANDS" in header and "SURVEY" in header)
