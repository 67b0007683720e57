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
    outside : float
        Share of the frame that is beyond the mosaic it was cut from, and shown as sky.
    """

    pixels: np.ndarray
    nan_count: int = 0
    dead_bands: tuple[str, ...] = ()
    outside: float = 0.0

    @property
    def note(self) -> str:
        """What a user should know of this picture; empty for a sound one."""
        dead = [f"no signal in band {', '.join(self.dead_bands)}"] if self.dead_bands else []
        edge = [f"{max(self.outside, 0.01):.0%} of the frame is beyond the mosaic"] if self.outside else []
        return "; ".join(dead + edge)


class Fluxes(NamedTuple):
    """
    The measured bands of one galaxy, before any stretch.

    Attributes
    ----------
    planes : numpy.ndarray
        Shape (B, H, W), any number type, the first row at the top of the picture.
    names : tuple of str
        Names of the bands, length B; numbers from 1 where nobody named them.
    drawn : tuple of str
        Those that the galaxy's picture shows: red, green and blue; red and blue; or one.
    """

    planes: np.ndarray
    names: tuple[str, ...]
    drawn: tuple[str, ...]


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

    def _fluxes(self, i: int) -> Fluxes | None:
        """Read the bands of image `i`; None where all that is kept is a picture."""
        return None

    def fluxes(self, i: int) -> Fluxes | None:
        """
        Read the bands that one image is made of.

        Returns
        -------
        Fluxes or None
            None where the container keeps a picture and no fluxes.

        Raises
        ------
        ImageError
            As `read`.
        """
        with broken_because(self.object_ids[i]):
            return self._fluxes(i)

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
