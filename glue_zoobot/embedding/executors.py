"""Places to work that a user can name: processes, GPUs, a Dask cluster, a SLURM queue."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from glue_zoobot.embedding.ordered import available_cores
from glue_zoobot.errors import EncoderError, StoreError

KINDS = "processes:N, dask:ADDRESS, slurm:N"
QUEUE_POLL_SECONDS = 5.0
DASK_RETRIES = 2
DASK_TIMEOUT = 30
SLURM_DEFAULTS = {"job-name": "glue-zoobot", "time": "12:00:00", "cpus-per-task": "8", "gres": "gpu:1"}


@dataclass(frozen=True)
class Place:
    """
    Where to work.

    Attributes
    ----------
    executor : concurrent.futures.Executor or None
        None is this process.
    tasks : int or None
        Into how many tasks the work is to be divided, where each has to wait in a queue; by default each
        shard is a task.
    """

    executor: Executor | None = None
    tasks: int | None = None

    def shards_per_task(self, shards: int) -> int:
        """How many shards a task should have."""
        return max(1, -(-shards // self.tasks)) if self.tasks else 1


@contextmanager
def open_place(
    kind: str | None, folder: Path, gpus: int = 0, slurm: Mapping[str, str] | None = None
) -> Iterator[Place]:
    """
    Open what a user named, and close it at the end.

    Parameters
    ----------
    kind : str or None
        ``processes:N``; ``dask:ADDRESS``, a scheduler's address or its file; ``slurm:N``, N jobs; None for
        this process.
    folder : Path
        For what a queue writes; must be seen by its machines.
    gpus : int
        So many workers on this machine, each with a GPU of its own.
    slurm : mapping, optional
        Options of ``sbatch``, such as ``{"partition": "gpu", "time": "12:00:00"}``.

    Raises
    ------
    StoreError
        There is no such place, or what it needs is not installed.
    EncoderError
        There are not so many GPUs.
    """
    name, _, rest = (kind or "").partition(":")
    if gpus and name not in ("", "processes"):
        raise StoreError(f"GPUs of this machine (--gpus {gpus}) cannot be given to {kind}; leave one out")
    if gpus or name == "processes":
        with process_pool(_number(kind, rest or str(gpus)), visible_gpus(gpus)) as pool:
            yield Place(pool)
    elif name == "":
        yield Place()
    elif name == "dask" and rest:
        with _dask(rest) as executor:
            yield Place(executor)
    elif name == "slurm":
        jobs = _number(kind, rest or "1")
        with SubmititExecutor(_slurm(folder, slurm or {}), jobs) as queue:
            yield Place(queue, jobs)
    else:
        raise StoreError(f"There is no executor {kind!r}; choose one of {KINDS}")


def _number(kind: str | None, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise StoreError(f"{kind!r} does not say how many; write for instance processes:4")
    return int(text)


def visible_gpus(count: int) -> list[str]:
    """
    Names of the first ``count`` GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` has them.

    Raises
    ------
    EncoderError
        There are fewer.
    """
    if not count:
        return []
    import torch

    there = torch.cuda.device_count()
    if count > there:
        raise EncoderError(f"{count} GPUs were asked for, {there} are there. Ask for no more than that.")
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (given.split(",") if given else [str(i) for i in range(there)])[:count]


def process_pool(workers: int, gpus: list[str]) -> ProcessPoolExecutor:
    """
    Make a pool of fresh processes that share the cores; each has one GPU, where there are some.

    Fresh, since a process that is forked after CUDA was started cannot use it.
    """
    context = multiprocessing.get_context("spawn")
    places = context.SimpleQueue()
    for i in range(workers):
        places.put(gpus[i % len(gpus)] if gpus else None)
    threads = max(1, available_cores() // workers)
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(places, threads))


def _begin(places: Any, threads: int) -> None:
    """First act of a worker, before anything loads CUDA."""
    gpu = places.get()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    _require("distributed", "dask")
    from distributed import Client

    if address.endswith(".json") and not Path(address).is_file():  # Dask would wait for it for ever
        raise StoreError(f"There is no scheduler file {address}. Start the scheduler, or correct the name.")
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = Client(**where, timeout=DASK_TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise StoreError(
            f"The Dask scheduler {address} does not answer ({error}). Start it, or correct its address."
        ) from error
    with client, client.get_executor(pure=False, retries=DASK_RETRIES) as executor:
        yield executor


def _slurm(folder: Path, options: Mapping[str, str]) -> Any:
    _require("submitit", "slurm")
    import submitit

    if submitit.SlurmExecutor.affinity() < 0:
        raise StoreError(
            "There is no SLURM on this machine (no srun). Run this where jobs are submitted, or write a job "
            "script with `glue-zoobot sbatch`."
        )
    executor = submitit.SlurmExecutor(folder=folder)
    named = {**SLURM_DEFAULTS, **options}
    minutes = slurm_minutes(named.pop("time"))
    name = named.pop("job-name")
    executor.update_parameters(time=minutes, job_name=name, additional_parameters=named, use_srun=False)
    return executor


def slurm_minutes(text: str) -> int:
    """
    Minutes of a time limit as SLURM writes it: ``M``, ``M:S``, ``H:M:S``, ``D-H``, ``D-H:M`` or ``D-H:M:S``.

    Raises
    ------
    StoreError
        It is not written so.
    """
    days, dash, clock = text.rpartition("-")
    try:
        parts = [int(part) for part in clock.split(":")]
        if not dash and len(parts) < 3:
            return parts[0]
        hours, minutes, seconds = [*parts, 0, 0][:3]
        return int(days or 0) * 1440 + hours * 60 + minutes + (seconds > 0)
    except ValueError:
        raise StoreError(f"{text!r} is no time limit; write for instance 12:00:00") from None


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise StoreError(f"This needs the package {module}: pip install 'glue-zoobot[{extra}]'")


class _JobFuture(Future[Any]):
    """The result of a job in a queue; cancelling it takes the job out of the queue, or stops it."""

    def __init__(self, job: Any) -> None:
        super().__init__()
        self.job = job

    def cancel(self) -> bool:
        self.job.cancel(check=False)
        return super().cancel()


class SubmititExecutor(Executor):
    """
    The jobs of submitit as an `Executor`: of a SLURM queue, or of this machine (``submitit.LocalExecutor``).

    Parameters
    ----------
    executor : submitit.Executor
    max_workers : int
        Jobs that may be in the queue at once.
    poll : float
        Seconds between two questions whether jobs have ended.
    """

    def __init__(self, executor: Any, max_workers: int, poll: float = QUEUE_POLL_SECONDS) -> None:
        self._executor = executor
        self._max_workers = max_workers
        self._poll = poll
        self._waiting: list[_JobFuture] = []
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name="queue", daemon=True)
        self._watcher.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Put a call into the queue."""
        future = _JobFuture(self._executor.submit(fn, *args, **kwargs))
        with self._lock:
            self._waiting.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs; those in the queue are waited for, or cancelled."""
        if cancel_futures:
            for future in list(self._waiting):
                future.cancel()
        self._closed.set()
        if wait:
            self._watcher.join()

    def _watch(self) -> None:
        while self._waiting or not self._closed.is_set():
            with self._lock:
                ended = [future for future in self._waiting if future.cancelled() or future.job.done()]
                self._waiting = [future for future in self._waiting if future not in ended]
            for future in ended:
                _settle(future)
            self._closed.wait(self._poll) if not self._closed.is_set() else time.sleep(self._poll)


def _settle(future: _JobFuture) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(future.job.result())
    except Exception as error:
        future.set_exception(error)
