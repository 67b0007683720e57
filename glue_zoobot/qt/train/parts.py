"""Parts that the windows of both trainings have: what to start from, where to write, what was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.styles import problem_text
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.train.jobs import TrainRequest
from glue_zoobot.qt.train.start import known_encoders, start_training
from glue_zoobot.qt.train.time import Estimator

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["TrainDialog", "number_edit", "spin"]


class TrainDialog(QtWidgets.QDialog):
    """
    A window in which a training is described and started; nothing is loaded in this process.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        With images.
    title : str
    """

    verb = ""

    def __init__(self, application: GlueApplication, data: Data, title: str) -> None:
        super().__init__(application, windowTitle=title)
        from glue_zoobot.catalog import source_of

        self.setAttribute(Qt.WA_DeleteOnClose)
        self._application, self._data, self._spec = application, data, source_of(data)
        self.estimator = Estimator(self)
        self.estimator.changed.connect(self._show_estimate)
        self.finished.connect(self.estimator.release)
        self.heading = QtWidgets.QLabel(wordWrap=True)
        self.unfinished = QtWidgets.QLabel(wordWrap=True, visible=False)
        self.unfinished.linkActivated.connect(lambda path: self._go_on(Path(path)))
        self.begin_from = QtWidgets.QComboBox()
        self.begin_from.activated.connect(self._changed)
        self.device = QtWidgets.QComboBox()
        self.device.addItems(["auto", "cpu"])
        self.device.setToolTip("auto: the GPU if there is one")
        self.device.activated.connect(self._changed)
        self.folder = QtWidgets.QLineEdit()
        self.folder.setToolTip("Folder of the new encoder")
        self.folder.textEdited.connect(lambda _: self.start_button.setEnabled(bool(self.folder.text())))
        self.estimate = QtWidgets.QLabel(wordWrap=True)
        self.start_button = QtWidgets.QPushButton("Start", default=True)
        self.start_button.clicked.connect(self._start)

    # -- of a subclass ---------------------------------------------------------------------------------

    def request(self) -> TrainRequest:
        """Return what the user has chosen."""
        raise NotImplementedError

    @property
    def n_epochs(self) -> int:
        """Epochs that are wanted."""
        raise NotImplementedError

    def labels(self) -> dict[str, Any] | None:
        """Labels to train on, if that is what it does."""
        return None

    # -- parts -----------------------------------------------------------------------------------------

    def bottom(self) -> QtWidgets.QLayout:
        """Lay out the estimate beside the buttons."""
        cancel = QtWidgets.QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.estimate, 1)
        row.addWidget(cancel)
        row.addWidget(self.start_button)
        return row

    def fill_encoders(self, extra: list[tuple[str, str]], chosen: str) -> None:
        """List encoders to start from, off the GUI thread; before them `extra` pairs of text and name."""

        def fill(names: list[str]) -> None:
            for text, name in [*extra, *((_short(name), name) for name in names)]:
                if self.begin_from.findData(name) < 0:
                    self.begin_from.addItem(text, name)
            if self.begin_from.findData(chosen) < 0:
                self.begin_from.addItem(_short(chosen), chosen)
            self.begin_from.setCurrentIndex(self.begin_from.findData(chosen))
            self._changed()

        data = self._data
        run_in_thread(
            self, lambda: known_encoders(data), fill, lambda error: self.estimate.setText(str(error))
        )

    def show_unfinished(self) -> None:
        """Offer what was stopped, of the same kind."""
        from glue_zoobot.catalog.encoders import unfinished_trainings

        running = {job.request.folder for job in self._running()}
        found = [
            folder
            for folder, record in unfinished_trainings(self._data).items()
            if record.get("verb") == self.verb and folder not in running
        ]
        links = ", ".join(f"<a href='{folder}'>go on with {folder.name}</a>" for folder in found)
        self.unfinished.setText(f"Stopped before its end: {links}.")
        self.unfinished.setVisible(bool(found))

    def _running(self) -> list[Any]:
        from glue_zoobot.qt.jobs_panel import jobs_panel
        from glue_zoobot.qt.train.jobs import TrainJob

        jobs = [line.job for line in jobs_panel(self._application).lines]
        return [job for job in jobs if isinstance(job, TrainJob) and job.running]

    def _show_estimate(self) -> None:
        found = self.estimator
        self.estimate.setText(problem_text(self, found.text) if found.failed else found.text)
        self.estimate.setToolTip(found.detail)

    # -- what the user does ----------------------------------------------------------------------------

    def _changed(self, *args: Any) -> None:
        """Estimate anew."""
        self.start_button.setEnabled(bool(self.folder.text()))

    def _start(self) -> None:
        self.estimator.release()  # the processor is wanted for the job
        try:
            start_training(self._application, self._data, self.request(), self.labels())
        except ZoobotError as error:
            self.estimate.setText(problem_text(self, error))
            return
        self.accept()

    def _go_on(self, folder: Path) -> None:
        from glue_zoobot.catalog.encoders import unfinished_trainings

        self.estimator.release()
        request = TrainRequest.recall(folder, unfinished_trainings(self._data)[folder])
        start_training(self._application, self._data, request)
        self.accept()


def spin(low: int, high: int, value: int, tip: str) -> QtWidgets.QSpinBox:
    """Make a field of a whole number."""
    field = QtWidgets.QSpinBox(minimum=low, maximum=high, value=value, toolTip=tip)
    field.setKeyboardTracking(False)
    return field


def number_edit(value: float, tip: str) -> QtWidgets.QLineEdit:
    """Make a field of a number such as 1e-4, which a spin box cannot show."""
    from qtpy import QtGui

    field = QtWidgets.QLineEdit(f"{value:g}", toolTip=tip)
    validator = QtGui.QDoubleValidator(field)
    validator.setLocale(QtCore.QLocale.c())
    validator.setBottom(0)
    field.setValidator(validator)
    field.setMaximumWidth(90)
    return field


def _short(name: str) -> str:
    return Path(name).name if Path(name).is_absolute() else name
