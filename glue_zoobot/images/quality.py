"""Statistics of a picture that give away artefacts: trails, haloes, missing bands, cut-off stamps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.errors import ImageError

if TYPE_CHECKING:
    from astropy.table import Table

    from glue_zoobot.images.source import ImageSource

__all__ = ["FLAGS", "STATISTICS", "flags_of", "quality_table", "statistics_of"]

SIZE = 96  # pixels a side at which shapes are judged
N_ANGLES = 48
SATURATED = 250  # of 255
CENTRE, SKY = 0.35, 0.75  # in half sides of the frame: the galaxy within, the sky beyond

STATISTICS = (
    "outer_light",
    "sky_gradient",
    "sky_colour",
    "line_contrast",
    "weakest_band",
    "flat_border",
    "saturated_fraction",
    "missing_fraction",
)

# Each is passed by about one in a hundred of 400 random Galaxy Zoo stamps.
FLAGS: dict[str, tuple[str, str, float]] = {
    "trail": ("line_contrast", ">", 11.0),
    "halo": ("sky_gradient", ">", 50.0),
    "tinted_sky": ("sky_colour", ">", 9.0),
    "missing_band": ("weakest_band", "<", 0.05),
    "truncated": ("flat_border", ">", 0.02),
}


def statistics_of(image: np.ndarray) -> dict[str, float]:
    """
    Measure a picture.

    Parameters
    ----------
    image : np.ndarray
        Shape (H, W, 3), uint8.

    Returns
    -------
    dict
        ``outer_light``: light above the sky outside the central third over that inside; the best single
        sign of an artefact;
        ``sky_gradient``: difference between bright and dark parts of the sky (90th minus 10th percentile of
        the smoothed frame border), in grey levels;
        ``sky_colour``: largest minus smallest channel of the sky, in grey levels;
        ``line_contrast``: strongest straight line across the picture, in standard deviations of all lines;
        ``weakest_band``: smallest over largest spread (99.5th minus 50th percentile) of the channels;
        ``flat_border``: share of the frame taken by constant rows or columns at its border;
        ``saturated_fraction``: share of pixels with a channel at 250 or more;
        ``missing_fraction``: share of pixels that are exactly 0 in all channels.
        NaN where a figure is not defined (a constant picture has no contrast).
    """
    small = _shrink(image)
    brightest = small.max(axis=2)
    radius = _radius(*brightest.shape)
    gradient, colour = _sky(small, brightest, radius)
    return {
        "outer_light": _outer_light(brightest, radius),
        "sky_gradient": gradient,
        "sky_colour": colour,
        "line_contrast": _line_contrast(brightest),
        "weakest_band": _weakest_band(image),
        "flat_border": _flat_border(image),
        "saturated_fraction": float((image >= SATURATED).any(axis=2).mean()),
        "missing_fraction": float((image == 0).all(axis=2).mean()),
    }


def flags_of(statistics: dict[str, float]) -> dict[str, bool]:
    """
    Judge the statistics of a picture.

    Parameters
    ----------
    statistics : dict
        From `statistics_of`.

    Returns
    -------
    dict
        ``trail`` (of a satellite, or a diffraction spike), ``halo`` (of a bright star), ``tinted_sky``,
        ``missing_band``, ``truncated``; a figure that is not defined raises no flag.
    """
    return {
        flag: bool(statistics[name] > limit if sign == ">" else statistics[name] < limit)
        for flag, (name, sign, limit) in FLAGS.items()
    }


def quality_table(source: ImageSource, rows: Iterable[int] | None = None) -> Table:
    """
    Measure many pictures.

    Parameters
    ----------
    source : ImageSource
    rows : iterable of int, optional
        By default all.

    Returns
    -------
    astropy.table.Table
        ``object_id``, the statistics (float32) and the flags (bool); pictures that cannot be read are left
        out.
    """
    from astropy.table import Table

    ids, measured = [], []
    for row in range(len(source)) if rows is None else rows:
        try:
            image = source.read(row)
        except ImageError:
            continue
        ids.append(str(source.object_ids[row]))
        measured.append(statistics_of(image))
    columns: dict[str, np.ndarray] = {"object_id": np.array(ids, dtype=str)}
    for name in STATISTICS:
        columns[name] = np.array([figures[name] for figures in measured], dtype=np.float32)
    for flag in FLAGS:
        columns[flag] = np.array([flags_of(figures)[flag] for figures in measured], dtype=bool)
    return Table(columns)


def _shrink(image: np.ndarray) -> np.ndarray:
    """Mean over blocks to about SIZE pixels a side, (H', W', 3) float32; small pictures stay as they are."""
    step = max(1, min(image.shape[:2]) // SIZE)
    height, width = (length // step * step for length in image.shape[:2])
    blocks = image[:height, :width].reshape(height // step, step, width // step, step, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _flat_border(image: np.ndarray) -> float:
    rows = (image == image[:, :1]).all(axis=(1, 2))
    columns = (image == image[:1]).all(axis=(0, 2))
    return 1 - _inner(rows) * _inner(columns)


def _inner(flat: np.ndarray) -> float:
    """Share of a side that is left when flat lines at its two ends are cut away."""
    kept = np.flatnonzero(~flat)
    return (kept[-1] - kept[0] + 1) / len(flat) if kept.size else 0.0


def _weakest_band(image: np.ndarray) -> float:
    low, high = np.percentile(image[::2, ::2].reshape(-1, 3), [50, 99.5], axis=0)
    spread = high - low
    return float(spread.min() / spread.max()) if spread.max() > 0 else float("nan")


@lru_cache(maxsize=8)
def _radius(height: int, width: int) -> np.ndarray:
    """Distance of each pixel from the centre, in half sides."""
    y, x = np.mgrid[:height, :width]
    return np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) / (min(height, width) / 2)


def _sky(small: np.ndarray, brightest: np.ndarray, radius: np.ndarray) -> tuple[float, float]:
    """Gradient and colour of the sky, in grey levels."""
    from scipy.ndimage import uniform_filter

    border = uniform_filter(brightest, 9)[radius > SKY]
    low, high = np.percentile(border, [10, 90])
    return float(high - low), float(np.ptp(np.median(small[radius > SKY], axis=0)))


def _outer_light(brightest: np.ndarray, radius: np.ndarray) -> float:
    above_sky = np.clip(brightest - np.median(brightest[radius > SKY]), 0, None)
    inside = above_sky[radius < CENTRE].sum()
    return float(above_sky[radius > CENTRE].sum() / inside) if inside > 0 else float("nan")


def _line_contrast(grey: np.ndarray) -> float:
    """
    Strength of the strongest straight line: a discrete Radon transform of the picture less its local median.

    Brightness is cut at the 97th percentile, so that a long faint line counts for more than a short bright
    one such as a galaxy seen edge-on.
    """
    from scipy.ndimage import uniform_filter

    detail = grey - uniform_filter(grey, 9)
    detail = np.clip(detail, 0, np.percentile(detail, 97))
    bins, counts = _line_bins(*grey.shape)
    sums = np.bincount(bins.ravel(), np.broadcast_to(detail.ravel(), bins.shape).ravel(), len(counts))
    long = counts >= 0.6 * min(grey.shape)
    means = sums[long] / counts[long]
    spread = np.percentile(means, 84) - np.percentile(means, 50)
    return float((means.max() - np.median(means)) / spread) if spread > 0 else float("nan")


@lru_cache(maxsize=8)
def _line_bins(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Which line of each direction a pixel lies on, (N_ANGLES, H*W), and how many pixels each line has."""
    y, x = np.mgrid[:height, :width]
    angles = np.pi * np.arange(N_ANGLES) / N_ANGLES
    offset = np.cos(angles)[:, None] * x.ravel() + np.sin(angles)[:, None] * y.ravel()
    n_lines = height + width + 2
    bins = np.round(offset).astype(np.int64) + width + np.arange(N_ANGLES)[:, None] * (n_lines + width)
    return bins, np.bincount(bins.ravel(), minlength=int(bins.max()) + 1)
