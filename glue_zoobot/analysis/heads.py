"""A taught head on disk, and what it says of a catalogue: safetensors and JSON, never code."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.analysis.bins import Bins
from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.guard import Guard
from glue_zoobot.analysis.linear import Linear
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.analysis.votes import GalaxyVotes, Question
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Head", "file_name", "heads_in", "is_binary"]

CONFIG, ARRAYS = "head.json", "head.safetensors"
FORMAT = 1
#: What facts of a wrong type or size raise where they are put to use.
_DAMAGE = (ValueError, KeyError, TypeError, OverflowError, IndexError, AttributeError, RecursionError)
SAME_ENCODER = ("weights_sha256", "preprocessing_hash")
KINDS = {"classes": GalaxyClassifier, "number": GalaxyRegressor, "votes": GalaxyVotes}
Estimator = GalaxyClassifier | GalaxyRegressor | GalaxyVotes


@dataclass(frozen=True)
class Head:
    """
    What was taught on the embeddings of one encoder.

    Attributes
    ----------
    target : str
        Name of the class or quantity.
    estimator : GalaxyClassifier, GalaxyRegressor or GalaxyVotes
    provenance : dict of str to str
        Encoder, hashes of its weights and preprocessing, labels, versions, seed.
    """

    target: str
    estimator: Estimator
    provenance: Mapping[str, str]

    def save(self, path: str | Path) -> Path:
        """
        Write the folder of a head, its description last, so that a folder without one is not a head.

        Raises
        ------
        AnalysisError
            If the folder cannot be written, or holds something else.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        path = Path(path)
        if path.exists() and (path.is_file() or (any(path.iterdir()) and not (path / CONFIG).exists())):
            raise AnalysisError(f"{path} exists and is not a head; choose another name with -o")
        try:
            path.mkdir(parents=True, exist_ok=True)
            partial = path / f".{ARRAYS}.{os.getpid()}"
            save_file(_arrays(self.estimator), partial)
            facts = {**self._facts(), "arrays_sha256": _sha256(partial)}
            partial.replace(path / ARRAYS)
            partial = path / f".{CONFIG}.{os.getpid()}"
            partial.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            partial.replace(path / CONFIG)
        except (OSError, SafetensorError) as error:
            for left in path.glob(f".*.{os.getpid()}"):
                left.unlink(missing_ok=True)
            raise AnalysisError(
                f"{path}: the head cannot be written ({error}); choose another place"
            ) from error
        return path

    @classmethod
    def load(cls, path: str | Path) -> Head:
        """
        Read a head; nothing in it is ever run as code.

        Raises
        ------
        AnalysisError
            If it is no head, is damaged, or was written by a newer version.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = Path(path)
        if not (path / CONFIG).is_file():
            raise AnalysisError(f"{path} is not a head; `glue-zoobot train` makes one")
        try:
            facts = json.loads((path / CONFIG).read_text(encoding="utf-8"))
            if facts["format"] > FORMAT:
                raise AnalysisError(f"{path} was written by a newer glue-zoobot; install that version")
            if facts.get("arrays_sha256") not in (None, _sha256(path / ARRAYS)):
                raise ValueError("its two files are not of one training, as after a crash while it was saved")
            estimator = _estimator(facts, load_file(path / ARRAYS))
            return cls(str(facts["target"]), estimator, dict(facts["provenance"]))
        except (OSError, *_DAMAGE, SafetensorError) as error:
            raise AnalysisError(
                f"{path} is damaged ({type(error).__name__}: {error}); train it again"
            ) from error

    def check_encoder(self, provenance: Mapping[str, str]) -> None:
        """
        Refuse embeddings of another encoder, or of pictures prepared in another way.

        Raises
        ------
        AnalysisError
            Naming both.
        """
        for key in SAME_ENCODER:
            mine, theirs = self.provenance.get(key), provenance.get(key)
            if mine != theirs:
                raise AnalysisError(
                    f"the head {self.target!r} was taught on embeddings by {self.provenance.get('encoder')} "
                    f"({key} {str(mine)[:12]}), and these are by {provenance.get('encoder')} "
                    f"({str(theirs)[:12]}). Train it again on these embeddings"
                )

    def predict(self, object_ids: np.ndarray, matrix: np.ndarray, coverage: float | None = None) -> Table:
        """
        Predict every galaxy.

        Parameters
        ----------
        object_ids : np.ndarray
            Shape (N,), str.
        matrix : np.ndarray
            Shape (N, D).
        coverage : float, optional
            Of class sets (default 0.9) and intervals (default 0.68).

        Returns
        -------
        astropy.table.Table
            ``object_id`` and, for a target T of two classes "yes/no" (or 0/1, true/false), ``T_prob``; of
            classes ``T``, ``T_prob_<class>``, ``T_set``; of a number ``T, T_lo, T_hi``; of votes, for each
            answer A of a question Q, ``Q_A_fraction, Q_A_lo, Q_A_hi``; always ``T_unlike``.
        """
        from astropy.table import Table

        columns = self.columns(matrix, coverage)
        table = Table({"object_id": np.asarray(object_ids).astype(str), **columns})
        table.meta.update({**self.provenance, "target": self.target})
        return table

    def columns(self, matrix: np.ndarray, coverage: float | None = None) -> dict[str, np.ndarray]:
        """Give the columns of `predict`, each (N,); NaN, empty or False where a galaxy has no embedding."""
        if isinstance(self.estimator, GalaxyRegressor):
            found = self.estimator.estimates(matrix, coverage or 0.68)
            numbers = {"": found.values, "_lo": found.low, "_hi": found.high, "_unlike": found.unlike}
            return {self.target + suffix: values for suffix, values in numbers.items()}
        if isinstance(self.estimator, GalaxyVotes):
            return self._vote_columns(self.estimator, matrix, coverage or 0.68)
        return self._class_columns(self.estimator, matrix, coverage or 0.9)

    def _vote_columns(self, head: GalaxyVotes, matrix: np.ndarray, coverage: float) -> dict[str, np.ndarray]:
        found, columns = head.shares(matrix, coverage), {}
        answers = [f"{q.name}_{answer}" for q in head.questions_ for answer in q.answers]
        for i, name in enumerate(answers):
            columns[f"{name}_fraction"] = found.mean[:, i]
            columns[f"{name}_lo"], columns[f"{name}_hi"] = found.low[:, i], found.high[:, i]
        return {**columns, f"{self.target}_unlike": found.unlike}

    def _class_columns(
        self, head: GalaxyClassifier, matrix: np.ndarray, coverage: float
    ) -> dict[str, np.ndarray]:
        found, target = head.predictions(matrix), self.target
        probabilities, names = found.probabilities, [str(name) for name in head.classes_]
        if is_binary(names):
            return {f"{target}_prob": probabilities[:, 1], f"{target}_unlike": found.unlike}
        absent = np.isnan(probabilities[:, 0])
        best = np.array(names)[np.argmax(np.where(absent[:, None], 0, probabilities), axis=1)]
        columns = {target: np.where(absent, "", best)}
        columns |= {f"{target}_prob_{name}": probabilities[:, i] for i, name in enumerate(names)}
        columns[f"{target}_set"] = _set_names(head.sets_of(probabilities, coverage), names)
        columns[f"{target}_unlike"] = found.unlike
        return columns

    def _facts(self) -> dict[str, Any]:
        estimator = self.estimator
        facts = {
            "format": FORMAT,
            "kind": next(kind for kind, cls in KINDS.items() if isinstance(estimator, cls)),
            "target": self.target,
            "parameters": estimator.get_params(),
            "n_features_in": int(estimator.n_features_in_),
            "provenance": dict(self.provenance),
        }
        if isinstance(estimator, GalaxyClassifier):
            facts["classes"] = estimator.classes_.tolist()
            facts["method"] = estimator.method_
        elif isinstance(estimator, GalaxyVotes):
            facts["questions"] = {q.name: list(q.answers) for q in estimator.questions_}
            facts["penalties"] = estimator.penalties_
        else:
            facts["limits"] = [None if np.isinf(limit) else limit for limit in estimator.limits_]
            facts["range"], facts["method"] = list(estimator.range_), estimator.method_
        return facts


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def heads_in(path: Path) -> list[Path]:
    """Folders of heads: the one that is named, else those in it."""
    inside = sorted(config.parent for config in path.glob(f"*/{CONFIG}"))
    return inside if inside and not (path / CONFIG).is_file() else [path]


def file_name(target: str) -> str:
    """Name of a target as that of a folder."""
    return re.sub(r"[^\w.+-]+", "_", target).strip("._") or "head"


def is_binary(names: list[str]) -> bool:
    """Tell whether two classes are yes and no of one question, no first."""
    return tuple(name.lower() for name in names) in BINARY


BINARY = {("0", "1"), ("no", "yes"), ("false", "true"), ("f", "t"), ("n", "y"), ("0.0", "1.0")}


def _set_names(sets: np.ndarray, names: list[str]) -> np.ndarray:
    """Write sets, (N, C) bool, as text such as ``ring|spiral``; few different ones occur."""
    patterns, which = np.unique(sets, axis=0, return_inverse=True)
    texts = np.array(["|".join(np.array(names)[pattern]) for pattern in patterns])
    return np.asarray(texts[which.ravel()])


def _arrays(estimator: Estimator) -> dict[str, np.ndarray]:
    guard = estimator.guard_
    arrays = {
        "weights": estimator.linear_.weights,
        "offset": estimator.linear_.offset,
        "guard_weights": guard.whitening.weights,
        "guard_offset": guard.whitening.offset,
        "guard_means": guard.means,
        "guard_limit": np.array([guard.limit]),
        "out_of_fold": estimator.out_of_fold_,
    }
    if not isinstance(estimator, GalaxyVotes):
        arrays["nonconformity"] = estimator.nonconformity_
    if isinstance(estimator, GalaxyRegressor) and estimator.bins_ is not None:
        arrays["bin_edges"], arrays["bin_centres"] = estimator.bins_.edges, estimator.bins_.centres
    return arrays


def _estimator(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Estimator:
    estimator: Estimator = KINDS[facts["kind"]](**facts["parameters"])
    estimator.n_features_in_ = int(facts["n_features_in"])
    estimator.linear_ = Linear(arrays["weights"], arrays["offset"])
    whitening = Linear(arrays["guard_weights"], arrays["guard_offset"])
    estimator.guard_ = Guard(whitening, arrays["guard_means"], float(arrays["guard_limit"][0]))
    estimator.out_of_fold_ = arrays["out_of_fold"]
    if not isinstance(estimator, GalaxyVotes):
        estimator.nonconformity_ = arrays["nonconformity"]
    if isinstance(estimator, GalaxyClassifier):
        estimator.classes_ = np.array(facts["classes"])
        estimator.method_ = str(facts["method"])
    elif isinstance(estimator, GalaxyVotes):
        estimator.questions_ = tuple(Question(name, tuple(told)) for name, told in facts["questions"].items())
        estimator.penalties_ = dict(facts["penalties"])
    else:
        low, high = facts["limits"]
        estimator.limits_ = (-np.inf if low is None else low, np.inf if high is None else high)
        low, high = facts.get("range", (-np.inf, np.inf))
        estimator.range_, estimator.method_ = (low, high), facts.get("method", "ridge regression")
        has_bins = "bin_edges" in arrays
        estimator.bins_ = Bins(arrays["bin_edges"], arrays["bin_centres"]) if has_bins else None
    _check_shapes(estimator)
    return estimator


def _n_outputs(estimator: Estimator) -> int:
    if isinstance(estimator, GalaxyClassifier):
        return len(estimator.classes_)
    if isinstance(estimator, GalaxyVotes):
        return sum(len(question.answers) for question in estimator.questions_)
    return 2 + (0 if estimator.bins_ is None else len(estimator.bins_))  # a value, its scale, bins


def _check_shapes(estimator: Estimator) -> None:
    """Make sure that arrays fit each other, before a product fails far from here or lies."""
    outputs = _n_outputs(estimator)
    width, guard = estimator.n_features_in_, estimator.guard_
    fits = (
        estimator.linear_.weights.shape == (width, outputs)
        and estimator.linear_.offset.shape == (outputs,)
        and guard.whitening.weights.shape[:1] == (width,)
        and guard.whitening.weights.shape[1:] == guard.whitening.offset.shape == guard.means.shape[1:]
    )
    finite = np.isfinite(estimator.linear_.weights).all() and np.isfinite(estimator.linear_.offset).all()
    if not fits or not finite:
        raise ValueError("its arrays do not fit its description")
