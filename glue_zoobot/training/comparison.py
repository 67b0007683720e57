"""What fine-tuning gained: the frozen encoder and the tuned one on the same galaxies held out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.merit import Figure
from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.encoders import load
from glue_zoobot.images import Catalogue
from glue_zoobot.training.split import split_labels
from glue_zoobot.training.taught import Estimator, embedded, fit, judged, measure

__all__ = ["COMPARISON", "compare"]

COMPARISON = "comparison.json"
N_DRAWS = 1000


def compare(
    catalogue: Catalogue,
    labels: Mapping[str, Any],
    target: str,
    kind: str | None,
    encoder: str,
    folder: Path,
    device: str,
    seed: int,
) -> dict[str, Any] | None:
    """
    Measure a frozen encoder and the one that was tuned from it on the galaxies held out from both.

    Either has a head that was taught on the same other galaxies, in the same way. The result is kept in
    ``comparison.json`` of the tuned encoder; if it is there, it is read.

    Parameters
    ----------
    catalogue : Catalogue
    labels : mapping
        Label by object id.
    target : str
        What they say.
    kind : {"classes", "number", "redshift"} or None
    encoder : str
        The frozen one.
    folder : Path
        Of the tuned one.
    device : str
    seed : int

    Returns
    -------
    dict or None
        ``held_out`` (how many), ``frozen`` and ``tuned`` (figures as lists of name, value and 95 % interval),
        ``gain`` (one such list: tuned minus frozen, of the same galaxies, so that its interval is narrower
        than those of the two would suggest). None if too few galaxies are held out.
    """
    kept = folder / COMPARISON
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    split = split_labels(catalogue, labels, kind, target)
    if not len(split.held):
        return None
    figures, said = {}, {}
    for name, path in (("frozen", encoder), ("tuned", judged(folder))):
        network = load(path, device)
        held, truth = embedded(catalogue, split.held, split.held_values, network)
        known = embedded(catalogue, split.train, split.train_values, network)
        head = fit(split.kind, *known, seed, split.redshift, (held, truth))
        figures[name] = measure(head, held, truth, seed)
        said[name] = _said(head, held)
    made = {
        "held_out": len(truth),
        **{name: [_as_list(figure) for figure in some] for name, some in figures.items()},
        "gain": _as_list(_gain(split.kind, truth, said, seed)),
    }
    write_atomically(kept, lambda path: path.write_text(json.dumps(made, indent=1), encoding="utf-8"))
    return made


def _said(head: Estimator, X: np.ndarray) -> np.ndarray:
    """Most probable classes or numbers, (n,)."""
    if isinstance(head, GalaxyClassifier):
        return np.asarray(head.classes_)[head.predict_proba(X).argmax(axis=1)]
    return np.asarray(head.predict(X))


def _gain(kind: str, truth: np.ndarray, said: Mapping[str, np.ndarray], seed: int) -> Figure:
    """Tuned minus frozen in the figure to watch, with a bootstrap of galaxies, the same for both."""
    name, score = ("R²", _r2) if kind == "number" else ("balanced accuracy", _balanced)

    def gain(rows: np.ndarray) -> float:
        return score(said["tuned"][rows], truth[rows]) - score(said["frozen"][rows], truth[rows])

    chance = np.random.default_rng(seed)
    drawn = [gain(chance.integers(len(truth), size=len(truth))) for _ in range(N_DRAWS)]
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return Figure(name, gain(np.arange(len(truth))), float(low), float(high))


def _balanced(said: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([(said[truth == name] == name).mean() for name in np.unique(truth)]))


def _r2(said: np.ndarray, truth: np.ndarray) -> float:
    return float(1 - np.square(said - truth).mean() / (np.var(truth) or np.nan))


def _as_list(figure: Figure) -> list[Any]:
    numbers = (figure.value, figure.low, figure.high)
    return [figure.name, *(float(x) if np.isfinite(x) else None for x in numbers)]
