"""The gallery's options, shown by glue in its left side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from echo.qt import autoconnect_callbacks_to_qt
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glue_zoobot.qt.parts import long_list

if TYPE_CHECKING:
    from glue.core.session import Session

    from glue_zoobot.qt.gallery.state import GalleryViewerState

__all__ = ["GalleryOptions"]

SHUFFLE_ICON = str(Path(__file__).with_name("icons") / "shuffle.svg")
STEPS = 200  # of a slider from -1 to 1; the middle is one of them
MIN_SIZE, MAX_SIZE = 48, 384


class CaptionList(QListWidget):
    """A column is written below the pictures while it is ticked."""

    def __init__(self, viewer_state: GalleryViewerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = viewer_state
        self._columns: list = []
        line = self.fontMetrics().lineSpacing()
        self.setMinimumHeight(5 * line)
        self.setMaximumHeight(10 * line)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.ElideMiddle)
        self.itemChanged.connect(self._on_ticked)
        for name in ("layers", "sort_att", "caption_atts"):  # sort_att follows changes of the columns
            viewer_state.add_callback(name, self.refresh)
        self.refresh()

    def refresh(self, *args: object) -> None:
        """Follow the state."""
        data = self._state.data
        columns = [] if data is None else data.main_components + data.derived_components
        chosen = {id(cid) for cid in self._state.caption_atts}
        ticks = [id(cid) in chosen for cid in columns]
        if [(c, c.label, t) for c, t in zip(columns, ticks, strict=True)] == self._shown():
            return
        self.blockSignals(True)
        self.clear()
        for cid, ticked in zip(columns, ticks, strict=True):
            item = QListWidgetItem(cid.label, self)
            item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsUserCheckable)
            item.setCheckState(Qt.Checked if ticked else Qt.Unchecked)
        self._columns = columns
        self.blockSignals(False)

    def _shown(self) -> list:
        items = [self.item(i) for i in range(self.count())]
        return [
            (cid, item.text(), item.checkState() == Qt.Checked)
            for cid, item in zip(self._columns, items, strict=True)
        ]

    def _on_ticked(self, item: QListWidgetItem) -> None:
        self._state.caption_atts = [cid for cid, _, ticked in self._shown() if ticked]


class PictureSection(QWidget):
    """How all pictures are shown: brightness, contrast, stretch; folded away until wanted."""

    def __init__(self, viewer_state: GalleryViewerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = viewer_state
        self.fold = QToolButton(text="Picture", checkable=True, autoRaise=True)
        self.fold.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.fold.setToolTip("Brightness, contrast and stretch of all pictures on the screen")
        self.value_brightness = QSlider(Qt.Horizontal, maximum=STEPS)
        self.value_brightness.setToolTip("Lifts or lowers the faint parts; black and white stay as they are")
        self.value_contrast = QSlider(Qt.Horizontal, maximum=STEPS)
        self.value_contrast.setToolTip("Makes bright and dark differ more or less")
        self.bool_invert = QCheckBox("Invert")
        self.bool_invert.setToolTip("Dark galaxies on white, as on a photographic plate")
        self.as_is = QToolButton(text="Reset", autoRaise=True)
        self.as_is.setToolTip("Show the pictures as they are in the files")
        self.as_is.clicked.connect(self._reset)
        self._lay_out()
        ranges = {"value_range": (-1, 1)}
        self._connections = autoconnect_callbacks_to_qt(
            viewer_state, self, {"value_brightness": ranges, "value_contrast": ranges}
        )
        self.fold.toggled.connect(self._unfold)
        changed = (
            viewer_state.brightness or viewer_state.contrast or viewer_state.invert or viewer_state.restretch
        )
        self.fold.setChecked(bool(changed))
        self._unfold(bool(changed))

    def _lay_out(self) -> None:
        last = QHBoxLayout()
        last.addWidget(self.bool_invert, 1)
        last.addWidget(self.as_is)
        self.content = QWidget()
        form = QFormLayout(self.content)
        form.setContentsMargins(12, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Brightness", self.value_brightness)
        form.addRow("Contrast", self.value_contrast)
        from glue_zoobot.qt.gallery.stretch_controls import StretchControls  # late: glue starts without it

        self.stretch = StretchControls(self._state, form)
        form.addRow("", last)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.fold)
        layout.addWidget(self.content)

    def _unfold(self, open_: bool) -> None:
        self.fold.setArrowType(Qt.DownArrow if open_ else Qt.RightArrow)
        self.content.setVisible(open_)

    def _reset(self) -> None:
        self._state.brightness = self._state.contrast = 0.0
        self._state.invert = False
        self.stretch.reset()


class GalleryOptions(QWidget):
    """
    Size, order and captions.

    Parameters
    ----------
    viewer_state : GalleryViewerState
        What the widgets follow and change.
    session : glue.core.session.Session
        Given by glue.
    parent : QWidget, optional
        Owner.
    """

    def __init__(
        self, viewer_state: GalleryViewerState, session: Session, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state = viewer_state
        self.value_thumbnail_size = QSlider(Qt.Horizontal, minimum=MIN_SIZE, maximum=MAX_SIZE, pageStep=32)
        self.value_thumbnail_size.setToolTip("Size of the pictures")
        self.combosel_sort_att = long_list(QComboBox())
        self.combosel_sort_att.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self.combosel_sort_att.setToolTip("Column that orders the galaxies; missing values come last")
        self.bool_sort_descending = QToolButton(checkable=True)
        self.bool_random_order = QToolButton(checkable=True, icon=QIcon(SHUFFLE_ICON))
        self.bool_random_order.setToolTip("Random order; switch it off and on again for another one")
        self.bool_random_order.clicked.connect(self._on_random)
        self.bool_unlabelled_first = QCheckBox("Unlabelled first")
        self.bool_unlabelled_first.setToolTip(
            "Galaxies without a label or rating first; what you label stays\nwhere it is until you sort again"
        )
        self.combosel_group_att = long_list(QComboBox())
        self.combosel_group_att.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self.combosel_group_att.setToolTip("Column of categories that are shown apart, each under its name")
        self.captions = CaptionList(viewer_state)
        self.captions.setToolTip("Columns written below each picture")
        self.bool_enlarge = QCheckBox("Enlarge the picture under the mouse")
        self.bool_enlarge.setToolTip("Show a picture large, with its values, when the mouse rests on it")
        self.picture = PictureSection(viewer_state)
        self._lay_out()
        self._connections = autoconnect_callbacks_to_qt(viewer_state, self)
        for name in ("sort_descending", "random_order", "layers", "sort_att"):
            viewer_state.add_callback(name, self._follow)
        self._follow()

    def _lay_out(self) -> None:
        order = QHBoxLayout()
        order.setSpacing(3)
        order.addWidget(self.combosel_sort_att, 1)
        order.addWidget(self.bool_sort_descending)
        order.addWidget(self.bool_random_order)
        form = QFormLayout(self)
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(4)
        form.addRow("Size", self.value_thumbnail_size)
        form.addRow("Sort by", order)
        form.addRow("", self.bool_unlabelled_first)
        form.addRow("Group by", self.combosel_group_att)
        form.addRow("Captions", self.captions)
        form.addRow("", self.bool_enlarge)
        form.addRow(self.picture)

    def _on_random(self, on: bool) -> None:
        if on:
            self._state.shuffle()

    def _follow(self, *args: object) -> None:
        """Show what a click would do, and only what can be done."""
        state = self._state
        self.bool_sort_descending.setArrowType(Qt.DownArrow if state.sort_descending else Qt.UpArrow)
        order = ("Largest", "smallest") if state.sort_descending else ("Smallest", "largest")
        self.bool_sort_descending.setToolTip("{} first; click for {} first".format(*order))
        for widget in (self.combosel_sort_att, self.bool_sort_descending):
            widget.setEnabled(not state.random_order)
        self.bool_unlabelled_first.setVisible(state.label_att is not None)
