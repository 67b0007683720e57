"""Where linked galaxies are drawn, kept while the cursor moves: to follow a WCS takes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core import BaseData
from glue.core.hub import HubListener
from glue.core.message import DataMessage

from glue_zoobot.qt.picking import positions

if TYPE_CHECKING:
    from glue.core.hub import Hub
    from glue.core.message import Message
    from glue_qt.viewers.image import ImageViewer
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["KeptPositions"]


class KeptPositions(HubListener):
    """
    Gives what `positions` gives, and remembers it where a link has to be followed.

    Parameters
    ----------
    hub : Hub
        Tells when values or links have changed.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        hub.subscribe(self, DataMessage, handler=self.forget)  # all kinds of it

    def of(self, viewer: ScatterViewer | ImageViewer, data: BaseData) -> tuple[np.ndarray, np.ndarray]:
        """Where all rows of a dataset are drawn, in the coordinates of the axes; see `positions`."""
        axes = viewer.state.x_att, viewer.state.y_att
        if all(any(att is own for own in data.components) for att in axes):
            return positions(viewer, data)  # its own columns are at hand
        key = (data, *axes)
        if key not in self._kept:
            self._kept[key] = positions(viewer, data)
        return self._kept[key]

    def forget(self, message: Message | None = None) -> None:
        """Look again next time."""
        self._kept.clear()

    def close(self) -> None:
        """Hear no more of changes."""
        self._hub.unsubscribe_all(self)
        self.forget()
