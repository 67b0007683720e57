"""Taking labels over: from subsets, from columns, from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.teaching.labels import Labelling
from glue_zoobot.catalog.teaching.sources import MOST, labels_of_column, sampled, yes_or_no
from glue_zoobot.errors import AnalysisError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import ComponentID, Subset

__all__ = ["LabelTaking"]


class LabelTaking(Labelling):
    """Labels that exist elsewhere become labels of the target; each taking is one step that can be undone."""

    def add_subset(self, subset: Subset, name: str | None = None) -> int:
        """
        Label the present members of a subset as a class of its name and colour.

        Returns
        -------
        int
            How many were labelled.

        Raises
        ------
        AnalysisError
            If it has no members in this catalogue.
        """
        self._check_open()
        rows = np.flatnonzero(subset.to_mask()) if subset.data is self.data else np.empty(0, dtype=np.int64)
        if not rows.size:
            raise AnalysisError(
                f"the subset {subset.label} has no galaxy of {self.data.label}; choose another"
            )
        name = (name or subset.label).strip()
        before = dict(self._colours)
        self._name_class(name, subset.style.color)
        chosen = sampled(rows)
        shown = {"why": "subset", "subset": subset.label}
        gesture = self._record({int(row): name for row in chosen}, shown)
        self._keep_step(f"{counted(len(chosen), 'label')} {name} from a subset", gesture, before)
        if len(chosen) < len(rows):
            self.note = f"{len(chosen):,} of {len(rows):,} galaxies of {name} were drawn at random as labels"
        return len(chosen)

    def add_column(
        self,
        column: ComponentID,
        clear: tuple[float, float] | None = None,
        most: int = MOST,
        within: Subset | None = None,
    ) -> int:
        """
        Take labels from a column.

        Parameters
        ----------
        column : ComponentID
            Of classes or numbers; rows without a value get no label.
        clear : (float, float), optional
            Make yes and no of a number: no up to the first, yes from the second on.
        most : int
            Take at most so many, at random.
        within : Subset, optional
            Only its members.

        Returns
        -------
        int
            How many were labelled.

        Raises
        ------
        AnalysisError
            If there is nothing to take.
        """
        self._check_open()
        labels = labels_of_column(self.data, column, within)
        if clear is not None:
            labels = yes_or_no(labels, yes_from=clear[1], no_to=clear[0])
        rows = sampled(np.array(list(labels), dtype=np.int64), most)
        shown = {"why": "column", "column": column.label}
        what = f"{counted(len(rows), 'label')} from column {column.label}"
        self._record({int(row): labels[int(row)] for row in rows}, shown, what)
        return len(rows)

    def add_file(self, path: str | Path, column: str) -> int:
        """
        Take labels from a table or a log.

        Parameters
        ----------
        path : path
            A table with an id column, or a log (``.jsonl``).
        column : str
            Column of the table, or target of the log.

        Returns
        -------
        int
            How many galaxies of this catalogue were labelled. Labels of others are kept in the log.

        Raises
        ------
        AnalysisError, CatalogueError
            If there is no such file or column, or it is empty, or names no galaxy of this catalogue.
        """
        from glue_zoobot.analysis.teaching import read_labels

        log = self._check_open()
        labels = read_labels(path, column)
        known = set(object_ids_of(self.data).tolist())
        n = sum(name in known for name in labels)
        if not n:
            raise AnalysisError(
                f"none of the {len(labels):,} galaxies of {Path(path).name} ({next(iter(labels))} …) is in "
                f"{self.data.label}; is it another catalogue, or another id?"
            )
        before = dict(self._colours)
        gesture = log.add_by_name(labels, {"why": "file", "file": Path(path).name})
        self._after_recording()
        self._keep_step(f"{counted(n, 'label')} from {Path(path).name}", gesture, before)
        if n < len(labels):
            self.note = (
                f"{len(labels) - n:,} of {len(labels):,} ids are not in {self.data.label}; kept, not used"
            )
        return n
