"""The one way in which a window asks for look-alikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.host import active_subset_kept
from glue_zoobot.qt.similar_panel import similar_panel

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["find_similar"]


def find_similar(application: GlueApplication, data: Data, like: Sequence[int]) -> str:
    """
    Find the galaxies most like some rows, and show the panel.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue.
    like : sequence of int
        Rows of the example galaxies.

    Returns
    -------
    str
        What was done, or why it could not be done, in one line for a status bar.
    """
    from glue_zoobot.catalog import object_ids_of, similar_galaxies

    state = similar_galaxies(application.data_collection)
    try:
        with active_subset_kept(application):
            state.find(data, like=list(like))
    except ZoobotError as exc:
        return str(exc)
    similar_panel(application).show_result()
    if state.note:
        return state.note
    what = object_ids_of(data)[like[0]] if len(like) == 1 else f"{len(like):,} galaxies"
    return f"Showing the {min(state.count, len(state.rows)):,} galaxies most like {what}"
