"""Unusual galaxies of a catalogue: scores as columns, and what the scores go along with, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.catalog.columns import our_columns, write_columns
from glue_zoobot.catalog.embeddings import require_embeddings
from glue_zoobot.catalog.pictures import images_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table
    from glue.core import ComponentID, Data

    from glue_zoobot.catalog.embeddings import RowEmbeddings
    from glue_zoobot.catalog.pictures import RowImages

__all__ = ["RANK", "Anomalies", "AnomalyQuestion", "anomaly_question", "find_anomalies", "write_anomalies"]

RANK = "anomaly_rank"
_TOP = 100
_STRONG = 0.3  # Kolmogorov-Smirnov distance from which a column is worth a sentence
_CERTAIN = 1e-3
_NAMED = 3  # columns in the report
SEED = 0


@dataclass(frozen=True)
class AnomalyQuestion:
    """What scoring needs of a dataset; gathered where glue's data may be touched, answered in any thread."""

    embeddings: RowEmbeddings
    images: RowImages | None
    columns: Mapping[str, np.ndarray]
    method: str


@dataclass(frozen=True)
class Anomalies:
    """
    How unusual every galaxy is.

    Attributes
    ----------
    method : str
    scores : np.ndarray
        Shape (N,), float32, higher is stranger; NaN without an embedding.
    sentences : tuple of str
        What the strangest have in common besides their looks: columns of the catalogue, artefacts.
    """

    method: str
    scores: np.ndarray
    sentences: tuple[str, ...]


def anomaly_question(data: Data, method: str) -> AnomalyQuestion:
    """
    Gather what is needed to score a dataset.

    Raises
    ------
    AnalysisError
        If it has no embeddings.
    """
    embeddings = require_embeddings(data)
    return AnomalyQuestion(embeddings, images_of(data), _measured(data), method)


def find_anomalies(question: AnomalyQuestion) -> Anomalies:
    """
    Score every galaxy by how unlike the others it is, and say what the score goes along with.

    Raises
    ------
    AnalysisError
        If there are too few galaxies, or no such method.
    """
    from glue_zoobot.analysis.anomaly import anomaly_scores

    embeddings = question.embeddings
    scores = np.full(len(embeddings.positions), np.nan, dtype=np.float32)
    scores[embeddings.rows] = anomaly_scores(embeddings.matrix, question.method, SEED)
    sentences = [*_about_pictures(scores, question.images), *_about_columns(scores, question.columns)]
    return Anomalies(question.method, scores, tuple(sentences))


def write_anomalies(data: Data, found: Anomalies) -> ComponentID:
    """Write ``anomaly_<method>`` and ``anomaly_rank`` (1 for the strangest); return the latter."""
    from glue_zoobot.analysis.anomaly import DESCRIPTIONS, anomaly_ranks

    columns = {f"anomaly_{found.method}": found.scores, RANK: anomaly_ranks(found.scores)}
    made = {"method": f"anomaly {found.method}", "is": DESCRIPTIONS[found.method], "random_state": SEED}
    return write_columns(data, columns, {**made, "sentences": list(found.sentences)})[RANK]


def _measured(data: Data) -> dict[str, np.ndarray]:
    """Numbers of the catalogue by label: neither ours, nor ids, nor constant."""
    ours = {cid.uuid for cid in our_columns(data).values()}
    columns = {}
    for cid in data.main_components:
        if cid.uuid in ours or data.get_kind(cid) != "numerical":
            continue
        values = np.asarray(data.get_component(cid).data)
        is_id = values.dtype.kind in "iu" and len(np.unique(values)) == len(values)
        if values.dtype.kind in "biuf" and not is_id:
            columns[cid.label] = values
    return columns


def _about_columns(scores: np.ndarray, columns: Mapping[str, np.ndarray]) -> list[str]:
    from glue_zoobot.analysis.explain import correlates

    if not columns:
        return []
    try:
        table = correlates(scores, columns, _n_top(scores))
    except AnalysisError:  # too few galaxies to say anything
        return []
    strong = [row for row in table if row["ks"] >= _STRONG and row["p_value"] < _CERTAIN]
    if not strong:
        return [f"None of the {len(columns)} numeric columns goes along with the score."]
    return [_sentence(row, table) for row in strong[:_NAMED]]


def _sentence(row: Table.Row, table: Table) -> str:
    higher = row["top_median"] > row["rest_median"]
    spread = "much " if row["ks"] >= 0.6 else ""
    if row["top_median"] == row["rest_median"]:
        return f"{row['column']} is distributed otherwise among the {table.meta['top']} most unusual."
    return (
        f"{row['column']} is {spread}{'higher' if higher else 'lower'} among the {table.meta['top']} most "
        f"unusual: {row['top_median']:.3g} in the middle, against {row['rest_median']:.3g} of the rest."
    )


def _about_pictures(scores: np.ndarray, images: RowImages | None) -> list[str]:
    """Measure the pictures of the top and of as many others at random, and name artefacts among the top."""
    from glue_zoobot.analysis.explain import flag_sentences
    from glue_zoobot.images.quality import FLAGS, flags_of, statistics_of

    if images is None:
        return []
    ranked = np.flatnonzero(np.isfinite(scores))
    order, top = ranked[np.argsort(-scores[ranked], kind="stable")], _n_top(scores)
    others = np.random.default_rng(SEED).permutation(order[top:])[: 2 * top]
    rows, raised = [], []
    for row in np.concatenate([order[:top], others]).tolist():
        pixels = _read(images, row)
        if pixels is not None:
            rows.append(row)
            raised.append(flags_of(statistics_of(pixels)))
    flags = {flag: np.array([one[flag] for one in raised], dtype=bool) for flag in FLAGS}
    return [f"{text}." for text in flag_sentences(scores[rows], flags, top)]


def _read(images: RowImages, row: int) -> np.ndarray | None:
    from glue_zoobot.errors import ImageError

    try:
        return images.read(row)
    except ImageError:
        return None


def _n_top(scores: np.ndarray) -> int:
    """The strangest tenth, at most a hundred."""
    return int(np.clip(np.isfinite(scores).sum() // 10, 10, _TOP))
