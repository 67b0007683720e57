"""The names of subsets in the lists of layers, which glue does not write anew by itself."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from qtpy import QtWidgets

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

__all__ = ["update_layer_names"]


def update_layer_names(application: GlueApplication) -> None:
    """Let the lists of layers of all viewers show what subsets are called now."""
    for viewer in chain(*application.viewers):
        for view in viewer.layer_view().findChildren(QtWidgets.QAbstractItemView):
            view.viewport().update()
