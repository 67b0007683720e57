"""Verbs of the embedding store: embed, status, verify, export, and encoders."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glue_zoobot.cli import cluster, options
from glue_zoobot.cli.report import JsonReport, Report, TerminalReport
from glue_zoobot.errors import StoreError, ZoobotError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from collections.abc import Container

    from glue_zoobot.embedding import EmbeddingStore, Plan
    from glue_zoobot.embedding.executors import Place
    from glue_zoobot.encoders import EncoderSpec
    from glue_zoobot.images import Catalogue

CANCELLED = 130
_FRAME = ("size", "size_column", "size_factor", "position")  # of cutouts


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    for verb in (embed, status, verify, export, encoders):
        app.command()(verb)


@options.with_images
def embed(
    source: options.Source,
    store: Annotated[Path, typer.Option(help="Folder for the embeddings; made, or gone on with.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="A name from `glue-zoobot encoders`, a hub or timm name, a folder or a file.",
            show_default="that of the store; convnext_nano for a new one",
        ),
    ] = None,
    device: options.Device = "auto",
    shards: Annotated[
        str | None,
        typer.Option(help="Only these, e.g. 0-99, to share the work among machines.", show_default="all"),
    ] = None,
    part: cluster.Part = None,
    array: cluster.Array = False,
    executor: cluster.Executor = None,
    gpus: cluster.Gpus = 0,
    slurm: cluster.Slurm = None,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Make the store and its plan, fetch the encoder, embed nothing.")
    ] = False,
    retry_broken: Annotated[
        bool, typer.Option("--retry-broken", help="Try broken images again, as after a disk was away.")
    ] = False,
    *,
    images: options.Images,
    json: options.Json = False,
) -> None:
    """
    Turn every image into an embedding: the numbers by which galaxies are compared.

    It may be stopped or killed at any time: run again, it goes on where it was. Broken images are listed.

    Example: glue-zoobot embed galaxies.csv --store embeddings --encoder mini

    On a cluster: --executor, or --plan and then `glue-zoobot sbatch`.
    """
    report: Report = JsonReport() if json else TerminalReport()
    cancelled = _cancel_on_signal()
    try:
        from glue_zoobot.embedding.executors import open_place
        from glue_zoobot.images import open_catalogue

        catalogue = open_catalogue(images(source))
        report.found(catalogue)
        with open_place(executor, cluster.job_folder(store), gpus, cluster.parse_slurm(slurm)) as place:
            made = embed_catalogue(
                catalogue,
                store,
                encoder or encoder_of(store, "convnext_nano"),
                device,
                report,
                shards=range(0) if plan_only else cluster.parse_share(shards, part, array),
                retry_broken=retry_broken,
                cancelled=cancelled,
                place=place,
            )
    except ZoobotError as error:
        report.finish("error", message=str(error))
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        cancelled.set()
    if cancelled.is_set():
        report.finish("cancelled")
        report.say(f"Stopped; run the same command again to go on with {store}")
        raise typer.Exit(CANCELLED)
    if plan_only:
        report.finish("done", store=str(store), shards=len(made.plan.shards))
        report.say(
            f"Planned: {counted(made.plan.n, 'galaxy')} in {counted(len(made.plan.shards), 'shard')}. "
            f"Next: glue-zoobot sbatch {store} -o job.sh"
        )
        return
    _say_done(report, made)


def encoder_of(store: Path, otherwise: str) -> EncoderSpec | str:
    """Return what made a store, so that its folder is all a user has to name; else a default."""
    from glue_zoobot.embedding import EmbeddingStore

    return EmbeddingStore.open(store).encoder_spec if (store / "manifest.json").exists() else otherwise


def embed_catalogue(
    catalogue: Catalogue,
    store_path: Path,
    encoder_or_name: EncoderSpec | str,
    device: str,
    report: Report,
    shards: Container[int] | None = None,
    retry_broken: bool = False,
    cancelled: threading.Event | None = None,
    place: Place | None = None,
) -> EmbeddingStore:
    """
    Embed a catalogue, or find that it is already done, without loading the network then.

    Raises
    ------
    ZoobotError
        If the encoder cannot be had or the store belongs to something else.
    """
    from glue_zoobot.embedding import EmbeddingStore, Plan, run
    from glue_zoobot.encoders import load

    plan = Plan.freeze(catalogue.source.object_ids, name=Path(catalogue.spec.path).name)
    finished = EmbeddingStore.find_finished(store_path, plan, encoder_or_name)
    if finished is not None and not retry_broken:
        _require_rendering(finished, catalogue, finished.manifest.get("rendering"))
        unused = "" if device == "auto" else f" (device {device} is not used)"
        report.say(f"Nothing to do: {store_path} is complete{unused}")
        _require_some(finished, catalogue)
        return finished
    _require_same(store_path, plan, catalogue, encoder_or_name)
    if isinstance(shards, range) and len(shards) and shards.start not in plan.shards:
        raise StoreError(f"There is no shard {shards.start}: this catalogue has {len(plan.shards):,}, from 0")
    encoder = load(encoder_or_name, device=device)
    store = EmbeddingStore.create(store_path, plan, encoder.spec)
    _require_rendering(store, catalogue, store.adopt("rendering", _rendering(catalogue)))
    store.adopt("source", cluster.portable_spec(catalogue.spec, store.path))
    for line in store.what_happened():
        report.say(line)
    executor = place.executor if place else None
    todo = [shard for shard in store.pending() if shards is None or shard in shards]
    run(
        plan,
        store,
        catalogue.source,
        encoder,
        executor=executor,
        shards_per_task=place.shards_per_task(len(todo)) if place else 1,
        progress=report.progress,
        shards=shards,
        cancelled=cancelled,
        retry_broken=retry_broken,
    )
    _require_some(store, catalogue)
    return store


def _require_same(path: Path, plan: Plan, catalogue: Catalogue, encoder: EncoderSpec | str) -> None:
    """Refuse the store of another catalogue or encoder before the encoder is fetched and loaded."""
    from glue_zoobot.embedding import EmbeddingStore

    if (path / "manifest.json").exists():
        store = EmbeddingStore.open(path)
        made_of = cluster.spec_from_here(store).get("path", "")
        store.require_plan(plan, str(made_of), str(catalogue.spec.path))
        store.require_likely(encoder)


def _require_some(store: EmbeddingStore, catalogue: Catalogue) -> None:
    """A store without a single embedding is of no use; better said now than by the next verb."""
    state = store.status()
    if state.finished and state.total and not state.embedded:
        raise StoreError(
            f"No image could be read. {describe(store)}\n"
            f"Mend them, then `glue-zoobot embed {catalogue.spec.path} --store {store.path} --retry-broken`"
        )


def _rendering(catalogue: Catalogue) -> dict[str, Any]:
    """How FITS pixels become the pictures that are embedded."""
    spec = catalogue.spec
    frame = {name: getattr(spec, name) for name in _FRAME if getattr(spec, name) is not None}
    return {"preset": spec.preset, "bands": spec.bands, **frame}


def _require_rendering(store: EmbeddingStore, catalogue: Catalogue, made_with: dict[str, Any] | None) -> None:
    """Refuse to mix pictures made of the same FITS files in two ways."""
    wanted = _rendering(catalogue)
    frames = [{name: made.get(name) for name in _FRAME} for made in (made_with or wanted, wanted)]
    if frames[0] != frames[1]:
        said, now = (", ".join(f"{n} {v}" for n, v in frame.items() if v) or "no cutouts" for frame in frames)
        raise StoreError(
            f"The store {store.path} was made with {said}, not with {now}. Use the same, or another --store."
        )
    if made_with not in (None, wanted):
        raise StoreError(
            f"The store {store.path} was made with --preset {made_with['preset']} and --bands "
            f"{made_with['bands']}, not with --preset {wanted['preset']} and --bands {wanted['bands']}. "
            "Use the same, or another --store."
        )


def _say_done(report: Report, store: EmbeddingStore) -> None:
    state = store.status()
    counts = store.outcome_counts()
    report.finish(
        "done",
        store=str(store.path),
        embedded=counts["embedded"],
        broken=counts["broken"],
        duplicates=counts["duplicate"],
    )
    if isinstance(report, JsonReport):
        return
    report.say(describe(store))
    if not state.finished:
        report.say("Other shards are still to do; `glue-zoobot status` tells which.")


def describe(store: EmbeddingStore, most: int = 10) -> str:
    """Say in words what a store holds, and of the first galaxies that are not sound what is wrong."""
    counts = store.outcome_counts()
    incomplete = store.incomplete()
    noted = incomplete + counts["broken"] + counts["duplicate"]
    lines = [
        f"{counts['embedded']:,} embedded{f' ({incomplete:,} incomplete)' if incomplete else ''}, "
        f"{counts['broken']:,} broken, {counts['duplicate']:,} duplicate ids, {counts['pending']:,} to do; "
        f"{store.width} dimensions by {store.encoder_name}; in {store.path}"
    ]
    lines += [f"  {object_id}: {reason}" for object_id, _, reason in store.noted(most)]
    if noted > most:
        lines.append(f"  … and {noted - most:,} more; `glue-zoobot status --list` shows all")
    return "\n".join(lines)


def status(
    store: options.Store,
    everything: Annotated[
        bool, typer.Option("--list", help="Every galaxy without embedding, with its reason.")
    ] = False,
) -> None:
    """
    Say how far the embeddings are, and which images are broken and why.

    Example: glue-zoobot status embeddings --list
    """
    from glue_zoobot.embedding import EmbeddingStore

    opened = EmbeddingStore.open(store)
    state = opened.status()
    typer.echo(describe(opened, most=10**9 if everything else 10))
    typer.echo(f"{state.shards_done:,} of {state.shards_total:,} shards done")


@options.with_images
def verify(
    store: options.Store,
    source: Annotated[
        Path | None,
        typer.Option(help="Embed a sample of the images found here again.", show_default="none"),
    ] = None,
    device: options.Device = "auto",
    *,
    images: options.Images,
) -> None:
    """
    Check that all embeddings can be read and, with --source, that they are those of its images.

    Example: glue-zoobot verify embeddings --source galaxies.csv
    """
    from glue_zoobot.embedding import EmbeddingStore

    opened = EmbeddingStore.open(store)
    problems = opened.verify()
    if not problems and source is not None:
        from glue_zoobot.encoders import load
        from glue_zoobot.images import SourceSpec, open_catalogue

        rendering = opened.manifest.get("rendering") or {}
        spec = SourceSpec.from_dict({**rendering, **images(source).to_dict()})
        agreement = opened.recompute_sample(
            open_catalogue(spec).source, load(opened.encoder_spec, device=device)
        )
        typer.echo(agreement.text())
        problems = agreement.problems()
    if problems:
        raise StoreError(
            f"{store}: "
            + "; ".join(problems)
            + ". Run `glue-zoobot embed` again: damaged shards are made anew"
        )
    typer.echo(f"{store}: every shard is whole")


def export(
    store: options.Store,
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=options.ready_file, help="The file to write: .parquet")
    ],
) -> None:
    """
    Write the embeddings as one Parquet file with columns object_id and embedding.

    Example: glue-zoobot export embeddings -o embeddings.parquet
    """
    from glue_zoobot.embedding import EmbeddingStore

    if output.suffix.lower() != ".parquet":
        raise StoreError(f"{output}: embeddings are exported as Parquet; give a name that ends in .parquet")
    opened = EmbeddingStore.open(store)
    opened.export(output)
    typer.echo(f"{opened.outcome_counts()['embedded']:,} embeddings written to {output}")


def encoders() -> None:
    """
    List the encoders: length of the embedding, size, licence, and whether they are on this computer.

    Those that are not are downloaded when first used. `mini` is part of the package.
    """
    from rich.console import Console
    from rich.table import Table

    from glue_zoobot.encoders import listing

    table = Table(box=None, pad_edge=False)
    numbers = ("width", "input px", "MB")
    for title in ("name", *numbers, "licence", "here", "revision", "weights"):
        table.add_column(title, justify="right" if title in numbers else "left", no_wrap=True)
    for row in listing():
        table.add_row(
            row["name"],
            str(row["width"]),
            str(row["input_px"]),
            f"{row['size_mb']:,.0f}" if row["size_mb"] else "?",
            row["licence"],
            "yes" if row["cached"] else "no",
            (row["revision"] or "")[:10],
            row["weights"],
        )
    # Wider than a narrow terminal: better wrapped by it than cut off here.
    Console(width=160).print(table)


def _cancel_on_signal() -> threading.Event:
    """SIGTERM and Ctrl-C ask the job to stop after the batch at hand; a second one ends it at once."""
    event = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    return event
