"""
Galaxies cut out of mosaics by their positions.

North is up and east is left in every cutout. Where a tile lies so already, up to quarter turns and a flip,
its pixels are taken as they are; else they are interpolated linearly onto such a grid. A cutout that reaches
beyond its tile is filled from the next one; what no tile has is sky, and is said with the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import fits, rgb
from glue_zoobot.images.bandnames import by_wavelength, parse_bands, split_bands
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.frames import Frames, frames_of
from glue_zoobot.images.grids import Grid, sample
from glue_zoobot.images.identity import identify
from glue_zoobot.images.positions import Positions, positions_of
from glue_zoobot.images.source import ContainerSource, Fluxes, ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tiles import (
    ARCSEC,
    ORDER,
    Tile,
    TileFiles,
    by_band,
    read_tiles,
    to_pixels,
    unit_vectors,
)

_NAMED = 3  # notes about single files


class MosaicSource(ContainerSource):
    """
    Cutouts of galaxies from tiles.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    tiles : dict
        Band to its tiles; one entry "" for tiles that are not told apart by band.
    ra, dec, arcsec : numpy.ndarray
        float64, shape (N,): centres in degrees, sides of the frames.
    preset, bands : str
        How fluxes become colours; for cubes, the names of their planes.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        tiles: dict[str, list[Tile]],
        ra: np.ndarray,
        dec: np.ndarray,
        arcsec: np.ndarray,
        preset: str = "auto",
        bands: str | None = None,
    ) -> None:
        super().__init__(object_ids, next((t.path for some in tiles.values() for t in some), ""))
        self.tiles, self.preset, self.bands = tiles, preset, bands
        self.ra, self.dec, self.arcsec = ra, dec, arcsec
        self._centres = {b: np.array([t.centre for t in some]).reshape(-1, 3) for b, some in tiles.items()}
        self._radii = {b: np.array([t.radius for t in some]) for b, some in tiles.items()}

    def _open(self) -> TileFiles:
        return TileFiles()

    def _load(self, i: int) -> Picture:
        planes, names, order, nanomaggies, covered = self._cut(i)
        picture = rgb.compose(planes, self.preset, names, order, nanomaggies)
        outside = int(planes.shape[0] * np.count_nonzero(~covered))
        return picture._replace(nan_count=picture.nan_count - outside, outside=float(1 - covered.mean()))

    def _fluxes(self, i: int) -> Fluxes | None:
        planes, names, order, nanomaggies, _ = self._cut(i)
        return rgb.describe(planes, self.preset, names, order, nanomaggies)

    def _cut(self, i: int) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...], bool, np.ndarray]:
        """Planes (B, n, n) from the top, their names and order, unit, and which pixels (n, n) a tile has."""
        self._require_place(i)
        with self._opened() as files, fits.damage_explained():
            grid = self._grid(files, i)
            parts, covers, headers = zip(*(self._fill(files, b, grid) for b in self.tiles), strict=True)
        planes, covered = np.concatenate(parts)[:, ::-1], np.logical_and.reduce(covers)[::-1]
        nanomaggies = all(fits.in_nanomaggies(header) for header in headers)
        if "" in self.tiles:
            named = fits.band_names(headers[0], len(planes))
            names, order = parse_bands(self.bands) if self.bands else (named, ())
            return planes, names if len(names) == len(planes) else (), order, nanomaggies, covered
        bands = tuple(self.tiles)
        return planes, bands, bands, nanomaggies, covered

    def _require_place(self, i: int) -> None:
        if not np.isfinite(self.ra[i]):
            raise UnreadableImage("the catalogue gives no position that is possible")
        if not np.isfinite(self.arcsec[i]):
            raise UnreadableImage("the catalogue gives no size of this galaxy")

    def _grid(self, files: TileFiles, i: int) -> Grid:
        """Grid of a cutout: that of the tile in which the galaxy is furthest from the edge."""
        where = float(self.ra[i]), float(self.dec[i])
        first = next(iter(self.tiles))
        best = _best(files, self._near(first, unit_vectors(*map(np.array, where)), 0.0), where)
        if best is None:
            band = f" of band {first}" if first else ""
            raise UnreadableImage(
                f"its position ({where[0]:.5f}, {where[1]:+.5f}) is outside all {len(self.tiles[first]):,} "
                f"tiles{band}"
            )
        return Grid.on(files.wcs(best), where, float(self.arcsec[i]))

    def _near(self, band: str, vector: np.ndarray, reach: float) -> list[Tile]:
        """Tiles whose circle is within `reach` (radians) of a place, nearest centre first."""
        distances = np.arccos(np.clip(self._centres[band] @ vector, -1, 1))
        near = np.flatnonzero(distances < self._radii[band] + reach)
        return [self.tiles[band][k] for k in near[np.argsort(distances[near], kind="stable")]]

    def _fill(self, files: TileFiles, band: str, grid: Grid) -> tuple[np.ndarray, np.ndarray, Any]:
        """Pixels of a grid (B, n, n) from the tiles of one band, which of them there are, and a header."""
        reach = grid.size * grid.scale * ARCSEC  # more than half a diagonal
        near = self._near(band, unit_vectors(np.array(grid.ra), np.array(grid.dec)), reach)
        pixels: np.ndarray | None = None
        covered = np.zeros((grid.size, grid.size), dtype=bool)
        header = None
        for tile in near:
            part = sample(files, tile, grid)
            if part is None:
                continue
            values, inside = part
            if pixels is None:
                pixels, header = np.full_like(values, np.nan), files.header(tile)
            new = inside & ~covered
            if new.any() and len(values) == len(pixels):
                pixels[:, new] = values[:, new]
                covered |= new
            if covered.all():
                break
        if pixels is None:
            raise UnreadableImage(
                f"its position is outside all {len(self.tiles[band]):,} tiles of band {band}"
            )
        return pixels, covered, header


def _best(files: TileFiles, near: list[Tile], where: tuple[float, float]) -> Tile | None:
    """Tile in which a place is furthest from the edge; None if none has it."""
    best, most = None, -0.5
    for tile in near:
        x, y = to_pixels(files.wcs(tile), *map(np.array, where))
        height, width = tile.shape[-2:]
        margin = min(float(x), float(y), width - 1 - float(x), height - 1 - float(y))
        if margin > most:
            best, most = tile, margin
    return best


def open_mosaic(spec: SourceSpec, table: Table, folder: Path) -> Catalogue:
    """
    Open the galaxies of a table as cutouts of tiles.

    Parameters
    ----------
    spec : SourceSpec
        With `mosaic`, and `size` or `size_column`.
    table : astropy.table.Table
        N rows with positions.
    folder : pathlib.Path
        That of the table, where relative names of tiles may start.

    Raises
    ------
    CatalogueError
        No tiles, no positions, no size, or no galaxy in any tile.
    """
    match = ORDER.fullmatch(str(spec.mosaic))
    pattern, order = (match["pattern"], match["order"] or "") if match else (str(spec.mosaic), "")
    positions, frames = positions_of(table, spec.position), frames_of(spec, table)
    tiles, notes = _tiles(pattern, order, folder)
    near = _require_some(positions, tiles, pattern)
    identity = identify(table, spec.id_column)
    source = MosaicSource(
        identity.object_ids, tiles, positions.ra, positions.dec, frames.arcsec, spec.preset, spec.bands
    )
    return Catalogue.assemble(spec, source, table, identity, (*_told(positions, frames, tiles, near), *notes))


class MissingSource(ImageSource):
    """Galaxies whose pictures cannot be had, each for the same reason."""

    def __init__(self, object_ids: np.ndarray, reason: str) -> None:
        self.object_ids, self.reason = object_ids, reason

    def _load(self, i: int) -> Picture:
        raise UnreadableImage(self.reason)


def without_tiles(spec: SourceSpec, table: Table, reason: str) -> Catalogue:
    """Open the rows of a table whose mosaic is gone, as when a session is restored elsewhere."""
    identity = identify(table, spec.id_column)
    return Catalogue.assemble(spec, MissingSource(identity.object_ids, reason), table, identity, (reason,))


def _tiles(pattern: str, order: str, folder: Path) -> tuple[dict[str, list[Tile]], list[str]]:
    """Tiles by band, those that are drawn, red first."""
    files = by_band(pattern, folder)
    bands = split_bands(order) or _red_to_blue(list(files))
    missing = [band for band in bands if band not in files]
    if missing:
        raise CatalogueError(
            f"no file of {pattern} is of band {', '.join(missing)}; there are {', '.join(files)}"
        )
    tiles, notes = {}, []
    for band in bands:
        tiles[band], more = read_tiles(files[band])
        notes += more
        if not tiles[band]:
            raise CatalogueError(
                f"{pattern}: no image with celestial coordinates. {'; '.join(notes[:_NAMED])}"
            )
    more_notes = [f"and {len(notes) - _NAMED:,} more files left out"] if len(notes) > _NAMED else []
    return tiles, notes[:_NAMED] + more_notes


def _red_to_blue(bands: list[str]) -> tuple[str, ...]:
    """Up to three bands for red, green and blue; of more, those around the middle."""
    there = by_wavelength(sorted(bands))
    if len(there) < 3:
        return tuple(reversed(there))
    middle = len(there) // 2
    return (there[middle + 1], there[middle], there[middle - 1])


def _require_some(positions: Positions, tiles: dict[str, list[Tile]], pattern: str) -> int:
    """Number of galaxies within the circle of a tile; `CatalogueError` if there is none."""
    first = next(iter(tiles.values()))
    near = _count_near(first, positions.ra, positions.dec)
    if near:
        return near
    hint = ""
    if _count_near(first, positions.dec, positions.ra):
        hint = "; they are with the two columns swapped"
    elif _count_near(first, positions.ra * 15, positions.dec):
        hint = "; they are with right ascensions in hours"
    raise CatalogueError(
        f"none of the {int(positions.known.sum()):,} positions ({positions.origin}) is in the {len(first):,} "
        f"tiles of {pattern}{hint}: --position says which columns"
    )


def _count_near(tiles: list[Tile], ra: np.ndarray, dec: np.ndarray) -> int:
    from scipy.spatial import cKDTree

    good = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90)
    if not good.any():
        return 0
    tree = cKDTree(unit_vectors(ra[good], dec[good]))
    chords = [2 * np.sin(min(t.radius, np.pi) / 2) for t in tiles]
    within: set[int] = set()
    for tile, chord in zip(tiles, chords, strict=True):
        within.update(tree.query_ball_point(tile.centre, chord))
        if len(within) == good.sum():
            break
    return len(within)


def _told(positions: Positions, frames: Frames, tiles: dict[str, list[Tile]], near: int) -> list[str]:
    count = sum(map(len, tiles.values()))
    bands = f" in bands {', '.join(tiles)}" if "" not in tiles else ""
    notes = [f"cutouts of {frames.text} from {count:,} tiles{bands}, by {positions.origin}", *positions.notes]
    if near < len(positions.ra):
        notes.append(f"{len(positions.ra) - near:,} galaxies are outside all tiles")
    return notes
