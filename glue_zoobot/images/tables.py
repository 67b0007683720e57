"""Catalogue files to astropy tables, with ids that keep all their digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.identity import is_id_like

if TYPE_CHECKING:
    import pyarrow

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
VOTABLE_SUFFIXES = (".vot", ".votable", ".xml")
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
#: Table files whose suffix says so; FITS tables are told from FITS images by their content.
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *VOTABLE_SUFFIXES, *PARQUET_SUFFIXES, ".ecsv")

_MAX_EXACT_FLOAT = 2**53
_MAX_RATIO = 200  # of a packed FITS table
_MAX_TEXT, _MAX_CHARACTERS = 200, 64 * 1024**2  # of a cell that is cut short, in columns longer than this
_MAX_FIXED_WIDTH = 16 * 1024**2  # bytes of a column of text
_MAX_ROWS_PER_BYTE = 20  # rows that differ take more than that, however well they are compressed
#: What readers of text say of a text that is no table; one of them goes on for pages.
_NO_LAYOUT = ("ERROR: Unable to guess table format", "Empty CSV", "CSV parse error: Empty CSV")
_KNOWN = "one ends in .csv .tsv .ecsv .fits .vot or .parquet"
_LAYOUT = "a table has a line of column names, then one line per galaxy"


def tables_in(folder: Path) -> list[Path]:
    """Return the tables that lie in a folder, by name."""
    return [p for p in sorted(folder.iterdir()) if p.name.lower().endswith(TABLE_SUFFIXES) and p.is_file()]


def read_table(path: Path, text_columns: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Table:
    """
    Read a catalogue: CSV, TSV, ECSV, FITS, VOTable or Parquet.

    Masked cells become NaN (numbers) or "" (text). Columns of ids stay integers or text, never float.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    text_columns : tuple of str
        Columns of a CSV that are read as text besides those whose names look like ids.
    skip : tuple of str
        Columns of a Parquet file that are not read (image bytes).

    Raises
    ------
    CatalogueError
        The file is missing, damaged or no table.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise CatalogueError(f"{path} is a folder; give the table in it")
    try:
        if suffix in PARQUET_SUFFIXES:
            table = _read_parquet(path, skip)
        elif suffix in TEXT_SUFFIXES:
            table = _read_text(path, text_columns)
        elif suffix == ".ecsv":
            table = _without_masks(Table.read(path, format="ascii.ecsv"))
        elif suffix in VOTABLE_SUFFIXES:
            table = _without_masks(Table.read(path, format="votable"))
        else:
            table = _read_fits(path)
    except MemoryError as error:
        raise CatalogueError(f"{path} does not fit into memory as a table ({error})") from error
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, UnreadableImage) as error:
        what = " ".join(str(error).split())
        if what.startswith(_NO_LAYOUT):
            raise CatalogueError(f"{path} is no table: {_LAYOUT}") from error
        raise CatalogueError(f"{path} cannot be read as a table ({what[:300]}). Is it complete?") from error
    if not table.colnames or not len(table):
        raise CatalogueError(f"{path} has no rows: {_LAYOUT}")
    return table


def _read_parquet(path: Path, skip: tuple[str, ...]) -> Table:
    import pyarrow.parquet as pq

    with parquet_errors(path):
        file = pq.ParquetFile(path)
        check_rows(path, file.metadata.num_rows)
        names = [name for name in file.schema_arrow.names if name not in skip]
        columns: dict[str, np.ndarray] = {}
        for name in names:  # one at a time: as Arrow has them they take as much memory again
            columns |= _columns(file.read(columns=[name]))
            _release()
        return Table(columns, copy=False)


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises for damaged files into `CatalogueError`."""
    import pyarrow as pa

    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CatalogueError(f"{path} cannot be read as Parquet ({error}). Is it complete?") from error


def check_rows(path: Path, count: int) -> None:
    """Refuse a file whose header promises far more rows than it can hold; they would fill the memory."""
    size = path.stat().st_size
    if count > _MAX_ROWS_PER_BYTE * size:
        raise CatalogueError(
            f"{path} says that it has {count:,} rows, in {size:,} bytes; it is damaged or made to fill the "
            "memory"
        )


def _read_text(path: Path, text_columns: tuple[str, ...]) -> Table:
    import pyarrow as pa
    from pyarrow import csv

    header, encoding = _first_line(path)
    delimiter = _delimiter(header)
    if delimiter is None:
        return _read_ascii(path, text_columns)
    names = [n.strip().strip('"') for n in header.split(delimiter)]
    text = {n: pa.string() for n in names if n in text_columns or is_id_like(n)}
    columns = _columns(
        csv.read_csv(
            path,
            read_options=csv.ReadOptions(encoding=encoding),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(column_types=text, strings_can_be_null=False),
        )
    )
    _release()
    return Table(columns, copy=False)


def _first_line(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        raw = file.readline(1 << 20)
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n"), "utf8"
    except UnicodeDecodeError:
        return raw.decode("latin-1").rstrip("\r\n"), "latin-1"


def _delimiter(header: str) -> str | None:
    if header.startswith("#"):
        return None
    counts = {d: header.count(d) for d in ",\t;|"}
    best = max(counts, key=lambda d: counts[d])
    if counts[best]:
        return best
    return None if " " in header.strip() else ","  # one column, or columns set apart by blanks


def _read_ascii(path: Path, text_columns: tuple[str, ...]) -> Table:
    """Commented or blank-separated text; astropy guesses the layout."""
    from astropy.io.ascii import convert_numpy

    names = Table.read(path, format="ascii").colnames
    as_text = {n: [convert_numpy(str)] for n in names if n in text_columns or is_id_like(n)}
    return _without_masks(Table.read(path, format="ascii", converters=as_text))


def _read_fits(path: Path) -> Table:
    from astropy.io import fits

    from glue_zoobot.images.fits import damage_explained, parts

    with path.open("rb") as file:
        if not file.read(9).startswith((b"SIMPLE  =", b"\x1f\x8b")):  # astropy would unpack zip, bzip2 and xz
            if ".fit" not in path.name.lower():
                raise CatalogueError(f"{path} is no table: {_KNOWN}")
            raise ValueError("it is no FITS file")
    with damage_explained(), fits.open(path) as hdus:
        number = next(
            (k for k, hdu in enumerate(parts(hdus)) if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)),
            None,
        )
        if number is None:
            raise ValueError("it holds no table")
        header, size = hdus[number].header, path.stat().st_size
        if header["NAXIS1"] * header["NAXIS2"] > _MAX_RATIO * size:
            raise ValueError(f"a table of {header['NAXIS2']:,} rows does not fit into {size:,} bytes")
        table = Table.read(hdus, hdu=number)
    table.convert_bytestring_to_unicode()
    return _without_masks(table)


def from_arrow(table: pyarrow.Table) -> Table:
    """Columns of an Arrow table as an astropy table; nested columns are left out."""
    return Table(_columns(table), copy=False)


def _columns(table: pyarrow.Table) -> dict[str, np.ndarray]:
    """Columns of an Arrow table that can be columns here, by name."""
    import pyarrow as pa

    columns: dict[str, np.ndarray] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if (
            pa.types.is_fixed_size_list(kind)
            and pa.types.is_floating(kind.value_type)
            and not column.null_count
        ):
            flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
            columns[name] = flat.reshape(-1, kind.list_size)
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            continue
        else:
            columns[name] = _arrow_values(name, column)
    return columns


def _release() -> None:
    """Give back what Arrow would keep of the memory it had, for as long as the process lives."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _arrow_values(name: str, column: Any) -> np.ndarray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        mask = column.is_null().to_numpy()
        return _fill(name, column.fill_null(0 if pa.types.is_integer(kind) else False).to_numpy(), mask)
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind):
        return column.to_numpy()
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy()
    return _texts(column.cast(pa.string()).fill_null(""))


def text_array(texts: list[str]) -> np.ndarray:
    """Texts as an array (N,) that takes little memory; of great length, cut short."""
    import pyarrow as pa

    return _texts(pa.chunked_array([pa.array(texts, pa.large_string())]))


def shared_texts(texts: np.ndarray) -> np.ndarray:
    """Texts (N,) of type object as a column of a table: of fixed width, or the same objects where many."""
    longest = max(map(len, texts.tolist()), default=0)
    return texts if _is_wide(longest, len(texts)) else texts.astype(str)


def _is_wide(longest: int, count: int) -> bool:
    """Whether an array of fixed width, four bytes a letter, takes much more than the texts themselves."""
    return 4 * longest * count > _MAX_FIXED_WIDTH


def _texts(column: Any) -> np.ndarray:
    """
    Texts as an array in which the longest sets the width of all; for large columns one of objects.

    There equal texts are one object, and columns of ids and paths are shared with the source of the images.
    One very long cell must not fill the memory.
    """
    import pyarrow.compute as pc

    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest > _MAX_TEXT and longest * max(len(column), 100) > _MAX_CHARACTERS:
        cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(column, 0, _MAX_TEXT), "…", "")
        column = pc.if_else(pc.greater(pc.utf8_length(column), _MAX_TEXT), cut, column)
    if not _is_wide(min(longest, _MAX_TEXT + 1), len(column)):
        return column.to_numpy().astype(str)
    words = column.dictionary_encode().combine_chunks()
    return words.dictionary.to_numpy(zero_copy_only=False)[words.indices.to_numpy()]


def _without_masks(table: Table) -> Table:
    for name in table.colnames:
        column = table[name]
        if getattr(column, "mask", None) is not None and np.ndim(column.mask) == 1:
            filled = _fill(name, np.asarray(column.data.data), np.asarray(column.mask))
            table[name] = type(table).Column(filled, unit=column.unit, description=column.description)
        elif column.dtype == object:
            table[name] = np.array(["" if v is None else str(v) for v in column], dtype=str)
    return table


def _fill(name: str, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values with gaps: NaN for numbers, "" for text; integers that a float would spoil become text."""
    if not mask.any():
        return values
    if values.dtype.kind in "USO":
        return np.where(mask, "", values.astype(str))
    if values.dtype.kind == "f":
        return np.where(mask, np.nan, values).astype(values.dtype)
    wide = values.dtype.kind in "iu" and np.abs(values[~mask]).max(initial=0) > _MAX_EXACT_FLOAT
    if is_id_like(name) or wide:
        return np.where(mask, "", values.astype(str))
    return np.where(mask, np.nan, values.astype(float))


def column_matching(table: Table, pattern: str) -> str | None:
    """First column whose name matches a regular expression, whatever its case."""
    return next((n for n in table.colnames if re.fullmatch(pattern, n, re.IGNORECASE)), None)
