"""Say what counts as a duplicate, and look for them in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.host import show_message
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.analysis.duplicates import Duplicates
    from glue_zoobot.catalog.duplicates import DuplicatesQuestion

__all__ = ["DuplicatesDialog", "find_duplicates_in"]

_TITLE = "Find duplicates"
_INTRO = (
    "Finds galaxies that are in the catalogue twice, cutouts that show the same piece of sky, "
    "and pictures that are the same though their places are not."
)
_NO_SKY = "There are no columns of right ascension and declination: only the pictures are compared."


class DuplicatesDialog(QtWidgets.QDialog):
    """
    How near is the same source, and how wide a cutout is; the window behind stays usable.

    Parameters
    ----------
    application : GlueApplication
    data : Data
    """

    def __init__(self, application: GlueApplication, data: Data) -> None:
        super().__init__(application)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"{_TITLE} in {data.label}")
        self._application, self._data, self._sky = application, data, sky_columns(data)
        self.radius = _arcseconds(1.0, "off")
        self.stamp = _arcseconds(0.0, "not known")
        self.stamp.setToolTip("Edge of a picture on the sky; cutouts whose centres are nearer overlap")
        form = QtWidgets.QFormLayout(self)
        form.setContentsMargins(16, 14, 16, 14)
        intro = QtWidgets.QLabel(_INTRO if self._sky else f"{_INTRO}<br><br>{_NO_SKY}", wordWrap=True)
        intro.setMinimumWidth(380)
        form.addRow(intro)
        if self._sky is not None:
            form.addRow("The same source within", self.radius)
            form.addRow("Width of a cutout", self.stamp)
        kinds = QtWidgets.QDialogButtonBox
        buttons = kinds(kinds.Ok | kinds.Cancel)
        buttons.button(kinds.Ok).setText("Find")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def accept(self) -> None:
        """Start, and close."""
        from glue_zoobot.catalog.duplicates import DuplicatesQuestion

        question = DuplicatesQuestion(self._data, self._sky, self.radius.value(), self.stamp.value())
        find_duplicates_in(self._application, question)
        super().accept()


def find_duplicates_in(application: GlueApplication, question: DuplicatesQuestion) -> None:
    """Search in a thread, show columns and groups, and say what was found."""
    from glue_zoobot.catalog.duplicates import show_duplicates

    def done(found: Duplicates) -> None:
        if application.app is None:  # closed meanwhile
            return
        mode = application.session.edit_subset_mode
        try:
            text = show_duplicates(application.data_collection, question, found, mode)
        except ZoobotError as error:
            text = str(error)
        application.statusBar().showMessage(text, 20_000)

    def failed(error: Exception) -> None:
        if application.app is not None:
            show_message(application, _TITLE, str(error))

    application.statusBar().showMessage(f"Looking for duplicates in {question.data.label}…")
    run_in_thread(application, question.answer, done, failed)


def _arcseconds(value: float, nothing: str) -> QtWidgets.QDoubleSpinBox:
    box = QtWidgets.QDoubleSpinBox(decimals=1, maximum=3600, suffix=" arcsec")
    box.setSpecialValueText(nothing)
    box.setValue(value)
    box.setAlignment(Qt.AlignRight)
    return box
