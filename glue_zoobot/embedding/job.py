"""Run a plan: every pending shard is read, embedded and stored; what is there already is kept."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from concurrent.futures import Executor
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from glue_zoobot.embedding.local import make_shards
from glue_zoobot.embedding.matching import RowsOf, match
from glue_zoobot.embedding.progress import Meter, Progress
from glue_zoobot.embedding.remote import make_shards_by
from glue_zoobot.embedding.settings import settle
from glue_zoobot.embedding.store import EmbeddingStore, Status

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
    retry_broken: bool = False,
    shards_per_task: int = 1,
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
    retry_broken : bool
        Make shards that hold broken images anew, for instance after a disk was away.
    shards_per_task : int
        Shards that an executor's worker gets at a time; more where starting one is slow, as in a queue.

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
    counter = _Counter(store, shards, progress, retry_broken)
    if counter.todo:
        rows_of = match(store.plan, source, counter.todo)
        settle(store, source, chain.from_iterable(map(rows_of, store.plan.shards)), encoder)
        how = {"shards_per_task": shards_per_task, "anew": retry_broken}
        for _ in _steps(store, rows_of, source, encoder, executor, counter, how):
            if cancelled is not None and cancelled.is_set():
                break
    return store.status()


def _steps(
    store: EmbeddingStore,
    rows_of: RowsOf,
    source: Any,
    encoder: Any,
    executor: Executor | None,
    counter: _Counter,
    how: dict[str, Any],
) -> Iterator[None]:
    """Do the work, with a pause now and then in which it may be stopped."""
    todo = counter.todo
    if executor is None:
        ordered = chain.from_iterable(map(rows_of, todo))
        with closing(make_shards(store, todo, ordered, source, encoder)) as batches:
            for batch in batches:
                counter.add(len(batch.vectors), batch.broken)
                yield
    else:
        parts = make_shards_by(executor, store, todo, rows_of, source, encoder, **how)
        with closing(parts) as finished:
            for shards in finished:
                counter.add_shards(shards)
                yield


class _Counter:
    """What is to do, what is done, and how to tell it."""

    def __init__(
        self,
        store: EmbeddingStore,
        shards: Container[int] | None,
        progress: Callable[[Progress], None] | None,
        retry_broken: bool,
    ) -> None:
        self._store = store
        self._progress = progress
        self._done = self._broken = 0
        wanted = [shard for shard in store.plan.shards if shards is None or shard in shards]
        headers = {shard: store.header(shard) for shard in wanted}
        self.todo = [s for s, header in headers.items() if header is None or (retry_broken and header.broken)]
        self._meter = Meter(int(store.plan.sizes[wanted].sum()))
        self.add_shards(sorted(set(wanted) - set(self.todo)))

    def add(self, done: int, broken: int) -> None:
        self._done += done
        self._broken += broken
        if self._progress:
            self._progress(self._meter.report(self._done, self._broken))

    def add_shards(self, shards: list[int]) -> None:
        headers = [header for shard in shards if (header := self._store.header(shard))]
        self.add(sum(header.rows for header in headers), sum(header.broken for header in headers))
