"""Read every image once and say which are broken, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from glue_zoobot.errors import ImageError
from glue_zoobot.images.source import ImageSource

_CHUNK = 1024


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
    shapes : dict
        (height, width) to how many images have that size.
    """

    total: int
    broken: dict[int, str]
    nan_counts: dict[int, int]
    shapes: dict[tuple[int, int], int]

    @property
    def readable(self) -> int:
        """Number of images that can be read."""
        return self.total - len(self.broken)

    def summary(self) -> str:
        """Say it in one line: "2,398 images, 3 broken, 5 with NaN pixels"."""
        parts = [f"{self.total:,} images", f"{len(self.broken):,} broken"]
        if self.nan_counts:
            parts.append(f"{len(self.nan_counts):,} with NaN pixels (shown as sky)")
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
    shapes: Counter[tuple[int, int]] = Counter()

    def look(row: int) -> tuple[int, tuple[int, int] | str, int]:
        try:
            picture = source.load(row)
        except ImageError as error:
            return row, error.reason, 0
        return row, picture.pixels.shape[:2], picture.nan_count

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(source), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(source)))
            for row, found, nan_count in pool.map(look, rows):
                if isinstance(found, str):
                    broken[row] = found
                    continue
                shapes[found] += 1
                if nan_count:
                    nan_counts[row] = nan_count
            if progress is not None:
                progress(rows.stop, len(source))
    return Survey(len(source), broken, nan_counts, dict(shapes))
