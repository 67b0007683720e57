"""Verbs of ``glue-zoobot bench``: the package's own protocols on a user's labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.photoz import photoz
from glue_zoobot.cli.ranking import row_of
from glue_zoobot.cli.truth import read_table, rows_in
from glue_zoobot.embedding.provenance import provenance
from glue_zoobot.errors import AnalysisError, ZoobotError
from glue_zoobot.training.defaults import FINETUNE_EPOCHS, PATIENCE

if TYPE_CHECKING:
    from glue_zoobot.analysis.fewlabels import Score
    from glue_zoobot.images import SourceSpec


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    benches = typer.Typer(help="Reproduce a benchmark on your own labels.", no_args_is_help=True)
    benches.command()(interest)
    benches.command()(fewlabels)
    benches.command()(photoz)
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
    rows = rows_in(table, labels, object_ids)
    ratings = np.where(rows >= 0, np.asarray(ratings_of_truth(table[truth], value or ()))[rows], np.nan)
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


@options.with_images
def fewlabels(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="Images, as `embed` takes them; or a folder of embeddings, to compare frozen heads only.",
        ),
    ],
    target: options.Target,
    labels: Annotated[str, typer.Option("--labels", help="Numbers of labels, with commas.")] = (
        "10,20,50,100,200,500,1000"
    ),
    truth: Annotated[
        Path | None,
        typer.Option(
            help="A table with an id column, or a log of labels (.jsonl).", show_default="the table of SOURCE"
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="May be given again: all are compared frozen, the first is fine-tuned.", show_default="mini"
        ),
    ] = None,
    methods: Annotated[
        str, typer.Option(help="Of frozen, fine-tuned, grouped and scratch, with commas.")
    ] = "frozen,fine-tuned,grouped,scratch",
    kind: Annotated[
        str | None, typer.Option(help="classes or number; by default as the labels look.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each number of labels.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Of each fine-tuning, at most.")] = FINETUNE_EPOCHS,
    patience: Annotated[int, typer.Option(help="Epochs without gain on galaxies held out.")] = PATIENCE,
    learning_rate: Annotated[float, typer.Option(help="Of fine-tuning; highest rate of AdamW.")] = 1e-3,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Table of all measurements; the record beside it (.jsonl) lets a stopped run go on.",
            show_default="fewlabels-TARGET.csv",
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Figure against the number of labels, .png or .pdf.")
    ] = None,
    device: options.Device = "auto",
    *,
    images: options.Images,
) -> None:
    """
    Compare ways to learn from few labels, on the same galaxies held out by their id.

    Stopped or killed, it goes on when run again.

    For example: glue-zoobot bench fewlabels galaxies.csv --target ring --labels 20,100,500 --figure ring.png
    """
    from glue_zoobot.analysis.fewlabels import difference_table, draw, scores_table, text_table
    from glue_zoobot.tables import check_suffix, write_table

    output = options.ready_file(output or Path(f"fewlabels-{target}.csv"))
    check_suffix(output)
    counts = _numbers(labels)
    stored = _store_of(source)
    if stored is not None:
        scores, meta = _frozen_heads(stored, truth, target, kind, counts, seeds)
        baseline = "auto"
    else:
        spec = images(source)
        encoders, ways = encoder or ["mini"], [word.strip() for word in methods.split(",")]
        rates = {"epochs": epochs, "patience": patience, "learning_rate": learning_rate}
        scores = _contest(spec, truth, target, kind, encoders, ways, counts, seeds, rates, device, output)
        baseline, meta = scores[0].head, {"encoder": ", ".join(encoders)}
    typer.echo(text_table(scores))
    if len({score.head for score in scores}) > 1:
        typer.echo("\n" + difference_table(scores, baseline))
    typer.echo(
        f"\nAll measurements in {write_table(scores_table(scores, {'target': target, **meta}), output)}"
    )
    if figure is not None:
        draw(scores, figure, target)


def _store_of(source: Path) -> Path | None:
    """Folder of embeddings that SOURCE is, or None if it is images."""
    return source if (source / "manifest.json").is_file() else None


def _frozen_heads(
    store: Path, truth: Path | None, target: str, kind: str | None, counts: list[int], seeds: int
) -> tuple[list[Score], dict[str, str]]:
    """Compare the parts of the automatic head on stored embeddings."""
    from glue_zoobot.analysis.fewlabels import compare_heads
    from glue_zoobot.analysis.teaching import labelled_rows, read_labels
    from glue_zoobot.embedding import EmbeddingStore

    if truth is None:
        raise AnalysisError("embeddings have no labels: name the table that has them with --truth")
    typer.echo("Embeddings without images: only frozen heads are compared", err=True)
    opened = EmbeddingStore.open(store)
    object_ids, matrix = opened.load()
    known = labelled_rows(object_ids, read_labels(truth, target), kind)
    names, X = _names(object_ids[known.rows], truth), matrix[known.rows]
    scores = compare_heads(
        *(names, X, known.values, known.kind, matrix, counts, range(seeds)),
        tell=lambda text: typer.echo(text, err=True),
    )
    return scores, provenance(opened)


def _contest(
    spec: SourceSpec,
    truth: Path | None,
    target: str,
    kind: str | None,
    encoders: list[str],
    methods: list[str],
    counts: list[int],
    seeds: int,
    rates: dict[str, Any],
    device: str,
    output: Path,
) -> list[Score]:
    """Compare ways to learn from images; ends the command if it is stopped."""
    from glue_zoobot.analysis.teaching import labelled_rows, read_labels
    from glue_zoobot.cli.training import CANCELLED, stop_on_signal
    from glue_zoobot.images import open_catalogue
    from glue_zoobot.training.fewlabels import Contest
    from glue_zoobot.training.recipes import FinetuneRecipe

    catalogue, table = open_catalogue(spec), truth or _table_with(target, Path(spec.path))
    object_ids = catalogue.source.object_ids.copy()
    object_ids[[row for rows in catalogue.duplicates.values() for row in rows]] = ""  # the first row counts
    known = labelled_rows(object_ids, read_labels(table, target), kind)
    names, recipe = _names(object_ids[known.rows], table), FinetuneRecipe(**rates)
    say = lambda text: typer.echo(text, err=True)  # noqa: E731
    with stop_on_signal() as stop:
        given = (catalogue, known, names, target, encoders, methods, counts, range(seeds), recipe, device)
        scores = Contest(*given, say, stop.is_set).run(output.with_suffix(".jsonl"))
    if scores is None:
        say("Stopped; run the same command again to go on")
        raise typer.Exit(CANCELLED)
    return scores


def _table_with(target: str, source: Path) -> Path:
    """Return the table of a source, or the one in its folder, that has the target as a column."""
    from glue_zoobot.images.tables import read_table, tables_in

    if source.is_file():
        return source
    having = [table for table in tables_in(source) if target in read_table(table).colnames]
    if len(having) != 1:
        many = f"{len(having)} tables in {source} have" if having else f"No table in {source} has"
        raise AnalysisError(f"{many} a column {target!r}; name the table of labels with --truth")
    return having[0]


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
