"""One file of embeddings for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from glue_zoobot.embedding.store import EmbeddingStore


def export(store: EmbeddingStore, path: str | Path) -> int:
    """
    Write all embeddings that are there now to one Parquet file.

    Parameters
    ----------
    store : EmbeddingStore
    path : str or Path
        Columns ``object_id`` (string) and ``embedding`` (fixed-size list of float32, which every Parquet
        reader knows, unlike float16). The encoder and the catalogue are in the file's metadata.

    Returns
    -------
    int
        Number of galaxies written; those without an embedding are left out.

    Raises
    ------
    StoreError
        There is no embedding, a shard is damaged, or the file cannot be written.
    """
    if not store.status().embedded:
        raise StoreError(f"The store {store.path} holds no embedding yet. Run `glue-zoobot embed` first.")
    written = 0

    def write(temporary: Path) -> None:
        nonlocal written
        written = _write_parts(store, temporary)

    write_atomically(Path(path).expanduser(), write)
    return written


def _write_parts(store: EmbeddingStore, path: Path) -> int:
    import json

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    embedding = pa.list_(pa.float32(), store.width)
    about = {key: store.manifest[key] for key in ("catalogue", "encoder", "precision", "versions")}
    schema = pa.schema(
        [("object_id", pa.string()), ("embedding", embedding)], metadata={"glue_zoobot": json.dumps(about)}
    )
    written = 0
    with pq.ParquetWriter(path, schema) as writer:
        for ids, vectors in store.embedded_parts(store.done()):
            flat = pa.array(vectors.astype(np.float32).reshape(-1))
            columns = [pa.array(ids, pa.string()), pa.FixedSizeListArray.from_arrays(flat, store.width)]
            writer.write_table(pa.table(columns, schema=schema))
            written += len(ids)
    return written
