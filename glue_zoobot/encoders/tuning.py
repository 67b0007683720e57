"""Which number type and which batch size make an encoder fastest here without changing its answers."""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from glue_zoobot.encoders import pixels
from glue_zoobot.encoders.encoder import Encoder, finite_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 10
LEAST_OVERLAP = 0.98
LEAST_COSINE = 0.99
LEAST_SPEEDUP = 1.1
LEAST_PICTURES = 64
_log = logging.getLogger(__name__)
_NO_BFLOAT16 = ("DEFAULT", "NO AVX", "AVX2")
_BATCHES = {"cpu": (4, 8, 16, 32), "gpu": (32, 64, 128, 256, 512, 1024)}


@dataclass(frozen=True)
class PrecisionChoice:
    """
    Which precision was chosen, and what was measured; None is "not measured".

    Parameters
    ----------
    precision : str
        ``float32`` or ``bfloat16``.
    reason : str
        In words, for a log.
    speedup : float or None
        Pictures per second in bfloat16 over those in float32.
    overlap : float or None
        Mean fraction of the ten nearest neighbours that stay the same.
    cosine : float or None
        Mean cosine between the embeddings in both precisions, about the mean of those in float32.
    """

    precision: str
    reason: str
    speedup: float | None = None
    overlap: float | None = None
    cosine: float | None = None


def choose_precision(encoder: Encoder, images: object) -> str:
    """
    Switch an encoder to bfloat16 if that is faster here and keeps the neighbours.

    Parameters
    ----------
    encoder : Encoder
        In float32; is left in the precision that is returned.
    images : sequence or array of uint8
        The first pictures of the job, at least 64 (128 are ample), as for `Encoder.embed`.

    Returns
    -------
    {"float32", "bfloat16"}
        Why is written to the log.
    """
    choice = compare_precisions(encoder, images)
    _log.info("encoder %s in %s: %s", encoder.spec.name, choice.precision, choice.reason)
    encoder.set_precision(choice.precision)
    return choice.precision


def compare_precisions(encoder: Encoder, images: object) -> PrecisionChoice:
    """
    Measure what bfloat16 gains and what it costs; the encoder, which must be in float32, stays as it is.

    Parameters
    ----------
    encoder, images
        As for `choose_precision`.

    Returns
    -------
    PrecisionChoice
    """
    if encoder.device == "cpu" and torch.backends.cpu.get_cpu_capability() in _NO_BFLOAT16:
        return PrecisionChoice("float32", "this processor has no bfloat16 arithmetic")
    pictures = pixels.as_batch(images, encoder.spec)
    if len(pictures) < LEAST_PICTURES:
        return PrecisionChoice("float32", f"{len(pictures)} pictures are too few to check bfloat16")
    trial = copy.deepcopy(encoder)
    trial.set_precision("bfloat16")
    size = 8 if encoder.device == "cpu" else 64
    speedup = pictures_per_second(trial, size) / pictures_per_second(encoder, size)
    if speedup < LEAST_SPEEDUP:
        return PrecisionChoice("float32", f"bfloat16 is no faster here ({speedup:.2f} times)", speedup)
    return _judge(_embed_all(encoder, pictures, size), _embed_all(trial, pictures, size), speedup)


def _judge(exact: NDArray[np.float32], rounded: NDArray[np.float32], speedup: float) -> PrecisionChoice:
    if not finite_rows(rounded).all():
        return PrecisionChoice("float32", "bfloat16 gives embeddings that are not finite", speedup)
    overlap, cosine = neighbour_overlap(exact, rounded), centred_cosine(exact, rounded)
    kept = overlap >= LEAST_OVERLAP and cosine >= LEAST_COSINE
    reason = (
        f"bfloat16 is {speedup:.2f} times as fast, {overlap:.1%} of the {NEIGHBOURS} nearest neighbours stay "
        f"({LEAST_OVERLAP:.0%} needed), centred cosine {cosine:.4f} ({LEAST_COSINE} needed)"
    )
    return PrecisionChoice("bfloat16" if kept else "float32", reason, speedup, overlap, cosine)


def neighbour_overlap(exact: NDArray[np.float32], other: NDArray[np.float32], k: int = NEIGHBOURS) -> float:
    """Mean fraction of the `k` nearest neighbours (cosine) that two embeddings of the same galaxies share."""
    pairs = zip(_neighbours(exact, k), _neighbours(other, k), strict=True)
    return float(np.mean([len(np.intersect1d(one, two)) / k for one, two in pairs]))


def centred_cosine(exact: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean cosine between rows, after the mean of `exact` is taken from both."""
    one, two = exact - exact.mean(0), other - exact.mean(0)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return float(np.mean((one * two).sum(1) / np.maximum(lengths, np.finfo(np.float32).tiny)))


def _neighbours(matrix: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argpartition(-similarity, k - 1, axis=1)[:, :k]


def _embed_all(encoder: Encoder, pictures: torch.Tensor, size: int) -> NDArray[np.float32]:
    return np.concatenate([encoder.embed(part) for part in pictures.split(size)])


def probe_batch_size(encoder: Encoder, seconds: float = 6.0) -> int:
    """
    Find the batch that gives most pictures per second on the encoder's device.

    Parameters
    ----------
    encoder : Encoder
        In the precision that will be used.
    seconds : float
        Sizes are tried in growing order until this time is spent, memory ends, or the rate falls by a fifth.

    Returns
    -------
    int
    """
    start, best, best_rate = time.perf_counter(), 1, 0.0
    for size in _BATCHES["cpu" if encoder.device == "cpu" else "gpu"]:
        try:
            rate = pictures_per_second(encoder, size, seconds / 4)
        except torch.OutOfMemoryError:
            break
        if rate > best_rate:
            best, best_rate = size, rate
        if rate < 0.8 * best_rate or time.perf_counter() - start > seconds:
            break
    return best


def pictures_per_second(encoder: Encoder, size: int, seconds: float = 1.0) -> float:
    """
    Measure the bare network.

    Parameters
    ----------
    encoder : Encoder
    size : int
        Pictures per batch.
    seconds : float
        About how long to measure: one pass to warm up, then 1 to 20, of which the fastest counts.

    Returns
    -------
    float
    """
    side = encoder.spec.input_size
    inputs = encoder.preprocess(torch.zeros((size, 3, side, side), dtype=torch.uint8))
    warm_up = _seconds(encoder, inputs)
    passes = min(20, max(1, int(seconds / warm_up)))
    return size / min(_seconds(encoder, inputs) for _ in range(passes))


def _seconds(encoder: Encoder, inputs: torch.Tensor) -> float:
    start = time.perf_counter()
    encoder.forward(inputs)
    if encoder.device.startswith("cuda"):
        torch.cuda.synchronize(encoder.device)
    return time.perf_counter() - start
