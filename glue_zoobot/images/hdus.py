"""One FITS file of many images, one per HDU, with a catalogue in the same file or beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.identity import Identity, identify
from glue_zoobot.images.source import ContainerSource, Fluxes, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import column_matching

#: Name of a column of HDU numbers.
HDU_COLUMN = r"(gal_?|image_?|img_?)?(hdu|ext|extension)(_?(num|number|index|id|ver))?"


class HDUSource(ContainerSource):
    """
    Images in the HDUs of one FITS file.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    path : str
        The FITS file.
    hdus : numpy.ndarray
        HDU number of each image, int, shape (N,); 0 is the primary HDU.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        path: str | Path,
        hdus: np.ndarray,
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        super().__init__(object_ids, path)
        self.hdus, self.preset, self.bands = hdus, preset, bands

    def _open(self) -> Any:
        from astropy.io import fits as astropy_fits

        # Kept open: HDU k is found by reading the k headers before it, once.
        return astropy_fits.open(self.path, memmap=False, lazy_load_hdus=True)

    def _load(self, i: int) -> Picture:
        return fits.colours(self._planes(i), self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        return fits.fluxes_of(self._planes(i), self.preset, self.bands)

    def _planes(self, i: int) -> fits.Planes:
        number = int(self.hdus[i])
        with self._opened() as hdus, fits.damage_explained():
            hdu = hdus[number]
            if not fits.is_image(hdu):
                raise UnreadableImage(f"HDU {number} holds no image")
            planes = fits.planes_of(hdu)
            del hdu.data  # astropy would keep the pixels of every HDU
        return planes


def open_hdus(spec: SourceSpec, path: Path, catalogue: Table | None = None) -> Catalogue:
    """
    Open a FITS file of many images.

    Parameters
    ----------
    spec : SourceSpec
        What the user said.
    path : pathlib.Path
        The FITS file.
    catalogue : astropy.table.Table, optional
        A table with a column of HDU numbers; else one row per image HDU.
    """
    if catalogue is not None:
        name = column_matching(catalogue, HDU_COLUMN)
        if name is None or np.asarray(catalogue[name]).dtype.kind not in "iu":
            raise CatalogueError(f"the catalogue of {path} has no column of HDU numbers")
        hdus = np.asarray(catalogue[name]).astype(int)
        identity = identify(catalogue, spec.id_column)
        note = f"images from the HDUs of {path.name} that column {name!r} names"
    else:
        hdus, names = image_hdus(path)
        catalogue = Table({"hdu": hdus})
        identity = _by_extension_name(names) or identify(catalogue, spec.id_column)
        note = f"{len(hdus)} image HDUs of {path.name}"
    source = HDUSource(identity.object_ids, path, hdus, spec.preset, spec.bands)
    return Catalogue.assemble(spec, source, catalogue, identity, (note,))


def image_hdus(path: Path) -> tuple[np.ndarray, list[str]]:
    """Numbers and names of the HDUs that hold images."""
    with fits.opened(str(path)) as hdus:
        found = [(k, hdu.name) for k, hdu in enumerate(fits.parts(hdus)) if fits.is_image(hdu)]
    return np.array([k for k, _ in found], dtype=int), [n for _, n in found]


def _by_extension_name(names: list[str]) -> Identity | None:
    if len(set(names)) < len(names) or not all(names):
        return None
    return Identity(np.array(names, dtype=object), "extension name")
