"""The Galaxy Gallery as a glue viewer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from echo import ignore_callback
from glue.core.edit_subset_mode import NewMode, ReplaceMode, XorMode
from glue.core.message import DataUpdateMessage
from glue_qt.utils import messagebox_on_error
from glue_qt.viewers.common.data_viewer import DataViewer
from glue_qt.viewers.common.toolbar import BasicToolbar
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDrag
from qtpy.QtWidgets import QApplication, QLabel, QStackedWidget, QVBoxLayout, QWidget

from glue_zoobot import catalog
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt.finding import ask
from glue_zoobot.qt.gallery import tools  # noqa: F401  registers the toolbar buttons
from glue_zoobot.qt.gallery.empty import EmptyPage
from glue_zoobot.qt.gallery.filter_bar import FilterBar
from glue_zoobot.qt.gallery.grid import GridView
from glue_zoobot.qt.gallery.grid_model import GridModel
from glue_zoobot.qt.gallery.hover import HoverPicture
from glue_zoobot.qt.gallery.keys import Action
from glue_zoobot.qt.gallery.layer_artist import GalleryLayerArtist
from glue_zoobot.qt.gallery.look import Look
from glue_zoobot.qt.gallery.options import GalleryOptions
from glue_zoobot.qt.gallery.selection import GallerySelection, subset_state_of
from glue_zoobot.qt.gallery.state import GalleryViewerState
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.host import question_of
from glue_zoobot.qt.row_mime import mime_of_rows
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glue.core.data import Data
    from glue.core.hub import Hub
    from glue.core.message import SubsetUpdateMessage
    from glue.core.session import Session
    from glue.core.subset import Subset
    from qtpy.QtGui import QCloseEvent, QResizeEvent

    from glue_zoobot.catalog import RowImages
    from glue_zoobot.catalog.pictures import Bands
    from glue_zoobot.catalog.question import Question
    from glue_zoobot.qt.gallery.detail import DetailView
    from glue_zoobot.qt.gallery.state import GalleryLayerState

__all__ = ["GalleryViewer"]

DRAG_MOST = 10_000  # galaxies carried at once
STATUS_MARGIN = 28  # pixels around the message and the count
DRAG_HEIGHT = 64  # of the picture at the mouse
DRAG_LOOK = 50  # galaxies among which one with a picture is looked for
NOTHING_CHOSEN = (
    "Select a galaxy first: S finds similar ones, + and − refine the question, digits rate, Ctrl+C copies ids"
)

#: What decides which galaxies are where; when it changes, the gallery starts at the top.
ORDERING = (
    "sort_att",
    "sort_descending",
    "random_order",
    "random_seed",
    "unlabelled_first",
    "group_att",
    "filter_text",
)


class GalleryViewer(DataViewer):
    """Pictures of the galaxies of one dataset, linked to glue's other views."""

    LABEL = "Galaxy Gallery"
    _state_cls = GalleryViewerState
    _options_cls = GalleryOptions
    _data_artist_cls = _subset_artist_cls = GalleryLayerArtist
    _toolbar_cls = BasicToolbar
    inherit_tools = False
    tools = ["zoobot:gallery_similar", "zoobot:gallery_most_similar_first", "zoobot:gallery_export", "window"]
    subtools = {"window": ["window:movetab", "window:title"]}

    def __init__(
        self, session: Session, state: GalleryViewerState | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(session, state=state, parent=parent)
        self._applying = False
        self._closed = False
        self._order_shown: tuple = (None,)
        self._looked_at: RowImages | None = None
        self.has_fluxes = False
        self.selection = GallerySelection()
        self.thumbnails = ThumbnailLoader(self)
        self.model = GridModel(self.state, self.selection, self.thumbnails, parent=self)
        self.grid = GridView(self.model, self.selection, self.state, self.thumbnails)
        self.hover = HoverPicture(self.grid, self.state)
        self.detail: DetailView | None = None
        self._build()
        self._refresh_timer = QTimer(self, singleShot=True, interval=0)  # one refresh per burst of callbacks
        self._refresh_timer.timeout.connect(self.refresh)
        for name in ("layers", "caption_atts", *ORDERING):
            self.state.add_callback(name, self.schedule_refresh)
        self.state.add_callback("thumbnail_size", self._on_size)
        for name in ("brightness", "contrast", "invert"):
            self.state.add_callback(name, self._on_look)
        for name in ("restretch", "softening", "percentile", "flux_bands"):
            self.state.add_callback(name, self._on_stretch)
        self._on_look()
        self._on_stretch()
        self.schedule_refresh()

    def _build(self) -> None:
        self.empty = EmptyPage()
        self.empty.attach_wanted.connect(self._attach_images)
        self.count = QLabel()
        self.statusBar().addPermanentWidget(self.count)
        self.filter_bar = FilterBar(self.state)
        self.filter_bar.left.connect(self.grid.setFocus)
        self.filter_bar.subset_wanted.connect(self.make_subset_of_filter)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self.empty)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.filter_bar)
        layout.addWidget(self._stack)
        self.setCentralWidget(centre)
        self.setFocusProxy(self.grid)
        self.grid.setFocus()  # so that keys work once the window is chosen, by its title too
        self.grid.selected.connect(self._apply_selection)
        self.grid.action_wanted.connect(self.act)
        self.grid.detail_wanted.connect(self.show_detail)
        self.grid.drag_wanted.connect(self._drag)

    def get_layer_artist(
        self, cls: type, layer: Data | Subset | None = None, layer_state: GalleryLayerState | None = None
    ) -> GalleryLayerArtist:
        return cls(self, self.state, layer=layer, layer_state=layer_state)

    @property
    def window_title(self) -> str:
        if self.state.title:
            return self.state.title
        data = self.state.data
        return self.LABEL if data is None else f"{self.LABEL}: {data.label}"

    # ---- data in

    @messagebox_on_error("Failed to add data")
    def add_data(self, data: Data) -> bool:
        if data.ndim != 1:
            raise CatalogueError(
                f"'{data.label}' has {data.ndim} dimensions; the gallery shows catalogues, "
                "one galaxy per row. Open the catalogue of its galaxies and drag that here."
            )
        if self.state.data is not None and self.state.data is not data:
            with self._layer_artist_container.ignore_empty():  # one dataset at a time, as in glue's table
                self.state.layers[:] = []
        return super().add_data(data)

    @messagebox_on_error("Failed to add subset")
    def add_subset(self, subset: Subset) -> bool:
        if self.state.data is not subset.data:
            self.add_data(subset.data)
            for layer in self.state.layers:
                layer.visible = layer.layer is subset
            return True
        return super().add_subset(subset)

    def _update_subset(self, message: SubsetUpdateMessage) -> None:
        if message.attribute == "style":
            self.grid.refresh_cells()
            return
        changed, active = getattr(message.subset, "group", None), self.session.edit_subset_mode.edit_subset
        if not self._applying and any(changed is group for group in active):
            self.selection.clear()  # the user's subset was drawn anew in another view
        super()._update_subset(message)

    def make_subset_of_filter(self) -> None:
        """Make a subset of the filter; the user's active subset stays as it is."""
        state = self.state.filter_state()
        if state is not None:
            with active_subset_kept(self.session.edit_subset_mode):
                self.session.data_collection.new_subset_group(self.state.filter_text, state)

    def _attach_images(self) -> None:
        from glue_zoobot.qt.actions import attach_images

        attach_images(self.state.data, self.session.data_collection)
        self.schedule_refresh()

    def register_to_hub(self, hub: Hub) -> None:
        super().register_to_hub(hub)
        hub.subscribe(
            self, DataUpdateMessage, handler=self._on_data_told, filter=lambda m: m.sender is self.state.data
        )

    def _on_data_told(self, message: DataUpdateMessage) -> None:
        """The label of the dataset changed, or where its pictures are."""
        self.update_window_title()
        self.schedule_refresh()

    # ---- showing

    def schedule_refresh(self, *args: object) -> None:
        """Refresh once, after the callbacks that are under way."""
        with suppress(AttributeError, RuntimeError):  # before the end of __init__, or after closing
            self._refresh_timer.start()

    def refresh(self) -> None:
        """Show what the state says."""
        data, (rows, groups) = self.state.data, self.state.arranged()
        images = None if data is None else catalog.images_of(data)
        self.hover.hide()
        self.thumbnails.set_source(images)
        self.hover.large.set_source(images)
        self._look_for_bands(images)
        self.filter_bar.setVisible(data is not None and images is not None)
        if data is not self._order_shown[0]:
            self.selection.reset(0 if data is None else data.size)
        self.state.forget_formats()
        self.model.set_rows(rows, groups)
        self._stack.setCurrentIndex(
            1 if self.empty.explain(data, images, rows, self.state.filter_text) else 0
        )
        self.grid.lay_out()
        self._scroll_up_if_reordered(data)
        self._show_tools()
        self._show_count()
        if self.detail is not None and self.detail.isVisible():
            self.detail.refresh()

    def _scroll_up_if_reordered(self, data: Data | None) -> None:
        order = (data, *(getattr(self.state, name) for name in ORDERING))
        if len(order) != len(self._order_shown) or any(
            new is not old and new != old for new, old in zip(order, self._order_shown, strict=True)
        ):
            self.grid.scrollToTop()
        self._order_shown = order

    def _on_size(self, *args: object) -> None:
        self.hover.hide()
        self.grid.lay_out()

    def _on_look(self, *args: object) -> None:
        self.look = Look(self.state.brightness, self.state.contrast, self.state.invert)
        for loader in (self.thumbnails, self.hover.large):
            loader.set_look(self.look)
        if self.detail is not None:
            self.detail.set_look()
        self.hover.hide()
        self.grid.viewport().update()

    def _on_stretch(self, *args: object) -> None:
        for loader in (self.thumbnails, self.hover.large):
            loader.set_stretch(self.state.stretch)
        if self.detail is not None:
            self.detail.set_stretch()
        self.hover.hide()
        self.grid.load_visible()
        self.grid.viewport().update()  # what was shown so before is there already

    def _look_for_bands(self, images: RowImages | None) -> None:
        """Offer the bands of another catalogue, once a thread has found them."""
        if images is self._looked_at:
            return
        self._looked_at = images
        self._offer_bands(images, None)
        if images is not None:
            run_in_thread(self, lambda: images.bands(), lambda bands: self._offer_bands(images, bands))

    def _offer_bands(self, images: RowImages | None, bands: Bands | None) -> None:
        if images is self._looked_at:  # not another catalogue meanwhile
            self.has_fluxes = bool(bands and bands.names)
            self.options.picture.stretch.offer(bands)

    def _show_tools(self) -> None:
        if self.toolbar is not None:
            tool = self.toolbar.tools["zoobot:gallery_most_similar_first"]
            tool.enabled = self.state.rank_att is not None

    def set_status(self, message: str) -> None:
        """Show a message beside the count, cut where it must be; whole in the tooltip."""
        self._show_status(message)
        if self.detail is not None:
            self.detail.say(message)

    def _show_status(self, message: str) -> None:
        bar = self.statusBar()
        room = max(bar.width() - self.count.sizeHint().width() - STATUS_MARGIN, STATUS_MARGIN)
        bar.showMessage(bar.fontMetrics().elidedText(message, Qt.ElideRight, room))
        bar.setToolTip(message)

    def _fit_status(self) -> None:
        """Cut the message anew: the count, or a narrower window, may leave it less room."""
        said, seen = self.statusBar().toolTip(), self.statusBar().currentMessage()
        if seen and said.startswith(seen.rstrip("…")):
            self._show_status(said)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_status()

    def _show_count(self) -> None:
        shown, selected = len(self.model.rows), int(np.count_nonzero(self.selection.mask))
        data = self.state.data
        every = shown if data is None else max(shown, data.size)
        part = f"{shown:,} of " if shown < every else ""
        text = f"{part}{counted(every, 'galaxy')}"
        self.count.setText(f"{text}, {selected:,} selected" if selected else text)
        if selected and self.statusBar().toolTip() == NOTHING_CHOSEN:
            self.set_status("")
        else:
            self._fit_status()

    # ---- selecting

    def _apply_selection(self, extends: bool) -> None:
        """Hand the selection to glue; the user's edit mode decides what becomes of it."""
        mode = self.session.edit_subset_mode
        mask, override = self.selection.mask, None
        if extends and mode.mode is XorMode:
            mask = self.selection.mask ^ self.selection.before  # what was there before has had its effect
        elif extends and mode.mode is NewMode and self.selection.before.any():
            override = ReplaceMode  # goes on with the subset that the gesture before it made
        self._applying = True
        try:
            self.apply_subset_state(subset_state_of(self.state.data, mask), override_mode=override)
        finally:
            self._applying = False
        self._show_count()

    def chosen_rows(self) -> np.ndarray:
        """Rows that a key or button is about: the selected ones, else the one at the keyboard: (K,) int64."""
        rows = self.selection.selected_rows
        if not len(rows) and self.selection.current >= 0:
            rows = self.model.rows[[self.selection.current]]
        return rows

    # ---- doing something with galaxies

    def act(self, action: Action, rows: Sequence[int] | None = None) -> None:
        """Do what a key asks for with these rows of the data, by default with the chosen ones."""
        rows = [int(row) for row in (self.chosen_rows() if rows is None else rows)]
        if action.name == "filter":
            self.filter_bar.text.setFocus()
        elif not rows:
            self.set_status(NOTHING_CHOSEN)
        elif action.name == "similar":
            self._ask(question_of(self.session.application).ask(self.state.data, rows))
        elif action.name == "example":
            self._add_example(rows, bool(action.value))
        elif action.name == "digit":
            self._press_digit(rows, action.value)
        else:
            self._copy_ids(rows)

    def find_similar(self) -> None:
        """Look for galaxies like the chosen ones; show them first."""
        self.act(Action("similar"))

    def _add_example(self, rows: list[int], wanted: bool) -> None:
        """Ask the present question again with more examples or counter-examples."""
        state = question_of(self.session.application)
        present = state.pending or state.question
        if present is None or present.data is not self.state.data:
            present = state.ask(self.state.data, [])
        question = present.with_examples(rows, wanted)
        if question.like:
            self._ask(question)
        else:
            self.set_status("Nothing is left to look for: say with S or + what galaxies shall be like")

    @messagebox_on_error("Could not look for similar galaxies")
    def _ask(self, question: Question) -> None:
        self.set_status("Looking for similar galaxies…")
        ask(self.session.application, question, lambda text: self._on_progress(question, text))

    @messagebox_on_error("Could not label the galaxies")
    def _press_digit(self, rows: list[int], digit: int) -> None:
        """Do with galaxies what a digit key does in every view: rate or label them."""
        try:
            from glue_zoobot.qt.labelling import press_digit
        except ImportError:
            self.set_status("Digits label galaxies; this version of glue-zoobot has no labels yet")
        else:
            self.set_status(press_digit(self.session.application, self.state.data, rows, digit))

    def _copy_ids(self, rows: list[int]) -> None:
        """Put ids into the clipboard, one per line, in the order shown."""
        shown = self.model.rows[np.isin(self.model.rows, rows)]
        ids = catalog.object_ids_of(self.state.data)[shown if len(shown) else rows]
        QApplication.clipboard().setText("\n".join(str(name) for name in ids))
        self.set_status(f"Copied {ids[0]}" if len(ids) == 1 else f"Copied {len(ids):,} ids")

    def _drag(self) -> None:
        """Let the user carry the selected galaxies to another panel, with the picture of one."""
        shown = self.model.rows[self.selection.mask[self.model.rows]]
        drag = QDrag(self.grid)
        drag.setMimeData(mime_of_rows(self.state.data, shown[:DRAG_MOST]))
        drag.mimeData().setText("\n".join(catalog.object_ids_of(self.state.data)[shown[:DRAG_MOST]]))
        loaded = (self.thumbnails.get(int(row)) for row in shown[:DRAG_LOOK])
        pixmap = next((one.pixmap for one in loaded if one is not None and one.pixmap is not None), None)
        if pixmap is not None:
            drag.setPixmap(pixmap.scaledToHeight(DRAG_HEIGHT, Qt.SmoothTransformation))
        drag.exec(Qt.CopyAction)

    def show_detail(self, position: int) -> None:
        """Show everything about the galaxy at a position, in a window of its own."""
        from glue_zoobot.qt.gallery.detail import DetailView  # late: glue starts without it

        if self.detail is None:
            self.detail = DetailView(self)
        self.detail.show_row(self.model.rows[position])
        self.detail.raise_()
        self.detail.activateWindow()

    def _on_progress(self, question: Question, text: str) -> None:
        """Tell how the search went, and show its answer if there is one."""
        if self._closed:  # meanwhile
            return
        self.set_status(text)
        answered = question_of(self.session.application).question
        if answered is not None and answered.data is self.state.data and _answers(answered, question):
            self.state.sort_most_similar_first()
            self.grid.scrollToTop()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._closed = True
        self._refresh_timer.stop()
        self.hover.close()
        if self.detail is not None:
            self.detail.release()
            self.detail = None
        self.thumbnails.close()
        self._looked_at = None
        for helper in (self.state.sort_att_helper, self.state.group_att_helper):
            helper.unregister(self.session.hub)  # the state lives on for a while, its lists do not
        self.state.forget_all()
        self._delete_parts()

    def _delete_parts(self) -> None:
        """Let go of what glue leaves of a closed viewer: its options, list of layers, frame and state."""
        with ignore_callback(self.state, "layers"):
            self.state.layers[:] = []  # they hold the state that holds them, where no collector looks
        self.session.hub.unsubscribe_all(self.layer_view().layer_list)  # glue would go on telling it
        for part in (self.options, self.layer_view(), self._mdi_wrapper):
            if part is not None:
                part.deleteLater()


def _answers(answered: Question, asked: Question) -> bool:
    """Whether an answer is that of a question; galaxies without embedding may have been left out of it."""
    return set(answered.like) <= set(asked.like) and set(answered.unlike) <= set(asked.unlike)
