"""``glue-zoobot bench photoz``: how many labels a pretrained encoder saves for a redshift or other number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.training import CANCELLED, Without, stop_on_signal
from glue_zoobot.errors import AnalysisError
from glue_zoobot.training.defaults import PATIENCE

if TYPE_CHECKING:
    from glue_zoobot.analysis.fewlabels import Score
    from glue_zoobot.analysis.teaching import Labelled

__all__ = ["photoz"]


@options.with_images
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
        str, typer.Option(help="Of frozen, fine-tuned, grouped, and scratch (from random weights).")
    ] = "frozen,fine-tuned,scratch",
    seeds: Annotated[int, typer.Option(min=1, help="Draws of each number of labels.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="At most, of each training.")] = 40,
    patience: Annotated[int, typer.Option(help="Epochs without gain on galaxies held out.")] = PATIENCE,
    learning_rate: Annotated[float, typer.Option(help="Of fine-tuning; highest rate of AdamW.")] = 1e-3,
    scratch_rate: Annotated[float, typer.Option(help="The same of training from scratch.")] = 3e-3,
    layer_decay: Annotated[
        float, typer.Option(help="Of fine-tuning: rate of a block by that of the one above.")
    ] = 1.0,
    dropout: Annotated[float, typer.Option(help="Of fine-tuning: of the features before the head.")] = 0.5,
    bins: Annotated[
        bool, typer.Option("--bins", help="Train networks on the probability of bins, not on squared error.")
    ] = False,
    without: Without = None,
    device: options.Device = "auto",
    *,
    images: options.Images,
) -> None:
    """
    Compare frozen, fine-tuned and from scratch, from a sixteenth of the labels to all.

    Two fifths of the labelled galaxies, chosen by a hash of their ids, are only measured by. Stopped or
    killed, it goes on when run again; more --seeds or --methods add to what is there.

    Example: glue-zoobot bench photoz galaxies.csv --target redshift --encoder my-encoder -o curve
    """
    from glue_zoobot.analysis.efficiency import fractions
    from glue_zoobot.analysis.fewlabels import sides
    from glue_zoobot.analysis.teaching import read_labels
    from glue_zoobot.images import open_catalogue
    from glue_zoobot.training.augment import Augmentations
    from glue_zoobot.training.fewlabels import Contest
    from glue_zoobot.training.recipes import FinetuneRecipe

    catalogue = open_catalogue(images(source))
    known, redshift = _quantity(
        catalogue.source.object_ids, read_labels(labels or source, target), kind, target
    )
    names = catalogue.source.object_ids[known.rows]
    recipe = FinetuneRecipe(
        epochs=epochs,
        patience=patience,
        learning_rate=learning_rate,
        layer_decay=layer_decay,
        dropout=dropout,
        bins=bins,
        augmentations=Augmentations().without(without or ()),
    )
    pool, _, _ = sides(names, [1])
    options.ready_folder(output)
    with stop_on_signal() as stop:
        contest = Contest(
            catalogue,
            known,
            names,
            target,
            [encoder],
            [name.strip() for name in methods.split(",")],
            _numbers(counts) or fractions(len(pool)),
            range(seeds),
            recipe,
            device,
            tell=lambda text: typer.echo(text, err=True),
            stopped=stop.is_set,
            redshift=redshift,
            scratch_rate=scratch_rate,
        )
        scores = contest.run(output / "record.jsonl")
    if scores is None:
        typer.echo(f"Stopped; run the same command again to go on with {output}")
        raise typer.Exit(CANCELLED)
    _tell(scores, output, target)


def _quantity(
    object_ids: np.ndarray, labels: Mapping[str, Any], kind: str | None, target: str
) -> tuple[Labelled, bool]:
    """Rows and numbers of the labelled galaxies, and whether they are redshifts."""
    from glue_zoobot.analysis.redshift import is_redshift, usable
    from glue_zoobot.analysis.teaching import labelled_rows

    known = labelled_rows(object_ids, labels, kind)
    if known.kind != "number":
        raise AnalysisError(
            f"{target} holds classes, not numbers; `glue-zoobot bench fewlabels` compares those"
        )
    redshift = kind == "redshift" or (kind is None and is_redshift(target, known.values))
    whole = usable(known.values) if redshift else np.isfinite(known.values)
    return replace(known, rows=known.rows[whole], values=known.values[whole]), redshift


def _tell(scores: Sequence[Score], output: Path, target: str) -> None:
    """Write and say the tables, and draw the figure."""
    from glue_zoobot.analysis.efficiency import draw_curves, saving_table, text_table

    tables = [text_table(scores)]
    scratch = [score.head for score in scores if score.head.endswith("scratch")]
    measures = scores[0].values
    if scratch and len({score.head for score in scores}) > 1:
        tables.append(saving_table(scores, scratch[0], "sigma_mad" if "sigma_mad" in measures else "scatter"))
    text = "\n\n".join(tables)
    typer.echo(text)
    (output / "table.md").write_text(text + "\n", encoding="utf-8")
    typer.echo(f"Figure drawn in {draw_curves(scores, output / 'curves.png', target)}")


def _numbers(text: str) -> list[int]:
    try:
        numbers = sorted({int(word) for word in text.split(",") if word.strip()})
    except ValueError as error:
        raise AnalysisError(f"{text!r} are no numbers of labels; write them as 100,200,400") from error
    if numbers and numbers[0] < 10:
        raise AnalysisError("a quantity needs ten labels at least; write --counts as 100,200,400")
    return numbers
