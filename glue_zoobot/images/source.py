"""The one thing that every container of galaxy images can do: read image number i."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glue_zoobot.images.decode import broken_because, require_signal


class Picture(NamedTuple):
    """
    One galaxy as it will be shown.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).
    nan_count : int
        Pixels of the original (all bands) that were NaN or infinite and became sky.
    dead_bands : tuple of str
        Bands of the original without signal, left out of the picture: their names, else numbers from 1.
    """

    pixels: np.ndarray
    nan_count: int = 0
    dead_bands: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What a user should know of this picture; empty for a sound one."""
        return f"no signal in band {', '.join(self.dead_bands)}" if self.dead_bands else ""


class ImageSource(ABC):
    """
    N galaxy images, each with its object id.

    Immutable and picklable; a container is opened by the process that reads it, when it reads it.
    `read` may be called from several threads at once.

    Attributes
    ----------
    object_ids : numpy.ndarray
        Shape (N,), dtype object, of str.
    """

    object_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.object_ids)

    @abstractmethod
    def _load(self, i: int) -> Picture:
        """Read image `i`; may raise anything that `broken_because` knows."""

    def load(self, i: int) -> Picture:
        """Like `read`, with what there is to say about the image beside it."""
        with broken_because(self.object_ids[i]):
            picture = self._load(i)
            require_signal(picture.pixels)
            return picture

    def read(self, i: int) -> np.ndarray:
        """
        Read one image.

        Parameters
        ----------
        i : int
            Row.

        Returns
        -------
        numpy.ndarray
            uint8, shape (H, W, 3).

        Raises
        ------
        ImageError
            The image cannot be read; carries the object id and the reason.
        """
        return self.load(i).pixels


class ContainerSource(ImageSource):
    """
    Images inside one container, opened once by the process that reads it and used by one thread at a time.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    path : str or pathlib.Path
        The container.
    """

    def __init__(self, object_ids: np.ndarray, path: str | Path) -> None:
        self.object_ids = object_ids
        self.path = str(Path(path).absolute())
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._container: Any = None

    @abstractmethod
    def _open(self) -> Any:
        """Open the container; called once per process."""

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Hold the open container."""
        with self._lock:
            if self._container is None:
                self._container = self._open()
            yield self._container

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_container")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()
