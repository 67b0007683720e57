"""``glue-zoobot bench photoz``: how many labels a pretrained encoder saves for a redshift or other number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glue_zoobot.cli import options
from glue_zoobot.errors import AnalysisError

__all__ = ["photoz"]


def photoz(
    source: options.Source,
    target: Annotated[str, typer.Option(help="The column with redshifts or other numbers.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of results, table and figure.")],
    encoder: Annotated[str, typer.Option(help="Encoder that is compared: frozen, and fine-tuned.")] = "mini",
    labels: Annotated[
        Path | None, typer.Option(help="A table with an id column and the target.", show_default="SOURCE")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="number or redshift.", show_default="as name and values look")
    ] = None,
    counts: Annotated[
        str,
        typer.Option("--counts", help="Numbers of labels.", show_default="1/16, 1/8, ... all"),
    ] = "",
    methods: Annotated[
        str, typer.Option(help="frozen, tuned and scratch (the same network from random weights).")
    ] = "frozen,tuned,scratch",
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each number of labels.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="At most, of each training.")] = 40,
    patience: Annotated[int, typer.Option(help="Epochs without gain on galaxies held out.")] = 10,
    learning_rate: Annotated[
        float, typer.Option(help="Of fine-tuning; from scratch it is ten times as high.")
    ] = 3e-4,
    bins: Annotated[
        bool, typer.Option("--bins", help="Train networks on the probability of bins, not on squared error.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Augmentation to leave out: dust, exposure, zoom...", show_default="none"),
    ] = None,
    device: options.Device = "auto",
    id_column: options.IdColumn = None,
    image_column: options.ImageColumn = None,
    image_root: options.ImageRoot = None,
    preset: options.Preset = "auto",
    bands: options.Bands = None,
) -> None:
    """
    Compare frozen, fine-tuned and from scratch, from a sixteenth of the labels to all.

    Two fifths of the labelled galaxies, chosen by a hash of their ids, are only measured by. Stopped or
    killed, it goes on when run again; more --seeds or --methods add to what is there.

    Example: glue-zoobot bench photoz galaxies.csv --target redshift --encoder my-encoder -o curve
    """
    from glue_zoobot.analysis.efficiency import draw_curves, saving_table, text_table
    from glue_zoobot.analysis.teaching import read_labels
    from glue_zoobot.cli.training import CANCELLED, reporting, stop_on_signal
    from glue_zoobot.images import open_catalogue
    from glue_zoobot.training.augment import Augmentations
    from glue_zoobot.training.label_curve import LabelCurve
    from glue_zoobot.training.recipes import FinetuneRecipe

    catalogue = open_catalogue(
        options.source_spec(source, id_column, image_column, image_root, preset, bands)
    )
    recipe = FinetuneRecipe(
        init=encoder,
        epochs=epochs,
        patience=patience,
        learning_rate=learning_rate,
        bins=bins,
        augmentations=Augmentations().without(without or ()),
    )
    known = read_labels(labels or source, target)
    curve = LabelCurve(catalogue, known, target, kind, recipe, output, device)
    with reporting(json=False) as report, stop_on_signal() as stop:
        runs = curve.run(
            [name.strip() for name in methods.split(",")], _numbers(counts), range(seeds), report, stop.is_set
        )
    if runs is None:
        typer.echo(f"Stopped; run the same command again to go on with {output}")
        raise typer.Exit(CANCELLED)
    tables = [text_table(runs)]
    if "scratch" in methods:
        tables.append(saving_table(runs, "scratch", next(iter(runs[0].values))))
    text = "\n\n".join(tables)
    typer.echo(text)
    (output / "table.md").write_text(text + "\n", encoding="utf-8")
    typer.echo(f"Figure drawn in {draw_curves(runs, output / 'curves.png', target)}")


def _numbers(text: str) -> list[int]:
    try:
        numbers = sorted({int(word) for word in text.split(",") if word.strip()})
    except ValueError as error:
        raise AnalysisError(f"{text!r} are no numbers of labels; write them as 100,200,400") from error
    if numbers and numbers[0] < 10:
        raise AnalysisError("a quantity needs ten labels at least; write --counts as 100,200,400")
    return numbers
