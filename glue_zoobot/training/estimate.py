"""How long a training would take here: its own first steps, on a few of its galaxies, timed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.errors import EncoderError
from glue_zoobot.images import Catalogue, ImageSource
from glue_zoobot.training.loop import Silence

__all__ = ["Estimate", "Stopwatch", "some_galaxies", "some_labels", "timed"]

SOME = 256  # galaxies
SECONDS = 4.0  # of training that are timed


@dataclass(frozen=True)
class Estimate:
    """
    What was measured.

    Attributes
    ----------
    reading_rate, rate : float
        Pictures decoded, and galaxies trained on, per second.
    """

    reading_rate: float
    rate: float

    def seconds(self, n_pictures: int, n_shown: int) -> float:
        """Time to decode some pictures and to train on some, each counted as often as it is shown."""
        return n_pictures / self.reading_rate + n_shown / self.rate


@dataclass
class Stopwatch(Silence):
    """A report that notes when how much was done, and says when that is enough."""

    moments: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def progress(self, progress: Any) -> None:
        """Note it."""
        self.moments.setdefault(progress.stage, []).append((time.perf_counter(), progress.done))

    def enough(self) -> bool:
        """Whether the training was timed for long enough."""
        moments = self.moments.get("training", [])
        return len(moments) > 1 and moments[-1][0] - moments[0][0] > SECONDS

    def rate(self, stage: str, begun: float) -> float:
        """Galaxies per second in a stage; from its first report on, as the first step takes longer."""
        moments = self.moments.get(stage, [])
        first = moments[0] if len(moments) > 1 and moments[-1][1] > moments[0][1] else (begun, 0)
        if not moments or moments[-1][0] <= first[0]:
            raise EncoderError("the training ended before it could be timed; it will take seconds")
        return (moments[-1][1] - first[1]) / (moments[-1][0] - first[0])


def timed(train: Callable[[Path, Stopwatch, Callable[[], bool]], object]) -> Estimate:
    """
    Begin a training in a folder that is thrown away, and stop it when it was timed.

    Parameters
    ----------
    train : callable
        Of the folder, a report and the question whether to stop.

    Raises
    ------
    EncoderError
        If it was over before.
    """
    watch, begun = Stopwatch(), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="glue-zoobot-", ignore_cleanup_errors=True) as folder:
        train(Path(folder) / "encoder", watch, watch.enough)
    return Estimate(watch.rate("reading", begun), watch.rate("training", begun))


class _Some(ImageSource):
    """Some rows of another source."""

    def __init__(self, source: ImageSource, rows: np.ndarray) -> None:
        self._of, self._rows = source, rows
        self.object_ids = source.object_ids[rows]

    def __len__(self) -> int:
        return len(self._rows)

    def _load(self, i: int) -> Any:
        return self._of.load(int(self._rows[i]))


def some_galaxies(catalogue: Catalogue, n: int = SOME) -> Catalogue:
    """Return a catalogue of some rows from all over another one."""
    rows = np.unique(np.linspace(0, len(catalogue.source) - 1, min(n, len(catalogue.source))).astype(int))
    return replace(
        catalogue, source=_Some(catalogue.source, rows), table=catalogue.table[rows], duplicates={}
    )


def some_labels(labels: Mapping[str, Any], n: int = SOME) -> dict[str, Any]:
    """Return some labels, of each class as many as of every other as far as there are."""
    names = np.random.default_rng(0).permutation(np.array(list(labels), dtype=object)).tolist()
    seen: dict[str, int] = {}
    turn = {}
    for name in names:
        value = str(labels[name])
        turn[name] = seen[value] = seen.get(value, 0) + 1
    return {name: labels[name] for name in sorted(names, key=turn.__getitem__)[:n]}
