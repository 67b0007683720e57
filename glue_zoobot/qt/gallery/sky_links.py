"""Where to look a position up in the web."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

__all__ = ["SkyLink", "sky_links"]

RADIUS = 0.2  # arcmin around the position in which catalogues are asked
FIELD = 0.03  # degrees seen in Aladin


class SkyLink(NamedTuple):
    """A page about a place on the sky."""

    name: str
    what: str
    url: str


def sky_links(ra: float, dec: float) -> list[SkyLink]:
    """
    Pages of public services about a position.

    Parameters
    ----------
    ra, dec : float
        Degrees, ICRS.

    Returns
    -------
    list of SkyLink
    """
    at = f"{ra:.6f} {dec:+.6f}"
    legacy = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "layer": "ls-dr10",
        "zoom": 16,
        "mark": f"{ra:.6f},{dec:.6f}",
    }
    simbad = {"Coord": at, "CooFrame": "ICRS", "Radius": RADIUS, "Radius.unit": "arcmin"}
    ned = {
        "search_type": "Near Position Search",
        "in_csys": "Equatorial",
        "in_equinox": "J2000",
        "ra": f"{ra:.6f}d",
        "dec": f"{dec:.6f}d",
        "radius": RADIUS,
    }
    aladin = {"target": at, "fov": FIELD, "survey": "P/DSS2/color"}
    return [
        SkyLink(
            "Legacy Survey", "Deep images around it", _url("https://www.legacysurvey.org/viewer", legacy)
        ),
        SkyLink("SIMBAD", "What is known here", _url("https://simbad.cds.unistra.fr/simbad/sim-coo", simbad)),
        SkyLink("NED", "Extragalactic objects here", _url("https://ned.ipac.caltech.edu/conesearch", ned)),
        SkyLink("Aladin", "Any survey around it", _url("https://aladin.cds.unistra.fr/AladinLite/", aladin)),
    ]


def _url(page: str, query: dict[str, object]) -> str:
    return f"{page}?{urlencode(query)}"
