"""
Fluxes in bands to a colour picture: named presets, each with its source.

=========  =====================  ==================================================================
preset     red, green, blue       source
=========  =====================  ==================================================================
`legacy`   z, r, g (nanomaggies)  DESI Legacy Surveys viewer, ``sdss_rgb`` (D. Lang); the stretch of
                                  Galaxy Zoo DESI and of AstroCLIP
`sdss`     i, r, g (nanomaggies)  Wherry, Blanton & Hogg 2004 and Lupton et al. 2004 (PASP 116, 133);
                                  idlutils ``nw_rgb_make``: the SDSS JPEGs of Galaxy Zoo
`euclid`   Y, mean, VIS           Euclid Q1 morphology catalogue (asinh, 99.85 percentile)
`asinh`    any                    Lupton et al. 2004 in units of the noise of each band, up to the
                                  99.7 percentile; for fluxes of any unit
=========  =====================  ==================================================================

`auto` takes `legacy` or `sdss` when the file says which bands these are and that the unit is nanomaggies,
`euclid` for VIS with a near-infrared band, else `asinh`. One band becomes grey.

A band without signal (see `without_signal`) is left out and named with the picture: two living bands are red
and blue, one is grey, stretched by `asinh`, since the survey presets need their three bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.source import Fluxes, Picture

_LEGACY_SCALES = (2.2, 3.4, 6.0)  # z, r, g
_SDSS_SCALES = (4.9, 5.7, 7.8)  # i, r, g


def legacy(planes: np.ndarray) -> np.ndarray:
    """Legacy Surveys stretch of z, r, g fluxes (3, H, W) in nanomaggies per 0.262 arcsec pixel; 0 to 1."""
    softening, offset = 20.0, 0.03
    scaled = np.maximum(planes * _column(_LEGACY_SCALES) + offset, 0)
    intensity = np.maximum(scaled.mean(axis=0), 1e-6)
    return scaled * (np.arcsinh(softening * intensity) / np.sqrt(softening) / intensity)


def sdss(planes: np.ndarray) -> np.ndarray:
    """SDSS stretch of i, r, g fluxes (3, H, W) in nanomaggies per 0.396 arcsec pixel; 0 to 1, hue kept."""
    nonlinearity = 3.0
    scaled = np.maximum(planes * _column(_SDSS_SCALES), 0)
    total = np.maximum(scaled.sum(axis=0), 1e-6)
    return _keep_hue(scaled * (np.arcsinh(nonlinearity * total) / nonlinearity / total))


def euclid(planes: np.ndarray) -> np.ndarray:
    """Euclid Q1 stretch of Y, (ignored), VIS (3, H, W): asinh with Q = 0.2 and 100; green is their mean."""
    red, blue = _percentile_asinh(planes[0], 0.2), _percentile_asinh(planes[2], 100.0)
    return np.stack([red, (red + blue) / 2, blue])


def _percentile_asinh(plane: np.ndarray, softening: float) -> np.ndarray:
    stretched = np.arcsinh(softening * plane)
    return np.clip(stretched / max(np.percentile(stretched, 99.85), 1e-12), 0, 1)


def asinh(planes: np.ndarray, softening: float = 3.0, percentile: float = 99.7) -> np.ndarray:
    """
    Stretch fluxes (3, H, W) of any unit; the border of the stamp gives sky and noise.

    Linear below `softening` times the noise, logarithmic above; the `percentile` of the pixels is white.
    """
    black = 1.0  # what is darker than the sky by so many times the noise is black
    signal = _balanced(np.stack([_in_noise_units(p) for p in planes])) + black
    intensity = signal.mean(axis=0)
    top = max(np.percentile(intensity, percentile), 10.0)
    intensity = np.maximum(intensity, 1e-6)
    stretch = np.arcsinh(intensity / softening) / np.arcsinh(top / softening)
    return _keep_hue(np.maximum(signal, 0) * (stretch / intensity))


def _balanced(signal: np.ndarray) -> np.ndarray:
    """
    Scale the bands most of the way to a grey object: without a calibration its true colour is not known.

    What is left of the difference still tells red from blue, within the object and between objects.
    """
    strength = 0.7
    intensity = signal.mean(axis=0)
    bright = intensity >= np.percentile(intensity, 95)
    levels = np.array([plane[bright].mean() for plane in signal])
    if levels.min() <= 0:
        return signal
    weights = (np.exp(np.log(levels).mean()) / levels) ** strength
    return signal * np.clip(weights, 0.2, 5).astype(np.float32)[:, None, None]


def _in_noise_units(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    edge = max(1, min(height, width) // 10)
    inner = np.zeros(plane.shape, dtype=bool)
    inner[edge : height - edge, edge : width - edge] = True
    border = plane[~inner]
    sky = np.median(border)
    noise = 1.4826 * np.median(np.abs(border - sky))
    if noise <= 0:  # a model image, or a masked border: the brightest pixels set the scale
        noise = (np.percentile(plane, 99.7) - sky) / 100
    return (plane - sky) / noise if noise > 0 else np.zeros_like(plane)


def _keep_hue(planes: np.ndarray) -> np.ndarray:
    """Where a colour is above 1, scale the three down together: bright cores keep their colour."""
    return planes / np.maximum(planes.max(axis=0), 1.0)


def _column(values: Sequence[float]) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None, None]


#: Preset name to (bands for red, green and blue, or none for any; function).
PRESETS: dict[str, tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "legacy": (("z", "r", "g"), legacy),
    "sdss": (("i", "r", "g"), sdss),
    "euclid": (("y", "vis", "vis"), euclid),
    "asinh": ((), asinh),
}


def compose(
    planes: np.ndarray,
    preset: str = "auto",
    names: Sequence[str] = (),
    order: Sequence[str] = (),
    nanomaggies: bool = False,
) -> Picture:
    """
    Make a colour picture of fluxes.

    Parameters
    ----------
    planes : numpy.ndarray
        Shape (B, H, W), one plane per band; NaN and infinite pixels become the sky of their band.
    preset : str
        A key of `PRESETS` or ``"auto"``.
    names : sequence of str
        Names of the bands, length B; without names the order is taken to be blue to red.
    order : sequence of str
        Bands for red, green, blue (three), or red and blue (two); the preset's own when empty.
    nanomaggies : bool
        Whether the unit is known to be nanomaggies, which ``auto`` asks for.

    Returns
    -------
    Picture
        uint8 (H, W, 3), the number of pixels that were NaN or infinite, and the bands without signal.

    Raises
    ------
    UnreadableImage
        No finite pixel, every pixel the same, or no signal in the bands that are to be drawn.
    ValueError
        An unknown preset.
    """
    chosen, stretch = _plan(len(planes), preset, names, order, nanomaggies)
    labels = tuple(n.lower() for n in names) or numbered(len(planes))
    return draw(planes, chosen, labels, stretch, incomplete=asinh)


def describe(
    planes: np.ndarray,
    preset: str = "auto",
    names: Sequence[str] = (),
    order: Sequence[str] = (),
    nanomaggies: bool = False,
) -> Fluxes:
    """Say which bands fluxes are, and which of them `compose` draws; takes what `compose` takes."""
    chosen, _ = _plan(len(planes), preset, names, order, nanomaggies)
    labels = tuple(names) or numbered(len(planes))
    return Fluxes(planes, labels, tuple(labels[k] for k in chosen))


def numbered(count: int) -> tuple[str, ...]:
    """Names of bands that nobody named: ``("1", "2", ...)``."""
    return tuple(str(k + 1) for k in range(count))


def _plan(
    count: int, preset: str, names: Sequence[str], order: Sequence[str], nanomaggies: bool
) -> tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray]]:
    """Which planes to draw, and how to stretch them."""
    names = tuple(n.lower() for n in names)
    preset = _automatic(names, nanomaggies) if preset == "auto" else preset
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}; the presets are auto, {', '.join(PRESETS)}")
    wanted, stretch = PRESETS[preset]
    return choose_bands(count, names, tuple(o.lower() for o in order) or wanted), stretch


def draw(
    planes: np.ndarray,
    chosen: Sequence[int],
    labels: Sequence[str],
    stretch: Callable[[np.ndarray], np.ndarray],
    incomplete: Callable[[np.ndarray], np.ndarray],
) -> Picture:
    """
    Draw some planes of fluxes as red, green and blue, those without signal left out.

    Parameters
    ----------
    planes : numpy.ndarray
        Shape (B, H, W).
    chosen : sequence of int
        Planes for red, green and blue; red and blue; or the one that is grey.
    labels : sequence of str
        Names of the planes, length B.
    stretch, incomplete : callable
        Red, green, blue fluxes (3, H, W) to levels from 0 to 1: for all bands, and where one has no signal.

    Raises
    ------
    UnreadableImage
        No finite pixel, every pixel the same, or no signal in the chosen planes.
    """
    filled, nan_count = fill_nan(planes)
    dead = without_signal(planes)
    living = [k for k in chosen if not dead[k]]
    if not living:
        raise UnreadableImage(f"no signal in the bands to be drawn ({', '.join(labels[k] for k in chosen)})")
    levels = (stretch if len(living) == len(chosen) else incomplete)(_three(filled[living]))
    pixels = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    dead_bands = tuple(label for label, none in zip(labels, dead, strict=True) if none)
    return Picture(np.ascontiguousarray(pixels), nan_count, dead_bands)


def _automatic(names: tuple[str, ...], nanomaggies: bool) -> str:
    if nanomaggies and {"g", "r", "z"} <= set(names):
        return "legacy"
    if nanomaggies and {"g", "r", "i"} <= set(names):
        return "sdss"
    return "euclid" if {"vis", "y"} <= set(names) else "asinh"


def fill_nan(planes: np.ndarray) -> tuple[np.ndarray, int]:
    """Replace what is not finite by the median of its band; return float32 planes and how many there were."""
    filled = np.array(planes, dtype=np.float32)
    good = np.isfinite(filled)
    missing = int(filled.size - np.count_nonzero(good))
    if missing == filled.size:
        raise UnreadableImage("every pixel is NaN")
    if missing:
        for plane, valid in zip(filled, good, strict=True):
            plane[~valid] = np.median(plane[valid]) if valid.any() else 0
    if all(plane.min() == plane.max() for plane in filled):
        raise UnreadableImage("every pixel has the same value: an empty image")
    return filled, missing


def without_signal(planes: np.ndarray) -> np.ndarray:
    """
    Find the bands that measured nothing of the galaxy.

    They hold one value only, or most of the middle of the frame, where the galaxy is, is zero or not finite
    although another band has it. Where no band has it (sparse counts, models) none is held to be better.

    Parameters
    ----------
    planes : numpy.ndarray
        Shape (B, H, W).

    Returns
    -------
    numpy.ndarray
        bool, shape (B,).
    """
    constant = np.array([_is_constant(plane) for plane in planes])
    height, width = planes.shape[1:]
    middle = planes[:, height // 3 : height - height // 3, width // 3 : width - width // 3]
    empty = ((middle == 0) | ~np.isfinite(middle)).mean(axis=(1, 2)) > 0.5
    return constant | (empty if (~empty & ~constant).any() else False)


def _is_constant(plane: np.ndarray) -> bool:
    values = plane[np.isfinite(plane)]
    return not values.size or bool(values.min() == values.max())


def choose_bands(count: int, names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """Pick planes for red (green) and blue out of `count`; by name, else taken as blue to red."""
    if wanted and set(wanted) <= set(names):
        return tuple(names.index(w) for w in wanted)
    if count < 3:
        return tuple(reversed(range(count)))
    middle = count // 2  # ugriz: i, r, g
    return (middle + 1, middle, middle - 1)


def _three(planes: np.ndarray) -> np.ndarray:
    """Red, green, blue (3, H, W) of three planes; of two, green is their mean; one is grey."""
    if len(planes) == 3:
        return planes
    return np.stack([planes[0], (planes[0] + planes[-1]) / 2, planes[-1]])
