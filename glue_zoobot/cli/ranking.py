"""Verbs that rank: anomalies, suggest, rate (logs of ratings), bench."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.search import provenance
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

    from glue_zoobot.analysis.labels import LabelLog
    from glue_zoobot.analysis.labels_reading import RatedRows
    from glue_zoobot.embedding import EmbeddingStore

Log = Annotated[Path, typer.Argument(metavar="LOG", help="A log of ratings.")]
Method = Annotated[str, typer.Option(help="default, logistic or gaussian_process.")]
Seed = Annotated[int, typer.Option(help="Same seed, same answer.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(anomalies)
    app.command()(suggest)
    logs = typer.Typer(
        help="Logs of ratings: merge, agree, import, export; and how many are left.", no_args_is_help=True
    )
    for verb in (merge, agree, export, audit, left):
        logs.command()(verb)
    logs.command("import")(import_)
    app.add_typer(logs, name="rate")
    benches = typer.Typer(help="Reproduce a benchmark on your own labels.", no_args_is_help=True)
    benches.command()(interest)
    app.add_typer(benches, name="bench")


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
    table = anomaly_table(opened, object_ids, matrix, method, random_state)
    if ratings is not None:
        add_interest(table, object_ids, matrix, ratings, learner, random_state)
    best = "interest_score" if ratings is not None else "anomaly_score"
    if source is not None:
        _report_pictures(table, best, source, top)
    if columns is not None:
        _report_columns(table, best, columns, top)
    table.meta["methods"] = methods_paragraph(table.meta)
    table.sort(best.replace("score", "rank"))
    typer.echo(f"{len(table):,} galaxies written to {write_table(table, output)}")
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

    rated = _rated(object_ids, ratings)
    model = InterestModel(learner, random_state=random_state).fit(matrix, rated.rows, rated.values)
    table["interest_score"] = model.scores_
    table["interest_rank"] = model.ranks().astype(np.int64)
    table.meta.update({"interest_method": DESCRIPTIONS[learner], **rated.facts()})


def _finite(object_ids: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out embeddings that are not finite: they have no rank."""
    finite = np.isfinite(matrix @ np.zeros(matrix.shape[1], dtype=matrix.dtype))
    return (object_ids, matrix) if finite.all() else (object_ids[finite], matrix[finite])


def _rated(object_ids: np.ndarray, path: Path) -> RatedRows:
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


def _report_columns(table: Table, best: str, columns: Path, top: int) -> None:
    from glue_zoobot.analysis.explain import correlates

    values = _columns_of(columns, table["object_id"])
    found = correlates(np.asarray(table[best]), values, top)
    for row in found[:5]:
        typer.echo(
            f"{row['column']}: top {row['top_median']:.4g}, rest {row['rest_median']:.4g} (medians), "
            f"KS distance {row['ks']:.2f}, p = {row['p_value']:.1g}, correlation {row['correlation']:+.2f}"
        )


def _columns_of(path: Path, object_ids: np.ndarray) -> dict[str, np.ndarray]:
    """Numeric columns of a table, in the order of `object_ids`, NaN where it lacks a galaxy."""
    table = read_table(path)
    where = {name: row for row, name in enumerate(table["object_id"])}
    rows = np.array([where.get(str(name), -1) for name in object_ids])
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


def read_table(path: Path) -> Table:
    """Read a CSV file as text, ids digit by digit, or any other table that astropy reads."""
    from astropy.table import Table

    try:
        if path.suffix.lower() == ".csv":
            table = Table.read(path, format="ascii.csv", converters={"*": [str]}, fill_values=[])
        else:
            table = Table.read(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: the table cannot be read ({error})") from error
    if "object_id" not in table.colnames:
        raise AnalysisError(f"{path}: there is no column object_id; it has {', '.join(table.colnames)}")
    for name in table.colnames:
        table[name] = [str(value) for value in table[name]]
    return table


def suggest(
    store: options.Store,
    output: options.Output,
    ratings: Annotated[
        Path | None, typer.Option(help="A log of ratings or a .csv; without it, where to begin.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 10,
    mode: Annotated[str, typer.Option(help="find: likely interesting; teach: undecided.")] = "find",
    method: Method = "default",
    example: Annotated[str | None, typer.Option(help="Begin with this galaxy and those like it.")] = None,
    random_state: Seed = 0,
) -> None:
    """Say what to rate next; the table has object_id, order and, with ratings, interest_score."""
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    opened = EmbeddingStore.open(store)
    table = suggestion_table(opened, ratings, n, mode, method, example, random_state)
    typer.echo(f"{len(table):,} galaxies written to {write_table(table, output)}")


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
        rows, scores = start(matrix, n, _row_of(object_ids, example), random_state), None
    else:
        rated = _rated(object_ids, ratings)
        model = InterestModel(method, mode, random_state).fit(matrix, rated.rows, rated.values)
        rows = model.suggest(n)
        scores = model.scores_[rows]
        meta.update({"method": method, **rated.facts()})
    columns = {"object_id": object_ids[rows].astype(str), "order": np.arange(1, len(rows) + 1)}
    if scores is not None:
        columns["interest_score"] = scores
    return Table(columns, meta=meta)


def _row_of(object_ids: np.ndarray, name: str | None) -> int | None:
    if name is None:
        return None
    found = np.flatnonzero(object_ids == name)
    if not found.size:
        raise AnalysisError(f"no embedding for {name}; see `glue-zoobot status --list`")
    return int(found[0])


def merge(
    first: Log,
    second: Log,
    output: Annotated[Path, typer.Option("-o", "--output", help="The merged log; may exist.")],
) -> None:
    """Merge two people's logs and say how well they agree."""
    from glue_zoobot.analysis.labels_exchange import merge as merge_logs

    merged, agreement = merge_logs(_opened(first), _opened(second), output)
    typer.echo(f"{len(merged.current()):,} galaxies rated in {output}; {agreement.text()}")


def agree(
    first: Log,
    second: Annotated[Path | None, typer.Argument(metavar="[LOG]", help="Another log.")] = None,
) -> None:
    """Compare two logs; or, of one log, each person's repeated ratings."""
    from glue_zoobot.analysis.labels_exchange import agreement, consistency

    log = _opened(first)
    if second is not None:
        typer.echo(agreement(log.current(), _opened(second).current()).text())
        return
    typer.echo(f"repeated: {consistency(log).text()}")
    for conflict in log.conflicts():
        typer.echo(f"{conflict.object_id}: " + ", ".join(f"{who} {value}" for who, value in conflict.ratings))


def export(log: Log, output: options.Output) -> None:
    """Write the ratings that stand: object_id, rating, who, when, n_ratings."""
    from glue_zoobot.analysis.labels_exchange import ratings_table
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    table = ratings_table(_opened(log))
    typer.echo(f"{len(table):,} ratings written to {write_table(table, output)}")


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .csv, such as Astronomaly's ml_scores.csv.")
    ],
    log: Annotated[Path, typer.Option("--log", help="The log that gains the ratings.")],
    who: Annotated[str, typer.Option(help="Whose ratings they are.")] = "imported",
    id_column: options.IdColumn = None,
    rating_column: Annotated[str | None, typer.Option(help="Column with the rating.")] = None,
) -> None:
    """Take ratings over into a log; doing it twice changes nothing."""
    from glue_zoobot.analysis.labels import LabelLog
    from glue_zoobot.analysis.labels_exchange import import_ratings

    entries = import_ratings(file, who, id_column, rating_column)
    new = LabelLog(log).extend(entries)
    typer.echo(f"{new:,} new ratings of {len(entries):,} in {file} added to {log}")


def audit(
    store: options.Store,
    ratings: Annotated[Path, typer.Option(help="A log of ratings or a .csv.")],
    output: options.Output,
    n: Annotated[int, typer.Option("-n", min=15, help="How many random picks.")] = 100,
    method: Method = "default",
    random_state: Seed = 0,
) -> None:
    """Pick galaxies at random from bands of the ranking; rate those with pick > 0, then ask `rate left`."""
    from glue_zoobot.analysis import InterestModel
    from glue_zoobot.analysis.remaining import plan_audit
    from glue_zoobot.analysis.remaining_table import audit_table
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    opened = EmbeddingStore.open(store)
    object_ids, matrix = opened.load()
    rated = _rated(object_ids, ratings)
    model = InterestModel(method, random_state=random_state).fit(matrix, rated.rows, rated.values)
    plan = plan_audit(model.scores_, rated.rows, n, random_state)
    table = audit_table(plan, object_ids)
    table.meta.update({"method": method, "random_state": str(random_state), **rated.facts()})
    table.meta.update(provenance(opened))
    typer.echo(f"{len(plan.rows)} picks of {len(table):,} unrated galaxies: {write_table(table, output)}")


def left(
    file: Annotated[Path, typer.Argument(metavar="AUDIT", help="What `rate audit` has written.")],
    ratings: Annotated[Path, typer.Option(help="The ratings, those of the picks included.")],
    wanted: Annotated[float, typer.Option(help="Share of all interesting galaxies that is enough.")] = 0.95,
    top: Annotated[list[int] | None, typer.Option(help="Purity and completeness of the top n.")] = None,
) -> None:
    """Estimate how many interesting galaxies are left, each with its 90 % interval."""
    from glue_zoobot.analysis.labels_reading import read_ratings
    from glue_zoobot.analysis.remaining_table import audit_of_table

    plan, interesting = audit_of_table(read_table(file), read_ratings(ratings))
    answer = plan.remaining(interesting)
    typer.echo(
        f"{answer.found:,} interesting galaxies found; {answer.left:,.0f} left "
        f"({answer.left_low:,.0f} to {answer.left_high:,.0f}); "
        f"complete to {answer.completeness:.0%} ({answer.completeness_low:.0%} to "
        f"{answer.completeness_high:.0%})"
    )
    for n in top or ():
        figures = plan.top(n, interesting)
        words = (f"{name} {mid:.0%} ({low:.0%} to {high:.0%})" for name, (mid, low, high) in figures.items())
        typer.echo(f"top {n:,} of those unrated before the audit: " + ", ".join(words))
    typer.echo(answer.hint(wanted))


def _opened(path: Path) -> LabelLog:
    from glue_zoobot.analysis.labels import LabelLog

    if not path.exists():
        raise AnalysisError(f"{path}: there is no such log of ratings")
    return LabelLog(path)


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
    row = _row_of(object_ids[known], example)
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
