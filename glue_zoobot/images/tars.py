"""
Images in tar files, as webdataset keeps them: many shards, members found by their place in the file.

The headers are read here and not by `tarfile`, which believes the sizes in them: a header is 512 bytes, an
extended one at most 64 kB, and every step goes forward. Nothing is ever extracted; the name of a member is
a name and never a path. Format: POSIX ustar and pax (IEEE 1003.1), GNU long names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage, describe
from glue_zoobot.images.files import fluxes_in, read_bytes
from glue_zoobot.images.members import MAX_MEMBER, Index, open_members, open_rows
from glue_zoobot.images.source import Fluxes, ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec

SUFFIXES = (".tar",)
PACKED_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_BLOCK = 512
_MAX_EXTENDED = 64 * 1024  # bytes of a pax header or a long name
_REGULAR = (b"0", b"\0", b"7")


class TarSource(ImageSource):
    """
    Images in tar files; `read` opens the file, goes to the place and reads.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    paths : sequence of str
        The tar files.
    names : sequence of str
        Shape (N,), of the members.
    places : numpy.ndarray
        int64, shape (N, 3): which file, first byte, number of bytes.
    preset, bands : str
        For FITS members.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        paths: Sequence[str],
        names: Sequence[str],
        places: np.ndarray,
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        self.object_ids = object_ids
        self.paths = tuple(os.path.abspath(p) for p in paths)  # noqa: PTH100
        self.names = np.array(names, dtype=np.dtypes.StringDType())
        self.places, self.preset, self.bands = places, preset, bands

    def _load(self, i: int) -> Picture:
        return read_bytes(self._bytes(i), self.names[i], self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        return fluxes_in(self._bytes(i), self.names[i], self.preset, self.bands)

    def _bytes(self, i: int) -> bytes:
        number, start, size = self.places[i].tolist()
        if number < 0:
            raise UnreadableImage(f"the tar files have no member {self.names[i]}")
        if size > MAX_MEMBER:
            raise UnreadableImage(f"a member of {size / 1e6:,.0f} MB is no galaxy stamp")
        with open(self.paths[number], "rb") as file:  # noqa: PTH123  the hot path
            file.seek(start)
            data = file.read(size)
        if len(data) < size:
            raise UnreadableImage(f"{self.paths[number]} is cut short within {self.names[i]}")
        return data


def open_tars(spec: SourceSpec, paths: Sequence[Path], table: Table | None = None) -> Catalogue:
    """
    Open tar files of images, those that a table names or all.

    Without a table, members ``.json``, ``.cls`` and ``.txt`` of the same name become columns.

    Raises
    ------
    CatalogueError
        One of the files is no tar file, is damaged, or there are no images.
    """
    index, places = index_tars(paths)

    def opener(object_ids: np.ndarray, names: list[str], rows: np.ndarray) -> ImageSource:
        found = np.vstack([places, [-1, 0, 0]])[rows]  # the last is for row -1
        return TarSource(object_ids, [str(p) for p in paths], names, found, spec.preset, spec.bands)

    if table is not None:
        return open_rows(spec, table, str(spec.image_root), index, opener)
    return open_members(spec, index, opener)


def index_tars(paths: Sequence[Path]) -> tuple[Index, np.ndarray]:
    """Read the headers of tar files: what is in them, and where the images are (N, 3) int64."""
    index = Index()
    places: list[tuple[int, int, int]] = []
    for number, path in enumerate(paths):
        with path.open("rb") as file:
            for name, start, size in _members(path, file):
                if index.add(name, size, lambda: _read_at(file, start, size)):  # noqa: B023  called at once
                    places.append((number, start, size))
    return index, np.array(places, dtype=np.int64).reshape(-1, 3)


def _read_at(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _members(path: Path, file: BinaryIO) -> Iterator[tuple[str, int, int]]:
    """Name, first byte and size of every regular file in a tar file."""
    end, position = path.stat().st_size, 0
    name, size_said = "", None
    while position + _BLOCK <= end:
        file.seek(position)
        header = file.read(_BLOCK)
        if not any(header):
            return  # the end: blocks of zeros
        _check(path, header, position)
        size = _number(path, header[124:136])
        kind = header[156:157]
        start = position + _BLOCK
        if kind in (b"x", b"L"):
            said = _extended(path, file, size)
            if kind == b"L":
                name = said.rstrip(b"\0").decode("utf-8", "replace")
            else:
                name, size_said = _pax(said, name)
        else:
            size = size if size_said is None else size_said
            if kind in _REGULAR:
                yield name or _name(header), start, size
            name, size_said = "", None
        if start + size > end:
            raise CatalogueError(
                f"{path} is cut short: a member at byte {start:,} should have {size:,} bytes. Copy it again"
            )
        position = start + -(-size // _BLOCK) * _BLOCK


def _check(path: Path, header: bytes, position: int) -> None:
    """Raise `CatalogueError` for what is no tar header: its checksum tells."""
    digits = header[148:156].split(b"\0")[0].strip()
    total = sum(header) - sum(header[148:156]) + 8 * 32
    if not re.fullmatch(rb"[0-7]{1,7}", digits) or int(digits, 8) != total:
        what = describe(header) if position == 0 else f"damaged at byte {position:,}"
        raise CatalogueError(f"{path} is no tar file, or is damaged ({what}). Copy it again")


def _number(path: Path, digits: bytes) -> int:
    """Size in a header: octal digits, or binary of base 256."""
    if digits[0] & 0x80:
        value = int.from_bytes(digits, "big") - (0x80 << 88)
        if digits[0] == 0x80 and value < 2**62:
            return value
    elif re.fullmatch(rb"[0-7]*", digits.strip(b" \0")):
        return int(digits.strip(b" \0") or b"0", 8)
    raise CatalogueError(f"{path} is damaged: a member of negative or impossible size. Copy it again")


def _extended(path: Path, file: BinaryIO, size: int) -> bytes:
    if size > _MAX_EXTENDED:
        raise CatalogueError(f"{path} has a header of {size:,} bytes: damaged, or made to fill the memory")
    return file.read(size)


def _pax(records: bytes, name: str) -> tuple[str, int | None]:
    """Name and size that a pax header gives: lines of ``LENGTH KEY=VALUE``."""
    size = None
    while match := re.match(rb"(\d{1,6}) ([^=\n]+)=", records):
        length = int(match[1])
        value = records[match.end() : length - 1]
        if length <= match.end():
            break
        if match[2] == b"path":
            name = value.decode("utf-8", "replace")
        elif match[2] == b"size" and re.fullmatch(rb"\d{1,18}", value):
            size = int(value)
        records = records[length:]
    return name, size


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return (prefix + b"/" * bool(prefix) + name).decode("utf-8", "replace")


def expand(pattern: str) -> list[Path]:
    """
    Files that a pattern names: ``data-{000..099}.tar`` counts, ``data-*.tar`` looks in the folder.

    Raises
    ------
    CatalogueError
        None, or not all of those that were counted, are there.
    """
    counted = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if counted is None:
        path = Path(pattern).expanduser()
        found = sorted(path.parent.glob(path.name)) if path.parent.is_dir() else []
        if not found:
            raise CatalogueError(f"no file fits {pattern}; check its name")
        return found
    first, last = int(counted[1]), int(counted[2])
    if not 0 <= last - first < 100_000:
        raise CatalogueError(f"{pattern}: count upwards, and to fewer than 100,000 files")
    width = len(counted[1]) if counted[1].startswith("0") or len(counted[1]) == len(counted[2]) else 0
    names = [
        pattern[: counted.start()] + str(k).zfill(width) + pattern[counted.end() :]
        for k in range(first, last + 1)
    ]
    paths = [Path(name).expanduser() for name in names]
    missing = [p for p in paths if not p.is_file()]
    if missing:
        raise CatalogueError(
            f"of the {len(paths):,} files of {pattern} {len(missing):,} are not there, the first is "
            f"{missing[0]}"
        )
    return paths


def is_pattern(path: str) -> bool:
    """Whether a path names several tar files."""
    return path.lower().endswith(SUFFIXES) and bool(re.search(r"\{\d+\.\.\d+\}|[*?]", path))


def files_of(path: str) -> list[Path]:
    """Files that a source is read from: those of a pattern, else itself."""
    return expand(path) if is_pattern(path) else [Path(path)]
