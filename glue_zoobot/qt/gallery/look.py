"""How pictures are shown: brighter, harder, inverted. What is stored or embedded does not change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qtpy.QtGui import QImage

__all__ = ["AS_IS", "Look"]


@dataclass(frozen=True)
class Look:
    """
    A change of all pictures on the screen.

    Attributes
    ----------
    brightness : float
        -1 to 1. A power law, so that black stays black and white stays white while faint parts rise.
    contrast : float
        -1 to 1; above 0 steeper at middle grey.
    inverted : bool
        Dark galaxies on white, as on a photographic plate.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    inverted: bool = False

    def curve(self) -> np.ndarray:
        """What becomes of each of the 256 levels: (256,) uint8."""
        level = np.linspace(0, 1, 256) ** 4.0**-self.brightness
        level = np.clip((level - 0.5) * 4.0**self.contrast + 0.5, 0, 1)
        if self.inverted:
            level = 1 - level
        return np.rint(255 * level).astype(np.uint8)

    def of(self, image: QImage) -> QImage:
        """Return a 32-bit image with this look; the same one if nothing changes."""
        if self == AS_IS:
            return image
        width, height = image.width(), image.height()
        bits = image.constBits()
        if hasattr(bits, "setsize"):  # PyQt; PySide gives a buffer of known size
            bits.setsize(image.sizeInBytes())
        pixels = np.frombuffer(bits, np.uint8).reshape(height, image.bytesPerLine())[:, : 4 * width]
        changed = np.ascontiguousarray(self.curve()[pixels])  # the fourth byte means nothing in RGB32
        return QImage(changed.data, width, height, 4 * width, QImage.Format_RGB32).copy()


AS_IS = Look()
