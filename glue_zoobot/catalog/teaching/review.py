"""What a head says of the galaxies it was taught with, each held out: confusion and mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from glue_zoobot.analysis.merit import Reliability
    from glue_zoobot.analysis.teaching import Lesson

__all__ = ["Confusion", "Mistake", "confusion_of", "mistakes_of", "reliability_of"]


@dataclass(frozen=True)
class Confusion:
    """
    Which galaxies of which class were called what.

    Attributes
    ----------
    names : tuple of str
        Classes.
    cells : tuple of tuple of np.ndarray
        ``cells[i][j]``: rows labelled ``names[i]`` and called ``names[j]`` by models not shown them.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[np.ndarray, ...], ...]

    @property
    def counts(self) -> np.ndarray:
        """Shape (C, C), int."""
        return np.array([[len(rows) for rows in line] for line in self.cells])


@dataclass(frozen=True)
class Mistake:
    """
    A labelled galaxy that was held out and called something else.

    Attributes
    ----------
    row : int
    label, said : str or float
        What the user and the head say.
    confidence : float
        Probability of what the head says; of a number the error in units of the typical one.
    """

    row: int
    label: str | float
    said: str | float
    confidence: float

    def text(self) -> str:
        """Say it in a line."""
        if isinstance(self.label, str):
            return f"you: {self.label}, predicted: {self.said} ({self.confidence:.0%})"
        return f"value {self.label:.4g}, predicted {self.said:.4g} ({self.confidence:.1f} × the usual error)"


def confusion_of(lesson: Lesson, rows: np.ndarray) -> Confusion | None:
    """Give the confusion matrix of held-out predictions; None for a number. `rows` (n,) of the dataset."""
    if lesson.labelled.kind == "number":
        return None
    names, labels, said, known = _called(lesson)
    known &= rows >= 0
    cells = tuple(
        tuple(rows[known & (labels == i) & (said == j)] for j in range(len(names))) for i in range(len(names))
    )
    return Confusion(tuple(names), cells)


def mistakes_of(lesson: Lesson, rows: np.ndarray, n: int = 60) -> list[Mistake]:
    """
    Give the most confident mistakes, most confident first; of a number the largest errors.

    Parameters
    ----------
    lesson : Lesson
    rows : np.ndarray
        Shape (n,): labelled rows of the dataset; -1 for a galaxy that it lacks.
    n : int
        How many at most.
    """
    if lesson.labelled.kind == "number":
        return _largest_errors(lesson, rows, n)
    names, labels, said, known = _called(lesson)
    confidence = np.nan_to_num(lesson.head.estimator.out_of_fold_).max(axis=1)
    wrong = np.flatnonzero(known & (labels != said) & (rows >= 0))
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:n]
    return [Mistake(int(rows[i]), names[labels[i]], names[said[i]], float(confidence[i])) for i in order]


def reliability_of(lesson: Lesson) -> Reliability | None:
    """Compare stated and observed probability of the most probable class, held out; None for a number."""
    if lesson.labelled.kind == "number":
        return None
    from glue_zoobot.analysis.merit import reliability

    _, labels, said, known = _called(lesson)
    stated = lesson.head.estimator.out_of_fold_[known].max(axis=1)
    return reliability(stated, (labels == said)[known]) if known.any() else None


def _called(lesson: Lesson) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Names of classes; code of each label; code of what was said; whether anything was said."""
    estimator = lesson.head.estimator
    known = np.isfinite(estimator.out_of_fold_).all(axis=1)
    said = np.nan_to_num(estimator.out_of_fold_).argmax(axis=1)
    labels = np.searchsorted(estimator.classes_, lesson.labelled.values)
    return [str(name) for name in estimator.classes_], labels, said, known


def _largest_errors(lesson: Lesson, rows: np.ndarray, n: int) -> list[Mistake]:
    values, said = lesson.labelled.values, lesson.head.estimator.out_of_fold_
    error = np.abs(said - values)
    typical = float(np.median(error)) or np.nan
    order = [i for i in np.argsort(-error, kind="stable") if rows[i] >= 0][:n]
    return [Mistake(int(rows[i]), float(values[i]), float(said[i]), float(error[i] / typical)) for i in order]
