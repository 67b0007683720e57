"""Say what a score goes along with, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["correlates", "flag_sentences", "methods_paragraph"]

FEWEST = 10  # galaxies with a value, in the top and in the rest, for a comparison to mean anything
_MIDDLE = (16, 84)  # percentiles: one standard deviation either way, of normal values


def correlates(scores: np.ndarray, columns: Mapping[str, np.ndarray], top: int = 100) -> Table:
    """
    Compare the highest-scored galaxies with the others, column by column.

    A score that follows magnitude, seeing or the edge of the survey tells of the data, not of the sky.

    Parameters
    ----------
    scores : np.ndarray
        Shape (N,), higher ranks first; NaN takes no part.
    columns : mapping of str to np.ndarray
        Each shape (N,): magnitude, size, position, saturated pixels … Columns that are not numbers, or have a
        value for too few galaxies, are left out.
    top : int
        How many make the top.

    Returns
    -------
    astropy.table.Table
        One row per column, most different first: ``column``; ``correlation`` (Spearman) with the score over
        all; ``ks`` (Kolmogorov-Smirnov distance between top and rest, 0 to 1) and its ``p_value``;
        ``top_median``, ``rest_median``; ``n`` galaxies with a value; ``top_low``, ``top_high``, ``rest_low``,
        ``rest_high``: between which the middle 68 % of their values lie.

    Raises
    ------
    AnalysisError
        If fewer than twenty galaxies have a score.
    """
    from astropy.table import Table

    ranked = np.flatnonzero(np.isfinite(scores))
    if len(ranked) < 2 * FEWEST:
        raise AnalysisError(f"{len(ranked)} scored galaxies are too few to say what a score goes along with")
    order = ranked[np.argsort(-scores[ranked], kind="stable")]
    top = min(top, len(order) // 2)
    in_top = np.zeros(len(scores), dtype=bool)
    in_top[order[:top]] = True
    rows = [
        _comparison(name, scores, np.asarray(values, dtype=np.float64), in_top)
        for name, values in columns.items()
        if np.asarray(values).dtype.kind in "biuf"
    ]
    names = ["column", "correlation", "ks", "p_value", "top_median", "rest_median", "n"]
    names += ["top_low", "top_high", "rest_low", "rest_high"]
    kinds = [str] + 5 * [float] + [int] + 4 * [float]
    table = Table(rows=[row for row in rows if row] or None, names=names, dtype=kinds)
    table.sort("ks", reverse=True)
    table.meta["top"] = top
    return table


def _comparison(name: str, scores: np.ndarray, values: np.ndarray, in_top: np.ndarray) -> tuple | None:
    from scipy.stats import ks_2samp, spearmanr

    usable = np.isfinite(values) & np.isfinite(scores)
    above, below = values[usable & in_top], values[usable & ~in_top]
    if min(len(above), len(below)) < FEWEST or np.ptp(values[usable]) == 0:
        return None
    distance = ks_2samp(above, below, method="asymp")
    return (
        name,
        float(spearmanr(scores[usable], values[usable]).statistic),
        float(distance.statistic),
        float(distance.pvalue),
        float(np.median(above)),
        float(np.median(below)),
        int(usable.sum()),
        *np.percentile(above, _MIDDLE).tolist(),
        *np.percentile(below, _MIDDLE).tolist(),
    )


def flag_sentences(scores: np.ndarray, flags: Mapping[str, np.ndarray], top: int = 100) -> list[str]:
    """
    Say which flags are more common among the highest-scored galaxies than among the others.

    Parameters
    ----------
    scores : np.ndarray
        Shape (N,).
    flags : mapping of str to np.ndarray
        Each shape (N,), bool, as from `glue_zoobot.images.quality`.
    top : int

    Returns
    -------
    list of str
        Such as "40 of the top 100 are flagged trail (1.0% of the others)"; those at least twice as common,
        and three or more, most first.
    """
    ranked = np.flatnonzero(np.isfinite(scores))
    order = ranked[np.argsort(-scores[ranked], kind="stable")]
    first, others = order[:top], order[top:]
    counts = {name: int(np.asarray(values)[first].sum()) for name, values in flags.items()}
    shares = {
        name: float(np.asarray(values)[others].mean()) if others.size else 0.0
        for name, values in flags.items()
    }
    return [
        f"{counts[name]} of the top {len(first)} are flagged {name.replace('_', ' ')} "
        f"({shares[name]:.1%} of the others)"
        for name in sorted(counts, key=lambda name: -counts[name])
        if counts[name] >= 3 and counts[name] >= 2 * shares[name] * len(first)
    ]


def methods_paragraph(facts: Mapping[str, Any]) -> str:
    """
    Write a paragraph for a paper from the provenance of a table.

    Parameters
    ----------
    facts : mapping
        Metadata of a table of anomalies or interest: encoder, weights_sha256, ratings, method, random_state,
        versions …; what is absent is left out.

    Returns
    -------
    str
    """
    sentences = [
        f"Galaxies were described by the embeddings of {facts['encoder']} "
        f"(weights SHA-256 {str(facts.get('weights_sha256', ''))[:16]}…) computed with glue-zoobot "
        f"{facts.get('version_glue-zoobot', '')}."
    ]
    if "anomaly_method" in facts:
        sentences.append(
            f"Unsupervised anomaly scores are {facts['anomaly_method']} (seed {facts['random_state']})."
        )
    if "interest_method" in facts:
        sentences.append(
            f"Galaxies were ranked by interest with {facts['interest_method']} fitted to "
            f"{facts['ratings']} ratings from 0 to 5, of which {facts['ratings_interesting']} were 3 or more "
            f"(seed {facts['random_state']})."
        )
    return " ".join(sentences)
