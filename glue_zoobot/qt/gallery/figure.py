"""Galaxies as a figure for a paper: black captions on white, pictures at their full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QMarginsF, QRectF, QSizeF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter, QPen

from glue_zoobot.errors import CatalogueError

__all__ = ["Panel", "save_figure"]

DPI = 300
WIDTH_MM = 180.0  # two columns of a journal
GAP_MM = 1.5
CAPTION_PT = 7.0
FRAME_MM = 0.5


@dataclass(frozen=True)
class Panel:
    """
    One galaxy of a figure.

    Attributes
    ----------
    image : QImage or None
        Its picture, if there is one.
    captions : tuple of str
        Lines below it.
    frames : tuple of str
        Colours around it, the outermost first.
    """

    image: QImage | None
    captions: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


def save_figure(path: Path, panels: Sequence[Panel], n_columns: int) -> None:
    """
    Write a figure of the width of a page.

    Parameters
    ----------
    path : Path
        Ends in ``.pdf`` or ``.png``.
    panels : sequence of Panel
        In reading order.
    n_columns : int
        Galaxies per line.

    Raises
    ------
    CatalogueError
        If the ending is another one, or the file cannot be written.
    """
    figure = _Figure(panels, n_columns)
    suffix = path.suffix.lower()
    if suffix not in (".pdf", ".png"):
        raise CatalogueError(f"{path.name} ends neither in .pdf nor in .png: choose one of them")
    if not (figure.to_pdf(path) if suffix == ".pdf" else figure.to_png(path)):
        raise CatalogueError(f"the figure could not be written to {path}: check the folder and its rights")


class _Figure:
    """Geometry in dots of `DPI`."""

    def __init__(self, panels: Sequence[Panel], n_columns: int) -> None:
        self._panels, self._n_columns = panels, n_columns
        self._font = QFont("Helvetica")
        self._font.setPixelSize(round(CAPTION_PT / 72 * DPI))
        metrics = QFontMetrics(self._font)
        self._line = metrics.height()
        self._gap = _dots(GAP_MM)
        self.width = _dots(WIDTH_MM)
        self._edge = (self.width - (n_columns - 1) * self._gap) / n_columns
        captions = max((len(panel.captions) for panel in panels), default=0)
        self._step = self._edge + captions * self._line + 2 * self._gap
        n_lines = -(-len(panels) // n_columns)
        self.height = max(n_lines * self._step - self._gap, 1.0)

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
        painter.setFont(self._font)
        for number, panel in enumerate(self._panels):
            line, column = divmod(number, self._n_columns)
            left, top = column * (self._edge + self._gap), line * self._step
            self._draw_panel(painter, panel, QRectF(left, top, self._edge, self._edge))

    def _draw_panel(self, painter: QPainter, panel: Panel, square: QRectF) -> None:
        if panel.image is None:
            painter.fillRect(square, QColor("#e8e8e8"))
        else:
            size = QSizeF(panel.image.size()).scaled(square.size(), Qt.KeepAspectRatio)
            target = QRectF(square.topLeft(), size)
            target.moveCenter(square.center())
            painter.drawImage(target, panel.image)
        width = _dots(FRAME_MM)
        for number, color in enumerate(panel.frames):
            inset = (number + 0.5) * width
            painter.setPen(QPen(QColor(color), width, Qt.SolidLine, Qt.SquareCap, Qt.MiterJoin))
            painter.drawRect(square.adjusted(inset, inset, -inset, -inset))
        painter.setPen(QColor("black"))
        text = QRectF(square.left(), square.bottom() + self._gap / 2, square.width(), self._line)
        for caption in panel.captions:
            shown = painter.fontMetrics().elidedText(caption, Qt.ElideMiddle, int(text.width()))
            painter.drawText(text, Qt.AlignHCenter | Qt.AlignTop | Qt.TextDontClip, shown)
            text.translate(0, self._line)


def _dots(millimetres: float) -> float:
    return millimetres / 25.4 * DPI
