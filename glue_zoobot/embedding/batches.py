"""How many images to give the network at once."""

from __future__ import annotations

from collections.abc import Sequence

CPU_SIZES = (8, 4, 16, 32)
GPU_SIZES = (64, 128, 256, 512)


class BatchSize:
    """
    Finds the fastest batch size while working, so that the search costs no work of its own.

    Each candidate is timed on the run's own images, the best one is kept: on a CPU small batches win,
    because they stay in its cache, on a GPU large ones. Out of memory halves the limit.

    Parameters
    ----------
    candidates : sequence of int
        Sizes to try.
    rounds : int
        Full batches to time for each; the best of them counts, as other programs slow a machine down
        but never speed it up.
    """

    def __init__(self, candidates: Sequence[int], rounds: int = 3) -> None:
        # The first call of a network also allocates and chooses kernels: its time says nothing.
        self._to_try = [candidates[0]] + [size for _ in range(rounds) for size in candidates]
        self._limit = max(candidates)
        self._rates: dict[int, float] = {}
        self._warm = False

    def next(self) -> int:
        """Size for the next batch."""
        if self._to_try:
            return min(self._to_try.pop(0), self._limit)
        return max(self._rates, key=self._rates.__getitem__, default=self._limit)

    def observe(self, size: int, seconds: float) -> None:
        """Tell how long a batch of ``size`` images took."""
        if self._warm:
            self._rates[size] = max(self._rates.get(size, 0.0), size / max(seconds, 1e-9))
        self._warm = True

    def out_of_memory(self, size: int) -> None:
        """Tell that ``size`` images were too many."""
        self._limit = max(1, min(self._limit, size // 2))
        self._rates = {size: rate for size, rate in self._rates.items() if size <= self._limit}
