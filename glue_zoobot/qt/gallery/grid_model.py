"""What each cell of the grid of pictures holds; nothing costs more with more galaxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from glue_zoobot.qt.gallery.lines import Lines
from glue_zoobot.qt.gallery.selection import GallerySelection
from glue_zoobot.qt.gallery.state import GalleryViewerState
from glue_zoobot.qt.gallery.thumbnails import Thumbnail, ThumbnailLoader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtCore import QObject

__all__ = ["Cell", "GridModel"]

PAGE = 64  # cells whose captions and frames are looked up together
MAX_PAGES = 128


@dataclass(frozen=True)
class Cell:
    """Everything that is drawn for one galaxy."""

    row: int
    captions: list[tuple[str, str]]
    frames: tuple[str, ...]
    question: bool
    thumbnail: Thumbnail | None
    selected: bool
    current: bool


class GridModel(QAbstractTableModel):
    """
    Galaxies in reading order, group by group if there are groups, each under a header.

    Parameters
    ----------
    state : GalleryViewerState
        Gives captions and frames.
    selection : GallerySelection
        Gives the rows shown, and which of them are selected.
    thumbnails : ThumbnailLoader
        Gives the pictures.
    parent : QObject, optional
        Owner.
    """

    def __init__(
        self,
        state: GalleryViewerState,
        selection: GallerySelection,
        thumbnails: ThumbnailLoader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._selection, self._thumbnails = state, selection, thumbnails
        self._pages: dict[int, tuple[list, list, np.ndarray]] = {}
        self._groups: list[tuple[str, int]] = []
        self.lines = Lines([0], 1)

    @property
    def n_columns(self) -> int:
        """Galaxies per line."""
        return self.lines.n_columns

    @property
    def rows(self) -> np.ndarray:
        """Rows of the data in the order shown."""
        return self._selection.rows

    def set_columns(self, n_columns: int) -> None:
        """Break the lines elsewhere."""
        if n_columns != self.n_columns:
            self.beginResetModel()
            self._break_lines(n_columns)
            self.endResetModel()

    def set_rows(self, rows: np.ndarray, groups: Sequence[tuple[str, int]] = ()) -> None:
        """Show these rows of the data, in this order, in groups of these names and sizes."""
        self.beginResetModel()
        self._pages.clear()
        self._selection.set_rows(rows)
        self._groups = list(groups)
        self._break_lines(self.n_columns)
        self.endResetModel()

    def _break_lines(self, n_columns: int) -> None:
        sizes = [size for _, size in self._groups] or [len(self.rows)]
        self.lines = Lines(sizes, n_columns, headed=bool(self._groups))

    def group(self, index: QModelIndex) -> int:
        """Number of the group of which a cell is the header, -1 if it is none."""
        return self.lines.header(index.row()) if index.isValid() else -1

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Name and size of each group, in the order shown; empty if there are none."""
        return self._groups

    def title(self, group: int) -> tuple[str, int]:
        """Name and size of a group."""
        return self._groups[group]

    def forget_pages(self) -> None:
        """Look captions and frames up again."""
        self._pages.clear()

    def position(self, index: QModelIndex) -> int:
        """Position of a cell, -1 where there is no galaxy."""
        return int(self.lines.position(index.row(), index.column())) if index.isValid() else -1

    def index_of(self, position: int) -> QModelIndex:
        """The cell at a position."""
        return self.index(*self.lines.cell(position)) if position >= 0 else QModelIndex()

    def cell(self, position: int) -> Cell:
        """What to draw at a position."""
        page, place = divmod(position, PAGE)
        if page not in self._pages:
            if len(self._pages) >= MAX_PAGES:
                self._pages.clear()
            rows = self.rows[page * PAGE : (page + 1) * PAGE]
            self._pages[page] = (
                self._state.captions(rows),
                self._state.frames(rows),
                self._state.questions(rows),
            )
        captions, frames, questions = self._pages[page]
        row = int(self.rows[position])
        return Cell(
            row=row,
            captions=captions[place],
            frames=frames[place],
            question=bool(questions[place]),
            thumbnail=self._thumbnails.get(row),
            selected=bool(self._selection.mask[row]),
            current=position == self._selection.current,
        )

    # ---- what Qt asks

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else self.lines.n_lines

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self.n_columns

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        return Qt.ItemIsEnabled if self.position(index) >= 0 else Qt.NoItemFlags

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> str | None:
        position, group = self.position(index), self.group(index)
        if group >= 0:
            return self._header_data(group, role)
        if position < 0:
            return None
        if role == Qt.DisplayRole:
            return "\n".join(f"{label} {value}" for label, value in self.cell(position).captions)
        if role == Qt.ToolTipRole:
            return self._explain(self.cell(position))
        return None

    def _explain(self, cell: Cell) -> str | None:
        """Why there is no picture; else the captions in full, unless the enlarged picture has them."""
        if cell.thumbnail is not None and cell.thumbnail.reason:
            return f"No picture: {cell.thumbnail.reason}"
        if self._state.enlarge:
            return None
        return "\n".join(f"{label}: {value}" for label, value in cell.captions) or None

    def _header_data(self, group: int, role: int) -> str | None:
        title, size = self.title(group)
        if role == Qt.DisplayRole:
            return f"{title} ({size:,})"
        return f"Click to select these {size:,} galaxies" if role == Qt.ToolTipRole else None
