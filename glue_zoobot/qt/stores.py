"""Change between the embeddings of a dataset: encoders see different things in the same galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue_qt.config import layer_action
from qtpy import QtWidgets

from glue_zoobot.qt.host import application_of, show_message

if TYPE_CHECKING:
    from glue.core import Data, DataCollection

    from glue_zoobot.catalog.stores import KnownStore

__all__ = ["choose_embeddings"]

_TITLE = "Embeddings in use"


@layer_action(
    "Zoobot: choose embeddings…",
    tooltip="Compare galaxies as another encoder sees them, where there are several embeddings",
    single=True,
    data=True,
)
def choose_embeddings(data: Data, data_collection: DataCollection) -> None:
    """Ask which of the known embeddings to use from now on."""
    from glue_zoobot.catalog.stores import stores_of

    application = application_of(data_collection)
    known = [store for store in stores_of(data) if store.encoder_name]
    if len(known) < 2:
        text = f"{data.label} has {'one set of' if known else 'no'} embeddings: there is nothing to choose."
        show_message(application, _TITLE, f"{text} Zoobot: Embed… makes others with other encoders.")
        return
    names = [_describe(store) for store in known]
    now = next((number for number, store in enumerate(known) if store.in_use), 0)
    text = f"The embeddings of {data.label} that searches use:"
    name, sure = QtWidgets.QInputDialog.getItem(application, _TITLE, text, names, now, editable=False)
    if sure:
        _use(data, data_collection, known[names.index(name)])


def _use(data: Data, data_collection: DataCollection, store: KnownStore) -> None:
    from glue_zoobot.catalog import attach_embeddings
    from glue_zoobot.qt.similar.panel import similar_panel
    from glue_zoobot.qt.threads import run_in_thread

    application = application_of(data_collection)

    def done(matched: int) -> None:
        similar_panel(application).embeddings_changed(data)
        text = f"Searches in {data.label} use {store.encoder_name} now: {matched:,} of {data.size:,} galaxies"
        application.statusBar().showMessage(text, 8000)

    def failed(error: Exception) -> None:
        show_message(application, _TITLE, str(error))

    run_in_thread(application, lambda: attach_embeddings(data, store.path), done, failed)


def _describe(store: KnownStore) -> str:
    return f"{store.encoder_name}  ·  {store.path}"
