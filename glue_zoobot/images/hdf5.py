"""A stack of images in an HDF5 file, such as Galaxy10: ``images`` (N, H, W, 3) with labels beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.arrays import (
    check_stack,
    describe_scale,
    fluxes_of,
    pick,
    picture_of,
    white_level,
)
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.identity import identify
from glue_zoobot.images.source import ContainerSource, Fluxes, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import text_array

_MAX_CHUNK = 1024**3  # bytes; what HDF5 unpacks at once
_CHUNK_CACHE = 64 * 1024**2  # bytes; a compressed chunk of many images is unpacked once, not once per image


class HDF5Source(ContainerSource):
    """
    Images along the first axis of an HDF5 dataset; the file is opened by the process that reads.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    path, dataset : str
        Where the images are.
    scale : float or None
        Value that is white; None for fluxes.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        path: str | Path,
        dataset: str,
        scale: float | None,
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        super().__init__(object_ids, path)
        self.dataset, self.scale = dataset, scale
        self.preset, self.bands = preset, bands

    def _open(self) -> Any:
        import h5py

        return h5py.File(self.path, "r", rdcc_nbytes=_CHUNK_CACHE)[self.dataset]

    def _load(self, i: int) -> Picture:
        return picture_of(self._image(i), self.scale, self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        return fluxes_of(self._image(i), self.scale, self.preset, self.bands)

    def _image(self, i: int) -> np.ndarray:
        with self._opened() as images:
            return images[i]


def open_hdf5(spec: SourceSpec, path: Path) -> Catalogue:
    """Open an HDF5 stack; datasets with one value per image become columns, ids among them."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            shapes = _datasets(file)
            name = pick(list(shapes), list(shapes.values()), spec.image_column, str(path))
            images = file[name]
            check_stack(path, images.shape, images.dtype)
            _require_stored(path, images)
            columns = {n: _values(file[n]) for n, s in shapes.items() if len(s) == 1 and s[0] == len(images)}
            scale, dtype, count = white_level(images, spec.preset), images.dtype, len(images)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # damaged trees and names
        raise CatalogueError(f"{path} cannot be read as HDF5 ({error}). Is it complete?") from error
    table = Table({n.rsplit("/", 1)[-1]: v for n, v in columns.items() if v is not None})
    identity = identify(table if table.colnames else Table({" ": np.arange(count)}), spec.id_column)
    source = HDF5Source(identity.object_ids, path, name, scale, spec.preset, spec.bands)
    notes = (f"images from dataset {name!r}", describe_scale(scale, dtype))
    return Catalogue.assemble(spec, source, table, identity, notes)


def _require_stored(path: Path, images: Any) -> None:
    """Refuse a dataset that takes its bytes from another file, or promises more than is stored of it."""
    stored = images.id.get_storage_size()
    if images.external or images.is_virtual:
        raise CatalogueError(f"{path}: {images.name!r} takes its values from other files; copy them into one")
    if len(images) > max(stored, 1):  # an image takes more than a byte, however well it is compressed
        raise CatalogueError(
            f"{path}: {images.name!r} says that it has {len(images):,} images, and holds {stored:,} bytes"
        )
    chunk = np.prod(images.chunks or 0) * images.dtype.itemsize
    if chunk > _MAX_CHUNK:
        raise CatalogueError(
            f"{path}: to read one image of {images.name!r} {chunk / 1e9:.1f} GB must be unpacked; "
            "save it with a chunk for each image"
        )


def _datasets(file: Any) -> dict[str, tuple[int, ...]]:
    import h5py

    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item.shape or ()

    file.visititems(visit)
    return found


def _values(dataset: Any) -> np.ndarray | None:
    """Numbers or text of a dataset; None for compound and other types."""
    if dataset.dtype.kind in "OS":
        values = dataset.asstr(errors="replace")[:] if _is_text(dataset) else None
        return None if values is None else text_array(values.tolist())
    return dataset[:] if dataset.dtype.kind in "iufb" else None


def _is_text(dataset: Any) -> bool:
    import h5py

    return h5py.check_string_dtype(dataset.dtype) is not None
