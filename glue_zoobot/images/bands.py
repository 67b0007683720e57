"""Which FITS files are the bands of which galaxy, by a pattern such as ``{id}_{band}.fits``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits
from glue_zoobot.images.bandfiles import BandFilesSource
from glue_zoobot.images.bandnames import by_wavelength, parse_bands, split_bands
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.identity import Identity, find_column, identify, is_id_like
from glue_zoobot.images.paths import list_images, path_column, paths_in
from glue_zoobot.images.spec import SourceSpec

_BAND_IN_NAME = re.compile(
    r"(?P<id>.+?)(?P<mark>[._-])(?P<band>[ugrizyvYJHK]|[fF]\d{3,4}[wWmMlLpPnN])(?P<rest>[._].*|band\..*)"
)


def open_bands(spec: SourceSpec, folder: Path, table: Table | None = None) -> Catalogue:
    """
    Open the FITS files of a folder, one per band, by the pattern in ``spec.bands``.

    Parameters
    ----------
    spec : SourceSpec
        What the user said.
    folder : pathlib.Path
        Where the files are; also in folders within it.
    table : astropy.table.Table, optional
        The galaxies; joined by its image paths or by a column of ids. Else one row per set of files.

    Raises
    ------
    CatalogueError
        The pattern lacks ``{id}`` or ``{band}``, or fits no file, or the table has none of the galaxies.
    """
    pattern, order = _parse(spec.bands or "")
    found = _match_files(list_images(folder, fits.SUFFIXES), pattern)
    if not found:
        raise CatalogueError(f"no file in {folder} fits the pattern {pattern!r}")
    there = by_wavelength(sorted(set().union(*found.values())))
    bands = split_bands(order) or _three_of(there)
    if not set(bands) & set(there):
        raise CatalogueError(
            f"no file in {folder} is of band {' or '.join(bands)}; by the pattern {pattern!r} the bands are "
            f"{', '.join(there[:12])}"
        )
    notes = [f"colours from bands {', '.join(bands)}"]
    if table is None:
        names = sorted(found)
        identity = Identity(np.array(names, dtype=object), "file name")
        table = Table({"bands": [",".join(by_wavelength(sorted(found[i]))) for i in names]})
    else:
        names, column = _names_in(table, pattern, found, spec)
        identity = identify(table, spec.id_column, lambda: names)
        notes.insert(0, f"files found by column {column!r}")
    source = BandFilesSource(identity.object_ids, str(folder), pattern, bands, spec.preset, names, there)
    return Catalogue.assemble(spec, source, table, identity, tuple(notes))


def check_order(text: str | None) -> None:
    """Raise `CatalogueError` where bands of a cube are to be drawn that it does not have: ``"grz:irg"``."""
    if text is None or "{" in text:
        return
    names, order = parse_bands(text)
    unknown = [band for band in order if band not in names]
    if unknown:
        raise CatalogueError(
            f"bands={text!r}: {', '.join(unknown)} is not among the bands of the cube ({', '.join(names)})"
        )


def _parse(bands: str) -> tuple[str, str]:
    """File name pattern and the bands to draw: ``{id}_{band}.fits:irg``."""
    pattern, _, order = bands.rpartition(":") if ":" in bands else (bands, "", "")
    if "{id}" not in pattern or "{band}" not in pattern:
        raise CatalogueError(f"bands={bands!r}: a pattern such as '{{id}}_{{band}}.fits:irg' is needed")
    return pattern, order


def _names_in(
    table: Table, pattern: str, found: dict[str, set[str]], spec: SourceSpec
) -> tuple[list[str], str]:
    """
    What stands for ``{id}`` in the files of each row, and the column that says so.

    Tried are the image paths, which may have been moved, and the columns of ids; the one that names most
    galaxies is taken. A row without files keeps its own name, which the message about it then gives.
    """
    by_name = {name.rsplit("/", 1)[-1]: name for name in found} | {name: name for name in found}
    columns = [path_column(table, spec.image_column), *filter(is_id_like, table.colnames)]
    if spec.id_column:
        columns.append(find_column(table.colnames, spec.id_column))
    best: tuple[int, list[str], str] = (0, [], "")
    for column in filter(None, columns):
        keys = [_key(text, pattern) for text in paths_in(table[column])]
        matched = sum(key in by_name for key in keys)
        if matched > best[0]:
            best = (matched, [by_name.get(key, key) for key in keys], column)
    if not best[0]:
        raise CatalogueError(
            f"{spec.path} names none of the {len(found):,} galaxies that have files such as "
            f"{pattern.replace('{id}', next(iter(found)))}: name the column with what stands for {{id}} "
            "(--id-column)"
        )
    return best[1], best[2]


def _key(text: str, pattern: str) -> str:
    """What stands for ``{id}`` in a path that fits the pattern; else the text itself."""
    match = _expression(pattern).fullmatch(text)
    return match["id"].rsplit("/", 1)[-1] if match else text


def note_siblings(table: Table, column: str, folder: Path) -> tuple[str, str] | None:
    """
    Notice that a table names one band of galaxies whose other bands lie beside it.

    Parameters
    ----------
    table : astropy.table.Table
        One row per galaxy.
    column : str
        Its image paths.
    folder : pathlib.Path
        Where the files are.

    Returns
    -------
    (str, str) or None
        The pattern of the files, and what to tell the user.
    """
    paths = paths_in(table[column])
    if not all(path.lower().endswith(fits.SUFFIXES) and _BAND_IN_NAME.fullmatch(path) for path in paths):
        return None
    pattern = suggest_pattern(list_images(folder, fits.SUFFIXES))
    if pattern is None:
        return None
    matches = [_expression(pattern).fullmatch(path) for path in paths]
    bands = {match["band"] if match else None for match in matches}
    band = bands.pop()
    if bands or band is None:  # a row for each band, or files of another kind: left as it is
        return None
    return pattern, (
        f"the table names one band ({band}) of each galaxy and others lie beside it: they are used for "
        f"colours (for {band} alone: bands='{pattern}:{band}')"
    )


def _match_files(paths: list[str], pattern: str) -> dict[str, set[str]]:
    """Id to the bands it has a file of."""
    found: dict[str, set[str]] = {}
    for path in paths:
        match = _expression(pattern).fullmatch(path)
        if match:
            found.setdefault(match["id"], set()).add(match["band"])
    return found


def fits_pattern(path: str, pattern: str) -> bool:
    """Whether a path is one that the pattern describes."""
    return _expression(pattern).fullmatch(path) is not None


@lru_cache(maxsize=8)
def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\{id\}", "(?P<id>.+)", 1).replace(r"\{band\}", "(?P<band>[^/]+?)", 1)
    return re.compile(text.replace(r"\{id\}", "(?P=id)").replace(r"\{band\}", "(?P=band)"))


def _three_of(bands: list[str]) -> tuple[str, ...]:
    """Red, green, blue out of bands sorted from blue to red (ugriz gives i, r, g); two or one stay so."""
    if len(bands) < 3:
        return tuple(reversed(bands))
    middle = len(bands) // 2
    return (bands[middle + 1], bands[middle], bands[middle - 1])


def suggest_pattern(paths: list[str]) -> str | None:
    """Pattern of file names that look like one file per band: the same ids in several bands; else None."""
    patterns: dict[str, dict[str, set[str]]] = {}
    for path in paths:
        match = _BAND_IN_NAME.fullmatch(path)
        if match:
            tail = match["rest"]
            pattern = "{id}" + match["mark"] + "{band}" + tail
            patterns.setdefault(pattern, {}).setdefault(match["id"], set()).add(match["band"])
    for pattern, ids in patterns.items():
        several = sum(len(bands) > 1 for bands in ids.values())
        if several > 0.5 * len(ids):
            return pattern
    return None
