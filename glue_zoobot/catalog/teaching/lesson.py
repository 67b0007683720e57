"""One lesson: from labels to a head, its columns, and what to label next. Plain arrays, for any thread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.catalog.teaching.expected import Chances, chances_of
from glue_zoobot.errors import AnalysisError, ZoobotError

if TYPE_CHECKING:
    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure
    from glue_zoobot.analysis.teaching import Lesson
    from glue_zoobot.catalog.embeddings import RowEmbeddings

__all__ = [
    "Answer",
    "Question",
    "answer",
    "columns_of",
    "fits",
    "is_lesson",
    "load_lesson",
    "method_of",
    "next_rows",
    "predicted_chances",
    "probability_columns",
    "provenance_of",
    "save_lesson",
]

N_NEXT = 24
SEED = 0
_BESIDE = "lesson.json"


@dataclass(frozen=True)
class Question:
    """
    What is known when training begins.

    Attributes
    ----------
    target : str
    embeddings : RowEmbeddings
    object_ids : np.ndarray
        Shape (M,): of the embeddings.
    labels : dict
        By object id, all of them.
    kind : {"classes", "number", "redshift"} or None
    inputs : tuple of str
        Columns learned from beside the image.
    values : np.ndarray or None
        Shape (N, K): their values.
    hidden : np.ndarray
        Rows that are not to be suggested: labelled or skipped.
    mode, wanted : str
        What to suggest, see `~glue_zoobot.analysis.teaching.next_to_label`.
    """

    target: str
    embeddings: RowEmbeddings
    object_ids: np.ndarray
    labels: dict[str, Any]
    kind: str | None
    inputs: tuple[str, ...]
    values: np.ndarray | None
    hidden: np.ndarray
    mode: str
    wanted: str

    @property
    def matrix(self) -> np.ndarray:
        """Shape (M, D + K): what is learned from; NaN where a galaxy lacks a column's value."""
        matrix = self.embeddings.matrix
        return matrix if self.values is None else np.hstack([matrix, self.values[self.embeddings.rows]])

    def provenance(self) -> dict[str, str]:
        """What the head must know of its embeddings, which it compares before it is used on others."""
        facts = provenance_of(self.embeddings)
        return facts | ({"inputs": json.dumps(self.inputs)} if self.inputs else {})


@dataclass(frozen=True)
class Answer:
    """
    The answer to a `Question`.

    Attributes
    ----------
    question : Question
    lesson : Lesson
    rows : np.ndarray
        Shape (n,): rows of the dataset that it was taught with.
    columns : dict
        Label to values of all N rows.
    chances : dict
        Class to its probabilities, for thresholds.
    show : np.ndarray
        Rows to label next.
    """

    question: Question
    lesson: Lesson
    rows: np.ndarray
    columns: dict[str, np.ndarray]
    chances: dict[str, Chances]
    show: np.ndarray


def provenance_of(embeddings: RowEmbeddings) -> dict[str, str]:
    """What made some embeddings."""
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.embedding.provenance import provenance

    return provenance(EmbeddingStore.open(embeddings.path))


def fits(head: Head, embeddings: RowEmbeddings | None) -> bool:
    """Whether a head was taught on embeddings by the same encoder."""
    if embeddings is None:
        return False
    try:
        head.check_encoder(provenance_of(embeddings))
    except ZoobotError:
        return False
    return True


def answer(question: Question) -> Answer:
    """
    Train, predict, and choose what to label next.

    Raises
    ------
    AnalysisError
        If there is not enough to learn from; the message says what is missing.
    """
    from glue_zoobot.analysis.teaching import teach

    if not question.labels:
        raise AnalysisError("there are no labels yet; label a few galaxies first")
    matrix = question.matrix
    lesson = teach(
        question.target, question.object_ids, matrix, question.labels, question.provenance(),
        question.kind, SEED,
    )  # fmt: skip
    columns = columns_of(lesson.head, question.embeddings, matrix)
    show = next_rows(question, lesson.head, matrix)
    chances = predicted_chances(lesson.head, columns)
    rows = question.embeddings.rows[lesson.labelled.rows]
    return Answer(question, lesson, rows, columns, chances, show)


def method_of(head: Head) -> str:
    """Say by what a head predicts."""
    if hasattr(head.estimator, "questions_"):
        return "the Dirichlet-multinomial likelihood of votes"
    return str(getattr(head.estimator, "method_", "ridge regression"))


def next_rows(question: Question, head: Head | None, matrix: np.ndarray | None = None) -> np.ndarray:
    """
    Choose what to label next.

    Parameters
    ----------
    question : Question
    head : Head or None
        Without one, galaxies all over the catalogue are chosen.
    matrix : np.ndarray, optional
        Shape (M, D + K): ``question.matrix``, if it is at hand.

    Returns
    -------
    np.ndarray
        Rows of the dataset, int64, at most 24; what to show first comes first.
    """
    embeddings = question.embeddings
    hidden = embeddings.positions[question.hidden]
    hidden = hidden[hidden >= 0]
    if head is None:
        from glue_zoobot.analysis.interest import start

        found = start(embeddings.matrix, N_NEXT + len(hidden), random_state=SEED)
        return embeddings.rows[found[~np.isin(found, hidden)][:N_NEXT]]
    from glue_zoobot.analysis.teaching import next_to_label

    matrix = question.matrix if matrix is None else matrix
    names = [str(name) for name in getattr(head.estimator, "classes_", ())]
    wanted = question.wanted if question.wanted in names else ""
    return embeddings.rows[next_to_label(head, matrix, N_NEXT, question.mode, hidden, wanted)]


def columns_of(head: Head, embeddings: RowEmbeddings, matrix: np.ndarray) -> dict[str, np.ndarray]:
    """
    Predict for all rows of the dataset.

    Parameters
    ----------
    head : Head
    embeddings : RowEmbeddings
        Of M of N rows.
    matrix : np.ndarray
        Shape (M, D + K): the embeddings, and the columns that were learned from beside them.

    Returns
    -------
    dict of str to np.ndarray
        Label to float32 or words, shape (N,): NaN or no word where there is no embedding.
    """
    n, columns, found = len(embeddings.positions), {}, head.columns(matrix)
    absent = np.isnan(next(values for values in found.values() if values.dtype.kind == "f"))
    for label, values in found.items():
        if values.dtype.kind == "U":
            whole = np.full(n, "", dtype=values.dtype)
        else:
            whole, values = np.full(n, np.nan, dtype=np.float32), values.astype(np.float32)
            values[absent] = np.nan  # nothing is known of them, not even whether they are unlike
        whole[embeddings.rows] = values
        columns[label] = whole
    return columns


def predicted_chances(head: Head, columns: Mapping[str, np.ndarray]) -> dict[str, Chances]:
    """Give what thresholds need of the probabilities in columns (N,) by label; none for a number."""
    given = {name: columns[label] for name, label in probability_columns(head).items()}
    return chances_of(head, given, columns[f"{head.target}_unlike"])


def probability_columns(head: Head) -> dict[str, str]:
    """Label of the column of probabilities by class; for yes and no only *yes*; empty for a number."""
    from glue_zoobot.analysis.heads import is_binary

    names = [str(name) for name in getattr(head.estimator, "classes_", ())]
    if is_binary(names):
        return {names[1]: f"{head.target}_prob"}
    return {name: f"{head.target}_prob_{name}" for name in names}


def save_lesson(folder: Path, lesson: Lesson, object_ids: list[str], curve: list[tuple[int, Figure]]) -> None:
    """
    Write a head, and beside it the labels it was taught with and how good it was.

    Parameters
    ----------
    folder : Path
    lesson : Lesson
    object_ids : list of str
        Of the n labelled galaxies, in the order of ``lesson.labelled``.
    curve : list of (int, Figure)
        Figure of merit by number of labels.

    Raises
    ------
    AnalysisError
        If it could not be written, or the folder holds something else.
    """
    values = [value.item() if isinstance(value, np.generic) else value for value in lesson.labelled.values]
    facts = {
        "object_ids": object_ids,
        "values": values,
        "kind": lesson.labelled.kind,
        "figures": [_as_list(figure) for figure in lesson.figures],
        "curve": [[n, *_as_list(figure)] for n, figure in curve],
    }
    lesson.head.save(folder)
    try:
        partial = folder / f".{_BESIDE}.part"
        partial.write_text(json.dumps(facts), encoding="utf-8")
        partial.replace(folder / _BESIDE)
    except OSError as error:
        raise AnalysisError(f"{folder}: the head could not be kept ({error})") from error


def is_lesson(folder: Path) -> bool:
    """Whether `save_lesson` wrote there; else it may be a head that was taught elsewhere."""
    from glue_zoobot.analysis.heads import CONFIG

    return (folder / _BESIDE).is_file() or not (folder / CONFIG).is_file()


def load_lesson(folder: Path, rows: Mapping[str, int]) -> tuple[Lesson, list[tuple[int, Figure]]]:
    """
    Read what `save_lesson` wrote.

    Parameters
    ----------
    folder : Path
    rows : mapping
        Row of the dataset by object id.

    Returns
    -------
    Lesson
        ``labelled.rows`` are rows of the dataset, -1 for galaxies that it lacks.
    list of (int, Figure)
        Figure of merit by number of labels.

    Raises
    ------
    AnalysisError
        If it is not there, or damaged.
    """
    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.teaching import Labelled, Lesson

    head = Head.load(folder)
    try:
        facts = json.loads((folder / _BESIDE).read_text(encoding="utf-8"))
        where = np.array([rows.get(name, -1) for name in facts["object_ids"]], dtype=np.int64)
        values = np.array(facts["values"], dtype=np.float64 if facts["kind"] == "number" else str)
        figures = [_figure(entry) for entry in facts["figures"]]
        curve = [(int(n), _figure(entry)) for n, *entry in facts["curve"]]
        if not len(where) == len(values) == len(head.estimator.out_of_fold_):
            raise ValueError("labels and predictions differ in number")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"{folder} is damaged ({type(error).__name__}: {error}); train again") from error
    return Lesson(head, Labelled(where, values, facts["kind"], ()), figures), curve


def _as_list(figure: Figure) -> list[Any]:
    numbers = (figure.value, figure.low, figure.high)
    return [figure.name, *(float(x) if np.isfinite(x) else None for x in numbers)]


def _figure(entry: list[Any]) -> Figure:
    from glue_zoobot.analysis.merit import Figure

    name, *numbers = entry
    return Figure(name, *(np.nan if x is None else float(x) for x in numbers))
