"""What is written about galaxies: captions below the pictures, and all their values."""

from __future__ import annotations

from itertools import islice

import numpy as np
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import Data

from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.ordering import zero_rank_name
from glue_zoobot.qt.gallery.values import (
    MISSING,
    RATIO_DECIMALS,
    SKY_DECIMALS,
    Formatter,
    NumberFormat,
    format_value,
    number_format,
)

__all__ = ["WrittenColumns"]

CAPTION_DIGITS, DETAIL_DIGITS = 4, 6  # significant ones; single precision holds no more than 6
SAMPLE = 256  # rows that decide how a column is written


class WrittenColumns:
    """The part of a gallery's state that turns columns into text."""

    data: Data | None
    caption_atts: list[ComponentID]
    ordered_by: ComponentID | None

    def __init__(self, **kwargs: object) -> None:
        self._formats: dict[tuple[ComponentID, int], Formatter] = {}
        super().__init__(**kwargs)

    def forget_formats(self) -> None:
        """Decide again how columns are written; call when values have changed."""
        self._formats.clear()

    @property
    def captions_shown(self) -> list[ComponentID]:
        """Columns written below each picture: the chosen ones, and the one that sorts."""
        chosen = [cid for cid in self.caption_atts if self._has(cid)]
        sorts = self.ordered_by
        return chosen if sorts is None or any(c is sorts for c in chosen) else [*chosen, sorts]

    def _has(self, cid: ComponentID) -> bool:
        return self.data is not None and any(c is cid for c in self.data.components)

    def captions(self, rows: np.ndarray) -> list[list[tuple[str, str]]]:
        """For each of ``rows``, the ``(column, value)`` lines below its picture."""
        columns = [(cid.label, self._texts(cid, rows)) for cid in self.captions_shown]
        return [[(label, texts[i]) for label, texts in columns] for i in range(len(rows))]

    def caption_columns(self) -> list[tuple[str, str]]:
        """Name of each column in the captions, and one of its longest values."""
        columns = []
        for cid in self.captions_shown:
            write = self._formatter(cid, CAPTION_DIGITS)
            columns.append((cid.label, max((write(v) for v in self._sample(cid)), key=len, default="")))
        return columns

    def questions(self, rows: np.ndarray) -> np.ndarray:
        """Which of ``rows`` are what was asked for, if the captions tell a rank of similarity: (M,) bool."""
        asked = np.zeros(len(rows), dtype=bool)
        for cid in self.captions_shown:
            if zero_rank_name(cid) == "query":
                asked |= self._values(cid, rows) == 0
        return asked

    def details(self, row: int, count: int = 14) -> list[tuple[str, str]]:
        """Up to ``count`` known ``(column, value)`` pairs of one galaxy, those of the caption first."""
        if self.data is None:
            return []
        first = self.captions_shown
        columns = self.data.main_components + self.data.derived_components
        others = [cid for cid in columns if not any(cid is f for f in first)]
        rows = np.array([row])
        pairs = ((cid.label, self._texts(cid, rows, digits=DETAIL_DIGITS)[0]) for cid in first + others)
        return list(islice(((label, text) for label, text in pairs if text != MISSING), count))

    def every_value(self, row: int) -> list[tuple[str, str]]:
        """All ``(column, value)`` pairs of one galaxy, in the order of the catalogue."""
        columns = [] if self.data is None else self.data.main_components + self.data.derived_components
        return [(cid.label, self._texts(cid, np.array([row]), DETAIL_DIGITS)[0]) for cid in columns]

    def _texts(self, cid: ComponentID, rows: np.ndarray, digits: int = CAPTION_DIGITS) -> list[str]:
        write = self._formatter(cid, digits)
        return [write(value) for value in self._values(cid, rows)]

    def _values(self, cid: ComponentID, rows: np.ndarray) -> np.ndarray:
        component = self.data.get_component(cid)
        if isinstance(component, CategoricalComponent):
            return component.labels[rows]  # indexing it through glue looks at every row
        return np.asarray(self.data[cid, rows])

    def _formatter(self, cid: ComponentID, digits: int) -> Formatter:
        """How a column is written: decided once, by rows from all over the catalogue, for all cells."""
        if (cid, digits) not in self._formats:
            self._formats[cid, digits] = self._choose_format(cid, self._sample(cid), digits)
        return self._formats[cid, digits]

    def _sample(self, cid: ComponentID) -> np.ndarray:
        n = self.data.size
        return self._values(cid, np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64)))

    def _choose_format(self, cid: ComponentID, sample: np.ndarray, digits: int) -> Formatter:
        if sample.dtype.kind != "f":
            return format_value
        if zero_rank_name(cid):
            return NumberFormat(0, zero_rank_name(cid))
        if cid.label.startswith("similarity"):
            return NumberFormat(RATIO_DECIMALS)
        if any(cid is sky for sky in sky_columns(self.data) or ()):
            return NumberFormat(SKY_DECIMALS)
        return number_format(sample, digits, trim=digits == DETAIL_DIGITS)
