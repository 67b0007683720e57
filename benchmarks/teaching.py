"""
Teaching a class and predicting it for a million galaxies, against one bare pass over their embeddings.

    python benchmarks/teaching.py [--rows 1000000] [--columns 640] [--labels 200] [--rounds 5]

*Bare* is numpy's ``X @ W`` with one column for each class and each axis of the guard: what any linear head
must at least do. *Teach* is the cross-validated, calibrated fit; *predict* gives probabilities of every
galaxy and whether it is unlike the labelled ones. Embeddings are synthetic and clustered. Prints a Markdown
table, writes nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier

CLASSES = 5


def clustered(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of five overlapping classes, (N, D) float32, and their classes, (N,)."""
    rng = np.random.default_rng(0)
    codes = rng.integers(CLASSES, size=rows)
    X = rng.standard_normal((rows, columns), dtype=np.float32)
    X += rng.standard_normal((CLASSES, columns), dtype=np.float32)[codes] * 0.3
    return X, codes


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--columns", type=int, default=640)
    options.add_argument("--labels", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    X, codes = clustered(given.rows, given.columns)
    labelled = np.arange(given.labels)
    head = GalaxyClassifier()

    def teach() -> None:
        head.fit(X[labelled], codes[labelled], X)

    teach()
    both = head.linear_.beside(head.guard_.whitening).weights
    ways = {"bare": lambda: X @ both, "teach": teach, "predict": lambda: head.predictions(X)}
    times = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, work in ways.items():
            times[name].append(seconds(work))
    times["teach and predict"] = [a + b for a, b in zip(times["teach"], times["predict"], strict=True)]
    accuracy = (head.predictions(X[:50_000]).probabilities.argmax(axis=1) == codes[:50_000]).mean()
    print(f"{given.rows:,} x {given.columns}, {given.labels} labels of {CLASSES} classes;")
    print(f"accuracy {accuracy:.2f}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("\n| what | s | of bare |\n|---|---|---|")
    for name, values in times.items():
        of_bare = median(v / b for v, b in zip(values, times["bare"], strict=True))
        print(f"| {name} | {median(values):.2f} | {of_bare:.2f} |")


if __name__ == "__main__":
    main()
