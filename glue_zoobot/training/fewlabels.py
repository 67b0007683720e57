"""
Which is best with so many labels: a frozen head, fine-tuning, with grouped gradients, or from scratch.

Every way is taught with the same labels and measured on the same galaxies, which none was shown. What is
measured is what a user gets: the encoder that `finetune` makes, and the head beside it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.fewlabels import Estimator, Score, drawn, measure, sides
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.analysis.teaching import Labelled
from glue_zoobot.embedding.pipeline import embed_rows
from glue_zoobot.encoders import load
from glue_zoobot.errors import AnalysisError, EncoderError
from glue_zoobot.images import Catalogue
from glue_zoobot.training.card import fingerprint
from glue_zoobot.training.finetuning import finetune
from glue_zoobot.training.recipes import GROUPS, FinetuneRecipe
from glue_zoobot.training.taught import HEAD

__all__ = ["METHODS", "Contest", "Record"]

METHODS = ("frozen", "fine-tuned", "grouped", "scratch")
BATCH = 32
SCRATCH_RATE = 1e-3  # a network that knows nothing yet must learn faster than one that does


class Record:
    """
    Measurements in a file, one line each, written as they are made: a run that was stopped goes on.

    Parameters
    ----------
    path : Path
        ``.jsonl``.
    terms : mapping
        What is compared, on what; another comparison is refused.

    Raises
    ------
    AnalysisError
        If the file is of another comparison, or no record at all.
    """

    def __init__(self, path: Path, terms: Mapping[str, Any]) -> None:
        self.path, self.scores = path, list[Score]()
        self._done: set[tuple[str, int, int]] = set()
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        try:
            read = [json.loads(line) for line in lines if line.endswith("}")]  # the last may be cut off
            before = read[0]["terms"] if read else dict(terms)
            for line in read[1:]:
                self._take(line)
        except (ValueError, KeyError, TypeError) as error:
            raise AnalysisError(f"{path} is no record of a comparison; choose another -o") from error
        differs = [name for name in terms if before.get(name) != terms[name]]
        if differs:
            raise AnalysisError(
                f"{path} holds a comparison with another {' and '.join(differs)}; choose another -o"
            )
        if not read:
            self._write({"terms": dict(terms)}, "w")
        elif lines[-1:] != [] and not lines[-1].endswith("}"):
            self._write({}, "a", before="\n")

    def __contains__(self, key: tuple[str, int, int]) -> bool:
        return key in self._done

    def add(self, score: Score) -> None:
        """Keep a measurement."""
        self._write(asdict(score), "a")
        self._take(asdict(score))

    def skip(self, head: str, labels: int, seed: int, reason: str) -> None:
        """Remember that something cannot be measured."""
        self._write({"head": head, "labels": labels, "seed": seed, "skipped": reason}, "a")
        self._done.add((head, labels, seed))

    def _take(self, line: Mapping[str, Any]) -> None:
        if not line:
            return
        self._done.add((line["head"], line["labels"], line["seed"]))
        if "values" in line:
            names = ("head", "labels", "seed", "values", "right")
            self.scores.append(Score(**{name: line[name] for name in names}))

    def _write(self, line: Mapping[str, Any], mode: str, before: str = "") -> None:
        with self.path.open(mode, encoding="utf-8") as file:
            file.write(f"{before}{json.dumps(line)}\n")


@dataclass(frozen=True)
class Contest:
    """
    What is compared.

    Attributes
    ----------
    catalogue : Catalogue
    labelled : Labelled
        Rows of the catalogue and their labels.
    names : np.ndarray
        Shape (n,), str: of the labelled galaxies; entries of one galaxy have one name.
    target : str
    encoders : sequence of str
        All are compared frozen; the first is fine-tuned, and its architecture trained from scratch.
    methods : sequence of str
        Of `METHODS`.
    counts, seeds : sequence of int
    recipe : FinetuneRecipe
        Of the fine-tuning.
    device : str
    tell : callable
        Told of what is done, in a line.
    stopped : callable
        Whether to end; what was begun goes on when it is run again.
    redshift : bool
        Whether the number is one.
    scratch_rate : float
        Of the training from random weights.
    """

    catalogue: Catalogue
    labelled: Labelled
    names: np.ndarray
    target: str
    encoders: Sequence[str]
    methods: Sequence[str]
    counts: Sequence[int]
    seeds: Sequence[int]
    recipe: FinetuneRecipe = field(default_factory=FinetuneRecipe)
    device: str = "auto"
    tell: Callable[[str], object] = lambda text: None
    stopped: Callable[[], bool] = bool
    redshift: bool = False
    scratch_rate: float = SCRATCH_RATE

    def run(self, path: Path) -> list[Score] | None:
        """
        Measure all, one after the other.

        Parameters
        ----------
        path : Path
            Of the record; a folder beside it holds what is needed on the way.

        Returns
        -------
        list of Score or None
            None if it was stopped.
        """
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown:
            raise AnalysisError(f"there is no method {unknown[0]!r}; choose of {', '.join(METHODS)}")
        record, work = Record(path, self._terms()), path.with_suffix(".work")
        work.mkdir(parents=True, exist_ok=True)
        pool, test, usable = sides(self.names, self.counts)
        todo = [
            (way, count, seed)
            for way in self._ways()
            for count in usable
            for seed in self.seeds
            if (way[0], count, seed) not in record
        ]
        slow = sum(way[2] != "frozen" for way, _, _ in todo)
        if slow:
            self.tell(f"{slow} trainings of at most {self.recipe.epochs} epochs; the first tells how long")
        took: list[float] = []
        for way, count, seed in todo:
            begun = time.monotonic()
            if self.stopped() or not self._measured(record, work, way, drawn(pool, count, seed), test, seed):
                return None
            if way[2] != "frozen":
                took.append(time.monotonic() - begun)
                left = (slow - len(took)) * float(np.mean(took)) / 60
                self.tell(f"{len(took)} of {slow} trainings done, about {left:.0f} minutes left")
        shutil.rmtree(work, ignore_errors=True)
        return record.scores

    def _ways(self) -> Iterator[tuple[str, str, str]]:
        """Name, encoder and method of each way, the quick ones first."""
        for encoder in self.encoders if "frozen" in self.methods else ():
            yield f"{_short(encoder)} frozen", encoder, "frozen"
        for method in self.methods:
            if method != "frozen":
                yield _short(self.encoders[0]) + f" {method}", self.encoders[0], method

    def _measured(
        self,
        record: Record,
        work: Path,
        way: tuple[str, str, str],
        rows: np.ndarray,
        test: np.ndarray,
        seed: int,
    ) -> bool:
        """Teach one way with the labels of some rows and measure it; False if it was stopped."""
        name, encoder, method = way
        values, count = self.labelled.values, len(rows)
        try:
            if method == "frozen":
                matrix = self._embedded(encoder, np.arange(len(values)), work / f"{_short(encoder)}.npy")
                head = self._new(seed).fit(matrix[rows], values[rows], matrix)
                seen = matrix[test]
            else:
                folder = work / f"{method}-{count}-{seed}"
                labels = {self._id(row): values[row] for row in rows}
                taught = finetune(
                    self.catalogue, labels, self.target, self._recipe(method, seed), folder, self.device,
                    "redshift" if self.redshift else self.labelled.kind, stopped=self.stopped,
                )  # fmt: skip
                if taught is None:
                    return False
                head, seen = Head.load(folder / HEAD).estimator, self._embedded(str(folder), test)
                shutil.rmtree(folder, ignore_errors=True)
        except AnalysisError as error:  # such as a draw of one class only
            record.skip(name, count, seed, str(error))
            self.tell(f"{name}, {count} labels, draw {seed}: {error}")
            return True
        score = measure(name, count, seed, head, seen, values[test])
        record.add(score)
        first, value = next(iter(score.values.items()))
        self.tell(f"{name}, {count} labels, draw {seed}: {first} {value:.3f}")
        return True

    def _recipe(self, method: str, seed: int) -> FinetuneRecipe:
        groups = GROUPS if method == "grouped" else 0
        recipe = replace(self.recipe, init=self.encoders[0], groups=groups, seed=seed)
        if method != "scratch":
            return recipe
        spec = load(self.encoders[0], "cpu").spec
        size = {"input_size": recipe.input_size or spec.input_size, "crop": recipe.crop or spec.crop}
        rates = {"learning_rate": self.scratch_rate, "layer_decay": 1.0}
        if self.labelled.kind == "number":
            rates["dropout"] = 0.0
        return replace(recipe, init="", architecture=spec.architecture, **size, **rates)  # type: ignore[arg-type]

    def _new(self, seed: int) -> Estimator:
        if self.labelled.kind == "number":
            return GalaxyRegressor(seed, redshift=self.redshift)
        return GalaxyClassifier(random_state=seed)

    def _id(self, row: int) -> str:
        return str(self.catalogue.source.object_ids[self.labelled.rows[row]])

    def _embedded(self, encoder: str, rows: np.ndarray, kept: Path | None = None) -> np.ndarray:
        """Embeddings of some labelled galaxies, (n, D); kept in a file if that is named."""
        if kept is not None and kept.exists():
            return np.asarray(np.load(kept, allow_pickle=False))
        network = load(encoder, self.device)
        batches = embed_rows(self.catalogue.source, self.labelled.rows[rows], network, BATCH)
        vectors = [vector for batch in batches for vector in batch.vectors]
        broken = [self._id(row) for row, vector in zip(rows, vectors, strict=True) if vector is None]
        if broken:
            raise EncoderError(
                f"{len(broken)} labelled images cannot be read ({broken[0]} …): leave them out of the labels"
            )
        matrix = np.array(vectors, dtype=np.float32)
        if kept is not None:
            with kept.with_suffix(".part").open("wb") as file:
                np.save(file, matrix)
            kept.with_suffix(".part").replace(kept)
        return matrix

    def _terms(self) -> dict[str, Any]:
        """What must be the same for measurements to stand in one table."""
        ids = [self._id(row) for row in range(len(self.names))]
        words = [f"{a} {b} {c}" for a, b, c in zip(ids, self.names, self.labelled.values, strict=True)]
        recipe = {key: value for key, value in self.recipe.to_dict().items() if key not in ("init", "seed")}
        return {
            "target": self.target,
            "labels": fingerprint(words),
            "encoder to tune": self.encoders[0],
            "file of weights": load(self.encoders[0], "cpu").spec.sha256,  # others may lie there by now
            "recipe": json.loads(json.dumps(recipe)),
            "rate from random weights": self.scratch_rate,
        }


def _short(encoder: str) -> str:
    """Name of an encoder in a table."""
    return Path(encoder).stem if "/" in encoder else encoder
