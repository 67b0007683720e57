"""Refine the present question with examples and counter-examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.similar_panel import similar_panel
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["ask", "with_example"]


def with_example(
    like: Iterable[int], unlike: Iterable[int], rows: Iterable[int], wanted: bool
) -> tuple[list[int], list[int]]:
    """
    Add rows to the examples, or to the counter-examples.

    A row is one or the other: added to one list, it leaves the other.

    Parameters
    ----------
    like, unlike : iterable of int
        Rows of the present question.
    rows : iterable of int
        What to add.
    wanted : bool
        Whether the answer should be like them.

    Returns
    -------
    like, unlike : list of int
        Ascending.
    """
    new = set(rows)
    like, unlike = set(like) - new, set(unlike) - new
    (like if wanted else unlike).update(new)
    return sorted(like), sorted(unlike)


def ask(
    application: GlueApplication,
    data: Data,
    like: Sequence[int],
    unlike: Sequence[int],
    report: Callable[[str], None],
) -> None:
    """
    Find the galaxies most like some rows and unlike others; the window does not wait for it.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue.
    like, unlike : sequence of int
        Rows; `unlike` may be empty.
    report : callable
        Told what was done, or why it could not be done, in one line for a status bar.
    """
    if not unlike:
        find_similar(application, data, like, report)
        return

    def find(_: object) -> None:
        if application.app is None:  # closed meanwhile
            return
        question = question_of(application)
        try:
            question.find(data, like=list(like), unlike=list(unlike))
        except ZoobotError as error:
            report(str(error))
        else:
            similar_panel(application).show_result()
            report(question.sentence())

    metric = question_of(application).metric
    run_in_thread(application, lambda: _read(data, metric), find, lambda error: report(str(error)))


def _read(data: Data, metric: str) -> None:
    from glue_zoobot.catalog import embeddings_of

    embeddings = embeddings_of(data)
    if embeddings is not None:
        embeddings.search(metric)
