"""Run a plan: every pending shard is read, embedded and stored; what is there already is kept."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from glue_zoobot.embedding.pipeline import Embedded, embed_rows
from glue_zoobot.embedding.progress import Meter, Progress
from glue_zoobot.embedding.store import EmbeddingStore, Status
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from glue_zoobot.embedding.plan import Plan


class Cancelled(Protocol):
    """Such as `threading.Event`."""

    def is_set(self) -> bool:
        """Whether to stop."""


def run(
    plan: Plan,
    store: EmbeddingStore,
    source: Any,
    encoder: Any,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    shards: Container[int] | None = None,
    cancelled: Cancelled | None = None,
) -> Status:
    """
    Embed what a store still lacks.

    Parameters
    ----------
    plan : Plan
        Must hold the same galaxies as the store; the store's own division into shards is used.
    store : EmbeddingStore
    source : ImageSource
        The pictures; matched to the plan by identifier, whatever their order now.
    encoder : Encoder
    executor : concurrent.futures.Executor, optional
        Where to work; by default in this process.
    progress : callable, optional
        Gets a `Progress` after each batch.
    shards : container of int, optional
        Only these, for instance a range; by default all.
    cancelled : threading.Event, optional
        Looked at between batches; finished shards are kept.

    Returns
    -------
    Status
        Of the whole store. Broken images do not fail a run.

    Raises
    ------
    StoreError
        The store belongs to something else, or cannot be written.
    EncoderError
        The network cannot run.
    """
    store.require_plan(plan)
    store.require_encoder(encoder.spec)
    store.clean()
    wanted = [shard for shard in store.plan.shards if shards is None or shard in shards]
    todo = [shard for shard in wanted if not store.header(shard)]
    rows = source_rows(store.plan, source)
    report = _Report(store, wanted, todo, progress)
    report.add(0, 0)
    if todo:
        _run_here(store, rows, todo, source, encoder, report, cancelled)
    return store.status()


def source_rows(plan: Plan, source: Any) -> np.ndarray:
    """
    Rows of a source that hold the galaxies of a plan.

    Returns
    -------
    ndarray of int64, shape (N,)
        In plan order.

    Raises
    ------
    StoreError
        The source lacks a galaxy.
    """
    ids = source.object_ids
    if len(ids) == len(plan.ids) and np.array_equal(ids[plan.rows], plan.object_ids):
        return plan.rows
    row_of = {object_id: row for row, object_id in reversed(list(enumerate(ids)))}
    try:
        return np.array([row_of[object_id] for object_id in plan.object_ids], dtype=np.int64)
    except KeyError as error:
        raise StoreError(
            f"The images lack the galaxy {error} of {plan.describe()}. Open the source that the store "
            "was made for."
        ) from error


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


class _Report:
    """Counts what a run has done and tells it."""

    def __init__(
        self,
        store: EmbeddingStore,
        wanted: Sequence[int],
        todo: Sequence[int],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        headers = [header for shard in wanted if shard not in set(todo) and (header := store.header(shard))]
        self._done = sum(header.rows for header in headers)
        self._broken = self._done - sum(header.embedded for header in headers)
        self._meter = Meter(int(store.plan.sizes[list(wanted)].sum()))
        self._progress = progress

    def add(self, done: int, broken: int) -> None:
        self._done += done
        self._broken += broken
        if self._progress:
            self._progress(self._meter.report(self._done, self._broken))


def _run_here(
    store: EmbeddingStore,
    rows: np.ndarray,
    todo: Sequence[int],
    source: Any,
    encoder: Any,
    report: _Report,
    cancelled: Cancelled | None,
) -> None:
    """Stream the pending shards through one pipeline, which never runs dry between two of them."""
    writer = ShardWriter(store, todo)
    stream = (int(row) for shard in todo for row in rows[store.plan.shard_slice(shard)])
    with closing(embed_rows(source, stream, encoder)) as batches:
        for results in batches:
            writer.add(results)
            report.add(len(results.vectors), sum(vector is None for vector in results.vectors))
            if cancelled is not None and cancelled.is_set():
                return
