"""Verbs that teach a class or a quantity: train, predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.search import provenance
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue_zoobot.analysis.teaching import Lesson
    from glue_zoobot.analysis.teaching_votes import VoteLesson

HeadPath = Annotated[Path, typer.Option("--head", help="A head that `glue-zoobot train` has made.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(train)
    app.command()(predict)


def train(
    store: options.Store,
    labels: Annotated[Path, typer.Option(help="A table with an id column, or a log of labels (.jsonl).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new head.")],
    target: Annotated[
        str,
        typer.Option(help="The column with classes or numbers, or the log's target.", show_default="none"),
    ] = "",
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
    kind: Annotated[
        str | None, typer.Option(help="classes or number; by default as the labels look.")
    ] = None,
    random_state: Annotated[int, typer.Option(help="Same seed, same head.")] = 0,
) -> None:
    """
    Teach a class, a quantity, or the votes of volunteers from a few labels, in seconds.

    For example: glue-zoobot train STORE --labels rings.csv --target ring -o ring.head
    """
    from glue_zoobot.analysis.teaching import read_labels, teach
    from glue_zoobot.analysis.teaching_votes import read_votes, teach_votes
    from glue_zoobot.embedding import EmbeddingStore

    if bool(votes) == bool(target):
        raise AnalysisError("say what to teach: either --target COLUMN, or --votes QUESTION (once or more)")
    opened = EmbeddingStore.open(store)
    object_ids, matrix = opened.load()
    given = (object_ids, matrix)
    lesson: Lesson | VoteLesson
    if votes:
        known = read_votes(labels, votes, total or ())
        lesson = teach_votes("votes", *given, known, provenance(opened), random_state)
    else:
        lesson = teach(target, *given, read_labels(labels, target), provenance(opened), kind, random_state)
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
) -> None:
    """
    Predict a taught class or quantity for every galaxy.

    A yes-or-no target T gives T_prob; classes give T, T_prob_CLASS and T_set; a number gives T, T_lo, T_hi;
    votes give Q_A_fraction, Q_A_lo, Q_A_hi for each answer A of a question Q; all give T_unlike, which marks
    galaxies unlike anything that was labelled.
    """
    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    taught, opened = Head.load(head), EmbeddingStore.open(store)
    taught.check_encoder(provenance(opened))
    table = taught.predict(*opened.load(), coverage)
    typer.echo(f"{len(table):,} galaxies written to {write_table(table, output)}")
