"""Read galaxy images, and tables that glue alone reads badly, as glue datasets."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.data_factories import load_data

from glue_zoobot.catalog import factories
from glue_zoobot.catalog.components import table_to_data
from glue_zoobot.catalog.pictures import remember_source
from glue_zoobot.catalog.recognise import require_images, take_opened
from glue_zoobot.catalog.record import KEY, relative_to
from glue_zoobot.catalog.same_galaxies import sample_of_ids
from glue_zoobot.catalog.stores import remember_store_beside
from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import Catalogue, SourceSpec
from glue_zoobot.images.files import FileSource, stems
from glue_zoobot.images.identity import identify
from glue_zoobot.images.mosaics import without_tiles
from glue_zoobot.images.paths import path_column
from glue_zoobot.images.tables import read_table
from glue_zoobot.images.tiles import absolute

if TYPE_CHECKING:
    from glue.core import Data

_NO_NAMES = ("labels", "catalogue", "catalog", "table", "data", "files", "images", "metadata")

__all__ = ["load", "read_images", "read_plain_table"]


def load(path_or_spec: str | os.PathLike[str] | SourceSpec, **spec_fields: Any) -> Data:
    """
    Open galaxy images as a glue dataset, as *File > Open* does.

    Parameters
    ----------
    path_or_spec : path or SourceSpec
        See `glue_zoobot.images.open_catalogue`.
    **spec_fields
        Fields of `SourceSpec` to set.

    Returns
    -------
    Data
        One row per galaxy. Sessions store its path, not its columns.

    Raises
    ------
    CatalogueError
        If there are no images that can be found.
    """
    if not isinstance(path_or_spec, SourceSpec):
        path_or_spec = SourceSpec(os.fspath(path_or_spec))
    spec = replace(path_or_spec, **spec_fields)
    path = os.path.abspath(Path(spec.path).expanduser())  # noqa: PTH100
    folder = Path(path).parent
    mosaic = None if spec.mosaic is None else absolute(spec.mosaic, folder)
    spec = replace(spec, path=path, image_root=_absolute_root(spec.image_root, folder), mosaic=mosaic)
    require_images(spec)
    near = spec.with_paths(lambda text: relative_to(text, folder))
    fields = {name: value for name, value in near.to_dict().items() if name != "path"}
    return load_data(path, factory=factories.read_images, **fields)


def read_images(path: str, **fields: Any) -> Data:
    """
    Read a folder, table or container of galaxy images; the keywords are fields of `SourceSpec`.

    A relative ``image_root`` or ``mosaic`` is relative to the folder of the source.

    The same source always gives the same components in the same order: sessions store their positions.
    """
    path = os.path.abspath(path)  # noqa: PTH100
    folder = Path(path).parent
    spec = SourceSpec(path, **fields).with_paths(lambda text: os.path.normpath(folder / text))
    try:
        catalogue = take_opened(spec)
    except CatalogueError as error:
        catalogue = _images_missing(spec, str(error))
    paths = (
        path_column(catalogue.table, spec.image_column) if isinstance(catalogue.source, FileSource) else None
    )
    data, notes = table_to_data(catalogue.table, _label(Path(path)), paths)
    data.meta[KEY] = {
        "notes": [*catalogue.notes, *notes],
        "ids": sample_of_ids(np.asarray(catalogue.table["object_id"])),
    }
    remember_source(data, spec, catalogue.source, folder)
    remember_store_beside(data, Path(path))
    return data


def read_plain_table(path: str, **kwargs: Any) -> Data:
    """Read a table without images that glue alone reads badly: Parquet, and FITS with vector columns."""
    data, notes = table_to_data(read_table(Path(path)), _label(Path(path)))
    data.meta[KEY] = {"notes": notes}
    return data


def _absolute_root(root: str | None, folder: Path) -> str | None:
    """Take a relative image root from the current folder if it is there, else from the table's."""
    if root is None:
        return None
    given = Path(root).expanduser()
    return os.path.abspath(given if given.exists() else folder / given)  # noqa: PTH100


def _images_missing(spec: SourceSpec, reason: str) -> Catalogue:
    """
    Open a table whose images are gone, which happens only when a session is restored.

    The rows, columns and subsets are there then, and each picture says why it is not.
    """
    table = read_table(Path(spec.path), (spec.id_column or "",))
    if spec.mosaic is not None:
        return without_tiles(spec, table, reason)
    name = path_column(table, spec.image_column)
    if name is None:
        raise CatalogueError(
            f"{spec.path} holds no images any more; put the images back, or open another file"
        )
    paths = [str(path).strip() for path in table[name].tolist()]
    identity = identify(table, spec.id_column, lambda: stems(paths))
    root = spec.image_root or str(Path(spec.path).parent)
    source = FileSource(identity.object_ids, paths, root, spec.preset, spec.bands)
    return Catalogue.assemble(spec, source, table, identity, (f"the images are not in {root}",))


def _label(path: Path) -> str:
    """Name of the file, or of its folder where the file is called what such files are always called."""
    return path.parent.name if path.stem.lower() in _NO_NAMES and path.parent.name else path.stem
