"""Verbs of ``glue-zoobot rate``: logs of ratings, and how many interesting galaxies are left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.ranking import Method, Seed, rated_rows
from glue_zoobot.cli.truth import read_table
from glue_zoobot.embedding.provenance import provenance
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.analysis.labels import LabelLog

Log = Annotated[Path, typer.Argument(metavar="LOG", help="A log of ratings.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    logs = typer.Typer(
        help="Logs of ratings: merge, agree, import, export; and how many are left.", no_args_is_help=True
    )
    for verb in (merge, agree, export, audit, left):
        logs.command()(verb)
    logs.command("import")(import_)
    app.add_typer(logs, name="rate")


def merge(
    first: Log,
    second: Log,
    output: Annotated[Path, typer.Option("-o", "--output", help="The merged log; may exist.")],
) -> None:
    """Merge two people's logs and say how well they agree."""
    from glue_zoobot.analysis.labels_exchange import merge as merge_logs

    merged, agreement = merge_logs(_opened(first), _opened(second), output)
    typer.echo(f"{counted(len(merged.current()), 'galaxy')} rated in {output}; {agreement.text()}")


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
    typer.echo(f"repeated: {consistency(log.standing()).text()}")
    for conflict in log.conflicts():
        typer.echo(f"{conflict.object_id}: " + ", ".join(f"{who} {value}" for who, value in conflict.ratings))


def export(log: Log, output: options.Output) -> None:
    """Write the ratings that stand: object_id, rating, who, when, n_ratings."""
    from glue_zoobot.analysis.labels_exchange import ratings_table
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    table = ratings_table(_opened(log))
    typer.echo(f"{counted(len(table), 'rating')} written to {write_table(table, output)}")


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
    rated = rated_rows(object_ids, ratings)
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
