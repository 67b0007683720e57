"""Rows of a dataset on the clipboard or under the mouse: what the gallery drags and the panel takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy import QtCore

if TYPE_CHECKING:
    from glue.core import Data, DataCollection

__all__ = ["ROWS_MIME_TYPE", "mime_of_rows", "rows_of_mime"]

ROWS_MIME_TYPE = "application/x-glue-zoobot-rows"


def mime_of_rows(data: Data, rows: Sequence[int]) -> QtCore.QMimeData:
    """Pack rows of a dataset: JSON ``{"data": uuid, "rows": [...]}``."""
    mime = QtCore.QMimeData()
    text = json.dumps({"data": data.uuid, "rows": [int(row) for row in rows]})
    mime.setData(ROWS_MIME_TYPE, text.encode())
    return mime


def rows_of_mime(mime: QtCore.QMimeData, collection: DataCollection) -> tuple[Data, list[int]] | None:
    """Unpack them; None if they are not rows of a dataset of this session."""
    if not mime.hasFormat(ROWS_MIME_TYPE):
        return None
    try:
        content = json.loads(bytes(mime.data(ROWS_MIME_TYPE)))
        uuid, rows = content["data"], [int(row) for row in content["rows"]]
    except (ValueError, KeyError, TypeError):  # from another program
        return None
    data = next((data for data in collection if data.uuid == uuid), None)
    if data is None or not rows or not all(0 <= row < data.size for row in rows):
        return None
    return data, rows
