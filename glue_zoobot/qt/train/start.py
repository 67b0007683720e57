"""Begin a training in the jobs panel, and use what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue_zoobot.qt.jobs import EmbedJob, EmbedRequest
from glue_zoobot.qt.jobs_panel import jobs_panel
from glue_zoobot.qt.train.jobs import TrainJob, TrainRequest

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["embed_with", "known_encoders", "show_card", "start_training"]


def start_training(
    application: GlueApplication, data: Data, request: TrainRequest, labels: Mapping[str, Any] | None = None
) -> TrainJob:
    """
    Start a training, or show the one that writes the same encoder already.

    Parameters
    ----------
    application : GlueApplication
    data : Data
    request : TrainRequest
    labels : mapping, optional
        Label by object id, for fine-tuning; kept beside the encoder.

    Raises
    ------
    EncoderError
        If the folder of the encoder cannot be written.
    """
    panel = jobs_panel(application)
    for job in (line.job for line in panel.lines):
        if isinstance(job, TrainJob) and job.request.folder == request.folder and job.running:
            return job
    request.keep(labels)
    job = TrainJob(data, request, panel)
    job.use_wanted.connect(lambda job: embed_with(application, job.data, job.request.folder))
    job.card_wanted.connect(lambda job: show_card(application, job.request.folder))
    job.result_wanted.connect(lambda job: _show_result(application, job))
    job.finished.connect(lambda: _tell_panel(application))
    panel.run(job)
    return job


def embed_with(application: GlueApplication, data: Data, folder: Path) -> EmbedJob:
    """Describe a dataset by an encoder that was trained on it, in a store of its own, and make a map."""
    from glue_zoobot.catalog import source_of
    from glue_zoobot.embedding import default_store

    spec = source_of(data)
    store = default_store(spec.path, folder.name)
    return jobs_panel(application).embed(data, EmbedRequest(spec, store, str(folder)))


def show_card(application: GlueApplication, folder: Path) -> None:
    """Show the model card of an encoder."""
    from glue_zoobot.qt.train.card import CardDialog

    CardDialog(application, folder).show()


def known_encoders(data: Data) -> list[str]:
    """Names and paths of encoders that one can start from here: on this computer, or trained on the data."""
    from glue_zoobot.catalog.encoders import trained_encoders
    from glue_zoobot.encoders import is_cached, specs

    here = [spec.name for spec in specs() if is_cached(spec)]
    return [*here, *map(str, trained_encoders(data))]


def _show_result(application: GlueApplication, job: TrainJob) -> None:
    from glue_zoobot.qt.teach.panel import teach_panel

    panel = teach_panel(application)
    panel.show_panel()
    panel.show_tuned(job.data, job.request.target, job.request.folder)


def _tell_panel(application: GlueApplication) -> None:
    from glue_zoobot.qt.teach.panel import TeachPanel

    panel = application.findChild(TeachPanel)
    if panel is not None:
        panel.state.changes += 1
