"""Which embeddings a dataset has, in use or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from glue_zoobot.catalog.record import (
    data_file,
    record_of,
    relative_to,
    relative_to_data,
    resolve,
    update_record,
)
from glue_zoobot.errors import ZoobotError

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["MANIFEST", "KnownStore", "remember_store", "remember_store_beside", "stores_of"]

MANIFEST = "manifest.json"


class KnownStore(NamedTuple):
    """
    One set of embeddings of a dataset.

    Attributes
    ----------
    path : Path
    encoder_name : str
        What made them; empty if the store is not there or cannot be read.
    in_use : bool
        Whether searches go through these.
    """

    path: Path
    encoder_name: str
    in_use: bool


def remember_store(data: Data, path: Path) -> None:
    """Use these embeddings from now on, and remember those before them."""
    record, relative = record_of(data), relative_to_data(data, path)
    known = [*record.get("stores", []), *filter(None, [record.get("store")]), relative]
    update_record(data, store=relative, stores=list(dict.fromkeys(known)))


def remember_store_beside(data: Data, source: Path) -> None:
    """Take up the embeddings beside a source that is just being opened; of several sets the newest."""
    stores = _beside(source)
    if stores:
        newest = max(stores, key=lambda store: ((store / MANIFEST).stat().st_mtime, store.name))
        update_record(data, store=relative_to(newest, source.parent))


def stores_of(data: Data) -> list[KnownStore]:
    """
    Return all embeddings of a dataset: used now, used before, and beside its source.

    `~glue_zoobot.catalog.attach_embeddings` with one of their paths changes to it. Reads small files.
    """
    record, file = record_of(data), data_file(data)
    named = [*filter(None, [record.get("store")]), *record.get("stores", [])]
    paths = [resolve(data, text) for text in named] + ([] if file is None else _beside(file))
    in_use = paths[0] if record.get("store") else None
    return [KnownStore(path, _encoder_of(path), path == in_use) for path in dict.fromkeys(paths)]


def _beside(source: Path) -> list[Path]:
    folder = source.with_name(f"{source.name}.embeddings")
    return sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))


def _encoder_of(path: Path) -> str:
    from glue_zoobot.embedding import EmbeddingStore

    try:
        return EmbeddingStore.open(path).encoder_name
    except (ZoobotError, OSError):
        return ""
