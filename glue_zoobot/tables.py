"""Result tables written to the format that the suffix names, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from glue_zoobot.errors import CatalogueError

if TYPE_CHECKING:
    from astropy.table import Table

_FORMATS = {
    ".parquet": "parquet",
    ".csv": "ascii.csv",
    ".ecsv": "ascii.ecsv",
    ".fits": "fits",
    ".vot": "votable",
}
SUFFIXES = tuple(_FORMATS)


def check_suffix(path: str | Path) -> None:
    """
    Refuse a name that says no known format, before the long work starts.

    Raises
    ------
    CatalogueError
        If the suffix is none of ``.parquet .csv .ecsv .fits .vot``.
    """
    if Path(path).suffix.lower() not in _FORMATS:
        raise CatalogueError(
            f"{path}: the suffix says no table format that can be written; use one of {' '.join(SUFFIXES)}"
        )


def write_table(table: Table, path: str | Path) -> Path:
    """
    Write a table; an existing file is replaced only once the new one is complete.

    Parameters
    ----------
    table : astropy.table.Table
        What to write; ``table.meta`` (provenance) is kept where the format can.
    path : str or Path
        The suffix decides the format: ``.parquet .csv .ecsv .fits .vot``.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    CatalogueError
        If the suffix is unknown or the file cannot be written.
    """
    check_suffix(path)
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(table, partial)
        partial.replace(path)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be written ({error}); choose another place with -o") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _write(table: Table, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        _write_parquet(table, path)
    elif suffix in (".fits", ".vot"):
        # Neither holds free key words of any length, but both hold text.
        words = "; ".join(f"{key}: {value}" for key, value in table.meta.items())
        plain = table.copy(copy_data=False)
        plain.meta = {"comments": [words]} if suffix == ".fits" else {"description": words}
        plain.write(path, format=_FORMATS[suffix], overwrite=True)
    else:
        table.write(path, format=_FORMATS[suffix], overwrite=True)


def _write_parquet(table: Table, path: Path) -> None:
    """Plain Arrow columns, with the provenance as JSON in the schema, readable everywhere."""
    import json

    import pyarrow
    import pyarrow.parquet

    columns = {}
    for name in table.colnames:
        column = table[name]
        columns[name] = pyarrow.array(column.tolist() if column.dtype.kind in "UO" else column.data)
    arrow = pyarrow.table(columns)
    meta = {"glue_zoobot": json.dumps(dict(table.meta), default=str)}
    pyarrow.parquet.write_table(arrow.replace_schema_metadata(meta), path)
