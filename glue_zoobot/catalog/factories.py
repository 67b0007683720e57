"""
*File > Open* for everything that holds galaxy images, and for tables that glue alone reads badly.

Imported when glue starts, so what reads is imported only when something is opened. Sessions remember the
functions of this module by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glue.config import data_factory

from glue_zoobot.catalog import hats, moved  # noqa: F401  register themselves with glue

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["read_images", "read_plain_table"]


def _has_images(path: str, **fields: Any) -> bool:
    from glue_zoobot.catalog.recognise import has_images

    return has_images(path, **fields)


def _wants_table_reader(path: str, **kwargs: Any) -> bool:
    from glue_zoobot.catalog.recognise import wants_table_reader

    return wants_table_reader(path, **kwargs)


@data_factory("Galaxy images", identifier=_has_images, priority=250)
def read_images(path: str, **fields: Any) -> Data:
    """Read a folder, table or container of galaxy images; see `glue_zoobot.catalog.reading.read_images`."""
    from glue_zoobot.catalog import reading

    return reading.read_images(path, **fields)


@data_factory("Table (Parquet, FITS with vectors)", identifier=_wants_table_reader, priority=150)
def read_plain_table(path: str, **kwargs: Any) -> Data:
    """Read a table without images; see `glue_zoobot.catalog.reading.read_plain_table`."""
    from glue_zoobot.catalog import reading

    return reading.read_plain_table(path, **kwargs)
