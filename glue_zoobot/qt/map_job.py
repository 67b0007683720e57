"""A map of the embeddings, computed by a child process and written to the dataset when it is there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy import QtCore

from glue_zoobot.qt.jobs import ChildJob
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from astropy.table import Table
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
        """Read the positions off the GUI thread, then write them."""
        from astropy.table import Table

        self.become("running", "Reading the map…")
        run_in_thread(self, lambda: Table.read(self._file), self._write, self._fail)

    def _write(self, table: Table) -> None:
        from glue_zoobot.catalog import write_columns
        from glue_zoobot.catalog.identity import match_rows

        data = self.data
        if data is None:
            self.become("done", "The dataset was closed meanwhile.")
            return
        rows, positions = match_rows(data, np.asarray(table["object_id"]))
        name = self._free_name(data)
        columns = {f"{name}_{axis}": np.full(data.size, np.nan, dtype=np.float32) for axis in "xy"}
        for axis in "xy":
            columns[f"{name}_{axis}"][rows] = np.asarray(table[f"map_{axis}"])[positions]
        write_columns(data, columns, dict(table.meta))
        self.become("done", f"The columns {name}_x and {name}_y are ready for a scatter plot.")
        self.finished.emit()

    def _free_name(self, data: Data) -> str:
        """Never the columns of an earlier map: a lasso is kept as a shape, and would hold other galaxies."""
        number = 1
        while data.find_component_id(f"map_{self._method}_{number}_x") is not None:
            number += 1
        return f"map_{self._method}_{number}"

    def _fail(self, error: Exception) -> None:
        self.become("failed", str(error))
