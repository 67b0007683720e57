"""
Fine-tune an encoder towards a class or a quantity that some galaxies are labelled with.

First the head: taught on the features of the encoder as it is, so that the training starts where a frozen
encoder ends. Then the blocks, the upper ones faster than the lower ones if that is asked for (layer-wise
decay of the rate). After each epoch the network halfway between the one that is trained and the encoder as
it was is judged by galaxies held out: it has learnt the labels and forgotten less (Wortsman et al. 2022,
`arXiv:2109.01903`). Of a number the one that is trained is judged as well. The best is kept, which may be
the frozen one. Of classes it is then trained again, for as many epochs, with the galaxies that were held
out as well: of few labels a fifth is too much to lose.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.heads import CONFIG
from glue_zoobot.encoders import EncoderSpec, pick_device
from glue_zoobot.images import Catalogue
from glue_zoobot.training import card, checkpoint
from glue_zoobot.training.augment import plain_view, random_view
from glue_zoobot.training.distributed import World
from glue_zoobot.training.galaxies import Feeder, Galaxies, gather, origin_of
from glue_zoobot.training.grouped import share_gradients
from glue_zoobot.training.layers import freeze, layer_groups, train_mode
from glue_zoobot.training.loop import Report, Silence, Training, autocast, cosine, generator, precision_on
from glue_zoobot.training.network import describe, normalise, trainable
from glue_zoobot.training.quantity import Quantity
from glue_zoobot.training.recipes import PRECISIONS, FinetuneRecipe, check, require_same
from glue_zoobot.training.split import Split, split_labels
from glue_zoobot.training.stretch import COMPOSITES
from glue_zoobot.training.taught import HEAD, JUDGED, Taught, fit, teach_tuned

__all__ = ["finetune"]

FEWEST_STEPS = 10  # of an epoch, after which it is judged
HALFWAY, WHOLE = 0.5, 1.0  # from the weights as they were to those that are trained
RAN_AWAY = 50.0  # log loss of a network that gives no numbers any more
GROUPING = 256  # pictures that show how neurons act


def finetune(
    catalogue: Catalogue,
    labels: Mapping[str, Any],
    target: str,
    recipe: FinetuneRecipe,
    folder: str | Path,
    device: str = "auto",
    kind: str | None = None,
    report: Report | None = None,
    stopped: Callable[[], bool] = bool,
) -> Taught | None:
    """
    Fine-tune, from where an earlier call with the same arguments was stopped or killed.

    Parameters
    ----------
    catalogue : Catalogue
        The images; only those of labelled galaxies are read.
    labels : mapping
        Label by object id (see `glue_zoobot.analysis.teaching.read_labels`).
    target : str
        What the labels say: name of the class or quantity.
    recipe : FinetuneRecipe
    folder : str or Path
        Of the new encoder; its head is in ``head`` in it.
    device : str
    kind : {"classes", "number", "redshift"}, optional
        By default as the labels look, a redshift by the name of the target.
    report, stopped
        As for `pretrain`.

    Returns
    -------
    Taught or None
        The head, with figures of galaxies held out; None if it was stopped.

    Raises
    ------
    AnalysisError
        If there is not enough to learn from.
    EncoderError
        If the folder is something else, or the training runs away.
    """
    check(recipe, composite=tuple(COMPOSITES), precision=PRECISIONS)
    folder, report = Path(folder), report or Silence()
    split = split_labels(catalogue, labels, kind, target)
    labelled = sorted(f"{name} {value}" for name, value in labels.items())
    terms = {**recipe.to_dict(), "target": target, "labels": card.fingerprint(labelled)}
    terms["catalogue"] = origin_of(catalogue)
    where = World(0, 1, pick_device(device))
    if not card.finished(folder, terms):
        spec = describe(recipe.architecture, recipe.init, recipe.input_size, recipe.crop)
        work = card.prepare(folder)
        rows = np.sort(np.concatenate([split.train, split.held]))
        galaxies = gather(catalogue, spec, recipe.composite, work, where, report, stopped, rows, fewest=2)
        if galaxies is None:
            return None
        job = _Finetuning(galaxies, recipe, spec, split.among(galaxies.rows), where)
        training = job.begin(work / "checkpoint.safetensors", terms, report, stopped)
        if not job.run(training):
            return None
        made: Any = training.networks["best"]
        facts = job.facts(catalogue, target)
        if job.gains_by_all_labels:
            card.prepare(folder / JUDGED)
            card.write_encoder(folder / JUDGED, made.encoder, job.spec, terms, training.curves, facts)
            report.say("Training again, with all labels")
            made = job.with_all_labels(work / "all.safetensors", terms, report, stopped)
            if made is None:
                return None
        card.write_encoder(folder, made.encoder, job.spec, terms, training.curves, facts)
    if (folder / HEAD / CONFIG).exists():
        report.say(f"Nothing to do: {folder} is fine-tuned; its head is taught again to measure it")
    return teach_tuned(folder, catalogue, split, target, where.device, recipe.seed)


class Tuned(nn.Module):
    """
    An encoder with one linear layer on it.

    The layer reads features of zero mean and unit variance, as they were at the start: whatever the encoder,
    one rate suits it, and dropout takes away differences between galaxies and not what all have in common.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, encoder: nn.Module, outputs: int, dropout: float) -> None:
        super().__init__()
        width = int(encoder.num_features)  # type: ignore[arg-type]
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, outputs)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of classes, (B, C), or standardised numbers, (B, 1)."""
        return self.head(self.dropout((self.encoder(inputs) - self.mean) / self.deviation))

    @torch.no_grad()
    def set_head(self, features: np.ndarray, weights: np.ndarray, offset: np.ndarray) -> None:
        """Standardise by some features, (n, D), and say of any what ``features @ weights + offset`` does."""
        mean, deviation = features.mean(0), features.std(0)
        deviation[deviation < 1e-6 * (np.abs(mean) + 1e-6)] = (
            np.inf
        )  # says nothing of a galaxy, so counts for 0
        weight = np.where(np.isfinite(deviation), deviation, 0)[:, None] * weights
        values = (self.mean, mean), (self.deviation, deviation), (self.head.weight, weight.T)
        for place, value in (*values, (self.head.bias, offset + mean @ weights)):
            place.copy_(torch.from_numpy(np.asarray(value, dtype=np.float32)))


class _Progress(Silence):
    """Passes progress on, but no figures: of a training that nothing is held out from there are none."""

    def __init__(self, report: Report) -> None:
        self.progress = report.progress  # type: ignore[method-assign]


class _Finetuning:
    """One fine-tuning: what the steps need, and how the network is judged."""

    def __init__(
        self,
        galaxies: Galaxies,
        recipe: FinetuneRecipe,
        spec: EncoderSpec,
        split: Split,
        where: World,
        ways: tuple[float, ...] = (),
    ) -> None:
        split.require_enough()
        self.galaxies, self.recipe, self.split, self.where = galaxies, recipe, split, where
        self.spec = spec if recipe.init else galaxies.colours(spec)
        self.precision = precision_on(where.device, recipe.precision)
        self.batch_size = min(recipe.batch_size, len(split.train))
        self.steps_per_epoch = max(FEWEST_STEPS, len(split.train) // self.batch_size)
        self.n_steps = recipe.epochs * self.steps_per_epoch
        self.weights = split.weights()
        self.quantity = (
            Quantity(split.train_values, recipe.bins, split.redshift) if split.kind == "number" else None
        )
        self.ways = ways or self._ways()
        self.targets = torch.from_numpy(split.targets(split.train_values))
        self.held_targets = torch.from_numpy(split.targets(split.held_values))

    def begin(
        self, path: Path, terms: dict[str, Any], report: Report, stopped: Callable[[], bool]
    ) -> Training:
        """Build the network, its head taught on the features as they are, or as the checkpoint says."""
        recipe = self.recipe
        torch.manual_seed(recipe.seed)
        encoder = trainable(self.spec, recipe.init)
        self.spec = self.spec.replace(width=int(encoder.num_features))  # type: ignore[arg-type]
        outputs = self.quantity.n_outputs if self.quantity else len(self.split.classes)
        self.network = Tuned(encoder, outputs, recipe.dropout).to(self.where.device)
        freeze(encoder, recipe.n_blocks)
        if recipe.init:
            self._teach_head()
        self.start = copy.deepcopy(self.network.state_dict())
        self.judged = copy.deepcopy(self.network).requires_grad_(False)
        if recipe.groups:
            some = self.split.train[:GROUPING]
            n = share_gradients(encoder, self._inputs(some), recipe.groups, recipe.seed)
            report.say(f"Neurons of {n} layers share gradients in {recipe.groups} groups each")
        groups = layer_groups(encoder, self.network.head, recipe.layer_decay, recipe.weight_decay)
        training = Training(
            networks={
                "network": self.network,
                "average": copy.deepcopy(self.network).requires_grad_(False),
                "best": copy.deepcopy(self.network).requires_grad_(False),
            },
            optimiser=torch.optim.AdamW(groups, lr=recipe.learning_rate),
            world=self.where,
            path=path,
            facts={"recipe": terms},
            clip=recipe.clip,
            report=report,
            stopped=stopped,
            broken=self.galaxies.broken,
        )
        if path.exists():
            require_same(terms, checkpoint.read_facts(path)["recipe"], path.parent.parent)
            training.resume()
            report.say(f"Going on after step {training.step:,} of at most {self.n_steps:,}")
        elif not len(self.split.held):
            report.say("Too few labels to hold some out: the training runs through all its epochs")
        return training

    def run(self, training: Training) -> bool:
        """Train until the galaxies held out gain nothing more; False if it was stopped."""
        recipe, self.training = self.recipe, training
        if not training.curves:
            training.curves.append({"epoch": 0, **self._judge(0)})
            training.report.epoch(training.curves[0])
        feeder = Feeder(self._batch, self.n_steps)
        train_mode(self.network)
        try:
            return training.run(
                recipe.epochs,
                self.steps_per_epoch,
                self.batch_size,
                recipe.seed,
                lambda step: self._loss(step, *feeder(step)),
                lambda step: cosine(step, self.n_steps, recipe.learning_rate, recipe.warm_up),
                self._judge,
                self._enough,
            )
        finally:
            feeder.close()

    @property
    def gains_by_all_labels(self) -> bool:
        """Whether to train again with what was held out; intervals of a number need galaxies never seen."""
        return (
            not self.quantity and len(self.split.held) > 0 and _best_epoch(self.training.curves)["epoch"] > 0
        )

    def with_all_labels(
        self, path: Path, terms: dict[str, Any], report: Report, stopped: Callable[[], bool]
    ) -> Any:
        """Train as before, but with nothing held out, and go as far of the way; None if it was stopped."""
        curves = self.training.curves
        recipe = replace(self.recipe, epochs=curves[-1]["epoch"])
        ways = (_best_epoch(curves)["of_the_way"],)
        again = _Finetuning(self.galaxies, recipe, self.spec, self.split.with_held(), self.where, ways)
        training = again.begin(path, terms, _Progress(report), stopped)
        return training.networks["best"] if again.run(training) else None

    def _batch(self, step: int) -> tuple[np.ndarray, Tensor]:
        """Draw positions among the galaxies to train on, every class as often as every other."""
        chance = np.random.default_rng([self.recipe.seed, step])
        drawn = chance.choice(len(self.split.train), self.batch_size, p=self.weights)
        return drawn, self.galaxies.pictures.batch(self.split.train[drawn])

    def _loss(self, step: int, drawn: np.ndarray, pictures: Tensor) -> Tensor:
        chance = generator(self.where.device, self.recipe.seed, step, 1)
        inputs = self._inputs(self.split.train[drawn], pictures, chance)
        with autocast(self.where.device, self.precision):
            said = self.network(inputs)
        return self._error(said.float(), self.targets[torch.from_numpy(drawn)].to(said.device))

    def _error(self, said: Tensor, truth: Tensor) -> Tensor:
        if self.quantity:
            return self.quantity.loss(said, truth)
        return F.cross_entropy(said, truth, label_smoothing=self.recipe.label_smoothing)

    def _judge(self, epoch: int) -> dict[str, float]:
        """Figures of the galaxies held out; the best state so far is kept."""
        best, ways = _best(self.training.curves), self.ways if epoch else (WHOLE,)
        if not len(self.split.held):
            self._go(self.ways[0])
            self.training.networks["best"].load_state_dict(self.judged.state_dict())
            return {}
        found = []
        for way in ways:
            self._go(way)
            found.append({**self._figures(), "of_the_way": way})
            if epoch and found[-1]["held_out_loss"] < best:
                best = found[-1]["held_out_loss"]
                self.training.networks["best"].load_state_dict(self.judged.state_dict())
        return min(found, key=lambda figures: figures["held_out_loss"])

    def _ways(self) -> tuple[float, ...]:
        """How far to go: of classes halfway, a number may gain by more, and random weights mean nothing."""
        if not self.recipe.init:
            return (WHOLE,)
        return (HALFWAY, WHOLE) if self.quantity else (HALFWAY,)

    def _go(self, way: float) -> None:
        """Set the network that is judged: part of the way from the weights as they were to the average."""
        trained = self.training.networks["average"].state_dict()
        for name, tensor in self.judged.state_dict().items():
            if tensor.is_floating_point() and way < 1:
                tensor.copy_(torch.lerp(self.start[name], trained[name], way))
            else:
                tensor.copy_(trained[name])

    def _figures(self) -> dict[str, float]:
        """Figures of the network that is judged."""
        if self.quantity:
            return self.quantity.figures(self._through(self.judged, self.split.held), self.held_targets)
        return self._of_classes()

    def _of_classes(self) -> dict[str, float]:
        """
        Log loss and balanced accuracy of a head as the encoder will get when it is done.

        The linear layer that is trained sees classes in equal shares and learns slowly; judged by it, an
        encoder that has gained would look worse than the frozen one.
        """
        split, truth = self.split, self.held_targets.numpy()
        rows = (split.train, split.held)
        seen, held = (self._through(self.judged.encoder, some).numpy() for some in rows)  # type: ignore[arg-type]
        if not (np.isfinite(seen).all() and np.isfinite(held).all()):
            return {"held_out_loss": RAN_AWAY, "balanced_accuracy": 0.0}
        head = GalaxyClassifier(random_state=self.recipe.seed).fit(seen, split.train_values)
        said = head.predict_proba(held)
        right = said.argmax(1) == truth
        return {
            "held_out_loss": float(-np.log(np.maximum(said[np.arange(len(truth)), truth], 1e-9)).mean()),
            "balanced_accuracy": float(np.mean([right[truth == code].mean() for code in np.unique(truth)])),
        }

    def _enough(self, curves: list[dict[str, Any]]) -> bool:
        """Whether the galaxies held out have gained nothing for `patience` epochs."""
        losses = [row["held_out_loss"] for row in curves if "held_out_loss" in row]
        return (
            len(losses) > self.recipe.patience and int(np.argmin(losses)) < len(losses) - self.recipe.patience
        )

    def _teach_head(self) -> None:
        """Set the linear layer to the head of the frozen encoder."""
        split = self.split
        features = self._through(self.network.encoder, split.train).numpy()
        if self.quantity:
            weights, offset = self.quantity.head(features, split.train_values, self.recipe.seed)
        else:
            linear = fit(split.kind, features, split.train_values, self.recipe.seed).linear_
            weights, offset = linear.weights, linear.offset
        self.network.set_head(features, weights, offset)

    @torch.no_grad()
    def _through(self, network: nn.Module, rows: np.ndarray, size: int = 256) -> Tensor:
        """What a network says of the plain views of some rows, (n, K) float32; leaves it in training mode."""
        network.eval()
        parts = [
            network(self._inputs(some)).float().cpu() for some in np.split(rows, range(size, len(rows), size))
        ]
        train_mode(self.network)
        return torch.cat(parts)

    def _inputs(
        self, rows: np.ndarray, pictures: Tensor | None = None, chance: Generator | None = None
    ) -> Tensor:
        """Plain views of some rows, or random ones, as the network reads them."""
        galaxies, device = self.galaxies, self.where.device
        pictures = (galaxies.pictures.batch(rows) if pictures is None else pictures).to(device)
        look = (self.spec.input_size, self.spec.crop, galaxies.composite)
        if chance is None:
            return normalise(plain_view(pictures, *look), self.spec)
        changes, ebv = self.recipe.augmentations, galaxies.dust_of(rows, device)
        return normalise(random_view(pictures, *look, changes, chance, ebv), self.spec)

    def facts(self, catalogue: Catalogue, target: str) -> dict[str, Any]:
        """Say for the model card what the encoder was tuned on."""
        split, best = self.split, _best_epoch(self.training.curves)
        names, counts = np.unique(split.train_values, return_counts=True)
        return {
            "data": Path(catalogue.spec.path).name,
            "target": target,
            "galaxies trained on": len(split.train),
            "of each class": dict(zip(map(str, names), counts.tolist(), strict=True))
            if split.kind == "classes"
            else "a number",
            "galaxies held out": len(split.held),
            "broken images left out": self.galaxies.broken,
            "best epoch": best["epoch"],
            "of the way from the weights as they were": best.get("of_the_way", self.ways[0]),
            "galaxies per step": self.batch_size,
            "arithmetic": f"{self.precision} on {self.where.device}",
        }


def _best(curves: list[dict[str, Any]]) -> float:
    return min((row["held_out_loss"] for row in curves if "held_out_loss" in row), default=np.inf)


def _best_epoch(curves: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [row for row in curves if "held_out_loss" in row] or [curves[-1]]
    return min(judged, key=lambda row: row.get("held_out_loss", 0.0))
