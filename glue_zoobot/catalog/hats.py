"""File > Open for HATS catalogues without images; those with images open as galaxy images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue.config import data_factory

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["read_hats"]


def _wants(path: str, **kwargs: Any) -> bool:
    from glue_zoobot.images.hats import is_hats

    return is_hats(path)


@data_factory("HATS catalogue", identifier=_wants, priority=160)
def read_hats(path: str, **kwargs: Any) -> Data:
    """Read a HATS catalogue, or a cone of one (``folder?cone=150.1,2.2,30arcmin``), as a table."""
    from glue_zoobot.catalog.components import table_to_data
    from glue_zoobot.catalog.record import KEY
    from glue_zoobot.images.hats import read_plain

    path = os.path.abspath(path)  # noqa: PTH100
    data, notes = table_to_data(read_plain(path), Path(path).name)
    data.meta[KEY] = {"notes": notes}
    return data
