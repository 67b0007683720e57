"""*Search the whole store*: look-alikes from beyond the dataset come in as a dataset of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.question import Question
    from glue_zoobot.catalog.whole_store import WholeAnswer

__all__ = ["search_whole_store", "show_brought_in"]

_SHOW = '<a href="gallery">Show them</a>'


def search_whole_store(
    application: GlueApplication, question: Question, count: int, report: Callable[[str], None]
) -> None:
    """
    Search in a thread, and bring in what was found.

    Parameters
    ----------
    application : GlueApplication
    question : Question
    count : int
        How many look-alikes.
    report : callable
        Told what was brought in, or why nothing was, as rich text of a line or two.
    """
    from glue_zoobot.catalog import whole_store

    def show(answer: WholeAnswer) -> None:
        if application.app is not None and question.data in application.data_collection:
            whole_store.bring_in(application.data_collection, answer, application.session.edit_subset_mode)
            report(f"{answer.sentence()}. {_SHOW}")

    run_in_thread(
        application,
        lambda: whole_store.search_whole_store(question, count),
        show,
        lambda error: report(str(error)),
    )


def show_brought_in(application: GlueApplication) -> None:
    """Open a gallery of what was brought in last, best first."""
    from glue_zoobot.catalog.columns import our_columns
    from glue_zoobot.catalog.whole_store import RANK
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    data = _last(application)
    if data is not None:
        viewer = application.new_data_viewer(GalleryViewer, data=data)
        viewer.state.sort_best_first(our_columns(data)[RANK])


def _last(application: GlueApplication) -> Data | None:
    from glue_zoobot.catalog.columns import our_columns
    from glue_zoobot.catalog.whole_store import RANK

    found = [
        data for data in application.data_collection if hasattr(data, "meta") and RANK in our_columns(data)
    ]
    return found[-1] if found else None
