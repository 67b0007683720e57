"""Which files are ours to open: those that hold galaxy images; ordinary tables stay with glue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import Catalogue, SourceSpec, open_catalogue
from glue_zoobot.images.identity import normalise
from glue_zoobot.images.paths import PATH_NAMES
from glue_zoobot.images.tables import PARQUET_SUFFIXES, TEXT_SUFFIXES

__all__ = ["has_images", "require_images", "take_opened", "wants_table_reader"]

_FITS_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz")
_STACK_SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5", ".npy", ".npz")

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
    return name.endswith(_FITS_SUFFIXES) and _has_vector_columns(path)


def _modified(path: str) -> float:
    return Path(path).stat().st_mtime


def _may_have_images(path: Path) -> bool:
    """Refuse cheaply what cannot be ours: glue asks this of every file that is opened."""
    name = path.name.lower()
    if name.endswith(TEXT_SUFFIXES):
        return _header_names_paths(path)
    if name.endswith(_FITS_SUFFIXES):
        return _is_fits_of_galaxies(path)
    if name.endswith(_STACK_SUFFIXES):
        return _has_stack(path)
    return path.is_dir() or name.endswith((*PARQUET_SUFFIXES, ".ecsv", ".vot", ".votable", ".xml"))


def _header_names_paths(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.readline(1 << 20).decode("utf-8", "replace").lstrip("\ufeff# ")
    for delimiter in ",\t;|":
        header = header.replace(delimiter, "\n")
    words = [word.strip("\"' ") for line in header.splitlines() for word in (line, *line.split())]
    return any(normalise(word) in PATH_NAMES for word in words)


def _is_fits_of_galaxies(path: Path) -> bool:
    """Tables with a column named like paths, and files of many images; one image stays an image."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        tables = [
            hdu
            for hdu in hdus
            if isinstance(hdu, fits.BinTableHDU) and not isinstance(hdu, fits.CompImageHDU)
        ]
        images = [hdu for hdu in hdus if hdu.is_image and hdu.header.get("NAXIS", 0) >= 2]
        named = any(normalise(column) in PATH_NAMES for hdu in tables for column in hdu.columns.names)
    return named or len(images) > 10


def _has_vector_columns(path: str) -> bool:
    from astropy.io import fits

    with fits.open(path) as hdus:
        tables = [
            hdu
            for hdu in hdus
            if isinstance(hdu, fits.BinTableHDU) and not isinstance(hdu, fits.CompImageHDU)
        ]
        return any(
            len(column.dtype.shape) > 0
            for hdu in tables[:1]
            for column in hdu.columns
            if column.dtype is not None
        )


def _has_stack(path: Path) -> bool:
    """Tell whether an array file holds N×H×W×colours, the one layout that can be nothing else."""
    if path.suffix.lower() in (".npy", ".npz"):
        with np.load(path, mmap_mode="r", allow_pickle=False) as arrays:
            shapes = (
                [arrays.shape] if isinstance(arrays, np.ndarray) else [arrays[name].shape for name in arrays]
            )
        return any(_is_stack(shape) for shape in shapes)
    import h5py

    shapes = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda _, item: shapes.append(getattr(item, "shape", ())))
    return any(_is_stack(shape) for shape in shapes)


def _is_stack(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and (shape[-1] in (1, 3, 4) or shape[1] in (1, 3, 4))
