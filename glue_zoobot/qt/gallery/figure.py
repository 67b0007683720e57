"""Galaxies as a figure for a paper: black captions on white, pictures at their full resolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
)

from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt.gallery.caption_lines import caption_layout, draw_captions, line_height

__all__ = ["Panel", "Section", "save_figure"]

DPI = 300
WIDTH_MM = 180.0  # two columns of a journal
GAP_MM = 1.5
CAPTION_PT, TITLE_PT = 7.0, 9.0
FRAME_MM = 0.5
QUESTION_MM = 0.25
NAME, TEXT, RULE, NO_PICTURE = "#6a6f75", "#000000", "#b8bcc0", "#e8e8e8"


@dataclass(frozen=True)
class Panel:
    """
    One galaxy of a figure.

    Attributes
    ----------
    image : QImage or None
        Its picture, if there is one.
    captions : tuple of (str, str)
        Column and value of each line below it.
    frames : tuple of str
        Colours around it, the outermost first.
    question : bool
        Whether it is what the others were compared with.
    """

    image: QImage | None
    captions: tuple[tuple[str, str], ...] = ()
    frames: tuple[str, ...] = ()
    question: bool = False


@dataclass(frozen=True)
class Section:
    """
    Galaxies below one header.

    Attributes
    ----------
    panels : tuple of Panel
        In reading order.
    title : str
        Name of the group; without one there is no header.
    size : int
        Galaxies of the group, in the figure or not.
    """

    panels: tuple[Panel, ...]
    title: str = ""
    size: int = 0


def save_figure(
    path: Path, sections: Sequence[Section], n_columns: int, columns: Sequence[tuple[str, str]] = ()
) -> None:
    """
    Write a figure of the width of a page.

    Parameters
    ----------
    path : Path
        Ends in ``.pdf`` or ``.png``.
    sections : sequence of Section
        In reading order.
    n_columns : int
        Galaxies per line.
    columns : sequence of (str, str)
        Name of each column of the captions, and one of its longest values.

    Raises
    ------
    CatalogueError
        If the ending is another one, or the file cannot be written.
    """
    figure = _Figure(sections, n_columns, columns)
    suffix = path.suffix.lower()
    if suffix not in (".pdf", ".png"):
        raise CatalogueError(f"{path.name} ends neither in .pdf nor in .png: choose one of them")
    if not (figure.to_pdf(path) if suffix == ".pdf" else figure.to_png(path)):
        raise CatalogueError(f"the figure could not be written to {path}: check the folder and its rights")


class _Figure:
    """Geometry in dots of `DPI`."""

    def __init__(
        self, sections: Sequence[Section], n_columns: int, columns: Sequence[tuple[str, str]]
    ) -> None:
        self._sections, self._n_columns = sections, n_columns
        panels = [panel for section in sections for panel in section.panels]
        self._font, self._title_font = _font(CAPTION_PT), _font(TITLE_PT)
        self._gap, self.width = _dots(GAP_MM), _dots(WIDTH_MM)
        self._margin = max((len(panel.frames) for panel in panels), default=0) * _dots(FRAME_MM)
        self._across = (self.width + self._gap) / n_columns  # from one picture to the next
        self._edge = self._across - self._gap - 2 * self._margin
        self._layout = caption_layout(self._font, columns, self._edge)
        n_captions = max((len(panel.captions) for panel in panels), default=0)
        text = n_captions * line_height(self._font) + (self._gap / 2 if n_captions else 0)
        self._down = self._edge + 2 * self._margin + text + self._gap
        self._header = QFontMetricsF(self._title_font).height() + 2 * self._gap
        self.height = max(sum(map(self._height_of, sections)) - self._gap, 1.0)

    def _height_of(self, section: Section) -> float:
        n_lines = -(-len(section.panels) // self._n_columns)
        return n_lines * self._down + (self._header if section.title else 0)

    def to_png(self, path: Path) -> bool:
        image = QImage(round(self.width), round(self.height), QImage.Format_RGB32)
        image.fill(QColor("white"))
        image.setDotsPerMeterX(round(DPI / 0.0254))
        image.setDotsPerMeterY(round(DPI / 0.0254))
        painter = QPainter(image)
        self._draw(painter)
        painter.end()
        return image.save(str(path))

    def to_pdf(self, path: Path) -> bool:
        writer = QPdfWriter(str(path))
        writer.setResolution(DPI)
        size = QSizeF(self.width, self.height) * (25.4 / DPI)
        page = QPageSize(size, QPageSize.Millimeter, "figure", QPageSize.ExactMatch)
        writer.setPageLayout(QPageLayout(page, QPageLayout.Portrait, QMarginsF()))
        painter = QPainter()
        if not painter.begin(writer):
            return False
        self._draw(painter)
        return painter.end()

    def _draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        top = 0.0
        for section in self._sections:
            below = top + (self._header if section.title else 0)
            if section.title:
                self._draw_header(painter, section, top)
            for panel, place in zip(section.panels, self._places(below), strict=False):
                self._draw_panel(painter, panel, QRectF(place, QSizeF(self._edge, self._edge)))
            top += self._height_of(section)

    def _places(self, top: float) -> Iterator[QPointF]:
        """Yield the upper left corners of pictures, line by line."""
        number = 0
        while True:
            line, column = divmod(number, self._n_columns)
            yield QPointF(column * self._across + self._margin, top + line * self._down + self._margin)
            number += 1

    def _draw_header(self, painter: QPainter, section: Section, top: float) -> None:
        """The name of a group and its size, under a line, as in the gallery."""
        if top > 0:
            painter.setPen(QPen(QColor(RULE), 2))
            painter.drawLine(QPointF(0, top), QPointF(self.width, top))
        line = QRectF(0, top + self._gap / 2, self.width, self._header - self._gap)
        bold = QFont(self._title_font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(TEXT))
        painter.drawText(line, Qt.AlignLeft | Qt.AlignVCenter, section.title)
        line.setLeft(QFontMetricsF(bold).horizontalAdvance(section.title + "  "))
        painter.setFont(self._title_font)
        painter.setPen(QColor(NAME))
        painter.drawText(line, Qt.AlignLeft | Qt.AlignVCenter, f"{section.size:,}")

    def _draw_panel(self, painter: QPainter, panel: Panel, square: QRectF) -> None:
        if panel.image is None:
            painter.fillRect(square, QColor(NO_PICTURE))
        else:
            size = QSizeF(panel.image.size()).scaled(square.size(), Qt.KeepAspectRatio)
            target = QRectF(square.topLeft(), size)
            target.moveCenter(square.center())
            painter.drawImage(target, panel.image)
        painter.setBrush(Qt.NoBrush)
        self._draw_frames(painter, panel.frames, square)
        if panel.question:
            self._draw_question(painter, square)
        top = square.bottom() + self._margin + self._gap / 2
        line = QRectF(square.left(), top, square.width(), line_height(self._font))
        draw_captions(painter, self._layout, panel.captions, line, self._font, (NAME, TEXT))

    def _draw_frames(self, painter: QPainter, colors: Sequence[str], square: QRectF) -> None:
        """Nested frames, the topmost subset outside."""
        width = _dots(FRAME_MM)
        for number, color in enumerate(reversed(colors)):
            reach = (number + 0.5) * width
            painter.setPen(QPen(QColor(color), width, Qt.SolidLine, Qt.SquareCap, Qt.MiterJoin))
            painter.drawRect(square.adjusted(-reach, -reach, reach, reach))

    def _draw_question(self, painter: QPainter, square: QRectF) -> None:
        """A thin dashed line just inside the picture: subsets have the margin outside."""
        width = _dots(QUESTION_MM)
        inside = square.adjusted(2 * width, 2 * width, -2 * width, -2 * width)
        for color, style in (("black", Qt.SolidLine), ("white", Qt.DashLine)):
            painter.setPen(QPen(QColor(color), width, style, Qt.FlatCap, Qt.MiterJoin))
            painter.drawRect(inside)


def _font(points: float) -> QFont:
    font = QFont("Helvetica")
    font.setPixelSize(round(points / 72 * DPI))
    return font


def _dots(millimetres: float) -> float:
    return millimetres / 25.4 * DPI
