"""Verbs that teach a class or a quantity: train, predict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from glue_zoobot.analysis.inputs import INPUTS, beside, inputs_of, leaks, read_inputs
from glue_zoobot.cli import options
from glue_zoobot.cli.search import provenance
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.analysis.teaching import Lesson
    from glue_zoobot.analysis.teaching_votes import VoteLesson

Inputs = Annotated[
    str,
    typer.Option(
        "--inputs",
        help="Columns to learn from beside the image, with commas; a-b is the difference of two (a colour).",
        show_default="none",
    ),
]
InputTable = Annotated[
    Path | None, typer.Option("--table", help="The table with those columns.", show_default="--labels")
]
HeadPath = Annotated[
    Path, typer.Option("--head", help="A head that `glue-zoobot train` has made, or a folder of several.")
]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(train)
    app.command()(predict)


def train(
    store: options.Store,
    labels: Annotated[Path, typer.Option(help="A table with an id column, or a log of labels (.jsonl).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new head.")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The column with classes or numbers, or the log's target; given again, a galaxy may be "
            "several things at once, and each has a head.",
            show_default="none",
        ),
    ] = None,
    votes: Annotated[
        list[str] | None,
        typer.Option(
            help='A question of volunteers, "question: answer, answer", or "question" for all columns that '
            "begin so; may be given again.",
            show_default="none",
        ),
    ] = None,
    total: Annotated[
        list[str] | None,
        typer.Option(
            help='Where votes are fractions: the column with their number, or "question: column".',
            show_default="question_total-votes",
        ),
    ] = None,
    kind: options.LabelKind = None,
    inputs: Inputs = "",
    table: InputTable = None,
    random_state: Annotated[int, typer.Option(help="Same seed, same head.")] = 0,
) -> None:
    """
    Teach a class, a quantity, or the votes of volunteers from a few labels, in seconds.

    A redshift is measured by its relative error dz / (1 + z): bias, scatter, outliers.

    For example: glue-zoobot train STORE --labels rings.csv --target ring -o ring.head
    """
    from glue_zoobot.analysis.heads import file_name
    from glue_zoobot.analysis.teaching import read_labels, teach
    from glue_zoobot.analysis.teaching_votes import read_votes, teach_votes
    from glue_zoobot.embedding import EmbeddingStore

    if bool(votes) == bool(target):
        raise AnalysisError("say what to teach: either --target COLUMN, or --votes QUESTION (once or more)")
    opened = EmbeddingStore.open(store)
    options.ready_folder(output.parent)
    object_ids, matrix = opened.load()
    facts = provenance(opened)
    if inputs:
        names = tuple(name.strip() for name in inputs.split(","))
        matrix = _with_columns(object_ids, matrix, table or labels, names)
        facts[INPUTS] = json.dumps(names)
    given = (object_ids, matrix)
    if votes:
        known = read_votes(labels, votes, total or ())
        _keep(teach_votes("votes", *given, known, facts, random_state), output)
    lessons = {}
    for name in target or ():
        told = read_labels(labels, name)
        if told.contradictory:
            typer.echo(f"{name}: {told.warning()}", err=True)
        lessons[name] = teach(name, *given, told, facts, kind, random_state)
    for name, lesson in lessons.items():
        if inputs:
            labelled = lesson.labelled
            for text in leaks(names, matrix[labelled.rows, -len(names) :], labelled.values, labelled.kind):
                typer.echo(text, err=True)
        _keep(lesson, output if len(lessons) == 1 else output / file_name(name))


def _keep(lesson: Lesson | VoteLesson, output: Path) -> None:
    """Say what was learned, and write it."""
    unknown = lesson.unknown
    if unknown:
        typer.echo(
            f"{len(unknown):,} labelled galaxies have no embedding here ({unknown[0]} …) and are not used",
            err=True,
        )
    typer.echo(lesson.text())
    typer.echo(f"Head written to {lesson.head.save(output)}; `glue-zoobot predict` uses it.")


def predict(
    store: options.Store,
    head: HeadPath,
    output: options.Output,
    coverage: Annotated[
        float | None, typer.Option(help="Of class sets (default 0.9) or intervals (default 0.68).")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="Table with the columns that the head learned from.", show_default="none"),
    ] = None,
) -> None:
    """
    Predict what was taught for every galaxy.

    A yes-or-no target T gives T_prob; classes give T, T_prob_CLASS and T_set; a number gives T, T_lo, T_hi;
    votes give Q_A_fraction, Q_A_lo, Q_A_hi for each answer A of a question Q; all give T_unlike, which marks
    galaxies unlike anything that was labelled.
    """
    from glue_zoobot.analysis.heads import Head, heads_in
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    opened, predicted = EmbeddingStore.open(store), None
    object_ids, matrix = opened.load()
    for path in heads_in(head):
        taught = Head.load(path)
        taught.check_encoder(provenance(opened))
        names, given = inputs_of(taught.provenance), matrix
        if names and table is None:
            raise AnalysisError(
                f"{path} was taught with {', '.join(names)} beside the images; name the table that has these "
                "columns with --table"
            )
        if names and table is not None:
            given = _with_columns(object_ids, matrix, table, names)
        elif table is not None:
            typer.echo(f"{table} is not used: {path} was taught by the images alone", err=True)
        if predicted is None:
            predicted = taught.predict(object_ids, given, coverage)
        else:
            predicted.update(taught.columns(given, coverage))
            predicted.meta["target"] += f", {taught.target}"
    if predicted is not None:
        typer.echo(f"{counted(len(predicted), 'galaxy')} written to {write_table(predicted, output)}")


def _with_columns(
    object_ids: np.ndarray, matrix: np.ndarray, table: Path, names: tuple[str, ...]
) -> np.ndarray:
    """Put columns after the embeddings, and say how many galaxies lack them."""
    values = read_inputs(table, names, object_ids)
    lacking = int((~np.isfinite(values).all(axis=1)).sum())
    if lacking:
        typer.echo(
            f"{lacking:,} of {len(object_ids):,} galaxies have no {' or '.join(names)} in {table}: nothing "
            "can be learned from them or said of them",
            err=True,
        )
    return beside(matrix, values)
