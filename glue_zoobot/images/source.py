"""The one thing that every container of galaxy images can do: read image number i."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from glue_zoobot.images.decode import broken_because


class Picture(NamedTuple):
    """
    One galaxy as it will be shown.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).
    nan_count : int
        Pixels of the original (all bands) that were NaN or infinite and became sky.
    """

    pixels: np.ndarray
    nan_count: int = 0


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
        """Like `read`, with the number of NaN pixels beside the image."""
        with broken_because(self.object_ids[i]):
            return self._load(i)

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
