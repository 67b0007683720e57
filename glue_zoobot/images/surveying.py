"""Read every image once and say which are broken, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from glue_zoobot.errors import ImageError
from glue_zoobot.images.source import ImageSource
from glue_zoobot.wording import counted

_CHUNK = 1024
Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Survey:
    """
    What reading every image showed.

    Attributes
    ----------
    total : int
        Number of images.
    broken : dict
        Row to reason, for the images that cannot be read.
    nan_counts : dict
        Row to the number of pixels that were NaN and became sky, where there were any.
    dead_bands : dict
        Row to the bands without signal that were left out of its picture, where there were any.
    outside : dict
        Row to the share of its frame that is beyond the mosaic, where some is.
    shapes : dict
        (height, width) to how many images have that size.
    """

    total: int
    broken: dict[int, str]
    nan_counts: dict[int, int]
    dead_bands: dict[int, tuple[str, ...]]
    shapes: dict[tuple[int, int], int]
    outside: dict[int, float] = field(default_factory=dict)

    @property
    def readable(self) -> int:
        """Number of images that can be read."""
        return self.total - len(self.broken)

    def summary(self) -> str:
        """Say it in one line: "2,398 images, 3 broken, 5 with NaN pixels"."""
        parts = [counted(self.total, "image"), f"{len(self.broken):,} broken"]
        if self.nan_counts:
            parts.append(f"{len(self.nan_counts):,} with NaN pixels (shown as sky)")
        if self.dead_bands:
            parts.append(f"{len(self.dead_bands):,} drawn without bands that have no signal")
        if self.outside:
            parts.append(f"{len(self.outside):,} that reach beyond the mosaic")
        return ", ".join(parts)


def survey(
    source: ImageSource, workers: int = 4, progress: Callable[[int, int], None] | None = None
) -> Survey:
    """
    Read every image of a source.

    Parameters
    ----------
    source : ImageSource
        N images.
    workers : int
        Number of reading threads.
    progress : callable, optional
        Called with the number done and N after every thousand or so.

    Returns
    -------
    Survey
    """
    broken: dict[int, str] = {}
    nan_counts: dict[int, int] = {}
    dead_bands: dict[int, tuple[str, ...]] = {}
    outside: dict[int, float] = {}
    shapes: Counter[tuple[int, int]] = Counter()
    lock = Lock()

    def look(row: int) -> None:
        try:
            picture = source.load(row)
        except ImageError as error:
            broken[row] = error.reason
            return
        with lock:
            shapes[picture.pixels.shape[:2]] += 1
        if picture.nan_count:
            nan_counts[row] = picture.nan_count
        if picture.dead_bands:
            dead_bands[row] = picture.dead_bands
        if picture.outside:
            outside[row] = picture.outside

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(source), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(source)))
            for _ in pool.map(look, rows):
                pass  # raises what is no image's fault
            if progress is not None:
                progress(rows.stop, len(source))
    return Survey(
        len(source),
        _by_row(broken),
        _by_row(nan_counts),
        _by_row(dead_bands),
        dict(shapes),
        _by_row(outside),
    )


def _by_row(found: dict[int, Fact]) -> dict[int, Fact]:
    return dict(sorted(found.items()))
