"""How many labels a method saves: errors of a quantity against their number, as tables and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glue_zoobot.analysis.fewlabels import Score

__all__ = [
    "Saving",
    "draw_curves",
    "fractions",
    "saved_labels",
    "saving_table",
    "text_table",
]

N_SAMPLES = 2000
N_FRACTIONS = 5  # all labels, a half, … a sixteenth
NAMES = {
    "sigma_mad": "σ_MAD",
    "outliers_005": "outliers > 0.05",
    "outliers_015": "outliers > 0.15",
    "bias": "bias",
    "median_bias": "median bias",
    "r2": "R²",
    "scatter": "scatter",
    "coverage": "in the 68 % interval",
}


def fractions(n: int) -> list[int]:
    """Numbers of labels from a sixteenth of n to n, each twice the one before."""
    return [n // 2**power for power in reversed(range(N_FRACTIONS))]


def text_table(runs: Sequence[Score]) -> str:
    """Give a Markdown table of means over draws of labels, with 95 % intervals (Student's t)."""
    measures = list(dict.fromkeys(name for run in runs for name in run.values))
    lines = [f"| labels | method | draws | {' | '.join(NAMES.get(name, name) for name in measures)} |"]
    lines.append("|---|---|---|" + "---|" * len(measures))
    for count in sorted({run.labels for run in runs}):
        for method in _methods(runs):
            drawn = _drawn(runs, method, count)
            if drawn:
                cells = [_mean_and_half([run.values[name] for run in drawn]) for name in measures]
                lines.append(f"| {count:,} | {method} | {len(drawn)} | {' | '.join(cells)} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Saving:
    """
    How many times fewer labels a method needs than a baseline, for the same error.

    Attributes
    ----------
    labels : int
        That the method had.
    ratio, low, high : float
        Labels that the baseline needs for the method's error, over `labels`, with a 95 % interval: bootstrap
        of the draws, of both together (the value itself where there is one draw). 0 where the baseline does
        as well with fewer labels than were tried, infinite where it never does.
    """

    labels: int
    ratio: float
    low: float
    high: float


def saved_labels(runs: Sequence[Score], method: str, baseline: str, name: str) -> list[Saving]:
    """
    How many labels the baseline needs for the error that a method has, over the labels that the method had.

    The baseline's error is interpolated in logarithms of both, after it was made to fall all along.

    Parameters
    ----------
    runs : sequence of Score
    method, baseline : str
    name : str
        A measure that falls with more labels, such as sigma_mad or scatter.

    Returns
    -------
    list of Saving
        For each number of labels that the method had.
    """
    ours, theirs = (_by_draw(runs, head, name) for head in (method, baseline))
    seeds = sorted({run.seed for run in runs if run.head in (method, baseline)})
    random = np.random.default_rng(0)
    draws = [np.array(seeds), *(random.choice(seeds, len(seeds)) for _ in range(N_SAMPLES))]
    curves = [_curve(theirs, some) for some in draws]
    savings = []
    for count, errors in ours.items():
        reached = [_mean_of(errors, some) for some in draws]
        ratios = [_labels_saved(count, *both) for both in zip(reached, curves, strict=True)]
        known = [ratio for ratio in ratios if ratio is not None]
        low, high = np.quantile(known[1:], [0.025, 0.975], method="nearest")
        savings.append(Saving(count, known[0], float(low), float(high)))
    return savings


def _by_draw(runs: Sequence[Score], head: str, name: str) -> dict[int, dict[int, float]]:
    """Errors of a method by number of labels and draw."""
    counts = sorted({run.labels for run in runs if run.head == head})
    return {n: {run.seed: run.values[name] for run in _drawn(runs, head, n)} for n in counts}


def _curve(
    errors: Mapping[int, Mapping[int, float]], draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Numbers of labels and errors, falling all along, of some draws; None if there are none of them."""
    known = [(n, error) for n, by_draw in errors.items() if (error := _mean_of(by_draw, draws)) is not None]
    if not known:
        return None
    counts, levels = np.array(known).T
    return counts, np.minimum.accumulate(levels)


def _labels_saved(
    count: int, reached: float | None, curve: tuple[np.ndarray, np.ndarray] | None
) -> float | None:
    """Labels that a curve needs for an error, over those that reached it; None if either is unknown."""
    if reached is None or curve is None:
        return None
    counts, falling = curve
    if reached < falling[-1]:
        return np.inf
    if reached > falling[0]:
        return 0.0
    return float(np.exp(np.interp(-np.log(reached), -np.log(falling), np.log(counts))) / count)


def _mean_of(by_draw: Mapping[int, float], draws: np.ndarray) -> float | None:
    known = [by_draw[draw] for draw in draws if draw in by_draw]
    return float(np.mean(known)) if known else None


def saving_table(runs: Sequence[Score], baseline: str, name: str) -> str:
    """Give a Markdown table of `saved_labels` of every other method."""
    methods = [method for method in _methods(runs) if method != baseline]
    every = {method: saved_labels(runs, method, baseline, name) for method in methods}
    savings = {method: {saving.labels: saving for saving in every[method]} for method in methods}
    tried = [run.labels for run in runs if run.head == baseline]
    lines = [f"| labels | {' | '.join(methods)} |", "|---|" + "---|" * len(methods)]
    for count in sorted({run.labels for run in runs}):
        cells = [_saving(savings[method].get(count), min(tried), max(tried)) for method in methods]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    return f"Times as many labels that {baseline} needs for the same {NAMES[name]}:\n\n" + "\n".join(lines)


def draw_curves(runs: Sequence[Score], path: Path, title: str) -> Path:
    """
    Draw error and R² against the number of labels, means over draws with their 95 % intervals.

    Parameters
    ----------
    runs : sequence of Score
    path : Path
        ``.png`` or ``.pdf``.
    title : str
    """
    from matplotlib.figure import Figure

    first = "sigma_mad" if "sigma_mad" in runs[0].values else "scatter"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), (first, "r2"), strict=True):
        for place, method in enumerate(_methods(runs)):
            counts = sorted({run.labels for run in runs if run.head == method})
            drawn = [[run.values[name] for run in _drawn(runs, method, n)] for n in counts]
            apart = np.array(counts) * 1.02 ** (place - 1)
            bars = [_half(values) for values in drawn]
            axes.errorbar(apart, [np.mean(v) for v in drawn], bars, marker="o", ms=4, capsize=2, label=method)
        axes.set(xscale="log", xlabel="labels", ylabel=NAMES[name])
        ticks = sorted({run.labels for run in runs})
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        if name == "r2" and axes.get_ylim()[0] < -1:  # one training that failed would hide all the others
            axes.set_ylim(-1, 1.05)
            axes.set_ylabel(f"{NAMES[name]} (not shown below −1)")
    figure.axes[0].legend(title=title, fontsize="small", title_fontsize="small")
    figure.savefig(path, dpi=150)
    return path


def _methods(runs: Sequence[Score]) -> list[str]:
    return list(dict.fromkeys(run.head for run in runs))


def _drawn(runs: Sequence[Score], method: str, count: int) -> list[Score]:
    return [run for run in runs if (run.head, run.labels) == (method, count)]


def _half(values: Sequence[float]) -> float:
    """Half the 95 % interval of the mean over draws; 0 for a single one, which tells nothing of it."""
    from scipy.stats import t

    if len(values) < 2:
        return 0.0
    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def _mean_and_half(values: Sequence[float]) -> str:
    mean = float(np.mean(values))
    return f"{mean:.4f}" if len(values) < 2 else f"{mean:.4f} ± {_half(values):.4f}"


def _saving(saving: Saving | None, fewest: int, most: int) -> str:
    if saving is None:
        return "–"

    def times(ratio: float) -> str:
        if np.isinf(ratio):
            return f"> {most / saving.labels:.1f}"
        return f"{ratio:.1f}" if ratio else f"< {fewest / saving.labels:.1g}"

    low, high = times(saving.low), times(saving.high)
    return times(saving.ratio) if low == high else f"{times(saving.ratio)} ({low} to {high})"
