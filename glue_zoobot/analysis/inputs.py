"""Columns of a catalogue that are learned from beside the embedding: magnitudes, colours, sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.merit import area_under_curve
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["INPUTS", "beside", "inputs_of", "leak", "leaks", "read_inputs"]

INPUTS = "inputs"  # key of a head's provenance: names of the columns, as JSON, in their order
FEWEST = 10  # galaxies, below which a column cannot be told to give the answer away
FEWEST_OF_CLASS = 3
GIVES_AWAY = 0.98  # rank correlation or area under the curve, which no honest measurement has


def inputs_of(provenance: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the columns that a head reads after the embedding; mostly none."""
    return tuple(json.loads(provenance.get(INPUTS, "[]")))


def read_inputs(path: str | Path, names: Sequence[str], object_ids: np.ndarray) -> np.ndarray:
    """
    Read columns of a table for some galaxies.

    Parameters
    ----------
    path : str or Path
        A table with the id in one of the usual columns.
    names : sequence of str
        Columns; ``a-b`` is the difference of two, such as a colour of two magnitudes.
    object_ids : np.ndarray
        Shape (N,), str.

    Returns
    -------
    np.ndarray
        Shape (N, K), float32; NaN where a galaxy is not in the table, or has no value.

    Raises
    ------
    AnalysisError
        If columns are missing or hold no numbers, or the table is of other galaxies.
    """
    from glue_zoobot.images.identity import identify
    from glue_zoobot.images.tables import read_table

    table = read_table(Path(path))
    missing = [name for name in names if not _parts(table, name)]
    if missing:
        raise AnalysisError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(table.colnames[:40])}. The same "
            "columns are needed as were learned from"
        )
    values = np.column_stack([_values(table, name, path) for name in names])
    row_of = {str(name): row for row, name in reversed(list(enumerate(identify(table).object_ids)))}
    rows = np.array([row_of.get(str(name), -1) for name in object_ids])
    if not (rows >= 0).any():
        raise AnalysisError(
            f"none of the {len(rows):,} galaxies ({object_ids[0]} …) is in {path} "
            f"({next(iter(row_of), '')} …); is it the table of another catalogue?"
        )
    return np.where((rows >= 0)[:, None], values[rows], np.nan).astype(np.float32)


def beside(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Put columns (N, K) after embeddings (N, D): (N, D + K), NaN wherever a galaxy lacks a value."""
    whole = np.isfinite(values).all(axis=1)
    return np.hstack([matrix, np.where(whole[:, None], values, np.nan).astype(matrix.dtype)])


def leaks(names: Sequence[str], values: np.ndarray, labels: np.ndarray, kind: str) -> list[str]:
    """
    Say which columns alone tell the labels, as they may hold the answer; see `leak`.

    Parameters
    ----------
    names : sequence of str
    values : np.ndarray
        Shape (n, K): the columns, of labelled galaxies.
    labels : np.ndarray
        Shape (n,).
    kind : {"classes", "number"}
    """
    said = [leak(name, column, labels, kind) for name, column in zip(names, values.T, strict=True)]
    return [text for text in said if text]


def leak(name: str, values: np.ndarray, labels: np.ndarray, kind: str) -> str:
    """
    Say that a column alone tells the labels, if it does; else empty.

    Parameters
    ----------
    name : str
        Of the column.
    values : np.ndarray
        Shape (n,): the column, of labelled galaxies.
    labels : np.ndarray
        Shape (n,), as `~glue_zoobot.analysis.teaching.labelled_rows` gives them.
    kind : {"classes", "number"}
    """
    known = np.isfinite(values)
    values, labels = values[known], labels[known]
    if len(values) < FEWEST or len(np.unique(values)) < 2 or len(np.unique(labels)) < 2:
        return ""
    how = _correlation(values, labels) if kind == "number" else _best_area(values, labels)
    if how < GIVES_AWAY:
        return ""
    return f"{name} alone tells the labels almost perfectly ({how:.2f} of 1): it may hold the answer"


def _correlation(values: np.ndarray, labels: np.ndarray) -> float:
    from scipy.stats import rankdata

    return float(abs(np.corrcoef(rankdata(values), rankdata(labels))[0, 1]))


def _best_area(values: np.ndarray, labels: np.ndarray) -> float:
    """Area under the curve by which a column tells the class that it tells best."""
    classes = [labels == name for name in np.unique(labels)]
    told_apart = [one for one in classes if min(one.sum(), (~one).sum()) >= FEWEST_OF_CLASS]
    areas = [area_under_curve(values, one) for one in told_apart]
    return max((max(area, 1 - area) for area in areas), default=0.0)


def _parts(table: Table, name: str) -> list[str]:
    """Columns that a name stands for: itself, or the two of a difference; none if they are not there."""
    if name in table.colnames:
        return [name]
    for place, letter in enumerate(name):
        pair = [name[:place].strip(), name[place + 1 :].strip()]
        if letter == "-" and all(part in table.colnames for part in pair):
            return pair
    return []


def _values(table: Table, name: str, path: str | Path) -> np.ndarray:
    numbers = []
    for part in _parts(table, name):
        column = table[part]
        try:
            numbers.append(np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan))
        except (ValueError, TypeError) as error:
            raise AnalysisError(f"{path}: the column {part} does not hold numbers ({error})") from error
    return numbers[0] if len(numbers) == 1 else numbers[0] - numbers[1]
