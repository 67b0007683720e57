"""
One protocol for every way of choosing what to rate next, on galaxies whose rating is known.

A simulated user rates ten galaxies, then ten more a round, to 200 (Walmsley et al. 2022). Reported are what
was found, and what the best next galaxies of the final ranking hold. Precision over unrated galaxies alone
punishes a method for what it found already, and precision with the rated ones first rewards it for the
rating; the galaxies found among the rated *and* the next 200 are the figure to compare by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from glue_zoobot.analysis.interest import start
from glue_zoobot.analysis.labels import HIGHEST, INTERESTING
from glue_zoobot.errors import AnalysisError

__all__ = ["NEXT", "Ranker", "Run", "first_round", "paired_difference", "run_protocol", "summarise"]

N_RATINGS = 200
PER_ROUND = 10
NEXT = 200
PRECISION_AT = (50, 100, 200)
WEAK_AFTER, WEAK_BELOW = 100, 5


class Ranker(Protocol):
    """What takes part: `glue_zoobot.analysis.InterestModel` and the baselines do."""

    scores_: np.ndarray

    def fit(self, matrix: np.ndarray, rows: np.ndarray, ratings: np.ndarray) -> Any:
        """Learn from ratings and score every row."""

    def suggest(self, n: int = 10, exclude: Sequence[int] = ()) -> np.ndarray:
        """Choose what to rate next."""


@dataclass(frozen=True)
class Run:
    """
    One simulated user.

    Attributes
    ----------
    found : np.ndarray
        Shape (n_rounds,): interesting galaxies among those rated, after each round.
    seen : int
        Interesting galaxies among the rated and the next 200 of the ranking.
    weak : bool
        Fewer than five found after 100 ratings.
    paper : dict
        "P@50", "P@100", "P@200" and "AP" of the whole ranking, galaxies known to be interesting first and
        those known to be dull last, as in the paper.
    unrated : dict
        The same over unrated galaxies only.
    seconds : np.ndarray
        Shape (n_rounds,): refit, rank, suggest.
    """

    found: np.ndarray
    seen: int
    weak: bool
    paper: dict[str, float]
    unrated: dict[str, float]
    seconds: np.ndarray


def first_round(
    matrix: np.ndarray,
    interesting: np.ndarray,
    how: str,
    random_state: int,
    example: int | None = None,
    n: int = PER_ROUND,
) -> np.ndarray:
    """
    Rows that a run begins with, the same for every method.

    Parameters
    ----------
    matrix : np.ndarray
        Shape (N, D).
    interesting : np.ndarray
        Shape (N,), bool.
    how : {"example", "random", "spread"}
        One interesting galaxy, drawn by the seed unless `example` names it, and those most like it;
        random; or the first round of `start` without an example.
    random_state : int
    example : int, optional
    n : int

    Returns
    -------
    np.ndarray
        Shape (n,), int64.
    """
    generator = np.random.default_rng(random_state)
    if how == "random":
        return generator.permutation(len(matrix))[:n]
    if how == "example" and example is None:
        example = int(generator.choice(np.flatnonzero(interesting)))
    return start(matrix, n, example if how == "example" else None, random_state)


def run_protocol(
    ranker: Ranker,
    matrix: np.ndarray,
    ratings: np.ndarray,
    first: np.ndarray,
    n_ratings: int = N_RATINGS,
    per_round: int = PER_ROUND,
) -> Run:
    """
    Let a simulated user rate what a method shows.

    Parameters
    ----------
    ranker : Ranker
        Fitted again each round.
    matrix : np.ndarray
        Shape (N, D).
    ratings : np.ndarray
        Shape (N,): what the user would say of each galaxy, 0 to 5; from 3 it is interesting.
    first : np.ndarray
        Rows of the first round.
    n_ratings, per_round : int

    Returns
    -------
    Run

    Raises
    ------
    AnalysisError
        If there are not enough galaxies for the protocol.
    """
    if len(matrix) < n_ratings + NEXT:
        raise AnalysisError(
            f"{len(matrix):,} galaxies are too few: the protocol rates {n_ratings} and ranks the next {NEXT}"
        )
    interesting = ratings >= INTERESTING
    rows = np.asarray(first, dtype=np.int64)
    found, seconds = [], []
    while True:
        found.append(int(interesting[rows].sum()))
        begin = time.perf_counter()
        ranker.fit(matrix, rows, ratings[rows])
        shown = ranker.suggest(per_round)
        seconds.append(time.perf_counter() - begin)
        if len(rows) >= n_ratings:
            break
        rows = np.concatenate([rows, shown])
    return _judged(ranker.scores_, rows, interesting, np.array(found), np.array(seconds), per_round)


def _judged(
    scores: np.ndarray,
    rows: np.ndarray,
    interesting: np.ndarray,
    found: np.ndarray,
    seconds: np.ndarray,
    per_round: int,
) -> Run:
    keys = np.where(np.isfinite(scores), scores.astype(np.float64), -np.inf)
    order = np.argsort(-keys, kind="stable")
    unrated = order[~np.isin(order, rows)]
    rated_good, rated_dull = rows[interesting[rows]], rows[~interesting[rows]]
    ranked = interesting[unrated]
    whole = interesting[np.concatenate([rated_good, unrated, rated_dull])]
    halfway = min(WEAK_AFTER // per_round, len(found)) - 1
    return Run(
        found=found,
        seen=int(found[-1] + ranked[:NEXT].sum()),
        weak=bool(found[halfway] < WEAK_BELOW),
        paper=_precisions(whole),
        unrated=_precisions(ranked),
        seconds=seconds,
    )


def _precisions(ranked: np.ndarray) -> dict[str, float]:
    figures = {f"P@{n}": float(ranked[:n].mean()) for n in PRECISION_AT}
    places = np.flatnonzero(ranked) + 1
    figures["AP"] = float(np.mean(np.arange(1, len(places) + 1) / places)) if len(places) else float("nan")
    return figures


def summarise(runs: Sequence[Run]) -> dict[str, float]:
    """Give the mean of each figure over runs, the number of weak ones, and the median seconds of a round."""
    summary = {
        "found": float(np.mean([run.found[-1] for run in runs])),
        "seen": float(np.mean([run.seen for run in runs])),
        "weak": float(sum(run.weak for run in runs)),
        "runs": float(len(runs)),
        "seconds": float(np.median(np.concatenate([run.seconds for run in runs]))),
    }
    for part in ("paper", "unrated"):
        for name in runs[0].paper:
            figures = np.array([getattr(run, part)[name] for run in runs])
            defined = figures[np.isfinite(figures)]
            summary[f"{name} {part}"] = float(defined.mean()) if defined.size else float("nan")
    return summary


def paired_difference(
    runs: Sequence[Run], others: Sequence[Run], figure: Callable[[Run], float] = lambda run: run.seen
) -> tuple[float, float]:
    """
    Compare two methods that began with the same galaxies.

    Returns
    -------
    difference : float
        Mean of the first minus the second.
    error : float
        Standard error of it; a difference below minus twice this is "significantly behind".
    """
    gaps = np.array([figure(run) - figure(other) for run, other in zip(runs, others, strict=True)])
    error = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else float("nan")
    return float(gaps.mean()), float(error)


def ratings_of_truth(values: Sequence[Any], wanted: Sequence[str] = ()) -> np.ndarray:
    """
    Turn a column of truth into ratings.

    Parameters
    ----------
    values : sequence
        As read from a table: classes, yes/no (1/0, true/false), vote fractions from 0 to 1, or ratings.
    wanted : sequence of str
        Classes that are interesting; without them the column must be numbers.

    Returns
    -------
    np.ndarray
        Shape (N,), float64, 0 to 5; NaN where the truth is not known. Vote fractions become
        ``round(5 x fraction)``, as in the paper.

    Raises
    ------
    AnalysisError
        If the column cannot be understood or holds nothing interesting.
    """
    text = np.array(["" if value is None else str(value).strip() for value in values])
    known = ~np.isin(text, ["", "nan", "--", "None"])
    ratings = np.full(len(text), np.nan)
    if wanted:
        ratings[known] = HIGHEST * np.isin(text[known], list(wanted))
    else:
        ratings[known] = _numbers(text[known])
    if not (ratings >= INTERESTING).any():
        raise AnalysisError("no galaxy is interesting by this truth; name its column and values that are")
    return ratings


def _numbers(text: np.ndarray) -> np.ndarray:
    words: Mapping[str, str] = {"true": "1", "false": "0", "yes": "1", "no": "0"}
    try:
        numbers = np.array([float(words.get(value.lower(), value)) for value in text])
    except ValueError as error:
        raise AnalysisError(
            "the truth holds words, not numbers; say with --value which of them are interesting"
        ) from error
    if numbers.size and numbers.max() <= 1:
        numbers = np.round(HIGHEST * numbers)
    if numbers.size and (numbers.min() < 0 or numbers.max() > HIGHEST):
        raise AnalysisError("the truth is neither yes/no, a fraction nor a rating from 0 to 5")
    return numbers
