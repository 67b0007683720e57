"""The link between one dataset or subset and the gallery that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue.core.exceptions import IncompatibleAttribute
from glue.core.subset import Subset
from glue.viewers.common.layer_artist import LayerArtist

from glue_zoobot.qt.gallery.state import GalleryLayerState, GalleryViewerState

if TYPE_CHECKING:
    from glue.core.data import Data

    from glue_zoobot.qt.gallery.viewer import GalleryViewer

__all__ = ["GalleryLayerArtist"]


class GalleryLayerArtist(LayerArtist):
    """Tells the gallery that a layer changed; the gallery draws all layers together."""

    _layer_state_cls = GalleryLayerState

    def __init__(
        self,
        viewer: GalleryViewer,
        viewer_state: GalleryViewerState,
        layer_state: GalleryLayerState | None = None,
        layer: Data | Subset | None = None,
    ) -> None:
        self._viewer = viewer
        super().__init__(viewer_state, layer_state=layer_state, layer=layer)

    def update(self) -> None:
        """The data or the members of the subset changed."""
        if isinstance(self.layer, Subset):
            self._viewer_state.forget(self.layer)
            try:
                self.layer.to_mask(view=slice(0, 1))
            except IncompatibleAttribute:
                self.disable_incompatible_subset()
            else:
                self.enable()
        self._viewer.schedule_refresh()

    def redraw(self) -> None:
        self._viewer.schedule_refresh()

    clear = redraw
