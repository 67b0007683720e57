"""All methods on the same starts: run, tabulate, draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.interest import InterestModel
from glue_zoobot.analysis.labels import INTERESTING
from glue_zoobot.analysis.protocol import (
    Ranker,
    Run,
    first_round,
    paired_difference,
    run_protocol,
    summarise,
)
from glue_zoobot.analysis.protocol_baselines import NeighbourScore, RandomOrder, UnsupervisedOrder
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["CONTESTANTS", "compare", "draw", "runs_table", "text_table"]

CONTESTANTS: dict[str, Callable[[int], Ranker]] = {
    "default": lambda seed: InterestModel("default", random_state=seed),
    "logistic": lambda seed: InterestModel("logistic", random_state=seed),
    "gaussian_process": lambda seed: InterestModel("gaussian_process", random_state=seed),
    "neighbour_score": lambda seed: NeighbourScore(random_state=seed),
    "unsupervised": lambda seed: UnsupervisedOrder(random_state=seed),
    "random": lambda seed: RandomOrder(random_state=seed),
}


def compare(
    matrix: np.ndarray,
    ratings: np.ndarray,
    seeds: Iterable[int],
    methods: Sequence[str] | None = None,
    start: str = "example",
    example: int | None = None,
    tell: Callable[[str], object] = lambda text: None,
) -> dict[str, list[Run]]:
    """
    Run the protocol for each method and seed; the methods begin with the same galaxies.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    ratings : np.ndarray
        Shape (N,), 0 to 5.
    seeds : iterable of int
        One simulated user each.
    methods : sequence of str, optional
        Of `CONTESTANTS`; by default all.
    start, example
        As for `first_round`.
    tell : callable
        Told of each method that is done.

    Returns
    -------
    dict
        Runs by method, in the order of the seeds.

    Raises
    ------
    AnalysisError
        If there is no such method or start, or there are too few galaxies.
    """
    unknown = [name for name in methods or () if name not in CONTESTANTS]
    if unknown or start not in ("example", "random", "spread"):
        raise AnalysisError(
            f"{(unknown or [start])[0]!r} takes no part; methods are {', '.join(CONTESTANTS)}, "
            "starts example, random and spread"
        )
    interesting = ratings >= INTERESTING
    firsts = {seed: first_round(matrix, interesting, start, seed, example) for seed in seeds}
    results = {}
    for name in methods or CONTESTANTS:
        results[name] = [
            run_protocol(CONTESTANTS[name](seed), matrix, ratings, first) for seed, first in firsts.items()
        ]
        tell(f"{name}: {np.mean([run.seen for run in results[name]]):.1f} found, the next 200 included")
    return results


def text_table(results: Mapping[str, Sequence[Run]], n_interesting: int, n: int) -> str:
    """Give a Markdown table of the means, and how far each method is behind the first one."""
    lines = [
        f"{n_interesting:,} of {n:,} galaxies are interesting",
        "",
        "| method | found in 200 | and in the next 200 | behind the first | weak starts "
        "| P@100 unrated · as in the paper | AP unrated · as in the paper | s a round |",
        "|---|---|---|---|---|---|---|---|",
    ]
    first = next(iter(results.values()))
    for name, runs in results.items():
        mean = summarise(runs)
        behind, error = paired_difference(first, runs)
        gap = "" if runs is first else f"{behind:+.1f} ± {error:.1f}"
        lines.append(
            f"| {name} | {mean['found']:.1f} | {mean['seen']:.1f} | {gap} "
            f"| {mean['weak']:.0f} of {mean['runs']:.0f} "
            f"| {mean['P@100 unrated']:.2f} · {mean['P@100 paper']:.2f} "
            f"| {mean['AP unrated']:.3f} · {mean['AP paper']:.3f} | {mean['seconds']:.3f} |"
        )
    return "\n".join(lines)


def runs_table(results: Mapping[str, Sequence[Run]], meta: Mapping[str, str]) -> Table:
    """Give every run as a row: method, run, found, seen, weak, precisions, seconds."""
    from astropy.table import Table

    rows = [
        {
            "method": name,
            "run": number,
            "found": int(run.found[-1]),
            "seen": run.seen,
            "weak": run.weak,
            **{f"{figure}_paper": value for figure, value in run.paper.items()},
            **{f"{figure}_unrated": value for figure, value in run.unrated.items()},
            "seconds": float(np.median(run.seconds)),
        }
        for name, runs in results.items()
        for number, run in enumerate(runs)
    ]
    return Table(rows=rows, meta=dict(meta))


def draw(results: Mapping[str, Sequence[Run]], path: str | Path, per_round: int = 10) -> None:
    """
    Draw galaxies found against galaxies rated, with the spread of the runs.

    Parameters
    ----------
    results : mapping
        From `compare`.
    path : str or Path
        ``.png``, ``.pdf`` or ``.svg``.
    per_round : int
        Ratings a round.

    Raises
    ------
    AnalysisError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, runs in results.items():
        found = np.array([run.found for run in runs])
        rated = per_round * np.arange(1, found.shape[1] + 1)
        (line,) = axes.plot(rated, found.mean(axis=0), label=name.replace("_", " "))
        low, high = np.percentile(found, [16, 84], axis=0)
        axes.fill_between(rated, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlabel="galaxies rated", ylabel="interesting galaxies found", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False, fontsize="small")
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: the figure cannot be written ({error})") from error
