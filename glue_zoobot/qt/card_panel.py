"""A panel in which galaxies are judged one after the other: what *Interest* and *Teach* share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage, SubsetMessage
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.key_page import KeyPage
from glue_zoobot.qt.labelling import digits_go_to
from glue_zoobot.qt.styles import is_dark, paint

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.qt.begin_page import BeginPage
    from glue_zoobot.qt.galaxy_card import GalaxyCard

__all__ = ["CardPanel", "MessageLine", "read_catalogue"]

_HEIGHT = 700
# background and text, on light and on dark
_PROBLEM = (("#fbe3df", "#8f1d10"), ("#58251e", "#ffc9c0"))
_MILD = (("#e8eff7", "#24415f"), ("#24405c", "#cfe2f7"))


class MessageLine(QtWidgets.QLabel):
    """What went wrong, or mildly what was done; takes no room while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__(wordWrap=True, visible=False)

    def say(self, text: str, mild: bool = False) -> None:
        """Say it; an empty text takes it away."""
        background, colour = (_MILD if mild else _PROBLEM)[is_dark(self.parentWidget() or self)]
        paint(self, f"background: {background}; color: {colour}; padding: 6px; border-radius: 4px;")
        self.setText(text)
        self.setVisible(bool(text))


class CardPanel(QtWidgets.QDockWidget, HubListener):
    """
    A first page, and a page around a card of one galaxy.

    A subclass makes the parts and shows what its state says.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    state : Interest or Teaching
    """

    title = ""
    narrowest, wide = 320, 350  # screen pixels
    followed: tuple[str, ...] = ()  # callback properties of the state
    begin_page: BeginPage
    card: GalaxyCard

    def __init__(self, application: GlueApplication, state: Any) -> None:
        super().__init__(self.title, application)
        self.setObjectName(f"zoobot_{self.title.lower()}_panel")
        self.setMinimumWidth(self.narrowest)
        self.state = state
        self.state.edit_subset_mode = application.session.edit_subset_mode
        self._application = application
        self._choosing = False  # another start, while one is on
        self._refresh_timer = QtCore.QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh)
        self.message = MessageLine()
        self._build()
        for name in self.followed:
            self.state.add_callback(name, self._schedule_refresh)
        self.state.add_callback("changes", self._on_changes)
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._release)
        self._hub.subscribe(self, SubsetMessage, handler=self._schedule_refresh)
        digits_go_to(self)
        self._refresh()

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(self.wide, _HEIGHT)

    def show_panel(self) -> None:
        """Bring the panel to view."""
        self.show()
        self.raise_()
        self._application.resizeDocks([self], [max(self.width(), self.wide)], Qt.Horizontal)

    def take_keys(self) -> None:
        """Let digits rate or label the galaxy shown here."""
        self.card.picture.setFocus()

    # -- of a subclass ---------------------------------------------------------------------------------

    def _build(self) -> None:
        """Make the parts, and put them into the panel by `_show_pages`."""
        raise NotImplementedError

    def _refresh(self) -> None:
        """Show what the state says."""
        raise NotImplementedError

    def _on_changes(self, *args: Any) -> None:
        """Something was rated or labelled."""
        raise NotImplementedError

    # -- for a subclass --------------------------------------------------------------------------------

    def _show_pages(self, layout: QtWidgets.QLayout) -> None:
        """Fill the panel: the first page, and one of this layout, with the card somewhere in it."""
        self.begin_page.embed_wanted.connect(self._embed)
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self.begin_page)
        self.pages.addWidget(KeyPage(self.card, layout))
        self.setWidget(self.pages)

    def _choose_start(self) -> None:
        self._choosing = True
        self._schedule_refresh()

    def _embed(self, data: Data) -> None:
        from glue_zoobot.qt.actions import embed

        embed(data, self._application.data_collection)

    def _schedule_refresh(self, *args: Any) -> None:
        self._refresh_timer.start()

    def _try(self, action: Callable[[], Any], keep: bool = False) -> bool:
        """Do something; say what went wrong, else take away what was said before, unless it is to be kept."""
        try:
            action()
        except ZoobotError as error:
            self._fail(error)
            return False
        if not keep:
            self.say("")
        return True

    def _fail(self, error: Exception) -> None:
        self.say(str(error))

    def say(self, text: str, mild: bool = False) -> None:
        """Say what went wrong, or mildly what was done, on either page; an empty text takes it away."""
        self.message.say(text, mild)
        self.begin_page.note.setText(text)

    def _release(self, *args: Any) -> None:
        """Let go of the state and the hub when the application closes."""
        for name in self.followed:
            self.state.remove_callback(name, self._schedule_refresh)
        self.state.remove_callback("changes", self._on_changes)
        self._refresh_timer.stop()
        self.card.close_down()
        self._hub.unsubscribe_all(self)


def read_catalogue(data: Data) -> None:
    """Read ids, embeddings and images, which takes seconds for a large catalogue, the first time."""
    from glue_zoobot.catalog import embeddings_of, images_of, object_ids_of

    object_ids_of(data)
    embeddings_of(data)
    images_of(data)
