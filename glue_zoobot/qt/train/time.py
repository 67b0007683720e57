"""How long a training will take here: asked of the command itself, which times its first steps."""

from __future__ import annotations

from typing import Any

from qtpy import QtCore

from glue_zoobot.qt.child import Child
from glue_zoobot.qt.jobs import duration

__all__ = ["Estimator"]

_WAIT_MS = 500  # until the user's hand rests


class Estimator(QtCore.QObject):
    """
    Asks again whenever the choices that matter have changed; the number of epochs only scales the answer.

    Parameters
    ----------
    parent : QObject

    Attributes
    ----------
    changed : Signal()
        `text` is new.
    text, detail : str
        What to tell the user, and what the command said if it gave no answer.
    failed : bool
        Whether the training would fail.
    """

    changed = QtCore.Signal()

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self.text = self.detail = ""
        self.failed = False
        self._at_most = False
        self._asked: list[str] = []
        self._epochs = 1
        self._found: dict[str, Any] | None = None
        self._child: Child | None = None
        self._timer = QtCore.QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._timer.timeout.connect(self._start)

    def ask(self, arguments: list[str], epochs: int, at_most: bool = False) -> None:
        """
        Estimate a training.

        Parameters
        ----------
        arguments : list of str
            Of the interpreter, without the number of epochs.
        epochs : int
        at_most : bool
            Whether it may end earlier.
        """
        self._epochs, self._at_most = epochs, at_most
        if arguments == self._asked:
            self._tell()
            return
        self._asked, self._found = arguments, None
        self.failed, self.detail = False, ""
        self._say("Timing the first steps…")
        self._stop()
        self._timer.start()

    def release(self, *args: Any) -> None:
        """Ask no more."""
        self._timer.stop()
        self._stop()

    def _start(self) -> None:
        self._stop()
        self._child = Child([*self._asked, "--time"], self)
        self._child.said.connect(self._on_said)
        self._child.ended.connect(self._on_ended)
        self._child.start()

    def _stop(self) -> None:
        if self._child is not None:
            self._child.abandon()
            self._child = None

    def _on_said(self, event: dict[str, Any]) -> None:
        if event["event"] == "estimate":
            self._found = event
            self._tell()
        elif event["event"] == "error":
            self.failed = True
            self._say(event["message"])

    def _on_ended(self, code: int, crashed: bool) -> None:
        if self._found is None and not self.failed:
            self.detail = self._child.errors.strip().rpartition("\n")[2]
            self._say("The speed could not be measured here; the training may still work.")

    def _tell(self) -> None:
        found = self._found
        if found is None:
            return
        shown = found["shown"] / found["epochs"] * self._epochs
        seconds = found["images"] / found["reading_rate"] + shown / found["rate"]
        about = "At most about" if self._at_most else "About"
        early = "; it ends when nothing is gained" if self._at_most else ""
        self._say(f"<b>{about} {duration(seconds)}</b> at {found['rate']:,.0f} images/s here{early}.")

    def _say(self, text: str) -> None:
        self.text = text
        self.changed.emit()
