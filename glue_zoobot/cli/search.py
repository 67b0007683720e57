"""Verbs that ask something of stored embeddings: similar, map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.embedding.provenance import provenance
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from astropy.table import Table

    from glue_zoobot.embedding import EmbeddingStore


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(similar)
    app.command("map")(make_map)


def similar(
    store: options.Store,
    to: Annotated[list[str], typer.Option(help="A galaxy the answer should be like; may be given again.")],
    output: options.Output,
    unlike: Annotated[
        list[str] | None, typer.Option(help="A galaxy the answer should be unlike; may be given again.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many look-alikes.")] = 100,
    metric: Annotated[str, typer.Option(help="How likeness is measured: cosine or euclidean.")] = "cosine",
    disk: Annotated[
        str | None,
        typer.Option(
            help="Search from the disk: exact, or two-stage (faster, approximate).",
            show_default="two-stage where the embeddings do not fit in memory",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(help="Where it is searched: auto (a GPU, for a gigabyte and more), cpu, cuda, cuda:1."),
    ] = "auto",
) -> None:
    """
    Find the galaxies that look most like the given ones.

    The table has object_id, rank (from 1) and similarity, best first; the galaxies given are not in it.

    Example: glue-zoobot similar embeddings --to 587739167310807244 -k 50 -o lookalikes.csv
    """
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    opened = EmbeddingStore.open(store)
    table = similar_table(opened, to, unlike or [], k, metric, disk, device)
    if "recall" in table.meta:
        typer.echo(f"Searched from the disk ({table.meta['method']}, recall {table.meta['recall']})")
    if "note" in table.meta:
        typer.echo(f"Note: {table.meta.pop('note')}", err=True)
    if len(table) < k:
        typer.echo(f"Fewer than the {k:,} asked for: there are no more beside those given", err=True)
    typer.echo(f"{counted(len(table), 'galaxy')} written to {write_table(table, output)}")


def similar_table(
    opened: EmbeddingStore,
    to: list[str],
    unlike: list[str],
    k: int,
    metric: str = "cosine",
    disk: str | None = None,
    device: str = "auto",
) -> Table:
    """
    Answer a similarity question as a table; ``disk`` is the method of a search from the disk, if it is to be.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``rank`` int from 1, ``similarity`` float32; best first.

    Raises
    ------
    AnalysisError
        If a galaxy of the question has no embedding.
    """
    from astropy.table import Table

    both = sorted(set(to) & set(unlike))
    if both:
        raise AnalysisError(f"{', '.join(both)} is wanted both like and unlike; take it out of one of them")

    from glue_zoobot.analysis import SimilaritySearch
    from glue_zoobot.analysis.disk_search import DiskSearch, fits_memory, packed_search

    about: dict[str, str] = {}
    search: SimilaritySearch | DiskSearch
    if disk is not None or not fits_memory(opened):
        search = packed_search(opened, metric, disk or "two-stage", device)
        rows, scores = search.query(search.rows_of(to), search.rows_of(unlike), k)
        names = search.ids_of(rows)
        about = {"method": disk or "two-stage", "recall": f"{search.measured_recall_:.3f}"}
    else:
        object_ids, matrix = opened.load()
        search = SimilaritySearch(matrix, metric=metric, device=device)
        rows, scores = search.query(like=_rows(object_ids, to), unlike=_rows(object_ids, unlike), k=k)
        names = object_ids[rows]
    if search.note:
        about["note"] = search.note
    return Table(
        {
            "object_id": names.astype(str),
            "rank": np.arange(1, len(rows) + 1),
            "similarity": scores,
        },
        meta={
            "like": ", ".join(to),
            "unlike": ", ".join(unlike),
            "metric": metric,
            **about,
            **provenance(opened),
        },
    )


def _rows(object_ids: np.ndarray, wanted: list[str]) -> list[int]:
    where = {name: row for row, name in enumerate(object_ids)}
    missing = [name for name in wanted if name not in where]
    if missing:
        raise AnalysisError(
            f"no embedding for {', '.join(missing)}; check the id, and see `glue-zoobot status --list` for "
            "galaxies whose image is broken"
        )
    return [where[name] for name in wanted]


def make_map(
    store: options.Store,
    output: options.Output,
    method: Annotated[str, typer.Option(help="pca (fast) or umap (groups stand out).")] = "pca",
    random_state: Annotated[int, typer.Option(help="Same seed, same map.")] = 0,
) -> None:
    """
    Lay the galaxies out in two dimensions, look-alikes near each other.

    The table has object_id, map_x and map_y.

    Example: glue-zoobot map embeddings --method umap -o map.parquet
    """
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.tables import check_suffix, write_table

    check_suffix(output)
    table = map_table(EmbeddingStore.open(store), method, random_state)
    typer.echo(f"{len(table):,} positions written to {write_table(table, output)}")


def map_table(opened: EmbeddingStore, method: str, random_state: int = 0) -> Table:
    """
    Map of a store as a table.

    Returns
    -------
    astropy.table.Table
        ``object_id`` str, ``map_x`` and ``map_y`` float32.
    """
    from astropy.table import Table

    from glue_zoobot.analysis.maps import make_map as lay_out

    object_ids, matrix = opened.load()
    position, recipe = lay_out(matrix, method=method, random_state=random_state)
    return Table(
        {"object_id": object_ids.astype(str), "map_x": position[:, 0], "map_y": position[:, 1]},
        meta={**recipe, **provenance(opened)},
    )
