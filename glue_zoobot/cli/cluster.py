"""Embedding on more than one machine: shares of the work, places to work, a job script for SLURM."""

from __future__ import annotations

import os
import shlex
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glue_zoobot.cli import options
from glue_zoobot.errors import CatalogueError, StoreError

if TYPE_CHECKING:
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.images import SourceSpec

Part = Annotated[
    str | None,
    typer.Option(help="This share of the work, e.g. 3/16: every 16th shard from the 4th on."),
]
Array = Annotated[
    bool, typer.Option("--array", help="The share of this task of a SLURM array, one contiguous range.")
]
Executor = Annotated[
    str | None,
    typer.Option(
        help="Where to work: processes:N, dask:ADDRESS (or its scheduler file), slurm:N (N jobs).",
        show_default="this process",
    ),
]
Gpus = Annotated[
    int, typer.Option(min=0, help="That many workers on this machine, each with a GPU of its own.")
]
Slurm = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="An option of sbatch, e.g. partition=gpu; may be given again."),
]
SCRIPT = """\
#!/bin/bash
{directives}
#SBATCH --output={name}-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue

# {galaxies:,} galaxies in {shards:,} shards, shared by {tasks} tasks; each shard is one file in the store.
# To be submitted where it was written (paths are relative to that folder), in an environment that has
# glue-zoobot. Safe to submit again, whole or in part (--array=3,7), while it runs or after it failed:
# finished shards are kept, and a task that has nothing left to do ends at once.
#   glue-zoobot status {store}
set -eu
{setup}SOURCE={source}
STORE={store}
exec python -m glue_zoobot embed "$SOURCE" --store "$STORE"{fields} \\
    --part "$SLURM_ARRAY_TASK_ID/{tasks}" --json
"""


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(sbatch)
    app.command("export-hats")(export_hats)


def export_hats(
    store: options.Store,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the catalogue; new.")],
    source: Annotated[
        Path | None,
        typer.Option(help="Table with the positions.", show_default="that of which the store was made"),
    ] = None,
    id_column: options.IdColumn = None,
    position: Annotated[
        str | None,
        typer.Option(help='Its columns of position: "ra,dec".', show_default="found by their usual names"),
    ] = None,
) -> None:
    """
    Write the embeddings as a HATS catalogue, which LSDB opens and joins by position.

    Columns are object_id, ra, dec and embedding (float32). Needs the extra [hats].

    Example: glue-zoobot export-hats embeddings -o embeddings_hats
    """
    from glue_zoobot.embedding import EmbeddingStore
    from glue_zoobot.embedding.hats import export_hats as write
    from glue_zoobot.images import SourceSpec, open_catalogue
    from glue_zoobot.images.positions import positions_of

    opened = EmbeddingStore.open(store)
    spec = spec_from_here(opened)
    if source is not None:
        spec = {"path": str(source), "id_column": id_column}
    elif not spec:
        raise StoreError(f"{store} does not say where its galaxies are; name the table with --source")
    catalogue = open_catalogue(SourceSpec.from_dict(spec))
    there = positions_of(catalogue.table, position)
    options.ready_folder(output.absolute().parent)
    written, lost = write(opened, output, catalogue.source, there.ra, there.dec)
    without = f"; {lost:,} without a position left out" if lost else ""
    typer.echo(f"{written:,} embeddings written to {output}{without}")


def sbatch(
    store: options.Store,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The script to write.", show_default="standard output"),
    ] = None,
    tasks: Annotated[int, typer.Option(min=1, help="Tasks of the array, at most one for each shard.")] = 16,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs of a task; 0 to work on CPUs.")] = 1,
    slurm: Slurm = None,
    setup: Annotated[
        list[str] | None,
        typer.Option(help='A line to run first, e.g. "module load cuda"; may be given again.'),
    ] = None,
) -> None:
    """
    Write a SLURM job script that embeds what a store still lacks, as an array of tasks.

    Make the store with `glue-zoobot embed SOURCE --store DIR --plan`, which also fetches the encoder, since
    the machines of a cluster often cannot.

    Example: glue-zoobot sbatch embeddings --tasks 16 --slurm partition=gpu -o job.sh
    """
    from glue_zoobot.embedding import EmbeddingStore

    opened = EmbeddingStore.open(store)
    text = script(opened, tasks, gpus, parse_slurm(slurm), setup or [])
    if not opened.pending():
        typer.echo(f"{store} is complete; there is nothing left to embed, and no script is written", err=True)
        return
    if output is None:
        typer.echo(text, nl=False)
        return
    options.ready_file(output).write_text(text, "utf-8")
    typer.echo(f"{output} written; submit it with: sbatch {output}")


def script(store: EmbeddingStore, tasks: int, gpus: int, slurm: dict[str, str], setup: list[str]) -> str:
    """
    Text of a job script.

    Raises
    ------
    StoreError
        The store does not say of which images it is.
    """
    from glue_zoobot.embedding.executors import SLURM_DEFAULTS

    spec = spec_from_here(store)
    if not spec:
        raise StoreError(
            f"{store.path} does not say where its images are. Run `glue-zoobot embed SOURCE --store "
            f"{store.path} --plan` once; nothing is embedded again by that."
        )
    tasks = min(tasks, max(1, len(store.plan.shards)))
    named = {**SLURM_DEFAULTS, "array": f"0-{tasks - 1}", "gres": f"gpu:{gpus}" if gpus else "", **slurm}
    fields = {"--" + k.replace("_", "-"): v for k, v in spec.items() if k != "path"}
    return SCRIPT.format(
        directives="\n".join(f"#SBATCH --{key}={value}" for key, value in named.items() if value),
        name=named["job-name"],
        galaxies=store.plan.n,
        shards=len(store.plan.shards),
        tasks=tasks,
        setup="".join(line + "\n" for line in setup),
        source=shlex.quote(spec["path"]),
        store=shlex.quote(_from_here(Path(), store.path)),
        fields="".join(f" {key} {shlex.quote(str(value))}" for key, value in fields.items()),
    )


def portable_spec(spec: SourceSpec, store: Path) -> dict[str, Any]:
    """What was opened, with paths relative to the store, so that both may be moved together."""
    fields = spec.to_dict()
    for name in ("path", "image_root", "mosaic"):
        if name in fields:
            given = Path(fields[name]).expanduser()
            if name == "path" or _is_there(name, given):  # what else is relative, is so to the table
                fields[name] = _relative(given, store)
    return fields


def spec_from_here(store: EmbeddingStore) -> dict[str, Any]:
    """
    What a store was made of, with paths that hold in this folder; the inverse of `portable_spec`.

    Returns
    -------
    dict
        Fields of `SourceSpec`; empty if the store does not say.
    """
    fields = dict(store.manifest.get("source") or {})
    for name in ("path", "image_root", "mosaic"):
        if name in fields and (name == "path" or _is_there(name, store.path / fields[name])):
            fields[name] = _from_here(store.path, fields[name])
    return fields


def _is_there(name: str, path: Path) -> bool:
    """Whether a path of a source holds; of a mosaic, whose file names are a pattern, its folder."""
    return (path.parent if name == "mosaic" else path).exists()


def _relative(path: Path, start: Path) -> str:
    try:
        return os.path.relpath(path, start)
    except ValueError:  # another drive of Windows
        return str(path.absolute())


def _from_here(start: Path, path: str | Path) -> str:
    """Path relative to this folder, where it lies below it, else absolute."""
    whole = Path(os.path.abspath(start / path))  # noqa: PTH100  symbolic links stay as the user sees them
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)


def job_folder(store: Path) -> Path:
    """Folder for what a queue writes; beside the store, so that its machines see it."""
    return store.with_name(store.name + ".jobs")


def parse_slurm(given: list[str] | None) -> dict[str, str]:
    """Options of sbatch by their names."""
    named = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.strip("-").replace("-", "").isalnum() or "\n" in value:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--slurm")
        named[name.strip("-")] = value
    return named


class Every:
    """Every ``count``-th number from ``first`` on."""

    def __init__(self, first: int, count: int) -> None:
        self.first, self.count = first, count

    def __contains__(self, shard: object) -> bool:
        return isinstance(shard, int) and shard % self.count == self.first


def parse_share(shards: str | None, part: str | None, array: bool) -> Container[int] | None:
    """
    Which shards are asked for, by one of three options; None for all.

    Raises
    ------
    CatalogueError
        The environment is not that of a task of an array.
    """
    if (shards is not None) + (part is not None) + array > 1:
        raise typer.BadParameter("give one of --shards, --part and --array")
    if array:
        return _share_of_array(os.environ)
    if part is not None:
        index, _, count = part.partition("/")
        if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
            raise typer.BadParameter(f"{part!r} is not a share such as 0/16 to 15/16", param_hint="--part")
        return Every(int(index), int(count))
    return _range(shards)


def _share_of_array(environment: Any) -> Every:
    try:
        task, first, count, step = (
            int(environment.get(f"SLURM_ARRAY_TASK_{name}", default))
            for name, default in (("ID", ""), ("MIN", "0"), ("COUNT", ""), ("STEP", "1"))
        )
    except ValueError:
        raise CatalogueError(
            "--array is for a task of a SLURM array (SLURM_ARRAY_TASK_ID and _COUNT are not set); "
            "elsewhere use --part, such as --part 0/16"
        ) from None
    index, rest = divmod(task - first, step)
    if rest or index >= count:
        raise CatalogueError(
            f"--array takes arrays of one range, and task {task} of {count} is of another kind; "
            "use --part in the script, as `glue-zoobot sbatch` does"
        )
    return Every(index, count)


def _range(text: str | None) -> range | None:
    if text is None:
        return None
    first, _, last = text.partition("-")
    try:
        return range(int(first), int(last or first) + 1)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a range of shards such as 0-99", param_hint="--shards"
        ) from None
