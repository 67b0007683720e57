"""Shards made in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np

from glue_zoobot.embedding.pipeline import Embedded, embed_rows
from glue_zoobot.embedding.settings import batch_size, device_kind
from glue_zoobot.embedding.store import EmbeddingStore


def make_shards(
    store: EmbeddingStore, shards: Sequence[int], rows: Iterable[int], source: Any, encoder: Any
) -> Generator[Embedded]:
    """
    Embed and write shards, one after the other.

    One pipeline serves them all, so that it never runs dry between two shards.

    Parameters
    ----------
    store : EmbeddingStore
    shards : sequence of int
    rows : iterable of int
        Rows of ``source`` that hold the galaxies of these shards, in their order.
    source : ImageSource
    encoder : Encoder

    Yields
    ------
    Embedded
        Each batch. Closing the generator stops the work; full shards are written already.
    """
    beside = device_kind(encoder) == "gpu"
    size = batch_size(store, encoder)
    with (
        closing(ShardWriter(store, shards, beside)) as writer,
        closing(embed_rows(source, map(int, rows), encoder, size)) as batches,
    ):
        for results in batches:
            writer.add(results)
            yield results


class ShardWriter:
    """
    Cuts a stream of results into shards and writes each as soon as it is full.

    Parameters
    ----------
    store : EmbeddingStore
    shards : sequence of int
    beside : bool
        Write while the next shard is being made, so that a GPU does not wait for a disk.
    """

    def __init__(self, store: EmbeddingStore, shards: Sequence[int], beside: bool = False) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(1, "write") if beside else None
        self._writing: Future[None] | None = None
        self._shards = list(shards)
        self._vectors: list[np.ndarray | None] = []
        self._reasons: list[str | None] = []

    def add(self, results: Embedded) -> None:
        """Take results in plan order."""
        self._vectors += results.vectors
        self._reasons += results.reasons
        while self._shards and len(self._vectors) >= self._store.plan.sizes[self._shards[0]]:
            shard = self._shards.pop(0)
            size = self._store.plan.sizes[shard]
            self._write(shard, self._vectors[:size], self._reasons[:size])
            del self._vectors[:size], self._reasons[:size]

    def _write(self, *shard: Any) -> None:
        if self._pool is None:
            self._store.write(*shard)
            return
        self._wait()
        self._writing = self._pool.submit(self._store.write, *shard)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def close(self) -> None:
        """Wait until what is being written is on disk; raises what went wrong with it."""
        if self._pool is not None:
            self._pool.shutdown()
            self._wait()
