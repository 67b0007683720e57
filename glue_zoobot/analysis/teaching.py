"""From labels of object ids to a head, and to what should be labelled next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.inputs import inputs_of
from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.merit import Figure, class_figures
from glue_zoobot.analysis.redshift import is_redshift, quantity_figures, usable
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.analysis.strangers import strangers
from glue_zoobot.analysis.votes import GalaxyVotes
from glue_zoobot.errors import AnalysisError, CatalogueError

__all__ = [
    "KINDS",
    "MODES",
    "Labelled",
    "Labels",
    "Lesson",
    "class_name",
    "labelled_rows",
    "next_to_label",
    "read_labels",
    "teach",
]

KINDS = ("classes", "number", "redshift")
MODES = ("uncertain", "likely", "unlike")
MANY = 10  # different numbers, more than which are a quantity and not codes of classes
CROWD = 5  # candidates for each place among the next to label, of which the most diverse are taken


@dataclass(frozen=True)
class Labelled:
    """
    Labels of the galaxies that have an embedding.

    Attributes
    ----------
    rows : np.ndarray
        Shape (n,), int64.
    values : np.ndarray
        Shape (n,): text for classes, float64 for a number.
    kind : {"classes", "number"}
    unknown : tuple of str
        Labelled ids without an embedding; not used.
    """

    rows: np.ndarray
    values: np.ndarray
    kind: str
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """
    What came of teaching.

    Attributes
    ----------
    head : Head
    labelled : Labelled
    figures : list of Figure
        Of held-out predictions for the labelled galaxies.
    """

    head: Head
    labelled: Labelled
    figures: list[Figure]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Labelled ids without an embedding."""
        return self.labelled.unknown

    def text(self) -> str:
        """Say what was learned and how well, in a few sentences."""
        n, target = len(self.labelled.rows), self.head.target
        estimator = self.head.estimator
        if isinstance(estimator, GalaxyClassifier):
            names, counts = np.unique(self.labelled.values, return_counts=True)
            what = ", ".join(f"{count:,} {name}" for name, count in zip(names, counts, strict=True))
            how = f"{target} from {n:,} labels ({what}) by {estimator.method_}"
        else:
            what = ", a redshift," if estimator.redshift else ""
            how = f"{target}{what} from {n:,} galaxies by {estimator.method_}"
        figures = "; ".join(figure.text() for figure in self.figures if np.isfinite(figure.value))
        text = f"{how}. Of galaxies it was not shown, with 95 % intervals: {figures}."
        return text if self.learned() else f"{text} That is no better than guessing: do not use it."

    def learned(self) -> bool:
        """Tell whether held-out predictions are better than one answer for all galaxies."""
        estimator = self.head.estimator
        if isinstance(estimator, GalaxyRegressor):
            truth = self.labelled.values
            return bool(np.square(estimator.out_of_fold_ - truth).mean() < 0.98 * np.var(truth))
        own = estimator.out_of_fold_[np.arange(len(self.labelled.values)), self._codes()]
        _, counts = np.unique(self.labelled.values, return_counts=True)
        shares = counts / counts.sum()
        guessing = -(shares * np.log(shares)).sum()
        known = np.isfinite(own)
        return not known.any() or bool(-np.log(np.maximum(own[known], 1e-12)).mean() < guessing)

    def _codes(self) -> np.ndarray:
        return np.searchsorted(np.unique(self.labelled.values), self.labelled.values)


class Labels(dict[str, Any]):
    """
    Label by object id.

    Attributes
    ----------
    contradictory : tuple of str
        Ids that were labelled differently; the latest label is the one here.
    path : str
        The file that they were read from; empty for none.
    ids_from : str
        What in it named the galaxies, such as ``column 'name'``; empty for a log, which has but one way.
    """

    contradictory: tuple[str, ...] = ()
    path: str = ""
    ids_from: str = ""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Any]]) -> Labels:
        """Take the last label of each id."""
        found, contradictory = cls(), dict[str, None]()
        for name, value in pairs:
            if name in found and found[name] != value:
                contradictory[name] = None
            found[name] = value
        found.contradictory = tuple(contradictory)
        return found

    def warning(self) -> str:
        """Say which labels contradict each other; empty if none do."""
        if not self.contradictory:
            return ""
        some = ", ".join(self.contradictory[:3]) + (" …" if len(self.contradictory) > 3 else "")
        return f"{len(self.contradictory):,} galaxies have contradictory labels ({some}); the last one counts"


def read_labels(path: str | Path, target: str) -> Labels:
    """
    Read the labels of one target from a table or a log.

    Parameters
    ----------
    path : str or Path
        ``.jsonl`` is a log; anything else is a table, with the id in the usual columns.
    target : str
        Column of the table, or target in the log. Empty and missing cells are no labels.

    Returns
    -------
    Labels
        Label by object id.

    Raises
    ------
    AnalysisError, CatalogueError
        If there is no such file or column, or it holds no labels.
    """
    path = Path(path)
    if not path.exists():
        raise AnalysisError(f"{path}: there is no such file of labels")
    if path.is_dir():
        raise AnalysisError(f"{path} is a folder; give the table of labels, or the log (.jsonl)")
    if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
        raise AnalysisError(
            f"{path} is a picture; labels are a table (.csv .ecsv .fits .vot .parquet) or a log (.jsonl)"
        )
    if path.suffix.lower() == ".jsonl":
        log = LabelLog(path)
        labels = Labels.of((entry.object_id, entry.value) for entry in log.standing(target))
        if not labels:
            known = ", ".join(log.targets()) or "none"
            raise AnalysisError(f"{path} holds no labels of {target!r}; it has labels of: {known}")
    else:
        labels = _labels_of_table(path, target)
        if not labels:
            raise AnalysisError(f"{path}: the column {target} is empty")
    labels.path = str(path)
    return labels


def labelled_rows(object_ids: np.ndarray, labels: Mapping[str, Any], kind: str | None = None) -> Labelled:
    """
    Find the rows of labelled galaxies, and whether the labels are classes or a number.

    Parameters
    ----------
    object_ids : np.ndarray
        Shape (N,), str.
    labels : mapping
        Label by object id.
    kind : {"classes", "number", "redshift"}, optional
        By default a number if all labels are numbers and there are more than ten different ones; a redshift
        is a number as well.

    Raises
    ------
    AnalysisError
        If none of the labelled galaxies is among them, or the labels do not fit the kind.
    """
    if kind not in (None, *KINDS):
        raise AnalysisError(f"there is no kind of target {kind!r}; choose one of {', '.join(KINDS)}")
    where = {str(name): row for row, name in enumerate(object_ids)}
    known = [name for name in labels if name in where]
    if not known:
        what, here = f"{len(labels):,} labelled galaxies", f"{len(object_ids):,} galaxies here"
        path, ids_from = (labels.path, labels.ids_from) if isinstance(labels, Labels) else ("", "")
        raise AnalysisError(strangers(labels, what, object_ids, here, "labels", path, ids_from))
    numbers = _as_numbers([labels[name] for name in known])
    if kind is None:
        kind = "number" if numbers is not None and len(np.unique(numbers)) > MANY else "classes"
    kind = "number" if kind == "redshift" else kind
    if kind == "number" and numbers is None:
        raise AnalysisError("the labels are not all numbers; teach them as classes")
    values = numbers if kind == "number" else np.array([class_name(labels[name]) for name in known])
    if kind == "classes":
        _check_classes(values)
    unknown = tuple(name for name in labels if name not in where)
    return Labelled(
        np.array([where[name] for name in known], dtype=np.int64), np.asarray(values), kind, unknown
    )


def _check_classes(values: Any) -> None:
    """Refuse ids, file names and numbers in the place of classes: more classes than half of the labels."""
    found = np.unique(values)
    if len(found) > MANY and len(found) > len(values) / 2:
        raise AnalysisError(
            f"the {len(values):,} labels are {len(found):,} different ones ({found[0]}, {found[1]} …): too "
            "few galaxies of each to learn from. Are these ids, or numbers to be taught with --kind number?"
        )


def teach(
    target: str,
    object_ids: np.ndarray,
    matrix: np.ndarray,
    labels: Mapping[str, Any],
    provenance: Mapping[str, str],
    kind: str | None = None,
    random_state: int = 0,
) -> Lesson:
    """
    Teach a head, and measure it on galaxies that it was not shown.

    Parameters
    ----------
    target : str
    object_ids : np.ndarray
        Shape (N,), str.
    matrix : np.ndarray
        Shape (N, D), float32: embeddings.
    labels : mapping
        Label by object id.
    provenance : mapping
        Of the embeddings; kept with the head, which refuses embeddings of another encoder. ``inputs`` names
        the last dimensions that are columns of the catalogue.
    kind : {"classes", "number", "redshift"}, optional
        By default as the labels look; a redshift is known by the name of the target and its values.
    random_state : int

    Raises
    ------
    AnalysisError
        If there is not enough to learn from; the message says what is missing.
    """
    labelled = labelled_rows(object_ids, labels, kind)
    finite = np.isfinite(matrix[labelled.rows]).all(axis=1)
    redshift = labelled.kind == "number" and (
        kind == "redshift" or (kind is None and is_redshift(target, labelled.values))
    )
    if redshift:
        finite &= usable(labelled.values)  # -99 and the like stand for none
    rows, values = labelled.rows[finite], labelled.values[finite]
    estimator: GalaxyClassifier | GalaxyRegressor
    if labelled.kind == "number":
        n_columns = len(inputs_of(provenance))
        estimator = GalaxyRegressor(random_state, redshift=redshift, n_columns=n_columns)
        estimator.fit(matrix[rows], values, matrix)
        figures = quantity_figures(
            values, estimator.out_of_fold_, estimator.covered_, redshift, random_state=random_state
        )
    else:
        estimator = GalaxyClassifier(random_state=random_state).fit(matrix[rows], values, matrix)
        codes = np.searchsorted(estimator.classes_, values)
        figures = class_figures(estimator.out_of_fold_, codes, random_state)
    facts = {**provenance, "labels": str(len(rows)), "random_state": str(random_state)}
    return Lesson(
        Head(target, estimator, facts), Labelled(rows, values, labelled.kind, labelled.unknown), figures
    )


def next_to_label(
    head: Head,
    matrix: np.ndarray,
    n: int,
    mode: str = "uncertain",
    exclude: Sequence[int] | np.ndarray = (),
    wanted: str = "",
) -> np.ndarray:
    """
    Choose what to label next: the best by `mode`, and among those the most diverse.

    Parameters
    ----------
    head : Head
    matrix : np.ndarray
        Shape (N, D).
    n : int
        How many.
    mode : {"uncertain", "likely", "unlike"}
        Classes close to a tie or wide intervals; likely members of a class (``wanted``) or the highest
        values; or what is most unlike anything labelled.
    exclude : sequence of int
        Rows that are labelled already.
    wanted : str
        The class whose members are likely; by default the last one, which is *yes* of yes and no.

    Returns
    -------
    np.ndarray
        Rows, int64, at most n.
    """
    if mode not in MODES:
        raise AnalysisError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
    whitened = head.estimator.guard_.whitening(matrix)
    keys = _keys(head, matrix, whitened, mode, wanted).astype(np.float64)
    keys[~np.isfinite(keys)] = -np.inf
    keys[np.asarray(exclude, dtype=np.int64)] = -np.inf
    order = np.argsort(-keys, kind="stable")[: CROWD * n]
    order = order[np.isfinite(keys[order])]
    return order if len(order) <= n else order[_far_apart(whitened[order], n)]


def _keys(head: Head, matrix: np.ndarray, whitened: np.ndarray, mode: str, wanted: str) -> np.ndarray:
    """How much each row should be shown, (N,)."""
    estimator = head.estimator
    if mode == "unlike":
        return estimator.guard_.distances(whitened)
    if isinstance(estimator, GalaxyRegressor):
        found = estimator.estimates(matrix)
        return found.values if mode == "likely" else found.high - found.low
    if isinstance(estimator, GalaxyVotes):
        answers = [answer for question in estimator.questions_ for answer in question.answers]
        column = answers.index(wanted) if wanted in answers else 0
        return (
            estimator.predict(matrix)[:, column] if mode == "likely" else estimator.spread(matrix).max(axis=1)
        )
    probabilities = estimator.predict_proba(matrix)
    if mode == "likely":
        names = [str(name) for name in estimator.classes_]
        if wanted and wanted not in names:
            raise AnalysisError(f"there is no class {wanted!r}; the classes are {', '.join(names)}")
        return probabilities[:, names.index(wanted) if wanted else -1]
    best = np.sort(probabilities, axis=1)
    return best[:, -2] - best[:, -1]


def _far_apart(points: np.ndarray, n: int) -> np.ndarray:
    """Positions of n points, the first one and each next the farthest from those before it."""
    chosen = [0]
    distance = np.square(points - points[0]).sum(axis=1)
    for _ in range(n - 1):
        chosen.append(int(distance.argmax()))
        np.minimum(distance, np.square(points - points[chosen[-1]]).sum(axis=1), out=distance)
    return np.array(chosen)


def _as_numbers(values: list[Any]) -> np.ndarray | None:
    try:
        return np.array([float(value) for value in values])
    except (TypeError, ValueError):
        return None


def class_name(value: Any) -> str:
    """Name of a class: text as it is, whole numbers without a point, true and false as yes and no."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _labels_of_table(path: Path, target: str) -> Labels:
    from glue_zoobot.images.identity import find_column, identify
    from glue_zoobot.images.tables import read_table

    table = read_table(path)
    try:
        column = table[find_column(table.colnames, target)]
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from error
    values = [value.item() if isinstance(value, np.generic) else value for value in column]
    identity = identify(table)
    pairs = ((str(name), value) for name, value in zip(identity.object_ids, values, strict=True))
    labels = Labels.of((name, value) for name, value in pairs if not _is_missing(value))
    labels.ids_from = identity.origin
    return labels


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value or value is np.ma.masked
