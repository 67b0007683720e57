"""From ratings of object ids to ratings of rows, whatever file they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glue_zoobot.analysis.labels import INTERESTING, LabelLog
from glue_zoobot.analysis.labels_exchange import import_ratings
from glue_zoobot.errors import AnalysisError

__all__ = ["RatedRows", "read_ratings", "rows_of"]


@dataclass(frozen=True)
class RatedRows:
    """
    Ratings of the galaxies that have an embedding.

    Attributes
    ----------
    rows : np.ndarray
        Shape (n,), int64.
    values : np.ndarray
        Shape (n,), float64, 0 to 5.
    unknown : tuple of str
        Rated ids without an embedding; their ratings are kept in the log and not used.
    """

    rows: np.ndarray
    values: np.ndarray
    unknown: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """Counts for the metadata of a table."""
        return {
            "ratings": str(len(self.rows)),
            "ratings_interesting": str(int((self.values >= INTERESTING).sum())),
            "ratings_of_unknown_ids": str(len(self.unknown)),
        }


def read_ratings(path: str | Path) -> dict[str, int]:
    """
    Read the ratings that stand, from a log or a CSV file.

    Parameters
    ----------
    path : str or Path
        ``.csv``: as `import_ratings`; anything else is a log.

    Returns
    -------
    dict
        Rating, 0 to 5, by object id.

    Raises
    ------
    AnalysisError
        If there is no such file, or it holds no ratings.
    """
    path = Path(path)
    if not path.exists():
        raise AnalysisError(f"{path}: there is no such file of ratings")
    if path.is_dir():
        raise AnalysisError(f"{path} is a folder; give the log of ratings, or a .csv")
    if path.suffix.lower() == ".csv":
        return {entry.object_id: entry.value for entry in import_ratings(path) if entry.value is not None}
    return LabelLog(path).current()


def rows_of(object_ids: np.ndarray, ratings: Mapping[str, int]) -> RatedRows:
    """
    Find the rows of rated galaxies.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (N,), str.
    ratings : mapping of str to int

    Returns
    -------
    RatedRows

    Raises
    ------
    AnalysisError
        If not one rated galaxy is among them.
    """
    where = {str(name): row for row, name in enumerate(object_ids)}
    known = [name for name in ratings if name in where]
    if ratings and not known:
        ours = object_ids[0] if len(object_ids) else "none"
        raise AnalysisError(
            f"none of the {len(ratings):,} rated galaxies ({next(iter(ratings))} …) is among the "
            f"{len(object_ids):,} embedded ones ({ours} …); are these ratings of "
            "another catalogue?"
        )
    return RatedRows(
        np.array([where[name] for name in known], dtype=np.int64),
        np.array([ratings[name] for name in known], dtype=np.float64),
        tuple(name for name in ratings if name not in where),
    )
