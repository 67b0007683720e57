"""Columns of a table to glue components, each of the kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from glue.core import Data
from glue.core.component import CategoricalComponent, Component, DateTimeComponent

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MAX_VECTOR", "table_to_data"]

MAX_VECTOR = 8
"""Vector columns up to this long become one column per element; longer ones are not columns to look at."""

MAX_ROWS_OF_PATHS = 100_000
"""A column of paths of more rows than this costs more memory than it is worth in any viewer."""


def table_to_data(table: Table, label: str, paths: str | None = None) -> tuple[Data, list[str]]:
    """
    Make a glue dataset of a table; the same table always gives the same components in the same order.

    Parameters
    ----------
    table : astropy.table.Table
        N rows.
    label : str
        Name of the dataset.
    paths : str, optional
        Column of image paths: put last, and left out above 100,000 rows.

    Returns
    -------
    data : Data
    notes : list of str
        Which columns were left out, and why.
    """
    data, notes = Data(label=label), []
    names = [name for name in table.colnames if name != paths] + ([paths] if paths else [])
    for name in names:
        values = np.asarray(table[name])
        unit = str(getattr(table[name], "unit", None) or "")
        if name == paths and len(values) > MAX_ROWS_OF_PATHS:
            notes.append(f"column {name!r} (image paths) is not shown: {len(values):,} different words")
        elif values.ndim == 1:
            data.add_component(_component(values, unit), name)
        elif values.ndim == 2 and values.shape[1] <= MAX_VECTOR:
            for k in range(values.shape[1]):
                data.add_component(_component(values[:, k], unit), f"{name}_{k}")
        else:
            notes.append(f"column {name!r} is not shown: {values[0].size:,} values in every row")
    return data, notes


def _component(values: np.ndarray, unit: str) -> Component:
    """Say what a column is instead of letting glue try; native, contiguous and our own copy."""
    kind = values.dtype.kind
    if kind == "M":
        return DateTimeComponent(values.astype("datetime64[ns]"), units=unit)
    if kind in "biu":
        return Component(_native(values.astype(np.int8) if kind == "b" else values), units=unit)
    if kind == "f":
        return Component(
            _native(values.astype(np.float32) if values.dtype.itemsize < 4 else values), units=unit
        )
    if kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return CategoricalComponent(values.astype(str))


def _native(values: np.ndarray) -> np.ndarray:
    return np.array(values, dtype=values.dtype.newbyteorder("="), order="C", copy=True)
