"""A scatter plot keeps its colours and names of axes when a column is added: glue goes back to its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from echo import delay_callback
from glue.core.hub import HubListener
from glue.core.message import ComponentsChangedMessage, DataAddComponentMessage, Message

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["KeptColours"]

_BEFORE_GLUE, _AFTER_GLUE = 1_000_000, -1_000_000
_HEARD = (DataAddComponentMessage, ComponentsChangedMessage)
_KEPT = ("cmap", "cmap_vmin", "cmap_vmax")


class KeptColours:
    """
    Hears of new columns before the plot does, and again after it.

    Parameters
    ----------
    viewer : ScatterViewer
    """

    def __init__(self, viewer: ScatterViewer) -> None:
        self._state, self._hub = viewer.state, viewer.session.hub
        self._before, self._after = HubListener(), HubListener()
        self._colours: list[tuple[Any, tuple[Any, ...]]] = []
        self._names: dict[str, tuple[Any, str]] = {}
        for listener, handler, priority in (
            (self._before, self._note, _BEFORE_GLUE),
            (self._after, self._restore, _AFTER_GLUE),
        ):
            for message in _HEARD:
                self._hub.subscribe(listener, message, handler=handler, priority=priority)

    def release(self) -> None:
        """Hear nothing any more."""
        for listener in (self._before, self._after):
            self._hub.unsubscribe_all(listener)

    def _note(self, message: Message) -> None:
        self._colours = [
            (layer, (layer.cmap_att, *(getattr(layer, name) for name in _KEPT)))
            for layer in self._state.layers
            if layer.cmap_mode == "Linear"
        ]
        self._names = {
            axis: (getattr(self._state, f"{axis}_att"), getattr(self._state, f"{axis}_axislabel"))
            for axis in ("x", "y")
        }

    def _restore(self, message: Message) -> None:
        for layer, (column, *values) in self._colours:
            if layer.cmap_att is column:  # else it was removed
                with delay_callback(layer, *_KEPT):
                    for name, value in zip(_KEPT, values, strict=True):
                        setattr(layer, name, value)
        for axis, (column, name) in self._names.items():
            if getattr(self._state, f"{axis}_att") is column:
                setattr(self._state, f"{axis}_axislabel", name)
        self._colours, self._names = [], {}
