"""Which galaxies are selected in a gallery, and what a gesture makes of it. Knows no windows."""

from __future__ import annotations

import numpy as np
from glue.core.data import Data
from glue.core.subset import MaskSubsetState

__all__ = ["GallerySelection", "subset_state_of"]


class GallerySelection:
    """
    The selected galaxies, by row of the data, and the place of the keyboard in the grid.

    Gestures speak of *positions*: places in the order shown.

    Attributes
    ----------
    rows : (M,) ndarray of int
        Rows of the data in the order shown.
    mask : (N,) ndarray of bool
        Whether each row of the data is selected.
    current : int
        Position of the keyboard, -1 where there is none.
    before : (N,) ndarray of bool
        `mask` as it was before the last gesture.
    """

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, size: int) -> None:
        """Start with nothing selected in a dataset of ``size`` rows."""
        self.rows = np.zeros(0, dtype=np.int64)
        self.mask = self.before = np.zeros(size, dtype=bool)
        self.current = self._anchor = -1

    def set_rows(self, rows: np.ndarray) -> None:
        """Show other rows, or the same ones in another order; the keyboard stays on its galaxy."""
        old, self.rows = self.rows, rows
        self.current, self._anchor = (
            self._find(old[position]) if position >= 0 else -1 for position in (self.current, self._anchor)
        )

    def _find(self, row: int) -> int:
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1

    @property
    def selected_rows(self) -> np.ndarray:
        """Selected rows of the data: (K,) int64, ascending."""
        return np.flatnonzero(self.mask)

    def clear(self) -> None:
        """Select nothing."""
        self._change(np.zeros_like(self.mask))

    def only(self, position: int) -> None:
        """Select one galaxy alone."""
        self.current = self._anchor = position
        self._change(self._mask_of(np.array([position])))

    def toggle(self, position: int) -> None:
        """Add or take away one galaxy."""
        self.current = self._anchor = position
        self._change(self.mask ^ self._mask_of(np.array([position])))

    def extend(self, position: int, keep: bool = False) -> None:
        """Select from the last galaxy clicked to this one, in the order shown; ``keep`` adds them."""
        start = max(self._anchor, 0)
        reach = self._mask_of(np.arange(min(start, position), max(start, position) + 1))
        self.current = position
        self._anchor = start
        self._change(self.mask | reach if keep else reach)

    def move(self, position: int) -> None:
        """Move the keyboard without selecting."""
        self.current = self._anchor = position

    def band(self, positions: np.ndarray, base: np.ndarray | None = None) -> None:
        """Select what a rubber band touches; a ``base`` mask is toggled by it."""
        reach = self._mask_of(positions)
        before = self.before
        self._change(reach if base is None else base ^ reach)
        self.before = before  # a band is one gesture, however often it moves

    def all(self) -> None:
        """Select everything that is shown."""
        self._change(self._mask_of(np.arange(len(self.rows))))

    def begin(self) -> None:
        """Remember the present selection as the one before the gesture that starts now."""
        self.before = self.mask

    def _mask_of(self, positions: np.ndarray) -> np.ndarray:
        mask = np.zeros_like(self.mask)
        mask[self.rows[positions]] = True
        return mask

    def _change(self, mask: np.ndarray) -> None:
        self.before, self.mask = self.mask, mask


def subset_state_of(data: Data, mask: np.ndarray) -> MaskSubsetState:
    """
    A stock glue selection of the rows in ``mask``.

    A mask rather than a list of rows, because glue keeps every mask made from such a list for ever.
    """
    return MaskSubsetState(mask.copy(), data.pixel_component_ids)
