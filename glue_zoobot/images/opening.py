"""Open anything that holds galaxy images: which reader, the path says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import bands, fits, hats, hdus, parquet, rgb, tars, zips
from glue_zoobot.images.arrays import open_arrays
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.files import ARRAY_SUFFIXES, RASTER_SUFFIXES
from glue_zoobot.images.paths import list_images, open_files, open_paths, path_column, root_of
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import PARQUET_SUFFIXES, TABLE_SUFFIXES, column_matching, read_table, tables_in

HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5")


def open_catalogue(path_or_spec: str | Path | SourceSpec, **spec_fields: Any) -> Catalogue:
    """
    Open galaxy images and the catalogue that goes with them.

    Parameters
    ----------
    path_or_spec : str, pathlib.Path or SourceSpec
        A folder, a table with a column of image paths (CSV, ECSV, FITS, VOTable, Parquet), an HDF5 stack,
        ``.npy``/``.npz``, a Parquet column of image bytes, FITS stamps, one FITS file of many images, a zip
        file, or tar files (``data-{000..099}.tar``).
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
    if spec.preset not in ("auto", *rgb.PRESETS):
        raise CatalogueError(
            f"there is no preset {spec.preset!r}; the presets are auto, {', '.join(rgb.PRESETS)}"
        )
    bands.check_order(spec.bands)
    path = Path(spec.path).expanduser()
    try:
        if tars.is_pattern(spec.path):
            return tars.open_tars(spec, tars.expand(spec.path))
        if hats.is_hats(spec.path):
            return hats.open_hats(spec)
        if not path.exists():
            raise CatalogueError(f"there is no file or folder {path}; check its name")
        if spec.mosaic is not None:
            return _open_cutouts(spec, path)
        return _open_folder(spec, path) if path.is_dir() else _open_file(spec, path)
    except PermissionError as error:
        raise CatalogueError(f"no permission to read {error.filename}") from error
    except OSError as error:  # a name that is too long, a disk that went away
        raise CatalogueError(f"{str(path)[:200]} cannot be read ({error.strerror or error})") from error


def _open_cutouts(spec: SourceSpec, path: Path) -> Catalogue:
    """Open a table of positions; the pictures are cut out of a mosaic."""
    from glue_zoobot.images.mosaics import open_mosaic

    if not path.is_file():
        raise CatalogueError(f"{path} is no table; cutouts need one with the positions of the galaxies")
    return open_mosaic(spec, read_table(path, (spec.id_column or "",)), path.parent)


def _open_file(spec: SourceSpec, path: Path) -> Catalogue:
    if not path.is_file():
        raise CatalogueError(f"{path} is a pipe or device; save it as a file first")
    name = path.name.lower()
    if name.endswith(PARQUET_SUFFIXES):
        column = parquet.image_column(path, spec.image_column)
        return parquet.open_parquet_images(spec, [path], column) if column else _open_table(spec, path)
    if name.endswith(TABLE_SUFFIXES):
        return _open_table(spec, path)
    if name.endswith(fits.SUFFIXES):
        return _open_fits(spec, path)
    for suffixes, reader in _CONTAINERS:
        if name.endswith(suffixes):
            return reader(spec, path)
    raise CatalogueError(
        f"{path} is no known kind of catalogue or image container. Give a folder of images, a table (.csv "
        ".ecsv .fits .vot .parquet), a stack of images (.h5 .npy .npz .parquet .fits .zip .tar), or one "
        "image (.jpg .png .tif .fits)"
    )


def _open_hdf5(spec: SourceSpec, path: Path) -> Catalogue:
    from glue_zoobot.images.hdf5 import open_hdf5

    return open_hdf5(spec, path)


def _open_tar(spec: SourceSpec, path: Path) -> Catalogue:
    return tars.open_tars(spec, [path])


def _refuse_packed(spec: SourceSpec, path: Path) -> Catalogue:
    raise CatalogueError(
        f"{path} is packed as a whole, so that no image can be read without all before it; unpack it to .tar "
        "(gunzip or alike)"
    )


def _open_image(spec: SourceSpec, path: Path) -> Catalogue:
    return open_files(spec, path.parent, [path.name])


_CONTAINERS: tuple[tuple[tuple[str, ...], Callable[[SourceSpec, Path], Catalogue]], ...] = (
    (HDF5_SUFFIXES, _open_hdf5),
    (ARRAY_SUFFIXES, open_arrays),
    (tars.SUFFIXES, _open_tar),
    (zips.SUFFIXES, zips.open_zip),
    (tars.PACKED_SUFFIXES, _refuse_packed),
    (RASTER_SUFFIXES, _open_image),
)


def _open_table(spec: SourceSpec, path: Path) -> Catalogue:
    """Open a table of image paths, or of the HDU numbers of a FITS file beside it."""
    table = read_table(path, (spec.id_column or "",))
    if not _by_pattern(spec) and spec.image_column is None and path_column(table) is None:
        images = _hdu_file(spec, table, path.parent)
        if images is not None:
            return hdus.open_hdus(spec, images, table)
    return _open_rows(spec, table, path.parent)


def _open_rows(spec: SourceSpec, table: Table, folder: Path) -> Catalogue:
    """Open the image files of a table, one per galaxy or one per galaxy and band."""
    root = root_of(spec, folder)
    if tars.is_pattern(str(root)) or root.name.lower().endswith(tars.SUFFIXES):
        return tars.open_tars(spec, tars.expand(str(root)), table)
    if root.name.lower().endswith(zips.SUFFIXES) and root.is_file():
        return zips.open_zip(spec, root, table)
    if _by_pattern(spec):
        return bands.open_bands(spec, root, table)
    column = path_column(table, spec.image_column)
    siblings = bands.note_siblings(table, column, root) if column and spec.bands is None else None
    if siblings is None:
        return open_paths(spec, table, folder)
    pattern, note = siblings
    return _with_notes(bands.open_bands(replace(spec, bands=pattern), root, table), note)


def _by_pattern(spec: SourceSpec) -> bool:
    """Whether the bands are in files of their own, rather than planes of one file."""
    return "{" in (spec.bands or "")


def _hdu_file(spec: SourceSpec, table: Table, folder: Path) -> Path | None:
    """FITS file that a column of HDU numbers refers to: `image_root`, or the only one in the folder."""
    if column_matching(table, hdus.HDU_COLUMN) is None:
        return None
    if spec.image_root:
        named = Path(spec.image_root).expanduser()
        return next((p for p in (named, folder / named) if p.is_file()), None)
    beside = [p for p in folder.iterdir() if p.name.lower().endswith(fits.SUFFIXES)]
    return beside[0] if len(beside) == 1 else None


def _open_fits(spec: SourceSpec, path: Path) -> Catalogue:
    """Open a FITS file: a table of paths, many images (with their catalogue), or one stamp."""
    try:
        numbers, _ = hdus.image_hdus(path)
        with fits.opened(str(path)) as hdus_in:
            has_table = any(type(h).__name__ in ("BinTableHDU", "TableHDU") for h in fits.parts(hdus_in))
    except (UnreadableImage, OSError) as error:
        raise CatalogueError(f"{path} cannot be read: {error}") from error
    table = read_table(path) if has_table else None
    if table is not None and (
        _by_pattern(spec) or spec.image_column or not len(numbers) or path_column(table)
    ):
        return _open_rows(spec, table, path.parent)
    if len(numbers) < 2:
        return open_files(spec, path.parent, [path.name])
    if table is None:
        table = _catalogue_beside(path)
    elif column_matching(table, hdus.HDU_COLUMN) is None and len(table) == len(numbers):
        table["hdu"] = np.asarray(numbers)
    return hdus.open_hdus(spec, path, table)


def _catalogue_beside(path: Path) -> Table | None:
    """Return the only table in the folder of a FITS file, if it has a column of HDU numbers."""
    beside = tables_in(path.parent)
    table = read_table(beside[0]) if len(beside) == 1 else None
    return table if table is not None and column_matching(table, hdus.HDU_COLUMN) else None


def _open_folder(spec: SourceSpec, folder: Path) -> Catalogue:
    """Open the one table of a folder that names images, else Parquet shards, else the image files."""
    tables = tables_in(folder)
    if len(tables) > 1 and all(p.name.lower().endswith(PARQUET_SUFFIXES) for p in tables):
        column = parquet.image_column(tables[0], spec.image_column)
        if column:
            return parquet.open_parquet_images(spec, tables, column)
    opened = [c for c in (_try_table(spec, p) for p in tables) if c is not None]
    if len(opened) == 1:
        return opened[0]
    notes = [f"{len(opened)} tables here name images: open one of them to have its columns"] if opened else []
    if _by_pattern(spec):
        return _with_notes(bands.open_bands(spec, folder), *notes)
    unreadable: list[str] = []
    paths = list_images(folder, unreadable=unreadable)
    shards = [p for p in sorted(folder.iterdir()) if p.name.lower().endswith(tars.SUFFIXES) and p.is_file()]
    if shards and not paths:
        return _with_notes(tars.open_tars(spec, shards), *notes)
    notes += [f"no permission to look into {name}: its images are left out" for name in unreadable]
    pattern = bands.suggest_pattern(paths) if spec.bands is None else None
    if pattern and all(bands.fits_pattern(p, pattern) for p in paths):
        return _with_notes(bands.open_bands(replace(spec, bands=pattern), folder), *notes)
    if pattern:
        notes.append(f"some files look like one per band: for colours set bands={pattern!r}")
    return open_files(spec, folder, paths, tuple(notes))


def _with_notes(catalogue: Catalogue, *notes: str) -> Catalogue:
    return replace(catalogue, notes=(*catalogue.notes, *notes))


def _try_table(spec: SourceSpec, path: Path) -> Catalogue | None:
    try:
        catalogue = _open_file(replace(spec, path=str(path)), path)
        return replace(catalogue, spec=replace(catalogue.spec, path=spec.path))
    except CatalogueError:
        return None  # a table of something else, beside the images
