"""The one way in which a window asks for look-alikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.similar_panel import similar_panel
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["find_now", "find_similar"]


def find_similar(
    application: GlueApplication, data: Data, like: Sequence[int], report: Callable[[str], None]
) -> None:
    """
    Find the galaxies most like some rows, and show the panel; the window does not wait for it.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue.
    like : sequence of int
        Rows of the example galaxies.
    report : callable
        Told what was done, or why it could not be done, in one line for a status bar.
    """

    def find(_: object) -> None:
        if application.app is not None:  # not closed meanwhile
            report(find_now(application, data, like))

    report("Reading the embeddings…")
    metric = question_of(application).metric
    run_in_thread(application, lambda: _prepare(data, metric), find, lambda error: report(str(error)))


def find_now(application: GlueApplication, data: Data, like: Sequence[int]) -> str:
    """Find at once, as long as it takes; return what was done, or why it could not be done."""
    state = question_of(application)
    try:
        state.find(data, like=list(like))
    except ZoobotError as exc:
        return str(exc)
    similar_panel(application).show_result()
    return state.sentence()


def _prepare(data: Data, metric: str) -> None:
    """Read ids and embeddings, which takes seconds for a large catalogue, the first time."""
    from glue_zoobot.catalog import embeddings_of, object_ids_of

    object_ids_of(data)
    embeddings = embeddings_of(data)
    if embeddings is not None:
        embeddings.search(metric)
