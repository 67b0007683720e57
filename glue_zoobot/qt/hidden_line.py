"""The line that says that an answer is hidden, since its subset was changed, and shows it again."""

from __future__ import annotations

from typing import Any

from qtpy import QtWidgets

from glue_zoobot.qt.styles import warn

__all__ = ["HiddenLine"]

_TEXT = (
    "Not in the views any more: its subset was changed (it is yours now) or removed. "
    '<a href="again">Show it again</a>'
)


class HiddenLine(QtWidgets.QLabel):
    """
    Takes no room unless there is something to say.

    Parameters
    ----------
    state : SimilarGalaxies, Interest or Teaching
        With ``hidden`` and ``show_hidden``.
    """

    def __init__(self, state: Any) -> None:
        super().__init__(_TEXT, wordWrap=True, visible=False)
        self._state = state
        self.setToolTip("A lasso changes the active subset, which you choose in the list at the left")
        warn(self)
        self.linkActivated.connect(lambda _: self._state.show_hidden())

    def refresh(self) -> None:
        """Show it if it is so."""
        self.setVisible(self._state.hidden)
