"""Tables that a user brings along: what is known of galaxies, by their id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer

from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table


def read_table(path: Path) -> Table:
    """Read a CSV file as text, ids digit by digit, or any other table that astropy reads."""
    from astropy.table import Table

    if path.is_dir():
        raise AnalysisError(f"{path} is a folder; give the table in it")
    try:
        if path.suffix.lower() == ".csv":
            table = Table.read(path, format="ascii.csv", converters={"*": [str]}, fill_values=[])
        else:
            table = Table.read(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: the table cannot be read ({error})") from error
    if "object_id" not in table.colnames:
        raise AnalysisError(
            f"{path}: there is no column object_id; it has {', '.join(table.colnames)}. Call the "
            "column of ids object_id"
        )
    for name in table.colnames:
        table[name] = [str(value) for value in table[name]]
    return table


def rows_in(table: Table, path: Path, object_ids: np.ndarray) -> np.ndarray:
    """
    Find galaxies in a table, and say how many of them it lacks.

    Parameters
    ----------
    table : astropy.table.Table
        As from `read_table`.
    path : pathlib.Path
        Its file, for messages.
    object_ids : np.ndarray
        Shape (N,), str.

    Returns
    -------
    np.ndarray
        Shape (N,), int64: rows of the table; -1 for a galaxy that is not in it.

    Raises
    ------
    AnalysisError
        If not one of them is in it.
    """
    where = {name: row for row, name in enumerate(table["object_id"])}
    rows = np.array([where.get(str(name), -1) for name in object_ids], dtype=np.int64)
    lacking = np.flatnonzero(rows < 0)
    if len(lacking) == len(rows):
        raise AnalysisError(
            f"none of the {len(rows):,} galaxies here ({next(iter(object_ids), 'none')} …) is in {path} "
            f"({next(iter(where), 'none')} …); is it the table of another catalogue?"
        )
    if len(lacking):
        typer.echo(
            f"{len(lacking):,} of {len(rows):,} galaxies ({object_ids[lacking[0]]} …) are not in {path}",
            err=True,
        )
    return rows
