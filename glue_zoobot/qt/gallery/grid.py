"""The grid of pictures: a table view whose cost does not depend on the number of galaxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QCursor, QKeySequence, QPalette
from qtpy.QtWidgets import QAbstractItemView, QApplication, QFrame, QTableView

from glue_zoobot.qt.gallery.caption_lines import CaptionColumn, caption_layout
from glue_zoobot.qt.gallery.keys import action_of
from glue_zoobot.qt.gallery.lines import Lines
from glue_zoobot.qt.gallery.painting import (
    BACKGROUND,
    CellPainter,
    caption_font,
    cell_size,
    header_height,
)
from glue_zoobot.qt.gallery.selection import GallerySelection
from glue_zoobot.qt.gallery.state import GalleryViewerState
from glue_zoobot.qt.gallery.thumbnails import Thumbnail, ThumbnailLoader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtCore import QObject
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from qtpy.QtWidgets import QWidget

__all__ = ["Cell", "GridModel", "GridView"]

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


class GridView(QTableView):
    """
    Shows a `GridModel`, and turns mouse and keys into a `GallerySelection`.

    Parameters
    ----------
    model : GridModel
        What is shown.
    selection : GallerySelection
        What the user's gestures change.
    state : GalleryViewerState
        Gives the size of the pictures.
    thumbnails : ThumbnailLoader
        Is told which pictures are wanted.
    parent : QWidget, optional
        Owner.
    """

    #: A gesture is complete; True if it added to the selection before it.
    selected = Signal(bool)
    #: A key asked for something to be done with the chosen galaxies; an `Action`.
    action_wanted = Signal(object)
    #: The selected galaxies are dragged away.
    drag_wanted = Signal()
    #: The galaxy at this position is to be shown by itself.
    detail_wanted = Signal(int)

    def __init__(
        self,
        model: GridModel,
        selection: GallerySelection,
        state: GalleryViewerState,
        thumbnails: ThumbnailLoader,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._selection, self._state, self._thumbnails = selection, state, thumbnails
        self._press: QPoint | None = None  # where a rubber band began, in the coordinates of the whole grid
        self._band: QRect | None = None
        self._may_drag = False  # a press on a selected galaxy begins a drag, elsewhere a rubber band
        self._base: np.ndarray | None = None
        self._header_lines: list[int] = []
        self.caption_layout: list[CaptionColumn] = []
        self._drag_timer = QTimer(self, interval=30)  # scrolls on while the mouse is held beyond an edge
        self._drag_timer.timeout.connect(self._drag_on)
        self._load_timer = QTimer(self, singleShot=True, interval=0)
        self._load_timer.timeout.connect(self.load_visible)
        self.setModel(model)
        self.setItemDelegate(CellPainter(self))
        self._set_up_look()
        self.verticalScrollBar().valueChanged.connect(self._load_soon)
        thumbnails.arrived.connect(self._on_arrived)

    def _set_up_look(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
            header.setSectionResizeMode(header.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.NoFrame)
        self.setSelectionMode(QAbstractItemView.NoSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOn)  # so that columns do not jump
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        palette = self.palette()
        palette.setColor(QPalette.Base, QColor(BACKGROUND))
        self.setPalette(palette)

    # ---- geometry

    @property
    def thumbnail_size(self) -> int:
        """Edge of a picture in pixels of the window."""
        return self._state.thumbnail_size

    def lay_out(self) -> None:
        """Fit as many columns as there is room for, and share what is left among them."""
        top, before = self._first_visible(), self._geometry()
        self.caption_layout = caption_layout(
            caption_font(self.font()), self._state.caption_columns(), self._state.thumbnail_size
        )
        size = cell_size(self.font(), self._state.thumbnail_size, len(self._state.captions_shown))
        width = max(self.viewport().width(), 1)
        n_columns = max(1, width // size.width())
        self.model().set_columns(n_columns)
        self.horizontalHeader().setDefaultSectionSize(max(width // n_columns, 1))
        self.verticalHeader().setDefaultSectionSize(size.height())
        self.verticalScrollBar().setSingleStep(max(size.height() // 3, 1))
        self._lay_out_headers()
        if top > 0 and self._geometry() != before:
            self.scrollTo(self.model().index_of(top), QAbstractItemView.PositionAtTop)
        self._load_soon()

    def _lay_out_headers(self) -> None:
        lines, header = self.model().lines, self.verticalHeader()
        for line in self._header_lines:  # Qt keeps the heights of lines when the model is reset
            if line < lines.n_lines:
                header.resizeSection(line, header.defaultSectionSize())
        if self._header_lines:
            self.clearSpans()
        self._header_lines = lines.header_lines
        for line in self._header_lines:
            header.resizeSection(line, header_height(self.font()))
            if lines.n_columns > 1:
                self.setSpan(line, 0, 1, lines.n_columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.FontChange:
            self.lay_out()

    def _geometry(self) -> tuple[int, int]:
        return self.model().n_columns, self.verticalHeader().defaultSectionSize()

    def _first_visible(self) -> int:
        return self.visible_positions().start

    def thumbnail(self, row: int) -> Thumbnail | None:
        """The picture of a galaxy as far as it is loaded."""
        return self._thumbnails.get(row)

    def cell_rect(self, row: int) -> QRect:
        """Where a galaxy is on the screen; empty when it is not in sight."""
        seen = self.visible_positions()
        found = np.flatnonzero(self.model().rows[seen.start : seen.stop] == row)
        if not len(found):
            return QRect()
        rect = self.visualRect(self.model().index_of(seen.start + int(found[0])))
        return QRect(self.viewport().mapToGlobal(rect.topLeft()), rect.size())

    def visible_positions(self) -> range:
        """Positions of the galaxies that can be seen now."""
        lines = self._lines_between(0, self.viewport().height())
        return range(*(self.model().lines.from_line(line) for line in (lines.start, lines.stop)))

    def fully_visible_positions(self) -> range:
        """Positions of the galaxies that are not cut off by an edge; all that are seen if there are none."""
        model, seen = self.model(), self.visible_positions()
        inside = [p for p in seen if self.viewport().rect().contains(self.visualRect(model.index_of(p)))]
        return range(inside[0], inside[-1] + 1) if inside else seen

    def _lines_between(self, top: int, bottom: int) -> range:
        """Lines touched by what is between two heights, in the coordinates of the viewport."""
        if bottom < 0:
            return range(0)
        first, last = (self.rowAt(max(height, 0)) for height in (top, bottom))
        n = self.model().rowCount()
        return range(first if first >= 0 else n, last + 1 if last >= 0 else n)

    def positions_in(self, rect: QRect) -> np.ndarray:
        """Positions touched by a rectangle in the coordinates of the whole grid."""
        width, scrolled = self.horizontalHeader().defaultSectionSize(), self.verticalScrollBar().value()
        last = min(rect.right() // width, self.model().n_columns - 1)
        columns = np.arange(max(rect.left() // width, 0), last + 1)
        lines = self._lines_between(rect.top() - scrolled, rect.bottom() - scrolled)
        positions = self.model().lines.position(np.array(lines)[:, None], columns[None, :]).ravel()
        return positions[positions >= 0]

    # ---- pictures

    def _load_soon(self, *args: object) -> None:
        self._load_timer.start()

    def load_visible(self) -> None:
        """Ask for the pictures in sight, then for those one page below and above."""
        ratio = self.devicePixelRatioF()
        self._thumbnails.set_size(round(self._state.thumbnail_size * ratio), ratio)
        seen = self.visible_positions()
        rows = self.model().rows
        page = len(seen)
        ahead = rows[seen.stop : seen.stop + page]
        behind = rows[max(seen.start - page, 0) : seen.start][::-1]
        self._thumbnails.want(np.concatenate([rows[seen.start : seen.stop], ahead, behind]))

    def _on_arrived(self, row: int) -> None:
        seen = self.visible_positions()
        found = np.flatnonzero(self.model().rows[seen.start : seen.stop] == row)
        if len(found):
            self.update(self.model().index_of(seen.start + int(found[0])))

    def refresh_cells(self) -> None:
        """Draw captions and frames anew."""
        self.model().forget_pages()
        self.viewport().update()

    # ---- mouse

    def _to_grid(self, point: QPoint) -> QPoint:
        return point + QPoint(0, self.verticalScrollBar().value())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.LeftButton:
            return
        self.setFocus()
        self._press, self._band = self._to_grid(event.position().toPoint()), None
        self._base = self._selection.mask if event.modifiers() & Qt.ControlModifier else None
        self._may_drag = not event.modifiers() and self._is_selected(event.position().toPoint())
        self._selection.begin()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            super().mouseMoveEvent(event)
            return
        if not self._may_drag:
            self._drag_to(event.position().toPoint())
        elif self._is_far(event.position().toPoint()):
            self._let_go()
            self.drag_wanted.emit()

    def _is_selected(self, point: QPoint) -> bool:
        position = self.model().position(self.indexAt(point))
        return position >= 0 and bool(self._selection.mask[self.model().rows[position]])

    def _is_far(self, point: QPoint) -> bool:
        return (self._to_grid(point) - self._press).manhattanLength() >= QApplication.startDragDistance()

    def _drag_on(self) -> None:
        self._drag_to(self.viewport().mapFromGlobal(QCursor.pos()))

    def _drag_to(self, point: QPoint) -> None:
        band = QRect(self._press, self._to_grid(point)).normalized()
        if self._band is None and max(band.width(), band.height()) < 8:
            return
        self._band = band
        self._selection.band(self.positions_in(band), self._base)
        beyond = min(point.y(), 0) + max(point.y() - self.viewport().height(), 0)
        if beyond:
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + beyond)
            self._drag_timer.start()
        else:
            self._drag_timer.stop()
        self.viewport().update()

    def _let_go(self) -> None:
        self._drag_timer.stop()
        self._press = self._band = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is None or event.button() != Qt.LeftButton:
            return
        banded = self._band is not None
        self._let_go()
        extends = bool(event.modifiers() & (Qt.ControlModifier | Qt.ShiftModifier))
        if not banded and not self._click(event):
            return
        self.viewport().update()
        self.selected.emit(extends)

    def _click(self, event: QMouseEvent) -> bool:
        index, keys = self.indexAt(event.position().toPoint()), event.modifiers()
        position, group = self.model().position(index), self.model().group(index)
        if group >= 0:
            self._selection.band(np.array(self.model().lines.positions_of(group)), self._base)
            return True
        if position < 0:  # beside the galaxies: let go of them, but leave glue's subset alone
            self._selection.clear()
            self.viewport().update()
            return False
        if keys & Qt.ShiftModifier:
            self._selection.extend(position, keep=bool(keys & Qt.ControlModifier))
        elif keys & Qt.ControlModifier:
            self._selection.toggle(position)
        else:
            self._selection.only(position)
        return True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        position = self.model().position(self.indexAt(event.position().toPoint()))
        if position >= 0 and event.button() == Qt.LeftButton:
            self.detail_wanted.emit(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._band is not None:
            self.itemDelegate().paint_band(self, self._band.translated(0, -self.verticalScrollBar().value()))

    # ---- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        target, action = self._target(event.key()), action_of(event)
        if target is not None:
            self.go_to(target, extend=bool(event.modifiers() & Qt.ShiftModifier))
        elif action is not None:
            self.action_wanted.emit(action)
        elif not self._select_with(event):
            event.ignore()  # the window may know it

    def _select_with(self, event: QKeyEvent) -> bool:
        """Keys that change the selection, or open a galaxy; return whether it was one."""
        key, current = event.key(), self._selection.current
        if event.matches(QKeySequence.SelectAll):
            self._selection.all()
            self._finish(False)
        elif key == Qt.Key_Space and current >= 0:
            self._selection.toggle(current)
            self._finish(True)
        elif key in (Qt.Key_Return, Qt.Key_Enter) and current >= 0:
            self.detail_wanted.emit(current)
        elif key == Qt.Key_Escape:
            self._let_go()
            self._selection.clear()
            self.viewport().update()
        else:
            return False
        return True

    def _target(self, key: int) -> int | None:
        last, current = len(self.model().rows) - 1, self._selection.current
        page = max(1, self.viewport().height() // self.verticalHeader().defaultSectionSize())
        in_order = {Qt.Key_Left: -1, Qt.Key_Right: 1, Qt.Key_Home: -last - 1, Qt.Key_End: last + 1}
        in_lines = {Qt.Key_Up: -1, Qt.Key_Down: 1, Qt.Key_PageUp: -page, Qt.Key_PageDown: page}
        if last < 0 or key not in in_order | in_lines:
            return None
        if current < 0:
            return 0
        if key in in_lines:
            return self.model().lines.step(current, in_lines[key])
        return min(max(current + in_order[key], 0), last)

    def go_to(self, position: int, extend: bool = False) -> None:
        """Move the keyboard to a position, and select on the way if asked."""
        if extend:
            self._selection.extend(position)
        else:
            self._selection.move(position)
        self.scrollTo(self.model().index_of(position))
        self.viewport().update()
        if extend:
            self.selected.emit(False)

    def _finish(self, extends: bool) -> None:
        self.viewport().update()
        self.selected.emit(extends)

    def sizeHint(self) -> QSize:
        return QSize(640, 480)
