"""How good is a head with 10, 20, 50 … labels? One protocol, on galaxies held out by their id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.merit import debiased_calibration_error, expected_calibration_error
from glue_zoobot.analysis.regress import GalaxyRegressor, measure_quantity
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "COUNTS",
    "Score",
    "compare_heads",
    "difference_table",
    "draw",
    "drawn",
    "held_out",
    "measure",
    "one_name_each",
    "scores_table",
    "sides",
    "text_table",
]

COUNTS = (10, 20, 50, 100, 200, 500, 1000)
HELD_OUT = 0.4  # of the labelled galaxies, to measure by
FEWEST_MEASURED = 50
SAME_ARCSEC = 2.0  # entries nearer than this are one galaxy
COVERAGE_OF_SETS = 0.9
CLASS_HEADS = ("auto", "prototypes", "logistic")
Estimator = GalaxyClassifier | GalaxyRegressor


@dataclass(frozen=True)
class Score:
    """
    One head, taught on ``labels`` labels drawn by one seed, measured on galaxies held out.

    Attributes
    ----------
    head : str
    labels, seed : int
    values : dict of str to float
        Classes: accuracy, balanced_accuracy, log_loss, calibration_error (as such, and without what chance
        makes of it), coverage, and area for yes or no. A number: see
        `~glue_zoobot.analysis.regress.measure_quantity`.
    right : str
        Of classes, for each galaxy measured, "1" if its class was right, else "0".
    """

    head: str
    labels: int
    seed: int
    values: Mapping[str, float]
    right: str = ""


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
    pool, test, usable = sides(object_ids, counts)
    scores = []
    for count in usable:
        for seed in seeds:
            rows = drawn(pool, count, seed)
            for name, head in _contestants(kind, seed).items():
                if kind == "number" or len(np.unique(y[rows])) > 1:
                    fitted = head.fit(X[rows], y[rows], catalogue)
                    scores.append(measure(name, count, seed, fitted, X[test], y[test]))
        tell(f"{count} labels done")
    return scores


def sides(object_ids: np.ndarray, counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """
    Split labelled galaxies into those to draw labels from and those to measure by.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (n,), str; entries of one galaxy have one name.
    counts : sequence of int
        Numbers of labels that are wanted.

    Returns
    -------
    pool, test : np.ndarray
        Rows, int64.
    usable : list of int
        Those counts that the pool has.

    Raises
    ------
    AnalysisError
        If there are too few labelled galaxies to measure by, or to draw from.
    """
    measured = held_out(object_ids)
    pool, test = np.flatnonzero(~measured), np.flatnonzero(measured)
    usable = [count for count in counts if count <= len(pool)]
    if len(test) < FEWEST_MEASURED or not usable:
        raise AnalysisError(
            f"{len(object_ids):,} labels leave {len(test):,} to measure by and {len(pool):,} to draw from; "
            f"at least {FEWEST_MEASURED} and {min(counts)} are needed"
        )
    return pool, test, usable


def drawn(pool: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rows that are labelled, (count,): those of a smaller count are among those of a larger one."""
    return np.random.default_rng(seed).permutation(pool)[:count]


def _contestants(kind: str, seed: int) -> dict[str, Estimator]:
    if kind == "number":
        return {"auto": GalaxyRegressor(seed)}
    return {name: GalaxyClassifier(name, seed) for name in CLASS_HEADS}


def measure(
    name: str, count: int, seed: int, head: Estimator, X_test: np.ndarray, y_test: np.ndarray
) -> Score:
    """Measure a head, taught with ``count`` labels, on galaxies that it was not shown."""
    if isinstance(head, GalaxyRegressor):
        return Score(name, count, seed, measure_quantity(head, X_test, y_test))
    return Score(name, count, seed, *_measure_classes(head, X_test, y_test))


def _measure_classes(
    head: GalaxyClassifier, X_test: np.ndarray, y_test: np.ndarray
) -> tuple[dict[str, float], str]:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    probabilities = head.predict_proba(X_test)
    codes = np.minimum(np.searchsorted(head.classes_, y_test), len(head.classes_) - 1)
    known = head.classes_[codes] == y_test  # a class without a label can be in no set
    own = np.where(known, probabilities[np.arange(len(codes)), codes], 0)
    predicted = head.classes_[probabilities.argmax(axis=1)]
    sets, truth = head.sets_of(probabilities, COVERAGE_OF_SETS), np.where(known, codes, -1)
    values = {
        "accuracy": float((predicted == y_test).mean()),
        "balanced_accuracy": float(balanced_accuracy_score(y_test, predicted)),
        "log_loss": float(-np.log(np.maximum(own, 1e-6)).mean()),
        "calibration_error": expected_calibration_error(probabilities, truth),
        "calibration_error_debiased": debiased_calibration_error(probabilities, truth),
        "coverage": float((sets[np.arange(len(codes)), codes] & known).mean()),
    }
    if len(head.classes_) == 2 and len(np.unique(y_test)) == 2:
        values["area"] = float(roc_auc_score(y_test == head.classes_[1], probabilities[:, 1]))
    return values, "".join(np.where(predicted == y_test, "1", "0"))


def text_table(scores: Sequence[Score]) -> str:
    """Give a Markdown table of means over seeds, with the standard error of the mean."""
    measures = list(dict.fromkeys(name for score in scores for name in score.values))
    lines = [
        f"| labels | head | {' | '.join(name.replace('_', ' ') for name in measures)} |",
        f"|---|---|{'---|' * len(measures)}",
    ]
    for count in sorted({score.labels for score in scores}):
        for name in dict.fromkeys(score.head for score in scores if score.labels == count):
            found = [s.values for s in scores if (s.labels, s.head) == (count, name)]
            cells = [_mean_and_error([v.get(measure, np.nan) for v in found]) for measure in measures]
            lines.append(f"| {count} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def difference_table(scores: Sequence[Score], baseline: str) -> str:
    """
    Give a Markdown table of every head minus the baseline, of the same draws and the same galaxies.

    The error has two parts, added in quadrature: that of the draws of labels and, for classes, that of the
    galaxies measured, which all draws share. Each is the standard error of the mean.

    Parameters
    ----------
    scores : sequence of Score
    baseline : str
        Name of a head.
    """
    first = "accuracy" if "accuracy" in scores[0].values else "r2"
    of = {(s.head, s.labels, s.seed): s for s in scores}
    heads = [name for name in dict.fromkeys(s.head for s in scores) if name != baseline]
    lines = [f"| labels | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for count in sorted({score.labels for score in scores}):
        cells = []
        for name in heads:
            seeds = [seed for head, n, seed in of if (head, n) == (name, count)]
            pairs = [
                (of[name, count, k], of[baseline, count, k]) for k in seeds if (baseline, count, k) in of
            ]
            cells.append(_difference(pairs, first))
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return f"{first} minus that of {baseline}:\n\n" + "\n".join(lines)


def _difference(pairs: Sequence[tuple[Score, Score]], name: str) -> str:
    if not pairs:
        return "–"
    gains = np.array([one.values[name] - other.values[name] for one, other in pairs])
    if len(pairs) < 2:
        return f"{gains[0]:+.3f}"
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    if pairs[0][0].right:
        each = np.array([_bits(one.right) - _bits(other.right) for one, other in pairs]).mean(axis=0)
        error = np.hypot(error, each.std(ddof=1) / np.sqrt(len(each)))
    return f"{gains.mean():+.3f} ± {error:.3f}"


def _bits(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(int) - ord("0")


def scores_table(scores: Sequence[Score], meta: Mapping[str, str]) -> Table:
    """Give every measurement as a row."""
    from astropy.table import Table

    table = Table(rows=[{"head": s.head, "labels": s.labels, "seed": s.seed, **s.values} for s in scores])
    table.meta.update(meta)
    return table


def draw(scores: Sequence[Score], path: Path, title: str) -> Path:
    """
    Draw the first measure and, of classes, the calibration error against the number of labels.

    Bars are 95 % intervals of the mean over draws of labels (Student's t).

    Parameters
    ----------
    scores : sequence of Score
    path : Path
        ``.png`` or ``.pdf``.
    title : str
    """
    from matplotlib.figure import Figure

    shown = ("accuracy", "area", "r2", "calibration_error")
    measures = [name for name in shown if all(name in score.values for score in scores)]
    figure = Figure(figsize=(4.5 * len(measures), 4), layout="constrained")
    heads = list(dict.fromkeys(score.head for score in scores))
    every = sorted({score.labels for score in scores})
    for axes, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        for place, name in enumerate(heads):
            counts = sorted({score.labels for score in scores if score.head == name})
            given = [
                [s.values[measure] for s in scores if (s.labels, s.head) == (count, name)] for count in counts
            ]
            means, reach = [np.mean(values) for values in given], [_reach(values) for values in given]
            beside = np.array(counts) * 1.03 ** (place - (len(heads) - 1) / 2)  # so that bars stay apart
            axes.errorbar(beside, means, reach, marker="o", ms=4, capsize=2, label=name)
        axes.set(xscale="log", xlabel="labels", ylabel=measure.replace("_", " "))
        axes.set_xticks(every, [f"{count:,}" for count in every])
        axes.set_xticks([], minor=True)
        if measure == "calibration_error":
            axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    lines, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(lines, names, title=title, loc="outside lower center", ncols=min(len(heads), 4))
    figure.savefig(path, dpi=150)
    return path


def _reach(values: Sequence[float]) -> float:
    """Half the 95 % interval of a mean."""
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else 0.0


def _mean_and_error(values: Sequence[float]) -> str:
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    return f"{mean:.3f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}"
