"""Where the examples of a question are seen, taken off by a click, and dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.row_mime import rows_of_mime
from glue_zoobot.qt.styles import paint, quiet
from glue_zoobot.qt.thumbnail_strip import ThumbnailStrip

if TYPE_CHECKING:
    from glue.core import Data, DataCollection

__all__ = ["ExampleZone"]

_SPACING = 4
_PER_LINE = 5
_EDGE = 44


class ExampleZone(QtWidgets.QFrame):
    """
    A zone of constant height: one example large with its name, several as chips, none as a hint.

    Parameters
    ----------
    collection : DataCollection
        Where rows that are dropped come from.
    lines : int
        Lines of chips.
    hint : str
        What to do where there are no examples.

    Attributes
    ----------
    removed : Signal(int)
        The user took off the example with this row.
    dropped : Signal(object, list)
        He dropped rows of a dataset.
    """

    removed = QtCore.Signal(int)
    dropped = QtCore.Signal(object, list)

    def __init__(self, collection: DataCollection, lines: int, hint: str) -> None:
        super().__init__()
        self._collection = collection
        self.setAcceptDrops(True)
        height = lines * (_EDGE + _SPACING) - _SPACING
        self.setFixedHeight(height + 6)
        self.setObjectName("zone")
        self._mark(False)
        self.single = ThumbnailStrip(edge=height, columns=1, limit=1)
        self.several = ThumbnailStrip(edge=_EDGE, columns=_PER_LINE, limit=_PER_LINE * lines)
        self.text = QtWidgets.QLabel(hint, wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._hint = hint
        self._plain = self.text.palette()
        self._quiet = quiet(self.text).palette()
        for strip in (self.single, self.several):
            strip.clicked.connect(self.removed)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(8)
        layout.setSizeConstraint(QtWidgets.QLayout.SetNoConstraint)  # examples that change widen no panel
        self.setMinimumWidth(_PER_LINE * (_EDGE + _SPACING) + 6)
        layout.addWidget(self.single)
        layout.addWidget(self.several)
        layout.addWidget(self.text, 1)

    def show_rows(self, data: Data | None, rows: Sequence[int], name_of: Callable[[int], str]) -> None:
        """Show these examples; `name_of` gives the name of a row."""
        one = len(rows) == 1
        captions = [f"{name_of(row)}\nClick to take it off" for row in rows[: _PER_LINE * 2]]
        self.single.setVisible(one)
        self.several.setVisible(len(rows) > 1)
        strip = self.single if one else self.several
        strip.show_rows(data, list(rows), captions)
        self.text.setVisible(len(rows) <= 1)
        self.text.setText(name_of(rows[0]) if one else self._hint)
        self.text.setPalette(self._plain if one else self._quiet)

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        if rows_of_mime(event.mimeData(), self._collection) is not None:
            self._mark(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QtGui.QDragLeaveEvent) -> None:
        self._mark(False)

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        self._mark(False)
        found = rows_of_mime(event.mimeData(), self._collection)
        if found is not None:
            event.acceptProposedAction()
            self.dropped.emit(*found)

    def _mark(self, active: bool) -> None:
        border = "1px solid #2a76c6" if active else "1px dashed palette(mid)"
        paint(self, f"border: {border}; border-radius: 4px;")
