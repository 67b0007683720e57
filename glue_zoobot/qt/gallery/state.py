"""What a gallery shows, and in which order. Holds all the logic; knows no windows."""

from __future__ import annotations

import re
from contextlib import suppress
from difflib import get_close_matches
from time import thread_time
from typing import TYPE_CHECKING

import numpy as np
from echo import CallbackProperty, ListCallbackProperty, SelectionCallbackProperty
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import BaseData, Data
from glue.core.data_combo_helper import ComponentIDComboHelper
from glue.core.exceptions import IncompatibleAttribute
from glue.core.subset import Subset, SubsetState
from glue.viewers.common.state import LayerState, ViewerState

from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt.gallery.captions import WrittenColumns
from glue_zoobot.qt.gallery.filtering import Condition
from glue_zoobot.qt.gallery.ordering import grouped, is_missing, order_by, random_order, sort_values
from glue_zoobot.qt.gallery.values import MISSING, format_value

if TYPE_CHECKING:
    from glue_zoobot.images.stretching import Stretch

__all__ = ["MISSING", "GalleryLayerState", "GalleryViewerState", "format_value"]

RANK_LABEL = "similarity_rank"
LABELS = re.compile(r"(?:\w+_)?(?:label|rating)s?", re.IGNORECASE)
SLOW_MASK = 0.01  # seconds of computing; a dearer subset is evaluated once for all rows, not page by page


def _same_values(old: np.ndarray, new: np.ndarray) -> bool:
    """Glue swaps the array of a changed column; a derived column is a new array each time."""
    numbers = old.dtype.kind == new.dtype.kind == "f"
    return old is new or (numbers and np.array_equal(old, new, equal_nan=True))


class GalleryLayerState(LayerState):
    """A dataset or subset in the gallery."""


class GalleryViewerState(WrittenColumns, ViewerState):
    """
    What a gallery shows: one dataset, rows chosen by the visible layers, in the order of one column.

    Any keyword argument sets the callback property of that name.
    """

    thumbnail_size = CallbackProperty(128, docstring="Edge of a thumbnail in screen pixels")
    sort_att = SelectionCallbackProperty(
        default_index=0, docstring="Column to sort by; None: as in the catalogue"
    )
    sort_descending = CallbackProperty(False, docstring="Whether the largest values come first")
    random_order = CallbackProperty(False, docstring="Whether the order is random instead")
    random_seed = CallbackProperty(0, docstring="Another number gives another random order")
    unlabelled_first = CallbackProperty(False, docstring="Whether galaxies without a label come first")
    group_att = SelectionCallbackProperty(
        default_index=0, docstring="Categories shown apart; None: no groups"
    )
    filter_text = CallbackProperty(
        "", docstring="Only galaxies for which this is true are shown, see Condition"
    )
    caption_atts = ListCallbackProperty(docstring="Columns whose values are written below each picture")
    enlarge = CallbackProperty(True, docstring="Whether a picture is enlarged while the mouse rests on it")

    brightness = CallbackProperty(0.0, docstring="Lifts faint parts of all pictures: -1 to 1")
    contrast = CallbackProperty(0.0, docstring="Makes all pictures harder: -1 to 1")
    invert = CallbackProperty(False, docstring="Whether galaxies are dark on white")

    restretch = CallbackProperty(False, docstring="Whether fluxes are stretched anew, for the eye alone")
    softening = CallbackProperty(3.0, docstring="Units of the sky's noise below which the stretch is linear")
    percentile = CallbackProperty(99.7, docstring="White is what so many percent of the pixels are below")
    flux_bands = CallbackProperty("", docstring="Red,green,blue, or one in grey; empty: the catalogue's own")

    def __init__(self, **kwargs: object) -> None:
        super().__init__()
        self._last_data = None
        self._order = None
        self._masks: dict[Subset, np.ndarray] = {}
        self._labelled: tuple[tuple, np.ndarray] | None = None
        self.sort_att_helper = ComponentIDComboHelper(self, "sort_att", none="Catalogue order")
        self.group_att_helper = ComponentIDComboHelper(
            self, "group_att", none="No groups", numeric=False, datetime=False
        )
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
        for helper in (self.sort_att_helper, self.group_att_helper):
            helper.set_multiple_data([data] if data is not None and data.size else [])
        object_id = None if data is None else data.find_component_id("object_id")
        self.caption_atts = [] if object_id is None else [object_id]

    @property
    def data(self) -> Data | None:
        """The dataset whose galaxies are shown."""
        for state in self.layers:
            if state.layer is not None:
                return state.layer.data
        return None

    @property
    def stretch(self) -> Stretch | None:
        """How fluxes are stretched anew; None if pictures are shown as the catalogue has them."""
        from glue_zoobot.images.stretching import Stretch  # late: glue starts without it

        if not self.restretch:
            return None
        bands = tuple(self.flux_bands.split(",")) if self.flux_bands else ()
        return Stretch(self.softening, self.percentile, bands)

    # ---- which rows, in which order

    @property
    def ordered_by(self) -> ComponentID | None:
        """The column that orders the galaxies now, if one does."""
        return None if self.random_order else self.sort_att

    def rows(self) -> np.ndarray:
        """Rows of `data` that are shown, in the order in which they are: (M,) int64."""
        return self.arranged()[0]

    def arranged(self) -> tuple[np.ndarray, list[tuple[str, int]]]:
        """
        Return what is shown, group by group.

        Returns
        -------
        rows : (M,) ndarray of int64
            Rows of `data` in the visible layers that pass the filter, in the order shown.
        groups : list of (str, int)
            Name and size of each group, in the order shown; empty if there are no groups.
        """
        data = self.data
        if data is None:
            return np.zeros(0, dtype=np.int64), []
        mask = self._shown(data)
        rows = self._order_of_all(data) if mask is None else self._order_of_some(data, np.flatnonzero(mask))
        if self.unlabelled_first and self.label_att is not None:
            labelled = self._labelled_mask(data)[rows]
            rows = np.concatenate([rows[~labelled], rows[labelled]])
        return (rows, []) if self.group_att is None else grouped(data, self.group_att, rows)

    def _shown(self, data: Data) -> np.ndarray | None:
        """Mask of the rows in the visible layers that pass the filter; None for all rows."""
        visible = [state.layer for state in self._visible_states()]
        mask = None
        if not any(isinstance(layer, BaseData) for layer in visible):
            mask = np.zeros(data.size, dtype=bool)
            for subset in visible:
                mask |= self.mask(subset)
        passed = self._filter_mask(data)
        return mask if passed is None else passed if mask is None else mask & passed

    def _order_of_some(self, data: Data, rows: np.ndarray) -> np.ndarray:
        if self.random_order:
            return random_order(rows, data.size, self.random_seed)
        if self.sort_att is None:
            return rows
        values = sort_values(data, self.sort_att, self.sort_descending)
        return rows[order_by(values[rows], self.sort_descending)]

    def _order_of_all(self, data: Data) -> np.ndarray:
        if self.random_order or self.sort_att is None:
            return self._order_of_some(data, np.arange(data.size))
        source, descending = data.get_component(self.sort_att).data, self.sort_descending
        if self._order is None or self._order[1] != descending or not _same_values(self._order[0], source):
            order = order_by(sort_values(data, self.sort_att, descending), descending)
            self._order = (source, descending, order)
        return self._order[2]

    @property
    def label_att(self) -> ComponentID | None:
        """The column of labels or ratings, where there is one."""
        columns = [] if self.data is None else self.data.main_components
        return next((cid for cid in columns if LABELS.fullmatch(cid.label)), None)

    def _labelled_mask(self, data: Data) -> np.ndarray:
        """Which rows had a label when the order was chosen: pictures do not jump while one labels them."""
        order = (self.label_att, self.sort_att, self.sort_descending, self.random_order, self.random_seed)
        if self._labelled is None or any(a is not b for a, b in zip(order, self._labelled[0], strict=True)):
            self._labelled = (order, ~is_missing(data, self.label_att))
        return self._labelled[1]

    def shuffle(self) -> None:
        """Show the galaxies in another random order."""
        self.random_seed += 1
        self.random_order = True

    # ---- filter

    def check_filter(self, text: str) -> str:
        """Say what is wrong with a condition; empty if it can be used."""
        try:
            self._evaluate(text, slice(0, 1))
        except CatalogueError as error:
            return str(error)
        return ""

    def filter_state(self) -> SubsetState | None:
        """The filter as a stock glue subset state; None if there is none, or it cannot be used."""
        if not self.filter_text.strip() or self.check_filter(self.filter_text):
            return None
        return Condition(self.filter_text).build(self._column_named)

    def _filter_mask(self, data: Data) -> np.ndarray | None:
        with suppress(CatalogueError):  # a column of it was removed; the filter box says so
            return self._evaluate(self.filter_text, slice(None))
        return None

    def _evaluate(self, text: str, view: slice) -> np.ndarray | None:
        if not text.strip() or self.data is None:
            return None
        with np.errstate(all="ignore"):
            return Condition(text).build(lambda name: self._column_values(self._column_named(name), view))

    def _column_values(self, cid: ComponentID, view: slice) -> np.ndarray:
        component = self.data.get_component(cid)
        return component.labels[view] if isinstance(component, CategoricalComponent) else self.data[cid, view]

    def _column_named(self, name: str) -> ComponentID:
        columns = {cid.label: cid for cid in self.data.main_components + self.data.derived_components}
        if name in columns:
            return columns[name]
        similar = get_close_matches(name, columns, n=1)
        hint = f"; did you mean {similar[0]}?" if similar else ""
        raise CatalogueError(f"{self.data.label} has no column {name}{hint}")

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
        self._order = self._labelled = None
        self._masks.clear()
        self.forget_formats()

    def frames(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """Colours of the visible subsets to which each of ``rows`` belongs, topmost first."""
        subsets = self.visible_subsets
        members = [self.mask(subset, rows) for subset in subsets]
        return [
            tuple(s.style.color for s, mask in zip(subsets, members, strict=True) if mask[i])
            for i in range(len(rows))
        ]

    # ---- similarity

    @property
    def rank_att(self) -> ComponentID | None:
        """The column that ranks galaxies by similarity, where there is one."""
        return None if self.data is None else self.data.find_component_id(RANK_LABEL)

    def sort_most_similar_first(self) -> None:
        """Show the look-alikes first; does nothing before anything similar was looked for."""
        if self.rank_att is not None:
            self.sort_best_first(self.rank_att)

    def sort_best_first(self, rank: ComponentID) -> None:
        """Order by a rank, whatever the order was before."""
        self.sort_descending = self.random_order = False
        self.sort_att = rank
