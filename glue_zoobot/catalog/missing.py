"""What a restored session expects and does not find, and how to go on once the user says where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from glue_zoobot.catalog.embeddings import attach_embeddings
from glue_zoobot.catalog.pictures import attach_images, images_of, source_of
from glue_zoobot.catalog.record import record_of, resolve
from glue_zoobot.catalog.stores import MANIFEST
from glue_zoobot.images.files import FileSource

if TYPE_CHECKING:
    from glue.core import Data, DataCollection

__all__ = ["Missing", "what_is_missing"]

_LOOKED_AT = 5  # files that tell whether the images are there
_LEVELS_UP = 3  # the user may choose the folder of the images, not the one that their paths start from


@dataclass(frozen=True)
class Missing:
    """
    Images or embeddings that are not where a dataset expects them.

    Attributes
    ----------
    data : Data
    what : {"images", "embeddings"}
    path : Path
        Where they should be.
    """

    data: Data
    what: str
    path: Path

    def find_in(self, folder: Path) -> int:
        """
        Take up what is in a folder; reads files, so not for a GUI thread.

        Parameters
        ----------
        folder : Path
            Their new place, or a folder around or in it.

        Returns
        -------
        int
            Galaxies that have them now.

        Raises
        ------
        CatalogueError, StoreError
            If they are not there.
        """
        if self.what == "images":
            return _find_images(self.data, folder)
        return attach_embeddings(self.data, _store_in(folder, self.path.name))


def what_is_missing(collection: DataCollection) -> list[Missing]:
    """Look for the images and embeddings of all datasets; reads files, so not for a GUI thread."""
    found = []
    for data in collection:
        if hasattr(data, "meta"):
            images, store = _missing_images(data), _missing_store(data)
            found += [] if images is None else [Missing(data, "images", images)]
            found += [] if store is None else [Missing(data, "embeddings", store)]
    return found


def _missing_store(data: Data) -> Path | None:
    known = record_of(data).get("store")
    path = None if known is None else resolve(data, known)
    return None if path is None or (path / MANIFEST).is_file() else path


def _missing_images(data: Data) -> Path | None:
    spec = source_of(data)
    if spec is None:
        return None
    if not Path(spec.path).exists():
        return Path(spec.path)
    files = _files(data)
    if files is None or any(Path(files.path(i)).exists() for i in _some(len(files))):
        return None
    return Path(files.path(0)).parent


def _files(data: Data) -> FileSource | None:
    """Return the image source if it is one of paths in a table."""
    images = images_of(data)
    return images.source if images is not None and isinstance(images.source, FileSource) else None


def _some(n: int) -> set[int]:
    return {n * k // _LOOKED_AT for k in range(_LOOKED_AT)} if n else set()


def _find_images(data: Data, folder: Path) -> int:
    spec, files = source_of(data), _files(data)
    if spec is not None and files is not None and Path(spec.path).is_file():
        for root in (folder, *list(folder.parents)[:_LEVELS_UP]):
            if any((root / str(files.paths[i])).exists() for i in _some(len(files))):
                return attach_images(data, replace(spec, image_root=str(root)))
    return attach_images(data, folder)


def _store_in(folder: Path, name: str) -> Path:
    """Return the store that a folder is or holds, best that of the same name; else the folder itself."""
    inside = sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
    if (folder / MANIFEST).is_file() or not inside:
        return folder
    return next((store for store in inside if store.name == name), inside[0])
