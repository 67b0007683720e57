"""
What is known of some galaxies, learnt beside: all questions at once, missing answers cost nothing.

Classes are learnt by their cross-entropy, fractions of votes by the binary cross-entropy of each answer. One
galaxy in five keeps its answers to itself, chosen by a hash of its id, to judge the embeddings by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from astropy.table import Table
from torch import Tensor, nn

from glue_zoobot.encoders.mini import held_out
from glue_zoobot.errors import CatalogueError

__all__ = ["Answers", "class_codes", "read_answers"]

MOST_CLASSES = 50
_MISSING = ("", "nan", "none", "null", "--")


@dataclass(frozen=True)
class Answers:
    """
    Labels by row of the catalogue.

    Attributes
    ----------
    classes : dict
        By column: names of its classes, and (N,) int64 codes, -1 where missing.
    fractions : Tensor
        (N, Q) float32 in 0 to 1, NaN where missing.
    questions : tuple of str
        The Q columns of fractions.
    """

    classes: dict[str, tuple[list[str], Tensor]]
    fractions: Tensor
    questions: tuple[str, ...]

    def heads(self, width: int) -> nn.ModuleDict:
        """Make a linear layer per column of classes and one for all fractions; keys have no dots."""
        layers = {str(i): nn.Linear(width, len(names)) for i, (names, _) in enumerate(self.classes.values())}
        if self.questions:
            layers["fractions"] = nn.Linear(width, len(self.questions))
        return nn.ModuleDict(layers)

    def loss(self, said: dict[str, Tensor], rows: Tensor) -> Tensor:
        """
        Sum over columns of classes, and all fractions, of the mean loss of the answers that exist.

        Parameters
        ----------
        said : dict
            What the heads give, (B, answers) each.
        rows : Tensor
            Rows of the catalogue, (B,).
        """
        losses = [
            _class_loss(said[str(i)], codes[rows].to(said[str(i)].device))
            for i, (_, codes) in enumerate(self.classes.values())
        ]
        if self.questions:
            losses.append(
                _fraction_loss(said["fractions"], self.fractions[rows].to(said["fractions"].device))
            )
        return torch.stack(losses).sum()


def _class_loss(logit: Tensor, code: Tensor) -> Tensor:
    total = F.cross_entropy(logit.float(), code, ignore_index=-1, label_smoothing=0.05, reduction="sum")
    return total / (code >= 0).sum().clamp(min=1)


def _fraction_loss(logit: Tensor, fraction: Tensor) -> Tensor:
    known = ~fraction.isnan()
    loss = F.binary_cross_entropy_with_logits(logit.float(), fraction.nan_to_num(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def read_answers(table: Table, patterns: Sequence[str]) -> Answers | None:
    """
    Take the columns that patterns name out of a catalogue, without the answers that are held out.

    Parameters
    ----------
    table : astropy.table.Table
        Its column ``object_id`` decides what is held out.
    patterns : sequence of str
        Names of columns; ``*`` stands for any letters.

    Returns
    -------
    Answers or None
        None without patterns.

    Raises
    ------
    CatalogueError
        If there is no such column, or it holds neither classes nor fractions.
    """
    if not patterns:
        return None
    names = [c for c in table.colnames if any(fnmatchcase(c, p) for p in patterns)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise CatalogueError(
                f"no column is called {pattern!r}; there are {', '.join(table.colnames[:30])}"
            )
    hidden = torch.tensor([held_out(str(i)) for i in table["object_id"]])
    fractions = {name: values for name in names if (values := _fractions(table[name])) is not None}
    classes = {}
    for name in names:
        if name not in fractions:
            labels, codes = class_codes(table, name)
            classes[name] = labels, torch.from_numpy(codes).masked_fill(hidden, -1)
    matrix = torch.tensor(np.array(list(fractions.values())).T.reshape(len(table), -1), dtype=torch.float32)
    return Answers(classes, matrix.masked_fill(hidden[:, None], torch.nan), tuple(fractions))


def class_codes(table: Table, column: str) -> tuple[list[str], np.ndarray]:
    """
    Read a column of classes.

    Returns
    -------
    names : list of str
        In alphabetical order.
    codes : np.ndarray
        (N,) int64, -1 where missing.

    Raises
    ------
    CatalogueError
        If there is no such column, or it holds one class only, or far too many.
    """
    if column not in table.colnames:
        raise CatalogueError(f"no column is called {column!r}; there are {', '.join(table.colnames[:30])}")
    texts = ["" if value is np.ma.masked else str(value).strip() for value in table[column]]
    names = sorted({text for text in texts if text.lower() not in _MISSING})
    if not 2 <= len(names) <= MOST_CLASSES:
        raise CatalogueError(
            f"column {column!r} has {len(names)} different values; classes are 2 to {MOST_CLASSES}, "
            "fractions of votes numbers from 0 to 1"
        )
    code = {name: i for i, name in enumerate(names)}
    return names, np.array([code.get(text, -1) for text in texts], dtype=np.int64)


def _fractions(column: object) -> np.ndarray | None:
    """Return numbers from 0 to 1, NaN where missing; None for classes, also those written 0 and 1."""
    values: Any = np.ma.asarray(column)
    if values.dtype.kind != "f":
        return None
    numbers = np.ma.filled(values, np.nan).astype(float)
    known = numbers[np.isfinite(numbers)]
    between = known.size > 0 and known.min() >= 0 and known.max() <= 1.01
    return np.clip(numbers, 0, 1) if between and len(np.unique(known)) > 2 else None
