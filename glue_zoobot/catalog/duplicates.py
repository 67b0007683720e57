"""Duplicates of a catalogue as columns, and as groups that open in a glue without this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from glue.core.subset import CategorySubsetState

from glue_zoobot.analysis.duplicates import KINDS, Duplicates, find_duplicates
from glue_zoobot.catalog.columns import write_columns
from glue_zoobot.catalog.embeddings import embeddings_of
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

__all__ = ["GROUP", "KIND", "DuplicatesQuestion", "show_duplicates"]

KIND, GROUP = "duplicate_kind", "duplicate_group"
_NO_SKY = "no right ascension and declination: only pictures were compared"


@dataclass(frozen=True)
class DuplicatesQuestion:
    """
    What a search for duplicates compares.

    Parameters
    ----------
    data : Data
    sky : (ComponentID, ComponentID), optional
        Right ascension and declination in degrees.
    radius : float
        Arcseconds up to which two places are the same source.
    stamp : float
        Edge of a cutout in arcseconds; 0 if not known, and then no cutouts overlap.
    """

    data: Data
    sky: tuple[ComponentID, ComponentID] | None = None
    radius: float = 1.0
    stamp: float = 0.0

    def answer(self) -> Duplicates:
        """
        Search; takes seconds to minutes for a large catalogue, so not for a GUI thread.

        Raises
        ------
        AnalysisError
            If there are neither embeddings nor places.
        """
        embeddings = embeddings_of(self.data)
        rows, matrix = np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.float32)
        if embeddings is not None:
            rows, matrix = embeddings.rows, embeddings.matrix
        ra = dec = None
        if self.sky is not None:
            ra, dec = (np.asarray(self.data[cid], dtype=np.float64) for cid in self.sky)
        return find_duplicates(self.data.size, rows, matrix, ra, dec, self.radius, self.stamp)


def show_duplicates(
    collection: DataCollection,
    question: DuplicatesQuestion,
    found: Duplicates,
    mode: EditSubsetMode | None = None,
) -> str:
    """
    Write ``duplicate_kind`` and ``duplicate_group``, and a group for each kind that was found.

    Parameters
    ----------
    collection : DataCollection
    question : DuplicatesQuestion
    found : Duplicates
        Its answer.
    mode : EditSubsetMode, optional
        Of the window, whose active subset stays the active one.

    Returns
    -------
    str
        What was found, in one sentence.

    Raises
    ------
    AnalysisError
        If the dataset is no longer in this session.
    """
    data = question.data
    if data not in collection:
        raise AnalysisError(f"{data.label} is not in this session any more; add it again")
    made = {
        "method": "duplicates",
        "sky": None if question.sky is None else [cid.label for cid in question.sky],
        "radius_arcsec": question.radius,
        "stamp_arcsec": question.stamp,
        "picture_distance": found.picture_distance,
    }
    kind = write_columns(data, {KIND: found.kinds, GROUP: found.groups}, made)[KIND]
    counts = {name: int((found.kinds == name).sum()) for name in KINDS}
    with active_subset_kept(mode):
        for name in (name for name, count in counts.items() if count):
            _show_group(collection, data, kind, name)
    return _sentence(counts, question)


def _show_group(collection: DataCollection, data: Data, kind: ComponentID, name: str) -> SubsetGroup:
    """Return the group of one kind; it is a cut on the column, and so follows when that is written again."""
    code = list(data.get_component(kind).categories).index(name)
    for group in collection.subset_groups:
        state = group.subset_state
        if (
            type(state) is CategorySubsetState
            and state.att is kind
            and np.array_equal(state.categories, [code])
        ):
            return group
    return collection.new_subset_group(name.capitalize(), CategorySubsetState(kind, [code]))


def _sentence(counts: dict[str, int], question: DuplicatesQuestion) -> str:
    told = [f"{count:,} with {name}" for name, count in counts.items() if count]
    told = [text.replace("with same source", "of the same source as another") for text in told]
    text = f"{question.data.label}: {', '.join(told)}" if told else f"{question.data.label}: no duplicates"
    return f"{text} ({_NO_SKY})" if question.sky is None else text
