"""Pictures for the screen: read and scaled in threads, kept within a fixed amount of memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, QRunnable, Qt, QThread, QThreadPool, Signal
from qtpy.QtGui import QImage, QPixmap

from glue_zoobot.errors import ImageError
from glue_zoobot.qt.gallery.look import AS_IS, Look

if TYPE_CHECKING:
    from glue_zoobot.catalog import RowImages

__all__ = ["Thumbnail", "ThumbnailLoader", "scaled_image"]

MAX_BYTES = 128 * 2**20
N_THREADS = min(max(2, QThread.idealThreadCount() // 2), 4)


@dataclass(frozen=True)
class Thumbnail:
    """A picture ready to be drawn, or the reason why there is none."""

    pixmap: QPixmap | None
    reason: str = ""

    @property
    def n_bytes(self) -> int:
        """Memory taken by the pixels."""
        return 1000 if self.pixmap is None else 4 * self.pixmap.width() * self.pixmap.height()


def scaled_image(pixels: np.ndarray, size: int) -> QImage:
    """
    Fit an (H, W, 3) uint8 picture into a square of ``size`` device pixels.

    Qt averages over the area when it makes a picture smaller, so no aliasing.
    """
    pixels = np.ascontiguousarray(pixels)
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format_RGB888)
    if max(height, width) != size:
        image = image.scaled(size, size, Qt.KeepAspectRatio, Qt.SmoothTransformation)
    return image.convertToFormat(QImage.Format_RGB32)  # a copy: the array goes away with this function


class _Read(QRunnable):
    """Read and scale one picture in a thread of the pool."""

    def __init__(self, report: Signal, images: RowImages, row: int, size: int, generation: int) -> None:
        super().__init__()
        self._report, self._images = report, images
        self._row, self._size, self._generation = row, size, generation

    def run(self) -> None:
        image, reason = None, ""
        try:
            image = scaled_image(self._images.read(self._row), self._size)
        except ImageError as error:
            reason = error.reason
        except Exception as error:  # a reader of another package may fail in its own way; the grid lives on
            reason = f"{type(error).__name__}: {error}"
        self._report.emit(self._generation, self._row, image, reason)


@dataclass
class _Kept:
    """A picture as it was read, and as it is shown now."""

    size: int
    image: QImage | None
    thumbnail: Thumbnail
    look: Look

    @property
    def n_bytes(self) -> int:
        """Memory taken; a picture shown as it is shares its pixels."""
        return self.thumbnail.n_bytes * (1 if self.look == AS_IS else 2)


class ThumbnailLoader(QObject):
    """
    Thumbnails by data row.

    Only the rows wanted last are waiting, so scrolling fast leaves no stale work behind; only a few are
    handed to the threads at a time. Results for another size or another source are dropped.

    Parameters
    ----------
    parent : QObject, optional
        Owner.
    max_bytes : int, optional
        Most memory that pictures may take; the least recently used go first.
    """

    #: The picture of this row can be had.
    arrived = Signal(int)
    _done = Signal(int, int, object, str)

    def __init__(self, parent: QObject | None = None, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(N_THREADS)
        self._max_bytes, self._bytes = max_bytes, 0
        self._cache: OrderedDict[int, _Kept] = OrderedDict()
        self._look = AS_IS
        self._images, self._size, self._ratio, self._generation = None, 128, 1.0, 0
        self._waiting: deque[int] = deque()
        self._reading: set[int] = set()
        self._done.connect(self._on_done, Qt.QueuedConnection)

    @property
    def n_bytes(self) -> int:
        """Memory that the pictures take now."""
        return self._bytes

    def set_source(self, images: RowImages | None) -> None:
        """Show other pictures: those of a dataset, or None."""
        if images is not self._images:
            self._images = images
            self._cache.clear()
            self._bytes = 0
            self._start_over()

    def set_size(self, size: int, ratio: float = 1.0) -> None:
        """Edge of a picture in device pixels, and how many of them make a pixel of the window."""
        if (size, ratio) != (self._size, self._ratio):
            self._size, self._ratio = size, ratio
            self._start_over()

    def set_look(self, look: Look) -> None:
        """Show the pictures brighter, harder or inverted; nothing is read again."""
        self._look = look

    def _start_over(self) -> None:
        self._generation += 1
        self._waiting.clear()
        self._reading.clear()

    def get(self, row: int) -> Thumbnail | None:
        """The picture of a row: perhaps still that of another size, or None while there is none."""
        if row not in self._cache:
            return None
        self._cache.move_to_end(row)
        kept = self._cache[row]
        if kept.look != self._look:
            self._keep(row, kept.size, kept.image, kept.thumbnail.reason)
        return self._cache[row].thumbnail

    def want(self, rows: Iterable[int]) -> None:
        """Load these rows, first things first, and forget what was wanted before."""
        if self._images is None:
            return
        fresh = (int(row) for row in rows)
        self._waiting = deque(r for r in fresh if r not in self._reading and not self._is_fresh(r))
        self._start_some()

    def _is_fresh(self, row: int) -> bool:
        return row in self._cache and self._cache[row].size == self._size

    def _start_some(self) -> None:
        while self._waiting and len(self._reading) < 2 * N_THREADS:
            row = self._waiting.popleft()
            self._reading.add(row)
            self._pool.start(_Read(self._done, self._images, row, self._size, self._generation))

    def _on_done(self, generation: int, row: int, image: QImage | None, reason: str) -> None:
        if generation != self._generation:
            return
        self._reading.discard(row)
        self._keep(row, self._size, image, reason)
        self._start_some()
        self.arrived.emit(row)

    def _keep(self, row: int, size: int, image: QImage | None, reason: str) -> None:
        if row in self._cache:
            self._bytes -= self._cache.pop(row).n_bytes
        thumbnail = Thumbnail(None, reason)
        if image is not None:
            pixmap = QPixmap.fromImage(self._look.of(image))
            pixmap.setDevicePixelRatio(self._ratio)
            thumbnail = Thumbnail(pixmap)
        self._cache[row] = kept = _Kept(size, image, thumbnail, self._look)
        self._bytes += kept.n_bytes
        while self._bytes > self._max_bytes and len(self._cache) > 1:
            self._bytes -= self._cache.popitem(last=False)[1].n_bytes

    def close(self) -> None:
        """Stop, and wait for the pictures being read at this moment."""
        self._start_over()
        self._images = None
        self._pool.clear()
        self._pool.waitForDone()
