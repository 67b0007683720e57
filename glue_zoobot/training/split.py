"""Labelled galaxies to train on, and those held out to stop in time and to measure by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glue_zoobot.analysis.redshift import is_redshift, usable
from glue_zoobot.analysis.teaching import labelled_rows
from glue_zoobot.encoders.mini import held_out
from glue_zoobot.errors import AnalysisError
from glue_zoobot.images import Catalogue

__all__ = ["Split", "split_labels"]

FEWEST_HELD = 5  # fewer tell nothing about when to stop


@dataclass(frozen=True)
class Split:
    """
    Labelled galaxies, by a hash of their ids.

    Attributes
    ----------
    kind : {"classes", "number"}
    train, held : np.ndarray
        Rows of the catalogue, int64.
    train_values, held_values : np.ndarray
        Text or float64.
    redshift : bool
        Whether the number is one.
    """

    kind: str
    train: np.ndarray
    train_values: np.ndarray
    held: np.ndarray
    held_values: np.ndarray
    redshift: bool = False

    def among(self, rows: np.ndarray) -> Split:
        """Keep the galaxies whose picture is whole, and of those held out the ones of classes to learn."""
        train, held = np.isin(self.train, rows), np.isin(self.held, rows)
        if self.kind == "classes":
            held &= np.isin(self.held_values, self.train_values[train])
        return replace(
            self,
            train=self.train[train],
            train_values=self.train_values[train],
            held=self.held[held],
            held_values=self.held_values[held],
        )

    def with_held(self) -> Split:
        """Give the split with all galaxies to train on, and none held out."""
        rows, values = np.append(self.train, self.held), np.append(self.train_values, self.held_values)
        return replace(self, train=rows, train_values=values, held=rows[:0], held_values=values[:0])

    @property
    def classes(self) -> np.ndarray:
        """Names of the classes to learn, sorted; of a number none."""
        return np.unique(self.train_values) if self.kind == "classes" else np.array([])

    def targets(self, values: np.ndarray) -> np.ndarray:
        """Give values as the network learns them: codes of classes, int64, or standard numbers, float32."""
        if self.kind == "number":
            return ((values - self.train_values.mean()) / self.train_values.std()).astype(np.float32)
        return np.searchsorted(self.classes, values).astype(np.int64)

    def weights(self) -> np.ndarray:
        """Probability of drawing each galaxy to train on: every class as often as every other."""
        if self.kind == "number":
            return np.full(len(self.train), 1 / len(self.train))
        _, codes, counts = np.unique(self.train_values, return_inverse=True, return_counts=True)
        return 1 / (counts[codes] * len(counts))

    def require_enough(self) -> None:
        """
        Make sure that there is something to learn.

        Raises
        ------
        AnalysisError
        """
        if self.kind == "classes" and len(self.classes) < 2:
            names = ", ".join(self.classes) or "none"
            raise AnalysisError(
                f"galaxies to train on are of one class only ({names}); give labels of at least two classes"
            )
        if self.kind == "number" and (len(self.train) < 10 or np.ptp(self.train_values) == 0):
            raise AnalysisError(
                f"{len(self.train)} galaxies with {len(np.unique(self.train_values))} different values are "
                "too few to learn a quantity; give at least 10"
            )


def split_labels(
    catalogue: Catalogue, labels: Mapping[str, Any], kind: str | None = None, target: str = ""
) -> Split:
    """
    Hold one labelled galaxy in five out, by a hash of its id; none if that would be fewer than five.

    A class of which all galaxies would be held out is learnt from them instead.

    Parameters
    ----------
    catalogue : Catalogue
    labels : mapping
        Label by object id.
    kind : {"classes", "number", "redshift"}, optional
        By default as the labels look.
    target : str
        Its name, by which a redshift is known.

    Raises
    ------
    AnalysisError
        If the labels are of other galaxies, or there is nothing to learn from them.
    """
    object_ids = catalogue.source.object_ids.copy()
    object_ids[[row for rows in catalogue.duplicates.values() for row in rows]] = ""  # the first row counts
    labelled = labelled_rows(object_ids, labels, kind)
    rows, values = labelled.rows, labelled.values
    redshift = kind == "redshift"
    if labelled.kind == "number":
        redshift = redshift or (kind is None and is_redshift(target, values))
        known = usable(values) if redshift else np.isfinite(values)
        rows, values = rows[known], values[known]
    aside = np.array([held_out(str(name)) for name in object_ids[rows]], dtype=bool)
    if aside.sum() < FEWEST_HELD:
        aside[:] = False
    if len(aside) and aside.all():
        raise AnalysisError(
            f"all {len(aside)} labelled galaxies are among the fifth that is held out to measure by, which "
            "the hash of an id decides; label some more"
        )
    if labelled.kind == "classes":
        aside &= np.isin(values, values[~aside])
    split = Split(labelled.kind, rows[~aside], values[~aside], rows[aside], values[aside], redshift)
    split.require_enough()
    return split
