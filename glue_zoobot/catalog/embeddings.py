"""The embedding of every row of a glue dataset; never a component of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from glue_zoobot.analysis import SimilaritySearch
from glue_zoobot.catalog.record import record_of, resolve
from glue_zoobot.catalog.store_rows import Part, StoreReader
from glue_zoobot.catalog.stores import remember_store
from glue_zoobot.errors import AnalysisError, ZoobotError

if TYPE_CHECKING:
    from glue.core import Data

__all__ = [
    "RowEmbeddings",
    "attach_embeddings",
    "embeddings_of",
    "known_embeddings",
    "require_embeddings",
    "take_in_new",
    "why_no_embeddings",
]


class RowEmbeddings:
    """
    Embeddings in the row order of a glue dataset; those that there were when they were read.

    Parameters
    ----------
    part : Part
        Rows, vectors, and how much of the dataset the run had come to.
    n_rows : int
        Rows of the dataset.
    encoder_name : str
        What made them.
    path : Path
        Their store.
    reader : StoreReader
        Reads on where `part` ends.

    Attributes
    ----------
    rows : np.ndarray
        Shape (M,), int64: rows that have an embedding, ascending.
    matrix : np.ndarray
        Shape (M, D), float32.
    """

    def __init__(self, part: Part, n_rows: int, encoder_name: str, path: Path, reader: StoreReader) -> None:
        self.part, self.reader = part, reader
        self.rows, self.matrix = part.rows, part.matrix
        self.encoder_name = encoder_name
        self.path = path
        self.positions = np.full(n_rows, -1, dtype=np.int64)
        """Shape (N,): where the embedding of each row is in `matrix`, -1 if it has none."""
        self.positions[self.rows] = np.arange(len(self.rows))
        self._searches: dict[str, SimilaritySearch] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def growing(self) -> bool:
        """Whether the run that makes them had not come to all galaxies of the dataset."""
        return self.part.looked_at < self.part.total

    def so_far(self) -> str:
        """Say how many there are of how many that will be; empty if they are complete."""
        return f"{len(self):,} of {self.part.total:,} embedded so far" if self.growing else ""

    def search(self, metric: str = "cosine") -> SimilaritySearch:
        """Return the exact search among `matrix`; made once per metric."""
        with self._lock:
            if metric not in self._searches:
                self._searches[metric] = SimilaritySearch(self.matrix, metric)
            return self._searches[metric]


_CACHE: WeakKeyDictionary[Data, RowEmbeddings] = WeakKeyDictionary()
_REASONS: WeakKeyDictionary[Data, str] = WeakKeyDictionary()
_SHARE_WORTH_READING = 0.1
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


def require_embeddings(data: Data) -> RowEmbeddings:
    """
    Return the embeddings of a dataset for what cannot be done without them.

    Raises
    ------
    AnalysisError
        If there are none: the message says why, as `why_no_embeddings`.
    """
    embeddings = embeddings_of(data)
    if embeddings is None:
        raise AnalysisError(why_no_embeddings(data))
    return embeddings


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


def known_embeddings(data: Data) -> RowEmbeddings | None:
    """Return the embeddings of a dataset if they have been read; reads nothing."""
    known = _CACHE.get(data)
    return known if known is not None and known.path == _store_path(data) else None


def take_in_new(data: Data) -> RowEmbeddings | None:
    """
    Read what was added to the store of a dataset since it was read; not for a GUI thread.

    Nothing is read for little more, so that all readings of a growing store together cost no more than a
    few of the whole.

    Returns
    -------
    RowEmbeddings or None
        What `embeddings_of` gives from now on; None if it gives the same as before.

    Raises
    ------
    StoreError
        The store is damaged or gone; what was read stays.
    """
    known = known_embeddings(data)
    if known is None or not known.growing:
        return None
    new, reader = known.reader.new(), known.reader
    if new < _SHARE_WORTH_READING * len(known) and not reader.finished:
        return None
    part = reader.read_more(known.part)
    found = RowEmbeddings(part, data.size, known.encoder_name, known.path, reader)
    with _READING:
        if _CACHE.get(data) is not known or known.path != _store_path(data):
            return None  # attached anew meanwhile
        _CACHE[data] = found
    return found


def _store_path(data: Data) -> Path | None:
    path = record_of(data).get("store")
    return None if path is None else resolve(data, path)


def _read(data: Data, path: Path) -> RowEmbeddings:
    reader = StoreReader(data, path)
    return RowEmbeddings(reader.read(data), data.size, reader.store.encoder_name, path, reader)
