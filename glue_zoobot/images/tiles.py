"""Large FITS images of the sky, such as the tiles of a coadd: which has a position, and its pixels."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits
from glue_zoobot.images.decode import UnreadableImage

ARCSEC = np.pi / 180 / 3600
_OPEN = 16  # files that are kept open
#: Tiles of several bands: a pattern, a colon, and the bands for red, green and blue.
ORDER = re.compile(r"(?P<pattern>.*\{band\}[^:]*)(:(?P<order>[^/\\:]+))?")


@dataclass(frozen=True)
class Tile:
    """
    One image with celestial coordinates.

    Attributes
    ----------
    path, hdu : str, int
        Where it is.
    shape : tuple of int
        (H, W), or (B, H, W) for a cube of bands.
    centre : tuple of float
        Unit vector.
    radius : float
        Radians, of the circle around it.
    """

    path: str
    hdu: int
    shape: tuple[int, ...]
    centre: tuple[float, float, float]
    radius: float


def find_files(pattern: str, folder: Path) -> list[Path]:
    """
    Files that a pattern names, relative to the current folder or else to `folder`.

    Raises
    ------
    CatalogueError
        None is there.
    """
    for base in (Path(), folder):
        start = base / Path(pattern).expanduser()
        if start.is_dir():
            found = [p for p in sorted(start.iterdir()) if p.name.lower().endswith(fits.SUFFIXES)]
        else:
            anchor = Path(start.anchor)
            tail = start.relative_to(anchor) if start.anchor else start
            found = [p for p in sorted(anchor.glob(str(tail))) if p.is_file()]
        if found:
            return found
    raise CatalogueError(f"no file fits {pattern}; give a pattern such as 'tiles/*.fits' in quotes")


def absolute(pattern: str, folder: Path) -> str:
    """Make a pattern absolute: from the current folder if its files are there, else from `folder`."""
    if Path(pattern).expanduser().is_absolute():
        return str(Path(pattern).expanduser())
    here = Path.cwd()
    plain = ORDER.sub(r"\g<pattern>", pattern).replace("{band}", "*")
    try:
        inside = here in find_files(str(here / plain), here)[0].parents
    except CatalogueError:
        inside = False
    return str((here if inside else folder) / pattern)


def by_band(pattern: str, folder: Path) -> dict[str, list[Path]]:
    """
    Files of each band, where the pattern has ``{band}`` in it; all under "" where it has not.

    Raises
    ------
    CatalogueError
        None is there.
    """
    if "{band}" not in pattern:
        return {"": find_files(pattern, folder)}
    files = find_files(pattern.replace("{band}", "*"), folder)
    name = re.escape(Path(pattern).name).replace(r"\{band\}", "(?P<band>[^/]+?)", 1)
    expression = re.compile(name.replace(r"\{band\}", "(?P=band)").replace(r"\*", ".*").replace(r"\?", "."))
    found: dict[str, list[Path]] = {}
    for path in files:
        match = expression.fullmatch(path.name)
        if match:
            found.setdefault(match["band"], []).append(path)
    if not found:
        raise CatalogueError(f"no file fits {pattern}: {{band}} stands for the band in the name of a file")
    return found


def read_tiles(paths: Sequence[Path]) -> tuple[list[Tile], list[str]]:
    """
    Look at the headers of files, and at nothing else of them.

    Returns
    -------
    tiles : list of Tile
        Every image HDU with celestial coordinates.
    notes : list of str
        Files that have none, or cannot be read.
    """
    tiles: list[Tile] = []
    notes: list[str] = []
    for path in paths:
        try:
            found = list(_tiles_in(path))
        except (UnreadableImage, OSError) as error:
            notes.append(f"{path}: left out: {error}")
            continue
        tiles += found
        if not found:
            notes.append(f"{path}: left out: no image with celestial coordinates (WCS)")
    return tiles, notes


def _tiles_in(path: Path) -> Iterator[Tile]:
    with fits.open_large(str(path)) as hdus, fits.damage_explained():
        for number, hdu in enumerate(fits.parts(hdus)):
            if not fits.is_image(hdu):
                continue
            wcs = celestial(hdu.header)
            if wcs is not None:
                yield _tile(str(path.absolute()), number, tuple(hdu.shape), wcs)


def _tile(path: str, hdu: int, shape: tuple[int, ...], wcs: Any) -> Tile:
    height, width = shape[-2:]
    x, y = np.meshgrid(np.linspace(-0.5, width - 0.5, 5), np.linspace(-0.5, height - 0.5, 5))
    ra, dec = to_sky(wcs, x.ravel(), y.ravel())
    if not np.isfinite(ra).all():
        raise UnreadableImage("its coordinates (WCS) are not defined all over the image")
    vectors = unit_vectors(ra, dec)
    centre = vectors[12]  # the middle of the 5 x 5 points
    radius = float(np.arccos(np.clip(vectors @ centre, -1, 1)).max())
    return Tile(path, hdu, shape, tuple(centre.tolist()), radius * 1.01 + ARCSEC)


def celestial(header: Any) -> Any:
    """WCS of an image header; None if it has no celestial coordinates."""
    from astropy.wcs import WCS

    header = header.copy()
    header.remove("RADECSYS", ignore_missing=True)  # of which astropy would warn for every file
    if header.get("CTYPE1", "").endswith(("TPV", "TNX", "ZPX")) and "CD1_1" in header:
        header.remove("PC*", ignore_missing=True)  # written beside CD by some cutters, and then taken twice
        header.remove("CDELT?", ignore_missing=True)
    wcs = WCS(header, naxis=2, fix=False)
    return wcs if wcs.has_celestial else None


def to_sky(wcs: Any, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination (ICRS, degrees) of pixels, counted from 0."""
    first, second = wcs.all_pix2world(x, y, 0)
    frame = _other_frame(wcs)
    if wcs.wcs.lng == 1:
        first, second = second, first
    if frame is None:
        return first, second
    from astropy.coordinates import SkyCoord

    sky = SkyCoord(first, second, unit="deg", frame=frame).icrs
    return sky.ra.deg, sky.dec.deg


def to_pixels(wcs: Any, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of `to_sky`; NaN where the image has no such place."""
    frame = _other_frame(wcs)
    if frame is not None:
        from astropy.coordinates import SkyCoord

        sky = SkyCoord(ra, dec, unit="deg", frame="icrs").transform_to(frame)
        ra, dec = sky.spherical.lon.deg, sky.spherical.lat.deg
    pair = (dec, ra) if wcs.wcs.lng == 1 else (ra, dec)
    x, y = wcs.all_world2pix(*pair, 0, quiet=True)
    return x, y


def _other_frame(wcs: Any) -> Any:
    """Frame of the coordinates where it is not ICRS; FK5 of J2000 differs by less than 0.1 arcsec."""
    from astropy.wcs.utils import wcs_to_celestial_frame

    frame = wcs_to_celestial_frame(wcs)
    equinox = getattr(frame, "equinox", None)
    is_j2000 = frame.name == "fk5" and equinox is not None and abs(equinox.jyear - 2000) < 0.01
    return None if frame.name == "icrs" or is_j2000 else frame


def unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Degrees to unit vectors (N, 3)."""
    lon, lat = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


class TileFiles:
    """Files of tiles, the last few kept open; pixels are read from the disk only where they are asked for."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Any] = OrderedDict()
        self._maps: OrderedDict[tuple[str, int], np.ndarray | None] = OrderedDict()
        self._wcs: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def wcs(self, tile: Tile) -> Any:
        """Coordinates of a tile."""
        key = (tile.path, tile.hdu)
        if key not in self._wcs:
            self._wcs[key] = celestial(self._hdu(tile).header)
            while len(self._wcs) > 8 * _OPEN:
                self._wcs.popitem(last=False)
        return self._wcs[key]

    def header(self, tile: Tile) -> Any:
        """Header of a tile."""
        return self._hdu(tile).header

    def pixels(self, tile: Tile, rows: slice, columns: slice) -> np.ndarray:
        """Part of a tile, (B, h, w), float32."""
        section = self._mapped(tile)
        part = section[rows, columns] if len(tile.shape) == 2 else section[:, rows, columns]
        values = np.asarray(part, dtype=np.float32)
        return values[None] if values.ndim == 2 else values

    def _mapped(self, tile: Tile) -> Any:
        """
        Pixels of a tile to take parts of: mapped into memory where they lie in the file as they are.

        Of packed or scaled ones astropy reads the rows that are asked for, one by one.
        """
        key = (tile.path, tile.hdu)
        if key not in self._maps:
            self._maps[key] = _map(self._hdu(tile), tile)
            while len(self._maps) > _OPEN:
                self._maps.popitem(last=False)
        mapped = self._maps[key]
        return self._hdu(tile).section if mapped is None else mapped

    def _hdu(self, tile: Tile) -> Any:
        if tile.path not in self._open:
            self._open[tile.path] = fits.open_large(tile.path)
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(tile.path)
        return self._open[tile.path][tile.hdu]


def _map(hdu: Any, tile: Tile) -> np.ndarray | None:
    """Map the pixels of an image into memory; None where they are packed or scaled."""
    about = hdu.fileinfo()
    packed = type(hdu).__name__ == "CompImageHDU" or about["file"].compression
    if packed or "BSCALE" in hdu.header or "BZERO" in hdu.header or "BLANK" in hdu.header:
        return None
    dtype = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[hdu.header["BITPIX"]]
    return np.memmap(tile.path, dtype, mode="r", offset=about["datLoc"], shape=tuple(hdu.shape))
