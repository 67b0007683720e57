"""How one galaxy looks in the grid: frame, picture, caption."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from qtpy.QtWidgets import QStyledItemDelegate

from glue_zoobot.qt.gallery.caption_lines import draw_captions, line_height

if TYPE_CHECKING:
    from qtpy.QtCore import QModelIndex
    from qtpy.QtWidgets import QStyleOptionViewItem

    from glue_zoobot.qt.gallery.grid_model import Cell
    from glue_zoobot.qt.gallery.picture_table import PictureTable
    from glue_zoobot.qt.gallery.thumbnails import Thumbnail

__all__ = ["BACKGROUND", "CellPainter", "caption_font", "cell_size", "header_height"]

BACKGROUND = "#26282b"  # neutral and darker than a picture's sky is bright: galaxies stand out, edges show
EMPTY = "#1c1d1f"
TEXT, DIM_TEXT = "#eceef0", "#a4aab0"
SELECTED = "#3f5f8a"
CURRENT = "#f0f2f4"
RULE = "#4a4e54"

FRAME = 6  # room for frames around the picture, in pixels of the window
GAP = 3  # around each cell
CAPTION_GAP = 2  # between the frames and the captions
QUESTION = "#ffffff"


def caption_font(font: QFont) -> QFont:
    """A little smaller than the window's font, never unreadable."""
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() * 0.9, 7.0))
    return small


def cell_size(font: QFont, thumbnail_size: int, n_captions: int) -> QSize:
    """Room that a picture of ``thumbnail_size`` and its caption lines need."""
    edge = thumbnail_size + 2 * (FRAME + GAP)
    text = math.ceil(n_captions * line_height(caption_font(font)))
    return QSize(edge, edge + text + (2 * CAPTION_GAP if n_captions else 0))


def header_height(font: QFont) -> int:
    """Height of the line above a group."""
    return QFontMetrics(font).height() + 14


class CellPainter(QStyledItemDelegate):
    """Draws the cells of a `PictureTable`."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        position, group = index.model().position(index), index.model().group(index)
        if group >= 0:
            self._paint_header(painter, *index.model().title(group), option.rect)
        if position < 0:
            return
        cell = index.model().cell(position)
        size = self.parent().thumbnail_size
        picture = QRect(0, option.rect.top() + GAP + FRAME, size, size)
        picture.moveLeft(option.rect.left() + (option.rect.width() - size) // 2)
        painter.save()
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        self._paint_state(painter, cell, picture, option.rect)
        self._paint_picture(painter, cell.thumbnail, picture)
        self._paint_frames(painter, cell.frames, picture)
        if cell.question:
            self._paint_question(painter, picture)
        self._paint_captions(painter, cell.captions, picture, option.font)
        painter.restore()

    def _paint_header(self, painter: QPainter, title: str, size: int, rect: QRect) -> None:
        """The name of a group and how many are in it, under a line."""
        bold = QFont(self.parent().font())
        bold.setBold(True)
        text = rect.adjusted(GAP + FRAME, 8, -GAP - FRAME, 0)
        painter.save()
        if rect.top() > 0:
            painter.setPen(QColor(RULE))
            painter.drawLine(text.left(), rect.top() + 3, text.right(), rect.top() + 3)
        painter.setFont(bold)
        painter.setPen(QColor(TEXT))
        painter.drawText(text, Qt.AlignLeft | Qt.AlignVCenter, title)
        text.setLeft(text.left() + painter.fontMetrics().horizontalAdvance(title) + 10)
        painter.setFont(self.parent().font())
        painter.setPen(QColor(DIM_TEXT))
        painter.drawText(text, Qt.AlignLeft | Qt.AlignVCenter, f"{size:,}")
        painter.restore()

    def _paint_state(self, painter: QPainter, cell: Cell, picture: QRect, rect: QRect) -> None:
        card = QRectF(picture.adjusted(-FRAME, -FRAME, FRAME, 0))
        card.setBottom(rect.bottom() - GAP + 1)
        painter.setRenderHint(QPainter.Antialiasing)
        if cell.selected:
            painter.setPen(Qt.NoPen)
            painter.setBrush(QColor(SELECTED))
            painter.drawRoundedRect(card, 4, 4)
        if cell.current:
            painter.setPen(QPen(QColor(CURRENT), 1))
            painter.setBrush(Qt.NoBrush)
            painter.drawRoundedRect(card.adjusted(-1.5, -1.5, 1.5, 1.5), 5, 5)
        painter.setRenderHint(QPainter.Antialiasing, False)

    def _paint_picture(self, painter: QPainter, thumbnail: Thumbnail | None, picture: QRect) -> None:
        if thumbnail is None:
            painter.fillRect(picture, QColor(EMPTY))
        elif thumbnail.pixmap is None:
            self._paint_broken(painter, picture)
        else:
            pixmap = thumbnail.pixmap
            fitted = pixmap.deviceIndependentSize().scaled(picture.size().toSizeF(), Qt.KeepAspectRatio)
            target = QRectF(picture.topLeft().toPointF(), fitted)
            target.moveCenter(QRectF(picture).center())
            painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))

    def _paint_broken(self, painter: QPainter, picture: QRect) -> None:
        """A crossed circle; the reason is in the tooltip."""
        painter.fillRect(picture, QColor(EMPTY))
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(QColor(DIM_TEXT), 1.4))
        painter.setBrush(Qt.NoBrush)
        radius = max(picture.width() / 10, 5)
        centre = QRectF(picture).center()
        slant = QPointF(radius, radius) * 0.7071
        painter.drawEllipse(centre, radius, radius)
        painter.drawLine(centre - slant, centre + slant)
        painter.setRenderHint(QPainter.Antialiasing, False)

    def _paint_frames(self, painter: QPainter, colors: tuple[str, ...], picture: QRect) -> None:
        """Nested frames, the topmost subset outside."""
        if not colors:
            return
        width = min(3.0, FRAME / len(colors))
        reach = width * (len(colors) - 0.5)
        painter.setBrush(Qt.NoBrush)
        for color in colors:
            painter.setPen(QPen(QColor(color), width, Qt.SolidLine, Qt.SquareCap, Qt.MiterJoin))
            painter.drawRect(QRectF(picture).adjusted(-reach, -reach, reach, reach))
            reach -= width

    def _paint_question(self, painter: QPainter, picture: QRect) -> None:
        """A thin dashed line just inside the picture: subsets have the margin outside."""
        painter.setBrush(Qt.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.drawRect(picture.adjusted(2, 2, -3, -3))
        painter.setPen(QPen(QColor(QUESTION), 1, Qt.DashLine))
        painter.drawRect(picture.adjusted(2, 2, -3, -3))

    def _paint_captions(
        self, painter: QPainter, captions: list[tuple[str, str]], picture: QRect, font: QFont
    ) -> None:
        small = caption_font(font)
        top = picture.bottom() + 1 + FRAME + CAPTION_GAP
        line = QRectF(picture.left(), top, picture.width(), line_height(small))
        draw_captions(painter, self.parent().caption_layout, captions, line, small, (DIM_TEXT, TEXT))

    def paint_band(self, view: PictureTable, band: QRect) -> None:
        """Draw the rubber band over the grid."""
        painter = QPainter(view.viewport())
        painter.setPen(QPen(QColor("#9cc2f2"), 1))
        painter.setBrush(QColor(100, 150, 220, 50))
        painter.drawRect(band)
        painter.end()
