"""Move over a scatter plot or an image: the picture and the values of the galaxy under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glue.viewers.matplotlib.toolbar_mode import ToolbarModeBase
from qtpy.QtCore import QObject, QPoint, Qt, QTimer
from qtpy.QtWidgets import QToolBar

from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.captions import WrittenColumns
from glue_zoobot.qt.gallery.hover import EDGE, LARGE_BYTES, PicturePopup
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.host import icon_path
from glue_zoobot.qt.hover_points import KeptPositions
from glue_zoobot.qt.picking import clicked_row
from glue_zoobot.qt.threads import run_in_thread

if TYPE_CHECKING:
    from glue.core import ComponentID, Data
    from glue_qt.viewers.image import ImageViewer
    from glue_qt.viewers.scatter import ScatterViewer
    from matplotlib.backend_bases import MouseEvent

    from glue_zoobot.catalog import RowImages

__all__ = ["HoverTool", "PointPicture"]

_EVERY = 40  # ms between two looks at what is under a moving cursor
_N_VALUES = 10
_BESIDE = 18  # pixels of the window between cursor and picture
_SIMILAR = "zoobot:similar"
_NO_SOURCE = "No images: right-click the dataset, Zoobot: Attach images…"


class HoverTool(ToolbarModeBase):
    """While it is on, the galaxy under the cursor shows its picture; nothing is selected."""

    icon = icon_path("hover")
    tool_id = "zoobot:hover"
    action_text = "Show the picture under the cursor"
    tool_tip = "Show the picture and the values of the galaxy under the cursor"
    status_tip = "MOVE over the points to see their pictures"
    shortcut = "J"

    def __init__(self, viewer: ScatterViewer | ImageViewer, **kwargs: Any) -> None:
        super().__init__(viewer, **kwargs)
        self.card: PointPicture | None = None
        self._points = KeptPositions(viewer.session.hub)
        self._last: MouseEvent | None = None
        viewer.toolbar_added.connect(self._on_toolbar)
        self._timer = QTimer(viewer, singleShot=True, interval=_EVERY)
        self._timer.timeout.connect(self._look)
        canvas = viewer.central_widget.canvas
        self._leaving = [
            canvas.mpl_connect(name, self._hide) for name in ("figure_leave_event", "scroll_event")
        ]

    def activate(self) -> None:
        """Make what shows the pictures, with threads of its own."""
        super().activate()
        if self.card is None:
            self.card = PointPicture(self.viewer)

    def deactivate(self) -> None:
        """Hide the picture."""
        self._hide()
        self._points.forget()
        super().deactivate()

    def move(self, event: MouseEvent) -> None:
        """Note where the cursor is; looked up a little later, so that a fast hand costs nothing."""
        if event.inaxes is not self.viewer.axes or event.button is not None:
            self._hide()
            return
        self._last = event
        if not self._timer.isActive():
            self._timer.start()

    def press(self, event: MouseEvent) -> None:
        """Give the view of the plot free."""
        self._hide()

    def close(self) -> None:
        """Stop, and let go of the viewer."""
        self._timer.stop()
        for connection in self._leaving:
            self.viewer.central_widget.canvas.mpl_disconnect(connection)
        if self.card is not None:
            self.card.close()
            self.card = None
        self._points.close()
        super().close()

    def _on_toolbar(self) -> None:
        """Come first, or after the similar tool where there is one; a narrow plot hides the last tools."""
        bar = self.viewer.toolbar
        action = bar.actions[self.tool_id]
        place = 1 if _SIMILAR in bar.actions else 0
        bar.insertAction(QToolBar.actions(bar)[place], action)  # glue's toolbar has a dict of that name
        action.setShortcutContext(Qt.WidgetWithChildrenShortcut)  # glue's: while the toolbar has the focus
        self.viewer.addAction(action)

    def _look(self) -> None:
        if self.card is None or self._last is None or self.viewer is None:
            return
        data, row = clicked_row(self.viewer, self._last, self._points.of)
        if data is None:
            self.card.hide()
            return
        state = self.viewer.state
        first = [att for att in (state.x_att, state.y_att) if any(att is own for own in data.components)]
        self.card.show_galaxy(data, row, first or [*(sky_columns(data) or ())], self._place(self._last))

    def _hide(self, *args: Any) -> None:
        self._timer.stop()
        self._last = None
        if self.card is not None:
            self.card.hide()

    def _place(self, event: MouseEvent) -> QPoint:
        """Return where the cursor is on the screen."""
        canvas = self.viewer.central_widget.canvas
        ratio = canvas.device_pixel_ratio
        return canvas.mapToGlobal(QPoint(round(event.x / ratio), round(canvas.height() - event.y / ratio)))


class PointPicture(QObject):
    """
    The picture of one galaxy with its values, beside the cursor.

    Parameters
    ----------
    viewer : ScatterViewer or ImageViewer
        Whose galaxies are shown.
    """

    def __init__(self, viewer: ScatterViewer | ImageViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self.popup = PicturePopup(viewer)
        self.loader = ThumbnailLoader(self, max_bytes=LARGE_BYTES)
        self.loader.arrived.connect(self._on_arrived)
        self._values: _Values | None = None
        self._data: Data | None = None
        self.row = -1

    def show_galaxy(self, data: Data, row: int, first: list[ComponentID], place: QPoint) -> None:
        """Show a row of a dataset, with the values of some columns before the others."""
        if data is not self._data:
            self._take(data)
        if row != self.row:
            self.row = row
            assert self._values is not None
            self._values.caption_atts = [*first, *_gallery_columns(self._viewer, data)]
            self.popup.set_values(self._values.details(row, _N_VALUES))
            self.loader.want([row])
            self._set_picture()
        self.popup.adjustSize()
        self.popup.move_beside(place, _BESIDE)
        self.popup.show()

    def hide(self) -> None:
        """Show nothing."""
        self.popup.hide()
        self.row = -1

    def close(self) -> None:
        """Hide, and stop the threads."""
        self.hide()
        self._data = None
        self.popup.close()
        self.loader.close()

    def _take(self, data: Data) -> None:
        """Open the images of another dataset, which may take a while."""
        from glue_zoobot.catalog import images_of

        self._data, self._values, self.row = data, _Values(data), -1
        self.loader.set_source(None)
        run_in_thread(self, lambda: images_of(data), lambda images: self._show_images(data, images))

    def _show_images(self, data: Data, images: RowImages | None) -> None:
        if data is not self._data:  # another one meanwhile, or closed
            return
        ratio = self._viewer.devicePixelRatioF()
        self.loader.set_size(round(EDGE * ratio), ratio)
        self.loader.set_source(images)
        if images is None:
            self.popup.set_text(_NO_SOURCE)
        elif self.row >= 0:
            self.loader.want([self.row])

    def _on_arrived(self, row: int) -> None:
        if row == self.row:
            self._set_picture()

    def _set_picture(self) -> None:
        """Show the picture, or why there is none; the one before makes way while it is read."""
        thumbnail = self.loader.get(self.row)
        if thumbnail is None:
            self.popup.set_text("")
        elif thumbnail.pixmap is None:
            self.popup.set_text(thumbnail.reason)
        else:
            self.popup.set_picture(thumbnail.pixmap)


class _Values(WrittenColumns):
    """The values of one galaxy as text; columns are written as in a gallery."""

    def __init__(self, data: Data) -> None:
        super().__init__()
        self.data = data
        self.caption_atts: list[ComponentID] = []
        self.ordered_by = None


def _gallery_columns(viewer: ScatterViewer | ImageViewer, data: Data) -> list[ComponentID]:
    """Return the columns that the user chose for the captions of a gallery of this dataset."""
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    for tab in viewer.session.application.viewers:
        for other in tab:
            if isinstance(other, GalleryViewer) and other.state.data is data:
                return list(other.state.captions_shown)
    return []
