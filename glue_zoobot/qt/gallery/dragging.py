"""Galaxies dragged out of a gallery: what other panels and programs get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QMimeData

from glue_zoobot.catalog import object_ids_of

if TYPE_CHECKING:
    from glue.core import DataCollection
    from glue.core.data import Data

__all__ = ["MIME_TYPE", "mime_of_rows", "rows_of_mime"]

#: JSON object: ``uuid`` and ``data`` (label) of the dataset, ``rows`` of it.
MIME_TYPE = "application/x-glue-zoobot-rows"
MOST = 10_000


def mime_of_rows(data: Data, rows: np.ndarray) -> QMimeData:
    """
    Pack rows for a drag; other programs get the ids as text, one per line.

    Parameters
    ----------
    data : Data
        The catalogue.
    rows : (K,) ndarray of int
        Galaxies; the first `MOST` are taken.
    """
    rows = np.asarray(rows)[:MOST]
    mime = QMimeData()
    content = {"uuid": data.uuid, "data": data.label, "rows": rows.tolist()}
    mime.setData(MIME_TYPE, json.dumps(content).encode())
    mime.setText("\n".join(str(name) for name in object_ids_of(data)[rows]))
    return mime


def rows_of_mime(mime: QMimeData, data_collection: DataCollection) -> tuple[Data, list[int]] | None:
    """
    Unpack what was dropped.

    Returns
    -------
    data : Data
        Of this session.
    rows : list of int
        Rows of it.
        None instead of both if these are no galaxies of this session.
    """
    if not mime.hasFormat(MIME_TYPE):
        return None
    try:
        content = json.loads(bytes(mime.data(MIME_TYPE)))
        uuid, rows = content["uuid"], [int(row) for row in content["rows"]]
    except (ValueError, KeyError, TypeError):
        return None
    data = next((data for data in data_collection if data.uuid == uuid), None)
    if data is None or not rows or not all(0 <= row < data.size for row in rows):
        return None
    return data, rows
