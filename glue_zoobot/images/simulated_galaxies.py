"""
What the simulated galaxies are: positions, distances, colours, sizes and structure, one by one.

A flux-limited sample: an apparent magnitude from the number counts and an absolute magnitude from the
luminosity function of the kind give the distance. Values are rounded ones of the local universe, good for
a demonstration and for tests; they are no mock catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

KINDS = ("elliptical", "spiral", "barred_spiral", "edge_on", "ring", "merger", "artefact")
_SHARES = (0.29, 0.27, 0.14, 0.13, 0.06, 0.07, 0.04)
#: Absolute r magnitude: mean and scatter. Half-light radius in kpc at M_r = -21. g - r and r - i at rest.
_LUMINOSITY = {"elliptical": (-21.7, 0.7), "spiral": (-21.1, 0.7), "edge_on": (-20.8, 0.7)}
_OLD = (0.74, 0.38)
_YOUNG = (0.10, 0.00)
#: What is wrong with an artefact.
FLAWS = ("trail", "bright_star", "missing_i", "missing_r", "missing_g")
_FLAW_SHARES = (0.4, 0.36, 0.08, 0.08, 0.08)
_CENTRE, _PATCH = (186.0, 12.0), (8.0, 6.0)  # deg
_CLUSTERS = 18


@dataclass(frozen=True)
class Component:
    """A part of a galaxy: its share of the r-band light, colours (g - r, r - i) as observed."""

    share: float
    colour: tuple[float, float]

    def fluxes(self, total: float) -> np.ndarray:
        """Flux in i, r, g for a galaxy of r-band flux `total`."""
        g_r, r_i = self.colour
        return total * self.share * np.array([10 ** (0.4 * r_i), 1.0, 10 ** (-0.4 * g_r)])


@dataclass(frozen=True)
class Galaxy:
    """One simulated galaxy; fluxes in nanomaggies, angles in degrees or (radii) arcsec."""

    index: int
    kind: str
    ra: float
    dec: float
    redshift: float
    mag_r: float
    half_light_radius: float
    axis_ratio: float
    position_angle: float  # radians
    parts: dict[str, Component] = field(default_factory=dict)
    flaw: str = ""  # one of FLAWS for an artefact

    @property
    def flux(self) -> float:
        """Total r-band flux in nanomaggies (zero point 22.5 mag)."""
        return 10 ** (0.4 * (22.5 - self.mag_r))

    @property
    def petro_radius(self) -> float:
        """About the Petrosian radius of an exponential (disks) or de Vaucouleurs (ellipticals) profile."""
        return self.half_light_radius * (1.85 if self.kind == "elliptical" else 2.15)

    def magnitudes(self) -> np.ndarray:
        """AB magnitudes in g, r, i; NaN in a band that is missing."""
        fluxes = sum(part.fluxes(self.flux) for part in self.parts.values())
        mags = 22.5 - 2.5 * np.log10(np.asarray(fluxes)[::-1])
        return np.where([self.flaw == f"missing_{band}" for band in "gri"], np.nan, mags)


def random_generator(random_state: int, index: int, purpose: int = 0) -> np.random.Generator:
    """Independent random numbers of one galaxy; `purpose` keeps its properties and its pixels apart."""
    return np.random.default_rng((random_state, index, purpose))


def draw_galaxy(random_state: int, index: int) -> Galaxy:
    """Draw galaxy number `index`; it does not depend on how many others there are."""
    rng = random_generator(random_state, index)
    kind = str(rng.choice(KINDS, p=_SHARES))
    mean, scatter = _LUMINOSITY.get(kind, _LUMINOSITY["spiral"])
    mag_r = max(13.8, 17.2 + np.log10(1 - rng.random()) / 0.55)
    absolute = rng.normal(mean, scatter)
    redshift, kpc_per_arcsec = distance(mag_r - absolute)
    slope, size = (-0.26, 4.2) if kind == "elliptical" else (-0.14, 5.6)
    radius_kpc = size * 10 ** (slope * (absolute + 21) + rng.normal(0, 0.1))
    ra, dec = _position(rng, random_state, 0.55 if kind == "elliptical" else 0.2)
    return Galaxy(
        index=index,
        kind=kind,
        ra=ra,
        dec=dec,
        redshift=redshift,
        mag_r=mag_r,
        half_light_radius=float(np.clip(radius_kpc / kpc_per_arcsec, 1.6, 25)),
        axis_ratio=_axis_ratio(rng, kind),
        position_angle=rng.uniform(0, np.pi),
        parts=_parts(rng, kind, redshift, absolute),
        flaw=str(rng.choice(FLAWS, p=_FLAW_SHARES)) if kind == "artefact" else "",
    )


def _axis_ratio(rng: np.random.Generator, kind: str) -> float:
    low, high = {"elliptical": (0.55, 1.0), "edge_on": (0.17, 0.32), "ring": (0.55, 1.0)}.get(
        kind, (0.42, 1.0)
    )
    return rng.uniform(low, high)


def _parts(rng: np.random.Generator, kind: str, redshift: float, absolute: float) -> dict[str, Component]:
    """Shares and colours of bulge, disk, arms, bar and ring, as far as the kind has them."""

    def part(share: float, youth: float) -> Component:
        g_r, r_i = (o + youth * (y - o) for o, y in zip(_OLD, _YOUNG, strict=True))
        g_r += rng.normal(0, 0.025) - 0.015 * (absolute + 21) + 1.5 * redshift * (1 - 0.5 * youth)
        return Component(share, (g_r, r_i + rng.normal(0, 0.015) + 0.35 * redshift))

    if kind == "elliptical":
        return {"bulge": part(1.0, rng.uniform(-0.05, 0.1))}
    youth = rng.uniform(0.25, 0.95)
    bulge = rng.uniform(0.06, 0.35) * (1.3 - youth)
    bar = rng.uniform(0.12, 0.22) if kind == "barred_spiral" else 0.0
    arms = 0.0 if kind == "edge_on" else rng.uniform(0.4, 0.7) * (1 - bulge - bar)
    shares = {"bulge": (bulge, 0.1), "bar": (bar, 0.15), "disk": (1 - bulge - bar - arms, 0.8 * youth)}
    shares["ring" if kind == "ring" else "arms"] = (arms, min(1.0, youth + 0.25))
    return {name: part(share, age) for name, (share, age) in shares.items() if share > 0}


def _position(rng: np.random.Generator, random_state: int, clustered: float) -> tuple[float, float]:
    """RA and Dec: in one of a few clusters, or anywhere in the patch."""
    offset = rng.uniform(-0.5, 0.5, 2) * _PATCH
    if rng.random() < clustered:
        offset = _cluster_centres(random_state)[rng.integers(_CLUSTERS)] + rng.normal(0, 0.16, 2)
    dec = _CENTRE[1] + offset[1]
    return float(_CENTRE[0] + offset[0] / np.cos(np.radians(dec))), float(dec)


@lru_cache(maxsize=4)
def _cluster_centres(random_state: int) -> np.ndarray:
    return np.random.default_rng(random_state).uniform(-0.47, 0.47, (_CLUSTERS, 2)) * _PATCH


def distance(modulus: float) -> tuple[float, float]:
    """Redshift and kpc per arcsec for a distance modulus (flat cosmology, Planck 2018)."""
    redshifts, moduli, scales = _distance_table()
    redshift = float(np.interp(modulus, moduli, redshifts))
    return redshift, float(np.interp(redshift, redshifts, scales))


@lru_cache(maxsize=1)
def _distance_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from astropy.cosmology import Planck18

    redshifts = np.geomspace(0.004, 0.5, 120)
    scales = Planck18.kpc_proper_per_arcmin(redshifts).value / 60
    return redshifts, Planck18.distmod(redshifts).value, scales
