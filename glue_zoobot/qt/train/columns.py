"""Columns of a dataset that an encoder can learn beside, or be watched by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core.component import CategoricalComponent

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["class_columns", "fraction_columns"]

_MOST_CLASSES = 50  # as the training counts


def class_columns(data: Data) -> list[str]:
    """Labels of the catalogue's own columns of 2 to 50 words."""
    found = []
    for cid in _own(data):
        component = data.get_component(cid)
        if isinstance(component, CategoricalComponent):
            names = {str(name).strip() for name in component.categories} - {"", "nan", "--"}
            if 2 <= len(names) <= _MOST_CLASSES and not _is_identity(names, data.size):
                found.append(cid.label)
    return found


def fraction_columns(data: Data) -> list[str]:
    """Labels of the catalogue's own columns of numbers from 0 to 1, such as shares of votes."""
    found = []
    for cid in _own(data):
        component = data.get_component(cid)
        if component.numeric and not isinstance(component, CategoricalComponent):
            values = np.asarray(component.data, dtype=float).ravel()
            known = values[np.isfinite(values)]
            if known.size and known.min() >= 0 and known.max() <= 1 and np.unique(known[:5000]).size > 2:
                found.append(cid.label)
    return found


def _own(data: Data) -> list:
    from glue_zoobot.catalog.columns import our_columns

    ours = set(our_columns(data).values())
    return [cid for cid in data.main_components if cid not in ours]


def _is_identity(names: set[str], size: int) -> bool:
    return len(names) > size / 2
