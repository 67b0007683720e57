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
    from glue.core import Data

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
    """

    def __init__(self, data: Data, store: Path, method: str, parent: QtCore.QObject | None = None) -> None:
        super().__init__(data, f"{METHODS[method]} map of {data.label}", parent)
        self._method, self._store = method, store
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

    def _write(self, answer: tuple[dict[str, np.ndarray], dict[str, Any]]) -> None:
        from glue_zoobot.catalog.columns import free_number, write_columns

        positions, provenance = answer
        # Never the columns of an earlier map: a lasso is kept as a shape, and would hold other galaxies.
        number = free_number(self.data, f"map_{self._method}_{{}}_x", f"map_{self._method}_{{}}_y")
        name = f"map_{self._method}_{number}"
        write_columns(self.data, {f"{name}_{axis}": positions[axis] for axis in "xy"}, provenance)
        self.become("done", f"The columns {name}_x and {name}_y are ready for a scatter plot.")
        self.finished.emit()

    def _fail(self, error: Exception) -> None:
        self.become("failed", str(error))


def _read(file: Path, data: Data) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return positions (N,) per axis, NaN where there is none, and how they were made."""
    import pyarrow.parquet

    from glue_zoobot.catalog.identity import match_rows

    table = pyarrow.parquet.read_table(file)
    rows, places = match_rows(data, table["object_id"].to_numpy())
    positions = {axis: np.full(data.size, np.nan, dtype=np.float32) for axis in "xy"}
    for axis, values in positions.items():
        values[rows] = table[f"map_{axis}"].to_numpy()[places]
    return positions, json.loads((table.schema.metadata or {}).get(b"glue_zoobot", b"{}"))
