"""
Where on the sky every row of a table is: the one place that reads right ascension and declination.

Numbers are degrees unless a unit, a name or the user says otherwise; text is sexagesimal, hours for the
right ascension. What cannot be a position is NaN with a reason; what looks wrong as a whole is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.identity import find_column, normalise

RA_NAMES = (
    *("ra", "radeg", "raj2000", "raicrs", "rightascension", "alphaj2000", "racentre", "ramean", "ratarget"),
    *("targetra", "radegrees", "rahours", "rarad", "rab1950", "alpha", "racenter", "coordra", "raobj"),
)
DEC_NAMES = (
    *("dec", "decdeg", "dej2000", "decj2000", "deicrs", "declination", "deltaj2000", "deccentre", "decmean"),
    *("dectarget", "targetdec", "decdegrees", "decrad", "deb1950", "decb1950", "delta", "deccenter"),
    *("coorddec", "de", "dedeg", "decicrs", "decobj"),
)
_GALACTIC = (("glon", "l"), ("glat", "b"))
_DEGREES = {"deg": 1.0, "hours": 15.0, "rad": 180 / np.pi}
_UNITS = {
    **dict.fromkeys(("deg", "degree", "degrees", "d", "°"), "deg"),
    **dict.fromkeys(("h", "hr", "hour", "hours", "hourangle"), "hours"),
    **dict.fromkeys(("rad", "radian", "radians"), "rad"),
}
_MINUS = str.maketrans({"−": "-", "–": "-", "‐": "-", "﹣": "-", "－": "-"})
_SEXAGESIMAL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<whole>\d{1,3})\s*(?P<mark>[:hd°]|\s)\s*(?P<minutes>\d{1,2}(?:\.\d+)?)\s*"
    r"(?:(?:[:m'′]|\s)\s*(?:(?P<seconds>\d{1,2}(?:\.\d*)?)\s*(?:s|\"|″|'')?)?)?"
)
_MANY = 20  # positions from which a catalogue is judged as a whole


@dataclass(frozen=True)
class Positions:
    """
    Positions of N rows.

    Attributes
    ----------
    ra, dec : numpy.ndarray
        float64, shape (N,), degrees, ICRS, 0 <= ra < 360; NaN where there is none.
    origin : str
        "columns 'ra' and 'dec'".
    notes : tuple of str
        What was done with them.
    """

    ra: np.ndarray
    dec: np.ndarray
    origin: str
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> np.ndarray:
        """Whether a row has a position, bool (N,)."""
        return np.isfinite(self.ra) & np.isfinite(self.dec)


def positions_of(table: Table, columns: str | None = None) -> Positions:
    """
    Read the positions of a table.

    Parameters
    ----------
    table : astropy.table.Table
        N rows.
    columns : str, optional
        ``"RA,DEC"``: the two columns, found under their usual names when not given; with a unit where it
        is not degrees: ``"ra:hours,dec"``, ``"ra:rad,dec:rad"``.

    Returns
    -------
    Positions

    Raises
    ------
    CatalogueError
        No such columns, columns that look swapped, hours that look like degrees, an equinox that is not
        understood, or mostly impossible values.
    """
    (ra_name, ra_unit), (dec_name, dec_unit), galactic = _columns(table, columns)
    ra, unit_said = _degrees(table, ra_name, ra_unit, is_ra=not galactic)
    dec, _ = _degrees(table, dec_name, dec_unit, is_ra=False)
    origin = f"columns {ra_name!r} and {dec_name!r}"
    _judge(ra, dec, origin, ra_name, dec_name, unit_said or galactic)
    possible = (np.abs(dec) <= 90) & (ra >= -180) & (ra <= 360)
    notes = [] if possible.all() else [f"{int((~possible).sum()):,} rows have no position in {origin}"]
    ra, dec = np.where(possible, ra % 360.0, np.nan), np.where(possible, dec, np.nan)
    frame = "galactic" if galactic else _frame(table, ra_name)
    if frame != "icrs":
        ra, dec = _to_icrs(ra, dec, frame)
        notes.append(f"positions converted from {frame.upper()} to ICRS")
    return Positions(ra, dec, origin, tuple(notes))


def _columns(table: Table, wanted: str | None) -> tuple[tuple[str, str | None], tuple[str, str | None], bool]:
    """Names and units that the user gave of both columns, and whether they are galactic."""
    if wanted is not None:
        parts = [part.strip() for part in wanted.split(",")]
        if len(parts) != 2 or not all(parts):
            raise CatalogueError(f"position={wanted!r}: give two columns, as in 'ra,dec' or 'ra:hours,dec'")
        (ra, ra_unit), (dec, dec_unit) = (_named(table, part) for part in parts)
        return (ra, ra_unit), (dec, dec_unit), normalise(ra) in _GALACTIC[0]
    by_name = {normalise(c): c for c in reversed(table.colnames)}
    for first, second, galactic in ((RA_NAMES, DEC_NAMES, False), (*_GALACTIC, True)):
        found = [next((by_name[n] for n in names if n in by_name), None) for names in (first, second)]
        if found[0] is not None and found[1] is not None:
            return (found[0], None), (found[1], None), galactic
    raise CatalogueError(
        f"no columns of right ascension and declination among {', '.join(table.colnames[:12])}; name them: "
        "--position RA,DEC"
    )


def _named(table: Table, text: str) -> tuple[str, str | None]:
    if text in table.colnames:
        return text, None
    name, colon, unit = text.rpartition(":")
    if not colon:
        return find_column(table.colnames, text), None
    if unit.lower() not in _UNITS:
        raise CatalogueError(f"{text!r}: the unit of a position is deg, hours or rad, not {unit!r}")
    return find_column(table.colnames, name), _UNITS[unit.lower()]


def _degrees(table: Table, name: str, unit: str | None, is_ra: bool) -> tuple[np.ndarray, bool]:
    """Values of one column in degrees, NaN where there are none, and whether anything said the unit."""
    column = table[name]
    if np.ndim(column) != 1:
        raise CatalogueError(f"column {name!r} holds more than one value in a row; it is no coordinate")
    values = np.asarray(getattr(column, "filled", lambda _: column)(_gap(column)))
    if values.dtype.kind in "USO":
        parsed = np.array([_parse(str(v), unit, is_ra) for v in values.tolist()], dtype=np.float64)
        return parsed, unit is not None
    if values.dtype.kind not in "iuf":
        raise CatalogueError(f"column {name!r} holds no coordinates, but values of {values.dtype}")
    unit = unit or _unit_of(str(getattr(column, "unit", None) or ""), name)
    return values.astype(np.float64) * _DEGREES[unit or "deg"], unit is not None


def _gap(column: np.ndarray) -> object:
    return "" if column.dtype.kind in "USO" else (np.nan if column.dtype.kind == "f" else -99999)


def _unit_of(said: str, name: str) -> str | None:
    """Unit of a column of numbers: what its file says, else what its name says."""
    if said:
        if said.lower() not in _UNITS:
            raise CatalogueError(
                f"column {name!r} is in {said!r}; positions are read in deg, hours or rad: say which, as in "
                f"--position {name}:deg,…"
            )
        return _UNITS[said.lower()]
    tail = re.split(r"[_\-\s]", name.lower())[-1]
    return _UNITS.get(tail) if tail != name.lower() and tail not in ("d", "h") else None


def _parse(text: str, unit: str | None, is_ra: bool) -> float:
    """
    One coordinate as text in degrees; NaN for what is none.

    The sign is that of the text and not of the number before the colon: -00:30 is half a degree south.
    """
    text = text.strip().translate(_MINUS)
    try:
        return float(text) * _DEGREES[unit or "deg"]
    except ValueError:
        pass
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        return np.nan
    minutes, seconds = float(match["minutes"]), float(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60 or ("." in match["minutes"] and match["seconds"]):
        return np.nan
    value = int(match["whole"]) + minutes / 60 + seconds / 3600
    hours = match["mark"] == "h" or (is_ra and match["mark"] not in "d°" and unit != "deg")
    if hours and (not is_ra or value > 24):
        return np.nan
    return (-1 if match["sign"] == "-" else 1) * value * (15 if hours else 1)


def _judge(ra: np.ndarray, dec: np.ndarray, origin: str, ra_name: str, dec_name: str, said: bool) -> None:
    """Raise `CatalogueError` where most of the positions are impossible, swapped or in another unit."""
    finite = np.isfinite(ra) & np.isfinite(dec)
    good = finite & (np.abs(dec) <= 90) & (ra >= -180) & (ra <= 360)
    if 2 * good.sum() < max(finite.sum(), 1):
        swapped = finite & (np.abs(ra) <= 90) & (dec >= -180) & (dec <= 360)
        if 2 * swapped.sum() > finite.sum():
            raise CatalogueError(
                f"{origin}: most declinations are beyond 90 degrees, as if the columns were swapped; say "
                f"--position {dec_name},{ra_name}"
            )
        raise CatalogueError(f"{origin} hold few possible positions; name others: --position RA,DEC")
    r, d = ra[good], dec[good]
    if not said and len(r) >= _MANY and r.min() >= 0 and 18 < np.ptp(r) <= 24 >= r.max() and np.ptp(d) > 30:
        raise CatalogueError(
            f"{origin}: right ascensions from {r.min():.4g} to {r.max():.4g} over {np.ptp(d):.0f} degrees of "
            f"declination look like hours. Say which: --position {ra_name}:hours,{dec_name} or "
            f"{ra_name}:deg,{dec_name}"
        )


def _frame(table: Table, ra_name: str) -> str:
    """Frame of the positions: what the table says of its equinox or system; ICRS where it says nothing."""
    said = [(k, str(v)) for k, v in table.meta.items() if k.lower() in ("equinox", "radesys", "radecsys")]
    for name in table.colnames:
        if normalise(name) in ("equinox", "epochofcoordinates", "radesys"):
            values = {str(v).strip() for v in table[name].tolist()} - {"", "--", "nan"}
            if len(values) > 1:
                raise CatalogueError(
                    f"column {name!r} holds several equinoxes ({', '.join(sorted(values)[:4])})"
                )
            said += [(name, value) for value in values]
    frames = {_frame_named(key, value) for key, value in said}
    if "1950" in ra_name:
        frames = (frames - {"icrs"}) | {"fk4"}
    if len(frames) > 1:
        raise CatalogueError(f"the table says two things of its equinox: {said}; leave one")
    return frames.pop() if frames else "icrs"


def _frame_named(key: str, value: str) -> str:
    text = value.strip().upper()
    if re.fullmatch(r"J?2000(\.0*)?|ICRS|FK5", text):
        return "icrs"  # FK5 of J2000 differs by less than 0.1 arcsec
    if re.fullmatch(r"B?1950(\.0*)?|FK4", text):
        return "fk4"
    raise CatalogueError(
        f"{key} is {value!r}: an equinox is J2000 (ICRS, FK5) or B1950 (FK4); mend the table"
    )


def _to_icrs(ra: np.ndarray, dec: np.ndarray, frame: str) -> tuple[np.ndarray, np.ndarray]:
    from astropy.coordinates import SkyCoord

    known = np.isfinite(ra)
    if known.any():
        sky = SkyCoord(ra[known], dec[known], unit="deg", frame=frame).icrs
        ra, dec = ra.copy(), dec.copy()
        ra[known], dec[known] = sky.ra.deg, sky.dec.deg
    return ra, dec
