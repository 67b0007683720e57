"""Where pictures are on the screen, and which of them are wanted: a table view as wide as its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QRect, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QAbstractItemView, QFrame, QTableView

from glue_zoobot.qt.gallery.caption_lines import CaptionColumn, caption_layout
from glue_zoobot.qt.gallery.painting import BACKGROUND, CellPainter, caption_font, cell_size, header_height
from glue_zoobot.qt.gallery.state import GalleryViewerState
from glue_zoobot.qt.gallery.thumbnails import Thumbnail, ThumbnailLoader

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent
    from qtpy.QtWidgets import QWidget

    from glue_zoobot.qt.gallery.grid_model import GridModel

__all__ = ["PictureTable"]

_SMALLEST_SHARE = 0.75  # of the chosen size, to have two columns instead of one


class PictureTable(QTableView):
    """
    Shows a `GridModel`: lays out its cells, and has the pictures in sight loaded.

    Parameters
    ----------
    model : GridModel
        What is shown.
    state : GalleryViewerState
        Gives the size of the pictures.
    thumbnails : ThumbnailLoader
        Is told which pictures are wanted.
    parent : QWidget, optional
        Owner.
    """

    def __init__(
        self,
        model: GridModel,
        state: GalleryViewerState,
        thumbnails: ThumbnailLoader,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._thumbnails = state, thumbnails
        self._header_lines: list[int] = []
        self.caption_layout: list[CaptionColumn] = []
        self.thumbnail_size = state.thumbnail_size  # edge of a picture in pixels of the window
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

    def lay_out(self) -> None:
        """Fit as many columns as there is room for, and share what is left among them."""
        top, before = self._first_visible(), self._geometry()
        self.thumbnail_size = self._fitting_size()
        self.caption_layout = caption_layout(
            caption_font(self.font()), self._state.caption_columns(), self.thumbnail_size
        )
        size = cell_size(self.font(), self.thumbnail_size, len(self._state.captions_shown))
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

    def _fitting_size(self) -> int:
        """Return the chosen size, or less where two columns of pictures a little smaller have room."""
        wanted = self._state.thumbnail_size
        half = self.viewport().width() // 2 - (cell_size(self.font(), wanted, 0).width() - wanted)
        return half if _SMALLEST_SHARE * wanted <= half < wanted else wanted

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
        self._thumbnails.set_size(round(self.thumbnail_size * ratio), ratio)
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

    def sizeHint(self) -> QSize:
        return QSize(640, 480)
