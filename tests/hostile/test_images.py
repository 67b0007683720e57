"""
Images made to do harm, or damaged: no code runs, memory and time are bounded, the message names the file.

Each case is opened as a user would open it. Either opening fails with a `CatalogueError` that names the
file, or the image is counted as broken with a reason; nothing else may be raised.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import open_catalogue, survey

from ..images.conftest import flux, huge_png, picture

MEGABYTE = 1024**2


class Canary:
    """Pickled, it makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def verdict(path: Path) -> str:
    """Open and read everything; gives the message or the reason, fails the test on any other error."""
    try:
        catalogue = open_catalogue(path)
        found = survey(catalogue.source)
    except CatalogueError as error:
        message = str(error)
    else:
        return " ".join(found.broken.values())
    assert path.name in message
    return message


def fits_cards(*cards: str) -> bytes:
    text = "".join(card.ljust(80) for card in ("SIMPLE  =                    T", *cards, "END"))
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def image_header(*more: str, bitpix: int = -32, size: tuple[int, ...] = (40, 40)) -> bytes:
    axes = [f"NAXIS{k + 1:<3}= {n:>20}" for k, n in enumerate(size)]
    return fits_cards(f"BITPIX  = {bitpix:>20}", f"NAXIS   = {len(size):>20}", *axes, *more)


def npy_header(shape: str, descr: str = "|u1") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    "suffix", [".jpg", ".png", ".tif", ".fits", ".fits.gz", ".npy", ".npz", ".h5", ".parquet"]
)
def test_cut_short_at_any_place(tmp_path, suffix):
    path = tmp_path / f"whole{suffix}"
    image = picture()
    if suffix in (".jpg", ".png", ".tif"):
        Image.fromarray(image).save(path)
    elif ".fits" in suffix:
        fits.writeto(path, np.stack([flux(k) for k in range(3)]))
    elif suffix == ".npy":
        np.save(path, image[None])
    elif suffix == ".npz":
        np.savez_compressed(path, images=image[None])
    elif suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=image[None], chunks=(1, *image.shape), compression="gzip")
    else:
        pq.write_table(pa.table({"image": [encoded(image)]}), path)
    assert verdict(path) == ""
    data = path.read_bytes()
    for share in (0, 0.01, 0.1, 0.3, 0.6, 0.9):
        cut = path.with_name(f"cut{suffix}")
        cut.write_bytes(data[: int(share * len(data))])
        assert verdict(cut), f"{share:.0%} of a {suffix} file was taken as whole"


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("size", [(-5, 40), (40, -40), (40, 40, -1), (0, 40), (-(2**62), 4)])
def test_fits_of_negative_or_no_size(tmp_path, size):
    (tmp_path / "a.fits").write_bytes(image_header(size=size) + b"\1" * 28800)
    assert verdict(tmp_path / "a.fits")


@pytest.mark.parametrize(
    "header",
    [
        image_header(size=(100_000, 100_000)),
        image_header(size=(40, 40, 9_999_999)),
        image_header(size=(99_999_999_999_999_999, 5)),
        fits_cards("BITPIX  =                    8", "NAXIS   =                  999"),
        fits_cards("BITPIX  =                    8", "NAXIS   =   999999999999999999"),
        image_header(bitpix=7),
        image_header("BSCALE  = 'abc'"),
        image_header("PCOUNT  =           -999999999"),
        image_header("GCOUNT  =  9999999999999999999"),
    ],
)
def test_fits_headers_that_lie(tmp_path, header):
    (tmp_path / "a.fits").write_bytes(header + b"\1" * 2880)
    assert verdict(tmp_path / "a.fits")


def test_fits_header_without_end(tmp_path):
    with (tmp_path / "a.fits").open("wb") as file:
        file.write(b"SIMPLE  =                    T".ljust(80))
        file.write(b" " * (3 * MEGABYTE))
        file.truncate(100 * MEGABYTE)
    assert "without an end" in verdict(tmp_path / "a.fits")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_fits_pixels_that_are_no_numbers(tmp_path, value):
    data = flux()
    data[5:9] = value
    fits.writeto(tmp_path / "some.fits", data)
    fits.writeto(tmp_path / "all.fits", np.full_like(data, value))
    found = survey(open_catalogue(tmp_path).source)
    assert found.broken == {0: "every pixel is NaN"}
    assert found.nan_counts == {1: 160}


def test_fits_pixels_at_the_ends_of_float(tmp_path):
    data = flux().astype(np.float64)
    data[20, 20], data[3, 3] = 1e308, -1e308
    fits.writeto(tmp_path / "a.fits", data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert open_catalogue(tmp_path / "a.fits").source.read(0).shape == (40, 40, 3)


@pytest.mark.parametrize("side", [20_000, 2**31 - 1])
def test_png_bomb(tmp_path, side):
    huge_png(tmp_path / "a.png", side)
    assert re.search("megapixels|too large|unusual kind", verdict(tmp_path / "a.png"))


def test_wrong_type_under_every_suffix(tmp_path):
    for number, data in enumerate(
        (b"<html>", b"\x7fELF\2\1\1", b"%PDF-1.7", b"PK\3\4", b"GIF89a", b"\0" * 64)
    ):
        for suffix in (
            ".jpg",
            ".png",
            ".tif",
            ".fits",
            ".npy",
            ".npz",
            ".h5",
            ".parquet",
            ".csv",
            ".vot",
            ".ecsv",
        ):
            path = tmp_path / f"file{number}{suffix}"
            path.write_bytes(data)
            assert verdict(path)


def test_pictures_of_unusual_kinds_are_read_right(tmp_path):
    image = picture()
    grey = image[..., 0]
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "sixteen.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "sixteen.tif")
    Image.fromarray(image).convert("CMYK").save(tmp_path / "cmyk.tif")
    Image.fromarray(image).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    frames = [Image.fromarray(image), Image.fromarray(255 - image)]
    frames[0].save(tmp_path / "animated.png", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    Image.fromarray(np.rot90(image)).save(tmp_path / "turned.png", exif=exif)
    source = open_catalogue(tmp_path).source
    seen = {name: source.read(row).astype(int) for row, name in enumerate(source.object_ids)}
    for name in [name for name in seen if "sixteen" in name]:
        np.testing.assert_array_equal(seen[name], np.repeat(grey[..., None], 3, axis=2))
    for name in [name for name in seen if "cmyk" in name]:
        assert np.abs(seen[name] - image).mean() < 6
    np.testing.assert_array_equal(seen["animated"], image)
    np.testing.assert_array_equal(seen["turned"], image)


@pytest.mark.parametrize(
    ("shape", "descr"),
    [
        ("(1000000000000, 8, 8, 3)", "|u1"),
        ("(-5, 8, 8, 3)", "|u1"),
        ("(2, -8, -8, 3)", "|u1"),
        ("(2, 8, 8, 3)", "|O"),
        ("(2, 8, 8, 3)", "<M8[s]"),
        ("(2, 8, 8, 3)", "<U1"),
        ("('a', 8, 8, 3)", "|u1"),
        ("(__import__('os').getpid(), 8, 8, 3)", "|u1"),
        ("(1, 100000, 1)", "|u1"),
    ],
)
def test_array_headers_that_lie(tmp_path, shape, descr):
    data = npy_header(shape, descr) + b"\1" * 4000
    (tmp_path / "a.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("images.npy", data)
    (tmp_path / "one.csv").write_text("id,file\n1,a.npy\n2,b.npz\n")
    assert verdict(tmp_path / "a.npy")
    assert verdict(tmp_path / "b.npz")
    assert len(survey(open_catalogue(tmp_path / "one.csv").source).broken) == 2


def test_no_code_in_any_container_is_run(tmp_path):
    canary = tmp_path / "canary"
    evil = np.array([Canary(canary)], dtype=object)
    np.save(tmp_path / "a.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=evil, id=evil)
    yaml = f"!!python/object/apply:os.system ['touch {canary}']"
    header = ["# %ECSV 1.0", "# ---", "# datatype:", "# - {name: file, datatype: string}", f"# meta: {yaml}"]
    (tmp_path / "c.ecsv").write_text("\n".join([*header, "file", "x.jpg", ""]))
    pq.write_table(pa.table({"image": [evil.dumps()]}), tmp_path / "d.parquet")
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["images"] = np.frombuffer(evil.dumps()[:96], np.uint8).reshape(2, 4, 4, 3)
        file["id"] = np.void(evil.dumps())
    (tmp_path / "f.jpg").write_bytes(evil.dumps())
    for path in sorted(tmp_path.iterdir()):
        verdict(path)
    assert not canary.exists()


def test_hdf5_that_lies_or_points_elsewhere(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(256)) * 20)

    def made(name, **dataset):
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("images", dtype="u1", **dataset)
        return verdict(tmp_path / name)

    assert "1,000,000,000 images" in made("rows.h5", shape=(10**9, 8, 8, 3), chunks=(1, 8, 8, 3))
    assert "megapixels" in made("large.h5", shape=(3, 10**6, 10**6, 3), chunks=(1, 64, 64, 3))
    assert "other files" in made("link.h5", shape=(2, 20, 20, 3), external=[(str(secret), 0, 2400)])
    layout = h5py.VirtualLayout((2, 20, 20, 3), "u1")
    layout[:] = h5py.VirtualSource(str(tmp_path / "link.h5"), "images", (2, 20, 20, 3))
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        file.create_virtual_dataset("images", layout)
    assert "other files" in verdict(tmp_path / "virtual.h5")
    with h5py.File(tmp_path / "soft.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(tmp_path / "link.h5"), "images")
    assert "holds no array" in verdict(tmp_path / "soft.h5")


def test_paths_of_a_table(tmp_path):
    """
    A table may name any file that its reader may read, ``../`` and absolute paths too: it is read as an
    image and as nothing else, and a pipe or a device, which would never end, is not opened.
    """
    (tmp_path / "tables").mkdir()
    (tmp_path / "secret.txt").write_text("no image")
    Image.fromarray(picture()).save(tmp_path / "good.png")
    os.mkfifo(tmp_path / "pipe.jpg")
    names = [
        "../good.png",
        str(tmp_path / "good.png"),
        "../secret.txt",
        "../pipe.jpg",
        "/dev/zero",
        "..",
        "a\0b.jpg",
    ]
    Table({"id": list("abcdefg"), "file": names}).write(tmp_path / "tables" / "t.ecsv")
    broken = survey(open_catalogue(tmp_path / "tables" / "t.ecsv").source).broken
    assert set(broken) == {2, 3, 4, 5, 6}
    assert "where JPEG, PNG or TIFF was expected" in broken[2]
    assert "pipe or device" in broken[3]
    assert "pipe or device" in broken[4]
    with pytest.raises(CatalogueError, match="pipe or device"):
        open_catalogue(tmp_path / "pipe.jpg")


BOMBS = ("gzip.fits.gz", "zip.npz", "dictionary.parquet", "plain.parquet", "rows.parquet", "cell.parquet")


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """Files of less than a megabyte that would unpack to hundreds of MB, or of millions of rows."""
    folder = tmp_path_factory.mktemp("bombs")
    zeros = bytes(16 * MEGABYTE)
    with gzip.open(folder / "gzip.fits.gz", "wb", 1) as file:
        file.write(image_header(size=(4000, 4000)))
        for _ in range(17):
            file.write(zeros)
    with zipfile.ZipFile(folder / "zip.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("images.npy", npy_header("(80, 1024, 1024)") + zeros * 5)
    for name, dictionary in (("dictionary", True), ("plain", False)):
        table = pa.table({"image": [zeros] * 6})
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", use_dictionary=dictionary)
    pq.write_table(pa.table({"image": pa.nulls(20_000_000, pa.binary())}), folder / "rows.parquet")
    pq.write_table(
        pa.table({"image": [bytes(3 * MEGABYTE)] * 100}), folder / "cell.parquet", compression="zstd"
    )
    return folder


_MEASURE = """
import resource, sys, warnings
warnings.simplefilter("ignore")
from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import open_catalogue, survey
import h5py, pyarrow.parquet, PIL.Image, astropy.io.fits, astropy.table
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    before = peak()
    try:
        text = "; ".join(sorted(set(survey(open_catalogue(path).source).broken.values())))
    except CatalogueError as error:
        text = str(error)
    print((peak() - before) // 1024, text)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured in kB there")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_fill_the_memory(bombs, name):
    path = bombs / name
    assert path.stat().st_size < 8 * MEGABYTE
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, timeout=120, check=True
    )
    megabytes, reason = done.stdout.strip().split(" ", 1)
    assert int(megabytes) < 700
    assert reason
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".fits", ".npz", ".h5", ".parquet", ".ecsv"])
def test_damaged_at_random(tmp_path, suffix):
    """Forty mutants of each kind: whatever is wrong with a file is said, and not raised as something else."""
    test_cut_short_at_any_place(tmp_path, suffix) if suffix != ".ecsv" else Table(
        {"id": ["a"], "file": ["x.jpg"]}
    ).write(tmp_path / "whole.ecsv")
    Image.fromarray(picture()).save(tmp_path / "x.jpg")
    data = (tmp_path / f"whole{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(40):
        mutant = bytearray(data)
        reach = min(len(data), int(rng.choice([64, 512, 3000, len(data)])))
        start = rng.integers(reach)
        if number % 2:
            mutant[start : start + 4] = rng.choice([0, 45, 57, 255], 4).astype(np.uint8).tobytes()
        else:
            del mutant[start : rng.integers(start, reach + 1)]
        path = tmp_path / f"mutant{suffix}"
        path.write_bytes(bytes(mutant))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict(path)
