"""
A quantity against the number of labels: a frozen encoder, the same fine-tuned, and its network from scratch.

All are measured on the same galaxies, which are held out by a hash of their ids. Each result is written down
as soon as it is there, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.analysis.efficiency import Run, fractions, measure_quantity
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.encoders import Encoder, find, load
from glue_zoobot.errors import AnalysisError, EncoderError
from glue_zoobot.images import Catalogue
from glue_zoobot.training.finetuning import finetune
from glue_zoobot.training.loop import Report
from glue_zoobot.training.recipes import FinetuneRecipe
from glue_zoobot.training.split import split_labels
from glue_zoobot.training.taught import embedded

__all__ = ["METHODS", "LabelCurve", "from_scratch"]

METHODS = ("frozen", "tuned", "scratch")
RESULTS = "results.jsonl"
TERMS = "terms.json"


def from_scratch(recipe: FinetuneRecipe) -> FinetuneRecipe:
    """
    Train the same network from random weights: every layer at one rate, without dropout, ten times as fast.

    The rate and the dropout of fine-tuning leave a network that knows nothing where it is.
    """
    spec = find(recipe.init)
    if spec.family == "torchvision":
        raise EncoderError(f"{spec.name} is not a network of timm, which alone are trained from scratch here")
    return replace(
        recipe,
        init="",
        architecture=spec.architecture,
        input_size=recipe.input_size or spec.input_size,
        crop=recipe.crop or spec.crop,
        learning_rate=10 * recipe.learning_rate,
        layer_decay=1.0,
        dropout=0.0,
        n_blocks=-1,
    )


@dataclass(frozen=True)
class LabelCurve:
    """
    What is compared.

    Attributes
    ----------
    catalogue : Catalogue
    labels : dict
        Number by object id; all there are.
    target : str
    kind : str or None
        number or redshift; by default as they look.
    recipe : FinetuneRecipe
        Of the fine-tuning; ``init`` is the encoder that is compared.
    folder : Path
        For the results and the trainings at hand.
    device : str
    """

    catalogue: Catalogue
    labels: Mapping[str, Any]
    target: str
    kind: str | None
    recipe: FinetuneRecipe
    folder: Path
    device: str

    def run(
        self,
        methods: Sequence[str],
        counts: Sequence[int],
        seeds: Sequence[int],
        report: Report,
        stopped: Callable[[], bool] = bool,
    ) -> list[Run] | None:
        """
        Measure every method with every number of labels and every draw of them.

        Parameters
        ----------
        methods : sequence of str
            Of `METHODS`.
        counts : sequence of int
            Numbers of labels; empty for a sixteenth, an eighth, … of what there is to draw from.
        seeds : sequence of int
            One draw each; the labels of a smaller number are among those of a larger.
        report, stopped
            As for `finetune`.

        Returns
        -------
        list of Run or None
            None if it was stopped.

        Raises
        ------
        AnalysisError
            If there are too few labelled galaxies, or the folder holds results of something else.
        """
        from glue_zoobot.analysis.fewlabels import drawn, sides

        unknown = [method for method in methods if method not in METHODS]
        if unknown:
            raise AnalysisError(f"there is no method {unknown[0]!r}; choose of {', '.join(METHODS)}")
        rows, values, redshift = self._labelled()
        pool, test, usable = sides(self.catalogue.source.object_ids[rows], counts or [1])
        usable = usable if counts else fractions(len(pool))
        self._claim()
        done = {(run.method, run.labels, run.seed): run for run in self.results()}
        wanted = [(method, count, seed) for seed in seeds for method in methods for count in usable]
        report.say(
            f"{len(pool):,} labels to draw from, {len(test):,} galaxies to measure by; "
            f"{sum(key in done for key in wanted)} of {len(wanted)} measured before"
        )
        frozen: Encoder | None = None
        X = np.empty((0, 0))
        for method, count, seed in wanted:
            if (method, count, seed) in done:
                continue
            if stopped():
                return None
            some = drawn(pool, count, seed)
            if method == "frozen":
                if frozen is None:
                    frozen = load(self.recipe.init, self.device)
                    X, _ = embedded(self.catalogue, rows, values, frozen)
                    if len(X) != len(rows):
                        raise AnalysisError("some labelled images cannot be read; leave them out")
                head = GalaxyRegressor(seed, redshift=redshift).fit(X[some], values[some], X)
                found = measure_quantity(head, X[test], values[test])
            else:
                trained = self._trained(method, rows[some], values[some], seed, stopped)
                if trained is None:
                    return None
                found = measure_quantity(
                    trained[0], *embedded(self.catalogue, rows[test], values[test], trained[1])
                )
            run = Run(method, count, seed, found)
            self._note(run)
            done[method, count, seed] = run
            first = next(iter(found))
            report.say(
                f"{method}, {count:,} labels, draw {seed}: {first} {found[first]:.4f}, R² {found['r2']:.3f}"
            )
        return [done[key] for key in wanted]

    def results(self) -> list[Run]:
        """What has been measured so far; a last line that was cut off is measured again."""
        runs = []
        if (self.folder / RESULTS).is_file():
            for line in (self.folder / RESULTS).read_text(encoding="utf-8").splitlines():
                try:
                    runs.append(Run(**json.loads(line)))
                except (ValueError, TypeError):
                    continue
        return runs

    def _labelled(self) -> tuple[np.ndarray, np.ndarray, bool]:
        split = split_labels(self.catalogue, self.labels, self.kind, self.target)
        if split.kind != "number":
            raise AnalysisError(
                f"{self.target} holds classes, not numbers; `glue-zoobot bench fewlabels` compares those"
            )
        rows = np.concatenate([split.train, split.held])
        values = np.concatenate([split.train_values, split.held_values])
        order = np.argsort(rows)
        return rows[order], values[order], split.redshift

    def _trained(
        self, method: str, rows: np.ndarray, values: np.ndarray, seed: int, stopped: Callable[[], bool]
    ) -> tuple[GalaxyRegressor, Encoder] | None:
        """Fine-tune, or train from scratch, and give the head with its encoder."""
        ids = self.catalogue.source.object_ids[rows]
        recipe = replace(self.recipe if method == "tuned" else from_scratch(self.recipe), seed=seed)
        folder = self.folder / f"{method}-{len(rows)}-{seed}"
        taught = finetune(
            self.catalogue, dict(zip(ids, values, strict=True)), self.target, recipe, folder, self.device,
            self.kind, stopped=stopped,
        )  # fmt: skip
        if taught is None:
            return None
        encoder, head = load(folder, self.device), taught.head.estimator
        shutil.rmtree(folder)
        assert isinstance(head, GalaxyRegressor)
        return head, encoder

    def _claim(self) -> None:
        """Keep what is compared, so that results of something else are not mixed with these."""
        terms = json.loads(
            json.dumps({"target": self.target, "labels": len(self.labels), "recipe": asdict(self.recipe)})
        )
        kept = self.folder / TERMS
        if not kept.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(terms, indent=1), encoding="utf-8")
        elif json.loads(kept.read_text(encoding="utf-8")) != terms:
            raise AnalysisError(
                f"{self.folder} holds results that were made in another way; choose another -o"
            )

    def _note(self, run: Run) -> None:
        path = self.folder / RESULTS
        cut_off = path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("\n" if cut_off else "") + json.dumps(asdict(run)) + "\n")
