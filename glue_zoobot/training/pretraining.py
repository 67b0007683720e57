"""Train an encoder on the images of a catalogue: from a recipe to a directory that is an encoder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glue_zoobot.encoders import EncoderSpec
from glue_zoobot.encoders.mini import held_out
from glue_zoobot.images import Catalogue
from glue_zoobot.training import card, checkpoint
from glue_zoobot.training.answers import Answers, class_codes, read_answers
from glue_zoobot.training.augment import plain_view, random_view
from glue_zoobot.training.distributed import World, world
from glue_zoobot.training.galaxies import Feeder, Galaxies, gather, origin_of
from glue_zoobot.training.loop import (
    Report,
    Silence,
    Training,
    autocast,
    cosine,
    generator,
    parameter_groups,
    precision_on,
    rows_of_step,
)
from glue_zoobot.training.network import PROJECTION, Learner, describe, normalise, trainable
from glue_zoobot.training.objectives import OBJECTIVES, agreement
from glue_zoobot.training.probe import MOST_PROBED, precision_at
from glue_zoobot.training.recipes import PRECISIONS, PretrainRecipe, check, require_same
from glue_zoobot.training.stretch import COMPOSITES

__all__ = ["pretrain"]


def pretrain(
    catalogue: Catalogue,
    recipe: PretrainRecipe,
    folder: str | Path,
    device: str = "auto",
    report: Report | None = None,
    stopped: Callable[[], bool] = bool,
) -> Path | None:
    """
    Train an encoder, from where an earlier call with the same arguments was stopped or killed.

    Parameters
    ----------
    catalogue : Catalogue
        The images, and labels if some are to be learnt beside or to probe by.
    recipe : PretrainRecipe
    folder : str or Path
        Of the new encoder.
    device : str
        As for `glue_zoobot.encoders.load`.
    report : Report, optional
        Is told how it goes.
    stopped : callable
        Asked before each step whether to stop.

    Returns
    -------
    Path or None
        The folder, which is an encoder; None if it was stopped.

    Raises
    ------
    EncoderError
        If there are too few images, the folder is something else, or the training runs away.
    CatalogueError
        If a column that is named does not exist or does not hold labels.
    """
    check(recipe, objective=tuple(OBJECTIVES), composite=tuple(COMPOSITES), precision=PRECISIONS)
    folder, report = Path(folder), report or Silence()
    terms = {**recipe.to_dict(), "catalogue": origin_of(catalogue)}
    if card.finished(folder, terms):
        report.say(f"Nothing to do: {folder} is trained")
        return folder
    answers = read_answers(catalogue.table, recipe.supervise)
    labels = class_codes(catalogue.table, recipe.probe)[1] if recipe.probe else None
    spec = describe(recipe.architecture, recipe.init, recipe.input_size, recipe.crop)
    with world(device) as where:
        work = card.prepare(folder)
        galaxies = gather(catalogue, spec, recipe.composite, work, where, report, stopped)
        if galaxies is None:
            return None
        spec = spec if recipe.init else galaxies.colours(spec)
        job = _Pretraining(galaxies, recipe, spec, answers, labels, where)
        training = job.begin(work / "checkpoint.safetensors", terms, report, stopped)
        whole = job.run(training)
        if whole and where.leads:
            average: Any = training.networks["average"]
            card.write_encoder(
                folder, average.encoder, job.spec, terms, training.curves, job.facts(catalogue, where)
            )
        where.wait()
    return folder if whole else None


class _Pretraining:
    """One training: what the steps need, and how the result is judged on the way."""

    def __init__(
        self,
        galaxies: Galaxies,
        recipe: PretrainRecipe,
        spec: EncoderSpec,
        answers: Answers | None,
        labels: np.ndarray | None,
        where: World,
    ) -> None:
        self.galaxies, self.recipe, self.where = galaxies, recipe, where
        self.spec, self.answers, self.labels = spec, answers, labels
        self.precision = precision_on(where.device, recipe.precision)
        batch = min(recipe.batch_size, len(galaxies.rows))
        self.batch_size = batch - batch % where.size
        self.steps_per_epoch = len(galaxies.rows) // self.batch_size
        self.n_steps = recipe.epochs * self.steps_per_epoch

    def begin(
        self, path: Path, terms: dict[str, Any], report: Report, stopped: Callable[[], bool]
    ) -> Training:
        """Build the networks, in the state of the checkpoint if there is one."""
        recipe, device = self.recipe, self.where.device
        torch.manual_seed(recipe.seed)
        encoder = trainable(self.spec, recipe.init)
        width = int(encoder.num_features)  # type: ignore[arg-type]
        self.spec = self.spec.replace(width=width)
        heads = self.answers.heads(width) if self.answers else torch.nn.ModuleDict()
        learner = Learner(encoder, PROJECTION[recipe.objective], heads).to(device)
        average = copy.deepcopy(learner).eval().requires_grad_(False)
        self.network = self.where.share(learner)
        groups = parameter_groups(learner.parameters(), recipe.weight_decay)
        training = Training(
            networks={"network": learner, "average": average},
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
            report.say(f"Going on after step {training.step:,} of {self.n_steps:,}")
        return training

    def run(self, training: Training) -> bool:
        """Train to the end; False if it was stopped."""
        recipe = self.recipe
        average: Any = training.networks["average"]
        if not training.curves and self.where.leads:
            training.curves.append({"epoch": 0, **self.probe(average.encoder)})
            training.report.epoch(training.curves[0])
        self.where.wait()
        feeder = Feeder(self._batch, self.n_steps)
        try:
            return training.run(
                recipe.epochs,
                self.steps_per_epoch,
                self.batch_size,
                recipe.seed,
                lambda step: self._loss(step, *feeder(step)),
                lambda step: cosine(step, self.n_steps, recipe.learning_rate, recipe.warm_up),
                lambda epoch: self.probe(average.encoder) if self._is_due(epoch) else {},
            )
        finally:
            feeder.close()

    def _batch(self, step: int) -> tuple[np.ndarray, Tensor]:
        rows = rows_of_step(self.galaxies.rows, step, self.batch_size, self.recipe.seed, self.where)
        return rows, self.galaxies.pictures.batch(rows)

    def _loss(self, step: int, rows: np.ndarray, pictures: Tensor) -> Tensor:
        recipe, device, galaxies = self.recipe, self.where.device, self.galaxies
        chance = generator(device, recipe.seed, step, self.where.rank, 1)
        pictures, ebv = pictures.to(device), galaxies.dust_of(rows, device)
        look = (self.spec.input_size, self.spec.crop, galaxies.composite, recipe.augmentations, chance, ebv)
        views = torch.cat([random_view(pictures, *look), random_view(pictures, *look)])
        with autocast(device, self.precision):
            features, projected, said = self.network(normalise(views, self.spec))
        loss = OBJECTIVES[recipe.objective](projected) + recipe.agreement * agreement(features)
        if self.answers:
            loss = loss + self.answers.loss(said, torch.from_numpy(np.tile(rows, 2)))
        return loss

    def _is_due(self, epoch: int) -> bool:
        every = self.recipe.probe_every
        return epoch == self.recipe.epochs or (every > 0 and epoch % every == 0)

    def probe(self, encoder: torch.nn.Module) -> dict[str, float]:
        """Precision of the neighbours of labelled galaxies; those whose labels are learnt are not asked."""
        if self.labels is None:
            return {}
        rows = self.galaxies.rows[self.labels[self.galaxies.rows] >= 0]
        rows = rows[:: max(1, len(rows) // MOST_PROBED)]
        asked = np.ones(len(rows), dtype=bool)
        if self.answers:
            asked = np.array([held_out(str(i)) for i in self.galaxies.object_ids[rows]])
        return precision_at(self.embed(encoder, rows), self.labels[rows], asked)

    @torch.inference_mode()
    def embed(self, encoder: torch.nn.Module, rows: np.ndarray, size: int = 256) -> np.ndarray:
        """Embed the plain views of some rows, (n, D) float32."""
        parts = []
        for some in np.split(rows, range(size, len(rows), size)):
            pictures = self.galaxies.pictures.batch(some).to(self.where.device)
            view = plain_view(pictures, self.spec.input_size, self.spec.crop, self.galaxies.composite)
            parts.append(encoder(normalise(view, self.spec)).float().cpu().numpy())
        return np.concatenate(parts)

    def facts(self, catalogue: Catalogue, where: World) -> dict[str, Any]:
        """Say for the model card what the encoder was trained on."""
        galaxies = self.galaxies
        known = 0 if galaxies.ebv is None else int((~galaxies.ebv[galaxies.rows].isnan()).sum())
        return {
            "data": Path(catalogue.spec.path).name,
            "images": len(galaxies.rows),
            "broken images left out": galaxies.broken,
            "pixels of the stored frames": galaxies.pictures.pixels.shape[-1],
            "fluxes": "in bands" if galaxies.pictures.pixels.dtype != np.uint8 else "from colours",
            "galaxies with E(B-V) in the catalogue": known,
            "labels learnt": "none" if self.answers is None else "four galaxies in five, see supervise",
            "steps": self.n_steps,
            "galaxies per step": self.batch_size,
            "processes": where.size,
            "arithmetic": f"{self.precision} on {where.device}",
        }
