"""Whether the labelled galaxies are clearer cases than the others: then figures measured on them flatter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.catalog.teaching.lesson import probability_columns

if TYPE_CHECKING:
    from glue_zoobot.analysis.teaching import Lesson

__all__ = ["Clearer", "clearer_of"]

_SURE = 0.8
# With 60 to 500 labels drawn at random it was at most 0.16 (four catalogues, six draws each), with labels
# from both ends of a map 0.28 to 0.91; with fewer random labels it is this large if they miss whole classes.
_MUCH = 0.25
_FEWEST = 8  # galaxies on either side, of fewer of which a share says little


@dataclass(frozen=True)
class Clearer:
    """
    Shares of galaxies of which a head is not sure.

    Attributes
    ----------
    undecided, unlike : float
        Of the galaxies without a label: those whose most probable class has less than 0.8, and those that are
        unlike anything labelled.
    either : float
        Of these, those of one kind or the other.
    labelled : float
        Of the labelled ones, each held out, those whose most probable class has less than 0.8.
    """

    undecided: float
    unlike: float
    either: float
    labelled: float

    @property
    def flatters(self) -> bool:
        """Whether so many more are unclear that figures of the labelled ones say little of the others."""
        return self.either - self.labelled >= _MUCH

    @property
    def remedy(self) -> str:
        """What to label next: uncertain or unlike."""
        return "unlike" if self.unlike > self.undecided else "uncertain"

    def text(self) -> str:
        """Say it in a sentence."""
        others, labelled = (f"{100 * share:.0f}\u00a0%" for share in (self.either, self.labelled))
        return (
            f"They flatter: {others} of the galaxies without a label are undecided or unlike anything "
            f"labelled, but {labelled} of the labelled ones."
        )


def clearer_of(lesson: Lesson, rows: np.ndarray, columns: Mapping[str, np.ndarray]) -> Clearer | None:
    """
    Compare what is said of the labelled galaxies, each held out, with what is said of the others.

    Held-out galaxies tell how good a head is on galaxies like those that were labelled. That it is much less
    sure of the others means that they are not like these (Guillory et al. 2021, `arXiv:2107.03315`).

    Parameters
    ----------
    lesson : Lesson
    rows : np.ndarray
        Shape (n,): labelled rows of the dataset; -1 for a galaxy that it lacks.
    columns : mapping of str to np.ndarray
        Predictions by label, each (N,).

    Returns
    -------
    Clearer or None
        None for a number, or of too few galaxies.
    """
    labels = list(probability_columns(lesson.head).values())
    if lesson.labelled.kind == "number" or not {*labels, f"{lesson.head.target}_unlike"} <= set(columns):
        return None
    held_out = lesson.head.estimator.out_of_fold_
    held_out = held_out[np.isfinite(held_out).all(axis=1)]
    best = _most_probable([columns[label] for label in labels])
    others = np.isfinite(best)
    others[rows[rows >= 0]] = False
    if min(len(held_out), int(others.sum())) < _FEWEST:
        return None
    undecided = best[others] < _SURE
    unlike = np.nan_to_num(columns[f"{lesson.head.target}_unlike"][others]) > 0
    return Clearer(
        float(undecided.mean()),
        float(unlike.mean()),
        float((undecided | unlike).mean()),
        float((held_out.max(axis=1) < _SURE).mean()),
    )


def _most_probable(columns: list[np.ndarray]) -> np.ndarray:
    """Probability of the most probable class, (N,); of yes and no only yes is given."""
    if len(columns) == 1:
        return np.maximum(columns[0], 1 - columns[0])
    return reduce(np.maximum, columns)
