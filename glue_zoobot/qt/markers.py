"""
Results stay visible in large catalogues.

glue draws a layer of more than 100,000 rows as a density map, and every subset of it too, in which
a hundred look-alikes are a hundred single pixels. Our own results are drawn as markers instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue.config import layer_artist_maker
from glue.core import Subset
from glue.core.subset import RangeSubsetState

if TYPE_CHECKING:
    from glue.core import BaseData
    from glue.viewers.common.layer_artist import LayerArtist
    from glue.viewers.common.viewer import Viewer

__all__ = ["is_result", "small_results_as_markers"]

RANKS = ("similarity_rank", "interest_rank")


@layer_artist_maker("zoobot: small results as markers")
def small_results_as_markers(viewer: Viewer, layer: BaseData | Subset) -> LayerArtist | None:
    """Return glue's own scatter artist, set to markers, for our results; None for everything else."""
    from glue_qt.viewers.scatter import ScatterViewer

    if not (isinstance(viewer, ScatterViewer) and isinstance(layer, Subset) and is_result(layer)):
        return None
    artist = viewer.get_subset_layer_artist(layer)  # the stock class, so that its style editor is found
    artist.state.points_mode = "markers"
    return artist


def is_result(subset: Subset) -> bool:
    """Tell whether a subset is a cut on one of our rank columns, and so never more than 10,000 rows."""
    state = subset.subset_state
    return isinstance(state, RangeSubsetState) and state.att.label.startswith(RANKS)
