"""
The head that goes with a fine-tuned encoder, and figures that are honest for it.

The encoder has seen the galaxies it was tuned on, so that cross-validation among them would flatter. A head
that is taught on those alone is measured on the galaxies that were held out, which also say how sure it may
be. The head that is kept is, of classes, taught on all of them, by an encoder that was tuned on all of them,
and as sure.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from glue_zoobot.analysis.classify import Calibration, GalaxyClassifier
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.linear import Linear
from glue_zoobot.analysis.merit import Figure, class_figures
from glue_zoobot.analysis.redshift import quantity_figures
from glue_zoobot.analysis.regress import COVERAGE, GalaxyRegressor
from glue_zoobot.embedding.manifest import describe_encoder
from glue_zoobot.embedding.pipeline import embed_rows
from glue_zoobot.encoders import Encoder, load
from glue_zoobot.images import Catalogue
from glue_zoobot.training.card import versions
from glue_zoobot.training.split import Split

__all__ = ["HEAD", "JUDGED", "Taught", "embedded", "fit", "judged", "measure", "teach_tuned"]

HEAD = "head"
JUDGED = "judged"  # folder of the encoder that has not seen the galaxies held out, if another one has
ENOUGH = 20  # galaxies held out, below which they choose nothing
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
    encoder = load(judged(folder), device)
    train, y_train = embedded(catalogue, split.train, split.train_values, encoder)
    held, y_held = embedded(catalogue, split.held, split.held_values, encoder)
    estimator = fit(split.kind, train, y_train, seed, split.redshift, (held, y_held))
    figures = measure(estimator, held, y_held, seed) if len(held) else []
    encoder, whole = load(folder, device), split.with_held()
    every = embedded(catalogue, whole.train, whole.train_values, encoder)
    estimator = kept(estimator, *every, held, y_held, seed)
    described = describe_encoder(encoder.spec)
    provenance = {
        "encoder": str(described["name"]),
        "weights_sha256": str(described["sha256"]),
        "preprocessing_hash": str(described["preprocessing_hash"]),
        "precision": encoder.precision,
        "labels": str(len(train)),
        "held_out": str(len(held)),
        "calibrated_on": "galaxies held out"
        if calibrates(held, estimator)
        else "galaxies the encoder has seen",
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
        Embeddings (m, D) and labels (m,) of galaxies new to the encoder. If they are enough, they judge how a
        number is best learnt; a choice for classes would need more of them than there are.
    """
    if kind == "number":
        judge = held if held is not None and len(held[1]) >= ENOUGH else None
        return GalaxyRegressor(seed, redshift=redshift).fit(X, y, judge=judge)
    return GalaxyClassifier(random_state=seed).fit(X, y)


def measure(estimator: Estimator, held: np.ndarray, y_held: np.ndarray, seed: int) -> list[Figure]:
    """Figures of merit on galaxies that neither encoder nor head was shown."""
    if isinstance(estimator, GalaxyRegressor):
        apart = copy.copy(estimator)
        apart.calibrate(held, y_held)  # intervals as they will be, each set by the other galaxies held out
        return quantity_figures(y_held, apart.predict(held), apart.covered_, apart.redshift, COVERAGE, seed)
    known = np.isin(y_held, estimator.classes_)
    codes = np.searchsorted(estimator.classes_, y_held[known])
    return class_figures(estimator.predict_proba(held[known]), codes, seed) if known.any() else []


def kept(
    part: Estimator, X: np.ndarray, y: np.ndarray, held: np.ndarray, y_held: np.ndarray, seed: int
) -> Estimator:
    """
    Give the head of the encoder that is kept, calibrated by galaxies held out if they are enough.

    Of classes it is taught on all galaxies, and as sure as the one that was not shown those held out may be.

    Parameters
    ----------
    part : GalaxyClassifier or GalaxyRegressor
        Taught without the galaxies held out.
    X : np.ndarray
        Shape (n, D): all labelled galaxies, by the encoder that is kept.
    y : np.ndarray
        Shape (n,).
    held : np.ndarray
        Shape (m, D): galaxies held out, by the encoder that was not shown them.
    y_held : np.ndarray
        Shape (m,).
    seed : int
    """
    if isinstance(part, GalaxyRegressor):
        if calibrates(held, part):
            part.calibrate(held, y_held)
        return part
    whole = GalaxyClassifier(random_state=seed).fit(X, y)
    if not calibrates(held, part):
        return whole
    known = np.isin(y_held, part.classes_)  # else a class that no galaxy to train on has
    held, y_held = held[known], y_held[known]
    codes = np.searchsorted(part.classes_, y_held)
    logits = part.linear_(held).astype(np.float64)
    scale = Calibration.fit(logits[None], codes, 1.0, with_offset=False)
    own = softmax(scale(logits), axis=1)[np.arange(len(codes)), codes]
    whole.linear_ = Linear(
        (whole.linear_.weights / scale.temperature).astype(np.float32),
        scale(whole.linear_.offset).astype(np.float32),
    )
    whole.nonconformity_ = np.sort(1 - own)
    return whole


def calibrates(held: np.ndarray, estimator: Estimator) -> bool:
    """
    Tell whether the galaxies held out, (m, D), are enough to say how sure a head is.

    A conformal interval covers what it promises with however few: it gets wider, and never too short on
    average. A temperature of classes has no such promise.
    """
    return len(held) >= (1 if isinstance(estimator, GalaxyRegressor) else ENOUGH)


def judged(folder: Path) -> Path:
    """Give the folder of the encoder that was not shown the galaxies held out."""
    return folder / JUDGED if (folder / JUDGED).is_dir() else folder


def embedded(
    catalogue: Catalogue, rows: np.ndarray, values: np.ndarray, encoder: Encoder
) -> tuple[np.ndarray, np.ndarray]:
    """Embed rows as `glue-zoobot embed` does; those that cannot be are left out, with their values."""
    vectors = [v for batch in embed_rows(catalogue.source, rows, encoder, BATCH) for v in batch.vectors]
    whole = np.array([vector is not None for vector in vectors], dtype=bool)
    matrix = np.array([v for v in vectors if v is not None], dtype=np.float32).reshape(-1, encoder.width)
    return matrix, values[whole]
