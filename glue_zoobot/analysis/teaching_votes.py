"""From a table of Galaxy Zoo, of counts or of fractions with a total, to a head that predicts votes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.merit import Figure, vote_figures
from glue_zoobot.analysis.strangers import strangers
from glue_zoobot.analysis.votes import GalaxyVotes, Question
from glue_zoobot.errors import AnalysisError, CatalogueError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["VoteLesson", "VoteTable", "questions_in", "read_votes", "teach_votes", "votes_in"]

# Endings of columns of one answer, best first; a column of counts often has none.
_ENDINGS = ("", "_count", "_votes", "_weighted_fraction", "_fraction", "_debiased")
_TOTALS = ("total-votes", "total_votes", "total_count", "total")
_NO_ANSWERS = re.compile(r"(^total|_flag$|_weight$|_lo$|_hi$|_mask$)")
_GALAXY_ZOO_2 = re.compile(r"(t\d\d_.+?)_a\d\d_")
_NAMED = 8  # columns of a table in a message
_LARGEST_FRACTION = 1.01  # fractions are rounded


@dataclass(frozen=True)
class VoteTable:
    """
    Votes by galaxy.

    Attributes
    ----------
    object_ids : np.ndarray
        Shape (n,), str.
    questions : tuple of Question
    counts : np.ndarray
        Shape (n, A), float64: the answers of all questions side by side; NaN where missing.
    path : str
        The file that they were read from; empty for none.
    ids_from : str
        What in it named the galaxies, such as ``column 'name'``.
    """

    object_ids: np.ndarray
    questions: tuple[Question, ...]
    counts: np.ndarray
    path: str = ""
    ids_from: str = ""


@dataclass(frozen=True)
class VoteLesson:
    """
    What came of teaching votes.

    Attributes
    ----------
    head : Head
    answered : dict of str to int
        Galaxies with votes, by question.
    unknown : tuple of str
        Ids without an embedding; not used.
    figures : list of Figure
        Of galaxies that the model in question was not shown.
    """

    head: Head
    answered: Mapping[str, int]
    unknown: tuple[str, ...]
    figures: list[Figure]

    def text(self) -> str:
        """Say what was learned and how well."""
        what = ", ".join(f"{name} ({n:,} galaxies)" for name, n in self.answered.items())
        figures = "; ".join(figure.text() for figure in self.figures if np.isfinite(figure.value))
        return f"Votes on {what}. Of galaxies it was not shown, with 95 % intervals: {figures}."


def teach_votes(
    target: str,
    object_ids: np.ndarray,
    matrix: np.ndarray,
    votes: VoteTable,
    provenance: Mapping[str, str],
    random_state: int = 0,
) -> VoteLesson:
    """
    Teach a head the votes on some questions, and measure it on galaxies that it was not shown.

    Parameters
    ----------
    target : str
        Name of the head.
    object_ids : np.ndarray
        Shape (N,), str.
    matrix : np.ndarray
        Shape (N, D), float32: embeddings.
    votes : VoteTable
    provenance : mapping
        Of the embeddings; kept with the head, which refuses embeddings of another encoder.
    random_state : int

    Raises
    ------
    AnalysisError
        If none of the galaxies has an embedding, or there are too few votes.
    """
    where = {str(name): row for row, name in enumerate(object_ids)}
    rows = np.array([where.get(str(name), -1) for name in votes.object_ids], dtype=np.int64)
    unknown = tuple(str(name) for name in votes.object_ids[rows < 0])
    if len(unknown) == len(rows):
        what, here = f"{len(rows):,} galaxies with votes", f"{len(object_ids):,} galaxies that are embedded"
        said = strangers(votes.object_ids, what, object_ids, here, "votes", votes.path, votes.ids_from)
        raise AnalysisError(said)
    usable = rows >= 0
    usable[usable] = np.isfinite(matrix[rows[usable]]).all(axis=1)
    counts = votes.counts[usable]
    with _naming(votes.path):
        estimator = GalaxyVotes(random_state).fit(matrix[rows[usable]], counts, votes.questions, matrix)
    counts = counts[estimator.rows_]
    figures, answered = [], {}
    for question, part in zip(votes.questions, estimator.parts(), strict=True):
        told = np.isfinite(estimator.out_of_fold_[:, part]).all(axis=1)
        answered[question.name] = int(told.sum())
        concentration = estimator.out_of_fold_[told, part]
        figures += vote_figures(question.name, counts[told, part], concentration, random_state)
    facts = {**provenance, "labels": str(len(counts)), "random_state": str(random_state)}
    return VoteLesson(Head(target, estimator, facts), answered, unknown, figures)


def read_votes(path: str | Path, asked: Sequence[str], totals: Sequence[str] = ()) -> VoteTable:
    """
    Read the votes on some questions.

    Parameters
    ----------
    path : str or Path
        A table with an id column.
    asked : sequence of str
        Each ``question: answer, answer, …``, or a question alone, whose answers are then all columns that
        begin with it. The column of an answer is called ``answer`` or ``question_answer``, and may end in
        ``_count``, ``_fraction``, ``_weighted_fraction`` or ``_debiased``.
    totals : sequence of str
        For fractions: the column with the number of volunteers, ``column`` for all questions or ``question:
        column`` for one; by default ``question_total-votes``, where there is one.

    Raises
    ------
    AnalysisError, CatalogueError
        If there are no such columns, or fractions have no total.
    """
    from glue_zoobot.images.identity import identify
    from glue_zoobot.images.tables import read_table

    path = Path(path)
    if not path.exists():
        raise AnalysisError(f"{path}: there is no such file of votes; give a table of galaxies")
    table = read_table(path)
    identity = identify(table)
    with _naming(path):
        votes = votes_in(table, identity.object_ids, asked, totals)
    return replace(votes, path=str(path), ids_from=identity.origin)


def votes_in(
    table: Table, object_ids: np.ndarray, asked: Sequence[str], totals: Sequence[str] = ()
) -> VoteTable:
    """Gather the votes of a table of n rows on some questions, which are given as for `read_votes`."""
    total_of = dict(_named(text) if ":" in text else ("", text) for text in totals)
    questions, parts = [], []
    for text in asked:
        name, wanted = _named(text)
        columns = _answers(table, name, wanted)
        questions.append(Question(name, tuple(_short(answer, name) for answer in columns)))
        votes = np.column_stack([_numbers(table, column) for column in columns.values()])
        if np.nanmax(votes, initial=0.0) <= _LARGEST_FRACTION:
            votes *= _total(table, name, total_of)[:, None]
        if not np.isfinite(votes).all(axis=1).any():
            raise AnalysisError(
                f"no galaxy has votes on {name!r}: a column of its answers "
                f"({_some(list(columns.values()))}) or the one with their number is empty; "
                "choose another question or column"
            )
        parts.append(votes)
    return VoteTable(object_ids, tuple(questions), np.hstack(parts))


def questions_in(columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """
    Find questions of volunteers by the names of columns.

    Parameters
    ----------
    columns : sequence of str
        Such as ``bar_strong_fraction``, ``bar_no`` beside ``bar_total-votes``, or as Galaxy Zoo 2 calls them,
        ``t01_smooth_or_features_a01_smooth_weighted_fraction``.

    Returns
    -------
    dict
        Column by answer, by question; of questions with at least two answers.
    """
    names: dict[str, None] = {}
    for column in columns:
        for total in _TOTALS:
            if column.endswith(f"_{total}"):
                names[column.removesuffix(f"_{total}")] = None
        ending = next((end for end in _ENDINGS[::-1] if end and column.endswith(end)), "")
        stem = column.removesuffix(ending) if ending else ""
        of_answer = _GALAXY_ZOO_2.match(stem)
        if of_answer:
            names[of_answer[1]] = None
        elif "_" in stem:
            names[stem.split("_")[0] if "-" in stem else stem.rsplit("_", 1)[0]] = None
    found = {name: _all_answers(columns, name) for name in names}
    return {name: answers for name, answers in found.items() if len(answers) > 1}


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Name the file in what is said of it."""
    try:
        yield
    except (AnalysisError, CatalogueError) as error:
        raise type(error)(f"{path}: {error}" if str(path) else str(error)) from error


def _named(text: str) -> tuple[str, str]:
    name, _, rest = text.partition(":")
    return name.strip(), rest.strip()


def _answers(table: Table, question: str, wanted: str) -> dict[str, str]:
    """Columns by answer."""
    if not wanted:
        found = _all_answers(table.colnames, question)
    else:
        found = {}
        for answer in (word.strip() for word in wanted.split(",")):
            names = [f"{start}{answer}{end}" for start in ("", f"{question}_") for end in _ENDINGS]
            column = next((name for name in names if name in table.colnames), None)
            if column is None:
                near = [name for name in table.colnames if answer.lower() in name.lower()][:5]
                raise AnalysisError(
                    f"there is no column {answer!r} or {question}_{answer} for the question {question!r}"
                    + (f"; near it: {', '.join(near)}" if near else f"; there are {_some(table.colnames)}")
                )
            found[answer] = column
    if len(found) < 2:
        raise AnalysisError(
            f"the question {question!r} has {counted(len(found), 'answer')} among its columns "
            f"({_some(table.colnames)}), and needs two; name their "
            f'columns: --votes "{question or "question"}: column, column"'
        )
    return found


def _all_answers(columns: Sequence[str], question: str) -> dict[str, str]:
    """All columns of a question of the first kind there is: counts, else fractions."""
    rest = {name[len(question) + 1 :]: name for name in columns if name.startswith(f"{question}_")}
    rest = {answer: name for answer, name in rest.items() if not _NO_ANSWERS.search(answer)}
    for ending in _ENDINGS:
        others = [e for e in _ENDINGS if e and e != ending and not ending.endswith(e)]
        found = {
            answer.removesuffix(ending): name
            for answer, name in rest.items()
            if answer.endswith(ending) and not any(answer.endswith(other) for other in others)
        }
        if found:
            return found
    return {}


def _some(columns: Sequence[str]) -> str:
    return ", ".join(columns[:_NAMED]) + (" …" if len(columns) > _NAMED else "")


def _short(answer: str, question: str) -> str:
    """Name of an answer without what all columns have in common."""
    answer = answer.removeprefix(f"{question}_")
    ending = next((end for end in _ENDINGS if end and answer.endswith(end)), "")
    return answer.removesuffix(ending) or answer


def _total(table: Table, question: str, total_of: dict[str, str]) -> np.ndarray:
    usual = [f"{question}_{ending}" for ending in _TOTALS]
    given = total_of.get(question) or total_of.get("")
    column = given or next((name for name in usual if name in table.colnames), None)
    if column is None:
        raise AnalysisError(
            f"the columns of {question!r} are fractions, and nothing says of how many votes: name the column "
            f'with their number by --total COLUMN, or for this question --total "{question}: COLUMN"'
        )
    return _numbers(table, column)


def _numbers(table: Table, column: str) -> np.ndarray:
    from glue_zoobot.images.identity import find_column

    values = table[find_column(table.colnames, column)]
    try:
        filled = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    except (TypeError, ValueError) as error:
        raise AnalysisError(
            f"the column {column} does not hold numbers of votes ({error}); choose counts or fractions"
        ) from error
    return np.asarray(filled, dtype=np.float64)
