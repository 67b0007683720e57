"""Heads and what goes with them: kept on disk, taken up in a later session, and gone back to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.embeddings import require_embeddings
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.record import record_of, relative_to_data, resolve, update_record
from glue_zoobot.catalog.teaching.lesson import (
    Question,
    columns_of,
    fits,
    is_lesson,
    load_lesson,
    predicted_chances,
    probability_columns,
    save_lesson,
)
from glue_zoobot.catalog.teaching.predictions import Predictions
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure
    from glue_zoobot.analysis.teaching import Lesson

__all__ = ["Remembering"]

_CHANGED = ("lesson", "curve", "inputs", "_head", "_rows", "_learned", "_folder")


class Remembering(Predictions):
    """
    Memory of what was taught; a base of `Teaching`.

    Attributes
    ----------
    curve : list of (int, Figure)
        The first figure of merit by number of labels.
    inputs : tuple of str
        Columns that are learned from beside the image.
    """

    curve: list[tuple[int, Figure]]
    inputs: tuple[str, ...]
    _folder: str | None
    _compared: tuple[Any, ...]

    def question(self) -> Question:
        """Gather what is trained from; of `Teaching`."""
        raise NotImplementedError

    @property
    def usable_head(self) -> Head | None:
        """The head, unless it was taught on embeddings of another encoder than the present ones."""
        embeddings = self._embeddings
        if self._head is None or embeddings is None:
            return None
        if self._compared[:2] != (self._head, embeddings):
            self._compared = (self._head, embeddings, fits(self._head, embeddings))
        return self._head if self._compared[2] else None

    # -- going back --------------------------------------------------------------------------------------

    def _snapshot(self) -> dict[str, Any]:
        """What a training changes, but for the columns: these are predicted anew."""
        return {name: getattr(self, name) for name in _CHANGED}

    def _go_back(self, before: Mapping[str, Any]) -> int:
        """Take up an earlier head, and what it predicts."""
        same = before["_head"] is self._head
        for name, value in before.items():
            setattr(self, name, value)
        if self._head is None:
            self._hide_predictions()
        elif not same:
            self._predict_anew()
        if self.lesson is not None and not same:
            self._keep_lesson(self.lesson)
        self._remember()
        self.changes += 1
        return 0

    def _predict_anew(self) -> None:
        """Let the columns say what the head does of the present embeddings, if they are of its encoder."""
        head = self.usable_head
        if head is not None:
            question = self.question()
            columns = columns_of(head, question.embeddings, question.matrix)
            self._show_predictions(head, columns, predicted_chances(head, columns))

    # -- across sessions ---------------------------------------------------------------------------------

    def _remembered(self) -> dict[str, Any]:
        return record_of(self.data).get("teaching", {}) if self.data is not None else {}

    def _remember(self) -> None:
        """Keep what the log does not say with the dataset, and so with the session."""
        known = self._remembered()
        mine = {
            "classes": self._colours,
            "thresholds": self._thresholds,
            "kind": self._kind,
            "inputs": list(self.inputs),
            "head": self._folder,
        }
        targets = {**known.get("targets", {}), self.target: mine}
        self._update_memory(target=self.target, targets=targets)

    def _update_memory(self, **entries: Any) -> None:
        update_record(self.data, teaching={**self._remembered(), **entries})

    def _recall(self) -> None:
        """Take up classes, thresholds and head of an earlier session; the log has the labels."""
        known = self._remembered().get("targets", {}).get(self.target, {})
        self._colours = dict(known.get("classes", {}))
        self._thresholds = {name: float(value) for name, value in known.get("thresholds", {}).items()}
        self._kind, self.inputs = known.get("kind"), tuple(known.get("inputs", ()))
        self._folder = known.get("head")
        self.wanted = next(iter(self._colours), "")
        self.threshold = self.threshold_of(self.wanted)
        if self._folder:
            self._recall_lesson(resolve(self.data, self._folder))

    def _recall_lesson(self, folder: Path) -> None:
        from glue_zoobot.analysis.heads import Head

        rows = {str(name): row for row, name in reversed(list(enumerate(object_ids_of(self.data))))}
        try:
            if is_lesson(folder):
                self.lesson, self.curve = load_lesson(folder, rows)
                self._head, self._rows = self.lesson.head, self.lesson.labelled.rows
                values = self.lesson.labelled.values.tolist()
                pairs = zip(self._rows.tolist(), values, strict=True)
                self._learned = {row: value for row, value in pairs if row >= 0}
            else:  # one that was taught elsewhere
                self._head = Head.load(folder)
        except AnalysisError as error:
            self.note = str(error)
            return
        self._probability_labels = probability_columns(self._head)
        columns = {label: self.data[cid] for label, cid in our_columns(self.data).items()}
        if {*self._probability_labels.values(), f"{self.target}_unlike"} <= set(columns):
            self._chances = predicted_chances(self._head, columns)
        if self.wanted not in self._chances:
            self.wanted = next(iter(self._chances), self.wanted)

    def _keep_lesson(self, lesson: Lesson) -> None:
        """Keep the head beside the log, so that a session finds it again; a failure costs only that."""
        try:
            folder = self._lesson_folder()
            save_lesson(folder, lesson, [self._id(row) for row in self._rows.tolist()], self.curve)
        except AnalysisError as error:
            self.note = str(error)
            return
        self._folder = relative_to_data(self.data, folder)
        self._remember()

    def _lesson_folder(self) -> Path:
        """Where the head of this target on the present embeddings is kept."""
        log, embeddings = self._check_open().path, require_embeddings(self.data)
        stem = re.sub(r"\.ratings\.jsonl$|\.jsonl$", "", log.name)
        name = f"{self.target}-{embeddings.encoder_name}"
        return log.with_name(f"{stem}.heads") / re.sub(r"[^\w.+-]+", "_", name).strip("._")

    def _forget(self) -> None:
        super()._forget()
        self.curve, self.inputs, self._folder, self._compared = [], (), None, ()
