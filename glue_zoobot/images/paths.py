"""Tables that name image files, and folders of image files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.files import ARRAY_SUFFIXES, IMAGE_SUFFIXES, FileSource, stems
from glue_zoobot.images.identity import Identity, find_column, identify, normalise
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import shared_texts

#: Usual names of a column of image paths, best first; compared like those of ids.
PATH_NAMES = (
    *("fileloc", "filelocation", "filepath", "imagepath", "imagefile", "path", "filename", "file", "image"),
    *("imagename", "img", "imgpath", "jpgloc", "pngloc", "jpgpath", "pngpath", "jpg", "png", "jpeg", "fits"),
    *("fitspath", "fitsfile", "cutout", "cutoutpath", "stamp", "thumbnail", "loc"),
)
_PROBES = 20  # files looked for at opening; a million rows are not all stat'ed


def open_paths(spec: SourceSpec, table: Table, folder: Path) -> Catalogue:
    """
    Open a table with a column of image paths.

    Parameters
    ----------
    spec : SourceSpec
        `image_column`, `image_root` and `id_column` are used when given.
    table : astropy.table.Table
        N rows.
    folder : pathlib.Path
        Where relative paths start, unless `image_root` says otherwise.

    Raises
    ------
    CatalogueError
        No column of paths, or none of its files is there.
    """
    name = path_column(table, spec.image_column)
    if name is None:
        raise CatalogueError(
            f"{spec.path} names no images: none of its columns ({_some(table.colnames)}) holds paths of "
            "image files. Say which column does (--image-column), or open the folder of the images."
        )
    paths = paths_in(table[name])
    root = root_of(spec, folder)
    drop = _leading_parts_to_drop(paths, root)
    if drop is None:
        raise CatalogueError(
            f"column {name!r} of {spec.path} names images such as {paths[0]!r}, but the files looked for are "
            f"not in {root.absolute()}. Say where the paths start: the image root (--image-root)"
            f"{_or_another(table, name)}."
        )
    notes = [f"images named by column {name!r}"]
    if drop:
        dropped = paths[0]
        paths = [_drop_parts(p, drop) for p in paths]
        notes.append(f"paths taken without {'/'.join(_parts(dropped)[:drop])}/: the images are in {root}")
    identity = identify(table, spec.id_column, lambda: stems(paths))
    source = FileSource(identity.object_ids, paths, str(root), spec.preset, spec.bands)
    return Catalogue.assemble(spec, source, table, identity, tuple(notes))


def _or_another(table: Table, name: str) -> str:
    """Name the other columns that look like paths, one of which may be meant."""
    others = [c for c in table.colnames if c != name and _holds_paths(np.asarray(table[c]))]
    return f"; or name another column that holds paths (--image-column): {_some(others)}" if others else ""


def root_of(spec: SourceSpec, folder: Path) -> Path:
    """Where the paths of a table start: its `folder`, or the image root, which may be relative to that."""
    if not spec.image_root:
        return folder
    root = Path(spec.image_root).expanduser()
    return root if root.is_absolute() or root.is_dir() else folder / root


def paths_in(column: np.ndarray) -> list[str]:
    """Cells of a column as text without blanks around it."""
    return [str(cell).strip() for cell in column.tolist()]


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def path_column(table: Table, wanted: str | None = None) -> str | None:
    """Name of the column of image paths: the wanted one, or the best under the usual names."""
    if wanted is not None:
        return find_column(table.colnames, wanted)
    by_name = {normalise(c): c for c in reversed(table.colnames)}
    names = [by_name[n] for n in PATH_NAMES if n in by_name]
    return next((n for n in names if _holds_paths(np.asarray(table[n]))), None)


def _holds_paths(values: np.ndarray) -> bool:
    if values.dtype.kind not in "UO" or values.ndim != 1:
        return False
    return any(str(v).lower().endswith((*IMAGE_SUFFIXES, *ARRAY_SUFFIXES)) for v in _probe(values))


def _probe(values: np.ndarray | list[str]) -> list[str]:
    rows = np.unique(np.linspace(0, len(values) - 1, _PROBES).astype(int))
    return [str(values[r]) for r in rows]


def _leading_parts_to_drop(paths: list[str], root: Path) -> int | None:
    """How many leading folders to leave out so that files are found: 0 unless the data were moved."""
    probes = [p for p in _probe(paths) if p]
    depth = max((len(_parts(p)) for p in probes), default=0)
    for drop in range(depth):
        if any((root / _drop_parts(p, drop)).is_file() for p in probes):
            return drop
    return None


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")


def _drop_parts(path: str, number: int) -> str:
    return "/".join(_parts(path)[number:]) if number else path


def open_files(spec: SourceSpec, folder: Path, paths: list[str], notes: tuple[str, ...] = ()) -> Catalogue:
    """Open image files by their paths relative to a folder; raises `CatalogueError` when there are none."""
    if not paths:
        raise CatalogueError(
            f"{folder} holds no images (JPEG, PNG, TIFF or FITS) and no table that names images; "
            "is it the right folder?"
        )
    identity = Identity(np.array(stems(paths), dtype=object), "file stem")
    source = FileSource(identity.object_ids, paths, str(folder), spec.preset, spec.bands)
    table = Table({"file": shared_texts(source.paths)}, copy=False)
    return Catalogue.assemble(spec, source, table, identity, notes)


def list_images(
    folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES, unreadable: list[str] | None = None
) -> list[str]:
    """
    Relative paths of the images below a folder, sorted; hidden files and folders are passed over.

    Folders that cannot be looked into are added to `unreadable`.
    """

    def refused(error: OSError) -> None:
        if unreadable is not None:
            unreadable.append(str(error.filename))

    found: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=refused):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__")))
        inside = os.path.relpath(parent, folder).replace(os.sep, "/")
        prefix = "" if inside == "." else inside + "/"
        found += [prefix + f for f in files if f.lower().endswith(suffixes) and not f.startswith(".")]
    return sorted(found)
