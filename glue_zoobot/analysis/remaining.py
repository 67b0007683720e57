"""
Estimate how many interesting galaxies are left that nobody has looked at.

A ranking cannot say what it misses. So a few galaxies are drawn at random from bands of the ranking, from the
top band that holds most of what is left to the bottom band that is too large to look at, and rated like any
other; from the share found in each band follows how many are left in all, with an interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glue_zoobot.errors import AnalysisError

__all__ = ["Audit", "Remaining", "plan_audit"]

N_BANDS = 5
BAND_RATIO = 3.0  # each band holds this many times the galaxies of the one above it
FEWEST_PICKS = 3  # in any band
N_DRAWS = 4_000
LEVEL = 0.9


@dataclass(frozen=True)
class Remaining:
    """
    What an audit says of a catalogue; each interval holds the truth with probability `level`.

    Attributes
    ----------
    left : float
        Median estimate of the interesting galaxies not yet rated.
    left_low, left_high : float
        Interval of it.
    found : int
        Interesting galaxies among those rated, audited ones included.
    completeness, completeness_low, completeness_high : float
        Share of all interesting galaxies that has been found.
    level : float
    """

    left: float
    left_low: float
    left_high: float
    found: int
    completeness: float
    completeness_low: float
    completeness_high: float
    level: float = LEVEL

    def hint(self, wanted: float = 0.95) -> str:
        """Say whether to go on rating, if a share `wanted` of all interesting galaxies is enough."""
        left = (
            f"{self.left:,.0f} ({self.left_low:,.0f} to {self.left_high:,.0f}) interesting galaxies are left"
        )
        if self.completeness_low >= wanted:
            return f"You may stop: at most {self.left_high:,.0f} interesting galaxies are left."
        if self.completeness_high < wanted:
            return f"Go on: about {left}."
        return f"Rate more random picks to know: about {left}."


@dataclass(frozen=True)
class Audit:
    """
    Random picks per band of a ranking.

    Attributes
    ----------
    rows : np.ndarray
        Shape (n,), int64: what to rate, in random order so that the order tells nothing.
    band : np.ndarray
        Shape (n,), int64: band of each pick, 0 the highest ranked.
    order : np.ndarray
        Shape (M,), int64: all rows that were not rated when the audit was planned, best first.
    edges : np.ndarray
        Shape (n_bands + 1,), int64: band h is ``order[edges[h]:edges[h + 1]]``.
    """

    rows: np.ndarray
    band: np.ndarray
    order: np.ndarray
    edges: np.ndarray

    def remaining(
        self, interesting: Mapping[int, bool], level: float = LEVEL, random_state: int = 0
    ) -> Remaining:
        """
        Estimate what is left from the ratings given so far.

        Parameters
        ----------
        interesting : mapping of int to bool
            Every rated row, and whether it is interesting. Picks without a rating (skipped, or not yet
            reached) count as not drawn.
        level : float
            Probability of the intervals.
        random_state : int

        Returns
        -------
        Remaining

        Raises
        ------
        AnalysisError
            If a band has no rated pick.
        """
        draws = self._draws(interesting, random_state)
        found = sum(interesting.values())
        left = draws.sum(axis=1) - self._known(interesting, True).sum()
        tails = [50 * (1 - level), 50, 50 * (1 + level)]
        low, middle, high = np.percentile(left, tails)
        worst, share, best = np.percentile(found / np.maximum(found + left, 1), tails)
        return Remaining(middle, low, high, found, share, worst, best, level)

    def top(
        self, n: int, interesting: Mapping[int, bool], level: float = LEVEL, random_state: int = 0
    ) -> dict[str, tuple[float, float, float]]:
        """
        Say how pure and complete the best `n` of the audited ranking are, among its galaxies.

        Parameters
        ----------
        n : int
            How many; a band that it divides counts in proportion.
        interesting, level, random_state
            As for `remaining`.

        Returns
        -------
        dict
            "purity" and "completeness", each as (median, low, high).
        """
        draws = self._draws(interesting, random_state)
        sizes = np.diff(self.edges)
        inside = np.clip((n - self.edges[:-1]) / np.maximum(sizes, 1), 0, 1)
        within = draws @ inside
        tails = [50, 50 * (1 - level), 50 * (1 + level)]
        share = within / np.maximum(draws.sum(axis=1), 1)
        purity = within / max(min(n, len(self.order)), 1)
        return {
            "purity": _triple(np.percentile(purity, tails)),
            "completeness": _triple(np.percentile(share, tails)),
        }

    def _draws(self, interesting: Mapping[int, bool], random_state: int) -> np.ndarray:
        """
        Draw from the posterior number of interesting galaxies in each band: shape (draws, bands).

        Beta-binomial for the galaxies of a band that were not picked. The prior is that of rare things,
        Perks' Beta(1 / bands, 1): one interesting galaxy's worth of expectation in all bands together.
        Jeffreys' prior would promise hundreds in a large band in which nothing was found.
        """
        judged = np.array([row in interesting for row in self.rows.tolist()], dtype=bool)
        good = np.array([interesting.get(row, False) for row in self.rows.tolist()], dtype=bool)
        n_bands = len(self.edges) - 1
        picked = np.bincount(self.band[judged], minlength=n_bands)
        successes = np.bincount(self.band[good], minlength=n_bands)
        sizes = np.diff(self.edges)
        empty = np.flatnonzero((picked == 0) & (sizes > 0))
        if empty.size:
            raise AnalysisError(
                f"no random pick of band {empty[0] + 1} of {n_bands} is rated yet; "
                "rate the picks of the audit"
            )
        generator = np.random.default_rng(random_state)
        chance = generator.beta(successes + 1 / n_bands, picked - successes + 1, size=(N_DRAWS, n_bands))
        draws = successes + generator.binomial(sizes - picked, chance)
        return np.clip(draws, self._known(interesting, True), sizes - self._known(interesting, False))

    def _known(self, interesting: Mapping[int, bool], which: bool) -> np.ndarray:
        """How many galaxies of each band are known to be interesting, or not: as picks, or rated since."""
        rows = np.array([row for row, good in interesting.items() if good is which], dtype=np.int64)
        return np.histogram(np.flatnonzero(np.isin(self.order, rows)), bins=self.edges)[0]


def plan_audit(
    scores: np.ndarray, rated: np.ndarray, n_picks: int = 100, random_state: int = 0, n_bands: int = N_BANDS
) -> Audit:
    """
    Draw galaxies at random from bands of a ranking.

    Parameters
    ----------
    scores : np.ndarray
        Shape (N,), higher is more interesting; rows without a finite score take no part.
    rated : np.ndarray
        Rows that have been rated already; they take no part either.
    n_picks : int
        How many to draw in all. A band of M galaxies gets a part that grows as the root of M: the best
        division where every band holds about as many interesting galaxies (Neyman 1934).
    random_state : int
    n_bands : int

    Returns
    -------
    Audit

    Raises
    ------
    AnalysisError
        If fewer galaxies are unrated than are to be picked, or fewer picks than three a band are asked for.
    """
    free = np.isfinite(scores)
    free[np.asarray(rated, dtype=np.int64)] = False
    rows = np.flatnonzero(free)
    if n_picks < FEWEST_PICKS * n_bands or len(rows) < n_picks:
        raise AnalysisError(
            f"{n_picks} random picks from {len(rows):,} unrated galaxies were asked for; "
            f"ask for {FEWEST_PICKS * n_bands} or more, and for no more than there are"
        )
    order = rows[np.lexsort((rows, -scores[rows]))]
    edges = _edges(len(order), n_bands)
    generator = np.random.default_rng(random_state)
    picks, bands = [], []
    for band, count in enumerate(_division(np.diff(edges), n_picks)):
        picks.append(generator.choice(order[edges[band] : edges[band + 1]], count, replace=False))
        bands.append(np.full(count, band))
    shuffled = generator.permutation(sum(map(len, picks)))
    return Audit(np.concatenate(picks)[shuffled], np.concatenate(bands)[shuffled], order, edges)


def _edges(n: int, n_bands: int) -> np.ndarray:
    """Places where bands begin and end; no band smaller than the picks it must give."""
    sizes = BAND_RATIO ** np.arange(n_bands)
    inner = np.round(np.cumsum(sizes)[:-1] / sizes.sum() * n).astype(np.int64)
    fewest = FEWEST_PICKS * np.arange(1, n_bands)
    return np.concatenate([[0], np.maximum(inner, fewest), [n]])


def _division(sizes: np.ndarray, n_picks: int) -> np.ndarray:
    """Picks per band, in proportion to the root of its size, at least three, at most all; about `n_picks`."""
    share = np.sqrt(sizes) / np.sqrt(sizes).sum()
    return np.clip(np.round(n_picks * share).astype(np.int64), FEWEST_PICKS, sizes)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
