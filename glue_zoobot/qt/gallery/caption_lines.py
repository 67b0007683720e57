"""Names and values of columns below a picture, written alike in the window and in figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter

__all__ = ["CaptionColumn", "caption_layout", "draw_captions", "line_height", "short_name"]

SMALLEST = 0.8  # of the usual size of captions; what is longer still is shortened
FEWEST = 4  # letters of a name; one with less room is left out
APART = "  "  # between a column's name and its value


class CaptionColumn(NamedTuple):
    """How a column is written below all pictures: what stands for its name, and how small."""

    name: str
    scale: float = 1.0


def caption_layout(font: QFont, columns: Sequence[tuple[str, str]], width: float) -> list[CaptionColumn]:
    """
    Decide how columns are written, so that each looks the same below all pictures.

    Parameters
    ----------
    font : QFont
        Of the captions.
    columns : sequence of (str, str)
        Name of each column, and one of its longest values.
    width : float
        Of a caption.

    Returns
    -------
    list of CaptionColumn
        With the name, a shortened one, or none where the values leave no room, and for ids. Values that
        are a little too long, such as 19-digit ids, are written smaller.
    """
    metrics = QFontMetricsF(font)
    layout = []
    for label, longest in columns:
        value = metrics.horizontalAdvance(longest)
        room = width - value - metrics.horizontalAdvance(APART)
        others = [other for other, _ in columns if other != label]
        name = "" if label == "object_id" else short_name(label, others, _fits(metrics, room))
        scale = 1.0 if value <= width else max(width / value * 0.98, SMALLEST)
        layout.append(CaptionColumn(name, scale))
    return layout


def _fits(metrics: QFontMetricsF, room: float) -> Callable[[str], bool]:
    return lambda text: metrics.horizontalAdvance(text) <= room


def short_name(label: str, others: Sequence[str], fits: Callable[[str], bool]) -> str:
    """
    Shorten a name to what tells it from others: whole words if possible, the last ones rather than the first.

    Parameters
    ----------
    label : str
        Such as ``interest_rank``, which becomes ``…rank`` unless there is another name with that end.
    others : sequence of str
        Names that it must not be taken for.
    fits : callable
        Whether there is room for a text.

    Returns
    -------
    str
        Empty if there is no room for a few letters.
    """
    if fits(label):
        return label
    for text in (*_by_words(label), *_by_letters(label)):
        start, end = text.rstrip("…"), text.lstrip("…")
        alike = any(o.endswith(end) if text.startswith("…") else o.startswith(start) for o in others)
        if not alike and fits(text):
            return text
    return ""


def _by_words(label: str) -> Iterator[str]:
    """Yield ends and beginnings of a name at the borders of its words, longest first."""
    borders = [match.end() for match in re.finditer(r"[_\s.\-]+", label)]
    ends = ["…" + label[at:] for at in borders]
    starts = [re.sub(r"[_\s.\-]+$", "", label[:at]) + "…" for at in borders]
    enough = (text for text in (*ends, *starts) if len(text) > FEWEST)
    yield from sorted(enough, key=len, reverse=True)


def _by_letters(label: str) -> Iterator[str]:
    """Yield beginnings of a name, longest first, then its ends, as long as half of it can be read."""
    lengths = range(len(label) - 1, max(FEWEST, len(label) // 2) - 1, -1)
    yield from (label[:n] + "…" for n in lengths)
    yield from ("…" + label[-n:] for n in lengths)


def line_height(font: QFont) -> float:
    """One caption line, with room for underscores."""
    return QFontMetricsF(font).height() * 1.05


def draw_captions(
    painter: QPainter,
    layout: Sequence[CaptionColumn],
    captions: Sequence[tuple[str, str]],
    line: QRectF,
    font: QFont,
    colors: tuple[str, str],
) -> None:
    """
    Draw name and value at the two ends of a line each; a value alone in its middle.

    Parameters
    ----------
    painter : QPainter
    layout : sequence of CaptionColumn
        How the columns are written.
    captions : sequence of (str, str)
        Name and value of each.
    line : QRectF
        Of the first caption.
    font : QFont
        Of the captions.
    colors : (str, str)
        Of names and of values.
    """
    line = QRectF(line)
    for column, (_, value) in zip(layout, captions, strict=False):
        painter.setFont(_scaled(font, column.scale))
        metrics = QFontMetricsF(painter.font())
        value = metrics.elidedText(value, Qt.ElideMiddle, line.width() + 1)
        side = Qt.AlignRight if column.name else Qt.AlignHCenter
        painter.setPen(QColor(colors[1]))
        painter.drawText(line, side | Qt.AlignVCenter | Qt.TextDontClip, value)
        room = line.width() - metrics.horizontalAdvance(value) - metrics.horizontalAdvance(APART)
        if column.name and metrics.horizontalAdvance(column.name) <= room + 1:
            painter.setPen(QColor(colors[0]))
            painter.drawText(line, Qt.AlignLeft | Qt.AlignVCenter | Qt.TextDontClip, column.name)
        line.translate(0, line_height(font))


def _scaled(font: QFont, scale: float) -> QFont:
    if scale == 1:
        return font
    small = QFont(font)
    if font.pixelSize() > 0:
        small.setPixelSize(max(round(font.pixelSize() * scale), 1))
    else:
        small.setPointSizeF(font.pointSizeF() * scale)
    return small
