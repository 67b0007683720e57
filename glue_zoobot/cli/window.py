"""Verbs that end in glue's window, or in its picture where there is no display: demo, open."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.report import TerminalReport
from glue_zoobot.errors import CatalogueError

if TYPE_CHECKING:
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.encoders import EncoderSpec
    from glue_zoobot.images import Catalogue, SourceSpec

Headless = Annotated[bool, typer.Option("--headless", help="No window: leave a picture, session and tables.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(demo)
    app.command("open")(open_source)


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the sample, its embeddings and results.",
            show_default="in the user's cache folder",
        ),
    ] = None,
    headless: Headless = False,
) -> None:
    """
    Open 1,500 simulated galaxies, embedded and linked: the quickest way to see what this is.

    Takes a minute the first time, and needs no network.

    Example: glue-zoobot demo --headless --out demo
    """
    from glue_zoobot.folders import cache_folder
    from glue_zoobot.images.simulated import write_sample

    report = TerminalReport()
    folder = out or cache_folder() / "demo"
    options.ready_folder(folder)
    report.say(f"Drawing the sample in {folder}")
    source = write_sample(folder / "sample")
    spec = options.source_spec(source)
    _embed_and_show(spec, folder / "embeddings", "mini", "auto", folder, headless, _a_ring(source), report)


def _a_ring(sample: Path) -> str:
    """Choose the galaxy to begin with: of a kind that catches the eye, in the midst of its look-alikes."""
    from astropy.table import Table

    table = Table.read(sample)
    return str(table["object_id"][table["kind"] == "ring"][1])


@options.with_images
def open_source(
    source: options.Source,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Folder where the embeddings are or shall be.",
            show_default="SOURCE.embeddings/ENCODER; in the user's cache folder where that cannot be written",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="A name from `glue-zoobot encoders`, a hub or timm name, a folder or a file.",
            show_default="that of the store; mini for a new one",
        ),
    ] = None,
    device: options.Device = "auto",
    like: Annotated[
        str | None,
        typer.Option(help="Start with the look-alikes of this galaxy.", show_default="a typical one"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results, where no window is opened.")] = Path(
        "glue-zoobot-results"
    ),
    headless: Headless = False,
    *,
    images: options.Images,
) -> None:
    """
    Open galaxies in glue: catalogue, map, gallery and look-alikes, ready to click.

    Embeddings that are missing are computed first and kept, so that the second time is quick.

    Example: glue-zoobot open galaxies.csv --like 587739167310807244
    """
    from glue_zoobot.cli.embeddings import encoder_of
    from glue_zoobot.embedding import default_store

    spec = images(source)
    _embed_and_show(
        spec,
        store or default_store(source, _store_name(encoder or "mini", spec)),
        encoder or (encoder_of(store, "mini") if store else "mini"),
        device,
        out,
        headless,
        like,
        TerminalReport(),
    )


def _store_name(encoder: str, spec: SourceSpec) -> str:
    """Name a store after all that its embeddings depend on, so that another rendering gets its own."""
    extra = [spec.preset] if spec.preset != "auto" else []
    said = [spec.bands, spec.size, spec.size_column, spec.size_factor]
    extra += [re.sub(r"\W+", "-", str(text)).strip("-") for text in said if text]
    return "-".join([encoder, *extra])


def _embed_and_show(
    spec: SourceSpec,
    store_path: Path,
    encoder: EncoderSpec | str,
    device: str,
    out: Path,
    headless: bool,
    like: str | None,
    report: TerminalReport,
) -> None:
    from glue_zoobot.cli.embeddings import describe, embed_catalogue
    from glue_zoobot.images import open_catalogue

    headless = headless or not _has_display()
    _require_qt(headless)
    catalogue = open_catalogue(spec)
    if headless:
        options.ready_folder(out)
    report.found(catalogue)
    if like is not None and like not in catalogue.source.object_ids:
        raise CatalogueError(f"{spec.path} has no galaxy {like}: give one of its ids to --like")
    store = _larger_store(catalogue, store_path, encoder)
    if store is None:
        store = embed_catalogue(catalogue, store_path, encoder, device, report)
        report.finish("done")
    else:
        report.say(f"A part of the store {store_path}, which is used as it is")
    report.say(describe(store))
    report.say("Opening glue …")

    from glue_zoobot.catalog import attach_embeddings, load
    from glue_zoobot.qt.layout import open_in_glue

    data = load(spec)
    attach_embeddings(data, store.path)
    app = open_in_glue(data, like=like)
    if not _compared(data):
        report.say("One galaxy alone has no look-alikes, and makes no map; open it together with others.")
    if headless:
        _leave_results(app, data, store, out, report)
    else:
        app.start()


def _larger_store(catalogue: Catalogue, path: Path, encoder: EncoderSpec | str) -> EmbeddingStore | None:
    """Open the store if it is of more galaxies than these, and of all of them; else None."""
    from glue_zoobot.embedding import EmbeddingStore

    if not (path / "manifest.json").exists():
        return None
    store = EmbeddingStore.open(path)
    name = encoder if isinstance(encoder, str) else encoder.name
    if store.encoder_name != name or store.plan.n <= len(catalogue.source):
        return None
    wanted = set(catalogue.source.object_ids)
    for shard in range(len(store.plan.shards)):
        wanted.difference_update(store.plan.shard_ids(shard))
        if not wanted:
            return store
    return None


def _compared(data: Any) -> bool:
    """Tell whether there are galaxies to compare: one alone has neither map nor look-alikes."""
    from glue_zoobot.catalog import embeddings_of

    known = embeddings_of(data)
    return known is not None and len(known.rows) > 1


def _has_display() -> bool:
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _require_qt(headless: bool) -> None:
    """Say what is missing before the long step, not after it."""
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        import glue_qt  # noqa: F401
    except ImportError as error:
        raise CatalogueError(
            f'the window needs glue-qt and a Qt binding ({error}); pip install "glue-zoobot[qt]" brings both'
        ) from error


def _leave_results(app: Any, data: Any, store: Any, out: Path, report: TerminalReport) -> None:
    """Without a display: everything that a user would have seen or made, as files."""
    from glue_zoobot.catalog import similar_galaxies
    from glue_zoobot.cli.search import map_table
    from glue_zoobot.qt.layout import grab
    from glue_zoobot.tables import write_table

    grab(app, out / "screenshot.png")
    app.save_session(str(out / "session.glu"))
    answer = similar_galaxies(app.data_collection).table()
    written = [out / "screenshot.png", out / "session.glu"]
    if _compared(data):
        written.append(write_table(answer, out / "similar.parquet"))
        written.append(write_table(map_table(store, "pca"), out / "map.parquet"))
    report.say("No window was opened. Left for you:")
    for path in written:
        report.say(f"  {path}")
    app.close()
