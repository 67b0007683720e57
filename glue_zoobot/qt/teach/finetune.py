"""From the *Teach* panel to a fine-tuned encoder, and from that to its predictions and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy import QtCore

from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.train.finetune import FinetuneDialog
from glue_zoobot.qt.train.start import embed_with

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.teaching import Teaching

__all__ = ["Finetuning"]


class Finetuning(QtCore.QObject):
    """
    What the panel does with the network itself.

    Parameters
    ----------
    application : GlueApplication
    state : Teaching
    parent : QObject

    Attributes
    ----------
    said, failed : Signal(str)
    used : Signal()
        Other embeddings, or another head, are in use.
    """

    said = QtCore.Signal(str)
    failed = QtCore.Signal(str)
    used = QtCore.Signal()

    def __init__(self, application: GlueApplication, state: Teaching, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._application, self._state = application, state
        self.dialog: FinetuneDialog | None = None

    def ask(self) -> None:
        """Ask how, unless there is nothing to learn from; then say what is missing."""
        from glue_zoobot.catalog import source_of

        state = self._state
        if source_of(state.data) is None:
            self.failed.emit(
                f"{state.data.label} has no images to train on: choose Zoobot: Attach images… on it first."
            )
        elif not state.labels:
            self.failed.emit("There are no labels to train on yet.")
        elif not state.is_number and len(set(state.labels.values())) < 2:
            only = next(iter(state.labels.values()))
            self.failed.emit(f"All labels say {only}: label some galaxies as something else, too.")
        else:
            self.dialog = FinetuneDialog(self._application, state)
            self.dialog.show()

    def embed(self, folder: Path, then: Callable[[], None] | None = None) -> None:
        """Embed the catalogue with a tuned encoder; the present embeddings can be gone back to."""
        self._state.note_store()
        job = embed_with(self._application, self._state.data, folder)
        job.finished.connect(self.used)
        if then is not None:
            job.finished.connect(then)
        self.said.emit(f"The jobs panel shows how far the embedding with {folder.name} is.")

    def use_head(self, folder: Path) -> None:
        """Predict with the head that came with an encoder; embed the galaxies with it first if need be."""
        if not self._state.embedded_by(folder):
            self.embed(folder, lambda: self._use_head_now(folder))
        else:
            self._use_head_now(folder)

    def go_back(self, store: Path) -> None:
        """Use the embeddings from before, and the head that was taught on them."""
        from glue_zoobot.catalog import attach_embeddings

        data = self._state.data

        def taken(_: object) -> None:
            if self._do(self._state.go_back_to_store):
                self.said.emit(f"Back to the embeddings {store.name}, and the head that was taught on them.")

        self.said.emit("Reading the embeddings…")
        run_in_thread(
            self, lambda: attach_embeddings(data, store), taken, lambda error: self.failed.emit(str(error))
        )

    def _use_head_now(self, folder: Path) -> None:
        if self._state.data is not None:
            self._do(lambda: self._state.use_head_of(folder))

    def _do(self, action: Callable[[], object]) -> bool:
        from glue_zoobot.errors import ZoobotError

        try:
            action()
        except ZoobotError as error:
            self.failed.emit(str(error))
            return False
        self.said.emit(self._state.note)
        self.used.emit()
        return True
