"""All columns of one galaxy as a table of names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTreeWidget, QTreeWidgetItem, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

__all__ = ["ValueTable"]

NAME_SHARE = 0.57  # of the width that names take at most; longer ones are shortened in the middle


class ValueTable(QTreeWidget):
    """Names and values; both can always be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRootIsDecorated(False)
        self.setAlternatingRowColors(True)
        self.setHeaderLabels(["Column", "Value"])
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.ElideMiddle)
        self.setStyleSheet("QTreeView::item{padding:2px 8px 2px 2px}")
        self.setFocusPolicy(Qt.NoFocus)
        self.setToolTip("All columns of this galaxy")

    def show_values(self, pairs: list[tuple[str, str]]) -> None:
        """Show these names and values; the place scrolled to stays."""
        scrolled = self.verticalScrollBar().value()
        self.clear()
        for pair in pairs:
            item = QTreeWidgetItem(pair)
            for column, text in enumerate(pair):
                item.setToolTip(column, text)
            self.addTopLevelItem(item)
        self._share_width()
        self.verticalScrollBar().setValue(scrolled)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        most = round(NAME_SHARE * self.viewport().width())
        self.setColumnWidth(0, min(self.sizeHintForColumn(0), most))
