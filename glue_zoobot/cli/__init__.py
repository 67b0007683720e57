"""
The verbs of ``glue-zoobot``: the same engine as in the window, from a terminal or a batch job.

Exit status: 0 done, 1 failed with a message, 2 bad usage, 130 cancelled.
Broken images do not fail a verb; they are counted and listed.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import glue_zoobot
from glue_zoobot.cli import (
    bench,
    checking,
    cluster,
    embeddings,
    fetching,
    logs,
    ranking,
    search,
    teaching,
    training,
    window,
)
from glue_zoobot.cli.report import print_error
from glue_zoobot.errors import ZoobotError

_UNFORESEEN = (
    "This was not foreseen. If the disk is full or a file was moved, mend that and run the same again; else "
    "please report it with what GLUE_ZOOBOT_DEBUG=1 shows."
)
app = typer.Typer(
    help="Look-alikes, rare objects and new classes among galaxy images, in linked glue views.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"glue-zoobot {glue_zoobot.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and stop.")
    ] = False,
) -> None:
    """Shared options."""


_VERBS = [window, checking, embeddings, fetching, cluster, search, ranking, logs, teaching, training, bench]
for module in _VERBS:
    module.add_to(app)


def main() -> None:
    """Run the verb named on the command line."""
    # Torch's threads otherwise spin while they wait, and on a busy machine take each other's time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except ZoobotError as error:
        print_error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if "GLUE_ZOOBOT_DEBUG" in os.environ:
            raise
        print_error(f"{type(error).__name__}: {error}\n{_UNFORESEEN}")
        sys.exit(1)
