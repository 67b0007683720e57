"""Everything about one galaxy, in a window of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSize, Qt, QUrl
from qtpy.QtGui import QColor, QDesktopServices, QImage, QPainter, QPixmap
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from glue_zoobot import catalog
from glue_zoobot.qt.columns import sky_columns
from glue_zoobot.qt.gallery.encoder_view import EncoderView
from glue_zoobot.qt.gallery.keys import action_of
from glue_zoobot.qt.gallery.look import AS_IS
from glue_zoobot.qt.gallery.neighbours import Neighbours, NeighbourStrip, nearest
from glue_zoobot.qt.gallery.painting import BACKGROUND, DIM_TEXT
from glue_zoobot.qt.gallery.sky_links import SkyLink, sky_links
from glue_zoobot.qt.gallery.thumbnails import Thumbnail, ThumbnailLoader
from glue_zoobot.qt.gallery.value_table import ValueTable
from glue_zoobot.qt.threads import Work, run_in_thread

if TYPE_CHECKING:
    from qtpy.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QResizeEvent

    from glue_zoobot.qt.gallery.viewer import GalleryViewer

__all__ = ["DetailView"]

SEEN_EDGE, SEEN_LINES = 176, 11  # at least so many pixels of the window, and lines of text
LARGE_BYTES, STRIP_BYTES = 64 * 2**20, 8 * 2**20


class PictureFrame(QWidget):
    """One picture, as large as there is room, or why there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(240, 240)
        self.pixmap: QPixmap | None = None
        self.text = ""

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def show_picture(self, pixmap: QPixmap | None, text: str = "") -> None:
        """Show a picture, or a text in its place."""
        self.pixmap, self.text = pixmap, text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        if self.pixmap is not None:
            painter.setRenderHint(QPainter.SmoothPixmapTransform)
            size = (
                self.pixmap.deviceIndependentSize().scaled(self.size().toSizeF(), Qt.KeepAspectRatio).toSize()
            )
            left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
            painter.drawPixmap(left, top, size.width(), size.height(), self.pixmap)
        else:
            painter.setPen(QColor(DIM_TEXT))
            painter.drawText(
                self.rect().adjusted(12, 12, -12, -12), Qt.AlignCenter | Qt.TextWordWrap, self.text
            )
        painter.end()


class DetailView(QWidget):
    """
    One galaxy of a gallery: picture, what the encoder sees, all columns, look-alikes, links.

    Parameters
    ----------
    viewer : GalleryViewer
        Whose galaxies are shown, in its order; it does what the keys ask for.
    """

    def __init__(self, viewer: GalleryViewer) -> None:
        super().__init__(viewer, Qt.Window)
        self._viewer, self._state = viewer, viewer.state
        self.row = -1
        self._work: Work | None = None
        self.large = ThumbnailLoader(self, max_bytes=LARGE_BYTES)
        self.large.arrived.connect(self._on_arrived)
        self._small = ThumbnailLoader(self, max_bytes=STRIP_BYTES)
        self.encoder_view = EncoderView(self)
        self.encoder_view.seen.connect(self._on_seen)
        self.encoder_view.failed.connect(self._on_unseen)
        self._build()
        self.resize(960, 700)

    # ---- parts

    def _build(self) -> None:
        self.picture = PictureFrame()
        self.seen, self.seen_title = QLabel(alignment=Qt.AlignCenter, wordWrap=True), QLabel()
        self._seen_edge = max(SEEN_EDGE, SEEN_LINES * self.fontMetrics().lineSpacing())
        self.seen.setFixedSize(self._seen_edge, self._seen_edge)
        self.seen.setStyleSheet(f"background:{BACKGROUND};color:{DIM_TEXT};padding:4px")
        self.seen.setToolTip("The picture after the encoder's own crop and scaling: all that it knows")
        self.values = ValueTable()
        self.strip = NeighbourStrip(self._small)
        self.strip.chosen.connect(self.show_row)
        side = QGridLayout()
        side.addWidget(self.seen_title, 0, 0)
        side.addWidget(self.seen, 1, 0, Qt.AlignLeft)
        side.addWidget(self.values, 2, 0)
        side.setRowStretch(2, 1)
        self.note = QLabel(wordWrap=True, visible=False)
        large = QVBoxLayout()
        large.addWidget(self.picture, 1)
        large.addWidget(self.note)
        middle = QHBoxLayout()
        middle.addLayout(large, 3)
        middle.addLayout(side, 2)
        layout = QVBoxLayout(self)
        layout.addLayout(self._bar())
        layout.addLayout(middle, 1)
        self.strip_title, self.status = QLabel(), QLabel(visible=False)
        layout.addWidget(self.strip_title)
        layout.addWidget(self.strip)
        layout.addWidget(self.status)

    def _bar(self) -> QHBoxLayout:
        self.previous, self.next = QToolButton(arrowType=Qt.LeftArrow), QToolButton(arrowType=Qt.RightArrow)
        self.previous.setToolTip("Previous galaxy of the gallery (left arrow)")
        self.next.setToolTip("Next galaxy of the gallery (right arrow)")
        self.previous.clicked.connect(lambda: self.step(-1))
        self.next.clicked.connect(lambda: self.step(1))
        self.title, self.place = QLabel(), QLabel()
        self.title.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.title.setFocusPolicy(Qt.NoFocus)
        self.links = [QToolButton(text=f"{link.name} ↗") for link in sky_links(0, 0)]
        for number, button in enumerate(self.links):
            button.clicked.connect(lambda *_, number=number: self._open_link(number))
        bar = QHBoxLayout()
        for widget in (self.previous, self.next, self.title, self.place):
            bar.addWidget(widget)
        bar.addStretch()
        for button in self.links:
            bar.addWidget(button)
        for button in (self.previous, self.next, *self.links):
            button.setFocusPolicy(Qt.NoFocus)  # the arrow keys belong to the galaxies
        return bar

    # ---- showing

    def show_row(self, row: int) -> None:
        """Show a galaxy by its row of the data, and go to it in the gallery if it is there."""
        self.row = int(row)
        position = self._position()
        if position >= 0:
            self._viewer.grid.go_to(position)
        self.say("")
        self.refresh()
        self._look_up()
        self.show()

    def refresh(self) -> None:
        """Show the present values and picture of the galaxy; call when the data have changed."""
        data = self._state.data
        if data is None or not 0 <= self.row < data.size:
            self.close()
            return
        name = str(catalog.object_ids_of(data)[self.row])
        self.setWindowTitle(f"{name} – {data.label}")
        self.title.setText(f"<b>{name}</b>")
        self._show_place()
        self._show_picture()
        self.values.show_values(self._state.every_value(self.row))
        self._show_links()

    def _position(self) -> int:
        found = np.flatnonzero(self._viewer.model.rows == self.row)
        return int(found[0]) if len(found) else -1

    def _show_place(self) -> None:
        position, n = self._position(), len(self._viewer.model.rows)
        self.place.setText(f"{position + 1:,} of {n:,}" if position >= 0 else "not among those shown")
        self.previous.setEnabled(position > 0)
        self.next.setEnabled(-1 <= position < n - 1 and n > 0)

    def _show_links(self) -> None:
        links = self._sky_links()
        for button, link in zip(self.links, links or sky_links(0, 0), strict=True):
            button.setEnabled(bool(links))
            button.setToolTip(
                f"{link.what}, in the browser" if links else "No right ascension and declination"
            )

    def _open_link(self, number: int) -> None:
        QDesktopServices.openUrl(QUrl(self._sky_links()[number].url))

    def _sky_links(self) -> list[SkyLink]:
        data = self._state.data
        pair = sky_columns(data)
        place = [float(data[cid, np.array([self.row])][0]) for cid in pair] if pair else [np.nan]
        return sky_links(*place) if np.isfinite(place).all() else []

    # ---- pictures

    def _show_picture(self) -> None:
        images = catalog.images_of(self._state.data)
        self.large.set_source(images)
        self._small.set_source(images)
        for loader in (self.large, self._small):
            loader.set_stretch(self._state.stretch)
        self.set_look()
        ratio = self.devicePixelRatioF()
        edge = max(min(self.picture.width(), self.picture.height()), 240)
        self.large.set_size(round(edge * ratio), ratio)
        position, rows = self._position(), self._viewer.model.rows
        beside = rows[[p for p in (position + 1, position - 1) if position >= 0 and 0 <= p < len(rows)]]
        self.large.want([self.row, *beside])
        self._show_loaded(self.large.get(self.row) or self._viewer.thumbnails.get(self.row))

    def _show_loaded(self, thumbnail: Thumbnail | None) -> None:
        if thumbnail is None:
            self.picture.show_picture(None, "…")
        else:
            self.picture.show_picture(thumbnail.pixmap, f"No picture: {thumbnail.reason}")

    def _on_arrived(self, row: int) -> None:
        if row == self.row:
            self._show_loaded(self.large.get(row))

    def set_look(self) -> None:
        """Follow the gallery's brightness and contrast; the encoder's view stays as it is."""
        self._show_note()
        for loader in (self.large, self._small):
            loader.set_look(self._viewer.look)
        if self.row >= 0 and self.large.get(self.row) is not None:
            self._show_loaded(self.large.get(self.row))
        self.strip.update()

    def set_stretch(self) -> None:
        """Follow the gallery's stretch; the encoder's view stays as it is."""
        if self.row >= 0 and self._state.data is not None:
            self._show_picture()
            self.strip.load()

    def _show_note(self) -> None:
        """Say that what is seen is not what the encoder sees, where that is so."""
        changed, stretch = [], self._state.stretch
        if stretch is not None and self._viewer.has_fluxes:
            changed.append(f"stretch ({', '.join(stretch.bands)})" if stretch.bands else "stretch")
        if self._viewer.look != AS_IS:
            changed.append("brightness or contrast")
        self.note.setText(
            f"Your own {' and '.join(changed)}, for the eye only: what the encoder sees is beside"
        )
        self.note.setVisible(bool(changed))

    # ---- look-alikes and the encoder's view

    def _look_up(self) -> None:
        data, row = self._state.data, self.row
        if self._work is not None:
            self._work.drop()
        self._work = run_in_thread(self, lambda: nearest(data, row), self._on_neighbours, self._on_failed)

    def _on_neighbours(self, found: Neighbours) -> None:
        data = self._state.data
        if data is None:
            return
        name = f" to {catalog.object_ids_of(data)[self.row]}, best first" if len(found.rows) else " galaxies"
        self.strip_title.setText(f"Most similar{name}")
        self.strip.show_neighbours(found, [str(name) for name in catalog.object_ids_of(data)[found.rows]])
        images = catalog.images_of(data)
        if found.encoder is None or images is None:
            self.seen_title.setText("What an encoder sees")
            self._on_unseen("Embed the galaxies first")
            return
        self.seen_title.setText(f"What {found.encoder.name} sees, {found.encoder.input_size} px")
        self._on_unseen(f"Asking {found.encoder.name}…")
        self.encoder_view.show(found.encoder, images, self.row)

    def _on_failed(self, error: Exception) -> None:
        self.say(str(error))

    def say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _on_seen(self, row: int, image: QImage) -> None:
        edge = round(self._seen_edge * self.devicePixelRatioF())
        pixmap = QPixmap.fromImage(image).scaled(edge, edge, Qt.KeepAspectRatio, Qt.FastTransformation)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.seen.setPixmap(pixmap)

    def _on_unseen(self, why: str) -> None:
        self.seen.setPixmap(QPixmap())
        self.seen.setText(why)

    # ---- keys

    def step(self, by: int) -> None:
        """Go on to another galaxy of the gallery."""
        position = self._position()
        target = self._viewer.selection.current if position < 0 else position + by
        if 0 <= target < len(self._viewer.model.rows):
            self.show_row(self._viewer.model.rows[target])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, action = event.key(), action_of(event)
        if key in (Qt.Key_Left, Qt.Key_Up, Qt.Key_PageUp):
            self.step(-1)
        elif key in (Qt.Key_Right, Qt.Key_Down, Qt.Key_PageDown, Qt.Key_Space):
            self.step(1)
        elif key in (Qt.Key_Escape, Qt.Key_Return, Qt.Key_Enter):
            self.close()
        elif action is not None:
            self._viewer.act(action, [self.row])
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.row >= 0 and self._state.data is not None:
            self._show_picture()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.encoder_view.stop()
        super().closeEvent(event)

    def release(self) -> None:
        """Close for good, and stop the threads."""
        self.encoder_view.release()
        self.close()
        if self._work is not None:
            self._work.drop()
        for loader in (self.large, self._small):
            loader.close()
