"""How frequent classes are in a catalogue of which labels were no fair sample."""

from __future__ import annotations

import numpy as np

__all__ = ["class_shares", "corrected"]

_SAMPLE = 50_000  # galaxies: the share of a class among more of them is no better known
_STEPS = 300
_RAREST = 1e-6


def corrected(probabilities: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """
    Correct probabilities for classes that are rarer, or more frequent, than among the labels.

    The shares of the classes in the catalogue are found by expectation maximisation (Saerens, Latinne and
    Decaestecker 2002, Neural Computation 14, 21). For labels that are a fair sample it changes little.

    Parameters
    ----------
    probabilities : np.ndarray
        Shape (N, C), as calibrated by the labels; NaN where there are none.
    labelled : np.ndarray
        Shape (C,): shares of the classes among the labels.

    Returns
    -------
    np.ndarray
        Shape (N, C).
    """
    labelled = np.maximum(labelled, _RAREST)
    weighted = probabilities * (class_shares(probabilities, labelled) / labelled)
    return weighted / weighted.sum(axis=1, keepdims=True)


def class_shares(probabilities: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Estimate the share of each class in the catalogue, (C,), as `corrected` does."""
    known = probabilities[np.isfinite(probabilities).all(axis=1)]
    known = known[:: max(1, len(known) // _SAMPLE)]
    shares = labelled
    for _ in range(_STEPS if len(known) else 0):
        weighted = known * (shares / labelled)
        found = np.maximum((weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0), _RAREST)
        settled = np.abs(found - shares).max() < 1e-6
        shares = found
        if settled:
            break
    return shares
