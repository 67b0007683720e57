"""Choose the columns of an unknown catalogue that are worth a first look. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = [
    "Pair",
    "colour_column",
    "magnitude_and_colour",
    "map_columns",
    "similarity_and_class",
    "sky_columns",
    "two_measurements",
]

_RA = ("ra", "ra_deg", "raj2000", "ra_icrs", "right_ascension", "alpha_j2000", "ra_centre", "ra_mean")
_DEC = ("dec", "dec_deg", "dej2000", "de_icrs", "declination", "delta_j2000", "dec_centre", "dec_mean")
_COLOUR_BY = ("ellipticity", "redshift", "z_spec", "zspec", "zphot", "z_phot", "class_code", "smooth", "mass")
_BANDS = "ugrizy"
_NOT_A_MAGNITUDE = re.compile(r"rad|r50|r90|flux|err|ivar|ellip|radius|map_", re.IGNORECASE)
_CLASS_NAME = re.compile(r"class|kind|type|morph|label|hubble|answer", re.IGNORECASE)
_OURS = re.compile(r"map_|similarity")

#: The columns of the x and the y axis.
Pair = tuple["ComponentID", "ComponentID"]


def map_columns(data: Data) -> Pair | None:
    """Return x and y of the newest map, or None."""
    maps = [re.fullmatch(r"(map_\w+_)(\d+)_x", cid.label) for cid in _own(data)]
    found = [(int(match[2]), match[1]) for match in maps if match]
    if not found:
        return None
    number, prefix = max(found)
    return data.find_component_id(f"{prefix}{number}_x"), data.find_component_id(f"{prefix}{number}_y")


def sky_columns(data: Data) -> Pair | None:
    """Return right ascension and declination, or None."""
    by_name = {cid.label.lower(): cid for cid in _numeric(data)}
    ra = next((by_name[name] for name in _RA if name in by_name), None)
    dec = next((by_name[name] for name in _DEC if name in by_name), None)
    return None if ra is None or dec is None else (ra, dec)


def magnitude_and_colour(data: Data) -> Pair | None:
    """
    Return a magnitude and a colour, or None.

    The colour is the difference of two magnitudes whose names differ in the band alone, such as
    ``mag_g`` and ``mag_r``; it is added to `data` as a derived column, a formula that sessions keep.
    """
    by_name = {cid.label: cid for cid in _numeric(data)}
    preferred = [("g", "r"), *combinations(_BANDS, 2)]
    for blue, red in preferred:
        for label, cid in by_name.items():
            partner = _in_band(label, blue, red)
            if partner in by_name and _is_magnitude(data, cid):
                return by_name[partner], _difference(data, cid, by_name[partner], f"{blue} - {red}")
    return None


def similarity_and_class(data: Data) -> Pair | None:
    """Return the similarity to the present example, and a column of a few words such as a morphology."""
    similarity = data.find_component_id("similarity")
    words = [cid for cid in _own(data) if data.get_kind(cid) == "categorical"]
    named = [cid for cid in words if _CLASS_NAME.search(cid.label)]
    few = [cid for cid in named if 2 <= len(data.get_component(cid).categories) <= 20]
    return (similarity, few[0]) if similarity is not None and few else None


def colour_column(data: Data) -> ComponentID | None:
    """Return a number by which to colour the map, or None."""
    by_name = {cid.label.lower(): cid for cid in _numeric(data)}
    return next((by_name[name] for name in _COLOUR_BY if name in by_name), None)


def two_measurements(data: Data) -> Pair | None:
    """Return the two most complete numeric columns that are neither ids, positions nor ours, or None."""
    taken = set(sky_columns(data) or ())
    measured = [cid for cid in _numeric(data) if cid not in taken and not _OURS.match(cid.label)]
    ranked = sorted(measured, key=lambda cid: -_share_known(data, cid))
    good = [cid for cid in ranked if _share_known(data, cid) > 0.2 and not _is_id(data, cid)]
    return (good[0], good[1]) if len(good) >= 2 else None


def _own(data: Data) -> Iterable[ComponentID]:
    return [*data.main_components, *data.derived_components]


def _numeric(data: Data) -> list[ComponentID]:
    return [cid for cid in _own(data) if data.get_kind(cid) == "numerical"]


def _share_known(data: Data, cid: ComponentID) -> float:
    return float(np.isfinite(data[cid]).mean())


def _is_id(data: Data, cid: ComponentID) -> bool:
    """Tell whether a column only names or numbers the rows, or never changes."""
    values = data[cid]
    different = len(np.unique(values))
    return different < 3 or (values.dtype.kind in "iu" and different == len(values))


def _in_band(label: str, blue: str, red: str) -> str | None:
    """Return `label` with band `blue` replaced by `red`; None if it names no such band."""
    if _NOT_A_MAGNITUDE.search(label):
        return None
    renamed = re.sub(rf"(?<![A-Za-z]){blue}(?![A-Za-z])|(?<=_){blue}(?=mag)|^{blue}(?=mag)", red, label)
    return renamed if renamed != label else None


def _is_magnitude(data: Data, cid: ComponentID) -> bool:
    values = data[cid]
    values = values[np.isfinite(values)]
    return len(values) > 0 and 5 < float(np.median(values)) < 35


def _difference(data: Data, first: ComponentID, second: ComponentID, label: str) -> ComponentID:
    existing = data.find_component_id(label)
    if existing is not None:
        return existing
    data.add_component_link(first - second, label)
    return data.id[label]
