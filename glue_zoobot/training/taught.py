"""
The head that goes with a fine-tuned encoder, and figures that are honest for it.

The encoder has seen the galaxies it was tuned on, so that cross-validation among them would flatter. The head
is taught on those, but calibrated and measured on the galaxies that were held out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from glue_zoobot.analysis.classify import Calibration, GalaxyClassifier
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.linear import Linear
from glue_zoobot.analysis.merit import Figure, class_figures, number_figures
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.embedding.manifest import describe_encoder
from glue_zoobot.embedding.pipeline import embed_rows
from glue_zoobot.encoders import Encoder, load
from glue_zoobot.images import Catalogue
from glue_zoobot.training.card import versions
from glue_zoobot.training.split import Split

__all__ = ["HEAD", "Taught", "embedded", "fit", "measure", "teach_tuned"]

HEAD = "head"
ENOUGH = 20  # galaxies held out, below which the calibration by cross-validation is kept
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
    estimator = fit(split.kind, train, y_train, seed)
    figures: list[Figure] = []
    if len(held):
        figures = measure(estimator, held, y_held, seed)
    if len(held) >= ENOUGH:
        calibrate(estimator, held, y_held)
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


def fit(kind: str, X: np.ndarray, y: np.ndarray, seed: int) -> Estimator:
    """Teach a head on embeddings, (n, D)."""
    new = GalaxyRegressor if kind == "number" else GalaxyClassifier
    return new(random_state=seed).fit(X, y)


def measure(estimator: Estimator, X: np.ndarray, y: np.ndarray, seed: int) -> list[Figure]:
    """Figures of merit on galaxies that neither encoder nor head was shown."""
    if isinstance(estimator, GalaxyRegressor):
        return number_figures(y, estimator.predict(X), seed)
    known = np.isin(y, estimator.classes_)
    codes = np.searchsorted(estimator.classes_, y[known])
    return class_figures(estimator.predict_proba(X[known]), codes, seed) if known.any() else []


def calibrate(estimator: Estimator, X: np.ndarray, y: np.ndarray) -> None:
    """Set probabilities, sets and intervals by galaxies held out instead of those the encoder has seen."""
    if isinstance(estimator, GalaxyRegressor):
        found = estimator.linear_(X)
        estimator.nonconformity_ = np.sort(np.abs(y - estimator.predict(X)) / np.exp(found[:, 1]))
        return
    known = np.isin(y, estimator.classes_)
    codes = np.searchsorted(estimator.classes_, y[known])
    logits = estimator.linear_(X[known]).astype(np.float64)
    scale = Calibration.fit(logits[None], codes, 1.0)
    estimator.linear_ = Linear(
        (estimator.linear_.weights / scale.temperature).astype(np.float32),
        scale(estimator.linear_.offset).astype(np.float32),
    )
    own = softmax(scale(logits), axis=1)[np.arange(len(codes)), codes]
    estimator.nonconformity_ = np.sort(1 - own)


def embedded(
    catalogue: Catalogue, rows: np.ndarray, values: np.ndarray, encoder: Encoder
) -> tuple[np.ndarray, np.ndarray]:
    """Embed rows as `glue-zoobot embed` does; those that cannot be are left out, with their values."""
    vectors = [v for batch in embed_rows(catalogue.source, rows, encoder, BATCH) for v in batch.vectors]
    whole = np.array([vector is not None for vector in vectors], dtype=bool)
    matrix = np.array([v for v in vectors if v is not None], dtype=np.float32).reshape(-1, encoder.width)
    return matrix, values[whole]
