"""One shard: one Parquet file that says itself which plan, encoder and precision it belongs to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

EMBEDDED = "embedded"
BROKEN = "broken"
DUPLICATE = "duplicate"
PENDING = "pending"
_VALUES = "embedding.list.element"
COLUMNS = ("object_id", "embedding", "outcome", "reason")
_KEY = b"glue_zoobot"
_ALWAYS_TAKEN, _MAX_RATIO = 32 * 1024**2, 200  # of a column; reasons repeat, and pack well
# Embeddings neither shrink nor have an order: to compress them and to look for their extremes costs
# half of the writing for nothing.
_LAYOUT: dict[str, Any] = {
    "use_dictionary": ["outcome", "reason"],
    "write_statistics": ["object_id", "outcome", "reason"],
    "compression": {"object_id": "snappy", _VALUES: "none", "outcome": "snappy", "reason": "snappy"},
    "write_page_checksum": True,
}


@dataclass(frozen=True)
class Header:
    """What a shard file says about itself, read without touching its data."""

    rows: int
    width: int
    embedded: int
    identity: dict[str, Any]
    noted: int | None = None  # galaxies with a reason or remark, None where the file does not tell

    @property
    def broken(self) -> int:
        """Galaxies without an embedding."""
        return self.rows - self.embedded


def write_shard(
    path: Path,
    object_ids: np.ndarray,
    vectors: Sequence[np.ndarray | None],
    reasons: Sequence[str | None],
    width: int,
    identity: dict[str, Any],
) -> None:
    """
    Write a shard atomically.

    Parameters
    ----------
    path : Path
        Final name.
    object_ids : ndarray of str, shape (n,)
        The galaxies, in plan order.
    vectors : sequence of (ndarray of float16, shape (width,), or None), length n
        None where a galaxy has no embedding; it is stored as null, never as zeros.
    reasons : sequence of (str or None), length n
        Why a galaxy has no embedding, None where it has one.
    width : int
        Dimensions of an embedding.
    identity : dict
        Plan, encoder and precision, as in the manifest.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    present = np.array([vector is not None for vector in vectors], dtype=bool)
    flat = np.zeros((len(vectors), width), dtype=np.float16)  # what lies under a null is not stored
    if present.any():
        flat[present] = np.stack([vector for vector in vectors if vector is not None])
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), width, mask=pa.array(~present))
    outcome = pa.array(np.where(present, EMBEDDED, BROKEN).tolist(), pa.string())
    columns = [pa.array(object_ids, pa.string()), embedding, outcome, pa.array(reasons, pa.string())]
    table = pa.table(columns, names=list(COLUMNS))
    counts = {"embedded": int(present.sum()), "noted": sum(reason is not None for reason in reasons)}
    text = json.dumps({**identity, **counts}, sort_keys=True)
    table = table.replace_schema_metadata({_KEY: text})
    write_atomically(
        path,
        lambda temporary: pq.write_table(table, temporary, **_LAYOUT),
    )


def read_header(path: Path) -> Header:
    """
    Read what a shard says about itself; allocates nothing that depends on the file's claims.

    Raises
    ------
    StoreError
        Truncated, or not a shard of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            _refuse_bomb(path, file.metadata)
        identity = json.loads(schema.metadata[_KEY])
        embedded = int(identity.pop("embedded"))
        noted = identity.pop("noted", None)
        if noted is not None and not (isinstance(noted, int) and 0 <= noted <= rows):
            raise ValueError(f"it claims {noted!r} remarks in {rows} rows")
        missing = set(COLUMNS) - set(schema.names)
        if missing:
            raise ValueError(f"it has no {', '.join(sorted(missing))}")
        kind = schema.field("embedding").type
        if not pa.types.is_fixed_size_list(kind) or not pa.types.is_float16(kind.value_type):
            raise ValueError(f"its embeddings are {kind}, not fixed-size lists of float16")
        if not 0 <= embedded <= rows:
            raise ValueError(f"it claims {embedded} embeddings in {rows} rows")
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"The shard {path} is damaged ({error}). Run again to make it anew.") from error
    return Header(rows, kind.list_size, embedded, identity, noted)


def _refuse_bomb(path: Path, metadata: Any) -> None:
    """
    Raise `ValueError` for a file that would unpack to very many times its size.

    What it says of single columns is not asked for: where that is damaged, pyarrow 26 ends the process.
    """
    unpacked = sum(metadata.row_group(g).total_byte_size for g in range(metadata.num_row_groups))
    if unpacked > max(_ALWAYS_TAKEN, _MAX_RATIO * path.stat().st_size):
        raise ValueError(f"it unpacks to {unpacked / 1e6:,.0f} MB")


def read_shard(path: Path, columns: Sequence[str] = COLUMNS) -> pa.Table:
    """
    Read columns of a shard, every page's checksum verified.

    Raises
    ------
    StoreError
        The file cannot be read to its end.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"The shard {path} is damaged ({error}). Delete this file and run again to make it anew."
        ) from error


def vectors_of(table: pa.Table) -> np.ndarray:
    """Embeddings of a shard table, galaxies without one left out, float16 of shape (m, D)."""
    column = table["embedding"].combine_chunks()
    width = column.type.list_size
    return column.flatten().to_numpy().reshape(-1, width)  # flatten() leaves nulls out
