"""The galaxies that are trained on: their small pictures, what dust is before them, and in which order."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glue_zoobot.embedding.progress import Meter
from glue_zoobot.encoders import EncoderSpec, pixels
from glue_zoobot.errors import EncoderError
from glue_zoobot.images import Catalogue
from glue_zoobot.training.augment import plain_view
from glue_zoobot.training.card import fingerprint
from glue_zoobot.training.distributed import World
from glue_zoobot.training.dust import catalogue_ebv
from glue_zoobot.training.fluxes import flux_reader
from glue_zoobot.training.loop import TELL_EVERY, Report, TrainingProgress
from glue_zoobot.training.pictures import Pictures
from glue_zoobot.training.stretch import COMPOSITES, Composite

__all__ = ["Feeder", "Galaxies", "composite_of", "frame_reader", "frame_size", "gather", "origin_of"]

FEWEST = 32  # below this there is nothing to tell a galaxy from
SAMPLE = 2048


@dataclass(frozen=True)
class Galaxies:
    """
    What there is to train on.

    Attributes
    ----------
    pictures : Pictures
    rows : np.ndarray
        (M,) int64: rows of the catalogue whose picture is whole, without later rows of a duplicate id.
    object_ids : np.ndarray
        (N,) of the catalogue.
    ebv : Tensor or None
        (N,) float32, NaN where the catalogue does not say.
    composite : Composite
    broken : int
    """

    pictures: Pictures
    rows: np.ndarray
    object_ids: np.ndarray
    ebv: Tensor | None
    composite: Composite
    broken: int

    def dust_of(self, rows: np.ndarray, device: str) -> Tensor | None:
        """E(B-V) of some rows from the catalogue, if it has any."""
        return None if self.ebv is None else self.ebv[torch.from_numpy(rows)].to(device)

    def colours(self, spec: EncoderSpec) -> EncoderSpec:
        """Set mean and standard deviation of an encoder that starts from random weights to those found."""
        some = self.rows[:: max(1, len(self.rows) // SAMPLE)]
        view = plain_view(self.pictures.batch(some), spec.input_size, spec.crop, self.composite)
        mean, std = view.mean((0, 2, 3)), view.std((0, 2, 3)).clamp(min=0.01)
        return spec.replace(
            mean=tuple(round(float(m), 4) for m in mean), std=tuple(round(float(s), 4) for s in std)
        )


def gather(
    catalogue: Catalogue,
    spec: EncoderSpec,
    composite: str,
    folder: Path,
    world: World,
    report: Report,
    stopped: Callable[[], bool],
    only: np.ndarray | None = None,
    fewest: int = FEWEST,
) -> Galaxies | None:
    """
    Decode all pictures of a catalogue, or find that they are decoded already.

    Parameters
    ----------
    catalogue : Catalogue
    spec : EncoderSpec
        Its input size and crop decide the size of the pictures.
    composite : str
        How the pictures were made of fluxes, where the catalogue does not say.
    folder : Path
        For the file of pictures.
    world, report, stopped
        As for `Training`.
    only : np.ndarray, optional
        Rows that are wanted; all by default.
    fewest : int
        Pictures that are needed.

    Returns
    -------
    Galaxies or None
        None if it was stopped.

    Raises
    ------
    EncoderError
        If there are too few pictures.
    """
    size = frame_size(spec)
    read_flux = flux_reader(catalogue, size)
    rows = _first_of_each(catalogue) if only is None else only
    kept = (folder, rows, size, read_flux is not None, origin_of(catalogue))
    if world.leads:
        _decode(Pictures.open(*kept), read_flux or frame_reader(catalogue, spec), report, stopped)
    if world.any(stopped()):
        return None
    world.wait()
    pictures = Pictures.open(*kept)
    whole = pictures.whole()
    if len(whole) < fewest:
        raise EncoderError(
            f"{len(whole):,} of {len(rows):,} images of {catalogue.spec.path} can be read; at least {fewest} "
            "are needed to train. `glue-zoobot check` says what is wrong with the others."
        )
    ebv = catalogue_ebv(catalogue.table)
    return Galaxies(
        pictures,
        whole,
        catalogue.source.object_ids,
        None if ebv is None else torch.tensor(ebv, dtype=torch.float32),
        composite_of(catalogue, composite),
        len(rows) - len(whole),
    )


def _decode(
    pictures: Pictures, read: Callable[[int], Tensor], report: Report, stopped: Callable[[], bool]
) -> None:
    """Read what is not read yet, and say how that went."""
    n, size = len(pictures.rows), pictures.pixels.shape[-1]
    reasons = pictures.fill(read, _tell_reading(report, n), stopped)
    _tell_broken(report, reasons)
    megabytes = pictures.pixels.nbytes / 1e6
    report.say(f"{n:,} pictures of {size} pixels are kept in memory: {megabytes:,.0f} MB")


def origin_of(catalogue: Catalogue) -> str:
    """Hash of the galaxies of a catalogue and of how their pictures are made."""
    spec = catalogue.spec
    return fingerprint([*catalogue.source.object_ids, spec.preset, spec.bands])


def composite_of(catalogue: Catalogue, otherwise: str) -> Composite:
    """How the pictures of a catalogue are made of fluxes: by its preset, else as the user says."""
    return COMPOSITES[catalogue.spec.preset if catalogue.spec.preset in COMPOSITES else otherwise]


def frame_size(spec: EncoderSpec) -> int:
    """Pixels of a whole frame whose centre has the size of the encoder's input."""
    return round(spec.input_size / spec.crop)


def frame_reader(catalogue: Catalogue, spec: EncoderSpec) -> Callable[[int], Tensor]:
    """Read whole frames of a catalogue scaled as the encoder scales their centres, uint8 (3, H, H)."""
    frame = spec.replace(input_size=frame_size(spec), crop=1.0, channels=3, mean=(0,) * 3, std=(1,) * 3)
    return lambda row: pixels.resize(catalogue.source.read(row), frame)


class Feeder:
    """
    Fetches the pictures of the next step while the present one is trained on.

    Parameters
    ----------
    load : callable
        From the number of a step to what it needs; called in a thread.
    n_steps : int
    """

    def __init__(self, load: Callable[[int], tuple[np.ndarray, Tensor]], n_steps: int) -> None:
        self._load, self._n_steps = load, n_steps
        self._pool = ThreadPoolExecutor(1, "feed")
        self._coming: tuple[int, Future[tuple[np.ndarray, Tensor]]] | None = None

    def __call__(self, step: int) -> tuple[np.ndarray, Tensor]:
        """Rows and pictures of a step."""
        ready = self._coming[1] if self._coming and self._coming[0] == step else None
        rows, batch = ready.result() if ready else self._load(step)
        if step + 1 < self._n_steps:
            self._coming = step + 1, self._pool.submit(self._load, step + 1)
        return rows, batch

    def close(self) -> None:
        """End its thread."""
        self._pool.shutdown(cancel_futures=True)


def _first_of_each(catalogue: Catalogue) -> np.ndarray:
    later = [row for rows in catalogue.duplicates.values() for row in rows]
    return np.setdiff1d(np.arange(len(catalogue.source)), later)


def _tell_reading(report: Report, total: int) -> Callable[[int, int, int], None]:
    meter, told = Meter(total), -TELL_EVERY

    def tell(done: int, total: int, broken: int) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_EVERY or done == total:
            told = time.monotonic()
            p = meter.report(done, broken)
            report.progress(TrainingProgress("reading", done, total, broken, p.rate, p.seconds_left))

    return tell


def _tell_broken(report: Report, reasons: dict[int, str], most: int = 5) -> None:
    if reasons:
        some = "; ".join(list(reasons.values())[:most])
        more = f"; and {len(reasons) - most:,} more" if len(reasons) > most else ""
        report.say(f"{len(reasons):,} images cannot be read and are left out: {some}{more}")
