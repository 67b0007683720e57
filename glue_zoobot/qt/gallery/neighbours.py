"""A strip of the galaxies most similar to one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from qtpy.QtCore import QEvent, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from glue_zoobot.qt.gallery.caption_lines import line_height
from glue_zoobot.qt.gallery.painting import BACKGROUND, DIM_TEXT, EMPTY, TEXT, caption_font
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from glue.core.data import Data
    from qtpy.QtGui import QMouseEvent, QPaintEvent

    from glue_zoobot.encoders import EncoderSpec

__all__ = ["NeighbourStrip", "Neighbours", "nearest"]

MOST = 24
EDGE, GAP = 92, 8


class Neighbours(NamedTuple):
    """What is most similar to a galaxy, or why nobody knows."""

    rows: np.ndarray
    scores: np.ndarray
    encoder: EncoderSpec | None
    reason: str = ""


def nearest(data: Data, row: int) -> Neighbours:
    """
    Find the galaxies most similar to one; seconds the first time, so call it in a thread.

    Parameters
    ----------
    data : Data
        The catalogue.
    row : int
        The galaxy.

    Returns
    -------
    Neighbours
    """
    from glue_zoobot.catalog import embeddings_of, why_no_embeddings
    from glue_zoobot.embedding import EmbeddingStore

    nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    embeddings = embeddings_of(data)
    if embeddings is None:
        return Neighbours(*nothing, None, why_no_embeddings(data))
    encoder = EmbeddingStore.open(embeddings.path).encoder_spec
    position = int(embeddings.positions[row])
    if position < 0:
        return Neighbours(
            *nothing, encoder, "This galaxy has no embedding: its image is broken or not embedded yet"
        )
    best, scores = embeddings.search().query([position], k=MOST)
    return Neighbours(embeddings.rows[best], scores, encoder)


class NeighbourStrip(QWidget):
    """
    Pictures side by side with their similarity; a click chooses one.

    Parameters
    ----------
    thumbnails : ThumbnailLoader
        Gives the pictures; nobody else uses it.
    parent : QWidget, optional
        Owner.
    """

    #: The row of the galaxy that was clicked.
    chosen = Signal(int)

    def __init__(self, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._found = Neighbours(
            np.zeros(0, dtype=np.int64), np.zeros(0), None, "Looking for similar galaxies…"
        )
        self._names: list[str] = []
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setCursor(Qt.PointingHandCursor)
        thumbnails.arrived.connect(lambda *_: self.update())

    def sizeHint(self) -> QSize:
        return QSize(6 * (EDGE + GAP), EDGE + self._text_height() + 2 * GAP)

    def _text_height(self) -> int:
        return math.ceil(line_height(caption_font(self.font()))) + 2

    def show_neighbours(self, found: Neighbours, names: list[str]) -> None:
        """Show these galaxies, with these ids."""
        self._found, self._names = found, names
        self.load()

    def load(self) -> None:
        """Ask for the pictures, in the size and stretch that they have now."""
        ratio = self.devicePixelRatioF()
        self._thumbnails.set_size(round(EDGE * ratio), ratio)
        self._thumbnails.want(self._found.rows)
        self.update()

    def place(self, number: int) -> QRect:
        """Where a picture is."""
        return QRect(GAP + number * (EDGE + GAP), GAP, EDGE, EDGE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        painter.setFont(caption_font(self.font()))
        if not len(self._found.rows):
            painter.setPen(QColor(DIM_TEXT))
            painter.drawText(
                self.rect().adjusted(GAP, 0, -GAP, 0), Qt.AlignCenter | Qt.TextWordWrap, self._found.reason
            )
        for number, (row, score) in enumerate(zip(self._found.rows, self._found.scores, strict=True)):
            rect = self.place(number)
            if rect.left() > self.width():
                break
            self._paint_one(painter, rect, int(row), float(score))
        painter.end()

    def _paint_one(self, painter: QPainter, rect: QRect, row: int, score: float) -> None:
        thumbnail = self._thumbnails.get(row)
        painter.fillRect(rect, QColor(EMPTY))
        if thumbnail is not None and thumbnail.pixmap is not None:
            size = (
                thumbnail.pixmap.deviceIndependentSize()
                .scaled(rect.size().toSizeF(), Qt.KeepAspectRatio)
                .toSize()
            )
            target = QRect(rect.topLeft(), size)
            target.moveCenter(rect.center())
            painter.drawPixmap(target, thumbnail.pixmap)
        painter.setPen(QColor(TEXT))
        text = QRect(rect.left(), rect.bottom() + 2, rect.width(), self._text_height())
        painter.drawText(text, Qt.AlignCenter, f"{score:.3f}")

    def _number_at(self, x: int) -> int:
        number = (x - GAP) // (EDGE + GAP)
        return number if 0 <= number < len(self._found.rows) else -1

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        number = self._number_at(event.position().toPoint().x())
        if number >= 0 and event.button() == Qt.LeftButton:
            self.chosen.emit(int(self._found.rows[number]))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.ToolTip:
            number = self._number_at(event.pos().x())
            text = f"{self._names[number]}\nClick to look at it" if number >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
