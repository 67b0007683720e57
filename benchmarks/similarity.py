"""
How close the exact search comes to one bare pass over the embeddings, and what the two-stage search gains.

Run ``python benchmarks/similarity.py``; needs 6 GB of memory for a million rows (``--rows`` for fewer).
The queries are timed in turn with numpy's bare ``X @ q``, so that both see the same load of the machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from glue_zoobot.analysis import SimilaritySearch

REPEATS = 25
NEIGHBOURS = 100


def clustered(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """
    Draw vectors as embeddings are: 2,000 groups that overlap, variance falling as a power of the direction.

    The first 128 of 640 directions hold 93 % of the variance, so that a scan of them alone can go wrong.

    Returns
    -------
    np.ndarray
        Shape (rows, columns), float32.
    """
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, columns + 1, dtype=np.float32) ** -0.75
    axes = np.linalg.qr(rng.standard_normal((columns, columns)))[0].astype(np.float32)
    centres = rng.standard_normal((2000, columns), dtype=np.float32) * spectrum
    matrix = np.empty((rows, columns), dtype=np.float32)
    for start in range(0, rows, 50_000):
        part = matrix[start : start + 50_000]
        inside = rng.standard_normal(part.shape, dtype=np.float32) * spectrum * 0.4
        np.matmul(centres[rng.integers(2000, size=len(part))] + inside, axes, out=part)
    return matrix


def timed_in_turn(*functions: Callable[[], object]) -> list[float]:
    """Median milliseconds of each function, called one after the other in every round."""
    taken: list[list[float]] = [[] for _ in functions]
    for _ in range(REPEATS):
        for function, times in zip(functions, taken, strict=True):
            start = time.perf_counter()
            function()
            times.append(1e3 * (time.perf_counter() - start))
    return [float(np.median(times)) for times in taken]


def measure(matrix: np.ndarray, method: str) -> tuple[float, float, float, float]:
    """Milliseconds of a bare pass and of a query, seconds to build, recall."""
    start = time.perf_counter()
    search = SimilaritySearch(matrix, method=method)
    build = time.perf_counter() - start
    row = len(matrix) // 2
    bare, query = timed_in_turn(lambda: matrix @ matrix[row], lambda: search.query([row], k=NEIGHBOURS))
    return bare, query, build, search.measured_recall_


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    print(f"Top {NEIGHBOURS} by cosine, float32 vectors, median of {REPEATS} queries\n")
    print("| vectors | search | bare (ms) | query (ms) | query / bare | wanted | recall | build (s) |")
    print("|---|---|---|---|---|---|---|---|")
    for n, columns, method, wanted in (
        (rows, 40, "exact", "≤ 1.5"),
        (rows, 640, "exact", "≤ 1.25"),
        (rows, 640, "two-stage", "≤ 0.33"),
        (10 * rows, 40, "exact", "200 ms"),
    ):
        if method == "exact":
            matrix = np.empty((0, 0))  # the one before makes room
            matrix = clustered(n, columns)
        bare, query, build, recall = measure(matrix, method)
        print(
            f"| {n:,} × {columns} | {method} | {bare:.1f} | {query:.1f} | {query / bare:.2f} | {wanted} "
            f"| {recall:.4f} | {build:.1f} |"
        )


if __name__ == "__main__":
    main()
