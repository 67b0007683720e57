"""What a head says of every galaxy, as columns and groups of our own, and the thresholds that cut them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from echo import CallbackProperty
from glue.core.subset import ElementSubsetState

from glue_zoobot.catalog.columns import our_columns, provenance_of, write_columns
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.catalog.teaching.clearer import Clearer, clearer_of
from glue_zoobot.catalog.teaching.expected import Chances, Expected
from glue_zoobot.catalog.teaching.groups import UNLIKE_COLOUR, find_cut, show_cut
from glue_zoobot.catalog.teaching.lesson import method_of, probability_columns
from glue_zoobot.catalog.teaching.review import Confusion, Mistake, confusion_of, mistakes_of, reliability_of
from glue_zoobot.catalog.teaching.taking import LabelTaking
from glue_zoobot.catalog.teaching.votes import figures_of
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import ComponentID, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode
    from glue.core.subset import SubsetState
    from glue.core.subset_group import SubsetGroup

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.analysis.merit import Figure, Reliability
    from glue_zoobot.analysis.teaching import Lesson

__all__ = ["Predictions"]

_THRESHOLD = 0.8
_MOST_GROUPS = 5  # classes that get a group each; of more only the one being looked at


class Predictions(LabelTaking):
    """
    What is predicted; a base of `Teaching`. Groups of the user are never touched.

    Attributes
    ----------
    lesson : Lesson or None
        What the last training gave, with figures of merit.
    edit_subset_mode : EditSubsetMode or None
        Set by a window (``session.edit_subset_mode``), so that its active subset stays the active one.
    """

    threshold = CallbackProperty(_THRESHOLD, docstring="Probability from which the wanted class is selected")

    _collection: DataCollection
    edit_subset_mode: EditSubsetMode | None
    lesson: Lesson | None
    _head: Head | None
    _rows: np.ndarray
    _learned: dict[int, Any]
    _thresholds: dict[str, float]
    _probability_labels: dict[str, str]
    _chances: dict[str, Chances]
    _clearer_of: dict[str, Chances]
    _clearer: Clearer | None
    _cell: tuple[SubsetGroup | None, SubsetState | None]

    @property
    def head(self) -> Head | None:
        """What predicts, if anything was taught or loaded."""
        return self._head

    @property
    def is_votes(self) -> bool:
        """Whether it predicts what volunteers would answer; such a head is not taught by labels."""
        return self._head is not None and hasattr(self._head.estimator, "questions_")

    @property
    def figures(self) -> list[Figure]:
        """How good the head is on galaxies that it was not shown; empty if that is not known."""
        if self.lesson is not None or self._head is None:
            return [] if self.lesson is None else self.lesson.figures
        return figures_of(self._head)

    # -- what was learned --------------------------------------------------------------------------------

    def mistakes(self) -> list[Mistake]:
        """Held-out predictions that contradict a label that still stands, most confident first."""
        if self.lesson is None:
            return []
        found = mistakes_of(self.lesson, self._rows)
        return [one for one in found if self.labels.get(one.row) == self._learned.get(one.row)]

    def confusion(self) -> Confusion | None:
        """Give the confusion matrix of held-out predictions; None for a number or before training."""
        return None if self.lesson is None else confusion_of(self.lesson, self._rows)

    def reliability(self) -> Reliability | None:
        """Compare stated and observed probabilities, held out; None for a number or before training."""
        return None if self.lesson is None else reliability_of(self.lesson)

    def clearer(self) -> Clearer | None:
        """Compare the labelled galaxies with the others, see `clearer_of`; None if that cannot be said."""
        if self._clearer_of is not self._chances:  # these are others whenever columns are
            self._clearer_of, self._clearer = self._chances, None
            if self.lesson is not None and self._chances:
                columns = {label: self.data[cid] for label, cid in our_columns(self.data).items()}
                self._clearer = clearer_of(self.lesson, self._rows, columns)
        return self._clearer

    # -- thresholds --------------------------------------------------------------------------------------

    def expected(self, name: str | None = None, threshold: float | None = None) -> Expected | None:
        """What a threshold selects of a class, by default the present ones; None before training."""
        chances = self.chances(name)
        return None if chances is None else chances.expect(self.threshold if threshold is None else threshold)

    def chances(self, name: str | None = None) -> Chances | None:
        """Probabilities of a class over the catalogue, by default of the wanted one; None before training."""
        return self._chances.get(self.wanted if name is None else name)

    def threshold_of(self, name: str) -> float:
        """Probability from which a class is selected."""
        return self._thresholds.get(name, _THRESHOLD)

    @property
    def n_unlike(self) -> int:
        """Galaxies that are unlike anything labelled: what is said of them is an extrapolation."""
        column = self.column(f"{self.target}_unlike")
        return 0 if column is None else int(np.nansum(self.data[column]))

    @property
    def class_names(self) -> list[str]:
        """Classes that have a probability: of yes and no only yes."""
        return list(self._chances)

    # -- columns and groups ------------------------------------------------------------------------------

    def column(self, label: str) -> ComponentID | None:
        """Return a column of predictions by the label it was asked for; None if it is not there."""
        return None if self.data is None else our_columns(self.data).get(label)

    def group(self, name: str) -> SubsetGroup | None:
        """Return the group of a class, or of "" for what is unlike anything labelled."""
        column = self._probability_labels.get(name) if name else f"{self.target}_unlike"
        found = None if column is None else self.column(column)
        return None if found is None else find_cut(self._collection, found)

    @property
    def hidden(self) -> bool:
        """Whether the wanted class is predicted, and no group shows it: the user changed or removed that."""
        return self.wanted in self._chances and self.group(self.wanted) is None

    def show_hidden(self) -> None:
        """Show the hidden class in a new group; the one that the user changed stays his."""
        if self.hidden:
            self._cut(self.wanted, self.column(self._probability_labels[self.wanted]))

    def show_cell(self, labelled: str, said: str) -> SubsetGroup:
        """
        Select the galaxies in a cell of the confusion matrix, in the one group of ours that is for this.

        Raises
        ------
        AnalysisError
            If the cell is empty, or there is none.
        """
        table = self.confusion()
        if table is None or not {labelled, said} <= set(table.names):
            raise AnalysisError(f"there is no cell of {labelled} called {said}")
        rows = table.cells[table.names.index(labelled)][table.names.index(said)]
        if not len(rows):
            raise AnalysisError(f"no galaxy labelled {labelled} was called {said}")
        label = f"{labelled} called {said}" if labelled != said else f"{labelled}, rightly called so"
        state = ElementSubsetState(rows, data=self.data)
        last, shown = self._cell
        groups = self._collection.subset_groups
        if last is None or last not in groups or last.subset_state is not shown:
            with active_subset_kept(self.edit_subset_mode):
                last = self._collection.new_subset_group(label, state, color=self.colour_of(said))
        else:
            last.subset_state, last.label = state, label
            last.style.color = self.colour_of(said)
        self._cell = last, state  # if the user draws over it, it is his, and the next cell gets a new one
        return last

    def _show_predictions(
        self, head: Head, columns: Mapping[str, np.ndarray], chances: dict[str, Chances]
    ) -> None:
        """Write what a head says, (N,) by label, and let groups of ours cut on it."""
        self._probability_labels = probability_columns(head)
        columns = dict(columns) | dict.fromkeys(self._stale(columns), np.full(self.data.size, np.nan))
        made = {**head.provenance, "target": head.target, "method": f"teaching: {method_of(head)}"}
        written = write_columns(self.data, columns, made)
        unlike, labels = columns[f"{self.target}_unlike"], self._probability_labels
        self._chances = chances
        if self.wanted not in self._chances:
            self.wanted = next(iter(self._chances), self.wanted)
        if np.nansum(unlike) or find_cut(self._collection, written[f"{self.target}_unlike"]) is not None:
            self._cut_unlike(written[f"{self.target}_unlike"])  # first, so that classes are drawn above it
        for name, label in labels.items():
            if len(self._chances) <= _MOST_GROUPS or name == self.wanted:
                self._cut(name, written[label])

    def _hide_predictions(self) -> None:
        """Take away the groups of ours of this target, and what their columns say."""
        for name in ("", *self._chances):
            group = self.group(name)
            if group is not None:
                with active_subset_kept(self.edit_subset_mode):
                    self._collection.remove_subset_group(group)
        nothing = {
            label: np.full(self.data.size, "" if self.data.get_kind(cid) == "categorical" else np.nan)
            for label, cid in our_columns(self.data).items()
            if provenance_of(self.data, label).get("target") == self.target
        }
        write_columns(self.data, nothing)
        self._chances, self._probability_labels = {}, {}

    def _stale(self, columns: Mapping[str, np.ndarray]) -> list[str]:
        """Columns of probabilities of classes that are no more."""
        return [
            label
            for label in our_columns(self.data)
            if label not in columns
            and label.startswith(f"{self.target}_prob")
            and provenance_of(self.data, label).get("target") == self.target
        ]

    def _cut_unlike(self, column: ComponentID) -> None:
        label = f"unlike anything labelled ({self.target})"
        show_cut(self._collection, column, 0.5, label, UNLIKE_COLOUR, self.edit_subset_mode)

    def _cut(self, name: str, column: ComponentID) -> None:
        threshold = self.threshold_of(name)
        shown = self.target if list(self._chances) == ["yes"] or len(self._chances) == 1 else name
        label = f"{shown} (p > {threshold:g})"
        colour = self.colour_of(name)
        show_cut(self._collection, column, threshold, label, colour, self.edit_subset_mode)

    def _on_wanted(self, name: str) -> None:
        self.threshold = self.threshold_of(name)
        column = self.column(self._probability_labels.get(name, ""))
        if column is not None:
            self._cut(name, column)

    def _on_threshold(self, threshold: float) -> None:
        kept = round(min(max(float(threshold), 0.0), 1.0), 3)
        if kept != threshold:
            self.threshold = kept
            return
        if self.threshold_of(self.wanted) == kept:
            return
        self._thresholds[self.wanted] = kept
        column = self.column(self._probability_labels.get(self.wanted, ""))
        if column is not None:
            self._cut(self.wanted, column)
        self._remember()

    def _forget(self) -> None:
        super()._forget()
        self.lesson = self._head = None
        self._rows, self._learned = np.empty(0, dtype=np.int64), {}
        self._thresholds, self._probability_labels, self._chances = {}, {}, {}
        self._clearer_of, self._clearer = self._chances, None
        self._cell = None, None
