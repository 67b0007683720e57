"""What the digit keys do to galaxies in whatever view had the key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from qtpy import QtCore, QtWidgets

from glue_zoobot.analysis.labels import HIGHEST
from glue_zoobot.errors import ZoobotError

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

__all__ = ["digits_go_to", "press_digit"]

_MOST = 200  # galaxies; more than that were hardly looked at one by one
_WHAT_FOR = "Keys 0 to 5 rate how interesting a galaxy is, from dull to wonderful"
_USED = "zoobot_digits"
_TIMES = count(1)


def digits_go_to(panel: QtWidgets.QDockWidget) -> None:
    """
    Let the digit keys of other views go to a panel while it is open and the last one that came to view.

    It may have a method ``press_digit(data, rows, digit) -> str``; the *Interest* panel is asked otherwise.
    Where the user clicks on its tab, its method ``take_keys()`` is called: he looks at its galaxy now.
    """

    def on_seen(seen: bool) -> None:
        if seen:
            panel.setProperty(_USED, next(_TIMES))
        if seen and QtWidgets.QApplication.mouseButtons() & QtCore.Qt.LeftButton:  # tabs switch on the press
            panel.take_keys()

    panel.visibilityChanged.connect(on_seen)


def _panel_of_digits(application: GlueApplication) -> QtWidgets.QDockWidget | None:
    panels = application.findChildren(QtWidgets.QDockWidget)
    used = [panel for panel in panels if panel.property(_USED) and not panel.isHidden()]
    return max(used, key=lambda panel: panel.property(_USED), default=None)


def press_digit(application: GlueApplication, data: Data, rows: Sequence[int], digit: int) -> str:
    """
    Label galaxies in the panel that is open and was used last; by default rate them in the *Interest* panel.

    Parameters
    ----------
    application : GlueApplication
    data : Data
        The catalogue of the view that had the key.
    rows : sequence of int
        Its selected galaxies.
    digit : int
        0 to 9.

    Returns
    -------
    str
        What was done, or why not, in one line for a status bar.
    """
    from glue_zoobot.catalog import object_ids_of
    from glue_zoobot.qt.interest.panel import interest_panel

    panel = _panel_of_digits(application)
    if hasattr(panel, "press_digit"):
        return panel.press_digit(data, rows, digit) if len(rows) else "Select a galaxy first"
    if digit > HIGHEST or not len(rows):
        return _WHAT_FOR + ("" if len(rows) else ": select one first")
    if len(rows) > _MOST:
        return f"{len(rows):,} galaxies are selected; rate at most {_MOST} at once"
    try:
        interest_panel(application).rate_elsewhere(data, rows, digit)
    except ZoobotError as error:
        return str(error)
    what = str(object_ids_of(data)[rows[0]]) if len(rows) == 1 else f"{len(rows):,} galaxies"
    return f"Rated {what}: {digit} (Undo: Interest panel)"
