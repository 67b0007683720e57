"""Votes of volunteers in the columns of a catalogue: which questions there are, and what they teach."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.embeddings import require_embeddings
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.teaching.lesson import SEED, provenance_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure

__all__ = ["VoteQuestion", "figures_of", "learn_votes", "questions_of", "totals_of"]

_FIGURES = "figures"  # of the provenance of a head
_MOST_VOTES = 1e6  # of a galaxy; ids are larger
_TOTAL = re.compile(r"total|(^|_)votes$|n_votes|classifications", re.IGNORECASE)


@dataclass(frozen=True)
class VoteQuestion:
    """
    A question that volunteers were asked.

    Attributes
    ----------
    name : str
    columns : mapping
        Label of a column by answer.
    shares : bool
        Whether the columns are shares of the votes, and not their numbers.
    total : str
        The column with the number of votes, if one is called after the question; else empty.
    """

    name: str
    columns: Mapping[str, str]
    shares: bool
    total: str = ""


def questions_of(data: Data) -> list[VoteQuestion]:
    """Find the questions of volunteers that a catalogue has votes on."""
    from glue_zoobot.analysis.teaching_votes import questions_in

    labels = _numeric(data)
    found = []
    for name, columns in questions_in(labels).items():
        values = np.concatenate([_values(data, label) for label in columns.values()])
        own = [label for label in labels if label.startswith(f"{name}_total")]
        shares = bool(np.nanmax(values, initial=0.0) <= 1.01)
        found.append(VoteQuestion(name, columns, shares, own[0] if own else ""))
    return found


def totals_of(data: Data) -> list[str]:
    """Labels of the columns that may be numbers of votes, likely ones first."""
    whole = [label for label in _numeric(data) if _is_number_of_votes(_values(data, label))]
    return sorted(whole, key=lambda label: not _TOTAL.search(label))


def learn_votes(data: Data, question: VoteQuestion, total: str = "") -> Head:
    """
    Learn what volunteers would answer; takes a second or more, in any thread.

    Parameters
    ----------
    data : Data
        With embeddings.
    question : VoteQuestion
    total : str
        Label of the column with the number of votes; of shares.

    Returns
    -------
    Head
        Its target is the name of the question; see `figures_of`.

    Raises
    ------
    AnalysisError
        If there are no embeddings, too few votes, or shares without a number of votes.
    """
    from astropy.table import Table

    from glue_zoobot.analysis.teaching_votes import teach_votes, votes_in

    embeddings = require_embeddings(data)
    if question.shares and not total:
        raise AnalysisError(f"the columns of {question.name} are shares: choose the column with their number")
    known = [*question.columns.values(), *([total] if total else [])]
    table = Table({label: _values(data, label) for label in known})
    asked = f"{question.name}: {', '.join(question.columns)}"
    ids = object_ids_of(data)
    votes = votes_in(table, ids, [asked], [total] if total else [])
    lesson = teach_votes(
        question.name, ids[embeddings.rows], embeddings.matrix, votes, provenance_of(embeddings), SEED
    )
    told = [[one.name.partition(": ")[2], one.value, one.low, one.high] for one in lesson.figures]
    facts = {**lesson.head.provenance, _FIGURES: json.dumps(told)}
    return replace(lesson.head, provenance=facts)


def figures_of(head: Head) -> list[Figure]:
    """Figures of merit that a head carries with it; empty if it carries none."""
    from glue_zoobot.analysis.merit import Figure

    return [Figure(*entry) for entry in json.loads(head.provenance.get(_FIGURES, "[]"))]


def _numeric(data: Data) -> list[str]:
    """Labels of the catalogue's own columns of numbers."""
    ours = set(our_columns(data).values())
    return [
        cid.label for cid in data.main_components if cid not in ours and data.get_kind(cid) == "numerical"
    ]


def _values(data: Data, label: str) -> np.ndarray:
    return np.asarray(data[data.find_component_id(label)], dtype=np.float64)


def _is_number_of_votes(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    whole = known.size and (known == np.round(known)).all()
    return bool(whole and known.min() >= 0 and 1 < known.max() < _MOST_VOTES)
