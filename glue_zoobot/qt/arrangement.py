"""Views side by side that keep their shares of a tab while the window is resized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets

from glue_zoobot.qt.plot_labels import fit_labels
from glue_zoobot.qt.small_screen import let_controls_scroll, let_titles_be_cut

if TYPE_CHECKING:
    from glue.viewers.common.viewer import Viewer

__all__ = ["Arrangement"]

_LEFT = 0.53  # share of the width for plots; the gallery has the rest
_TOP = 0.58  # share of the height for the map; smaller plots have the rest

Rect = tuple[float, float, float, float]


class Arrangement(QtCore.QObject):
    """
    Map over smaller plots at the left, the gallery at the right over the full height.

    The views follow the size of the tab until one of them is moved, resized or closed by the user.

    Parameters
    ----------
    area : QMdiArea
        The tab; owner of this object.
    views : dict of str to Viewer
        ``map``, ``measured``, ``sky`` and ``gallery``, as far as there are.
    """

    def __init__(self, area: QtWidgets.QMdiArea, views: dict[str, Viewer]) -> None:
        super().__init__(area)
        self._area = area
        shares = _shares(list(views))
        # The windows around the viewers, not the viewers, so that nothing is kept alive from here.
        self._windows = {name: view.parent() for name, view in views.items()}
        self._shares = {name: shares[name] for name in views}
        for window in self._windows.values():
            window.destroyed.connect(self.deleteLater)
        self._placed: dict[str, QtCore.QRect] = {}
        self._fit_timer = QtCore.QTimer(self, singleShot=True, interval=0)  # once the plots have their sizes
        self._fit_timer.timeout.connect(self._fit_labels)
        let_controls_scroll(area.window())
        let_titles_be_cut(area.window())
        self.place()
        area.viewport().installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Follow the tab."""
        if event.type() == QtCore.QEvent.Resize and self._untouched():
            self.place()
        return False

    def place(self) -> None:
        """Give every window its share of the tab as it is now."""
        size = self._area.viewport().size()
        for name, (x, y, width, height) in self._shares.items():
            left, top = round(x * size.width()), round(y * size.height())
            right, bottom = round((x + width) * size.width()), round((y + height) * size.height())
            self._windows[name].setGeometry(left, top, right - left, bottom - top)
            self._placed[name] = self._windows[name].geometry()
        self._fit_timer.start()

    def _fit_labels(self) -> None:
        """Let the names of the axes fit the plots as they are now, and only as long as they are ours."""
        for name, window in self._windows.items():
            if name != "gallery" and window.geometry() == self._placed[name]:
                fit_labels(window.widget())

    def _untouched(self) -> bool:
        return all(window.geometry() == self._placed[name] for name, window in self._windows.items())


def _shares(names: list[str]) -> dict[str, Rect]:
    """Return x, y, width and height of each view as shares of the tab."""
    small = [name for name in ("measured", "sky") if name in names]
    left = _LEFT if small or "map" in names else 0.0
    top = 0.0 if "map" not in names else (_TOP if small else 1.0)
    shares = {"map": (0.0, 0.0, left, top), "gallery": (left, 0.0, 1.0 - left, 1.0)}
    for number, name in enumerate(small):
        shares[name] = (left * number / len(small), top, left / len(small), 1.0 - top)
    return shares
