"""How good is a head with 10, 20, 50 … labels? One protocol, on galaxies held out by their id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.merit import expected_calibration_error
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "COUNTS",
    "Score",
    "compare_heads",
    "draw",
    "held_out",
    "one_name_each",
    "scores_table",
    "text_table",
]

COUNTS = (10, 20, 50, 100, 200, 500, 1000)
HELD_OUT = 0.4  # of the labelled galaxies, to measure by
FEWEST_MEASURED = 50
SAME_ARCSEC = 2.0  # entries nearer than this are one galaxy
COVERAGE_OF_SETS, COVERAGE_OF_INTERVALS = 0.9, 0.68
CLASS_HEADS = ("auto", "prototypes", "logistic")


@dataclass(frozen=True)
class Score:
    """
    One head, taught on ``labels`` labels drawn by one seed, measured on galaxies held out.

    Attributes
    ----------
    head : str
    labels, seed : int
    values : dict of str to float
        Classes: accuracy, balanced_accuracy, log_loss, calibration_error, coverage, and area for yes or no.
        A number: r2, scatter, coverage.
    """

    head: str
    labels: int
    seed: int
    values: Mapping[str, float]


def held_out(object_ids: np.ndarray, share: float = HELD_OUT) -> np.ndarray:
    """
    Which galaxies are kept for measuring, (N,) bool: by a hash of the id, so the same ones for ever.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (N,), str.
    share : float
        0 to 1.
    """
    numbers = [int.from_bytes(hashlib.sha256(f"measure {name}".encode()).digest()[:8]) for name in object_ids]
    return np.array(numbers, dtype=np.float64) < share * 2.0**64


def one_name_each(object_ids: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """
    Give entries of one galaxy one name, so that `held_out` puts them on one side.

    Entries within 2 arcsec of each other, also by way of a third, are one galaxy: two catalogue rows of it,
    one to learn from and one to measure by, would make every head look better than it is.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (N,), str.
    ra, dec : np.ndarray
        Shape (N,), degrees, ICRS; an entry without a position keeps its own name.

    Returns
    -------
    np.ndarray
        Shape (N,), str.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    along, up = np.radians(ra[placed]), np.radians(dec[placed])
    points = np.column_stack([np.cos(up) * np.cos(along), np.cos(up) * np.sin(along), np.sin(up)])
    near = cKDTree(points).query_pairs(2 * np.sin(np.radians(SAME_ARCSEC / 3600) / 2), output_type="ndarray")
    links = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(placed),) * 2)
    _, groups = connected_components(links, directed=False)
    _, first = np.unique(groups, return_index=True)
    names = np.array(object_ids, dtype=object)
    names[placed] = names[placed[first[groups]]]
    return names


def compare_heads(
    object_ids: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    kind: str,
    catalogue: np.ndarray,
    counts: Sequence[int] = COUNTS,
    seeds: Sequence[int] = range(5),
    tell: Callable[[str], object] = lambda text: None,
) -> list[Score]:
    """
    Teach every head with every number of labels, several times over, and measure each on the same galaxies.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (n,), str: of the labelled galaxies; entries of one galaxy have one name, as by `one_name_each`.
    X : np.ndarray
        Shape (n, D).
    y : np.ndarray
        Shape (n,): classes or numbers.
    kind : {"classes", "number"}
    catalogue : np.ndarray
        Shape (N, D): all galaxies, without labels.
    counts : sequence of int
        Numbers of labels; those above what there is to draw from are left out.
    seeds : sequence of int
        One draw of labels each; the labels of a smaller number are among those of a larger.
    tell : callable
        Told of each number of labels that is done.

    Raises
    ------
    AnalysisError
        If there are too few labelled galaxies to measure by.
    """
    measured = held_out(object_ids)
    pool, test = np.flatnonzero(~measured), np.flatnonzero(measured)
    usable = [count for count in counts if count <= len(pool)]
    if len(test) < FEWEST_MEASURED or not usable:
        raise AnalysisError(
            f"{len(y):,} labels leave {len(test):,} to measure by and {len(pool):,} to draw from; "
            f"at least {FEWEST_MEASURED} and {min(counts)} are needed"
        )
    scores = []
    for count in usable:
        for seed in seeds:
            rows = np.random.default_rng(seed).permutation(pool)[:count]
            for name, measure in _contestants(kind, seed).items():
                if kind == "number" or len(np.unique(y[rows])) > 1:
                    values = measure(X[rows], y[rows], catalogue, X[test], y[test])
                    scores.append(Score(name, count, seed, values))
        tell(f"{count} labels done")
    return scores


Measure = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], dict[str, float]]


def _contestants(kind: str, seed: int) -> dict[str, Measure]:
    if kind == "number":
        return {"ridge": lambda *given: _measure_number(GalaxyRegressor(seed), *given)}
    return {
        name: lambda *given, name=name: _measure_classes(GalaxyClassifier(name, seed), *given)
        for name in CLASS_HEADS
    }


def _measure_classes(
    head: GalaxyClassifier,
    X: np.ndarray,
    y: np.ndarray,
    catalogue: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
) -> dict[str, float]:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    probabilities = head.fit(X, y, catalogue).predict_proba(X_test)
    codes = np.minimum(np.searchsorted(head.classes_, y_test), len(head.classes_) - 1)
    known = head.classes_[codes] == y_test  # a class without a label can be in no set
    own = np.where(known, probabilities[np.arange(len(codes)), codes], 0)
    predicted = head.classes_[probabilities.argmax(axis=1)]
    sets = head.sets_of(probabilities, COVERAGE_OF_SETS)
    values = {
        "accuracy": float((predicted == y_test).mean()),
        "balanced_accuracy": float(balanced_accuracy_score(y_test, predicted)),
        "log_loss": float(-np.log(np.maximum(own, 1e-6)).mean()),
        "calibration_error": expected_calibration_error(probabilities, np.where(known, codes, -1)),
        "coverage": float((sets[np.arange(len(codes)), codes] & known).mean()),
    }
    if len(head.classes_) == 2 and len(np.unique(y_test)) == 2:
        values["area"] = float(roc_auc_score(y_test == head.classes_[1], probabilities[:, 1]))
    return values


def _measure_number(
    head: GalaxyRegressor,
    X: np.ndarray,
    y: np.ndarray,
    catalogue: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
) -> dict[str, float]:
    found = head.fit(X, y, catalogue).estimates(X_test, COVERAGE_OF_INTERVALS)
    error = found.values - y_test
    return {
        "r2": float(1 - np.square(error).mean() / np.var(y_test)),
        "scatter": float(1.4826 * np.median(np.abs(error - np.median(error)))),
        "coverage": float(((found.low <= y_test) & (y_test <= found.high)).mean()),
    }


def text_table(scores: Sequence[Score]) -> str:
    """Give a Markdown table of means over seeds, with the standard error of the mean."""
    measures = list(scores[0].values)
    lines = [
        f"| labels | head | {' | '.join(name.replace('_', ' ') for name in measures)} |",
        f"|---|---|{'---|' * len(measures)}",
    ]
    for count, name in dict.fromkeys((score.labels, score.head) for score in scores):
        drawn = [s.values for s in scores if (s.labels, s.head) == (count, name)]
        cells = [_mean_and_error([values.get(measure, np.nan) for values in drawn]) for measure in measures]
        lines.append(f"| {count} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def scores_table(scores: Sequence[Score], meta: Mapping[str, str]) -> Table:
    """Give every measurement as a row."""
    from astropy.table import Table

    table = Table(rows=[{"head": s.head, "labels": s.labels, "seed": s.seed, **s.values} for s in scores])
    table.meta.update(meta)
    return table


def draw(scores: Sequence[Score], path: Path, title: str) -> Path:
    """
    Draw the first measure and, of classes, the calibration error against the number of labels.

    Parameters
    ----------
    scores : sequence of Score
    path : Path
        ``.png`` or ``.pdf``.
    title : str
    """
    from matplotlib.figure import Figure

    measures = [name for name in ("accuracy", "area", "r2", "calibration_error") if name in scores[0].values]
    figure = Figure(figsize=(4.5 * len(measures), 3.6), layout="constrained")
    for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        for name in dict.fromkeys(score.head for score in scores):
            counts = sorted({score.labels for score in scores if score.head == name})
            drawn = [
                [s.values[measure] for s in scores if (s.labels, s.head) == (count, name)] for count in counts
            ]
            spread = [np.std(values) for values in drawn]
            axes.errorbar(
                counts, [np.mean(v) for v in drawn], spread, marker="o", ms=4, capsize=2, label=name
            )
        axes.set(xscale="log", xlabel="labels", ylabel=measure.replace("_", " "))
        axes.grid(alpha=0.3)
    figure.axes[0].legend(title=title, fontsize="small", title_fontsize="small")
    figure.savefig(path, dpi=150)
    return path


def _mean_and_error(values: Sequence[float]) -> str:
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    return f"{mean:.3f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}"
