"""The exact picture that an encoder sees, made in a process of its own: no window waits for torch."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QImage

from glue_zoobot.qt.child import Child
from glue_zoobot.qt.threads import Work, run_in_thread

if TYPE_CHECKING:
    from glue_zoobot.catalog import RowImages
    from glue_zoobot.encoders import EncoderSpec

__all__ = ["EncoderView"]

CHILD = "glue_zoobot.qt.gallery.encoder_child"
REST = 250  # ms on one galaxy before its view is made


class _Viewer(Child):
    """A child that is asked again and again."""

    def start(self) -> None:
        self._process.start()

    def ask(self, request: str) -> None:
        """Send one line."""
        self._process.write(request.encode() + b"\n")


class EncoderView(QObject):
    """
    Makes the encoder's view of one galaxy after the other; only the last one asked for is delivered.

    Parameters
    ----------
    parent : QObject
        Owner.
    """

    #: The view of a row.
    seen = Signal(int, QImage)
    #: Why there is none.
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._child: _Viewer | None = None
        self._spec: dict[str, Any] | None = None
        self._wanted: tuple[RowImages, int] | None = None
        self._work: Work | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._read)

    def show(self, spec: EncoderSpec, images: RowImages, row: int) -> None:
        """Ask for the view of a row."""
        if spec.to_dict() != self._spec:
            self.stop()
            self._spec = spec.to_dict()
        self._wanted = (images, row)
        self._rest.start()

    def _read(self) -> None:
        images, row = self._wanted
        if self._work is not None:
            self._work.drop()
        self._work = run_in_thread(self, lambda: _request(images.read(row), row), self._ask, self._on_error)

    def _ask(self, request: str) -> None:
        if self._child is None:
            self._child = _Viewer(
                ["-m", "glue_zoobot.qt.gallery.encoder_child", json.dumps(self._spec)], self
            )
            self._child.said.connect(self._on_answer)
            self._child.ended.connect(self._on_end)
            self._child.start()
        self._child.ask(request)

    def _on_answer(self, event: dict[str, Any]) -> None:
        if self._wanted is None or event.get("number") != self._wanted[1]:
            return
        if event["event"] == "seen":
            self.seen.emit(event["number"], QImage.fromData(base64.b64decode(event["png"])))
        else:
            self.failed.emit(event["message"])

    def _on_end(self, code: int, crashed: bool) -> None:
        self._child = None
        self.failed.emit("The process that makes it ended; the encoder may not be installed here")

    def _on_error(self, error: Exception) -> None:
        self.failed.emit(str(error))

    def release(self) -> None:
        """End the child process before returning; for the moment when glue closes."""
        if self._child is not None:
            self._child.stop_now()
        self.stop()

    def stop(self) -> None:
        """End the child process, and forget what was asked."""
        self._rest.stop()
        self._wanted = None
        if self._work is not None:
            self._work.drop()
            self._work = None
        if self._child is not None:
            self._child.abandon()
            self._child = None


def _request(pixels: np.ndarray, row: int) -> str:
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    return json.dumps({"number": row, "shape": pixels.shape, "pixels": data})
