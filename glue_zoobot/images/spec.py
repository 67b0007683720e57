"""What a user says about where the images are; small enough to save in a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from glue_zoobot.errors import CatalogueError


@dataclass(frozen=True)
class SourceSpec:
    """
    Where galaxy images are and how to read them.

    Parameters
    ----------
    path : str
        Folder, table with a path column, HDF5, ``.npy``/``.npz``, Parquet, FITS, zip or tar file; several tar
        files as ``data-{000..099}.tar`` or ``data-*.tar``.
    id_column : str, optional
        Column of object ids; found under the usual names when not given.
    image_column : str, optional
        Column (or dataset) of image paths, image bytes or image arrays; found when not given.
    image_root : str, optional
        Folder that the paths of the table are relative to; the folder of the table when not given.
        For a table of HDU numbers, the FITS file. It may be a zip file or tar files, whose members the
        table names.
    preset : str
        How fluxes become colours, see `glue_zoobot.images.rgb`; ``"auto"`` chooses by the bands.
    bands : str, optional
        One FITS file per band: ``"{id}_{band}.fits:irg"``, the file name pattern, a colon, then the
        bands for red, green and blue (two bands: red and blue; names of several letters are separated
        by commas). For cubes: ``"grz:zrg"``, the order of the planes, then red, green and blue.
        Without the colon, the bands are sorted by wavelength.
    mosaic : str, optional
        Tiles from which the galaxies of the table are cut out by their positions: ``"tiles/*.fits"``, or
        ``"tiles/*_{band}.fits:irg"`` where each band has files of its own.
    size : str, optional
        Side of the cutouts, ``"30arcsec"``.
    size_column, size_factor : str, float, optional
        Instead: a column of radii in arcsec, and how many of them the side is (4).
    position : str, optional
        Columns of right ascension and declination, ``"ra,dec"`` or ``"ra:hours,dec"``; found when not given.
    """

    path: str
    id_column: str | None = None
    image_column: str | None = None
    image_root: str | None = None
    preset: str = "auto"
    bands: str | None = None
    mosaic: str | None = None
    size: str | None = None
    size_column: str | None = None
    size_factor: float | None = None
    position: str | None = None

    def with_paths(self, change: Callable[[str], str]) -> SourceSpec:
        """Return the same with every path changed."""
        root, mosaic = (None if text is None else change(text) for text in (self.image_root, self.mosaic))
        return replace(self, path=change(self.path), image_root=root, mosaic=mosaic)

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, fit for JSON; what is at its default is left out."""
        defaults = SourceSpec(self.path)
        values = asdict(self)
        return {k: v for k, v in values.items() if k == "path" or v != getattr(defaults, k)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SourceSpec:
        """Inverse of `to_dict`; raises `CatalogueError` for a field that does not exist."""
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown or "path" not in values:
            raise CatalogueError(f"not an image source: unknown field {unknown}, or no 'path', in {values}")
        for name, value in values.items():
            wanted = (int, float) if name == "size_factor" else str
            needed = name in ("path", "preset")
            if isinstance(value, bool) or not (isinstance(value, wanted) or (value is None and not needed)):
                raise CatalogueError(f"not an image source: {name} is {str(value)[:100]!r}")
        return cls(**values)
