"""What appears in glue's menus: actions on datasets and subsets, and entries under *Plugins*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue_qt.config import layer_action, menubar_plugin

from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.host import application_of, show_message
from glue_zoobot.qt.similar_panel import similar_panel

if TYPE_CHECKING:
    from glue.core import DataCollection, Subset, SubsetGroup
    from glue.core.session import Session


@menubar_plugin("Zoobot: similar galaxies panel")
def show_similar_panel(session: Session, data_collection: DataCollection) -> None:
    """Show the panel, empty or not."""
    similar_panel(session.application).show_result()


@layer_action(
    "Find similar to this subset",
    tooltip="Find the galaxies that look most like those of this subset, which stays as it is",
    icon="glue_point",
    single=True,
    subset_group=True,
    subset=True,
)
def find_similar_to_subset(layer: Subset | SubsetGroup, data_collection: DataCollection) -> None:
    """Ask for the galaxies most like all those of a subset."""
    application = application_of(data_collection)
    subset = _subset_with_embeddings(layer)
    if subset is None:
        text = f"No galaxy of “{layer.label}” has an embedding: choose Zoobot: Embed… on its catalogue first."
        show_message(application, "Find similar", text)
        return
    text = find_similar(application, subset.data, np.flatnonzero(subset.to_mask()))
    application.statusBar().showMessage(text, 8000)


def _subset_with_embeddings(layer: Subset | SubsetGroup) -> Subset | None:
    """Return the part of a subset that lies in a catalogue with embeddings."""
    from glue.core.exceptions import IncompatibleAttribute

    from glue_zoobot.catalog import embeddings_of

    for subset in getattr(layer, "subsets", [layer]):
        try:
            if embeddings_of(subset.data) is not None and subset.to_mask().any():
                return subset
        except IncompatibleAttribute:
            continue
    return None
