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
    "measured_columns",
    "sky_columns",
    "two_measurements",
]

_RA = ("ra", "ra_deg", "raj2000", "ra_icrs", "right_ascension", "alpha_j2000", "ra_centre", "ra_mean")
_DEC = ("dec", "dec_deg", "dej2000", "de_icrs", "declination", "delta_j2000", "dec_centre", "dec_mean")
_COLOUR_BY = ("ellipticity", "redshift", "z_spec", "zspec", "zphot", "z_phot", "class_code", "smooth", "mass")
_BANDS = "ugrizy"
_NOT_A_MAGNITUDE = re.compile(r"rad|r50|r90|flux|err|ivar|ellip|radius|map_", re.IGNORECASE)
_OURS = re.compile(r"map_|similarity|interest_|anomaly")
_NOT_MEASURED = re.compile(
    r"class|code|flag|label|total|count|votes$|^n_|num_|bytes|width|height|pix|nan|index|err|sigma|ivar|(^|_)id$",
    re.IGNORECASE,
)
#: Names of quantities, those first that say most about a galaxy.
_QUANTITIES = (
    r"(^|_)mag|mag_|absmag",
    r"redshift|^z(_?(spec|phot|best))?$|(spec|phot)_?z$",
    r"mass|mstar",
    r"_minus_|colou?r|^[ugrizy] - [ugrizy]$",
    r"rad|r_?[259]0|(^|_)r_?e(ff)?$|size|fwhm",
    r"ellip|axis_?ratio|sersic|concentration|asymmetry",
    r"smooth.*debiased",
    r"spiral.*debiased",
    r"smooth|spiral|disk|feature|edge",
)
_FEWEST = 20  # galaxies with both values
_MOSTLY_KNOWN = 0.2  # of the galaxies; columns known for fewer come last
_FEWEST_VALUES = 3  # different ones
_LOOKED_AT = 10_000  # rows that tell whether a column changes
_MOST_TRIED = 12  # columns of which every pair is looked at

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


def colour_column(data: Data) -> ComponentID | None:
    """Return a number by which to colour the map, or None."""
    by_name = {cid.label.lower(): cid for cid in _numeric(data)}
    named = [by_name[name] for name in _COLOUR_BY if name in by_name]
    votes = [cid for name, cid in by_name.items() if re.search(r"smooth.*debiased", name)]
    return next((cid for cid in named + votes if _known(data, cid).mean() > _MOSTLY_KNOWN), None)


def measured_columns(data: Data) -> list[ComponentID]:
    """Return the columns that measure galaxies, those first that are mostly known and say most."""
    columns = [cid for cid in _numeric(data) if _is_measured(data, cid)]
    return sorted(columns, key=lambda cid: (_known(data, cid).mean() < _MOSTLY_KNOWN, _quantity(cid)))


def two_measurements(data: Data) -> Pair | None:
    """Return two measured columns, of different quantities if possible, known together; or None."""
    columns = measured_columns(data)
    enough = min(_FEWEST, data.size // 2)
    pairs = [
        (first, second)
        for first, second in combinations(columns[:_MOST_TRIED], 2)
        if (_known(data, first) & _known(data, second)).sum() >= enough
    ]
    return min(pairs, key=lambda pair: _quantity(pair[0]) == _quantity(pair[1]), default=None)


def _own(data: Data) -> Iterable[ComponentID]:
    return [*data.main_components, *data.derived_components]


def _numeric(data: Data) -> list[ComponentID]:
    return [cid for cid in _own(data) if data.get_kind(cid) == "numerical"]


def _known(data: Data, cid: ComponentID) -> np.ndarray:
    return np.isfinite(data[cid])


def _quantity(cid: ComponentID) -> int:
    """Return the place of a column's quantity in `_QUANTITIES`; the last one for all others."""
    found = (number for number, pattern in enumerate(_QUANTITIES) if re.search(pattern, cid.label, re.I))
    return next(found, len(_QUANTITIES))


def _is_measured(data: Data, cid: ComponentID) -> bool:
    """Tell whether a column is no position, code, count, error or result of ours, and changes."""
    if cid in (sky_columns(data) or ()) or _OURS.match(cid.label) or _NOT_MEASURED.search(cid.label):
        return False
    values = data[cid][:_LOOKED_AT]
    different = len(np.unique(values[np.isfinite(values)]))
    return different >= _FEWEST_VALUES and not (values.dtype.kind in "iu" and different == len(values))


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
