"""
What appears in glue's menus: actions on datasets and subsets, and entries under *Plugins*.

Imported when glue starts: each action imports its window when it is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core import Data
from glue_qt.config import layer_action, menubar_plugin
from qtpy import QtWidgets

from glue_zoobot.qt.host import application_of, show_message
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from glue.core import DataCollection, Subset, SubsetGroup
    from glue.core.session import Session
    from glue_qt.app import GlueApplication


@menubar_plugin("Zoobot: tour")
def show_tour(session: Session, data_collection: DataCollection) -> None:
    """Show the main things in a minute, on the sample if nothing else is open."""
    from glue_zoobot.qt.tour import start_tour

    start_tour(session.application)


@menubar_plugin("Zoobot: similar galaxies panel")
def show_similar_panel(session: Session, data_collection: DataCollection) -> None:
    """Show the panel, empty or not."""
    from glue_zoobot.qt.similar.panel import similar_panel

    similar_panel(session.application).show_result()


@menubar_plugin("Zoobot: interest panel")
def show_interest_panel(session: Session, data_collection: DataCollection) -> None:
    """Show the panel, empty or not."""
    from glue_zoobot.qt.interest.panel import interest_panel

    interest_panel(session.application).show_panel()


@layer_action(
    "Zoobot: rate by interest…",
    tooltip="Rate a few galaxies, beginning with these, and rank the whole catalogue by what interests you",
    single=True,
    data=True,
    subset_group=True,
    subset=True,
)
def rate_layer(layer: Data | Subset | SubsetGroup, data_collection: DataCollection) -> None:
    """Start the panel on a catalogue, or from a subset."""
    from glue_zoobot.qt.interest.panel import interest_panel

    panel = interest_panel(application_of(data_collection))
    panel.show_panel()
    if isinstance(layer, Data):
        panel.start(layer)
        return
    subset = _subset_with_embeddings(layer)
    if subset is None:
        panel.say(f"No galaxy of “{layer.label}” has an embedding: choose another start.")
    else:
        panel.start(subset.data, np.flatnonzero(subset.to_mask()))


@menubar_plugin("Zoobot: teach panel")
def show_teach_panel(session: Session, data_collection: DataCollection) -> None:
    """Show the panel, empty or not."""
    from glue_zoobot.qt.teach.panel import teach_panel

    teach_panel(session.application).show_panel()


@layer_action(
    "Zoobot: teach a class…",
    tooltip="Label a few galaxies, these for a start, and predict the whole catalogue",
    single=True,
    data=True,
    subset_group=True,
    subset=True,
)
def teach_layer(layer: Data | Subset | SubsetGroup, data_collection: DataCollection) -> None:
    """Open the panel for a catalogue, or make a subset a class of what is taught."""
    from glue_zoobot.qt.teach.panel import teach_panel

    panel = teach_panel(application_of(data_collection))
    if isinstance(layer, Data):
        panel.teach_layer(layer)
        return
    subset = _subset_with_embeddings(layer)
    panel.teach_layer(None if subset is None else subset.data, subset)


@menubar_plugin("Zoobot: jobs panel")
def show_jobs_panel(session: Session, data_collection: DataCollection) -> None:
    """Show the panel, empty or not."""
    from glue_zoobot.qt.jobs_panel import jobs_panel

    jobs_panel(session.application).show_panel()


@menubar_plugin("Zoobot: embed…")
def embed_from_menu(session: Session, data_collection: DataCollection) -> None:
    """Open the dialog of the embedding job."""
    _for_one_with_images(session.application, "Embed", embed)


@menubar_plugin("Zoobot: train encoder…")
def train_encoder_from_menu(session: Session, data_collection: DataCollection) -> None:
    """Open the dialog of the training without labels."""
    _for_one_with_images(session.application, "Train encoder", train_encoder)


def _for_one_with_images(
    application: GlueApplication, title: str, action: Callable[[Data, DataCollection], None]
) -> None:
    """Act on the dataset that has images; asks which if there are several."""
    from glue_zoobot.catalog import source_of

    collection = application.data_collection
    found = [data for data in collection if hasattr(data, "meta") and source_of(data) is not None]
    if not found:
        text = "No dataset has images. Open a catalogue with images, or right-click one and choose"
        show_message(application, title, f"{text} Zoobot: Attach images….")
    elif len(found) == 1:
        action(found[0], collection)
    else:
        labels = [f"{number}: {data.label}" for number, data in enumerate(found, 1)]
        chosen, sure = QtWidgets.QInputDialog.getItem(
            application, title, "The images of which dataset?", labels, editable=False
        )
        if sure:
            action(found[labels.index(chosen)], collection)


@menubar_plugin("Zoobot: check installation")
def check_installation(session: Session, data_collection: DataCollection) -> None:
    """Say what works and what is missing."""
    from glue_zoobot.qt.check import CheckDialog

    CheckDialog(session.application).show()


@layer_action(
    "Zoobot: Embed…", tooltip="Describe every image by numbers, in the background", single=True, data=True
)
def embed(data: Data, data_collection: DataCollection) -> None:
    """Open the dialog of the embedding job."""
    from glue_zoobot.qt.embed_dialog import EmbedDialog

    _open_on_images("Embed", EmbedDialog, data, data_collection)


@layer_action(
    "Zoobot: Train encoder…",
    tooltip="Learn an encoder from these images themselves, in the background",
    single=True,
    data=True,
)
def train_encoder(data: Data, data_collection: DataCollection) -> None:
    """Open the dialog of the training without labels."""
    from glue_zoobot.qt.train.encoder import TrainEncoderDialog

    _open_on_images("Train encoder", TrainEncoderDialog, data, data_collection)


def _open_on_images(
    title: str,
    dialog: Callable[[GlueApplication, Data], QtWidgets.QDialog],
    data: Data,
    data_collection: DataCollection,
) -> None:
    """Open a dialog that works on the images of a dataset, or say that there are none."""
    from glue_zoobot.catalog import source_of

    application = application_of(data_collection)
    if source_of(data) is None:
        text = f"{data.label} has no images yet: right-click it and choose Zoobot: Attach images… first."
        show_message(application, title, text)
    else:
        dialog(application, data).show()


@layer_action("Zoobot: Attach images…", tooltip="Say where this dataset's images are", single=True, data=True)
def attach_images(data: Data, data_collection: DataCollection) -> None:
    """Ask for a folder or container of images, and match it by id."""
    from glue_zoobot.catalog import attach_images as attach

    application = application_of(data_collection)
    path = _ask_for_images(application)
    if path:
        _attach(application, "Attach images", "images", data, lambda: attach(data, path))


@layer_action("Zoobot: Attach embeddings…", tooltip="Use embeddings made before", single=True, data=True)
def attach_embeddings(data: Data, data_collection: DataCollection) -> None:
    """Ask for the folder of an embedding store, and match it by id."""
    from glue_zoobot.catalog import attach_embeddings as attach

    application = application_of(data_collection)
    path = QtWidgets.QFileDialog.getExistingDirectory(application, "Folder of the embeddings")
    if path:
        _attach(application, "Attach embeddings", "embeddings", data, lambda: attach(data, path))


@layer_action(
    "Zoobot: find duplicates…",
    tooltip="The same galaxy twice, cutouts that overlap, pictures that are the same",
    single=True,
    data=True,
)
def find_duplicates(data: Data, data_collection: DataCollection) -> None:
    """Ask what counts as a duplicate, and look for them."""
    from glue_zoobot.qt.duplicates_dialog import DuplicatesDialog

    DuplicatesDialog(application_of(data_collection), data).show()


@layer_action(
    "Zoobot: Add map (PCA)", tooltip="Two new columns: the two main directions", single=True, data=True
)
def add_pca_map(data: Data, data_collection: DataCollection) -> None:
    """Start a PCA map."""
    from glue_zoobot.qt.jobs_panel import jobs_panel

    jobs_panel(application_of(data_collection)).add_map(data, "pca")


@layer_action(
    "Zoobot: Add map (UMAP)", tooltip="Two new columns: look-alikes close together", single=True, data=True
)
def add_umap_map(data: Data, data_collection: DataCollection) -> None:
    """Start a UMAP map."""
    from glue_zoobot.qt.jobs_panel import jobs_panel

    jobs_panel(application_of(data_collection)).add_map(data, "umap")


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
    from glue_zoobot.qt.finding import find_similar

    application = application_of(data_collection)
    subset = _subset_with_embeddings(layer)
    if subset is None:
        text = f"No galaxy of “{layer.label}” has an embedding: choose Zoobot: Embed… on its catalogue first."
        show_message(application, "Find similar", text)
        return
    rows = np.flatnonzero(subset.to_mask())
    find_similar(application, subset.data, rows, lambda text: _say(application, text))


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


def _ask_for_images(parent: QtWidgets.QWidget) -> str:
    """Ask for a folder or a file, which no single file dialog does; empty if the user thinks better of it."""
    box = QtWidgets.QMessageBox(
        QtWidgets.QMessageBox.Question, "Attach images", "Where are the images?", parent=parent
    )
    box.setInformativeText("They are matched by the galaxy's id: the file name, or the id column of a table.")
    folder = box.addButton("A folder…", QtWidgets.QMessageBox.AcceptRole)
    file = box.addButton("A table or container…", QtWidgets.QMessageBox.AcceptRole)
    box.addButton(QtWidgets.QMessageBox.Cancel)
    box.exec_()
    if box.clickedButton() is folder:
        return QtWidgets.QFileDialog.getExistingDirectory(parent, "Folder of images")
    if box.clickedButton() is file:
        return QtWidgets.QFileDialog.getOpenFileName(parent, "Table or container of images")[0]
    return ""


def _attach(
    application: GlueApplication, title: str, what: str, data: Data, attach: Callable[[], int]
) -> None:
    """Attach off the GUI thread, and say how much of the dataset was matched."""
    from glue_zoobot.qt.similar.panel import similar_panel
    from glue_zoobot.qt.threads import run_in_thread

    def done(matched: int) -> None:
        similar_panel(application).embeddings_changed(data)
        _say(application, f"{matched:,} of {counted(data.size, 'row')} of {data.label} have {what} now")

    def failed(error: Exception) -> None:
        show_message(application, title, str(error))

    _say(application, f"Looking for the {what} of {data.label}…")
    run_in_thread(application, attach, done, failed)


def _say(application: GlueApplication, text: str) -> None:
    application.statusBar().showMessage(text, 8000)
