"""Tables that a user brings along: what is known of galaxies, by their id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table


def read_table(path: Path) -> Table:
    """Read a CSV file as text, ids digit by digit, or any other table that astropy reads."""
    from astropy.table import Table

    try:
        if path.suffix.lower() == ".csv":
            table = Table.read(path, format="ascii.csv", converters={"*": [str]}, fill_values=[])
        else:
            table = Table.read(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: the table cannot be read ({error})") from error
    if "object_id" not in table.colnames:
        raise AnalysisError(f"{path}: there is no column object_id; it has {', '.join(table.colnames)}")
    for name in table.colnames:
        table[name] = [str(value) for value in table[name]]
    return table
