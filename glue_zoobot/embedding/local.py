"""Shards made in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from glue_zoobot.embedding.pipeline import Embedded, embed_rows
from glue_zoobot.embedding.settings import batch_size
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
    writer = ShardWriter(store, shards)
    size = batch_size(store, encoder)
    with closing(embed_rows(source, map(int, rows), encoder, size)) as batches:
        for results in batches:
            writer.add(results)
            yield results


class ShardWriter:
    """Cuts a stream of results into shards and writes each as soon as it is full."""

    def __init__(self, store: EmbeddingStore, shards: Sequence[int]) -> None:
        self._store = store
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
            self._store.write(shard, self._vectors[:size], self._reasons[:size])
            del self._vectors[:size], self._reasons[:size]
