"""The verb that gets pictures from a cutout service; the only one that sends positions anywhere."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from glue_zoobot.cli import options
from glue_zoobot.errors import CatalogueError

_CANCELLED = 130


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    app.command()(fetch)


def fetch(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Galaxies with positions.")],
    cutouts: Annotated[
        str,
        typer.Option(
            help="From: legacy, legacy-fits, sdss, panstarrs, hips:ID, or an address with {ra} and {dec}."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the pictures; made, or gone on with.")
    ],
    size: options.Size = None,
    size_column: options.SizeColumn = None,
    size_factor: options.SizeFactor = None,
    pixels: Annotated[int, typer.Option(help="Side of the pictures in pixels.")] = 256,
    position: Annotated[
        str | None,
        typer.Option(help='Columns of the positions: "RA,DEC".', show_default="found by its usual names"),
    ] = None,
    id_column: options.IdColumn = None,
    rate: Annotated[float, typer.Option(min=0.01, max=10, help="Requests per second, at most.")] = 1.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is sent.")] = False,
) -> None:
    """
    Get the pictures of galaxies from a cutout service, into a folder that opens like any other.

    Says which host is asked for how many positions before anything is sent. Stopped at any time, run again,
    it goes on where it was.

    Example: glue-zoobot fetch galaxies.csv --cutouts legacy --size 30arcsec -o cutouts
    """
    from glue_zoobot.images import SourceSpec
    from glue_zoobot.images.fetched import Folder
    from glue_zoobot.images.fetching import count_there, request
    from glue_zoobot.images.fetching import fetch as get
    from glue_zoobot.images.services import Client

    spec = SourceSpec(
        str(table), id_column, size=size, size_column=size_column, size_factor=size_factor, position=position
    )
    what, folder = request(spec, cutouts, pixels), Folder(output)
    there = count_there(what, folder)
    if there:
        typer.echo(f"{there:,} of them are done already")
    if there < len(what.wanted()):
        typer.echo(what.text(rate, there))
        _require_consent(yes)
    options.ready_folder(output)
    stop = _stop_on_signal()
    with typer.progressbar(length=len(what.wanted()), label="Fetching") as bar:
        client = Client(rate, sleep=stop.wait)
        outcome = get(what, folder, client, lambda done, _: bar.update(done - bar.pos), stop.is_set)
    for title, of_row in (("have no picture there", outcome.missing), ("failed", outcome.failed)):
        if of_row:
            row, reason = next(iter(of_row.items()))
            typer.echo(f"{len(of_row):,} {title}, such as {what.identity.object_ids[row]}: {reason}")
    typer.echo(f"{outcome.fetched + outcome.kept:,} pictures in {output}")
    if stop.is_set():
        typer.echo("Stopped; run the same again to go on")
        raise typer.Exit(_CANCELLED)
    if not outcome.fetched + outcome.kept:
        raise CatalogueError(
            f"not one picture came from {cutouts}; check positions and service, then run the same again"
        )
    typer.echo(f"Open them with: glue-zoobot open {output}")


def _require_consent(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise CatalogueError("nothing was sent: without a terminal to ask at, --yes says that it may be")
    typer.confirm("Go on?", abort=True)


def _stop_on_signal() -> threading.Event:
    """Finish the picture that is being fetched, then stop."""
    stop = threading.Event()

    def react(number: int, frame: FrameType | None) -> None:
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, react)
    return stop
