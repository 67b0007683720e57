"""Verbs of ``glue-zoobot bench``: the package's own protocols on a user's labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.ranking import row_of
from glue_zoobot.cli.truth import read_table
from glue_zoobot.embedding.provenance import provenance
from glue_zoobot.errors import AnalysisError, ZoobotError


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    benches = typer.Typer(help="Reproduce a benchmark on your own labels.", no_args_is_help=True)
    benches.command()(interest)
    benches.command()(fewlabels)
    app.add_typer(benches, name="bench")


def interest(
    store: options.Store,
    labels: Annotated[Path, typer.Option(help="A table with object_id and the truth.")],
    truth: Annotated[str, typer.Option(help="Column: yes/no, a vote fraction, ratings 0-5, or classes.")],
    value: Annotated[
        list[str] | None, typer.Option(help="A class that is interesting; may be given again.")
    ] = None,
    example: Annotated[str | None, typer.Option(help="Begin each run with this galaxy.")] = None,
    start: Annotated[
        str, typer.Option(help="example (a random interesting one), spread or random.")
    ] = "example",
    seeds: Annotated[int, typer.Option(min=1, help="Simulated users.")] = 10,
    first_seed: Annotated[int, typer.Option(help="Seed of the first.")] = 0,
    method: Annotated[list[str] | None, typer.Option(help="Only these methods; may be given again.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Table of all runs.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Figure of found against rated, .png or .pdf.")] = None,
) -> None:
    """Let simulated users rate what each method shows, and report what they find."""
    from glue_zoobot.analysis.protocol import ratings_of_truth
    from glue_zoobot.analysis.protocol_report import compare, draw, runs_table, text_table
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    if output is not None:
        check_suffix(output)
    opened = EmbeddingStore.open(store)
    object_ids, matrix = opened.load()
    table = read_table(labels)
    if truth not in table.colnames:
        raise AnalysisError(f"{labels}: there is no column {truth}; it has {', '.join(table.colnames)}")
    of_id = dict(zip(table["object_id"], ratings_of_truth(table[truth], value or ()), strict=True))
    ratings = np.array([of_id.get(str(name), np.nan) for name in object_ids])
    known = np.flatnonzero(np.isfinite(ratings))
    row = row_of(object_ids[known], example)
    results = compare(
        np.ascontiguousarray(matrix[known]),
        ratings[known],
        methods=method,
        start="example" if example else start,
        example=row,
        seeds=range(first_seed, first_seed + seeds),
        tell=lambda text: typer.echo(text, err=True),
    )
    typer.echo(text_table(results, int((ratings[known] >= 3).sum()), len(known)))
    if output is not None:
        write_table(runs_table(results, provenance(opened)), output)
    if figure is not None:
        draw(results, figure)


def fewlabels(
    store: options.Store,
    labels: Annotated[Path, typer.Option(help="A table with an id column, or a log of labels (.jsonl).")],
    target: Annotated[str, typer.Option(help="The column with classes or numbers, or the log's target.")],
    counts: Annotated[str, typer.Option("--counts", help="Numbers of labels, with commas.")] = (
        "10,20,50,100,200,500,1000"
    ),
    kind: Annotated[
        str | None, typer.Option(help="classes or number; by default as the labels look.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each number of labels.")] = 5,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Table of all measurements.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Figure against the number of labels, .png or .pdf.")
    ] = None,
) -> None:
    """
    Measure how good heads are with few labels, on galaxies held out by their id.

    For example: glue-zoobot bench fewlabels STORE --labels rings.csv --target ring --figure rings.png
    """
    from glue_zoobot.analysis.fewlabels import compare_heads, draw, scores_table, text_table
    from glue_zoobot.analysis.teaching import labelled_rows, read_labels
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    if output is not None:
        check_suffix(output)
    opened = EmbeddingStore.open(store)
    object_ids, matrix = opened.load()
    known = labelled_rows(object_ids, read_labels(labels, target), kind)
    scores = compare_heads(
        _names(object_ids[known.rows], labels),
        matrix[known.rows],
        known.values,
        known.kind,
        matrix,
        counts=_numbers(counts),
        seeds=range(seeds),
        tell=lambda text: typer.echo(text, err=True),
    )
    typer.echo(text_table(scores))
    if output is not None:
        write_table(scores_table(scores, {"target": target, **provenance(opened)}), output)
    if figure is not None:
        draw(scores, figure, target)


def _names(object_ids: np.ndarray, labels: Path) -> np.ndarray:
    """Names by which galaxies are held out: the id, the same one for entries at one place on the sky."""
    from glue_zoobot.analysis.fewlabels import one_name_each
    from glue_zoobot.analysis.teaching import read_labels

    if labels.suffix.lower() == ".jsonl":
        return object_ids
    try:
        places = [read_labels(labels, name) for name in ("ra", "dec")]
    except ZoobotError:  # no positions: then only the id tells galaxies apart
        return object_ids
    ra, dec = (np.array([float(place.get(str(name), "nan")) for name in object_ids]) for place in places)
    return one_name_each(object_ids, ra, dec)


def _numbers(text: str) -> list[int]:
    try:
        numbers = sorted({int(word) for word in text.split(",")})
    except ValueError as error:
        raise AnalysisError(f"{text!r} are no numbers of labels; write them as 10,20,50") from error
    if numbers[0] < 2:
        raise AnalysisError("nothing can be taught by fewer than two labels; write them as 10,20,50")
    return numbers
