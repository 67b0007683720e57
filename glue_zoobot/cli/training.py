"""Verbs that train an encoder: pretrain, finetune."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from glue_zoobot.cli import options
from glue_zoobot.cli.report import JsonReport, TerminalReport
from glue_zoobot.errors import ZoobotError
from glue_zoobot.training.defaults import FINETUNE_EPOCHS, PATIENCE, PRETRAIN_EPOCHS

CANCELLED = 130

Encoder = Annotated[Path, typer.Option("-o", "--output", help="Folder of the new encoder.")]
Epochs = Annotated[int, typer.Option(min=1, help="How often each galaxy is shown.")]
BatchSize = Annotated[int, typer.Option(min=2, help="Galaxies per step.")]
LearningRate = Annotated[float, typer.Option(help="Highest rate of AdamW.")]
Without = Annotated[
    list[str] | None,
    typer.Option(
        help="Leave out: rotate, flip, jitter, zoom, dust, blur, exposure, noise.", show_default="none"
    ),
]
Dust = Annotated[str, typer.Option(help="Distribution of random E(B-V): lognormal, or uniform (0 to 0.5).")]
Composite = Annotated[
    str, typer.Option(help="How the pictures were made of fluxes: sdss (gri) or legacy (grz).")
]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16; auto is bfloat16 on a GPU.")]
Preview = Annotated[
    Path | None,
    typer.Option(
        callback=lambda path: path and options.ready_file(path),
        help="Draw the augmentations into this .png, and train nothing.",
        show_default="train",
    ),
]
Time = Annotated[
    bool, typer.Option("--time", help="Time the first steps here, say how long it takes, and train nothing.")
]
RandomState = Annotated[int, typer.Option(help="Same seed, same encoder (on a CPU).")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    app.command()(pretrain)
    app.command()(finetune)


@options.with_images
def pretrain(
    source: options.Source,
    output: Encoder,
    architecture: Annotated[
        str, typer.Option(help="Any network of timm, from random weights.")
    ] = "regnety_002",
    init: Annotated[str, typer.Option(help="Encoder to start from instead, e.g. mini.")] = "",
    objective: Annotated[
        str, typer.Option(help="simclr (contrastive) or vicreg (without negatives).")
    ] = "simclr",
    agreement: Annotated[
        float,
        typer.Option(help="Weight of the likeness of the two embeddings, beside the objective; 0 for none."),
    ] = 0.5,
    epochs: Epochs = PRETRAIN_EPOCHS,
    batch_size: BatchSize = 128,
    learning_rate: LearningRate = 1e-3,
    input_size: Annotated[
        int, typer.Option(help="Pixels that the encoder sees.", show_default="that of --init, or 64")
    ] = 0,
    crop: Annotated[
        float, typer.Option(help="Central share of the frame.", show_default="that of --init, or 1/1.2")
    ] = 0.0,
    supervise: Annotated[
        list[str] | None,
        typer.Option(
            help="Learn this column beside: classes or fractions; * for any letters.", show_default="none"
        ),
    ] = None,
    probe: Annotated[
        str, typer.Option(help="Column of classes to watch the embeddings by.", show_default="none")
    ] = "",
    without: Without = None,
    dust: Dust = "lognormal",
    composite: Composite = "sdss",
    precision: Precision = "auto",
    preview: Preview = None,
    time: Time = False,
    random_state: RandomState = 0,
    device: options.Device = "auto",
    *,
    images: options.Images,
    json: options.Json = False,
) -> None:
    """
    Train an encoder on images without labels; labels can be learnt beside.

    It may be stopped or killed at any time: run again, it goes on where it was. The result is a folder that
    `--encoder` takes. On several GPUs: torchrun --nproc-per-node 4 -m glue_zoobot pretrain ...

    Example: glue-zoobot pretrain galaxies.csv -o my-encoder --init mini --epochs 50
    """
    with reporting(json) as report:
        from glue_zoobot.images import open_catalogue
        from glue_zoobot.training import PretrainRecipe
        from glue_zoobot.training import pretrain as train
        from glue_zoobot.training.augment import Augmentations

        catalogue = open_catalogue(images(source))
        recipe = PretrainRecipe(
            architecture=architecture,
            init=init,
            objective=objective,
            agreement=agreement,
            supervise=tuple(supervise or ()),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            input_size=input_size,
            crop=crop,
            composite=composite,
            augmentations=Augmentations(dust=dust).without(without or ()),
            probe=probe,
            precision=precision,
            seed=random_state,
        )
        if preview is not None:
            _draw(catalogue, recipe, preview)
            report.finish("done", preview=str(preview))
            report.say(f"Augmentations drawn in {preview}; without --preview the encoder is trained")
            return
        report.found(catalogue)
        if time:
            _time_pretraining(report, catalogue, recipe, device)
            return
        with stop_on_signal() as stop:
            made = train(catalogue, recipe, output, device, report, stop.is_set)
        report.result(made, output)


@options.with_images
def finetune(
    source: options.Source,
    encoder: Annotated[str, typer.Option(help="Encoder to start from; none for random weights.")],
    labels: Annotated[Path, typer.Option(help="A table with an id column, or a log of labels (.jsonl).")],
    target: options.Target,
    output: Encoder,
    kind: options.LabelKind = None,
    bins: Annotated[
        bool, typer.Option("--bins", help="Learn a number as the probability of bins, not by squared error.")
    ] = False,
    architecture: Annotated[
        str, typer.Option(help="Any network of timm, for --encoder none.")
    ] = "regnety_002",
    epochs: Annotated[int, typer.Option(min=1, help="At most.")] = FINETUNE_EPOCHS,
    patience: Annotated[int, typer.Option(help="Epochs without gain on galaxies held out.")] = PATIENCE,
    n_blocks: Annotated[int, typer.Option(help="Blocks to train, from the output down; -1 for all.")] = -1,
    learning_rate: LearningRate = 1e-3,
    layer_decay: Annotated[float, typer.Option(help="Rate of a block by that of the one above.")] = 1.0,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW.")] = 0.05,
    dropout: Annotated[float, typer.Option(help="Of the features before the head.")] = 0.5,
    batch_size: BatchSize = 32,
    grouped: Annotated[
        bool, typer.Option("--grouped", help="Neurons that act alike share a gradient, for few labels.")
    ] = False,
    input_size: Annotated[
        int, typer.Option(help="Pixels that the encoder sees.", show_default="that of --encoder, or 64")
    ] = 0,
    without: Without = None,
    dust: Dust = "lognormal",
    composite: Composite = "sdss",
    precision: Precision = "auto",
    time: Time = False,
    random_state: RandomState = 0,
    device: options.Device = "auto",
    *,
    images: options.Images,
    json: options.Json = False,
) -> None:
    """
    Train a whole network towards a class or a quantity, for some hundred labels and more.

    `glue-zoobot train` does it in seconds on stored embeddings; try that first. Here one labelled galaxy in
    five is held out to stop in time and to measure by. The result is a folder that `--encoder` takes, with a
    head in it for `glue-zoobot predict --head ENCODER/head`. Stopped or killed, it goes on when run again.

    Example: glue-zoobot finetune galaxies.csv --encoder mini --labels rings.csv --target ring -o ring-encoder
    """
    with reporting(json) as report:
        from glue_zoobot.analysis.teaching import read_labels
        from glue_zoobot.images import open_catalogue
        from glue_zoobot.training import FinetuneRecipe
        from glue_zoobot.training import finetune as tune
        from glue_zoobot.training.augment import Augmentations
        from glue_zoobot.training.comparison import compare
        from glue_zoobot.training.recipes import GROUPS

        catalogue = open_catalogue(images(source))
        known = read_labels(labels, target)
        recipe = FinetuneRecipe(
            init="" if encoder == "none" else encoder,
            architecture=architecture,
            bins=bins,
            epochs=epochs,
            patience=patience,
            n_blocks=n_blocks,
            learning_rate=learning_rate,
            layer_decay=layer_decay,
            weight_decay=weight_decay,
            dropout=dropout,
            batch_size=batch_size,
            groups=GROUPS if grouped else 0,
            input_size=input_size,
            composite=composite,
            augmentations=Augmentations(dust=dust).without(without or ()),
            precision=precision,
            seed=random_state,
        )
        report.found(catalogue)
        if known.contradictory:
            report.say(known.warning())
        if time:
            _time_finetuning(report, catalogue, known, target, recipe, device, kind)
            return
        with stop_on_signal() as stop:
            taught = tune(
                catalogue, known, target, recipe, output, device, kind, report=report, stopped=stop.is_set
            )
        if taught is None:
            report.result(None, output)
            return
        report.say(taught.text())
        compared = None
        if recipe.init:
            report.say("Measuring the encoder as it was on the same galaxies…")
            compared = compare(catalogue, known, target, kind, recipe.init, output, device, random_state)
        if compared:
            report.say(_gained(compared))
        report.result(output, output)


def _time_pretraining(report: Any, catalogue: Any, recipe: Any, device: str) -> None:
    from dataclasses import replace

    from glue_zoobot.training import pretrain as train
    from glue_zoobot.training.estimate import some_galaxies, timed

    few = some_galaxies(catalogue)
    alone = replace(recipe, probe="")  # once in five epochs: not what takes the time
    found = timed(lambda folder, ear, stopped: train(few, alone, folder, device, ear, stopped))
    n = len(catalogue.source)
    report.estimate(found, n, n * recipe.epochs, recipe.epochs)


def _time_finetuning(
    report: Any, catalogue: Any, labels: Any, target: str, recipe: Any, device: str, kind: str | None
) -> None:
    from glue_zoobot.training import finetune as tune
    from glue_zoobot.training.estimate import some_labels, timed
    from glue_zoobot.training.finetuning import FEWEST_STEPS
    from glue_zoobot.training.split import split_labels

    split = split_labels(catalogue, labels, kind, target)
    trained = [len(split.train)]
    if split.kind == "classes" and len(split.held):
        trained.append(len(split.train) + len(split.held))  # once more, with all labels
    few = some_labels(labels)
    found = timed(
        lambda folder, ear, stopped: tune(
            catalogue, few, target, recipe, folder, device, kind, report=ear, stopped=stopped
        )
    )
    batch = min(recipe.batch_size, trained[0])
    shown = sum(recipe.epochs * max(FEWEST_STEPS, n // batch) * batch for n in trained)
    report.estimate(found, len(labels), shown, recipe.epochs)


def _gained(compared: Mapping[str, Any]) -> str:
    """Say what fine-tuning gained, and whether that is more than chance."""
    name, value, low, high = compared["gain"]
    if value is None or low is None:
        return "Too few galaxies were held out to say what was gained."
    text = f"Against the encoder as it was: {name} {value:+.3f} ({low:+.3f} to {high:+.3f})"
    return text if low > 0 or high < 0 else f"{text}; {compared['held_out']} galaxies cannot tell them apart"


def _draw(catalogue: Any, recipe: Any, path: Path) -> None:
    from glue_zoobot.training.network import describe
    from glue_zoobot.training.preview import contact_sheet

    spec = describe(recipe.architecture, recipe.init, recipe.input_size, recipe.crop)
    contact_sheet(catalogue, spec, recipe.augmentations, recipe.composite, path, seed=recipe.seed)


class JsonTraining(JsonReport):
    """Events of a training: ``progress`` as of every job, with loss and epoch, and ``epoch`` for curves."""

    def mute(self, muted: bool) -> None:
        """Say nothing from now on."""
        if muted:
            self._write = lambda **event: None  # type: ignore[method-assign]

    def progress(self, progress: Any) -> None:
        """How far it is."""
        self._write(event="progress", **asdict(progress))

    def epoch(self, figures: Mapping[str, Any]) -> None:
        """What an epoch gave."""
        self._write(**{**figures, "event": "epoch"})

    def estimate(self, found: Any, n_pictures: int, n_shown: int, epochs: int) -> None:
        """How long it would take."""
        seconds = found.seconds(n_pictures, n_shown)
        facts = {"images": n_pictures, "shown": n_shown, "epochs": epochs, "seconds": seconds}
        self.finish("estimate", **asdict(found), **facts)

    def result(self, made: Path | None, output: Path) -> None:
        """How it ended."""
        if made is None:
            self.finish("cancelled")
            raise typer.Exit(CANCELLED)
        self.finish("done", encoder=str(made))


class TerminalTraining(TerminalReport):
    """Sentences, a bar for reading and one for training, and a line for each epoch with figures."""

    def __init__(self) -> None:
        super().__init__()
        self._stage = ""

    def mute(self, muted: bool) -> None:
        """Say nothing from now on."""
        self._console.quiet = muted

    def progress(self, progress: Any) -> None:
        """Move the bar."""
        if progress.stage != self._stage:
            self.finish("")
            self._stage = progress.stage
            self._bar = _training_bar(self._console)
            self._task = self._bar.add_task(progress.stage.capitalize(), total=progress.total, said="")
            self._bar.start()
        said = (
            f"epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.3f}  " if progress.epoch else ""
        )
        said += f"{progress.rate:,.0f} images/s" if progress.rate else ""
        self._bar.update(self._task, completed=progress.done, said=said)

    def epoch(self, figures: Mapping[str, Any]) -> None:
        """Tell the figures that are more than the loss, which the bar shows."""
        if set(figures) - {"epoch", "loss"}:
            words = (
                f"{k.replace('_', ' ')} {v:.4g}" for k, v in figures.items() if isinstance(v, int | float)
            )
            self.say("  ".join(words))

    def estimate(self, found: Any, n_pictures: int, n_shown: int, epochs: int) -> None:
        """How long it would take."""
        minutes = found.seconds(n_pictures, n_shown) / 60
        self.say(
            f"About {minutes:,.1f} minutes for {epochs} epochs at {found.rate:,.0f} images/s; "
            "without --time it trains"
        )

    def result(self, made: Path | None, output: Path) -> None:
        """How it ended."""
        self.finish("")
        if made is None:
            self.say(f"Stopped; run the same command again to go on with {output}")
            raise typer.Exit(CANCELLED)
        self.say(f"Encoder written to {made}; use it with --encoder {made}")


@contextmanager
def reporting(json: bool) -> Iterator[JsonTraining | TerminalTraining]:
    """Report to whoever asks; an error is told in the form that he reads."""
    report = JsonTraining() if json else TerminalTraining()
    report.mute(os.environ.get("RANK", "0") != "0")  # of several processes the first one speaks
    try:
        yield report
    except ZoobotError as error:
        report.finish("error", message=str(error))
        raise typer.Exit(1) from error


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """SIGTERM and Ctrl-C ask the training to stop after the step at hand; a second one ends it at once."""
    event = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _training_bar(console: Any) -> Any:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
        console=console,
    )
