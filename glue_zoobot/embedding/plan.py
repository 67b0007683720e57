"""Which galaxy belongs to which shard, frozen once and kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.embedding.ids import BLOCK, Ids
from glue_zoobot.errors import StoreError

DUPLICATE = -1
FIRST_SHARD = 256
SMALLEST_SHARD = 1024
LARGEST_SHARD = 50_000


class Plan:
    """
    The frozen division of a catalogue into shards.

    Parameters
    ----------
    ids : Ids or sequence of str, shape (R,)
        The identifier of every row of the catalogue, later rows of a repeated identifier included.
    shard_of_row : ndarray of int32, shape (R,)
        The shard of every row, ascending, -1 for the later rows of a repeated identifier.
    name : str
        What to call the catalogue in messages.
    """

    ids: Ids
    shard_of_row: np.ndarray

    def __init__(
        self, ids: Ids | Sequence[str] | np.ndarray, shard_of_row: np.ndarray, name: str = "catalogue"
    ) -> None:
        self.ids = Ids.of(ids)
        self.shard_of_row = shard_of_row
        self.name = name

    @classmethod
    def freeze(
        cls,
        object_ids: Ids | Sequence[str] | np.ndarray,
        rows_per_shard: int | None = None,
        name: str = "catalogue",
    ) -> Plan:
        """
        Divide a catalogue into shards.

        Parameters
        ----------
        object_ids : sequence of str, shape (R,)
            One per row. The first row of a repeated identifier keeps it; later ones become duplicates.
        rows_per_shard : int, optional
            Galaxies in each shard. By default the first shards are small, so that there is something to
            look at soon, and the others such that a cancelled run loses about a minute of a CPU's work
            and a large catalogue makes about a thousand files.
        name : str
            What to call the catalogue in messages, usually its file name.
        """
        if rows_per_shard is not None and rows_per_shard < 1:
            raise ValueError("rows_per_shard must be at least 1")
        ids = Ids.of(object_ids)
        first = ids.first_rows()
        sizes = _shard_sizes(int(first.sum()), rows_per_shard)
        shards = np.full(len(ids), DUPLICATE, dtype=np.int32)
        shards[first] = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        return cls(ids, shards, name)

    @cached_property
    def rows(self) -> np.ndarray:
        """Catalogue row of each galaxy, duplicates left out, in shard order, int64 of shape (N,)."""
        if self.n == self.n_rows:
            return np.arange(self.n)
        return np.flatnonzero(self.shard_of_row != DUPLICATE)

    @cached_property
    def object_ids(self) -> Ids:
        """The N different identifiers, in catalogue order."""
        return self.ids if self.n == self.n_rows else self.ids.select(self.rows)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of galaxies in each shard."""
        return np.bincount(self.shard_of_row[self.shard_of_row != DUPLICATE])

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @property
    def n(self) -> int:
        """Number of different galaxies."""
        return int(self._starts[-1])

    @property
    def n_rows(self) -> int:
        """Number of rows of the catalogue, duplicates included."""
        return len(self.ids)

    @property
    def shards(self) -> range:
        """The shard numbers."""
        return range(len(self.sizes))

    @property
    def duplicates(self) -> np.ndarray:
        """Identifiers of the rows that repeat an earlier one."""
        if self.n == self.n_rows:
            return np.zeros(0, dtype=object)
        return self.ids[self.shard_of_row == DUPLICATE]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the identifiers in their order and of the division into shards."""
        digest = hashlib.sha256()
        self.ids.feed(digest)
        digest.update(self.shard_of_row.astype("<i4", copy=False).data)
        return digest.hexdigest()

    def shard_slice(self, shard: int) -> slice:
        """Positions of a shard's galaxies in `object_ids` and `rows`."""
        return slice(int(self._starts[shard]), int(self._starts[shard + 1]))

    def shard_rows(self, shard: int) -> np.ndarray:
        """Catalogue rows of a shard's galaxies, int64."""
        where = self.shard_slice(shard)
        return np.arange(where.start, where.stop) if self.n == self.n_rows else self.rows[where]

    def shard_ids(self, shard: int) -> np.ndarray:
        """Identifiers of a shard's galaxies, ndarray of str."""
        return self.object_ids[self.shard_slice(shard)]

    def same_galaxies(self, other: Plan) -> bool:
        """Whether both hold the same identifiers, in whatever order and shards."""
        if self.hash == other.hash:
            return True
        return self.n == other.n and self.object_ids.same_set(other.object_ids)

    def describe(self) -> str:
        """For messages: name, size, first identifier, hash."""
        first = f", first {self.shard_ids(0)[0]}" if self.n else ""
        return f"'{self.name}' ({self.n:,} galaxies{first}, plan {self.hash[:8]})"

    def save(self, path: Path) -> None:
        """
        Write ``object_id`` and ``shard`` of every catalogue row to a Parquet file, atomically.

        Hash and sizes go into the file's metadata, so that what needs no identifiers reads none.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        parts = (self.shard_of_row[start : start + BLOCK] for start in range(0, self.n_rows, BLOCK))
        ranges = " ".join(f"{part.min()}:{part.max()}" for part in parts)
        about = {
            "name": self.name,
            "hash": self.hash,
            "sizes": " ".join(map(str, self.sizes)),
            "ranges": ranges,
        }
        schema = pa.schema([("object_id", pa.string()), ("shard", pa.int32())], metadata=about)

        def write(temporary: Path) -> None:
            with pq.ParquetWriter(temporary, schema, use_dictionary=["shard"]) as writer:
                for number, ids in enumerate(self.ids.blocks()):
                    shards = self.shard_of_row[number * BLOCK : number * BLOCK + len(ids)]
                    writer.write_table(pa.table([ids, pa.array(shards, pa.int32())], schema=schema))

        write_atomically(path, write)

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read what `save` wrote: the little that is always needed now, the identifiers when asked for."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                about, n_rows = file.schema_arrow.metadata or {}, file.metadata.num_rows
            name = about.get(b"name", b"catalogue").decode()
            if b"sizes" in about and b"hash" in about:
                sizes = np.array(about[b"sizes"].split(), dtype=np.int64)
                return StoredPlan(path, name, n_rows, about[b"hash"].decode(), sizes)
            table = _read_columns(path)
            return cls(Ids(table["object_id"]), table["shard"].to_numpy(), name)
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise _unreadable(path, error) from error


class StoredPlan(Plan):
    """A plan in a file, of which no more is read than is asked for."""

    def __init__(self, path: Path, name: str, n_rows: int, hash_: str, sizes: np.ndarray) -> None:
        self._path = path
        self._n_rows = n_rows
        self.name = name
        self.__dict__.update(hash=hash_, sizes=sizes)  # where cached properties keep what they found

    @property
    def n_rows(self) -> int:
        """Number of rows of the catalogue, duplicates included."""
        return self._n_rows

    @cached_property
    def _whole(self) -> Plan:
        """All of the file, which must be what its metadata say."""
        import pyarrow as pa

        try:
            table = _read_columns(self._path)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise _unreadable(self._path, error) from error
        plan = Plan(Ids(table["object_id"]), table["shard"].to_numpy(), self.name)
        if plan.hash != self.hash or not np.array_equal(plan.sizes, self.sizes):
            raise _unreadable(self._path, "it was changed after it was written")
        return plan

    @property
    def ids(self) -> Ids:  # type: ignore[override]
        """The identifier of every row."""
        return self._whole.ids

    @property
    def shard_of_row(self) -> np.ndarray:  # type: ignore[override]
        """The shard of every row."""
        return self._whole.shard_of_row

    def shard_ids(self, shard: int) -> np.ndarray:
        """Identifiers of a shard's galaxies, from the part of the file that holds them."""
        import pyarrow as pa

        if "_whole" in self.__dict__:
            return super().shard_ids(shard)
        try:
            ids = _read_shard(self._path, shard)
        except (OSError, KeyError, ValueError, IndexError, pa.ArrowException) as error:
            raise _unreadable(self._path, error) from error
        if len(ids) != self.sizes[shard]:
            raise _unreadable(self._path, "it was changed after it was written")
        return ids


def _read_columns(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=["object_id", "shard"])


def _read_shard(path: Path, shard: int) -> np.ndarray:
    """Identifiers of one shard; only row groups whose range of shards holds it are read."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        ranges = (file.schema_arrow.metadata or {}).get(b"ranges", b"").split()
        groups = [g for g in range(file.metadata.num_row_groups) if _may_hold(ranges, g, shard)]
        table = file.read_row_groups(groups, columns=["object_id", "shard"])
    return table["object_id"].filter(pc.equal(table["shard"], shard)).to_numpy()


def _may_hold(ranges: list[bytes], number: int, shard: int) -> bool:
    """Whether the range of shards in a row group holds one, as `Plan.save` noted it; older files did not."""
    if not ranges:
        return True
    low, _, high = ranges[number].partition(b":")
    return int(low) <= shard <= int(high)


def _unreadable(path: Path, why: object) -> StoreError:
    return StoreError(f"The plan {path} cannot be read ({why}). Restore it, or start a new store elsewhere.")


def _shard_sizes(n: int, rows_per_shard: int | None) -> list[int]:
    size = rows_per_shard or int(np.clip(n // 1000, SMALLEST_SHARD, LARGEST_SHARD))
    sizes: list[int] = []
    step = size if rows_per_shard else FIRST_SHARD
    while n > 0:
        sizes.append(min(step, n))
        n -= sizes[-1]
        step = min(2 * step, size)
    return sizes
