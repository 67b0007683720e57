"""The grid of pictures: what mouse and keys do in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPoint, QRect, Qt, QTimer, Signal
from qtpy.QtGui import QCursor, QKeySequence
from qtpy.QtWidgets import QApplication

from glue_zoobot.qt.gallery.grid_model import GridModel
from glue_zoobot.qt.gallery.keys import action_of
from glue_zoobot.qt.gallery.picture_table import PictureTable
from glue_zoobot.qt.gallery.selection import GallerySelection
from glue_zoobot.qt.gallery.state import GalleryViewerState
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
    from qtpy.QtWidgets import QWidget

__all__ = ["GridView"]


class GridView(PictureTable):
    """
    Turns mouse and keys in a table of pictures into a `GallerySelection`.

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
        super().__init__(model, state, thumbnails, parent)
        self._selection = selection
        self._press: QPoint | None = None  # where a rubber band began, in the coordinates of the whole grid
        self._band: QRect | None = None
        self._may_drag = False  # a press on a selected galaxy begins a drag, elsewhere a rubber band
        self._base: np.ndarray | None = None
        self._drag_timer = QTimer(self, interval=30)  # scrolls on while the mouse is held beyond an edge
        self._drag_timer.timeout.connect(self._drag_on)

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
