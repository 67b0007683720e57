"""
From rows of an image source to vectors: read and resize in threads, embed here, keep the order.

Threads suffice, since decoding and resizing release Python's lock. All of them together hold a fixed
number of pictures, however long the catalogue is.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding.batches import CPU_SIZES, GPU_SIZES, BatchSize
from glue_zoobot.errors import EncoderError, ImageError

if TYPE_CHECKING:
    import torch

LARGEST_FLOAT16 = 65504.0
# A vector whose values are so small that float16 rounds them by more than this is not stored.
LARGEST_ROUNDING = 0.01


@dataclass(frozen=True)
class Picture:
    """One resized picture, uint8 (3, S, S), or the reason why there is none."""

    pixels: torch.Tensor | None
    reason: str | None = None


@dataclass(frozen=True)
class Embedded:
    """Results of one batch: for each image a float16 vector of shape (D,), or None and a reason."""

    vectors: list[np.ndarray | None]
    reasons: list[str | None]


def embed_rows(source: Any, rows: Iterable[int], encoder: Any) -> Iterator[Embedded]:
    """
    Embed rows of a source, in their order.

    Parameters
    ----------
    source : ImageSource
    rows : iterable of int
        May be lazy and long.
    encoder : Encoder

    Yields
    ------
    Embedded
        One batch at a time. Closing the generator stops the threads.
    """
    on_gpu = _on_gpu(encoder)
    sizes = BatchSize(GPU_SIZES if on_gpu else CPU_SIZES)
    threads = decode_threads(on_gpu)
    lookahead = 2 * max(GPU_SIZES if on_gpu else CPU_SIZES)

    def prepare(row: int) -> Picture:
        return _read(source, encoder, row)

    with ThreadPoolExecutor(threads, "zoobot-decode") as pool, ThreadPoolExecutor(1, "zoobot-batch") as ahead:
        pictures = map_ordered(prepare, rows, pool, lookahead)
        coming = ahead.submit(_collect, pictures, sizes.next(), on_gpu)
        try:
            while batch := coming.result():
                coming = ahead.submit(_collect, pictures, sizes.next(), on_gpu)
                yield _embed(encoder, *batch, sizes)
        finally:
            coming.cancel()
            pool.shutdown(wait=False, cancel_futures=True)


def map_ordered(
    function: Callable[[int], Picture], rows: Iterable[int], pool: ThreadPoolExecutor, lookahead: int
) -> Iterator[Picture]:
    """Apply ``function`` in a pool's threads, results in order, never more than ``lookahead`` at once."""
    rows = iter(rows)
    waiting: deque[Future[Picture]] = deque(pool.submit(function, row) for row in islice(rows, lookahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(function, row) for row in islice(rows, 1))


def decode_threads(on_gpu: bool) -> int:
    """
    Threads that read and resize.

    A GPU is fed by all cores. Beside a network on the CPU two threads are ample: a core resizes far
    more images than it embeds, and one thread may wait for a disk.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(32, cores) if on_gpu else 2


def storable(vectors: np.ndarray) -> Embedded:
    """
    Turn float32 vectors (B, D) to float16, or to a reason where float16 cannot hold them.

    Nothing wrong is ever stored: neither NaN nor infinity, nor values beyond the range of float16.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        halves = vectors.astype(np.float16)
        lost = np.linalg.norm(vectors - halves, axis=1) > LARGEST_ROUNDING * np.linalg.norm(vectors, axis=1)
    result = Embedded([], [])
    for vector, half, imprecise in zip(vectors, halves, lost, strict=True):
        reason = None
        if not np.isfinite(vector).all():
            reason = "the encoder gave a value that is not finite"
        elif not np.isfinite(half).all():
            reason = f"the encoder gave {np.abs(vector).max():.3g}, more than float16 holds (65504)"
        elif imprecise:
            reason = f"the encoder gave values below {np.abs(vector).max():.1e}, too small for float16"
        result.vectors.append(None if reason else half)
        result.reasons.append(reason)
    return result


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of PyTorch, on whichever device, means that memory ran out."""
    text = str(error).lower()
    words = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    return isinstance(error, MemoryError) or any(word in text for word in words)


def _read(source: Any, encoder: Any, row: int) -> Picture:
    try:
        return Picture(encoder.resize(source.read(row)))
    except ImageError as error:
        return Picture(None, error.reason)
    except EncoderError as error:  # a picture of a shape that the encoder does not take
        return Picture(None, str(error))


def _collect(
    pictures: Iterator[Picture], size: int, pin: bool
) -> tuple[list[Picture], torch.Tensor | None] | None:
    """Take the next ``size`` pictures and stack those that could be read; None at the end."""
    import torch

    taken = list(islice(pictures, size))
    if not taken:
        return None
    pixels = [picture.pixels for picture in taken if picture.pixels is not None]
    batch = torch.stack(pixels) if pixels else None
    return taken, batch.pin_memory() if pin and batch is not None else batch


def _embed(encoder: Any, taken: list[Picture], batch: torch.Tensor | None, sizes: BatchSize) -> Embedded:
    """Embed the readable ones of a batch and put the results back among the broken ones."""
    if batch is None:
        return Embedded([None] * len(taken), [picture.reason for picture in taken])
    start = time.perf_counter()
    good = storable(_forward(encoder, batch, sizes))
    sizes.observe(len(batch), time.perf_counter() - start)
    results = iter(zip(good.vectors, good.reasons, strict=True))
    pairs = [(None, picture.reason) if picture.pixels is None else next(results) for picture in taken]
    return Embedded([vector for vector, _ in pairs], [reason for _, reason in pairs])


def _forward(encoder: Any, batch: torch.Tensor, sizes: BatchSize) -> np.ndarray:
    """Embed a batch, in halves where memory runs out."""
    try:
        vectors = np.asarray(encoder.embed(batch), dtype=np.float32)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise EncoderError(
                f"Memory ran out with a single image ({error}). Free some, or choose a smaller encoder "
                "or another device."
            ) from error
    else:
        if vectors.shape != (len(batch), encoder.spec.width):
            raise EncoderError(
                f"The encoder '{encoder.spec.name}' gave an array of shape {vectors.shape} for {len(batch)} "
                f"images; its record says {encoder.spec.width} dimensions. Correct its record."
            )
        return vectors
    _free_gpu_cache(encoder)
    sizes.out_of_memory(len(batch))
    half = len(batch) // 2
    return np.concatenate([_forward(encoder, part, sizes) for part in (batch[:half], batch[half:])])


def _on_gpu(encoder: Any) -> bool:
    return str(encoder.device).startswith("cuda")


def _free_gpu_cache(encoder: Any) -> None:
    if _on_gpu(encoder):
        import torch

        torch.cuda.empty_cache()
