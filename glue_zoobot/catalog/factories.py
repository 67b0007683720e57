"""File > Open for everything that holds galaxy images, and for tables that glue alone reads badly."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue.config import data_factory
from glue.core.data_factories import load_data

from glue_zoobot.catalog.components import table_to_data
from glue_zoobot.catalog.pictures import remember_source
from glue_zoobot.catalog.recognise import has_images, take_opened, wants_table_reader
from glue_zoobot.catalog.record import KEY, relative_to
from glue_zoobot.images import SourceSpec
from glue_zoobot.images.paths import path_column
from glue_zoobot.images.tables import read_table

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
    fields = {name: value for name, value in spec.to_dict().items() if name != "path"}
    if spec.image_root is not None and Path(spec.image_root).expanduser().is_absolute():
        fields["image_root"] = relative_to(spec.image_root, Path(path).parent)
    return load_data(path, factory=read_images, **fields)


def read_images(path: str, **fields: Any) -> Data:
    """
    Read a folder, table or container of galaxy images; the keywords are fields of `SourceSpec`.

    The same source always gives the same components in the same order: sessions store their positions.
    """
    path = os.path.abspath(path)  # noqa: PTH100
    spec, folder = SourceSpec(path, **fields), Path(path).parent
    if spec.image_root is not None:
        root = folder / Path(spec.image_root).expanduser()
        spec = replace(spec, image_root=os.path.normpath(root))
    catalogue = take_opened(spec)
    paths = path_column(catalogue.table, spec.image_column) if hasattr(catalogue.source, "paths") else None
    data, notes = table_to_data(catalogue.table, _label(Path(path)), paths)
    data.meta[KEY] = {"notes": [*catalogue.notes, *notes]}
    remember_source(data, spec, catalogue.source, folder)
    return data


data_factory("Galaxy images", identifier=has_images, priority=250)(read_images)


def read_plain_table(path: str, **kwargs: Any) -> Data:
    """Read a table without images that glue alone reads badly: Parquet, and FITS with vector columns."""
    data, notes = table_to_data(read_table(Path(path)), _label(Path(path)))
    data.meta[KEY] = {"notes": notes}
    return data


data_factory("Table (Parquet, FITS with vectors)", identifier=wants_table_reader, priority=150)(
    read_plain_table
)


def _label(path: Path) -> str:
    """Name of the file, or of its folder where the file is called what such files are always called."""
    return path.parent.name if path.stem.lower() in _NO_NAMES and path.parent.name else path.stem
