"""The one way in which a window asks for look-alikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.question import Answer, Question

__all__ = ["ask", "find_now", "find_similar"]


def find_similar(
    application: GlueApplication,
    data: Data,
    like: Sequence[int],
    report: Callable[[str], None],
    unlike: Sequence[int] = (),
) -> None:
    """
    Find the galaxies most like some rows, and show the panel; the window does not wait for it.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue.
    like, unlike : sequence of int
        Rows of the example galaxies, and of those that the answer should be unlike.
    report : callable
        Told what was done, or why it could not be done, in one line for a status bar.
    """
    report("Reading the embeddings…")
    ask(application, question_of(application).ask(data, like, unlike), report)


def ask(
    application: GlueApplication,
    question: Question,
    report: Callable[[str], None],
    place: int | None = None,
) -> None:
    """
    Answer a question in a thread, and show it unless another one was asked meanwhile.

    Parameters
    ----------
    application : GlueApplication
    question : Question
    report : callable
        As for `find_similar`.
    place : int, optional
        Place of the question in the history, if it is from there.
    """
    from glue_zoobot.catalog.question import answer

    state = question_of(application)
    state.pending = question

    def show(found: Answer) -> None:
        if application.app is not None and state.pending is question:  # else closed, or out of date
            report(_show(application, found, place))

    def prepare() -> Answer:
        from glue_zoobot.catalog import object_ids_of

        object_ids_of(question.data)  # for the names; a second for a million, the first time
        return answer(question)

    run_in_thread(application, prepare, show, lambda error: report(str(error)))


def find_now(application: GlueApplication, data: Data, like: Sequence[int]) -> str:
    """Find at once, as long as it takes; return what was done, or why it could not be done."""
    from glue_zoobot.catalog.question import answer

    try:
        found = answer(question_of(application).ask(data, like))
    except ZoobotError as error:
        return str(error)
    return _show(application, found)


def _show(application: GlueApplication, found: Answer, place: int | None = None) -> str:
    from glue_zoobot.qt.similar.panel import similar_panel

    state = question_of(application)
    try:
        state.show(found, place)
    except ZoobotError as error:
        return str(error)
    similar_panel(application).show_result()
    return state.sentence()
