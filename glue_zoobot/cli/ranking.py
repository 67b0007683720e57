"""Verbs that rank: anomalies, suggest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.truth import read_table, rows_in
from glue_zoobot.embedding.provenance import provenance
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from astropy.table import Table

    from glue_zoobot.analysis.labels_reading import RatedRows
    from glue_zoobot.embedding import EmbeddingStore

Method = Annotated[str, typer.Option(help="default, logistic or gaussian_process.")]
Seed = Annotated[int, typer.Option(help="Same seed, same answer.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(anomalies)
    app.command()(suggest)


def anomalies(
    store: options.Store,
    output: options.Output,
    method: Annotated[str, typer.Option(help="knn, isolation_forest, lof or pca.")] = "knn",
    ratings: Annotated[
        Path | None, typer.Option(help="Rank by interest as well, learned from these ratings.")
    ] = None,
    learner: Annotated[str, typer.Option(help="default, logistic or gaussian_process.")] = "default",
    source: Annotated[
        Path | None, typer.Option(help="Measure the pictures of the top here, and flag artefacts.")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(help="A table with object_id: say what of it the score goes along with.")
    ] = None,
    top: Annotated[int, typer.Option(min=20, help="How many make the top in these reports.")] = 100,
    random_state: Seed = 0,
) -> None:
    """Rank galaxies by strangeness, and by interest where there are ratings."""
    from glue_zoobot.analysis.explain import methods_paragraph
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    opened = EmbeddingStore.open(store)
    object_ids, matrix = _finite(*opened.load())
    values = _columns_of(columns, object_ids) if columns is not None else None
    table = anomaly_table(opened, object_ids, matrix, method, random_state)
    if ratings is not None:
        add_interest(table, object_ids, matrix, ratings, learner, random_state)
    best = "interest_score" if ratings is not None else "anomaly_score"
    if source is not None:
        _report_pictures(table, best, source, top)
    if values is not None:
        _report_columns(table, best, values, top)
    table.meta["methods"] = methods_paragraph(table.meta)
    table.sort(best.replace("score", "rank"))
    typer.echo(f"{counted(len(table), 'galaxy')} written to {write_table(table, output)}")
    typer.echo(table.meta["methods"])


def anomaly_table(
    opened: EmbeddingStore, object_ids: np.ndarray, matrix: np.ndarray, method: str, random_state: int
) -> Table:
    """
    Score a store without ratings.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``anomaly_score`` float32, ``anomaly_rank`` int from 1.
    """
    from astropy.table import Table

    from glue_zoobot.analysis.anomaly import DESCRIPTIONS, anomaly_ranks, anomaly_scores

    scores = anomaly_scores(matrix, method, random_state)
    meta = {"anomaly_method": DESCRIPTIONS[method], "random_state": str(random_state), **provenance(opened)}
    ranks = anomaly_ranks(scores).astype(np.int64)
    return Table(
        {"object_id": object_ids.astype(str), "anomaly_score": scores, "anomaly_rank": ranks}, meta=meta
    )


def add_interest(
    table: Table,
    object_ids: np.ndarray,
    matrix: np.ndarray,
    ratings: Path,
    learner: str,
    random_state: int,
) -> None:
    """Add ``interest_score`` (expected rating, 0 to 5), ``interest_rank`` and ``rating`` to a table."""
    from glue_zoobot.analysis import InterestModel
    from glue_zoobot.analysis.interest import DESCRIPTIONS

    rated = rated_rows(object_ids, ratings)
    model = InterestModel(learner, random_state=random_state).fit(matrix, rated.rows, rated.values)
    table["interest_score"] = model.scores_
    table["interest_rank"] = model.ranks().astype(np.int64)
    table.meta.update({"interest_method": DESCRIPTIONS[learner], **rated.facts()})


def _finite(object_ids: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out embeddings that are not finite: they have no rank."""
    finite = np.isfinite(matrix @ np.zeros(matrix.shape[1], dtype=matrix.dtype))
    return (object_ids, matrix) if finite.all() else (object_ids[finite], matrix[finite])


def rated_rows(object_ids: np.ndarray, path: Path) -> RatedRows:
    """Find the rows of rated galaxies, and say which ratings are not used."""
    from glue_zoobot.analysis.labels_reading import read_ratings, rows_of

    rated = rows_of(object_ids, read_ratings(path))
    if rated.unknown:
        typer.echo(
            f"{len(rated.unknown):,} rated galaxies have no embedding here ({rated.unknown[0]} …) "
            "and are not used",
            err=True,
        )
    return rated


def _report_pictures(table: Table, best: str, source: Path, top: int) -> None:
    """Flag artefacts among the top and as many random others, and say which flags fill the top."""
    from glue_zoobot.analysis.explain import flag_sentences
    from glue_zoobot.images import open_catalogue
    from glue_zoobot.images.quality import FLAGS, quality_table

    catalogue = open_catalogue(source)
    where = {str(name): row for row, name in enumerate(catalogue.source.object_ids)}
    order = np.argsort(-np.asarray(table[best]), kind="stable")
    others = np.random.default_rng(0).permutation(order[top:])[: 3 * top]
    wanted = [row for row in np.concatenate([order[:top], others]) if str(table["object_id"][row]) in where]
    measured = quality_table(catalogue.source, [where[str(table["object_id"][row])] for row in wanted])
    score = dict(zip(table["object_id"], table[best], strict=True))
    scores = np.array([score[name] for name in measured["object_id"]])
    flags = {flag: np.asarray(measured[flag]) for flag in FLAGS}
    sentences = flag_sentences(scores, flags, top) or ["No artefact flag is more common at the top."]
    typer.echo("\n".join(sentences))


def _report_columns(table: Table, best: str, values: dict[str, np.ndarray], top: int) -> None:
    from glue_zoobot.analysis.explain import correlates

    found = correlates(np.asarray(table[best]), values, top)
    if not len(found):
        typer.echo(
            f"No column has numbers for enough galaxies to compare; there are {', '.join(values) or 'none'}"
        )
    for row in found[:5]:
        typer.echo(
            f"{row['column']}: top {row['top_median']:.4g}, rest {row['rest_median']:.4g} (medians), "
            f"KS distance {row['ks']:.2f}, p = {row['p_value']:.1g}, correlation {row['correlation']:+.2f}"
        )


def _columns_of(path: Path, object_ids: np.ndarray) -> dict[str, np.ndarray]:
    """Numeric columns of a table, in the order of `object_ids`, NaN where it lacks a galaxy."""
    table = read_table(path)
    rows = rows_in(table, path, object_ids)
    columns = {}
    for name in table.colnames:
        numbers = _as_numbers(table[name])
        if name != "object_id" and numbers is not None:
            columns[name] = np.where(rows >= 0, numbers[rows], np.nan)
    return columns


def _as_numbers(column: np.ndarray) -> np.ndarray | None:
    try:
        return np.array([float(value) if value.strip() else np.nan for value in column])
    except ValueError:
        return None


def suggest(
    store: options.Store,
    output: options.Output,
    ratings: Annotated[
        Path | None, typer.Option(help="A log of ratings or a .csv; without it, where to begin.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels of a class or quantity instead: a table or a log (.jsonl).")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="With --labels: the column, or the log's target.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 10,
    mode: Annotated[
        str | None,
        typer.Option(
            help="Of ratings find (likely interesting, the default) or teach (undecided); of labels "
            "uncertain (the default), likely or unlike (anything labelled)."
        ),
    ] = None,
    method: Method = "default",
    example: Annotated[str | None, typer.Option(help="Begin with this galaxy and those like it.")] = None,
    random_state: Seed = 0,
) -> None:
    """
    Say what to rate or label next.

    The table has object_id, order and, with ratings, interest_score.
    """
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    if (labels is None) != (target is None) or (labels is not None and ratings is not None):
        raise AnalysisError("give either --ratings, or --labels together with --target")
    opened = EmbeddingStore.open(store)
    if labels is not None and target is not None:
        table = labelling_table(opened, labels, target, n, mode or "uncertain", random_state)
    else:
        table = suggestion_table(opened, ratings, n, mode or "find", method, example, random_state)
    if not len(table):
        typer.echo("every galaxy with an embedding is labelled or rated already: nothing is left to suggest")
    typer.echo(f"{counted(len(table), 'galaxy')} written to {write_table(table, output)}")


def suggestion_table(
    opened: EmbeddingStore,
    ratings: Path | None,
    n: int,
    mode: str = "find",
    method: str = "default",
    example: str | None = None,
    random_state: int = 0,
) -> Table:
    """
    Choose what to rate next.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``order`` int from 1, ``interest_score`` float32 where there are ratings.

    Raises
    ------
    AnalysisError
        If the example has no embedding, or the ratings cannot be used.
    """
    from astropy.table import Table

    from glue_zoobot.analysis import InterestModel
    from glue_zoobot.analysis.interest import start

    object_ids, matrix = opened.load()
    meta = {"mode": mode, "random_state": str(random_state), **provenance(opened)}
    if ratings is None:
        rows, scores = start(matrix, n, row_of(object_ids, example), random_state), None
    else:
        rated = rated_rows(object_ids, ratings)
        model = InterestModel(method, mode, random_state).fit(matrix, rated.rows, rated.values)
        rows = model.suggest(n)
        scores = model.scores_[rows]
        meta.update({"method": method, **rated.facts()})
    columns = {"object_id": object_ids[rows].astype(str), "order": np.arange(1, len(rows) + 1)}
    if scores is not None:
        columns["interest_score"] = scores
    return Table(columns, meta=meta)


def labelling_table(
    opened: EmbeddingStore, labels: Path, target: str, n: int, mode: str, random_state: int = 0
) -> Table:
    """
    Choose what to label next.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``order`` int from 1.

    Raises
    ------
    AnalysisError
        If the labels do not suffice to teach the target, or there is no such mode.
    """
    from astropy.table import Table

    from glue_zoobot.analysis.teaching import next_to_label, read_labels, teach

    object_ids, matrix = opened.load()
    known = provenance(opened)
    lesson = teach(target, object_ids, matrix, read_labels(labels, target), known, None, random_state)
    rows = next_to_label(lesson.head, matrix, n, mode, lesson.labelled.rows)
    columns = {"object_id": object_ids[rows].astype(str), "order": np.arange(1, len(rows) + 1)}
    return Table(columns, meta={**lesson.head.provenance, "target": target, "mode": mode})


def row_of(object_ids: np.ndarray, name: str | None) -> int | None:
    """Find the row of a galaxy by its id; None for none."""
    if name is None:
        return None
    found = np.flatnonzero(object_ids == name)
    if not found.size:
        raise AnalysisError(f"no embedding for {name}; see `glue-zoobot status --list`")
    return int(found[0])
