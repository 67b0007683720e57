"""Shards made by any `concurrent.futures.Executor`: threads, processes, Dask, a batch system."""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.embedding.local import make_shards
from glue_zoobot.embedding.matching import Part, RowsOf
from glue_zoobot.embedding.store import EmbeddingStore
from glue_zoobot.errors import StoreError

POLL_SECONDS = 1.0
WORKERS_UNKNOWN = 32
# What Dask and submitit raise when a worker was killed, named so that neither need be installed.
_DIED = ("KilledWorker", "UncompletedJobError", "FailedJobError", "FutureCancelledError")
_LOADING = threading.Lock()


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
        return _loaded, (self.encoder.spec, self.encoder.device, self.encoder.precision)


def _loaded(spec: Any, device: str, precision: str) -> Portable:
    with _LOADING:  # a worker of several threads loads one network, not several
        return _load_once(spec, device, precision)


@functools.lru_cache(maxsize=1)
def _load_once(spec: Any, device: str, precision: str) -> Portable:
    from glue_zoobot.encoders import load

    encoder = load(spec, device)
    encoder.set_precision(precision)
    return Portable(encoder)


def make_some(
    path: Path, shards: Sequence[int], rows: list[np.ndarray], part: Part, encoder: Portable, anew: bool
) -> int:
    """
    Make shards of the store in ``path``; what a worker runs.

    Nothing is lost where it is done twice, or again after the worker was killed: a shard is written whole
    or not at all, and finished ones are passed over unless they are to be made ``anew``.
    """
    store = EmbeddingStore.open(path)
    todo = [i for i, shard in enumerate(shards) if anew or store.header(shard) is None]
    if todo:
        wanted = np.concatenate([rows[i] for i in todo])
        for _ in make_shards(store, [shards[i] for i in todo], wanted, part, encoder.encoder):
            pass
    return len(todo)


class _Task:
    """Shards that one worker is making, one after the other."""

    def __init__(self, shards: Sequence[int], store: EmbeddingStore, anew: bool) -> None:
        self._left = deque(shards)
        self._store = store
        self._anew = anew

    def finished(self) -> Iterator[int]:
        """Those that were finished since the last time, as far as the folder tells."""
        while self._left and not self._anew and self._store.header(self._left[0]):
            yield self._left.popleft()

    def rest(self) -> list[int]:
        """Those not told yet, now that the worker is done."""
        rest = list(self._left)
        self._left.clear()
        return rest


def make_shards_by(
    executor: Executor,
    store: EmbeddingStore,
    shards: Sequence[int],
    rows_of: RowsOf,
    source: Any,
    encoder: Any,
    shards_per_task: int = 1,
    anew: bool = False,
) -> Generator[list[int]]:
    """
    Let an executor make shards.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Stays the caller's to shut down.
    store : EmbeddingStore
        Its folder must be seen by the workers under the same name.
    shards : sequence of int
    rows_of : callable
        Rows of ``source`` for a shard number.
    source : ImageSource
        A worker gets the part of it that it needs.
    encoder : Encoder
    shards_per_task : int
        Given to a worker at a time.
    anew : bool
        Make also what is there.

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
    waiting = deque(shards[i : i + shards_per_task] for i in range(0, len(shards), shards_per_task))
    running: dict[Future[int], _Task] = {}
    most = 2 * getattr(executor, "_max_workers", WORKERS_UNKNOWN)  # each holds the paths of its images
    portable = Portable(encoder)
    try:
        while waiting or running:
            while waiting and len(running) < most:
                some = waiting.popleft()
                rows = [rows_of(shard) for shard in some]
                part = Part(source, np.concatenate(rows))
                future = executor.submit(make_some, store.path.absolute(), some, rows, part, portable, anew)
                running[future] = _Task(some, store, anew)
            done = wait(running, POLL_SECONDS, FIRST_COMPLETED).done
            told = [shard for task in running.values() for shard in task.finished()]
            for future in done:
                future.result()
                told += running.pop(future).rest()
            yield told
    except Exception as error:
        if isinstance(error, BrokenExecutor) or type(error).__name__ in _DIED:
            raise StoreError(
                f"A worker ended without a word ({type(error).__name__}: {error}); perhaps its memory or "
                "its time ran out. Run the same again with fewer workers: finished shards are kept."
            ) from error
        raise
    finally:
        for future in running:
            future.cancel()
