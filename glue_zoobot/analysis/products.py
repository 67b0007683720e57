"""Products of a large matrix with a few vectors: on a GPU where there is one, else as before."""

from __future__ import annotations

import ctypes.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Products"]

LARGE = 10**9  # bytes of a matrix for which starting a GPU, seconds once, is worth it
BLOCK_BYTES = 256 * 1024**2
ROOM_SHARE = 0.7  # of the device's free memory that a matrix may stay in

_log = logging.getLogger(__name__)


class Products:
    """
    Multiply all rows of a matrix with vectors, again and again.

    On a GPU the matrix stays in the device's memory as it is, float16 or float32, if there is room; else it
    goes there block by block for each question. Sums are made in float32, so that the exact choice of the
    best, by those who call, is the same wherever the products come from. When the GPU fails, for want of
    memory or because it is lost, the processor takes over, and `note` says so.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D), float16 or float32; not copied here.
    by_processor : callable
        Gives the products without a GPU: takes vectors (D, Q), returns float32 (Q, N).
    device : str
        ``"auto"``: the GPU, if there is one and the matrix is large; ``"cpu"``: none; or a device of torch
        (``"cpu:0"`` takes the way of a GPU on the processor).

    Attributes
    ----------
    note : str
        What the user should know: that a GPU failed; else empty.

    Raises
    ------
    EncoderError
        There is no such device.
    """

    def __init__(
        self, matrix: np.ndarray, by_processor: Callable[[np.ndarray], np.ndarray], device: str = "auto"
    ) -> None:
        self.note = ""
        self._by_processor = by_processor
        chosen = _choose(device, matrix.nbytes)
        self._there = None if chosen == "cpu" else _OnDevice(matrix, chosen)

    def __call__(self, targets: np.ndarray) -> np.ndarray:
        """Products with vectors (D, Q): float32 (Q, N)."""
        if self._there is not None:
            try:
                return self._there.products(targets)
            except RuntimeError as error:  # out of memory, or the device is gone
                reason = str(error).strip().splitlines()[0]
                self.note = f"searched by the processor, as the device {self._there.device} failed: {reason}"
                _log.warning(self.note)
                self._there = None
        return self._by_processor(targets)


class _OnDevice:
    """A matrix on a device of torch, or block by block on its way there."""

    def __init__(self, matrix: np.ndarray, device: str) -> None:
        self.device, self._matrix = device, matrix
        self._blocks: list[Tensor] | None = None
        self._rows = max(1, BLOCK_BYTES // (matrix.shape[1] * matrix.itemsize))

    def products(self, targets: np.ndarray) -> np.ndarray:
        import torch

        if self._blocks is None and self._matrix.nbytes < ROOM_SHARE * _room(self.device):
            self._blocks = list(self._on_their_way())
        keys = np.empty((targets.shape[1], len(self._matrix)), dtype=np.float32)
        vectors = torch.tensor(targets, dtype=torch.float32, device=self.device)
        start = 0
        with _float32_sums():
            for block in self._on_their_way() if self._blocks is None else self._blocks:
                keys[:, start : start + len(block)] = (block.float() @ vectors).T.cpu().numpy()
                start += len(block)
        return keys

    def _on_their_way(self) -> Iterator[Tensor]:
        import torch

        for start in range(0, len(self._matrix), self._rows):
            yield torch.tensor(self._matrix[start : start + self._rows], device=self.device)


def _choose(device: str, size: int) -> str:
    if device == "cpu" or (device == "auto" and (size < LARGE or not _has_driver())):
        return "cpu"
    from glue_zoobot.encoders.encoder import pick_device

    chosen = pick_device(device)
    return chosen if device != "auto" or chosen.startswith("cuda") else "cpu"


def _has_driver() -> bool:
    """Whether this may be a machine with CUDA; asked before torch is imported, which takes seconds."""
    return any(ctypes.util.find_library(name) for name in ("cuda", "nvcuda"))


def _room(device: str) -> int:
    """Bytes that are free on a device; none where it shares the memory of the processor."""
    import torch

    return torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else 0


@contextmanager
def _float32_sums() -> Iterator[None]:
    """Keep torch from rounding the factors, as it may for training."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
