"""Which galaxy belongs to which shard, frozen once and kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.errors import StoreError

DUPLICATE = -1
FIRST_SHARD = 256
SMALLEST_SHARD = 1024
LARGEST_SHARD = 50_000


@dataclass(frozen=True, eq=False)
class Plan:
    """
    The frozen division of a catalogue into shards.

    Attributes
    ----------
    ids : ndarray of str, shape (R,)
        The identifier of every row of the catalogue, later rows of a repeated identifier included.
    shard_of_row : ndarray of int32, shape (R,)
        The shard of every row, -1 for the later rows of a repeated identifier.
    name : str
        What to call the catalogue in messages.
    """

    ids: np.ndarray = field(repr=False)
    shard_of_row: np.ndarray = field(repr=False)
    name: str = "catalogue"

    @classmethod
    def freeze(
        cls,
        object_ids: Sequence[str] | np.ndarray,
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
        ids = np.asarray(object_ids, dtype=object)
        if rows_per_shard is not None and rows_per_shard < 1:
            raise ValueError("rows_per_shard must be at least 1")
        first = np.zeros(len(ids), dtype=bool)
        first[list(dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True)).values())] = True
        n = int(first.sum())
        shards = np.full(len(ids), DUPLICATE, dtype=np.int32)
        sizes = _shard_sizes(n, rows_per_shard)
        shards[first] = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        return cls(ids, shards, name)

    @cached_property
    def rows(self) -> np.ndarray:
        """Catalogue row of each galaxy, duplicates left out, in shard order, int64 of shape (N,)."""
        return np.flatnonzero(self.shard_of_row != DUPLICATE)

    @cached_property
    def object_ids(self) -> np.ndarray:
        """The N different identifiers, in catalogue order."""
        return self.ids[self.rows]

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of galaxies in each shard."""
        return np.bincount(self.shard_of_row[self.rows])

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @property
    def n(self) -> int:
        """Number of different galaxies."""
        return len(self.rows)

    @property
    def shards(self) -> range:
        """The shard numbers."""
        return range(len(self.sizes))

    @property
    def duplicates(self) -> np.ndarray:
        """Identifiers of the rows that repeat an earlier one."""
        return self.ids[self.shard_of_row == DUPLICATE]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the identifiers in their order and of the division into shards."""
        digest = hashlib.sha256()
        for start in range(0, len(self.ids), 100_000):
            part = "\0".join(self.ids[start : start + 100_000])
            digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(self.shard_of_row.astype("<i4").tobytes())
        return digest.hexdigest()

    def shard_slice(self, shard: int) -> slice:
        """Positions of a shard's galaxies in `object_ids` and `rows`."""
        return slice(int(self._starts[shard]), int(self._starts[shard + 1]))

    def same_galaxies(self, other: Plan) -> bool:
        """Whether both hold the same identifiers, in whatever order and shards."""
        return self.hash == other.hash or (
            self.n == other.n and set(self.object_ids) == set(other.object_ids)
        )

    def describe(self) -> str:
        """For messages: name, size, first identifier, hash."""
        first = f", first {self.ids[0]}" if len(self.ids) else ""
        return f"'{self.name}' ({self.n:,} galaxies{first}, plan {self.hash[:8]})"

    def save(self, path: Path) -> None:
        """Write ``object_id`` and ``shard`` of every catalogue row to a Parquet file, atomically."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table({"object_id": pa.array(self.ids, pa.string()), "shard": self.shard_of_row})
        table = table.replace_schema_metadata({"name": self.name})
        write_atomically(path, lambda temporary: pq.write_table(table, temporary))

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read what `save` wrote."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path, columns=["object_id", "shard"])
            name = (table.schema.metadata or {}).get(b"name", b"catalogue").decode()
            return cls(table["object_id"].to_numpy(), table["shard"].to_numpy(), name)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise StoreError(
                f"The plan {path} cannot be read ({error}). Restore it, or start a new store elsewhere."
            ) from error


def _shard_sizes(n: int, rows_per_shard: int | None) -> list[int]:
    size = rows_per_shard or int(np.clip(n // 1000, SMALLEST_SHARD, LARGEST_SHARD))
    sizes: list[int] = []
    step = size if rows_per_shard else FIRST_SHARD
    while n > 0:
        sizes.append(min(step, n))
        n -= sizes[-1]
        step = min(2 * step, size)
    return sizes
