"""What is to be expected of a selection by probability, where labels were no fair sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.shares import class_shares, corrected

if TYPE_CHECKING:
    from glue_zoobot.analysis.heads import Head

__all__ = ["Chances", "Expected", "chances_of", "class_shares", "corrected"]

_EDGES = (np.arange(1001) / 1000).astype(np.float32)  # of thresholds, compared as glue compares the column


@dataclass(frozen=True)
class Expected:
    """
    What a threshold selects, and what is to be expected of it.

    Attributes
    ----------
    n : int
        Galaxies.
    purity, completeness : float
        NaN where nothing is selected, or nothing is to be expected at all.
    unlike : int
        Galaxies among them that are unlike anything labelled, of which no probability is sure.
    """

    n: int
    purity: float
    completeness: float
    unlike: int = 0


class Chances:
    """
    Probabilities of one class over the catalogue, counted once, so that a slider costs nothing.

    Parameters
    ----------
    probabilities : np.ndarray
        Shape (N,): what is cut on; NaN where there is none.
    expected : np.ndarray
        Shape (N,): the same, `corrected` for the shares of the classes.
    unlike : np.ndarray
        Shape (N,): not 0 where a galaxy is unlike anything labelled.
    labelled_share : float
        Share of the class among the labels.

    Attributes
    ----------
    share, labelled_share : float
        Of the class in the catalogue, as it seems, and among the labels.
    """

    def __init__(
        self, probabilities: np.ndarray, expected: np.ndarray, unlike: np.ndarray, labelled_share: float
    ) -> None:
        known = np.flatnonzero(np.isfinite(probabilities))
        place = np.searchsorted(_EDGES, np.asarray(probabilities, dtype=np.float32)[known], side="right") - 1
        self._counts = _from_the_top(place)
        self._sums = _from_the_top(place, expected[known])
        self._unlike = _from_the_top(place, np.nan_to_num(np.asarray(unlike)[known]) > 0)
        self.share = float(self._sums[0] / len(known)) if len(known) else np.nan
        self.labelled_share = float(labelled_share)

    def expect(self, threshold: float) -> Expected:
        """
        Say what is at or above a threshold, to three decimals.

        Purity is the mean probability of what is selected, completeness its share of the sum over all.
        """
        k = round(min(max(threshold, 0.0), 1.0) * (len(_EDGES) - 1))
        n, within, total = int(self._counts[k]), float(self._sums[k]), float(self._sums[0])
        purity, completeness = within / n if n else np.nan, within / total if total else np.nan
        return Expected(n, purity, completeness, int(self._unlike[k]))


def _from_the_top(place: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Sum over all at or above each edge, (E,)."""
    return np.bincount(place, weights, minlength=len(_EDGES))[::-1].cumsum()[::-1]


def chances_of(head: Head, columns: Mapping[str, np.ndarray], unlike: np.ndarray) -> dict[str, Chances]:
    """
    Count the probabilities of each class and correct what is to be expected of them.

    Parameters
    ----------
    head : Head
    columns : mapping of str to np.ndarray
        Probabilities (N,) by class; of yes and no only those of yes.
    unlike : np.ndarray
        Shape (N,).
    """
    names = [str(name) for name in getattr(head.estimator, "classes_", ())]
    if not columns:
        return {}
    held_out = head.estimator.out_of_fold_
    known = held_out[np.isfinite(held_out).all(axis=1)]
    labelled = known.mean(axis=0) if len(known) else np.full(len(names), np.nan)  # of two or three labels
    given = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    if len(given) == 1:
        only = next(iter(given))
        given = {name: given[only] if name == only else 1 - given[only] for name in names}
    whole = corrected(np.column_stack([given[name] for name in names]), labelled)
    place = {name: k for k, name in enumerate(names)}
    return {
        name: Chances(values, whole[:, place[name]], unlike, labelled[place[name]])
        for name, values in columns.items()
    }
