"""A child process that reports what it does as JSON lines; its crash is a message here, nothing worse."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from qtpy import QtCore

__all__ = ["Child"]

_GRACE_MS = 2000  # how long a child may take to stop cleanly when glue is closed
_PATIENCE_MS = 10_000  # how long it may take when it is cancelled
_STDERR_KEPT = 8000  # characters
_DYING: set[Child] = set()


class Child(QtCore.QObject):
    """
    A Python process of the same installation.

    Parameters
    ----------
    arguments : sequence of str
        Of the Python interpreter, such as ``["-m", "glue_zoobot", ...]``. No shell is involved.
    parent : QObject
        Owner; the process does not outlive it.

    Attributes
    ----------
    said : Signal(dict)
        One JSON object that the process wrote.
    ended : Signal(int, bool)
        Exit code, and whether the process was killed or crashed (the code is the signal's number then).
    """

    said = QtCore.Signal(dict)
    ended = QtCore.Signal(int, bool)

    def __init__(self, arguments: Sequence[str], parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._rest = b""
        self._errors = ""
        self._over = False
        self._process = QtCore.QProcess(self)
        self._process.setProgram(sys.executable)
        self._process.setArguments(list(arguments))
        self._process.readyReadStandardOutput.connect(self._read_events)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._patience = QtCore.QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._process.kill)

    def start(self) -> None:
        """Start the process; what it says arrives as signals."""
        self._process.start()
        self._process.closeWriteChannel()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.state() != QtCore.QProcess.NotRunning

    @property
    def pid(self) -> int:
        """Process id; 0 when not running."""
        return int(self._process.processId())

    @property
    def errors(self) -> str:
        """The last lines that the process wrote to standard error."""
        return self._errors

    def cancel(self) -> None:
        """Ask the process to stop cleanly; kill it if it does not."""
        self._process.terminate()
        self._patience.start()

    def stop_now(self) -> None:
        """Stop the process before returning; for the moment when glue closes."""
        self._process.blockSignals(True)
        if self.running:
            self._process.terminate()
            if not self._process.waitForFinished(_GRACE_MS):
                self._process.kill()
                self._process.waitForFinished(_GRACE_MS)

    def abandon(self) -> None:
        """Kill the process without waiting for its end, when nobody wants its answer any more."""
        self.blockSignals(True)
        if self.running:
            self.setParent(None)
            _DYING.add(self)  # Qt waits in the destructor of a process that still runs
            self._process.finished.connect(lambda *_: _DYING.discard(self))
            self._process.kill()
        else:
            self.deleteLater()

    def _read_events(self) -> None:
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput())).split(b"\n")
        for line in lines:
            event = _parse(line)
            if event is not None:
                self.said.emit(event)

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError()).decode(errors="replace")
        self._errors = (self._errors + text)[-_STDERR_KEPT:]

    def _on_error(self, error: QtCore.QProcess.ProcessError) -> None:
        if error == QtCore.QProcess.FailedToStart:  # the only error after which `finished` never comes
            self._errors += f"\n{sys.executable} could not be started: {self._process.errorString()}"
            self._end(-1, True)

    def _on_finished(self, code: int, status: QtCore.QProcess.ExitStatus) -> None:
        self._read_events()
        self._read_errors()
        self._end(code, status == QtCore.QProcess.CrashExit)

    def _end(self, code: int, crashed: bool) -> None:
        if not self._over:
            self._over = True
            self._patience.stop()
            self.ended.emit(code, crashed)


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line; None if it is something that a library printed."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
