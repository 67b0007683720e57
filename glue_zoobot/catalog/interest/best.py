"""A ranking in glue: three columns, the group that shows the best, and copies of that which stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.catalog.columns import free_number, our_columns, provenance_of, write_columns
from glue_zoobot.catalog.groups import active_subset_kept, best_ranked, find_result_group, show_best_ranked
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.catalog.interest.ranking import Ranking

__all__ = ["GROUP_LABEL", "RANK", "RATING", "SCORE", "best_group", "keep_best", "show_best", "write_ranking"]

GROUP_LABEL = "Most interesting"
SCORE, RANK, RATING = "interest_score", "interest_rank", "interest_rating"
GROUP_COLOUR = "#e5812b"


def write_ranking(
    data: Data, ranking: Ranking, ratings: Mapping[int, int], provenance: Mapping[str, Any]
) -> None:
    """
    Write score, rank and rating of every row; all unknown once every rating was taken back.

    Parameters
    ----------
    data : Data
        N rows.
    ranking : Ranking
    ratings : mapping of int to int
        By row.
    provenance : mapping
        How the ranking was made, in plain values.
    """
    unknown = np.full(data.size, np.nan, dtype=np.float32)
    rating = unknown.copy()
    rating[list(ratings)] = list(ratings.values())
    score = unknown if ranking.scores is None else ranking.scores
    rank = unknown if ranking.ranks is None else ranking.ranks
    write_columns(data, {SCORE: score, RANK: rank, RATING: rating}, provenance)


def best_group(collection: DataCollection) -> SubsetGroup | None:
    """Find the group that shows the best of any dataset; None if there is none, or the user changed it."""
    columns = [our_columns(data) for data in collection if hasattr(data, "meta")]
    return find_result_group(collection, [known[RANK] for known in columns if RANK in known], GROUP_LABEL)


def show_best(collection: DataCollection, data: Data, count: int, mode: EditSubsetMode | None) -> None:
    """Let our group, or a new one, select the best `count` of a ranked dataset."""
    before = best_group(collection)
    group = show_best_ranked(collection, before, our_columns(data)[RANK], count, GROUP_LABEL, mode)
    if before is None:
        group.style.color = GROUP_COLOUR


def keep_best(
    collection: DataCollection, data: Data | None, count: int, label: str | None, mode: EditSubsetMode | None
) -> SubsetGroup:
    """
    Freeze the best `count` into a column and group of their own.

    Parameters
    ----------
    collection : DataCollection
    data : Data or None
        What is being ranked.
    count : int
    label : str or None
        Of the group; None for how many there are.
    mode : EditSubsetMode or None
        Of the window, whose active subset stays the active one.

    Raises
    ------
    AnalysisError
        If nothing is ranked yet.
    """
    if data is None or RANK not in our_columns(data):
        raise AnalysisError("nothing is ranked yet; rate a few galaxies first")
    rank = np.array(data[our_columns(data)[RANK]])
    rank[~((rank >= 1) & (rank <= count))] = np.nan
    name = f"{RANK}_{free_number(data, RANK + '_{}', start=2)}"
    column = write_columns(data, {name: rank}, provenance_of(data, RANK))[name]
    kept = int(np.isfinite(rank).sum())
    with active_subset_kept(mode):
        return collection.new_subset_group(label or f"{kept:,} most interesting", best_ranked(column, kept))
