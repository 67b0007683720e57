"""Square grids on the sky, north up and east left, and the pixels that an image has on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from glue_zoobot.images.decode import UnreadableImage, check_size
from glue_zoobot.images.tiles import ARCSEC, Tile, TileFiles, to_pixels, to_sky

_FEWEST = 8  # pixels a side of a cutout
_ON_THE_GRID = 0.05  # pixels; less than this is not worth an interpolation


class Grid:
    """
    Pixels of a cutout on the sky, north up and east left: tangent plane, square.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    size : int
        Pixels a side.
    scale : float
        Arcsec per pixel.
    """

    def __init__(self, ra: float, dec: float, size: int, scale: float) -> None:
        self.ra, self.dec, self.size, self.scale = ra, dec, size, scale

    @classmethod
    def on(cls, wcs: Any, where: tuple[float, float], arcsec: float) -> Grid:
        """Grid of the pixels of a tile, as near to a place as whole pixels allow."""
        scale = float(np.sqrt(abs(np.linalg.det(jacobian(wcs, *where, 1.0))))) ** -1
        size = max(round(arcsec / scale), _FEWEST)
        check_size(size, size)
        x, y = to_pixels(wcs, *map(np.array, where))
        half = 0.0 if size % 2 else 0.5
        ra, dec = to_sky(wcs, np.rint(x - half) + half, np.rint(y - half) + half)
        return cls(float(ra), float(dec), size, scale)

    def onto(self, wcs: Any) -> tuple[np.ndarray, np.ndarray]:
        """
        Linear map from pixels (u, v) of the grid, v to the north, to pixels (x, y) of a tile.

        Returns
        -------
        matrix : numpy.ndarray
            (2, 2); whole numbers where the tile has the same pixels, perhaps turned or flipped.
        offset : numpy.ndarray
            (2,), of the pixel (0, 0).
        """
        half = (self.size - 1) / 2
        east_north = jacobian(wcs, self.ra, self.dec, max(half * self.scale, 1.0))
        matrix = east_north * [-self.scale, self.scale]
        whole = np.rint(matrix)
        turned_or_flipped = abs(np.linalg.det(whole)) == 1 and np.abs(whole).sum() == 2
        if turned_or_flipped and (np.abs(matrix - whole) * half < 0.5).all():
            matrix = whole
        centre = np.array(to_pixels(wcs, np.array(self.ra), np.array(self.dec)), dtype=float)
        offset = centre - matrix @ [half, half]
        if (np.abs(offset - np.rint(offset)) < _ON_THE_GRID).all():
            offset = np.rint(offset)
        return matrix, offset


def jacobian(wcs: Any, ra: float, dec: float, step: float) -> np.ndarray:
    """Pixels (x, y) per arcsec to the east and to the north, (2, 2), from steps of that many arcsec."""
    ra0, dec0 = np.radians(ra), np.radians(dec)
    xi, eta = np.array([0, step, -step, 0, 0]) * ARCSEC, np.array([0, 0, 0, step, -step]) * ARCSEC
    below = np.cos(dec0) - eta * np.sin(dec0)  # gnomonic projection, Calabretta & Greisen 2002
    lon = ra0 + np.arctan2(xi, below)
    lat = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(below, xi))
    x, y = to_pixels(wcs, np.degrees(lon) % 360, np.degrees(lat))
    matrix = np.array([[x[1] - x[2], x[3] - x[4]], [y[1] - y[2], y[3] - y[4]]]) / (2 * step)
    if not np.isfinite(matrix).all() or not np.linalg.det(matrix):
        raise UnreadableImage("the coordinates of its tile (WCS) are not defined around it")
    return matrix


def sample(files: TileFiles, tile: Tile, grid: Grid) -> tuple[np.ndarray, np.ndarray] | None:
    """Pixels of a grid in one tile (B, n, n) and which of them it has (n, n); None if it has none."""
    matrix, offset = grid.onto(files.wcs(tile))
    v, u = np.mgrid[: grid.size, : grid.size]
    x, y = (matrix[k, 0] * u + matrix[k, 1] * v + offset[k] for k in (0, 1))
    height, width = tile.shape[-2:]
    inside = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
    if not inside.any():
        return None
    left, bottom = max(int(np.floor(x[inside].min())), 0), max(int(np.floor(y[inside].min())), 0)
    right, top = min(int(np.ceil(x[inside].max())) + 1, width), min(int(np.ceil(y[inside].max())) + 1, height)
    pixels = files.pixels(tile, slice(bottom, top), slice(left, right))
    values = np.full((len(pixels), *inside.shape), np.nan, dtype=np.float32)
    values[:, inside] = _interpolate(pixels, x[inside] - left, y[inside] - bottom)
    return values, inside


def _interpolate(pixels: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Linear interpolation of planes (B, h, w) at places (M,); exact at whole numbers."""
    height, width = pixels.shape[1:]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, below = np.floor(x).astype(int), np.floor(y).astype(int)
    right, above = np.minimum(left + 1, width - 1), np.minimum(below + 1, height - 1)
    dx, dy = (x - left).astype(np.float32), (y - below).astype(np.float32)
    if not dx.any() and not dy.any():
        return pixels[:, below, left]
    low = pixels[:, below, left] * (1 - dx) + pixels[:, below, right] * dx
    high = pixels[:, above, left] * (1 - dx) + pixels[:, above, right] * dx
    return low * (1 - dy) + high * dy
