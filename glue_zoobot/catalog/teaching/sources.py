"""Where labels come from besides keys: subsets and columns; and which columns would give the answer away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.component import CategoricalComponent, DateTimeComponent

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import ComponentID, Data, Subset

__all__ = [
    "MOST",
    "columns_of_file",
    "input_columns",
    "input_values",
    "labels_of_column",
    "sampled",
    "target_columns",
    "yes_or_no",
]

MOST = 20_000
"""Labels taken from one subset or column; more make no better head, and a slower one."""

MANY_CLASSES = 50  # as fine-tuning counts
_MISSING = ("", "nan", "none", "null", "--", "masked", "n/a")


def columns_of_file(path: str | Path) -> list[str]:
    """
    Columns of a table of labels without that of the ids, or targets of a log.

    Raises
    ------
    AnalysisError, CatalogueError
        If it is neither.
    """
    from glue_zoobot.analysis.labels import LabelLog
    from glue_zoobot.images.identity import ID_NAMES, normalise
    from glue_zoobot.images.tables import read_table

    if Path(path).suffix.lower() == ".jsonl":
        return LabelLog(path).targets()
    return [name for name in read_table(Path(path)).colnames if normalise(name) not in ID_NAMES]


def sampled(rows: np.ndarray, most: int = MOST, random_state: int = 0) -> np.ndarray:
    """Return `rows` (n,), or `most` of them drawn at random, ascending."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(random_state).choice(rows, most, replace=False))


def target_columns(data: Data) -> list[ComponentID]:
    """
    Columns that may hold labels: classes or numbers; neither ids nor what we computed.

    Columns of more words than there may be classes are among them: `labels_of_column` says why not these.
    """
    return [cid for cid in _users_columns(data) if _is_quantity(data, cid) or _is_class(data, cid)]


def input_columns(data: Data) -> list[ComponentID]:
    """Columns that may be learned from beside the image: numbers of the user's."""
    return [cid for cid in _users_columns(data) if _is_quantity(data, cid)]


def labels_of_column(data: Data, cid: ComponentID, within: Subset | None = None) -> dict[int, Any]:
    """
    Read the labels in a column, by row, of all rows or of a subset; rows without a value have none.

    Raises
    ------
    AnalysisError
        If the column is empty there, or has so many different words that they cannot be classes.
    """
    component = data.get_component(cid)
    if isinstance(component, CategoricalComponent):
        n = len(_words(component))
        if n > MANY_CLASSES:
            raise AnalysisError(
                f"the column {cid.label} of {data.label} has {n:,} different words, and there can be at most "
                f"{MANY_CLASSES} classes: choose another column"
            )
        words = np.asarray(component.labels)
        known = np.flatnonzero([str(word).strip().lower() not in _MISSING for word in words])
    else:
        words = np.asarray(data[cid])
        known = np.flatnonzero(np.isfinite(words))
    if not known.size:
        raise AnalysisError(
            f"the column {cid.label} of {data.label} has no value for any of its "
            f"{counted(data.size, 'galaxy')}; choose another column"
        )
    if within is not None:
        known = known[within.to_mask()[known]]
        if not known.size:
            raise AnalysisError(
                f"no galaxy of the subset {within.label} has a value in {cid.label}; choose another"
            )
    return {int(row): words[row].item() for row in known}


def yes_or_no(labels: Mapping[int, Any], yes_from: float, no_to: float) -> dict[int, str]:
    """
    Make clear cases of vote fractions, or of any number; what lies between is no label.

    Parameters
    ----------
    labels : mapping
        Number by row.
    yes_from, no_to : float
        From here on *yes*, and up to here *no*.

    Raises
    ------
    AnalysisError
        If they overlap, or no galaxy is either.
    """
    if no_to >= yes_from:
        raise AnalysisError(f"no up to {no_to:g} and yes from {yes_from:g} on overlap: choose no below yes")
    clear = {row: "yes" if value >= yes_from else "no" for row, value in labels.items()}
    clear = {row: word for row, word in clear.items() if word == "yes" or labels[row] <= no_to}
    if not clear:
        raise AnalysisError(
            f"no galaxy has a value from {yes_from:g} on or up to {no_to:g}: choose other limits"
        )
    return clear


def input_values(data: Data, labels: tuple[str, ...]) -> np.ndarray:
    """
    Read columns that are learned from, (N, K) float32.

    Raises
    ------
    AnalysisError
        If one is gone.
    """
    known = {cid.label: cid for cid in input_columns(data)}
    gone = [label for label in labels if label not in known]
    if gone:
        raise AnalysisError(f"{data.label} has no column {gone[0]!r} (any more); choose the columns again")
    return np.column_stack([np.asarray(data[known[label]], dtype=np.float32) for label in labels])


def _users_columns(data: Data) -> list[ComponentID]:
    ours = {cid.uuid for cid in our_columns(data).values()}
    return [cid for cid in (*data.main_components, *data.derived_components) if cid.uuid not in ours]


def _is_quantity(data: Data, cid: ComponentID) -> bool:
    """Tell whether a column is numbers, and not ids."""
    component = data.get_component(cid)
    if isinstance(component, (CategoricalComponent, DateTimeComponent)):
        return False
    values = np.asarray(data[cid])
    if values.dtype.kind in "iu":
        return not (np.abs(values).max(initial=0) > 10**9 and len(np.unique(values)) > 0.5 * len(values))
    return values.dtype.kind == "f"


def _is_class(data: Data, cid: ComponentID) -> bool:
    """Tell whether a column is words, and not a name for each galaxy."""
    component = data.get_component(cid)
    if not isinstance(component, CategoricalComponent):
        return False
    return 2 <= len(component.categories) <= max(MANY_CLASSES, data.size / 2)


def _words(component: CategoricalComponent) -> list[str]:
    """Different words in a column, without those that stand for none."""
    return [str(word) for word in component.categories if str(word).strip().lower() not in _MISSING]
