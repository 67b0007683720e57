"""Small images and broken files, made afresh for every test."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image


def picture(seed: int = 0, height: int = 24, width: int = 32) -> np.ndarray:
    """A smooth coloured picture, different for every seed."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (3 + c) + seed) + np.cos(y / (4 + c)) for c in range(3)]
    return np.rint(127 + 60 * np.stack(waves, axis=2)).clip(0, 255).astype(np.uint8)


def flux(seed: int = 0, size: int = 40, amplitude: float = 50.0) -> np.ndarray:
    """A galaxy on noise, float32."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    return (amplitude * np.exp(-np.hypot(x, y) / 4) + rng.normal(0, 1, (size, size))).astype(np.float32)


def huge_png(path: Path, side: int) -> None:
    """A PNG whose header promises side x side pixels, and hardly any data: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with four good images: JPEG, PNG, TIFF in a subfolder, FITS."""
    Image.fromarray(picture(1)).save(tmp_path / "galaxy_a.jpg", quality=95)
    Image.fromarray(picture(2)).save(tmp_path / "galaxy_b.PNG")
    (tmp_path / "field 2").mkdir()
    Image.fromarray(picture(3)).save(tmp_path / "field 2" / "galaxy_c.tiff")
    fits.writeto(tmp_path / "field 2" / "galaxy_d.fits", flux(4))
    return tmp_path


@pytest.fixture
def broken_folder(folder: Path) -> Path:
    """The good images and one of every kind of broken file."""
    good = (folder / "galaxy_a.jpg").read_bytes()
    stamp = (folder / "field 2" / "galaxy_d.fits").read_bytes()
    (folder / "half.jpg").write_bytes(good[: len(good) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.jpg").write_text("<!DOCTYPE html><html><body>404 not found</body></html>")
    (folder / "renamed.jpg").write_bytes(stamp)
    (folder / "jpeg.fits").write_bytes(good)
    (folder / "half.fits").write_bytes(stamp[:4000])
    (folder / "text.fits").write_text("SIMPLE? not at all")
    (folder / "empty.fits").write_bytes(b"")
    huge_png(folder / "bomb.png", 60_000)
    huge_png(folder / "large.png", 12_000)
    (folder / "half.png").write_bytes((folder / "galaxy_b.PNG").read_bytes()[:200])
    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": 100_000, "NAXIS2": 100_000})
    (folder / "bomb.fits").write_bytes(header.tostring().encode() + b"\0" * 2880)
    fits.writeto(folder / "all_nan.fits", np.full((20, 20), np.nan, dtype=np.float32))
    return folder
