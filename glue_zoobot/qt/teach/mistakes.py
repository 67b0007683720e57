"""Galaxies on which the user and the head disagree, as pictures to click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.styles import quiet_label
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.catalog.teaching.review import Mistake

__all__ = ["MistakesTab"]

_SHOWN = 40
_EDGE, _FOOT = 74, 16


class MistakesTab(QtWidgets.QWidget):
    """
    Labelled galaxies that the head, not shown them, calls something else; and contradictory labels.

    Below each picture are, in the colours of their classes, the user's label and what the head says.

    Attributes
    ----------
    review_wanted : Signal(object, str)
        Rows to look at again, and why.
    """

    review_wanted = QtCore.Signal(object, str)

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.found: list[Mistake] = []
        self.thumbnails = ThumbnailLoader(self)
        self.thumbnails.arrived.connect(self._on_arrived)
        self._items: dict[int, QtWidgets.QListWidgetItem] = {}
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(6)
        self.text = quiet_label()
        layout.addWidget(self.text)
        layout.addWidget(self._list(), 1)
        row = QtWidgets.QHBoxLayout()
        self.review = QtWidgets.QPushButton("Look at them one by one")
        self.review.setFocusPolicy(Qt.NoFocus)
        self.review.clicked.connect(self._review_all)
        self.conflicts = QtWidgets.QPushButton()
        self.conflicts.setFocusPolicy(Qt.NoFocus)
        self.conflicts.setToolTip("Galaxies that were labelled differently; the latest label counts")
        self.conflicts.clicked.connect(self._review_conflicts)
        row.addWidget(self.review, 1)
        row.addWidget(self.conflicts)
        layout.addLayout(row)

    def _list(self) -> QtWidgets.QListWidget:
        self.list = QtWidgets.QListWidget(frameShape=QtWidgets.QFrame.NoFrame)
        self.list.setViewMode(QtWidgets.QListView.IconMode)
        self.list.setResizeMode(QtWidgets.QListView.Adjust)
        self.list.setMovement(QtWidgets.QListView.Static)
        self.list.setIconSize(QtCore.QSize(_EDGE, _EDGE + _FOOT))
        self.list.setGridSize(QtCore.QSize(_EDGE + 7, _EDGE + _FOOT + 8))
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.viewport().setAutoFillBackground(False)
        self.list.itemClicked.connect(
            lambda item: self.review_wanted.emit([item.data(Qt.UserRole)], "mistake")
        )
        return self.list

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import images_of

        state = self._state
        found, conflicts = state.mistakes(), state.conflicts
        self.thumbnails.set_source(None if state.data is None else images_of(state.data))
        ratio = self.devicePixelRatioF()
        self.thumbnails.set_size(round(_EDGE * ratio), ratio)
        if found != self.found:
            self.found = found
            self._fill()
        self.thumbnails.want(list(self._items))
        self.review.setVisible(bool(found))
        self.conflicts.setVisible(bool(conflicts))
        self.conflicts.setText(counted(len(conflicts), "contradiction"))
        self.text.setText(self._explanation())

    def _explanation(self) -> str:
        if self._state.lesson is None:
            return "After training: the labelled galaxies on which you and the head disagree."
        if not self.found:
            return "The head agrees with every label, each held out."
        if self._state.is_number:
            return "The largest errors, each held out: is the value wrong, or the picture?"
        return (
            "Surest disagreements first. Below each: <b>your label, what it says</b>. Which one is wrong? "
            "Click to decide."
        )

    def _fill(self) -> None:
        self.list.clear()
        self._items.clear()
        for one in self.found[:_SHOWN]:
            item = QtWidgets.QListWidgetItem(self._icon(one), "")
            item.setData(Qt.UserRole, one.row)
            item.setToolTip(one.text())
            self.list.addItem(item)
            self._items[one.row] = item

    def _on_arrived(self, row: int) -> None:
        one = next((one for one in self.found if one.row == row), None)
        if one is not None and row in self._items:
            self._items[row].setIcon(self._icon(one))

    def _icon(self, one: Mistake) -> QtGui.QIcon:
        ratio = self.devicePixelRatioF()
        pixmap = QtGui.QPixmap(round(_EDGE * ratio), round((_EDGE + _FOOT) * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QtGui.QColor("#202020"))
        painter = QtGui.QPainter(pixmap)
        thumbnail = self.thumbnails.get(one.row)
        if thumbnail is not None and thumbnail.pixmap is not None:
            painter.drawPixmap(QtCore.QRect(0, 0, _EDGE, _EDGE), thumbnail.pixmap)
        for place, said in enumerate((one.label, one.said)):
            self._paint_half(painter, QtCore.QRect(place * _EDGE // 2, _EDGE, _EDGE // 2, _FOOT), said)
        painter.end()
        return QtGui.QIcon(pixmap)

    def _paint_half(self, painter: QtGui.QPainter, half: QtCore.QRect, said: str | float) -> None:
        is_class = isinstance(said, str)
        painter.fillRect(half, QtGui.QColor(self._state.colour_of(said) if is_class else "#4a5058"))
        font = QtGui.QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() - 3))
        painter.setFont(font)
        painter.setPen(Qt.white)
        text = said if is_class else f"{said:.3g}"
        text = painter.fontMetrics().elidedText(text, Qt.ElideMiddle, half.width() - 4)
        painter.drawText(half, Qt.AlignCenter, text)

    # -- what the user wants -----------------------------------------------------------------------------

    def _review_all(self) -> None:
        self.review_wanted.emit([one.row for one in self.found], "mistake")

    def _review_conflicts(self) -> None:
        self.review_wanted.emit([one.row for one in self._state.conflicts], "conflict")

    def close_down(self) -> None:
        """Stop reading pictures."""
        self.thumbnails.close()
