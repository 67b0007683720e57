"""Which files are ours to open: those that hold galaxy images; ordinary tables stay with glue."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import Catalogue, SourceSpec, fits, open_catalogue
from glue_zoobot.images.files import ARRAY_SUFFIXES
from glue_zoobot.images.hdus import HDU_COLUMN
from glue_zoobot.images.identity import normalise
from glue_zoobot.images.opening import HDF5_SUFFIXES
from glue_zoobot.images.paths import PATH_NAMES
from glue_zoobot.images.tables import PARQUET_SUFFIXES, TEXT_SUFFIXES
from glue_zoobot.images.tars import files_of

__all__ = ["has_images", "require_images", "take_opened", "wants_table_reader"]

_MANY, _STAMP = 10, 1024
"""More images than this, none of more pixels on a side: stamps of galaxies, not the chips of a camera."""

_opened: dict[SourceSpec, tuple[float, Catalogue]] = {}
"""What the last recognition opened; reading follows at once and need not open it again."""


def has_images(path: str, **fields: Any) -> bool:
    """Tell whether a path is a folder, table or container whose galaxy images are really there."""
    path = os.path.abspath(path)  # noqa: PTH100
    if not _may_have_images(Path(path)):
        return False
    try:
        require_images(SourceSpec(path, **fields))
    except CatalogueError:
        return False
    return True


def require_images(spec: SourceSpec) -> None:
    """Open a source so that reading it next costs nothing; raises `CatalogueError` as `open_catalogue`."""
    catalogue = open_catalogue(spec)
    _opened.clear()
    _opened[spec] = (_modified(spec.path), catalogue)


def take_opened(spec: SourceSpec) -> Catalogue:
    """Return what `has_images` opened, if it was this and has not changed since; else open it."""
    modified, catalogue = _opened.pop(spec, (None, None))
    if catalogue is not None and modified == _modified(spec.path):
        return catalogue
    return open_catalogue(spec)


def wants_table_reader(path: str, **kwargs: Any) -> bool:
    """Tell whether a file is a table that stock glue spoils: Parquet, or FITS with vector columns."""
    name = path.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return Path(path).is_file()
    return name.endswith(fits.SUFFIXES) and _has_vector_columns(path)


def _modified(path: str) -> float:
    return max((found.stat().st_mtime for found in files_of(path)), default=0.0)


def _may_have_images(path: Path) -> bool:
    """Refuse cheaply what cannot be ours: glue asks this of every file that is opened."""
    name = path.name.lower()
    if name.endswith(TEXT_SUFFIXES):
        return _header_names_paths(path)
    if name.endswith(fits.SUFFIXES):
        return _is_fits_of_galaxies(path)
    if name.endswith((*HDF5_SUFFIXES, *ARRAY_SUFFIXES)):
        return _has_stack(path)
    others = (".ecsv", ".vot", ".votable", ".xml", ".tar", ".zip")
    return path.is_dir() or name.endswith((*PARQUET_SUFFIXES, *others))


def _header_names_paths(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.readline(1 << 20).decode("utf-8", "replace").lstrip("\ufeff# ")
    for delimiter in ",\t;|":
        header = header.replace(delimiter, "\n")
    words = [word.strip("\"' ") for line in header.splitlines() for word in (line, *line.split())]
    return any(normalise(word) in PATH_NAMES for word in words)


def _is_fits_of_galaxies(path: Path) -> bool:
    """Tables with a column named like paths or HDU numbers, and files of many small images."""
    with fits.opened(str(path)) as hdus:
        columns = [name for hdu in hdus for name in (_column_names(hdu))]
        sizes = [hdu.shape for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2]
    named = any(normalise(name) in PATH_NAMES or re.fullmatch(HDU_COLUMN, name, re.I) for name in columns)
    return named or (len(sizes) > _MANY and all(max(shape[-2:]) <= _STAMP for shape in sizes))


def _column_names(hdu: Any) -> list[str]:
    return hdu.columns.names if type(hdu).__name__ == "BinTableHDU" else []


def _has_vector_columns(path: str) -> bool:
    """Tell whether the first table of a FITS file has a column with several numbers in a row."""
    with fits.opened(path) as hdus:
        table = next((hdu for hdu in hdus if _column_names(hdu)), None)
        return table is not None and any(
            len(table.columns.dtype[name].shape) for name in _column_names(table)
        )


def _has_stack(path: Path) -> bool:
    """Tell whether an array file holds colour pictures or uint8 ones; a cube of numbers stays with glue."""
    name = path.name.lower()
    if name.endswith(".npy"):
        arrays = [np.load(path, mmap_mode="r", allow_pickle=False)]
        return any(_is_stack(array.shape, array.dtype) for array in arrays)
    if name.endswith(".npz"):
        return any(_is_stack(*header) for header in _npz_headers(path))
    import h5py

    found: list[bool] = []
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda _, item: found.append(isinstance(item, h5py.Dataset) and _is_stack(item.shape, item.dtype))
        )
    return any(found)


def _npz_headers(path: Path) -> Iterator[tuple[tuple[int, ...], np.dtype]]:
    """Shapes and types of the arrays in an archive, without unpacking them."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                if np.lib.format.read_magic(member) == (1, 0):
                    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
                    yield shape, dtype


def _is_stack(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    colours = len(shape) == 4 and (shape[-1] in (1, 3, 4) or shape[1] in (1, 3, 4))
    return colours or (len(shape) == 3 and dtype == np.uint8)
