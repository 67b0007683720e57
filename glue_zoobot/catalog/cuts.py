"""Which galaxies may be in an answer, by their columns and their place on the sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["Cuts"]


@dataclass(frozen=True)
class Cuts:
    """
    Conditions on an answer; none by default. Its truth value says whether there is any.

    Parameters
    ----------
    within : tuple of (str, float)
        Column labels, and how far from the median of the examples a galaxy may be: magnitude, redshift …
    separation : float
        Least distance on the sky from every example, in arcseconds, so that the same object in another
        image, or a shred of it, is not its look-alike; 0 for none.
    sky : (str, str)
        Labels of right ascension and declination in degrees, for the separation.
    """

    within: tuple[tuple[str, float], ...] = ()
    separation: float = 0.0
    sky: tuple[str, str] = ("ra", "dec")

    def __bool__(self) -> bool:
        return bool(self.within) or self.separation > 0

    def allowed(self, data: Data, like: Sequence[int] | np.ndarray) -> np.ndarray:
        """
        Tell which rows fulfil all conditions.

        Parameters
        ----------
        data : Data
            N rows.
        like : sequence of int
            Rows of the examples.

        Returns
        -------
        np.ndarray
            Shape (N,), bool; False where a value is missing.

        Raises
        ------
        AnalysisError
            If a column is missing, or no example has a value in it.
        """
        like = np.asarray(like, dtype=np.int64)
        allowed = np.ones(data.size, dtype=bool)
        for label, tolerance in self.within:
            values = _numbers(data, label)
            known = values[like][np.isfinite(values[like])]
            if not known.size:
                raise AnalysisError(f"no example has a value of {label}: take that condition off")
            allowed &= np.abs(values - np.median(known)) <= tolerance
        if self.separation > 0:
            ra, dec = (_numbers(data, label) for label in self.sky)
            allowed &= _apart(ra, dec, like, self.separation)
        return allowed

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a session; empty without conditions."""
        if not self:
            return {}
        return {
            "within": [list(cut) for cut in self.within],
            "separation": self.separation,
            "sky": [*self.sky],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Cuts:
        """Inverse of `to_dict`."""
        within = tuple((str(label), float(tolerance)) for label, tolerance in values.get("within", ()))
        ra, dec = values.get("sky", ("ra", "dec"))
        return cls(within, float(values.get("separation", 0.0)), (ra, dec))


def _numbers(data: Data, label: str) -> np.ndarray:
    cid = data.find_component_id(label)
    if cid is None or data.get_kind(cid) != "numerical":
        raise AnalysisError(f"{data.label} has no column of numbers {label}: take that condition off")
    return np.asarray(data[cid], dtype=np.float64)


def _apart(ra: np.ndarray, dec: np.ndarray, like: np.ndarray, arcsec: float) -> np.ndarray:
    """Tell which rows are not within so many arcseconds of an example; unknown places are far away."""
    from scipy.spatial import cKDTree

    places = _unit_vectors(ra, dec)
    known = np.isfinite(places).all(axis=1)
    examples = places[like][known[like]]
    if not examples.size:
        raise AnalysisError("no example has a place on the sky: take that condition off")
    chord = 2 * np.sin(np.radians(arcsec / 3600) / 2)
    apart = np.ones(len(ra), dtype=bool)
    apart[known] = cKDTree(examples).query(places[known], distance_upper_bound=chord)[0] > chord
    return apart


def _unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    lon, lat = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
