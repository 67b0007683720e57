"""Images in a zip file: members are read in memory, never extracted; their names are no paths."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.files import fluxes_in, read_bytes
from glue_zoobot.images.members import MAX_LABEL, MAX_MEMBER, Index, open_members, open_rows
from glue_zoobot.images.source import ContainerSource, Fluxes, ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec

SUFFIXES = (".zip",)
#: What is taken however well it is packed, and how much more than it is stored a larger member may be.
_ALWAYS_TAKEN, _MAX_RATIO = 64 * 1024**2, 200
_MAX_LABELS_RATIO = 20  # of all labels together; images fill most of a file
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)


class ZipSource(ContainerSource):
    """
    Images in a zip file.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    path : str
        The file.
    names : list of str
        Shape (N,), of the members.
    preset, bands : str
        For FITS members.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        path: str | Path,
        names: list[str],
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        super().__init__(object_ids, path)
        self.names = np.array(names, dtype=np.dtypes.StringDType())
        self.preset, self.bands = preset, bands

    def _open(self) -> Any:
        return zipfile.ZipFile(self.path)

    def _load(self, i: int) -> Picture:
        return read_bytes(self._bytes(i), str(self.names[i]), self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        return fluxes_in(self._bytes(i), str(self.names[i]), self.preset, self.bands)

    def _bytes(self, i: int) -> bytes:
        name = str(self.names[i])
        with self._opened() as archive:
            try:
                return _read(archive, archive.getinfo(name), MAX_MEMBER)
            except KeyError as error:
                raise UnreadableImage(f"{self.path} has no member {name}") from error
            except _DAMAGE as error:
                raise UnreadableImage(f"damaged zip member {name} ({error})") from error


def _read(archive: Any, info: zipfile.ZipInfo, most: int) -> bytes:
    """Unpack a member; what it says of its size is not believed, what it unpacks to is counted."""
    if info.flag_bits & 1:
        raise UnreadableImage("a member with a password; unpack the zip file yourself")
    most = min(most, max(_ALWAYS_TAKEN, _MAX_RATIO * info.compress_size))
    if info.file_size > most:
        raise UnreadableImage(
            f"a member that unpacks from {info.compress_size / 1e6:,.1f} MB to "
            f"{info.file_size / 1e6:,.0f} MB is no galaxy stamp"
        )
    with archive.open(info) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UnreadableImage(f"a member that unpacks to more than {most / 1e6:,.0f} MB is no galaxy stamp")
    return data


def open_zip(spec: SourceSpec, path: Path, table: Table | None = None) -> Catalogue:
    """
    Open a zip file of images, those that a table names or all.

    Without a table, members ``.json``, ``.cls`` and ``.txt`` of the same name become columns.
    """
    index = index_zip(path)

    def opener(object_ids: np.ndarray, names: list[str], rows: np.ndarray) -> ImageSource:
        return ZipSource(object_ids, path, names, spec.preset, spec.bands)

    if table is not None:
        return open_rows(spec, table, str(spec.image_root), index, opener)
    return open_members(spec, index, opener)


def index_zip(path: Path) -> Index:
    """Read the directory of a zip file, and the labels in it."""
    index, unpacked = Index(), 0
    most = max(_ALWAYS_TAKEN, _MAX_LABELS_RATIO * path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    index.add(info.filename, info.file_size, lambda: _label(archive, info))  # noqa: B023
                    unpacked += len(index.labels.get(info.filename, b""))
                if unpacked > most:
                    raise CatalogueError(
                        f"{path}: its labels unpack to more than {most / 1e6:,.0f} MB; it is damaged or made "
                        "to fill the memory"
                    )
    except (*_DAMAGE, IndexError) as error:  # IndexError: a member without a name
        raise CatalogueError(f"{path} cannot be read as zip ({error}). Is it complete?") from error
    return index


def _label(archive: Any, info: zipfile.ZipInfo) -> bytes:
    try:
        return _read(archive, info, MAX_LABEL)
    except (UnreadableImage, *_DAMAGE):
        return b"\xff"  # counted as damaged with the others
