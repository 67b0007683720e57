"""The picture of every row of a glue dataset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from glue_zoobot.catalog.identity import describe_ids, match_rows, object_ids_of
from glue_zoobot.catalog.record import (
    load_origin,
    record_of,
    relative_to,
    relative_to_data,
    resolve,
    update_record,
)
from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images import ImageSource, SourceSpec, open_catalogue
from glue_zoobot.images.stretching import Stretch, read_stretched

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["Bands", "RowImages", "attach_images", "images_of", "remember_source", "source_of"]


N_LOOKED_AT = 12  # galaxies that tell which bands there are


class Bands(NamedTuple):
    """
    Which bands of fluxes a catalogue has.

    Attributes
    ----------
    names : tuple of str
        All of them; empty where only pictures are kept.
    drawn : tuple of str
        Those that its pictures show: red, green and blue; red and blue; or one.
    """

    names: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()


class RowImages:
    """
    Images in the row order of a glue dataset.

    Parameters
    ----------
    source : ImageSource
        M images.
    object_ids : np.ndarray
        Shape (N,), of the rows.
    index : np.ndarray, optional
        Shape (N,): image number of each row, -1 for none. Rows and images agree when not given.
    """

    def __init__(self, source: ImageSource, object_ids: np.ndarray, index: np.ndarray | None = None) -> None:
        self.source = source
        self.object_ids = object_ids
        self.index = index

    def __len__(self) -> int:
        return len(self.object_ids)

    def read(self, row: int) -> np.ndarray:
        """
        Read the image of a row; may be called from several threads at once.

        Returns
        -------
        np.ndarray
            uint8, shape (H, W, 3).

        Raises
        ------
        ImageError
            The row has no image, or it cannot be read.
        """
        return self.source.read(self._number(row))

    def show(self, row: int, stretch: Stretch | None) -> np.ndarray:
        """
        Read the image of a row as `read` does, with a stretch for the eye alone.

        Parameters
        ----------
        row : int
        stretch : Stretch or None
            None, and pictures without fluxes: as they are.

        Returns
        -------
        np.ndarray
            uint8, shape (H, W, 3).

        Raises
        ------
        ImageError
            As from `read`, or the image has not the bands asked for.
        """
        return self.read(row) if stretch is None else read_stretched(self.source, self._number(row), stretch)

    def bands(self) -> Bands:
        """Look at a few galaxies from all over the catalogue for their bands; may take a moment."""
        names: dict[str, None] = {}
        drawn: tuple[str, ...] = ()
        for row in sorted({len(self) * k // N_LOOKED_AT for k in range(N_LOOKED_AT)}) if len(self) else ():
            try:
                fluxes = self.source.fluxes(self._number(row))
            except ImageError:
                continue
            if fluxes is not None:
                names |= dict.fromkeys(fluxes.names)
                drawn = max(drawn, fluxes.drawn, key=len)
        return Bands(tuple(names), drawn)

    def _number(self, row: int) -> int:
        number = row if self.index is None else int(self.index[row])
        if number < 0:
            raise ImageError(str(self.object_ids[row]), "the image source has no image with this id")
        return number


_CACHE: WeakKeyDictionary[Data, tuple[SourceSpec | None, RowImages]] = WeakKeyDictionary()


def source_of(data: Data) -> SourceSpec | None:
    """Return where a dataset's images are, with paths as they are now; None if nobody said."""
    fields = record_of(data).get("source")
    if not fields:
        return None
    try:
        spec = SourceSpec.from_dict(fields)
    except CatalogueError:  # of a later version, or of a session that was changed
        return None
    return spec.with_paths(lambda text: str(resolve(data, text)))


def images_of(data: Data) -> RowImages | None:
    """
    Return the images of a dataset in its row order.

    Opened when first asked for, and kept as long as the dataset lives.

    Returns
    -------
    RowImages or None
        None if the dataset has no image source, or it is no longer there.
    """
    spec = source_of(data)
    if spec is None:
        return None
    known = _CACHE.get(data)
    if known is None or known[0] != spec:
        try:
            known = _CACHE[data] = (spec, _open(data, spec))
        except CatalogueError:
            return None
    return known[1]


def attach_images(data: Data, spec: SourceSpec | str | os.PathLike[str]) -> int:
    """
    Say where the images of a dataset are; rows and images are matched by object id.

    Parameters
    ----------
    data : Data
        Any table in glue.
    spec : SourceSpec or path

    Returns
    -------
    int
        How many rows have an image now.

    Raises
    ------
    CatalogueError
        If the source cannot be opened, or no id of the table is among those of the images.
    """
    if not isinstance(spec, SourceSpec):
        spec = SourceSpec(os.path.abspath(spec))  # noqa: PTH100
    source = open_catalogue(spec).source
    rows, numbers = match_rows(data, source.object_ids)
    if not rows.size:
        raise CatalogueError(
            f"none of the {data.size:,} rows of {data.label} ({describe_ids(data)}) is "
            f"among the {len(source):,} images of {spec.path} (such as {source.object_ids[0]!r}); "
            "name the id column"
        )
    _CACHE.pop(data, None)
    update_record(data, source=spec.with_paths(lambda text: relative_to_data(data, text)).to_dict())
    _CACHE[data] = (source_of(data), RowImages(source, object_ids_of(data), _index(data, rows, numbers)))
    data.broadcast("meta")  # open galleries show them at once
    return len(rows)


def remember_source(data: Data, spec: SourceSpec, source: ImageSource, folder: Path) -> None:
    """
    Note the image source from which a dataset is just being made, whose images are its rows.

    Parameters
    ----------
    data : Data
    spec : SourceSpec
        With absolute paths.
    source : ImageSource
        Opened; it will not be opened again.
    folder : Path
        What the remembered paths are relative to: where the data's file is.
    """
    update_record(data, source=spec.with_paths(lambda text: relative_to(text, folder)).to_dict())
    _CACHE[data] = (spec, RowImages(source, object_ids_of(data)))


def _open(data: Data, spec: SourceSpec) -> RowImages:
    origin = load_origin(data)
    if origin is not None and origin is not data and origin in _CACHE and source_of(origin) == spec:
        return _CACHE[origin][1]  # a restored dataset: its file was read a moment ago
    source = open_catalogue(spec).source
    ids = object_ids_of(data)
    if len(source) == data.size and (source.object_ids == ids).all():
        return RowImages(source, ids)
    return RowImages(source, ids, _index(data, *match_rows(data, source.object_ids)))


def _index(data: Data, rows: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    index = np.full(data.size, -1, dtype=np.int64)
    index[rows] = numbers
    return index
