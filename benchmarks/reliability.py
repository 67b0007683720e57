"""
How true the probabilities of a head with few labels are.

    python benchmarks/reliability.py STORE --truth TABLE --target COLUMN -o FIGURE [--labels 50,100,500]

Stated against observed probability of the most probable class, of every labelled galaxy that a draw of labels
did not use, all draws together; bars are 95 % intervals. (Labels are drawn from the three fifths of them that
are not held out by a hash of the id.) Prints, for each number of labels, the expected calibration error as it
is, what of it is left without chance, and the coverage of 90 % sets, with standard errors.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.fewlabels import drawn, measure, sides
from glue_zoobot.analysis.merit import reliability
from glue_zoobot.analysis.teaching import labelled_rows, read_labels
from glue_zoobot.embedding import EmbeddingStore


def main() -> None:
    """Teach, draw and print."""
    given = arguments()
    object_ids, matrix = EmbeddingStore.open(given.store).load()
    known = labelled_rows(object_ids, read_labels(given.truth, given.target), "classes")
    X, y = matrix[known.rows], known.values
    pool, _, counts = sides(object_ids[known.rows], given.labels)
    figure = Figure(figsize=(3.4 * len(counts), 3.6), layout="constrained")
    print("| labels | calibration error | without chance | coverage of 90 % sets |\n|---|---|---|---|")
    for axes, count in zip(figure.subplots(1, len(counts), squeeze=False)[0], counts, strict=True):
        stated, right, scores = [], [], []
        for seed in range(given.seeds):
            rows = drawn(pool, count, seed)
            test = np.setdiff1d(np.arange(len(y)), rows)
            head = GalaxyClassifier(random_state=seed).fit(X[rows], y[rows], matrix)
            probabilities = head.predict_proba(X[test])
            stated.append(probabilities.max(axis=1))
            right.append(head.classes_[probabilities.argmax(axis=1)] == y[test])
            scores.append(measure("auto", count, seed, head, X[test], y[test]).values)
        draw(axes, np.concatenate(stated), np.concatenate(right), given.seeds)
        axes.set_title(f"{count} labels", fontsize="medium")
        names = ("calibration_error", "calibration_error_debiased", "coverage")
        print(f"| {count} | " + " | ".join(cell([s[name] for s in scores]) for name in names) + " |")
    figure.savefig(given.output, dpi=150)


def draw(axes: object, stated: np.ndarray, right: np.ndarray, draws: int) -> None:
    """Stated against observed; draws share their galaxies, so intervals are those of one draw."""
    found = reliability(stated, right)
    share, n = found.observed, found.counts / draws
    half = 1.96 * np.sqrt(np.maximum(share * (1 - share), 1 / n) / n)
    axes.plot([0, 1], [0, 1], color="0.7", lw=1)
    axes.errorbar(found.stated, share, half, marker="o", ms=4, capsize=2, ls="")
    axes.set(xlim=(0.2, 1.02), ylim=(0.2, 1.02), xlabel="stated", ylabel="came true", aspect="equal")


def cell(values: list[float]) -> str:
    """Mean and standard error of the mean."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument(
        "--labels", type=lambda text: [int(n) for n in text.split(",")], default=[50, 100, 500]
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
