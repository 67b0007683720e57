"""
From rows of an image source to vectors: read and resize in threads, embed here, keep the order.

Threads suffice, since decoding and resizing release Python's lock. All of them together hold a fixed
number of pictures, however long the catalogue is. Resizing is always done by the encoder's uint8 code
on the CPU, picture by picture, so that an embedding does not depend on the device or on neighbours;
scaling to the network's numbers is done on the device.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding.network import Network, to_float16
from glue_zoobot.embedding.ordered import available_cores, map_ordered
from glue_zoobot.errors import EncoderError, ImageError

if TYPE_CHECKING:
    import torch

# One batch in the network, one waiting, one being read.
BATCHES_AHEAD = 3


@dataclass(frozen=True)
class Picture:
    """One resized picture, uint8 (3, S, S), perhaps with a remark; or the reason why there is none."""

    pixels: torch.Tensor | None
    reason: str | None = None


@dataclass(frozen=True)
class Batch:
    """Some pictures, and the readable ones of them stacked, filled up with black to the batch size."""

    pictures: list[Picture]
    stack: torch.Tensor | None


@dataclass(frozen=True)
class Embedded:
    """Results of one batch: for each image a float16 vector (D,), or None; and a reason or remark."""

    vectors: list[np.ndarray | None]
    reasons: list[str | None]

    @property
    def broken(self) -> int:
        """How many have no vector."""
        return sum(vector is None for vector in self.vectors)


def embed_rows(source: Any, rows: Iterable[int], encoder: Any, batch_size: int) -> Generator[Embedded]:
    """
    Embed rows of a source, in their order.

    Parameters
    ----------
    source : ImageSource
    rows : iterable of int
        May be lazy and long.
    encoder : Encoder
    batch_size : int
        Every batch has this size, so that a galaxy's last digits do not depend on how many are left.

    Yields
    ------
    Embedded
        One batch at a time. Closing the generator stops the threads.
    """
    network = Network(encoder, batch_size)
    pin = str(encoder.device).startswith("cuda")

    def read(row: int) -> Picture:
        return _read(source, encoder, row)

    with ThreadPoolExecutor(_threads(encoder), "read") as pool, ThreadPoolExecutor(1, "batch") as ahead:
        pictures = map_ordered(read, rows, pool, BATCHES_AHEAD * batch_size)
        coming = ahead.submit(_collect, pictures, batch_size, pin)
        try:
            while batch := coming.result():
                coming = ahead.submit(_collect, pictures, batch_size, pin)
                yield _embed(network, batch)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _threads(encoder: Any) -> int:
    """
    Threads that read and resize.

    A GPU is fed by all cores. Beside a network on the CPU two are ample: a core resizes far more
    images than it embeds, and one of them may wait for a disk.
    """
    return 2 if str(encoder.device) == "cpu" else min(32, available_cores())


def _read(source: Any, encoder: Any, row: int) -> Picture:
    try:
        picture = source.load(row)
        return Picture(encoder.resize(picture.pixels), picture.note or None)
    except ImageError as error:
        return Picture(None, error.reason)
    except EncoderError as error:  # a picture of a shape that the encoder does not take
        return Picture(None, str(error))


def _collect(pictures: Iterator[Picture], size: int, pin: bool) -> Batch | None:
    """Take the next ``size`` pictures and stack those that could be read; None at the end."""
    import torch

    taken = list(islice(pictures, size))
    if not taken:
        return None
    pixels = [picture.pixels for picture in taken if picture.pixels is not None]
    if not pixels:
        return Batch(taken, None)
    stack = torch.zeros((size, *pixels[0].shape), dtype=torch.uint8, pin_memory=pin)
    torch.stack(pixels, out=stack[: len(pixels)])
    return Batch(taken, stack)


def _embed(network: Network, batch: Batch) -> Embedded:
    """Embed the readable pictures and put the results back among the broken ones."""
    vectors = iter(() if batch.stack is None else network(batch.stack))
    found: list[np.ndarray | None] = []
    reasons: list[str | None] = []
    for picture in batch.pictures:
        vector, reason = (None, None) if picture.pixels is None else to_float16(next(vectors))
        found.append(vector)
        reasons.append(reason or picture.reason)
    return Embedded(found, reasons)
