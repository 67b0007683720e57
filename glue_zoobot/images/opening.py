"""Open anything that holds galaxy images: which reader, the path says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.files import IMAGE_SUFFIXES
from glue_zoobot.images.paths import open_folder_of_images, open_paths, path_column
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import TABLE_SUFFIXES, read_table


def open_catalogue(path_or_spec: str | Path | SourceSpec, **spec_fields: Any) -> Catalogue:
    """
    Open galaxy images and the catalogue that goes with them.

    Parameters
    ----------
    path_or_spec : str, pathlib.Path or SourceSpec
        A folder, a table with a column of image paths (CSV, ECSV, FITS, VOTable, Parquet), an HDF5 stack,
        ``.npy``/``.npz``, a Parquet column of image bytes, FITS stamps or one FITS file of many images.
    **spec_fields
        Fields of `SourceSpec` to set, such as ``id_column``.

    Returns
    -------
    Catalogue

    Raises
    ------
    CatalogueError
        It does not exist or holds no images that can be found; says what to name.
    """
    if isinstance(path_or_spec, SourceSpec):
        spec = replace(path_or_spec, **spec_fields)
    else:
        spec = SourceSpec(str(path_or_spec), **spec_fields)
    path = Path(spec.path).expanduser()
    if not path.exists():
        raise CatalogueError(f"there is no {path}")
    return _open_folder(spec, path) if path.is_dir() else _open_file(spec, path)


def _open_file(spec: SourceSpec, path: Path) -> Catalogue:
    name = path.name.lower()
    if name.endswith(TABLE_SUFFIXES):
        return _open_table(spec, path)
    raise CatalogueError(f"{path}: no known kind of catalogue or image container")


def _open_table(spec: SourceSpec, path: Path) -> Catalogue:
    return open_paths(spec, read_table(path, (spec.id_column or "",)), path.parent)


def _open_folder(spec: SourceSpec, folder: Path) -> Catalogue:
    tables = [p for p in sorted(folder.iterdir()) if p.name.lower().endswith(TABLE_SUFFIXES)]
    for path in tables:
        table = read_table(path)
        if path_column(table, spec.image_column):
            return open_paths(spec, table, folder)
    return open_folder_of_images(spec, folder)


__all__ = ["IMAGE_SUFFIXES", "fits", "open_catalogue"]
