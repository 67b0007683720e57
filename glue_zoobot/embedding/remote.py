"""Shards made by any `concurrent.futures.Executor`: threads, processes, Dask, a batch system."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.embedding.local import make_shards
from glue_zoobot.embedding.store import EmbeddingStore
from glue_zoobot.errors import StoreError

POLL_SECONDS = 1.0


class Portable:
    """
    An encoder on its way to a worker.

    A thread gets the encoder itself; another process gets its description and loads it there, once.
    """

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def __reduce__(self) -> tuple[Any, ...]:
        from glue_zoobot.encoders import Encoder

        if not isinstance(self.encoder, Encoder):
            return Portable, (self.encoder,)
        return _load_once, (self.encoder.spec, self.encoder.device, self.encoder.precision)


@functools.lru_cache(maxsize=1)
def _load_once(spec: Any, device: str, precision: str) -> Portable:
    from glue_zoobot.encoders import load

    encoder = load(spec, device)
    encoder.set_precision(precision)
    return Portable(encoder)


def make_shard(path: Path, shard: int, rows: np.ndarray, source: Any, encoder: Portable) -> int:
    """Make one shard of the store in ``path``; what a worker runs."""
    store = EmbeddingStore.open(path)
    for _ in make_shards(store, [shard], rows, source, encoder.encoder):
        pass
    return shard


def make_shards_by(
    executor: Executor,
    store: EmbeddingStore,
    shards: Sequence[int],
    rows_of: Callable[[int], np.ndarray],
    source: Any,
    encoder: Any,
) -> Generator[list[int]]:
    """
    Let an executor make shards.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Stays the caller's to shut down.
    store : EmbeddingStore
    shards : sequence of int
    rows_of : callable
        Rows of ``source`` for a shard number.
    source : ImageSource
    encoder : Encoder

    Yields
    ------
    list of int
        The shards finished since the last time, about once a second, perhaps none. Closing the
        generator cancels what has not begun; shards that are being made are finished.

    Raises
    ------
    StoreError
        A worker died. What a worker raised is raised here.
    """
    waiting = deque(shards)
    running: set[Future[int]] = set()
    most = 2 * getattr(executor, "_max_workers", 32)  # each holds a copy of the source's list
    portable = Portable(encoder)
    try:
        while waiting or running:
            while waiting and len(running) < most:
                shard = waiting.popleft()
                task = (store.path.absolute(), shard, rows_of(shard), source, portable)
                running.add(executor.submit(make_shard, *task))
            done, running = wait(running, POLL_SECONDS, FIRST_COMPLETED)
            yield [future.result() for future in done]
    except BrokenExecutor as error:
        raise StoreError(
            f"A worker ended without a word ({error}); perhaps its memory ran out. "
            "Run the same again with fewer workers: finished shards are kept."
        ) from error
    finally:
        for future in running:
            future.cancel()
