"""Axis names and numbers that stay apart in a small plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtGui

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["fit_labels"]

_SMALL = 420  # screen pixels; a plot that is as wide and high keeps glue's own margins
_MARGINS = [1, 0.25, 0.5, 0.25]  # inches left, right, bottom, top: glue's
_SMALL_MARGINS = [0.62, 0.12, 0.44, 0.12]
_POINTS, _SMALL_POINTS = (10, 8), (8, 7)  # of names and of numbers
_LEAST_POINTS = 6.5


def fit_labels(viewer: ScatterViewer) -> None:
    """
    Give a plot of ours margins and letters that suit its size; a name too long is shortened in its middle.

    The full names are in the plot's options, and glue shows them again when another column is chosen.

    Parameters
    ----------
    viewer : ScatterViewer
        That we opened; in the user's own plots his settings stand.
    """
    canvas, state = viewer.central_widget.canvas, viewer.state
    small = min(canvas.width(), canvas.height()) < _SMALL
    margins = _SMALL_MARGINS if small else _MARGINS
    names, numbers = _SMALL_POINTS if small else _POINTS
    dpi = viewer.figure.dpi / canvas.device_pixel_ratio
    lengths = {
        "x": canvas.width() - dpi * (margins[0] + margins[1]),
        "y": canvas.height() - dpi * (margins[2] + margins[3]),
    }
    for axis, length in lengths.items():
        name = getattr(state, f"{axis}_att").label
        text, points = _fitted(name, length / dpi * 72, names)
        setattr(state, f"{axis}_axislabel_size", points)
        setattr(state, f"{axis}_ticklabel_size", numbers)
        if len(text) < len(name) or getattr(state, f"{axis}_axislabel").count("…"):
            setattr(state, f"{axis}_axislabel", text)
    viewer.axes.resizer.margins = margins
    viewer.axes.resizer.on_resize(None)


def _fitted(name: str, room: float, points: float) -> tuple[str, float]:
    """Return a name, shortened if it must be, and the size of its letters; room and sizes in points."""
    font = QtGui.QFont("DejaVu Sans")  # Matplotlib's
    font.setPixelSize(100)
    metrics = QtGui.QFontMetricsF(font)

    def width(text: str) -> float:
        return metrics.horizontalAdvance(text) / 100

    size = min(points, max(_LEAST_POINTS, room / max(width(name), 0.1)))
    if width(name) * size <= room:
        return name, size
    kept = max(6, int(len(name) * room / (width(name) * size)) - 1)
    return f"{name[: (kept + 1) // 2]}…{name[len(name) - kept // 2 :]}", size
