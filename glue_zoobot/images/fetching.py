"""
Pictures of the galaxies of a table, from a cutout service to a folder that opens like any other.

``images/`` holds one file per address, written whole or not at all; ``fetched.jsonl`` one line per file with
the hash of its content. Stopped at any time, the same again goes on: what is there and whole is not asked
for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images.decode import broken_because, require_signal
from glue_zoobot.images.fetched import Folder
from glue_zoobot.images.files import read_bytes
from glue_zoobot.images.frames import Frames, frames_of
from glue_zoobot.images.identity import Identity, identify
from glue_zoobot.images.positions import Positions, positions_of
from glue_zoobot.images.services import Client, Never, NotNow, address, host_of, template_of
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import read_table

TABLE = "galaxies.parquet"
COLUMN = "file_loc"
_IN_A_ROW = 5  # galaxies for which a service fails, until it is taken to be down


@dataclass(frozen=True)
class Request:
    """
    What is to be fetched; nothing has been asked yet.

    Attributes
    ----------
    table : astropy.table.Table
        N galaxies.
    identity, positions, frames
        Of these.
    template : str
        Address of the service.
    pixels : int
        Side of the pictures.
    """

    table: Table
    identity: Identity
    positions: Positions
    frames: Frames
    template: str
    pixels: int

    def wanted(self) -> np.ndarray:
        """Rows with a position and a size, int (M,)."""
        return np.flatnonzero(self.positions.known & np.isfinite(self.frames.arcsec))

    def text(self, rate: float, there: int = 0) -> str:
        """What will be sent to whom, before it is."""
        count = len(self.wanted()) - there
        minutes = count / rate / 60
        time = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
        host = host_of(self.template)
        lines = [
            f"{count:,} positions ({self.positions.origin}) will be sent to {host}, {rate:g} a second at "
            f"most: {time} or more. Nothing else is sent.",
            f"Pictures of {self.frames.text}, {self.pixels} x {self.pixels} pixels.",
            *self.positions.notes,
        ]
        return "\n".join(lines)


@dataclass
class Outcome:
    """How it went: rows to reasons."""

    fetched: int = 0
    kept: int = 0
    missing: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


def request(spec: SourceSpec, service: str, pixels: int = 256) -> Request:
    """
    Work out what is to be asked of a service.

    Parameters
    ----------
    spec : SourceSpec
        The table, with `size` or `size_column`.
    service : str
        See `glue_zoobot.images.services.template_of`.
    pixels : int
        Side of the pictures.

    Raises
    ------
    CatalogueError
        No positions, no size, no such service.
    """
    path = Path(spec.path).expanduser()
    if not path.is_file():
        raise CatalogueError(f"there is no table {path}; give one with the positions of the galaxies")
    if not 16 <= pixels <= 2048:
        raise CatalogueError(f"--pixels {pixels}: give 16 to 2048")
    template = template_of(service)
    table = read_table(path, (spec.id_column or "",))
    positions, frames = positions_of(table, spec.position), frames_of(spec, table)
    return Request(table, identify(table, spec.id_column), positions, frames, template, pixels)


def fetch(
    what: Request,
    folder: Folder,
    client: Client,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """
    Fetch the pictures that are not there yet, and write the table that names them.

    Parameters
    ----------
    what : Request
        See `request`.
    folder : Folder
        Where they go.
    client : Client
        How they are asked for.
    progress : callable
        Called with the number of rows done, at first those that are there, and in all.
    cancelled : callable
        Whether to stop after this one.

    Returns
    -------
    Outcome

    Raises
    ------
    CatalogueError
        The service fails for several galaxies in a row, or asks to wait for long; what was fetched stays.
    """
    urls = {row: _address(what, row) for row in what.wanted().tolist()}
    # All of them first: the table names what is there, also if this run ends early.
    outcome, files = _left_by_earlier_runs(urls, folder, len(what.table))
    asked = [row for row in urls if not files[row] and row not in outcome.missing]
    done, in_a_row, down = len(urls) - len(asked), 0, ""
    if done:
        progress(done, len(urls))
    for row in asked:
        if cancelled() or down:
            break
        try:
            files[row] = folder.keep(urls[row], client.get(urls[row], _picture))
            outcome.fetched, in_a_row = outcome.fetched + 1, 0
        except Never as error:
            outcome.missing[row] = str(error)
            folder.note_missing(urls[row], str(error))
        except NotNow as error:
            outcome.failed[row] = str(error)
            in_a_row += 1
            down = _down(error, in_a_row)
        done += 1
        progress(done, len(urls))
    _write(what, folder.path, files, {**outcome.missing, **outcome.failed})
    if down:
        there = outcome.fetched + outcome.kept
        raise CatalogueError(
            f"{host_of(what.template)} {down}. {there:,} of {len(urls):,} pictures are in "
            f"{folder.path}; run the same later, and it goes on"
        )
    return outcome


def _left_by_earlier_runs(urls: dict[int, str], folder: Folder, n_rows: int) -> tuple[Outcome, list[str]]:
    """Count what need not be asked for again, and name the pictures of all rows, "" where there is none."""
    outcome, files = Outcome(), [""] * n_rows
    for row, url in urls.items():
        files[row] = folder.find(url) or ""
        reason = folder.missing(url)
        if files[row]:
            outcome.kept += 1
        elif reason is not None:
            outcome.missing[row] = reason
    return outcome, files


def _address(what: Request, row: int) -> str:
    arcsec = float(what.frames.arcsec[row])
    return address(what.template, what.positions.ra[row], what.positions.dec[row], arcsec, what.pixels)


def count_there(what: Request, folder: Folder) -> int:
    """Number of galaxies that need not be asked for."""
    urls = (_address(what, row) for row in what.wanted().tolist())
    return sum(folder.find(url) is not None or folder.missing(url) is not None for url in urls)


def _down(error: NotNow, in_a_row: int) -> str:
    if error.wait is not None and error.wait > 600:
        return f"asks to wait for {error.wait / 60:,.0f} minutes"
    return f"failed for {in_a_row} galaxies in a row ({error})" if in_a_row >= _IN_A_ROW else ""


def _picture(data: bytes) -> bytes:
    """Take an answer only if it is a picture with something on it; its content says, not its name."""
    name = "a.fits" if data.startswith(b"SIMPLE") else "a.jpg"
    try:
        with broken_because(""):
            picture = read_bytes(data, name).pixels
    except ImageError as error:
        raise NotNow(f"no picture: {error.reason}") from error
    try:
        with broken_because(""):
            require_signal(picture)
    except ImageError as error:
        raise Never("an empty picture: the survey does not reach there") from error
    return data


def _write(what: Request, folder: Path, files: list[str], reasons: dict[int, str]) -> None:
    """Write the table of the galaxies: where each picture is, or why there is none."""
    from glue_zoobot.tables import write_table

    table: Any = what.table.copy()
    if COLUMN in table.colnames:
        table.rename_column(COLUMN, f"{COLUMN}_in_table")
    if "object_id" not in table.colnames:
        table.add_column(what.identity.object_ids.astype(str), name="object_id", index=0)
    table[COLUMN] = [file or "images/not fetched.jpg" for file in files]
    table["cutout_note"] = [reasons.get(row, "" if file else "not fetched") for row, file in enumerate(files)]
    table.meta = {"cutouts": what.template, "frame": what.frames.text, "pixels": what.pixels}
    write_table(table, folder / TABLE)
