"""
The head that goes with a fine-tuned encoder, and figures that are honest for it.

The encoder has seen the galaxies it was tuned on, so that cross-validation among them would flatter. Heads
that are taught on those alone are judged by the galaxies that were held out: which is best, how it is to be
calibrated, how good it is. The head that is kept is, of classes, taught on all of them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.merit import Figure, class_figures
from glue_zoobot.analysis.redshift import quantity_figures
from glue_zoobot.analysis.regress import COVERAGE, GalaxyRegressor
from glue_zoobot.embedding.manifest import describe_encoder
from glue_zoobot.embedding.pipeline import embed_rows
from glue_zoobot.encoders import Encoder, load
from glue_zoobot.images import Catalogue
from glue_zoobot.training.card import versions
from glue_zoobot.training.split import Split

__all__ = ["HEAD", "Taught", "embedded", "fit", "foretold", "measure", "teach_tuned"]

HEAD = "head"
ENOUGH = 20  # galaxies held out, below which cross-validation judges
BATCH = 32
Estimator = GalaxyClassifier | GalaxyRegressor


@dataclass(frozen=True)
class Taught:
    """
    The head of a fine-tuned encoder.

    Attributes
    ----------
    head : Head
    figures : list of Figure
        Of galaxies held out; empty if there were none.
    """

    head: Head
    figures: list[Figure]

    def text(self) -> str:
        """Say how good it is."""
        if not self.figures:
            return "No galaxy was held out to measure by: with more labels there would be."
        said = "; ".join(figure.text() for figure in self.figures if np.isfinite(figure.value))
        return f"Of galaxies held out, with 95 % intervals: {said}."


def teach_tuned(
    folder: Path, catalogue: Catalogue, split: Split, target: str, device: str, seed: int
) -> Taught:
    """
    Embed the labelled galaxies with a fine-tuned encoder, teach its head, and save it in its folder.

    Parameters
    ----------
    folder : Path
        Of the encoder; the head gets ``head`` in it.
    catalogue : Catalogue
    split : Split
        Which galaxies are labelled, and which of them were held out.
    target : str
    device : str
    seed : int
    """
    encoder = load(folder, device)
    train, y_train = embedded(catalogue, split.train, split.train_values, encoder)
    held, y_held = embedded(catalogue, split.held, split.held_values, encoder)
    estimator = fit(split.kind, train, y_train, seed, split.redshift, (held, y_held))
    figures = measure(estimator, held, y_held, seed) if len(held) else []
    if isinstance(estimator, GalaxyRegressor) and len(held) >= ENOUGH:
        estimator.calibrate(held, y_held)
    described = describe_encoder(encoder.spec)
    provenance = {
        "encoder": str(described["name"]),
        "weights_sha256": str(described["sha256"]),
        "preprocessing_hash": str(described["preprocessing_hash"]),
        "precision": encoder.precision,
        "labels": str(len(train)),
        "held_out": str(len(held)),
        "calibrated_on": "galaxies held out" if len(held) >= ENOUGH else "galaxies the encoder has seen",
        "random_state": str(seed),
        **{f"version_{name}": number for name, number in versions().items()},
    }
    head = Head(target, estimator, provenance)
    head.save(folder / HEAD)
    return Taught(head, figures)


def fit(
    kind: str,
    X: np.ndarray,
    y: np.ndarray,
    seed: int,
    redshift: bool = False,
    held: tuple[np.ndarray, np.ndarray] | None = None,
) -> Estimator:
    """
    Teach a head on embeddings that an encoder has seen.

    Parameters
    ----------
    kind : {"classes", "number"}
    X, y : np.ndarray
        Shape (n, D) and (n,).
    seed : int
    redshift : bool
        Whether the number is one.
    held : tuple of np.ndarray, optional
        Embeddings (m, D) and labels (m,) of galaxies new to the encoder, which are the judge if they are
        enough.
    """
    judge = held if held is not None and len(held[1]) >= ENOUGH else None
    if kind == "number":
        return GalaxyRegressor(seed, redshift=redshift).fit(X, y, judge=judge)
    return GalaxyClassifier(random_state=seed).fit(X, y, judge=judge)


def foretold(estimator: Estimator, held: np.ndarray) -> np.ndarray:
    """What a head that `fit` has taught said of the galaxies held out, (m, C) or (m,), before it saw them."""
    if isinstance(estimator, GalaxyRegressor):
        return estimator.predict(held)
    return estimator.out_of_fold_[-len(held) :] if len(held) >= ENOUGH else estimator.predict_proba(held)


def measure(estimator: Estimator, held: np.ndarray, y_held: np.ndarray, seed: int) -> list[Figure]:
    """Figures of merit of what `fit` has taught, of the galaxies held out."""
    if isinstance(estimator, GalaxyRegressor):
        apart = copy.copy(estimator)
        apart.calibrate(held, y_held)  # intervals as they will be, each set by the other galaxies held out
        return quantity_figures(y_held, foretold(apart, held), apart.covered_, apart.redshift, COVERAGE, seed)
    return class_figures(foretold(estimator, held), np.searchsorted(estimator.classes_, y_held), seed)


def embedded(
    catalogue: Catalogue, rows: np.ndarray, values: np.ndarray, encoder: Encoder
) -> tuple[np.ndarray, np.ndarray]:
    """Embed rows as `glue-zoobot embed` does; those that cannot be are left out, with their values."""
    vectors = [v for batch in embed_rows(catalogue.source, rows, encoder, BATCH) for v in batch.vectors]
    whole = np.array([vector is not None for vector in vectors], dtype=bool)
    matrix = np.array([v for v in vectors if v is not None], dtype=np.float32).reshape(-1, encoder.width)
    return matrix, values[whole]
