"""One call of the network: in smaller parts where memory runs out, and nothing wrong let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.errors import EncoderError

if TYPE_CHECKING:
    import torch

# A vector of which float16 loses more than this part of its length is not stored.
LARGEST_ROUNDING = 0.01


class Network:
    """
    An encoder that halves its batches when memory runs out.

    Parameters
    ----------
    encoder : Encoder
    batch_size : int
        Images at once, to begin with.
    """

    def __init__(self, encoder: Any, batch_size: int) -> None:
        self._encoder = encoder
        self._limit = batch_size

    def __call__(self, batch: torch.Tensor) -> np.ndarray:
        """
        Embed uint8 pictures (B, 3, S, S) as float32 (B, D).

        Raises
        ------
        EncoderError
            Memory is too small for one image, or the encoder's record is wrong.
        """
        while True:
            try:
                return np.concatenate([self._embed(part) for part in batch.split(self._limit)])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._limit == 1:
                    raise EncoderError(
                        f"Memory ran out with a single image ({error}). Free some, or choose a smaller "
                        "encoder or another device."
                    ) from error
            self._limit //= 2
            _free_gpu_cache(self._encoder)

    def _embed(self, batch: torch.Tensor) -> np.ndarray:
        vectors = np.asarray(self._encoder.embed(batch), dtype=np.float32)
        spec = self._encoder.spec
        if vectors.shape != (len(batch), spec.width):
            raise EncoderError(
                f"The encoder '{spec.name}' gave an array of shape {vectors.shape} for {len(batch)} images; "
                f"its record says {spec.width} dimensions. Correct its record."
            )
        return vectors


def to_float16(vector: np.ndarray) -> tuple[np.ndarray | None, str | None]:
    """
    Make a vector fit for the store.

    Returns
    -------
    vector : ndarray of float16, or None
    reason : str or None
        Why there is none: NaN, infinity, or values that float16 cannot hold are never stored.
    """
    if not np.isfinite(vector).all():
        return None, "the encoder gave a value that is not finite"
    largest = np.abs(vector).max(initial=0)
    with np.errstate(over="ignore"):
        half = vector.astype(np.float16)
    if not np.isfinite(half).all():
        return None, f"the encoder gave the value {largest:.3g}, float16 holds at most 65504"
    if np.linalg.norm(vector - half) > LARGEST_ROUNDING * np.linalg.norm(vector):
        return None, f"the encoder gave no value above {largest:.1e}, too small for float16"
    return half, None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of PyTorch, on whichever device, means that memory ran out."""
    text = str(error).lower()
    words = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    return isinstance(error, MemoryError) or any(word in text for word in words)


def _free_gpu_cache(encoder: Any) -> None:
    if str(encoder.device).startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
