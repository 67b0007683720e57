"""Subset groups of our own, told from the user's by what they select, not by their label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glue.core.subset import RangeSubsetState

if TYPE_CHECKING:
    from glue.core import ComponentID, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset import SubsetState
    from glue.core.subset_group import SubsetGroup

__all__ = ["active_subset_kept", "best_ranked", "find_result_group", "is_best_ranked", "show_best_ranked"]


def best_ranked(rank: ComponentID, count: int) -> RangeSubsetState:
    """Select ranks 1 to `count` of a rank column; half numbers, so that rounding never moves a row."""
    return RangeSubsetState(0.5, count + 0.5, att=rank)


def find_result_group(collection: DataCollection, ranks: list[ComponentID], label: str) -> SubsetGroup | None:
    """
    Find the group that shows the present answer.

    It is a cut on one of the rank columns as `best_ranked` makes it. If the user changed ours into
    something else it is his now, and None comes back. Copies that he made of it have another label.
    """
    states = [(group, group.subset_state) for group in collection.subset_groups]
    ours = [group for group, s in states if is_best_ranked(s) and any(s.att is rank for rank in ranks)]
    return next((group for group in ours if group.label == label), ours[0] if ours else None)


def show_best_ranked(
    collection: DataCollection,
    group: SubsetGroup | None,
    rank: ComponentID,
    count: int,
    label: str,
    mode: EditSubsetMode | None = None,
) -> SubsetGroup:
    """
    Let a group, or a new one, select the best `count`.

    Parameters
    ----------
    collection : DataCollection
    group : SubsetGroup or None
        The one to change; None to make one.
    rank : ComponentID
        Column of ranks, 1 for the best.
    count : int
    label : str
        Of a new group.
    mode : EditSubsetMode, optional
        Of the window, whose active subset stays the active one.
    """
    if group is None:
        with active_subset_kept(mode):
            return collection.new_subset_group(label, best_ranked(rank, count))
    state = group.subset_state
    if state.att is not rank or state.hi != count + 0.5:
        group.subset_state = best_ranked(rank, count)
    return group


@contextmanager
def active_subset_kept(mode: EditSubsetMode | None) -> Iterator[None]:
    """
    Leave the user's active subset active: glue's window makes every new group the active one.

    Without this his next lasso would replace our answer instead of his own selection.
    """
    active = [] if mode is None else list(mode.edit_subset)
    try:
        yield
    finally:
        if mode is not None:
            mode.edit_subset = [group for group in active if group in mode.data_collection.subset_groups]


def is_best_ranked(state: SubsetState) -> bool:
    """Tell whether a subset is a cut as `best_ranked` makes it, and not something that the user drew."""
    return type(state) is RangeSubsetState and state.lo == 0.5 and state.hi % 1 == 0.5
