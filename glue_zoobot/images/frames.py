"""How large a piece of the sky the picture of a galaxy shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.identity import find_column
from glue_zoobot.images.spec import SourceSpec

_ANGLE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([a-z\"'″′]*)\s*", re.IGNORECASE)
_ARCSEC = {
    **dict.fromkeys(("", "arcsec", "arcsecs", "arcsecond", "arcseconds", "asec", "as", '"', "″"), 1.0),
    **dict.fromkeys(("arcmin", "arcmins", "arcminute", "arcminutes", "amin", "am", "'", "′"), 60.0),
    **dict.fromkeys(("deg", "degree", "degrees"), 3600.0),
}
DEFAULT_FACTOR = 4.0


@dataclass(frozen=True)
class Frames:
    """
    Sides of the square frames of N galaxies.

    Attributes
    ----------
    arcsec : numpy.ndarray
        float64, shape (N,); NaN where the size is not known.
    text : str
        "30 arcsec", or "4 x column 'petro_r'".
    """

    arcsec: np.ndarray
    text: str


def frames_of(spec: SourceSpec, table: Table) -> Frames:
    """
    Read what a user said of the size: one for all, or a radius of the catalogue times a factor.

    Raises
    ------
    CatalogueError
        Nothing was said, two things were said, or it cannot be understood.
    """
    if (spec.size is None) == (spec.size_column is None):
        raise CatalogueError(
            "how large are the cutouts? Give either --size 30arcsec for all, or --size-column with a radius "
            f"in arcsec (and --size-factor, {DEFAULT_FACTOR:g} when not given)"
        )
    if spec.size is not None:
        arcsec = angle(spec.size)
        return Frames(np.full(len(table), arcsec), f"{arcsec:g} arcsec")
    column = find_column(table.colnames, str(spec.size_column))
    factor = DEFAULT_FACTOR if spec.size_factor is None else spec.size_factor
    if not (np.isfinite(factor) and factor > 0):
        raise CatalogueError(f"--size-factor {factor}: give a positive number")
    radii, unit = _arcsec(table, column)
    sizes = np.where(np.isfinite(radii) & (radii > 0), factor * radii, np.nan)
    if not np.isfinite(sizes).any():
        raise CatalogueError(f"column {column!r} holds no positive number; name a radius in arcsec")
    median = np.nanmedian(sizes)
    return Frames(sizes, f"{factor:g} x column {column!r} ({unit}): {median:.3g} arcsec in the median")


def angle(text: str) -> float:
    """``"30arcsec"``, ``"0.5 arcmin"`` or ``"30"`` to arcsec; raises `CatalogueError` for anything else."""
    match = _ANGLE.fullmatch(text)
    if match is None or match[2].lower() not in _ARCSEC or not float(match[1]):
        raise CatalogueError(f"size {text!r}: give an angle such as 30arcsec or 0.5arcmin")
    return float(match[1]) * _ARCSEC[match[2].lower()]


def _arcsec(table: Table, name: str) -> tuple[np.ndarray, str]:
    """Radii of a column in arcsec, and what is known of their unit."""
    column = table[name]
    values = np.asarray(column)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise CatalogueError(f"column {name!r} holds no numbers; name a radius in arcsec")
    unit = str(getattr(column, "unit", None) or "").lower()
    if unit not in _ARCSEC:
        raise CatalogueError(f"column {name!r} is in {unit!r}; name a radius in arcsec, arcmin or deg")
    said = f"in {unit}" if unit else "taken as arcsec"
    return values.astype(np.float64) * _ARCSEC[unit], said
