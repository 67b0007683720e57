"""Which members of an archive are the image of which galaxy, and which are its labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.files import RASTER_SUFFIXES, stems, strip_suffix
from glue_zoobot.images.identity import ID_NAMES, identify, normalise
from glue_zoobot.images.paths import path_column, paths_in
from glue_zoobot.images.source import ImageSource
from glue_zoobot.images.spec import SourceSpec

IMAGE_SUFFIXES = (*RASTER_SUFFIXES, *fits.SUFFIXES, ".npy")
#: Members that say something of the image of the same name: a dictionary, the number of a class, a text.
LABEL_SUFFIXES = (".json", ".cls", ".txt")
#: Python objects: to read one is to run what it says.
_PICKLES = (".pyd", ".pkl", ".pickle", ".pth", ".pt", ".ckpt", ".joblib", ".dill")
MAX_MEMBER = 256 * 1024**2  # bytes; as for a FITS stamp
MAX_LABEL = 64 * 1024  # bytes of one label; a longer one is no label
_TABLES = (".csv", ".tsv", ".ecsv", ".parquet")

_MAX_COLUMNS = 200  # the commonest; every galaxy has a cell in each
_MAX_TEXT = 500  # characters; the longest cell sets the width of its column

#: Makes the source of object ids (N,), names (N,) and numbers (N,) of the members, -1 where there is none.
Opener = Callable[[np.ndarray, list[str], np.ndarray], ImageSource]


@dataclass
class Index:
    """
    Members of one or several archives, in their order.

    Attributes
    ----------
    names : list of str
        Images; never used as paths.
    labels : dict
        Name of a member with labels to its bytes.
    left_out : collections.Counter
        What was not used, by suffix.
    refused : collections.Counter
        Python objects, by suffix.
    tables : list of str
        Members that are tables.
    """

    names: list[str] = field(default_factory=list)
    labels: dict[str, bytes] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    tables: list[str] = field(default_factory=list)

    def add(self, name: str, size: int, read: Callable[[], bytes]) -> bool:
        """Sort a member by its name; whether it is an image."""
        lower = name.lower()
        if lower.rsplit("/", 1)[-1].startswith((".", "__")):
            return False  # hidden files, and what some computers put beside them
        if lower.endswith(IMAGE_SUFFIXES):
            self.names.append(name)
            return True
        if lower.endswith(LABEL_SUFFIXES) and size <= MAX_LABEL:
            self.labels[name] = read()
        else:
            suffix = "." + lower.rsplit(".", 1)[-1] if "." in lower else "without suffix"
            (self.refused if suffix in _PICKLES else self.left_out)[suffix] += 1
            if suffix in _TABLES:
                self.tables.append(name)
        return False

    def notes(self) -> list[str]:
        """Say what was left out."""
        notes = []
        if self.refused:
            notes.append(f"{_counted(self.refused)}: Python objects could run code and are never read")
        if self.left_out:
            notes.append(f"{_counted(self.left_out)} not used")
        return notes


def _counted(counter: Counter[str]) -> str:
    parts = ", ".join(f"{count:,} {suffix}" for suffix, count in counter.most_common(6))
    return f"members {parts}{', …' if len(counter) > 6 else ''}"


def open_members(spec: SourceSpec, index: Index, opener: Opener) -> Catalogue:
    """
    Make a catalogue of the images of an archive: labels become columns, names become ids.

    Parameters
    ----------
    spec : SourceSpec
        What the user said.
    index : Index
        What is in the archive.
    opener : callable
        Makes the source.
    """
    if not index.names:
        held = ", ".join(index.notes()) or "it is empty"
        raise CatalogueError(f"{spec.path} holds no images (JPEG, PNG, TIFF, FITS, npy): {held}")
    columns, label_notes = label_columns(index)
    table = Table({"file": index.names, **columns})
    notes = [*index.notes(), *label_notes]
    notes += [
        f"it holds the table {name}: take that out and open it with --image-root {spec.path} to have its "
        "columns and ids"
        for name in index.tables[:1]
    ]
    named = spec.id_column is not None or any(normalise(n) in ID_NAMES for n in columns)
    identity = identify(table if named else Table({" ": index.names}), spec.id_column, lambda: ids_of(index))
    source = opener(identity.object_ids, index.names, np.arange(len(index.names)))
    return Catalogue.assemble(spec, source, table, identity, tuple(notes))


def open_rows(spec: SourceSpec, table: Table, archive: str, index: Index, opener: Opener) -> Catalogue:
    """
    Open the members of an archive that a table names, by their whole name or that of the file.

    Raises
    ------
    CatalogueError
        The table names no images, or none that is in the archive.
    """
    column = path_column(table, spec.image_column)
    if column is None:
        raise CatalogueError(f"{spec.path} names no images: say which column does (--image-column)")
    wanted = paths_in(table[column])
    whole = {name: k for k, name in enumerate(index.names)}
    files = Counter(name.rsplit("/", 1)[-1] for name in index.names)
    by_file = {n: k for k, name in enumerate(index.names) if files[n := name.rsplit("/", 1)[-1]] == 1}
    rows = np.array([whole.get(w, by_file.get(w.rsplit("/", 1)[-1], -1)) for w in wanted], dtype=np.int64)
    if not (rows >= 0).any():
        raise CatalogueError(
            f"{archive} holds none of the images that column {column!r} of {spec.path} names, such as "
            f"{wanted[0]!r}; it holds {index.names[0] if index.names else 'no images'!r}"
        )
    identity = identify(table, spec.id_column, lambda: stems(wanted))
    names = [index.names[k] if k >= 0 else w for k, w in zip(rows.tolist(), wanted, strict=True)]
    note = f"images in {archive}, named by column {column!r}"
    return Catalogue.assemble(spec, opener(identity.object_ids, names, rows), table, identity, (note,))


def ids_of(index: Index) -> list[str]:
    """Name the galaxies by the key of their members, or by the whole path where keys clash."""
    keys = [_first_dot(n).rsplit("/", 1)[-1] for n in index.names]
    by_first_dot = _keyed_by_first_dot(index)
    return keys if by_first_dot and len(set(keys)) == len(keys) else stems(index.names)


def _first_dot(name: str) -> str:
    """Key of a member by the custom of webdataset: all before the first dot of the file name."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.split(".", 1)[0]


def _keyed_by_first_dot(index: Index) -> bool:
    """Whether labels belong to images by the first dot; names of galaxies may have dots in them."""
    by_first_dot = {_first_dot(n) for n in index.names}
    if not index.labels or len(by_first_dot) < len(index.names):
        return False
    plain = {strip_suffix(n) for n in index.names}
    return sum(_label_key(n) in plain for n in index.labels) < sum(
        _first_dot(n) in by_first_dot for n in index.labels
    )


def _label_key(name: str) -> str:
    return name.rsplit(".", 1)[0]


def label_columns(index: Index) -> tuple[dict[str, np.ndarray], list[str]]:
    """
    Turn labels into columns, as long as there are images; a galaxy without one has NaN or "".

    Returns
    -------
    columns : dict
        Name to values (N,).
    notes : list of str
        What was left out.
    """
    first_dot = _keyed_by_first_dot(index)
    row_of = {_first_dot(n) if first_dot else strip_suffix(n): row for row, n in enumerate(index.names)}
    cells: dict[str, dict[int, Any]] = {}
    damaged = 0
    for name, data in index.labels.items():
        row = row_of.get(_first_dot(name) if first_dot else _label_key(name))
        if row is None:
            continue
        try:
            values = _parse(name, data)
        except (ValueError, RecursionError):
            damaged += 1
            continue
        for key, value in values.items():
            cells.setdefault(key, {})[row] = value
    cells.pop("file", None)
    kept = set(sorted(cells, key=lambda key: -len(cells[key]))[:_MAX_COLUMNS])
    notes = [f"{damaged:,} labels are damaged: left out"] if damaged else []
    if len(kept) < len(cells):
        notes.append(f"of {len(cells):,} keys of the labels the {_MAX_COLUMNS} commonest became columns")
    return {key: _column(cells[key], len(index.names)) for key in cells if key in kept}, notes


def _parse(name: str, data: bytes) -> dict[str, Any]:
    """Numbers and texts that a label member holds, by name; what is nested is left out."""
    text = data.decode("utf-8")
    if name.lower().endswith(".cls"):
        return {"cls": int(text)}
    if name.lower().endswith(".txt"):
        return {"txt": text.strip()}
    values = json.loads(text)
    if not isinstance(values, dict):
        return {}
    return {k: v for k, v in values.items() if isinstance(v, str | int | float | bool) and k.strip()}


def _column(cells: dict[int, Any], count: int) -> np.ndarray:
    """Values (count,) of the rows that have one."""
    whole = all(isinstance(v, int) for v in cells.values())
    if whole and len(cells) == count and all(abs(v) < 2**63 for v in cells.values()):
        return np.array([cells[row] for row in range(count)], dtype=np.int64)
    if all(isinstance(v, float) or (isinstance(v, int) and abs(v) <= 2**53) for v in cells.values()):
        return np.array([cells.get(row, np.nan) for row in range(count)], dtype=np.float64)
    return np.array([str(cells.get(row, ""))[:_MAX_TEXT] for row in range(count)], dtype=str)
