"""Light work off the GUI thread, with the result applied in the GUI thread."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable
from typing import Any

from qtpy import QtCore
from qtpy.compat import isalive

__all__ = ["Work", "run_in_thread"]

_LIVE: set[Work] = set()  # Qt aborts the process when a running thread loses its last reference


class Work(QtCore.QThread):
    """
    One function call in a thread of its own.

    Parameters
    ----------
    owner : QObject
        The result is dropped if this is gone by then.
    func : callable
        Called without arguments in the thread. It must touch neither widgets nor glue's data.
    done : callable, optional
        Called in the GUI thread with the result.
    failed : callable, optional
        Called in the GUI thread with the exception, if `func` raised one.
    """

    _finished = QtCore.Signal(object, object)

    def __init__(
        self,
        owner: QtCore.QObject,
        func: Callable[[], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__()
        # its signal `destroyed` would keep a trace of every call for as long as the owner lives
        self._owner = weakref.ref(owner)
        self._func, self._done, self._failed = func, done, failed
        self._finished.connect(self._deliver)
        self.finished.connect(self._forget)

    def run(self) -> None:
        try:
            self._finished.emit(self._func(), None)
        except Exception as exc:
            self._finished.emit(None, exc)

    def drop(self) -> None:
        """Let the thread end by itself and do nothing with its result."""
        self._done = self._failed = None

    def _deliver(self, result: Any, error: Exception | None) -> None:
        owner = self._owner()
        if owner is None or not isalive(owner):
            self.drop()
        if error is None and self._done is not None:
            self._done(result)
        elif error is not None and self._failed is not None:
            self._failed(error)
        self.drop()

    def _forget(self) -> None:
        self.wait()
        _LIVE.discard(self)


def run_in_thread(
    owner: QtCore.QObject,
    func: Callable[[], Any],
    done: Callable[[Any], None] | None = None,
    failed: Callable[[Exception], None] | None = None,
) -> Work:
    """Start a `Work` and keep it alive until it has finished; its result is dropped if `owner` is gone."""
    work = Work(owner, func, done, failed)
    _LIVE.add(work)
    work.start()
    return work


@atexit.register
def _wait_for_all() -> None:
    for work in list(_LIVE):
        work.drop()
        work.wait(2000)
