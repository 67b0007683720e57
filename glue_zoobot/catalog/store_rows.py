"""
The part of an embedding store that belongs to a dataset, read shard by shard.

A dataset may be a sample or a region of what the store holds, and the store may still be growing. So no more
than the rows of the dataset is ever held, and what was read once is not read again when more has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glue_zoobot.catalog.identity import describe_ids, id_columns, remember_id_column
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from glue.core import Data

    from glue_zoobot.embedding import EmbeddingStore

__all__ = ["Part", "RowsById", "StoreReader"]

_THREADS = 2  # a shard of 50,000 takes 64 MB while it is read


class Part(NamedTuple):
    """
    What a store holds of a dataset now.

    Attributes
    ----------
    rows : np.ndarray
        Shape (M,), int64: rows of the dataset that have an embedding, ascending.
    matrix : np.ndarray
        Shape (M, D), float32.
    looked_at : int
        Rows whose images the run has read, with an embedding or broken.
    total : int
        Rows that the run will have read when it ends.
    """

    rows: np.ndarray
    matrix: np.ndarray
    looked_at: int
    total: int


class RowsById:
    """
    Find rows by their ids, many at once.

    Parameters
    ----------
    ids : np.ndarray
        Shape (N,), of str; of equal ids the first row counts.
    """

    def __init__(self, ids: np.ndarray) -> None:
        from glue_zoobot.embedding.ids import Ids

        self.ids = np.asarray(ids, dtype=object)
        numbers = Ids.of(self.ids).numbers()
        self._order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[self._order]

    def find(self, names: np.ndarray) -> np.ndarray:
        """Rows of ids, int64 of the shape of `names`; -1 where there is none."""
        from glue_zoobot.embedding.ids import Ids

        names = np.asarray(names, dtype=object)
        if not len(names) or not len(self.ids):
            return np.full(len(names), -1, dtype=np.int64)
        numbers = Ids.of(names).numbers()
        place = np.searchsorted(self._numbers, numbers)
        rows = self._order[np.minimum(place, len(self.ids) - 1)]
        for i in np.flatnonzero(self.ids[rows] != names):
            # Not there, or its number is, most rarely, that of another as well.
            end = np.searchsorted(self._numbers, numbers[i], side="right")
            same = [row for row in self._order[place[i] : end] if self.ids[row] == names[i]]
            rows[i] = same[0] if same else -1
        return rows.astype(np.int64)


class StoreReader:
    """
    Reads the embeddings of one dataset from one store, and later what was added.

    Parameters
    ----------
    data : Data
        Only its ids are kept.
    path : Path
        Folder of the store.

    Raises
    ------
    StoreError
        There is no store; or `read` finds nothing in it that belongs to the dataset.
    """

    def __init__(self, data: Data, path: Path) -> None:
        from glue_zoobot.embedding import EmbeddingStore

        self.store: EmbeddingStore = EmbeddingStore.open(path)
        self._mark: dict[int, tuple[int, int]] = {}
        self._planned_rows: int | None = None
        self._by_id = self._match(data)

    def read(self, data: Data) -> Part:
        """
        Read all that is there now.

        Raises
        ------
        StoreError
            Nothing of the dataset is there, or a shard is damaged.
        """
        self._require_any()
        mark = self.store.mark()
        part = self._extended(None, sorted(mark))
        if not part.rows.size:
            raise StoreError(self._nothing(data, part))
        self._mark = mark
        return part

    def new(self) -> int:
        """Count the embeddings that have come since the last reading, those of other datasets included."""
        headers = [self.store.header(shard) for shard in self.store.grown_since(self._mark)]
        return sum(header.embedded for header in headers if header is not None)

    @property
    def finished(self) -> bool:
        """Whether the run that fills the store has ended."""
        return self.store.status().finished

    def read_more(self, part: Part) -> Part:
        """Add what has come since a reading; all is read again if a shard was made anew."""
        mark = self.store.mark()
        anew = any(mark.get(shard) != stamp for shard, stamp in self._mark.items())
        shards = mark if anew else mark.keys() - self._mark.keys()
        found = self._extended(None if anew else part, sorted(shards))
        self._mark = mark
        return found

    def _extended(self, part: Part | None, shards: Sequence[int]) -> Part:
        """Return a part with the galaxies of more shards."""
        store, known = self.store, 0 if part is None else len(part.rows)
        most = known + sum(header.embedded for s in shards if (header := store.header(s)) is not None)
        most = min(most, len(self._by_id.ids))
        matrix, rows = np.empty((most, store.width), dtype=np.float32), np.empty(most, dtype=np.int64)
        looked_at = 0 if part is None else part.looked_at
        if part is not None:
            matrix[:known], rows[:known] = part.matrix, part.rows
        for found, vectors, read in self._parts(shards):
            matrix[known : known + len(found)], rows[known : known + len(found)] = vectors, found
            known, looked_at = known + len(found), looked_at + read
        matrix, rows = matrix[:known], rows[:known]
        if np.any(np.diff(rows) < 0):
            order = np.argsort(rows)
            matrix, rows = matrix[order], rows[order]
        total = looked_at if store.status().finished else self._total()
        return Part(rows, matrix, looked_at, total)

    def _parts(self, shards: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
        import pyarrow as pa

        from glue_zoobot.embedding.ordered import map_ordered

        with ThreadPoolExecutor(_THREADS, "shard") as pool:
            yield from map_ordered(self._part, shards, pool, _THREADS)
        pa.default_memory_pool().release_unused()  # which may be many times what was wanted

    def _part(self, shard: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Rows, vectors and how many rows are known, of a shard; vectors are read only if there are any."""
        from glue_zoobot.embedding.shard import read_shard, vectors_of

        path = self.store.shard_path(shard)
        rows = self._by_id.find(read_shard(path, ["object_id"])["object_id"].to_numpy())
        looked_at = int(np.count_nonzero(rows >= 0))
        if not looked_at:
            return rows[:0], np.empty((0, self.store.width), dtype=np.float16), 0
        table = read_shard(path, ["embedding"])
        rows = rows[table["embedding"].is_valid().to_numpy()]
        vectors, ours = vectors_of(table), rows >= 0
        return (rows, vectors, looked_at) if ours.all() else (rows[ours], vectors[ours], looked_at)

    def _match(self, data: Data) -> RowsById:
        """Choose the column of ids that the store knows most of, by the first ids that it knows."""
        columns = [(cid, RowsById(ids)) for cid, ids in id_columns(data)]
        if len(columns) > 1:
            for names in self._planned():
                found = [int(np.count_nonzero(by_id.find(names) >= 0)) for _, by_id in columns]
                if max(found):
                    columns = [columns[int(np.argmax(found))]]
                    remember_id_column(data, columns[0][0])
                    break
        elif columns:
            remember_id_column(data, columns[0][0])
        return columns[0][1] if columns else RowsById(np.empty(0, dtype=object))

    def _planned(self) -> Iterator[np.ndarray]:
        """Identifiers of the plan, a block at a time, so that a large plan is never held."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from glue_zoobot.embedding.store import PLAN

        try:
            with pq.ParquetFile(self.store.path / PLAN) as file:
                for batch in file.iter_batches(columns=["object_id"]):
                    yield batch.column(0).to_numpy(zero_copy_only=False)
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"the plan of the store {self.store.path} cannot be read ({error}); restore it"
            ) from error

    def _total(self) -> int:
        """Rows of the dataset that are in the plan."""
        if self._planned_rows is None:
            planned = np.zeros(len(self._by_id.ids), dtype=bool)
            for names in self._planned():
                rows = self._by_id.find(names)
                planned[rows[rows >= 0]] = True
            self._planned_rows = int(np.count_nonzero(planned))
        return self._planned_rows

    def _require_any(self) -> None:
        status = self.store.status()
        if status.finished and status.total and not status.embedded:
            self.store.load()  # says that all images are broken, and why

    def _nothing(self, data: Data, part: Part) -> str:
        if part.total and not self.finished:
            return (
                f"the store {self.store.path} holds no embeddings yet of {data.label}; "
                "let the run that fills it go on"
            )
        example = next(iter(self.store.plan.shard_ids(0)[:1]), "nothing")
        return (
            f"none of the {data.size:,} rows of {data.label} ({describe_ids(data)}) is in "
            f"the store {self.store.path} (such as {example!r}): it belongs to another catalogue or uses "
            "other ids"
        )
