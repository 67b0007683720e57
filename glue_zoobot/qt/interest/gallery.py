"""Show ranked galaxies in a gallery, best first."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glue.core import ComponentID, Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.qt.gallery.viewer import GalleryViewer

__all__ = ["show_in_gallery"]


def show_in_gallery(application: GlueApplication, data: Data, rank: ComponentID) -> GalleryViewer:
    """
    Sort a gallery by a rank, best first, without groups; open one if the catalogue has none.

    What is shown stays shown: the next question can be answered in the same gallery.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue.
    rank : ComponentID
        1 is the best.

    Returns
    -------
    GalleryViewer
    """
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    viewers = [viewer for viewer in chain(*application.viewers) if isinstance(viewer, GalleryViewer)]
    viewer = next((one for one in viewers if one.state.data is data), None)
    if viewer is None:
        viewer = application.new_data_viewer(GalleryViewer, data=data)
    viewer.state.group_att = None
    viewer.state.sort_best_first(rank)
    viewer.grid.scrollToTop()
    return viewer
