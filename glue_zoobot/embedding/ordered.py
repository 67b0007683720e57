"""Work done by threads, its results in order, and never much of it at once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], pool: Executor, most: int
) -> Iterator[Result]:
    """
    Apply a function in a pool's threads.

    Parameters
    ----------
    function : callable
    items : iterable
        May be lazy and long.
    pool : concurrent.futures.Executor
    most : int
        Results that may be waiting or in the making.

    Yields
    ------
    object
        In the order of the items.
    """
    items = iter(items)
    waiting: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(items, most))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(function, item) for item in islice(items, 1))


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
