"""
The steps of a training, whatever is trained: rate, gradient, checkpoint, report.

Everything random in step s follows from (seed, s), so that a training that was stopped, or killed, goes on as
if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from glue_zoobot.embedding.progress import Meter
from glue_zoobot.errors import EncoderError
from glue_zoobot.training import checkpoint
from glue_zoobot.training.distributed import World

__all__ = [
    "Report",
    "Silence",
    "Training",
    "TrainingProgress",
    "autocast",
    "cosine",
    "generator",
    "parameter_groups",
    "precision_on",
    "rows_of_step",
]

SAVE_EVERY = 180.0  # seconds
TELL_EVERY = 0.5


@dataclass(frozen=True)
class TrainingProgress:
    """
    One report of a training.

    Attributes
    ----------
    stage : {"reading", "training"}
    done, total : int
        Galaxies read; galaxies trained on, each counted once an epoch.
    broken : int
        Pictures that could not be read.
    rate, seconds_left : float or None
        Galaxies per second over the recent past, and the time left at that rate; None before it is known.
    epoch, epochs : int
        From 1.
    loss : float or None
    """

    stage: str
    done: int
    total: int
    broken: int = 0
    rate: float | None = None
    seconds_left: float | None = None
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None


class Report(Protocol):
    """Whoever follows a training."""

    def say(self, text: str) -> None:
        """One line for the user."""

    def progress(self, progress: Any) -> None:
        """How far it is: a `TrainingProgress`."""

    def epoch(self, figures: Mapping[str, Any]) -> None:
        """What an epoch gave: its number, loss, and probe or validation figures."""


class Silence:
    """A report that nobody reads."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def progress(self, progress: Any) -> None:
        """Say nothing."""

    def epoch(self, figures: Mapping[str, Any]) -> None:
        """Say nothing."""


@dataclass
class Training:
    """
    What is trained, and how far it is.

    Attributes
    ----------
    networks : dict
        All that a checkpoint keeps; ``average`` follows ``network``, if it is there.
    optimiser : torch.optim.Optimizer
        The rate of a parameter group is that of the schedule times its ``scale``.
    curves : list of dict
        What each epoch gave.
    facts : dict
        Kept in the checkpoint beside: the recipe.
    """

    networks: dict[str, nn.Module]
    optimiser: torch.optim.Optimizer
    world: World
    path: Path
    facts: dict[str, Any]
    clip: float
    report: Report = field(default_factory=Silence)
    stopped: Callable[[], bool] = bool
    broken: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        if self.path.exists():
            state = checkpoint.load(self.path, self.networks, self.optimiser)
            self.step, self.losses, self.curves = state["step"], state["losses"], state["curves"]

    def save(self) -> None:
        """Write the checkpoint; only the leading process does."""
        if self.world.leads:
            state = {"step": self.step, "losses": self.losses, "curves": self.curves, **self.facts}
            checkpoint.save(self.path, self.networks, self.optimiser, state)

    def run(
        self,
        n_epochs: int,
        steps_per_epoch: int,
        batch_size: int,
        seed: int,
        loss_of: Callable[[int], Tensor],
        rate_of: Callable[[int], float],
        judge: Callable[[int], Mapping[str, float]],
        enough: Callable[[list[dict[str, Any]]], bool] = lambda curves: False,
    ) -> bool:
        """
        Train to the end of the schedule.

        Parameters
        ----------
        n_epochs, steps_per_epoch, batch_size, seed : int
        loss_of, rate_of : callable
            Of the number of a step.
        judge : callable
            Figures at the end of an epoch (from 1); called in the leading process.
        enough : callable
            Whether the curves say to end early.

        Returns
        -------
        bool
            False if it was stopped; it can then be resumed.

        Raises
        ------
        EncoderError
            If the loss or its gradient is not a number any more. The last good state is kept.
        """
        meter = Meter(n_epochs * steps_per_epoch * batch_size)
        saved = told = time.monotonic()
        while self.step < n_epochs * steps_per_epoch and not enough(self.curves):
            if self.world.any(self.stopped()):
                self.save()
                return False
            torch.manual_seed(_seed(seed, self.step, self.world.rank))
            self.losses.append(self._one_step(loss_of, rate_of(self.step)))
            self.step += 1
            epoch, within = divmod(self.step, steps_per_epoch)
            now = time.monotonic()
            if now - told > TELL_EVERY or not within:
                told = now
                self._tell(meter, self.step * batch_size, math.ceil(self.step / steps_per_epoch), n_epochs)
            if not within:
                self._end_epoch(epoch, judge)
            if not within or now - saved > SAVE_EVERY:
                saved = now
                self.save()
        return True

    def _one_step(self, loss_of: Callable[[int], Tensor], rate: float) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)
        self.optimiser.zero_grad()
        try:
            loss = loss_of(self.step)
            loss.backward()
        except torch.OutOfMemoryError as error:
            raise EncoderError(
                f"The memory of {self.world.device} is full at step {self.step:,}. Take a smaller "
                "--batch-size, --input-size or architecture, and another -o if epochs are done already."
            ) from error
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, self.clip or math.inf)
        if not (loss.isfinite() and norm.isfinite()):
            raise EncoderError(
                f"The loss at step {self.step:,} is {loss.item()} and its gradient {norm.item()}: the "
                f"training ran away and was stopped. The last good state is kept in {self.path.parent}; run "
                "the same command again with a lower --learning-rate to go on from there."
            )
        self.optimiser.step()
        if "average" in self.networks:
            follow(self.networks["average"], self.networks["network"], self.step)
        return float(loss.detach())

    def _tell(self, meter: Meter, done: int, epoch: int, n_epochs: int) -> None:
        if self.world.leads:
            p = meter.report(done, self.broken)
            told = TrainingProgress(
                "training",
                p.done,
                p.total,
                p.broken,
                p.rate,
                p.seconds_left,
                epoch,
                n_epochs,
                self.losses[-1],
            )
            self.report.progress(told)

    def _end_epoch(self, epoch: int, judge: Callable[[int], Mapping[str, float]]) -> None:
        figures: dict[str, Any] = {"epoch": epoch, "loss": float(np.mean(self.losses))}
        self.losses = []
        if self.world.leads:
            figures |= judge(epoch)
            self.report.epoch(figures)
        self.curves.append(figures)
        self.world.wait()


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, decay: float = 0.998) -> None:
    """Move averaged weights towards the trained ones: exponential, over fewer steps at the start."""
    decay = min(decay, (step + 1) / (step + 10))
    for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


def cosine(step: int, n_steps: int, peak: float, warm_up: float) -> float:
    """Rate of a step: rises linearly over a share of the steps, then falls along a cosine to zero."""
    rising = max(1, round(warm_up * n_steps))
    if step < rising:
        return peak * (step + 1) / rising
    return 0.5 * peak * (1 + math.cos(math.pi * (step - rising) / max(1, n_steps - rising)))


def rows_of_step(rows: np.ndarray, step: int, batch_size: int, seed: int, world: World) -> np.ndarray:
    """Rows of one step for this process: each epoch all rows in a new order, but for the rest."""
    epoch, k = divmod(step, len(rows) // batch_size)
    order = np.random.default_rng([seed, epoch]).permutation(len(rows))
    batch = rows[order[k * batch_size : (k + 1) * batch_size]]
    return batch[world.rank :: world.size]


def generator(device: str, *numbers: int) -> Generator:
    """Random numbers that follow from some integers, on a device."""
    return Generator(device).manual_seed(_seed(*numbers))


def precision_on(device: str, wanted: str) -> str:
    """Number type of the network's arithmetic: by default bfloat16 where a GPU has it, as it gains there."""
    if wanted != "auto":
        return wanted
    gains = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return "bfloat16" if gains else "float32"


def autocast(device: str, precision: str) -> AbstractContextManager[Any]:
    """Arithmetic of the network in bfloat16 where that is asked for."""
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16)


def parameter_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels, but not offsets and the scales of normalisations."""
    parameters = [p for p in parameters if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
