"""Which subsets of a scatter plot are drawn above which, so that a new one does not cover the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glue.core import Subset
from qtpy import QtCore

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.teaching.groups import is_cut
from glue_zoobot.qt.markers import RANKS, is_result

if TYPE_CHECKING:
    from glue.viewers.common.layer_artist import LayerArtist
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["DrawingOrder"]


class DrawingOrder:
    """
    Puts new layers into their place: predictions lowest, then the user's subsets, the present results on top.

    glue draws what is newest on top of all others. A layer that is there already is never moved, so that an
    order that the user has given stays.

    Parameters
    ----------
    viewer : ScatterViewer
    """

    def __init__(self, viewer: ScatterViewer) -> None:
        self._layers = viewer._layer_artist_container
        self._placed = set(self._layers.artists)
        self._timer = QtCore.QTimer(viewer, singleShot=True, interval=0)  # glue is still adding it
        self._timer.timeout.connect(self._place_new)
        self._layers.on_changed(self._on_changed)

    def release(self) -> None:
        """Place nothing any more."""
        self._timer.stop()
        self._placed, self._layers = set(), None

    def _on_changed(self, *args: Any) -> None:
        if self._layers is not None:
            self._timer.start()

    def _place_new(self) -> None:
        artists = self._layers.artists  # the top one first
        new = [artist for artist in reversed(artists) if artist not in self._placed]
        self._placed = set(artists)
        for artist in new:
            row = artists.index(artist)
            above = next(
                (k for k, one in enumerate(artists) if k > row and _height(one) <= _height(artist)),
                len(artists),
            )
            if above > row + 1:
                self._layers.model.move_artist(artist, above)


def _height(artist: LayerArtist) -> int:
    """0 for datasets, 1 for predictions, 2 for the user's subsets, 3 for a few galaxies that we found."""
    layer = artist.layer
    if not isinstance(layer, Subset):
        return 0
    if is_result(layer) and not _is_kept(layer):
        return 3
    return 1 if is_cut(layer.subset_state) else 2


def _is_kept(result: Subset) -> bool:
    """Whether a result of ours was frozen: then it is the user's, and the next answer is drawn above."""
    ours = our_columns(result.data)
    return result.subset_state.att not in [ours[name] for name in RANKS if name in ours]
