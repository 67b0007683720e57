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
    from glue_zoobot.images.stretching import Stretch

__all__ = ["Thumbnail", "ThumbnailLoader", "pixels_of", "scaled_image"]

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


def pixels_of(images: RowImages, row: int, stretch: Stretch | None) -> np.ndarray:
    """Read a picture as it is shown: as the catalogue has it, or its fluxes stretched anew."""
    return images.read(row) if stretch is None else images.show(row, stretch)


class _Read(QRunnable):
    """Read and scale one picture in a thread of the pool."""

    def __init__(
        self, report: Signal, images: RowImages, row: int, size: int, stretch: Stretch | None, generation: int
    ) -> None:
        super().__init__()
        self._report, self._images = report, images
        self._row, self._size, self._stretch, self._generation = row, size, stretch, generation

    def run(self) -> None:
        image, reason = None, ""
        try:
            image = scaled_image(pixels_of(self._images, self._row, self._stretch), self._size)
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

    A picture is kept for each stretch it was shown with, so that going back and forth reads nothing again.
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
        self._cache: OrderedDict[tuple[int, Stretch | None], _Kept] = OrderedDict()
        self._newest: dict[int, Stretch | None] = {}  # the stretch of the picture of a row that came last
        self._look, self._stretch = AS_IS, None
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
            self._newest.clear()
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

    def set_stretch(self, stretch: Stretch | None) -> None:
        """Stretch fluxes anew; None shows the pictures as the catalogue has them."""
        if stretch != self._stretch:
            self._stretch = stretch
            self._start_over()

    def _start_over(self) -> None:
        self._generation += 1
        self._waiting.clear()
        self._reading.clear()

    def get(self, row: int) -> Thumbnail | None:
        """The picture of a row: perhaps still of another size or stretch, or None while there is none."""
        stretch = self._stretch if (row, self._stretch) in self._cache else self._newest.get(row)
        key = row, stretch
        if key not in self._cache:
            return None
        self._cache.move_to_end(key)
        kept = self._cache[key]
        if kept.look != self._look:
            self._keep(key, kept.size, kept.image, kept.thumbnail.reason)
        return self._cache[key].thumbnail

    def want(self, rows: Iterable[int]) -> None:
        """Load these rows, first things first, and forget what was wanted before."""
        if self._images is None:
            return
        fresh = (int(row) for row in rows)
        self._waiting = deque(r for r in fresh if r not in self._reading and not self._is_fresh(r))
        self._start_some()

    def _is_fresh(self, row: int) -> bool:
        kept = self._cache.get((row, self._stretch))
        return kept is not None and kept.size == self._size

    def _start_some(self) -> None:
        while self._waiting and len(self._reading) < 2 * N_THREADS:
            row = self._waiting.popleft()
            self._reading.add(row)
            task = _Read(self._done, self._images, row, self._size, self._stretch, self._generation)
            self._pool.start(task)

    def _on_done(self, generation: int, row: int, image: QImage | None, reason: str) -> None:
        if generation != self._generation:
            return
        self._reading.discard(row)
        self._keep((row, self._stretch), self._size, image, reason)
        self._newest[row] = self._stretch
        self._start_some()
        self.arrived.emit(row)

    def _keep(self, key: tuple[int, Stretch | None], size: int, image: QImage | None, reason: str) -> None:
        if key in self._cache:
            self._bytes -= self._cache.pop(key).n_bytes
        thumbnail = Thumbnail(None, reason)
        if image is not None:
            pixmap = QPixmap.fromImage(self._look.of(image))
            pixmap.setDevicePixelRatio(self._ratio)
            thumbnail = Thumbnail(pixmap)
        self._cache[key] = kept = _Kept(size, image, thumbnail, self._look)
        self._bytes += kept.n_bytes
        while self._bytes > self._max_bytes and len(self._cache) > 1:
            (row, stretch), dropped = self._cache.popitem(last=False)
            self._bytes -= dropped.n_bytes
            if self._newest.get(row) == stretch:
                self._newest.pop(row, None)

    def close(self) -> None:
        """Stop, and wait for the pictures being read at this moment."""
        self._start_over()
        self._images = None
        self._pool.clear()
        self._pool.waitForDone()
