"""A map of the embeddings, computed by a child process and written to the dataset when it is there."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy import QtCore

from glue_zoobot.qt.jobs import ChildJob
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["METHODS", "MapJob"]

#: Methods and how they are called in windows.
METHODS = {"pca": "PCA", "umap": "UMAP"}


class MapJob(ChildJob):
    """
    Two new columns with the positions of a dataset's galaxies on a map.

    Parameters
    ----------
    data : Data
    store : Path
        Folder of its embeddings.
    method : {"pca", "umap"}
    parent : QObject, optional

    Attributes
    ----------
    columns : tuple of ComponentID, or None
        x and y, once they are there.
    """

    def __init__(self, data: Data, store: Path, method: str, parent: QtCore.QObject | None = None) -> None:
        super().__init__(data, f"{METHODS[method]} map of {data.label}", parent)
        self._method, self._store = method, store
        self.started_text = "Computing…" if method == "pca" else "Computing; this takes a minute or more…"
        self.columns: tuple[ComponentID, ComponentID] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="glue-zoobot-", ignore_cleanup_errors=True)

    def arguments(self) -> list[str]:
        return ["-m", "glue_zoobot", "map", str(self._store), "--method", self._method, "-o", str(self._file)]

    @property
    def _file(self) -> Path:
        return Path(self._folder.name) / "map.parquet"

    def succeed(self, outcome: dict[str, Any]) -> None:
        """Read and match the positions off the GUI thread, then write them."""
        data = self.data
        if data is None:
            self.become("done", "The dataset was closed meanwhile.")
            return
        self.become("running", "Reading the map…")
        run_in_thread(self, lambda: _read(self._file, data), self._write, self._fail)

    def _write(self, answer: tuple[np.ndarray, dict[str, Any]]) -> None:
        from glue_zoobot.catalog.maps import write_map

        self.columns = x, y = write_map(self.data, self._method, *answer)
        self.become(
            "done", f"The columns {x.label} and {y.label} are ready for a scatter plot{self._so_far()}."
        )
        self.finished.emit()

    def _so_far(self) -> str:
        from glue_zoobot.catalog.embeddings import known_embeddings

        known = known_embeddings(self.data)
        growing = known is not None and known.growing
        return f"; {known.so_far()}, the others come into it when that ends" if growing else ""

    def _fail(self, error: Exception) -> None:
        self.become("failed", str(error))


def _read(file: Path, data: Data) -> tuple[np.ndarray, dict[str, Any]]:
    """Return positions (N, 2), NaN where there is none, and how they were made."""
    import pyarrow.parquet

    from glue_zoobot.catalog.identity import match_rows

    table = pyarrow.parquet.read_table(file)
    rows, places = match_rows(data, table["object_id"].to_numpy())
    positions = np.full((data.size, 2), np.nan, dtype=np.float32)
    for axis, name in enumerate(("map_x", "map_y")):
        positions[rows, axis] = table[name].to_numpy()[places]
    return positions, json.loads((table.schema.metadata or {}).get(b"glue_zoobot", b"{}"))
