"""The verb that looks before the work: what is installed, and which images can be read."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.errors import CatalogueError

if TYPE_CHECKING:
    from glue_zoobot.images import Survey

_LISTED = 10


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    app.command()(check)


@options.with_images
def check(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="SOURCE", help="Galaxy images, as for `open`.", show_default="installation"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--list", help="Every image that is broken or incomplete.")
    ] = False,
    *,
    images: options.Images,
) -> None:
    """
    Say what works and what is missing; with SOURCE, read every image and say which are broken and why.

    Example: glue-zoobot check galaxies.csv
    """
    if source is None:
        _check_installation()
        return
    from glue_zoobot.images import open_catalogue, survey

    catalogue = open_catalogue(images(source))
    typer.echo("Reading every image …")
    found = survey(catalogue.source)
    typer.echo(catalogue.summary(len(found.broken)))
    for title, of_row in _findings(found).items():
        if of_row:
            typer.echo(f"{len(of_row):,} {title}:")
            _list(catalogue.source.object_ids, of_row, len(of_row) if everything else _LISTED)
    if not found.readable:
        raise CatalogueError(f"{source}: no image could be read; the reasons are above")


def _findings(found: Survey) -> dict[str, dict[int, str]]:
    """Say what there is to complain of, and of which row."""
    return {
        "broken": found.broken,
        "drawn without bands that have no signal": {
            row: f"band {', '.join(names)}" for row, names in found.dead_bands.items()
        },
        "with pixels that are no numbers, shown as sky": {
            row: f"{count:,} pixels" for row, count in found.nan_counts.items()
        },
        "that reach beyond the mosaic, filled with sky": {
            row: f"{share:.0%} of the frame" for row, share in found.outside.items()
        },
    }


def _list(object_ids: np.ndarray, of_row: dict[int, str], most: int) -> None:
    for row, text in islice(of_row.items(), most):
        typer.echo(f"  {object_ids[row]}: {text}")
    if len(of_row) > most:
        typer.echo(f"  … and {len(of_row) - most:,} more; --list shows all")


def _check_installation() -> None:
    from glue_zoobot.installation import check_installation

    problems = 0
    for finding in check_installation():
        mark = "ok     " if finding.ok else "MISSING" if finding.required else "-      "
        typer.echo(f"{mark}  {finding.what}: {finding.detail}")
        problems += not finding.ok and finding.required
    if problems:
        raise typer.Exit(1)
