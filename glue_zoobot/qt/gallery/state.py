"""What a gallery shows, and in which order. Holds all the logic; knows no windows."""

from __future__ import annotations

from itertools import islice
from time import thread_time

import numpy as np
from echo import CallbackProperty, ListCallbackProperty, SelectionCallbackProperty
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import BaseData, Data
from glue.core.data_combo_helper import ComponentIDComboHelper
from glue.core.exceptions import IncompatibleAttribute
from glue.core.subset import Subset
from glue.viewers.common.state import LayerState, ViewerState

from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.ordering import order_by, sort_values, zero_rank_name
from glue_zoobot.qt.gallery.values import (
    MISSING,
    RATIO_DECIMALS,
    SKY_DECIMALS,
    Formatter,
    NumberFormat,
    format_value,
    number_format,
)

__all__ = ["GalleryLayerState", "GalleryViewerState"]

RANK_LABEL = "similarity_rank"
CAPTION_DIGITS, DETAIL_DIGITS = 4, 6  # significant ones; single precision holds no more than 6
SAMPLE = 256  # rows that decide how a column is written
SLOW_MASK = 0.01  # seconds of computing; a dearer subset is evaluated once for all rows, not page by page


def _same_values(old: np.ndarray, new: np.ndarray) -> bool:
    """Glue swaps the array of a changed column; a derived column is a new array each time."""
    return old is new or (new.dtype.kind == "f" and np.array_equal(old, new, equal_nan=True))


class GalleryLayerState(LayerState):
    """A dataset or subset in the gallery."""


class GalleryViewerState(ViewerState):
    """
    What a gallery shows: one dataset, rows chosen by the visible layers, in the order of one column.

    Any keyword argument sets the callback property of that name.
    """

    thumbnail_size = CallbackProperty(128, docstring="Edge of a thumbnail in screen pixels")
    sort_att = SelectionCallbackProperty(
        default_index=0, docstring="Column to sort by; None: as in the catalogue"
    )
    sort_descending = CallbackProperty(False, docstring="Whether the largest values come first")
    caption_atts = ListCallbackProperty(docstring="Columns whose values are written below each picture")
    enlarge = CallbackProperty(True, docstring="Whether a picture is enlarged while the mouse rests on it")

    def __init__(self, **kwargs: object) -> None:
        super().__init__()
        self._last_data = None
        self._order = None
        self._masks: dict[Subset, np.ndarray] = {}
        self._formats: dict[tuple[ComponentID, int], Formatter] = {}
        self.sort_att_helper = ComponentIDComboHelper(self, "sort_att", none="Catalogue order")
        self.add_callback("layers", self._on_layers_change)
        self.update_from_dict(kwargs)  # last: this is how a session is restored

    def _update_priority(self, name: str) -> int:
        return 1 if name == "layers" else 0  # columns can be chosen only once the data are known

    def _on_layers_change(self, *args: object) -> None:
        data = self.data
        if data is self._last_data:
            return
        self._last_data = data
        self.forget_all()
        self.sort_att_helper.set_multiple_data([data] if data is not None and data.size else [])
        object_id = None if data is None else data.find_component_id("object_id")
        self.caption_atts = [] if object_id is None else [object_id]

    @property
    def data(self) -> Data | None:
        """The dataset whose galaxies are shown."""
        for state in self.layers:
            if state.layer is not None:
                return state.layer.data
        return None

    # ---- which rows, in which order

    def rows(self) -> np.ndarray:
        """Rows of `data` in the visible layers, in the order in which they are shown: (M,) int64."""
        data = self.data
        if data is None:
            return np.zeros(0, dtype=np.int64)
        visible = [state.layer for state in self._visible_states()]
        if any(isinstance(layer, BaseData) for layer in visible):
            return self._order_of_all(data)
        mask = np.zeros(data.size, dtype=bool)
        for subset in visible:
            mask |= self.mask(subset)
        rows = np.flatnonzero(mask)
        if self.sort_att is None:
            return rows
        values = sort_values(data, self.sort_att, self.sort_descending)
        return rows[order_by(values[rows], self.sort_descending)]

    def _order_of_all(self, data: Data) -> np.ndarray:
        if self.sort_att is None:
            return np.arange(data.size)
        source, descending = data.get_component(self.sort_att).data, self.sort_descending
        if self._order is None or self._order[1] != descending or not _same_values(self._order[0], source):
            order = order_by(sort_values(data, self.sort_att, descending), descending)
            self._order = (source, descending, order)
        return self._order[2]

    # ---- subsets

    @property
    def visible_subsets(self) -> list[Subset]:
        """Subsets of the visible layers, topmost first."""
        states = sorted(self._visible_states(), key=lambda state: state.zorder, reverse=True)
        return [state.layer for state in states if isinstance(state.layer, Subset)]

    def _visible_states(self) -> list[LayerState]:
        data = self.data
        return [s for s in self.layers if s.visible and s.layer is not None and s.layer.data is data]

    def mask(self, subset: Subset, rows: np.ndarray | None = None) -> np.ndarray:
        """
        Which rows are in a subset; none are when it cannot be applied to this dataset.

        Parameters
        ----------
        subset : Subset
            A subset of `data`.
        rows : (M,) ndarray of int, optional
            The rows of interest; all by default.

        Returns
        -------
        (M,) ndarray of bool
        """
        try:
            if rows is None:
                return np.asarray(subset.to_mask())
            if subset in self._masks:
                return self._masks[subset][rows]
            start = thread_time()
            members = np.asarray(subset.to_mask(view=rows))
            if thread_time() - start > SLOW_MASK:
                self._masks[subset] = np.asarray(subset.to_mask())
        except IncompatibleAttribute:
            return np.zeros(subset.data.size if rows is None else len(rows), dtype=bool)
        return members

    def forget(self, subset: Subset) -> None:
        """Drop what is remembered of a subset; call when it has changed."""
        self._masks.pop(subset, None)

    def forget_all(self) -> None:
        """Give memory back; glue keeps the state of a viewer after it is closed."""
        self._order = None
        self._masks.clear()
        self.forget_formats()

    def forget_formats(self) -> None:
        """Decide again how columns are written; call when values have changed."""
        self._formats.clear()

    def frames(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """Colours of the visible subsets to which each of ``rows`` belongs, topmost first."""
        subsets = self.visible_subsets
        members = [self.mask(subset, rows) for subset in subsets]
        return [
            tuple(s.style.color for s, mask in zip(subsets, members, strict=True) if mask[i])
            for i in range(len(rows))
        ]

    # ---- captions

    @property
    def captions_shown(self) -> list[ComponentID]:
        """Columns written below each picture: the chosen ones, and the one that sorts."""
        chosen = [cid for cid in self.caption_atts if self._has(cid)]
        sorts = self.sort_att
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
        return number_format(sample, digits)

    # ---- similarity

    @property
    def rank_att(self) -> ComponentID | None:
        """The column that ranks galaxies by similarity, where there is one."""
        return None if self.data is None else self.data.find_component_id(RANK_LABEL)

    def sort_most_similar_first(self) -> None:
        """Show the look-alikes first; does nothing before anything similar was looked for."""
        if self.rank_att is not None:
            self.sort_descending = False
            self.sort_att = self.rank_att
