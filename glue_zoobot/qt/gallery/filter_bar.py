"""The line above the grid in which a condition on columns is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

    from glue_zoobot.qt.gallery.state import GalleryViewerState

__all__ = ["FilterBar"]

ICON = str(Path(__file__).with_name("icons") / "to_subset.svg")
PAUSE = 400  # ms without typing after which the condition is tried
PROBLEM_STYLE = "color:#b3261e"
HELP = (
    "<p>Only galaxies for which this is true are shown.</p>"
    "<p><code>redshift &gt; 0.1 &amp; ring_prob &gt; 0.8</code><br>"
    "<code>0.05 &lt; redshift &lt; 0.1 | mag_g - mag_r &gt; 0.7</code><br>"
    '<code>~ kind == "spiral"</code><br>'
    "<code>{name with spaces} &gt;= 3</code></p>"
    "<p>Columns of this catalogue:<br>{}</p>"
)
MOST_NAMES = 40


class FilterBar(QWidget):
    """
    Follows and sets the filter of a gallery; what is wrong with the text is said below it.

    Parameters
    ----------
    state : GalleryViewerState
        Has the filter.
    parent : QWidget, optional
        Owner.
    """

    #: The galaxies that pass shall become a subset of glue.
    subset_wanted = Signal()
    #: The user is done here.
    left = Signal()

    def __init__(self, state: GalleryViewerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.text = QLineEdit(clearButtonEnabled=True)
        self.text.setFocusPolicy(Qt.ClickFocus)  # else a new gallery types S, + and digits here
        self.problem = QLabel(wordWrap=True)
        self.problem.setStyleSheet(PROBLEM_STYLE)
        self.to_subset = QToolButton(autoRaise=True, focusPolicy=Qt.NoFocus)
        self.to_subset.setIcon(QIcon(ICON))
        self.to_subset.setIconSize(QSize(18, 18))
        self.to_subset.setToolTip("Make a subset of the galaxies that pass the filter, for all views")
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.apply)
        self.text.textEdited.connect(lambda *_: self._pause.start())
        self.text.textChanged.connect(self._on_cleared)
        self.text.returnPressed.connect(self._on_return)
        self.to_subset.clicked.connect(self.subset_wanted)
        for name in ("filter_text", "layers", "sort_att"):  # sort_att follows changes of the columns
            state.add_callback(name, self.refresh)
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.text)
        line.addWidget(self.to_subset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.problem)

    def refresh(self, *args: object) -> None:
        """Follow the state."""
        text, data = self._state.filter_text, self._state.data
        if text != self.text.text() and not self._pause.isActive():
            self.text.setText(text)
        columns = [] if data is None or not data.size else data.main_components + data.derived_components
        names = [cid.label for cid in columns]
        example = next((name for name in ("redshift", "z") if name in names), None)
        self.text.setPlaceholderText(
            f"Filter, such as: {example} > 0.1" if example else "Filter by a condition on columns"
        )
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        self.text.setToolTip(HELP.replace("{}", ", ".join(names[:MOST_NAMES]) + more))
        self._show_problem(self._state.check_filter(self.text.text()))

    def apply(self) -> bool:
        """Use the text as filter, or say why it is none; return whether it could be used."""
        self._pause.stop()
        text = self.text.text().strip()
        problem = self._state.check_filter(text)
        self._show_problem(problem)
        if not problem:
            self._state.filter_text = text
        return not problem

    def _show_problem(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.to_subset.setEnabled(bool(self._state.filter_text) and not problem)

    def _on_cleared(self, text: str) -> None:
        if not text:
            self.apply()

    def _on_return(self) -> None:
        if self.apply():
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self._pause.stop()
            self.text.setText(self._state.filter_text)
            self.apply()
            self.left.emit()
        else:
            super().keyPressEvent(event)
