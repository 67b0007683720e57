"""
How a simulated galaxy looks: astropy profiles, spiral structure, dust, neighbours, PSF and noise.

The profiles are evaluated through the `evaluate` of astropy's models: making a model object takes longer
than drawing with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from astropy.modeling.models import Moffat2D, Sersic1D
from scipy.ndimage import gaussian_filter

from glue_zoobot.images.simulated_galaxies import Component, Galaxy, random_generator

FRAME = 5.5  # width of a stamp in Petrosian radii
NATIVE_PIXEL = 0.396  # arcsec, SDSS; fluxes are per native pixel
_NOISE = np.array([0.018, 0.012, 0.009])  # nanomaggies per native pixel in i, r, g: two SDSS exposures
_DUST = np.array([0.55, 0.75, 1.0], dtype=np.float32)[:, None, None]  # extinction in i, r, g
_PSF_FWHM = (0.9, 1.25)  # arcsec


@dataclass(frozen=True)
class Plane:
    """Pixel coordinates in the plane of an inclined disk: radius and azimuth, arrays (H, W)."""

    radius: np.ndarray
    azimuth: np.ndarray

    @classmethod
    def inclined(
        cls, size: int, centre: tuple[float, float], axis_ratio: float, position_angle: float
    ) -> Plane:
        """Deproject the pixels of a square stamp; `centre` is relative to its middle."""
        x, y = _grid(size, centre)
        cos, sin = float(np.cos(position_angle)), float(np.sin(position_angle))
        along, across = x * cos + y * sin, (y * cos - x * sin) / axis_ratio
        return cls(np.sqrt(along**2 + across**2 + 0.1), np.arctan2(across, along))

    def sersic(self, radius: float, index: float) -> np.ndarray:
        """Sersic profile."""
        return Sersic1D.evaluate(self.radius, 1.0, max(radius, 0.3), index).astype(np.float32)


def _grid(size: int, centre: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """Columns x (1, size) and rows y (size, 1), relative to a point near the middle; float32 is quicker."""
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return axis[None, :] - centre[0], axis[:, None] - centre[1]


def draw(galaxy: Galaxy, random_state: int, size: int, frame: float = 0.0) -> np.ndarray:
    """
    Draw one galaxy as a telescope would see it.

    Parameters
    ----------
    galaxy : Galaxy
    random_state : int
    size : int
        Pixels.
    frame : float
        Width of the stamp in arcsec; 0 scales it to the galaxy.

    Returns
    -------
    numpy.ndarray
        float32, shape (3, size, size): i, r, g in nanomaggies per native pixel, sky subtracted.
    """
    rng = random_generator(random_state, galaxy.index, 1)
    scaled = FRAME * galaxy.petro_radius * rng.uniform(0.9, 1.15)
    pixel = (frame or scaled) / size
    psf = rng.uniform(*_PSF_FWHM) / pixel
    planes = _MAKERS.get(galaxy.kind, _disk)(galaxy, rng, size, pixel)
    planes = gaussian_filter(planes, (0, psf / 2.355, psf / 2.355))
    _add_neighbours(planes, galaxy, rng, pixel, psf)
    if galaxy.flaw == "trail":
        _add_trail(planes, rng, pixel, psf)
    elif galaxy.flaw == "bright_star":
        _add_bright_star(planes, rng, pixel, psf)
    planes *= (NATIVE_PIXEL / pixel) ** 2
    planes += _noise(planes, rng, NATIVE_PIXEL / pixel)
    if galaxy.flaw.startswith("missing"):
        planes["irg".index(galaxy.flaw[-1])] = 0
    return planes.astype(np.float32)


def _light(parts: list[tuple[Component, np.ndarray]], flux: float) -> np.ndarray:
    """Sum the parts (3, H, W), each profile scaled to its flux."""
    fluxes = np.array([part.fluxes(flux) / profile.sum() for part, profile in parts], dtype=np.float32)
    return np.einsum("kc,kyx->cyx", fluxes, np.stack([profile for _, profile in parts]))


def _elliptical(galaxy: Galaxy, rng: np.random.Generator, size: int, pixel: float) -> np.ndarray:
    plane = Plane.inclined(size, _jitter(rng), galaxy.axis_ratio, galaxy.position_angle)
    return _light(
        [(galaxy.parts["bulge"], plane.sersic(galaxy.half_light_radius / pixel, rng.uniform(2.8, 5)))],
        galaxy.flux,
    )


def _disk(
    galaxy: Galaxy,
    rng: np.random.Generator,
    size: int,
    pixel: float,
    centre: tuple[float, float] | None = None,
) -> np.ndarray:
    """Bulge, exponential disk, and what the galaxy has of arms, bar and ring."""
    radius = galaxy.half_light_radius / pixel
    centre = centre or _jitter(rng)
    plane = Plane.inclined(size, centre, galaxy.axis_ratio, galaxy.position_angle)
    round_plane = Plane.inclined(size, centre, 0.5 + 0.5 * galaxy.axis_ratio, galaxy.position_angle)
    profiles = {
        "bulge": round_plane.sersic(radius * rng.uniform(0.14, 0.26), rng.uniform(1.5, 3)),
        "disk": plane.sersic(radius, 1.0),
    }
    clumps = _clumps(rng, size, 0.05 * radius + 0.7)
    bar_length, bar_angle = radius * rng.uniform(0.55, 0.85), rng.uniform(0, np.pi)
    dust = np.zeros_like(plane.radius)
    if "bar" in galaxy.parts:
        profiles["bar"] = _bar(plane, bar_length, bar_angle, rng.uniform(0.22, 0.34))
    if "arms" in galaxy.parts:
        start = bar_length if "bar" in galaxy.parts else 0.3 * radius
        arms, dust = _arms(plane, rng, radius, start, bar_angle)
        profiles["arms"] = arms * clumps
    if "ring" in galaxy.parts:
        profiles["ring"] = _ring(plane, rng, radius) * clumps**0.7
        profiles["disk"] = plane.sersic(rng.uniform(0.5, 1.1) * radius, 1.0)
    light = _light([(part, profiles[name]) for name, part in galaxy.parts.items()], galaxy.flux)
    return light * np.exp(_DUST * -dust)


def _arms(
    plane: Plane, rng: np.random.Generator, radius: float, start: float, angle: float
) -> tuple[np.ndarray, np.ndarray]:
    """Logarithmic spiral arms on an exponential disk, and the dust lane on their inner side."""
    number = int(rng.choice([2, 2, 2, 3, 4]))
    pitch = float(np.radians(rng.uniform(13, 28)) * rng.choice([-1, 1]))
    wind = np.log(plane.radius / start) / float(np.tan(pitch))
    wobble = rng.uniform(0, 0.35) * np.sin(plane.azimuth + rng.uniform(0, 2 * np.pi))
    phase = number * (plane.azimuth - angle - wind) + wobble
    sharp = rng.uniform(1.6, 4.0)
    crest = np.exp(sharp * (np.cos(phase) - 1)) + 0.08
    inner_edge = 1 / (1 + np.exp(-(plane.radius / start - 0.8) / 0.1))
    arms = plane.sersic(1.15 * radius, 0.85) * crest * inner_edge
    behind = np.exp(4 * (np.cos(phase + (0.9 if pitch > 0 else -0.9)) - 1))
    fade = np.exp(-plane.radius / (1.5 * radius))
    return arms, rng.uniform(0.2, 0.7) * behind * inner_edge * fade


def _bar(plane: Plane, length: float, angle: float, width: float) -> np.ndarray:
    """Bar of boxy shape and nearly constant brightness."""
    along = np.abs(plane.radius * np.cos(plane.azimuth - angle)) / length
    across = np.abs(plane.radius * np.sin(plane.azimuth - angle)) / (length * width)
    return np.exp(-((along**2.6 + across**2.6) ** (2 / 2.6)) * 1.2)


def _ring(plane: Plane, rng: np.random.Generator, radius: float) -> np.ndarray:
    """Ring of constant width, a little brighter on one side."""
    where, width = radius * rng.uniform(1.3, 1.9), rng.uniform(0.08, 0.15)
    uneven = 1 + rng.uniform(0, 0.4) * np.cos(plane.azimuth - rng.uniform(0, 2 * np.pi))
    return uneven * np.exp(-0.5 * ((plane.radius / where - 1) / width) ** 2)


def _edge_on(galaxy: Galaxy, rng: np.random.Generator, size: int, pixel: float) -> np.ndarray:
    """Exponential disk seen from the side, sech^2 across, a bulge and mostly a dust lane."""
    radius = 1.05 * galaxy.half_light_radius / pixel
    x0, y0 = _jitter(rng)
    x, y = _grid(size, (x0, y0))
    cos, sin = float(np.cos(galaxy.position_angle)), float(np.sin(galaxy.position_angle))
    along, across = x * cos + y * sin, y * cos - x * sin
    across = across + rng.normal(0, 0.015) * along * np.abs(along) / radius  # a slight warp
    length, height = radius / 1.68, max(0.5, 0.8 * galaxy.axis_ratio * radius)
    rounded = np.sqrt(along**2 + (0.5 * across) ** 2 + 1)  # blunt ends
    disk = np.exp(-rounded / length) / np.cosh(np.clip(across / height, -20, 20)) ** 2
    bulge_plane = Plane.inclined(size, (x0, y0), rng.uniform(0.5, 0.8), galaxy.position_angle)
    profiles = {"disk": disk, "bulge": bulge_plane.sersic(0.22 * radius, rng.uniform(1.2, 2.5))}
    light = _light(
        [(part, profiles[name]) for name, part in galaxy.parts.items() if name in profiles], galaxy.flux
    )
    depth = rng.uniform(0.5, 1.8) if rng.random() < 0.65 else 0.1
    lane = np.exp(
        -0.5 * ((across - 0.2 * height) / (0.35 * height + 0.3)) ** 2 - np.abs(along) / (1.6 * length)
    )
    return light * np.exp(_DUST * (-depth * lane))


def _merger(galaxy: Galaxy, rng: np.random.Generator, size: int, pixel: float) -> np.ndarray:
    """Two galaxies on top of each other, tidal tails, and loose stars around both."""
    radius = galaxy.half_light_radius / pixel
    angle, separation = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.9, 2.0)
    shift = np.array([np.cos(angle), np.sin(angle)]) * separation
    share = rng.uniform(0.45, 0.75)
    planes = np.zeros((3, size, size), dtype=np.float32)
    for weight, where, turn in (
        (share, -0.45 * shift, 0.0),
        (1 - share, 0.55 * shift, rng.uniform(0, np.pi)),
    ):
        one = _companion(galaxy, rng, weight, turn)
        planes += 0.82 * weight * _disk(one, rng, size, pixel, (float(where[0]), float(where[1])))
        tail = _tail(
            rng, size, where, angle + (0 if weight == share else np.pi), radius * np.sqrt(weight + 0.3)
        )
        planes += (
            0.11 * weight * _light([(galaxy.parts["disk"], tail)], galaxy.flux / galaxy.parts["disk"].share)
        )
    halo = Plane.inclined(size, (0, 0), 0.7, angle).sersic(1.4 * radius, 1.2) * _clumps(
        rng, size, 0.3 * radius
    )
    return planes + 0.12 * _light([(galaxy.parts["disk"], halo)], galaxy.flux / galaxy.parts["disk"].share)


def _companion(galaxy: Galaxy, rng: np.random.Generator, weight: float, turn: float) -> Galaxy:
    """One of the two: its own inclination, and a size that goes with its light."""
    return replace(
        galaxy,
        half_light_radius=galaxy.half_light_radius * 0.75 * np.sqrt(weight),
        axis_ratio=rng.uniform(0.4, 0.95),
        position_angle=galaxy.position_angle + turn,
    )


def _tail(rng: np.random.Generator, size: int, where: np.ndarray, angle: float, radius: float) -> np.ndarray:
    """Tidal tail: an arc that opens outwards, widens and fades."""
    steps = np.linspace(0, 1, 28)
    bend = rng.uniform(1.2, 2.6) * rng.choice([-1, 1])
    reach = radius * (0.8 + rng.uniform(1.6, 2.8) * steps)
    x = where[0] + reach * np.cos(angle + np.pi + bend * steps)
    y = where[1] + reach * np.sin(angle + np.pi + bend * steps)
    width = radius * (0.16 + 0.2 * steps)
    grid = np.arange(size) - (size - 1) / 2
    in_x = np.exp(-0.5 * ((grid[:, None] - x) / width) ** 2)
    in_y = np.exp(-0.5 * ((grid[:, None] - y) / width) ** 2)
    return (in_y * ((1 - 0.75 * steps) / width)) @ in_x.T


def _clumps(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """Lognormal star-forming clumps of a size in pixels."""
    field = gaussian_filter(rng.standard_normal((size, size), dtype=np.float32), scale)
    return np.exp(0.65 / float(field.std()) * field)


def _jitter(rng: np.random.Generator) -> tuple[float, float]:
    x, y = rng.uniform(-1, 1, 2)
    return float(x), float(y)


def _add_neighbours(
    planes: np.ndarray, galaxy: Galaxy, rng: np.random.Generator, pixel: float, psf: float
) -> None:
    """Faint stars and galaxies of the field, more of them (and red ones) around ellipticals."""
    size = planes.shape[1]
    area = (size * pixel / 60) ** 2  # square arcmin
    for _ in range(rng.poisson(min(5.0 * area, 22))):
        _add_source(planes, rng, psf, pixel, star=rng.random() < 0.4)
    if galaxy.kind == "elliptical":
        for _ in range(rng.poisson(1.2)):
            g_r, r_i = galaxy.parts["bulge"].colour
            _add_source(planes, rng, psf, pixel, star=False, brightest=galaxy.mag_r + 1, colour=(g_r, r_i))


def _add_source(
    planes: np.ndarray,
    rng: np.random.Generator,
    psf: float,
    pixel: float,
    star: bool,
    brightest: float = 16.5,
    colour: tuple[float, float] | None = None,
) -> None:
    """Add one star (the PSF) or small galaxy (a wider Moffat profile) in a patch around it."""
    size = planes.shape[1]
    x, y = rng.uniform(-2, size + 2, 2)
    mag = max(brightest, 22.3 + np.log10(1 - rng.random()) / (0.25 if star else 0.38))
    if colour is None:
        g_r = rng.uniform(0.3, 1.5) if star else rng.normal(0.9, 0.4)
        colour = (g_r, 0.1 + 0.35 * g_r + (rng.uniform(0, 1) if star and g_r > 1.2 else 0))
    width = psf if star else np.hypot(psf, rng.uniform(0.8, 1.6) * 10 ** (0.12 * (21 - mag)) / pixel)
    reach = int(np.ceil(4 * width * (1 + 1.5 * (mag < 18))))
    rows = slice(max(0, int(y) - reach), max(0, min(size, int(y) + reach + 1)))
    columns = slice(max(0, int(x) - reach), max(0, min(size, int(x) + reach + 1)))
    grid_y = np.arange(rows.start, rows.stop)[:, None]
    grid_x = np.arange(columns.start, columns.stop)[None, :]
    alpha, gamma = 2.8, width / (2 * np.sqrt(2 ** (1 / 2.8) - 1))
    peak = (alpha - 1) / (np.pi * gamma**2)
    profile = Moffat2D.evaluate(grid_x, grid_y, peak, x, y, gamma, alpha)
    flux = Component(1.0, colour).fluxes(10 ** (0.4 * (22.5 - mag)))
    planes[:, rows, columns] += flux[:, None, None] * profile


def _add_trail(planes: np.ndarray, rng: np.random.Generator, pixel: float, psf: float) -> None:
    """Satellite trail: straight, and in one band, because the bands are exposed one after the other."""
    size = planes.shape[1]
    x, y = _grid(size)
    angle = rng.uniform(0, np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.2, 0.2) * size
    trail = np.exp(-0.5 * (across / (0.45 * psf)) ** 2)
    planes[rng.integers(3)] += trail * rng.uniform(0.06, 0.5) * (pixel / NATIVE_PIXEL) ** 2


def _add_bright_star(planes: np.ndarray, rng: np.random.Generator, pixel: float, psf: float) -> None:
    """Saturated star with a halo, diffraction spikes and a bleed column."""
    size = planes.shape[1]
    x, y = _grid(size, (rng.uniform(-0.4, 0.4) * size, rng.uniform(-0.4, 0.4) * size))
    halo = (1 + (np.hypot(x, y) / psf) ** 2) ** -1.3
    turn = rng.uniform(0, np.pi / 2)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    spikes = [
        np.exp(-np.abs(a) / (0.35 * psf)) / (1 + (np.abs(b) / (3 * psf)) ** 2) for a, b in ((u, v), (v, u))
    ]
    bleed = np.exp(-((x / (0.35 * psf)) ** 2)) * (np.abs(y) < rng.uniform(5, 20) * psf)
    star = halo + 0.06 * (spikes[0] + spikes[1]) + 0.1 * bleed
    g_r = rng.uniform(0.2, 1.2)
    colour = Component(1.0, (g_r, 0.35 * g_r)).fluxes(rng.uniform(60, 500))
    planes += colour[:, None, None] * star * (pixel / NATIVE_PIXEL) ** 2


def _noise(planes: np.ndarray, rng: np.random.Generator, native: float) -> np.ndarray:
    """Sky and photon noise; correlated where a stamp pixel is smaller than a native one (`native` > 1)."""
    noise = rng.standard_normal(planes.shape, dtype=np.float32)
    if native > 1:
        noise = gaussian_filter(noise, (0, 0.42 * native, 0.42 * native))
        noise /= noise.std()
    else:
        noise *= native  # a stamp pixel averages several native ones
    sky = (_NOISE**2).astype(np.float32)[:, None, None]
    return noise * np.sqrt(sky + np.maximum(planes, 0) / 1500)


_MAKERS = {"elliptical": _elliptical, "edge_on": _edge_on, "merger": _merger}
