"""The *Jobs* panel: one line per job with progress, Cancel, Resume and the broken images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.broken_report import show_broken
from glue_zoobot.qt.docks import tabbed_panel
from glue_zoobot.qt.growing import store_watch
from glue_zoobot.qt.host import show_message
from glue_zoobot.qt.jobs import ChildJob, EmbedJob, EmbedRequest
from glue_zoobot.qt.layout import open_map
from glue_zoobot.qt.map_job import MapJob
from glue_zoobot.qt.plot_labels import fit_labels
from glue_zoobot.qt.similar.panel import similar_panel
from glue_zoobot.qt.styles import warn

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["JobLine", "JobsPanel", "jobs_panel"]

_TITLE = "Jobs"
_WIDTH = 284


def jobs_panel(application: GlueApplication) -> JobsPanel:
    """Return the panel of an application; there is never more than one."""
    return tabbed_panel(application, JobsPanel)


class JobLine(QtWidgets.QFrame):
    """
    One job.

    Parameters
    ----------
    job : ChildJob

    Attributes
    ----------
    removed : Signal()
        The user has seen enough of it.
    map_wanted : Signal()
        He wants to see the map that it made.
    """

    removed = QtCore.Signal()
    map_wanted = QtCore.Signal()

    def __init__(self, job: ChildJob) -> None:
        super().__init__()
        self.job = job
        breakable = job.title.replace("/", "/\u200b")  # a path may go on in the next line after each part
        self.title = QtWidgets.QLabel(f"<b>{breakable}</b>", wordWrap=True)
        self.title.setToolTip(job.title)
        self.bar = QtWidgets.QProgressBar()
        self.bar.setFormat(job.bar_format)
        self.text = QtWidgets.QLabel(wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._plain = self.text.palette()
        self._alarming = warn(self.text, problem=True).palette()
        for label in (self.title, self.text):
            label.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)
        self.cancel_button = _button("Cancel", "Stop cleanly; what is done is kept", job.cancel)
        self.resume_button = _button("Resume", "Go on with what is still missing", job.start)
        self.broken_button = _button(
            "Broken images…", "Which images have no embedding, and why", self._show_broken
        )
        self.detail_button = _button("Details…", "What the process wrote before it ended", self._show_detail)
        self.map_button = _button("Show", "Open the map in a scatter plot", self.map_wanted.emit)
        self.offers = [_button(*offer) for offer in job.offers()]
        self.remove_button = _button("Remove", "Take this line off the list", self.removed.emit)
        progress = QtWidgets.QHBoxLayout()  # above the text, whose length changes
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.cancel_button)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addStretch(1)
        for button in (
            self.broken_button,
            self.detail_button,
            self.resume_button,
            self.map_button,
            *self.offers,
            self.remove_button,
        ):
            buttons.addWidget(button)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(progress)
        layout.addWidget(self.text)
        self.view = job.make_view()
        if self.view is not None:
            layout.addWidget(self.view)
        layout.addLayout(buttons)
        job.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the job as it is now."""
        job = self.job
        active = job.state in ("running", "cancelling")
        self.bar.setMaximum(job.total if job.total else int(not active))
        self.bar.setValue(job.done)
        self.bar.setTextVisible(job.total > 0)
        self.bar.setVisible(active or job.total > 0)
        self.text.setText(job.message)
        self.text.setPalette(self._alarming if job.state == "failed" else self._plain)
        self.cancel_button.setVisible(active)
        self.cancel_button.setEnabled(job.state == "running")
        self.remove_button.setVisible(not active)
        self.resume_button.setVisible(job.state in ("cancelled", "failed"))
        self.detail_button.setVisible(job.state == "failed" and bool(job.detail.strip()))
        self.broken_button.setVisible(job.broken > 0)
        for button in self.offers:
            button.setVisible(job.state == "done" and job.data is not None)
        self.map_button.setVisible(job.state == "done" and isinstance(job, MapJob) and job.data is not None)

    def _show_broken(self) -> None:
        show_broken(self, self.job.request.store)

    def _show_detail(self) -> None:
        show_message(self, self.job.title, self.job.message, self.job.detail)


class JobsPanel(QtWidgets.QDockWidget, HubListener):
    """
    All jobs of a session; stops them when the application closes.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel and, through it, of the jobs.
    """

    def __init__(self, application: GlueApplication) -> None:
        super().__init__(_TITLE, application)
        self.setObjectName("zoobot_jobs_panel")
        self.setMinimumWidth(_WIDTH)
        self._application = application
        self.lines: list[JobLine] = []
        self._lines_layout = QtWidgets.QVBoxLayout()
        self._lines_layout.setContentsMargins(0, 0, 0, 0)
        self._empty = QtWidgets.QLabel(
            "<p><b>Nothing is running.</b></p><p>To embed the images of a dataset, right-click it and choose "
            "<i>Zoobot: Embed…</i>; its progress is shown here.</p>",
            wordWrap=True,
            margin=12,
        )
        inside = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty)
        layout.addLayout(self._lines_layout)
        layout.addStretch(1)
        scroll = QtWidgets.QScrollArea(widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(140)
        scroll.setWidget(inside)
        self.setWidget(scroll)
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._stop_all)
        QtWidgets.QApplication.instance().aboutToQuit.connect(self._stop_all)

    def show_panel(self) -> None:
        """Bring the panel to view."""
        self.show()
        self.raise_()

    def embed(self, data: Data, request: EmbedRequest) -> EmbedJob:
        """Start a job, or show the one that fills the same store already."""
        for job in (line.job for line in self.lines):
            if isinstance(job, EmbedJob) and job.request.store == request.store and job.running:
                return job
        job = EmbedJob(data, request, self)
        job.finished.connect(lambda: self._tell_of_embeddings(job.data))
        if request.add_map:
            job.finished.connect(lambda: self.add_map(job.data, "pca"))
        store_watch(self._application).follow(data, request.store)
        self.run(job)
        return job

    def add_map(self, data: Data, method: str) -> MapJob | None:
        """Start a map of a dataset; say so if it has no embeddings."""
        from glue_zoobot.catalog import embeddings_of, why_no_embeddings

        embeddings = embeddings_of(data)
        if embeddings is None:
            show_message(self, "Add map", why_no_embeddings(data))
            return None
        job = MapJob(data, embeddings.path, method, self)
        self.run(job)
        return job

    def _tell_of_embeddings(self, data: Data | None) -> None:
        if data is not None:
            similar_panel(self._application).embeddings_changed(data)
            store_watch(self._application).settle(data)

    def run(self, job: ChildJob) -> None:
        """Show a job, and start it."""
        line = JobLine(job)
        job.changed.connect(self._say_progress)
        line.removed.connect(lambda: self._remove(line))
        line.map_wanted.connect(lambda: self._show_map(job))
        self.lines.append(line)
        self._lines_layout.insertWidget(0, line)  # the newest in sight
        self._empty.hide()
        self.show_panel()
        job.start()

    def _show_map(self, job: MapJob) -> None:
        if job.data in self._application.data_collection:
            fit_labels(open_map(self._application, job.data, *job.columns))

    def _say_progress(self) -> None:
        """Let the tab tell how far the job has come while another panel is in front."""
        shares = [
            line.job.done / line.job.total for line in self.lines if line.job.running and line.job.total
        ]
        self.setWindowTitle(f"{_TITLE} {sum(shares) / len(shares):.0%}" if shares else _TITLE)

    def _remove(self, line: JobLine) -> None:
        self.lines.remove(line)
        self._lines_layout.removeWidget(line)
        line.deleteLater()
        line.job.deleteLater()
        self._empty.setVisible(not self.lines)

    def _stop_all(self, *args: Any) -> None:
        for line in self.lines:
            line.job.stop_now()
        self._hub.unsubscribe_all(self)


def _button(text: str, tip: str, action: Any) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda: action())
    return button
