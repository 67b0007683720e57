"""Below the galaxy being rated: what was found, the best so far, what was rated, what is unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.qt.count_slider import CountSlider
from glue_zoobot.qt.hidden_line import HiddenLine
from glue_zoobot.qt.interest.widgets import COLOURS, YieldCurve
from glue_zoobot.qt.styles import quiet_label
from glue_zoobot.qt.thumbnail_strip import ThumbnailStrip

if TYPE_CHECKING:
    from glue_zoobot.analysis.remaining import Remaining
    from glue_zoobot.catalog.interest import Interest
    from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader

__all__ = ["BestTab", "FoundTab", "RatedTab"]

_BEST_SHOWN = 12
_RATED_SHOWN = 40
_ICON = 48


class FoundTab(QtWidgets.QWidget):
    """Yield curve, and how many are left."""

    def __init__(self, state: Interest, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.text = QtWidgets.QLabel()
        self.curve = YieldCurve()
        self.estimate = quiet_label()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.text)
        layout.addWidget(self.curve, 1)
        layout.addWidget(self.estimate)

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        curve, left = state.yielded(), state.remaining()
        self.text.setText(f"<b>{int(curve.found[-1]):,}</b> interesting of {curve.looked:,} rated")
        share = None if left is None else (left.found + left.left) / max(state.n_embedded, 1)
        self.curve.show_yield(curve.found, share)
        self.estimate.setText(" ".join(filter(None, (estimate_text(left), self._consistency()))) or _UNKNOWN)

    def _consistency(self) -> str:
        own = self._state.consistency()
        if own is None or not own.both:
            return ""
        return f"Of {own.both} repeats you gave {own.within_one:.0%} the same rating, or one beside it."


_UNKNOWN = "How many are left? <b>Check</b> shows random picks, from which that can be estimated."


def estimate_text(left: Remaining | None) -> str:
    """Say how many of how many are found, with the interval, and whether to stop; empty if not known."""
    if left is None:
        return ""
    low, high = left.found + left.left_low, left.found + left.left_high
    if high <= left.found:
        return f"All {left.found:,} interesting galaxies are found, as far as random picks tell."
    return (
        f"{left.found:,} of about {left.found + left.left:,.0f} interesting galaxies found "
        f"({left.level:.0%} interval {low:,.0f} to {high:,.0f}). {_advice(left)}"
    )


def _advice(left: Remaining) -> str:
    if left.completeness_low >= 0.95:
        return "You may stop."
    return "Go on." if left.completeness_high < 0.95 else "Check more to know whether to stop."


class BestTab(QtWidgets.QWidget):
    """How many of the best to show in all views, and a look at them."""

    gallery_wanted = QtCore.Signal()
    keep_wanted = QtCore.Signal()

    def __init__(self, state: Interest, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._timer = QtCore.QTimer(self, singleShot=True, interval=40)
        self._timer.timeout.connect(self._apply)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addLayout(self._how_many())
        self.best = ThumbnailStrip(edge=_ICON, columns=6, limit=_BEST_SHOWN)
        layout.addWidget(self.best)
        self.hidden_line = HiddenLine(state)
        layout.addWidget(self.hidden_line)
        layout.addStretch(1)
        layout.addLayout(self._buttons())

    def _how_many(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.slider = CountSlider()
        self.slider.setToolTip("How many of the best not rated yet to show, in every view at once")
        self.slider.count_changed.connect(self._on_slider)
        self.spin = QtWidgets.QSpinBox(minimum=1, maximum=10_000, keyboardTracking=False)
        self.spin.setGroupSeparatorShown(True)
        self.spin.valueChanged.connect(self._on_spin)
        row.addWidget(QtWidgets.QLabel("Best"))
        row.addWidget(self.slider, 1)
        row.addWidget(self.spin)
        return row

    def _buttons(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.gallery_button = QtWidgets.QPushButton("Show top in gallery")
        self.gallery_button.setToolTip("The best not rated yet, best first; keys 0 to 5 rate there too")
        self.gallery_button.clicked.connect(self.gallery_wanted)
        self.keep_button = QtWidgets.QPushButton("Keep as subset")
        self.keep_button.setToolTip("Freeze the present best into a subset of its own")
        self.keep_button.clicked.connect(self.keep_wanted)
        row.addWidget(self.gallery_button, 1)
        row.addWidget(self.keep_button)
        return row

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import object_ids_of

        state = self._state
        rows = state.best(_BEST_SHOWN)
        for widget in (self.slider, self.spin, self.gallery_button, self.keep_button):
            widget.setEnabled(len(rows) > 0)
        largest = max(1, state.n_ranked)
        self.slider.set_max_count(largest)
        if not self._timer.isActive():  # else the user is moving the slider: his hand leads
            blocker = QtCore.QSignalBlocker(self.spin)
            self.spin.setMaximum(largest)
            self.spin.setValue(state.count)
            del blocker
            self.slider.set_count(state.count)
        ids = object_ids_of(state.data) if len(rows) else ()
        captions = [f"{ids[row]}\nexpected rating {state.score(row):.1f}" for row in rows]
        self.best.show_rows(state.data, rows, captions)
        self.hidden_line.refresh()

    def _on_slider(self, count: int) -> None:
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(count)
        del blocker
        self._timer.start()

    def _on_spin(self, count: int) -> None:
        self.slider.set_count(count)
        self._timer.start()

    def _apply(self) -> None:
        self._state.count = self.spin.value()


class RatedTab(QtWidgets.QWidget):
    """What was rated last; a click shows it again."""

    again_wanted = QtCore.Signal(int)

    def __init__(
        self, state: Interest, thumbnails: ThumbnailLoader, parent: QtWidgets.QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._thumbnails = state, thumbnails
        thumbnails.arrived.connect(self._on_arrived)
        self._items: dict[int, QtWidgets.QListWidgetItem] = {}
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        self.list = QtWidgets.QListWidget(frameShape=QtWidgets.QFrame.NoFrame)
        self.list.setViewMode(QtWidgets.QListView.IconMode)
        self.list.setResizeMode(QtWidgets.QListView.Adjust)
        self.list.setMovement(QtWidgets.QListView.Static)
        self.list.setIconSize(QtCore.QSize(_ICON, _ICON))
        self.list.setGridSize(QtCore.QSize(_ICON + 6, _ICON + 6))
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.list.viewport().setAutoFillBackground(False)  # a style sheet would blacken the scroll bar
        self.list.itemClicked.connect(lambda item: self.again_wanted.emit(item.data(Qt.UserRole)))
        self.repeats = QtWidgets.QCheckBox("Ask one in 15 again, unannounced")
        self.repeats.setToolTip("Measures how consistent you are; the answer is under Found")
        self.repeats.setFocusPolicy(Qt.NoFocus)
        self.repeats.toggled.connect(lambda on: setattr(state, "repeats", on))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.repeats)

    def refresh(self) -> None:
        """Show what the state says."""
        from glue_zoobot.catalog import object_ids_of

        state = self._state
        self.repeats.setChecked(state.repeats)
        self.list.clear()
        self._items.clear()
        ids = object_ids_of(state.data) if state.data is not None else ()
        for row, value in state.last_rated(_RATED_SHOWN):
            item = QtWidgets.QListWidgetItem(self._icon(row, value), "")
            item.setData(Qt.UserRole, row)
            item.setToolTip(f"{ids[row]}: rated {value}. Click to see it again.")
            self.list.addItem(item)
            self._items[row] = item

    @property
    def wanted(self) -> list[int]:
        """Rows whose pictures are shown here."""
        return list(self._items)

    def _on_arrived(self, row: int) -> None:
        if row in self._items and row in self._state.ratings:
            self._items[row].setIcon(self._icon(row, self._state.ratings[row]))

    def _icon(self, row: int, value: int) -> QtGui.QIcon:
        """The picture with its rating in a corner."""
        pixmap = QtGui.QPixmap(_ICON, _ICON)
        pixmap.fill(QtGui.QColor("#202020"))
        painter = QtGui.QPainter(pixmap)
        painter.setRenderHints(QtGui.QPainter.Antialiasing | QtGui.QPainter.SmoothPixmapTransform)
        thumbnail = self._thumbnails.get(row)
        if thumbnail is not None and thumbnail.pixmap is not None:
            painter.drawPixmap(pixmap.rect(), thumbnail.pixmap)
        badge = QtCore.QRectF(_ICON - 17, _ICON - 17, 15, 15)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QtGui.QColor(COLOURS[value]))
        painter.drawEllipse(badge)
        painter.setPen(Qt.white)
        painter.drawText(badge, Qt.AlignCenter, str(value))
        painter.end()
        return QtGui.QIcon(pixmap)
