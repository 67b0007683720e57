"""Result groups of ours that the user draws over: from then on they are the user's, and are called so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glue.core.hub import HubListener
from glue.core.message import SubsetUpdateMessage

if TYPE_CHECKING:
    from glue.core.hub import Hub
    from glue.core.subset import SubsetState

__all__ = ["CHANGED", "DrawnOver"]

CHANGED = " (changed)"


class DrawnOver(HubListener):
    """
    Gives a result group another name when the user changes what it selects, and its own when that is undone.

    Users may: any subset can be the active one in glue, and the next lasso replaces what that selects.
    The answer is not lost, since it is in columns; a new group shows it again.

    Parameters
    ----------
    hub : Hub
        Holds this weakly: keep it.
    is_ours : callable
        Whether a subset state selects an answer.
    is_our_label : callable
        Whether a label is one that we give; a name of the user's stands.
    """

    def __init__(
        self, hub: Hub, is_ours: Callable[[SubsetState], bool], is_our_label: Callable[[str], bool]
    ) -> None:
        self._is_ours, self._is_our_label = is_ours, is_our_label
        hub.subscribe(self, SubsetUpdateMessage, handler=self._on_update)

    def _on_update(self, message: SubsetUpdateMessage) -> None:
        group = getattr(message.sender, "group", None)
        if group is None or message.attribute != "subset_state":
            return
        plain = group.label.removesuffix(CHANGED)
        if self._is_our_label(plain):
            group.label = plain if self._is_ours(group.subset_state) else plain + CHANGED
