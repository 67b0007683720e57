"""Subset groups of taught classes: cuts on columns of ours, told from the user's by what they select."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glue.core.subset import RangeSubsetState

from glue_zoobot.catalog.groups import active_subset_kept

if TYPE_CHECKING:
    from glue.core import ComponentID, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset import SubsetState
    from glue.core.subset_group import SubsetGroup

__all__ = ["COLOURS", "UNLIKE_COLOUR", "find_cut", "free_colour", "is_cut", "is_cut_label", "show_cut"]

#: Told apart by most eyes, light and dark; after Okabe & Ito (2008).
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#8c564b", "#5f6b6d")
UNLIKE_COLOUR = "#7a7f87"
# Smaller and paler than what the user draws (7 and 0.5): it often is much of the catalogue.
_STYLE = {"markersize": 5, "alpha": 0.35}
_LABELS = re.compile(r".+ \(p > [\d.]+\)|unlike anything labelled \(.+\)")
_TOP = 1.5  # no probability, and nothing that a user would draw: by it a cut is known as ours


def free_colour(taken: list[str]) -> str:
    """Return the first colour that is not taken, or the least used one."""
    return min(COLOURS, key=lambda colour: (taken.count(colour), COLOURS.index(colour)))


def find_cut(collection: DataCollection, column: ComponentID | None) -> SubsetGroup | None:
    """Find the group of ours that cuts on a column; None if there is none, or the user changed it."""
    for group in collection.subset_groups:
        if is_cut(group.subset_state) and group.subset_state.att is column:
            return group
    return None


def is_cut(state: SubsetState) -> bool:
    """Tell whether a subset is what we predict, and not something that the user drew."""
    return type(state) is RangeSubsetState and state.hi == _TOP


def is_cut_label(label: str) -> bool:
    """Tell whether a label is one that `Predictions` gives its groups, and not the user's own."""
    return _LABELS.fullmatch(label) is not None


def show_cut(
    collection: DataCollection,
    column: ComponentID,
    threshold: float,
    label: str,
    colour: str,
    mode: EditSubsetMode | None = None,
) -> SubsetGroup:
    """
    Let our group, or a new one, select what is at or above a threshold in a column.

    Parameters
    ----------
    collection : DataCollection
    column : ComponentID
        Probabilities, or 0 and 1.
    threshold : float
    label, colour : str
        Of a new group; an old one keeps its colour, and a label that the user gave it.
    mode : EditSubsetMode, optional
        Of the window, whose active subset stays the active one.
    """
    group, state = find_cut(collection, column), RangeSubsetState(threshold, _TOP, att=column)
    if group is None:
        with active_subset_kept(mode):
            return collection.new_subset_group(label, state, color=colour, **_STYLE)
    if group.subset_state.lo != threshold:
        group.subset_state = state
        if re.sub(r"[\d.]+", "", group.label) == re.sub(r"[\d.]+", "", label):  # else the user's own name
            group.label = label
    return group
