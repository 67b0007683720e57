"""
Encoded images (JPEG, PNG, TIFF) to RGB, and the one list of what can be wrong with an image.

Content decides, not the suffix: a PNG called .jpg is read. FITS is never given to Pillow, which would
open it. A truncated image is an error: Pillow's ``LOAD_TRUNCATED_IMAGES`` is never set, and no blank is
put in the place of an image that cannot be read.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from glue_zoobot.errors import ImageError

FORMATS = ("JPEG", "PNG", "TIFF")
#: Largest image that is decoded, in pixels. A galaxy stamp is below 1 megapixel; Pillow's own limit of
#: 89 megapixels (and 179 before it refuses) would let eight decoding threads fill the memory.
MAX_PIXELS = 4096 * 4096
_FEW = 16  # pixels a side
_ORIENTATION = 0x0112  # EXIF tag

_DECODABLE = ("a JPEG file", "a PNG file", "a TIFF file")
_SIGNATURES = (
    (b"SIMPLE  =", "a FITS file"),
    (b"\xff\xd8\xff", "a JPEG file"),
    (b"\x89PNG", "a PNG file"),
    (b"II*\x00", "a TIFF file"),
    (b"MM\x00*", "a TIFF file"),
    (b"GIF8", "a GIF file"),
    (b"RIFF", "a WebP file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF", "a PDF file"),
    (b"<", "a web page (HTML or XML), perhaps a failed download"),
)


class UnreadableImage(Exception):
    """An image that was understood well enough to say what is wrong with it."""


@contextmanager
def broken_because(object_id: str) -> Iterator[None]:
    """
    Turn whatever a damaged image raises into an `ImageError` with a reason; the only place that does.

    Anything that is not in the list is a bug of ours and passes through.
    """
    try:
        yield
    except UnreadableImage as error:
        raise ImageError(object_id, str(error)) from error
    except FileNotFoundError as error:
        raise ImageError(object_id, f"no such file: {error.filename}") from error
    except PermissionError as error:
        raise ImageError(object_id, f"no permission to read {error.filename}") from error
    except IsADirectoryError as error:
        raise ImageError(object_id, f"a folder, not an image: {error.filename}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(object_id, f"too large to be a galaxy stamp: {error}") from error
    except MemoryError as error:
        raise ImageError(object_id, "does not fit into memory") from error
    except (OSError, EOFError, SyntaxError, ValueError, struct.error, zlib.error, gzip.BadGzipFile) as error:
        # Pillow: OSError (truncated), SyntaxError (broken PNG), ValueError, struct.error (bad headers).
        # astropy, h5py, pyarrow: OSError or ValueError. gzip: EOFError, zlib.error.
        what = "cut short" if "truncated" in str(error).lower() else "damaged image"
        raise ImageError(object_id, f"{what}: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) < 200 else text[:197] + "..."


def check_size(width: int, height: int) -> None:
    """Raise `UnreadableImage` for a picture that is empty or too large to be decoded."""
    if width < 1 or height < 1:
        raise UnreadableImage("the image has no pixels")
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS / 1e6
        raise UnreadableImage(
            f"{width} x {height} pixels; more than {limit:.0f} megapixels is no galaxy stamp"
        )


def require_signal(pixels: np.ndarray) -> None:
    """Raise `UnreadableImage` for a picture (H, W, 3) of one colour: it shows no galaxy."""
    first = pixels[0, 0]
    small = min(pixels.shape[:2]) < _FEW  # a few pixels may well be alike
    if not small and (pixels[0] == first).all() and (pixels == first).all():
        raise UnreadableImage("every pixel has the same value: an empty image")


def describe(start: bytes) -> str:
    """Say what a file is by its first bytes, for the message about it."""
    if not start:
        return "an empty file"
    start = start.lstrip(b"\xef\xbb\xbf \r\n\t") or start
    return next((words for magic, words in _SIGNATURES if start.startswith(magic)), "no image that is known")


def decode_file(path: str) -> np.ndarray:
    """Decode a JPEG, PNG or TIFF file to uint8 RGB of shape (H, W, 3)."""
    with open(path, "rb") as file:  # noqa: PTH123  the hot path: no Path object per image
        return decode(file)


def decode_bytes(data: bytes) -> np.ndarray:
    """Decode a JPEG, PNG or TIFF in memory to uint8 RGB of shape (H, W, 3)."""
    return decode(io.BytesIO(data))


def decode(file: BinaryIO) -> np.ndarray:
    """Decode an open JPEG, PNG or TIFF to uint8 RGB of shape (H, W, 3)."""
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        file.seek(0)
        what = describe(file.read(64))
        if what in _DECODABLE:
            raise UnreadableImage(f"{what} that is damaged or of an unusual kind") from error
        raise UnreadableImage(f"{what}, where JPEG, PNG or TIFF was expected") from error
    with image:
        check_size(*image.size)
        return _to_rgb(image)


def _to_rgb(image: Image.Image) -> np.ndarray:
    """Decode fully; grey, palette, CMYK, 16 bit and transparency become RGB by stated rules."""
    if image.getexif().get(_ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image)
    if image.mode in ("F", "I", "I;16", "I;16L", "I;16B", "I;16N"):
        return _grey_levels(image)
    if image.has_transparency_data:  # transparent parts are sky
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _grey_levels(image: Image.Image) -> np.ndarray:
    """16 bit integers are taken over their full range; 32 bit ones and floats are fluxes of one band."""
    from glue_zoobot.images import rgb

    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        grey = (values >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return rgb.compose(values[None].astype(np.float32), "asinh").pixels
