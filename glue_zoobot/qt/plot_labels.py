"""Axis names and numbers that stay apart in a small plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtGui

if TYPE_CHECKING:
    from glue_qt.viewers.scatter import ScatterViewer

__all__ = ["FittedNames", "fit_labels", "shortened"]

_SMALL = 420  # screen pixels; a plot that is as wide and high keeps glue's own margins
_MARGINS = [1, 0.25, 0.5, 0.25]  # inches left, right, bottom, top: glue's
_SMALL_MARGINS = [0.62, 0.12, 0.44, 0.12]
_POINTS, _SMALL_POINTS = (10, 8), (8, 7)  # of names and of numbers
_LEAST_POINTS = 6.5
_SLACK = 1.0  # points that a name may be longer than its axis
_LONGEST = 24  # letters of a column in a title


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


class FittedNames:
    """
    Keeps the names of the axes no longer than the axes, whatever glue redraws; a name of the user's stands.

    Parameters
    ----------
    viewer : ScatterViewer
    """

    def __init__(self, viewer: ScatterViewer) -> None:
        self._viewer = viewer
        self._timer = QtCore.QTimer(viewer, singleShot=True, interval=0)  # once the plot has its size
        self._timer.timeout.connect(self._fit)
        self._canvas = viewer.figure.canvas
        self._resized = self._canvas.mpl_connect("resize_event", self._later)
        for axis in "xy":
            viewer.state.add_callback(f"{axis}_axislabel", self._later)
        self._later()

    def release(self) -> None:
        """Hear nothing any more."""
        self._timer.stop()
        self._canvas.mpl_disconnect(self._resized)
        for axis in "xy":
            self._viewer.state.remove_callback(f"{axis}_axislabel", self._later)

    def _later(self, *args: Any) -> None:
        self._timer.start()

    def _fit(self) -> None:
        viewer, state = self._viewer, self._viewer.state
        if viewer.using_polar() or not hasattr(viewer.axes, "resizer"):
            return
        left, right, bottom, top = viewer.axes.resizer.margins
        width, height = viewer.figure.get_size_inches()
        for axis, inches in (("x", width - left - right), ("y", height - bottom - top)):
            column, shown = getattr(state, f"{axis}_att"), getattr(state, f"{axis}_axislabel")
            if column is not None and _is_of(shown, column.label):
                text = _cut(column.label, inches * 72, getattr(state, f"{axis}_axislabel_size"))
                if text != shown:
                    setattr(state, f"{axis}_axislabel", text)


def shortened(name: object, longest: int = _LONGEST) -> str:
    """Return a name without its middle if it is too long for a title."""
    text = str(name)
    return text if len(text) <= longest else _without_middle(text, longest - 1)


def _is_of(shown: str, name: str) -> bool:
    """Whether a text is a name, whole or without its middle."""
    start, cut, end = shown.partition("…")
    return shown == name or bool(cut and name.startswith(start) and name.endswith(end))


def _without_middle(name: str, kept: int) -> str:
    """Return a name with so many of its letters; whole if that is no shorter."""
    return name if len(name) <= kept + 1 else f"{name[: (kept + 1) // 2]}…{name[len(name) - kept // 2 :]}"


def _width(text: str) -> float:
    """Width of a text in letters of size 1."""
    font = QtGui.QFont("DejaVu Sans")  # Matplotlib's
    font.setPixelSize(100)
    return QtGui.QFontMetricsF(font).horizontalAdvance(text) / 100


def _cut(name: str, room: float, size: float) -> str:
    """Return a name, without its middle if there is no room for it; room and size in points."""
    width = _width(name) * size
    if width <= room + _SLACK:
        return name
    return _without_middle(name, max(6, int(len(name) * room / width) - 1))


def _fitted(name: str, room: float, points: float) -> tuple[str, float]:
    """Return a name, shortened if it must be, and the size of its letters; room and sizes in points."""
    size = min(points, max(_LEAST_POINTS, room / max(_width(name), 0.1)))
    return _cut(name, room, size), size
