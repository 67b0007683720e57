"""The embedding of every row of a glue dataset; never a component of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from glue_zoobot.analysis import SimilaritySearch
from glue_zoobot.catalog.identity import describe_ids, match_rows
from glue_zoobot.catalog.record import record_of, resolve
from glue_zoobot.catalog.stores import remember_store
from glue_zoobot.errors import StoreError, ZoobotError

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.embedding import EmbeddingStore

__all__ = [
    "RowEmbeddings",
    "attach_embeddings",
    "embeddings_of",
    "why_no_embeddings",
]


class RowEmbeddings:
    """
    Embeddings in the row order of a glue dataset.

    Parameters
    ----------
    rows : np.ndarray
        Shape (M,), int64: rows that have an embedding, ascending.
    matrix : np.ndarray
        Shape (M, D), float32.
    n_rows : int
        Rows of the dataset.
    encoder_name : str
        What made them.
    path : Path
        Their store.
    """

    def __init__(
        self, rows: np.ndarray, matrix: np.ndarray, n_rows: int, encoder_name: str, path: Path
    ) -> None:
        self.rows = rows
        self.matrix = matrix
        self.encoder_name = encoder_name
        self.path = path
        self.positions = np.full(n_rows, -1, dtype=np.int64)
        """Shape (N,): where the embedding of each row is in `matrix`, -1 if it has none."""
        self.positions[rows] = np.arange(len(rows))
        self._searches: dict[str, SimilaritySearch] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.rows)

    def search(self, metric: str = "cosine") -> SimilaritySearch:
        """Return the exact search among `matrix`; made once per metric."""
        with self._lock:
            if metric not in self._searches:
                self._searches[metric] = SimilaritySearch(self.matrix, metric)
            return self._searches[metric]


_CACHE: WeakKeyDictionary[Data, RowEmbeddings] = WeakKeyDictionary()
_REASONS: WeakKeyDictionary[Data, str] = WeakKeyDictionary()
_READING = threading.Lock()
"""Two threads that ask at once share one matrix instead of reading two."""


def embeddings_of(data: Data) -> RowEmbeddings | None:
    """
    Return the embeddings of a dataset; read when first asked for, kept as long as the dataset lives.

    Returns
    -------
    RowEmbeddings or None
        None if there are none, or the store is no longer there: `why_no_embeddings` tells.
    """
    path = _store_path(data)
    if path is None:
        return None
    with _READING:
        known = _CACHE.get(data)
        if known is None or known.path != path:
            try:
                known = _CACHE[data] = _read(data, path)
            except (ZoobotError, OSError) as error:
                _REASONS[data] = str(error)
                return None
        _REASONS.pop(data, None)
        return known


def why_no_embeddings(data: Data) -> str:
    """Say in one sentence why `embeddings_of` gives None and what to do; empty if it does not."""
    if embeddings_of(data) is not None:
        return ""
    if _store_path(data) is None:
        return f"{data.label} has no embeddings yet: embed its images, or attach a store that holds them"
    return f"the embeddings of {data.label} are not to be had: {_REASONS[data]}"


def attach_embeddings(data: Data, store: str | os.PathLike[str]) -> int:
    """
    Say where the embeddings of a dataset are; matched by object id.

    May be called again after the store has grown.

    Parameters
    ----------
    data : Data
        Any table in glue.
    store : path
        Folder of an `EmbeddingStore`.

    Returns
    -------
    int
        How many rows have an embedding now; of rows with equal ids, the first.

    Raises
    ------
    StoreError
        If there is no store, or it knows none of the table's ids.
    """
    found = _read(data, Path(os.path.abspath(store)))  # noqa: PTH100
    remember_store(data, found.path)
    _CACHE[data] = found
    return len(found)


def _store_path(data: Data) -> Path | None:
    path = record_of(data).get("store")
    return None if path is None else resolve(data, path)


def _read(data: Data, path: Path) -> RowEmbeddings:
    from glue_zoobot.embedding import EmbeddingStore

    store = EmbeddingStore.open(path)
    ids, matrix = store.load()
    rows, positions = match_rows(data, ids)
    if not rows.size:
        raise StoreError(_no_match(data, store, ids))
    if not np.array_equal(positions, np.arange(len(matrix))):
        matrix = matrix[positions]
    return RowEmbeddings(rows, matrix, data.size, store.encoder_name, path)


def _no_match(data: Data, store: EmbeddingStore, ids: np.ndarray) -> str:
    if not len(ids):
        return f"the store {store.path} holds no embeddings yet; let the run that fills it go on"
    return (
        f"none of the {data.size:,} rows of {data.label} ({describe_ids(data)}) is in "
        f"the store {store.path} (such as {ids[0]!r}): it belongs to another catalogue or uses other ids"
    )
