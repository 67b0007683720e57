"""The *Interest* panel: a window onto the `Interest` state, and the threads in which that learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.interest import RANK, interest_of
from glue_zoobot.catalog.interest.log import log_path_of
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.card_panel import CardPanel, read_catalogue
from glue_zoobot.qt.docks import tabbed_panel
from glue_zoobot.qt.interest.begin import InterestBegin
from glue_zoobot.qt.interest.card import RatingCard
from glue_zoobot.qt.interest.gallery import show_in_gallery
from glue_zoobot.qt.interest.tabs import BestTab, FoundTab, RatedTab
from glue_zoobot.qt.interest.unusual import UnusualTab
from glue_zoobot.qt.styles import quiet
from glue_zoobot.qt.threads import Work, run_in_thread

if TYPE_CHECKING:
    from glue.core import ComponentID, Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.interest.ranking import Ranking

__all__ = ["InterestPanel", "interest_panel", "show_restored_ranking"]

_REST_MS = 1500  # a hand that rests this long lets the ranking take in what was rated within a round


def interest_panel(application: GlueApplication) -> InterestPanel:
    """Return the panel of an application; there is never more than one."""
    return tabbed_panel(application, InterestPanel)


def show_restored_ranking(application: GlueApplication) -> None:
    """Show the panel of a session that was saved with ratings; does nothing once there is a panel."""
    from glue_zoobot.catalog.interest import RANK, RATING

    made = {RANK, RATING}  # without a panel only a session can have brought them
    labels = {one.label for data in application.data_collection for one in data.components}
    if application.findChild(InterestPanel) is None and labels & made:
        interest_panel(application).show_panel()


class InterestPanel(CardPanel):
    """
    One galaxy after the other to rate, and what the ratings have found.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    """

    title = "Interest"
    followed = ("data", "current", "mode", "count", "changes")

    _work: Work | None = None
    _again = False
    _take_keys = False  # the user has asked to rate: his next key is for the panel

    def __init__(self, application: GlueApplication) -> None:
        super().__init__(application, interest_of(application.data_collection))
        self._rest_timer = QtCore.QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest_timer.timeout.connect(self._learn_if_new)

    def show_panel(self) -> None:
        """Bring the panel to view, and go on where an earlier session stopped."""
        super().show_panel()
        if self.state.data is not None and self.state.current is None:
            self.start(self.state.data)

    def start(self, data: Data, like: Sequence[int] = ()) -> None:
        """
        Start, or go on, rating a catalogue; the window does not wait for its embeddings to be read.

        Parameters
        ----------
        data : Data
        like : sequence of int
            Rows to look at first.
        """

        def begin(_: object) -> None:
            try:
                self.state.begin(data, like)
            except ZoobotError as error:
                self._fail(error)
                return
            self.say("")
            self._choosing, self._take_keys = False, True
            self._learn()
            self._schedule_refresh()

        self.begin_page.note.setText("Reading the embeddings…")
        run_in_thread(self, lambda: read_catalogue(data), begin, self._fail)

    # -- parts -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.card = RatingCard(self.state)
        self.card.rated.connect(self.rate)
        self.card.skipped.connect(self._skip)
        self.card.undone.connect(lambda _: self._undo())
        self.card.mode_wanted.connect(self._set_mode)
        self.begin_page = InterestBegin(self._application)
        self.begin_page.begin_wanted.connect(self.start)
        self.begin_page.other_wanted.connect(self._choose_log)
        self._show_pages(self._rating_layout())

    def _rating_layout(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QVBoxLayout()
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(6)
        layout.addWidget(self.message)
        layout.addWidget(self.card, 1)
        layout.addWidget(self._tabs())
        layout.addLayout(self._source_line())
        return layout

    def _tabs(self) -> QtWidgets.QTabWidget:
        self.found, self.best = FoundTab(self.state), BestTab(self.state)
        self.rated = RatedTab(self.state, self.card.thumbnails)
        self.unusual = UnusualTab(self.state)
        self.best.gallery_wanted.connect(self._show_best)
        self.best.keep_wanted.connect(self._keep)
        self.rated.again_wanted.connect(self._show_again)
        self.unusual.gallery_wanted.connect(self._show_ranked)
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setFocusPolicy(Qt.NoFocus)
        self.tabs.tabBar().setFocusPolicy(Qt.NoFocus)
        self.tabs.setDocumentMode(True)
        self.tabs.setFixedHeight(215)
        parts = ((self.found, "Found"), (self.best, "Best"), (self.rated, "Rated"), (self.unusual, "Unusual"))
        for part, text in parts:
            self.tabs.addTab(part, text)
        self.tabs.currentChanged.connect(self._schedule_refresh)
        return self.tabs

    def _source_line(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.source = quiet(QtWidgets.QLabel(), small=True)
        self.change = QtWidgets.QToolButton(text="Change…", autoRaise=True)
        self.change.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # it hid the last letters
        self.change.setFocusPolicy(Qt.NoFocus)
        self.change.setPopupMode(QtWidgets.QToolButton.InstantPopup)
        menu = QtWidgets.QMenu(self.change)
        menu.addAction("Another start or catalogue", self._choose_start)
        menu.addAction("Other ratings…", self._choose_other_log)
        self.change.setMenu(menu)
        row.addWidget(self.source, 1)
        row.addWidget(self.change)
        return row

    # -- from the window to the state --------------------------------------------------------------------

    def rate(self, value: int) -> None:
        """
        Rate the galaxy on the screen; what cannot be recorded is said, and the galaxy stays.

        A key pressed before the galaxy could be seen does nothing: it was meant for the one before.
        """
        if not self.card.is_seen:
            return
        if self._try(lambda: self.state.rate(self.state.current, value)):
            self.card.keys.flash(value)

    def rate_elsewhere(self, data: Data, rows: Sequence[int], value: int) -> None:
        """
        Rate galaxies that were chosen in another view, which keeps the keyboard.

        Raises
        ------
        AnalysisError
            If it could not be recorded.
        """
        if data is not self.state.data:
            self.state.open(data)
        self.state.rate(rows, value)
        if not self.isVisible():
            self.show()

    def _skip(self) -> None:
        if self.card.is_seen:
            self._try(self.state.skip)

    def _undo(self) -> None:
        self._try(self.state.undo)

    def _show_again(self, row: int) -> None:
        self._try(lambda: self.state.show_again(row))

    def _set_mode(self, mode: str) -> None:
        if mode == "check":
            self._try(self.state.check)
        else:
            self.state.mode = mode
            self._learn()
        self._schedule_refresh()

    def _keep(self) -> None:
        self._try(self.state.keep)

    def _show_best(self) -> None:
        self._show_ranked(our_columns(self.state.data).get(RANK))

    def _show_ranked(self, rank: ComponentID | None) -> None:
        if rank is not None:
            show_in_gallery(self._application, self.state.data, rank)

    def _choose_other_log(self) -> None:
        self._choose_log(self.state.data)

    def _choose_log(self, data: Data) -> None:
        chosen, _ = QtWidgets.QFileDialog.getSaveFileName(
            self,
            "Ratings to go on with, or a new file for them",
            str(log_path_of(data)),
            "Ratings (*.jsonl);;All files (*)",
            options=QtWidgets.QFileDialog.DontConfirmOverwrite,
        )
        if chosen:
            self.use_log(data, chosen)

    def use_log(self, data: Data, path: str) -> None:
        """Go on with other ratings."""
        if self._try(lambda: self.state.open(data, path)):
            self.start(data)

    def _fail(self, error: Exception) -> None:
        self._work = None
        super()._fail(error)
        self._schedule_refresh()

    # -- learning ----------------------------------------------------------------------------------------

    def _on_changes(self, *args: Any) -> None:
        if self.state.data is None or not self.state.n_unlearned:
            return
        if self.state.due:
            self._learn()
        else:
            self._rest_timer.start()

    def _learn_if_new(self) -> None:
        if self.state.data is not None and self.state.n_unlearned:
            self._learn()

    def _learn(self) -> None:
        """Learn in a thread; one round at a time, and once more if ratings came meanwhile."""
        if self._work is not None:
            self._again = True
            return
        try:
            question = self.state.question()
        except ZoobotError as error:
            self._fail(error)
            return
        ranker = self.state.ranker
        self._again = False
        self._work = run_in_thread(self, lambda: ranker.answer(question), self._take, self._fail)

    def _take(self, ranking: Ranking) -> None:
        self._work = None
        self._try(lambda: self.state.take(ranking))
        if self._again:
            self._learn()

    # -- from the state to the window --------------------------------------------------------------------

    def _refresh(self) -> None:
        state = self.state
        started = state.data is not None and (state.current is not None or state.ratings)
        if not started or self._choosing:
            self.pages.setCurrentIndex(0)
            self._note_of_state()
            return
        if state.current is not None:
            self.pages.setCurrentIndex(1)
            if self._take_keys:
                self.take_keys()
            self._take_keys = False
        self.card.refresh()
        self.tabs.currentWidget().refresh()
        if self.tabs.currentWidget() is self.rated:
            self.card.also_wanted = self.rated.wanted
            self.card.load()  # also those rated in an earlier session, which the card has never shown
        text = self.source.fontMetrics().elidedText(
            f"{state.data.label}: {len(state.ratings):,} rated, {state.n_found:,} interesting",
            Qt.ElideRight,
            240,
        )
        self.source.setText(text)
        self.source.setToolTip(f"Ratings: {state.log.path}" + (f"\n{state.note}" if state.note else ""))

    def _note_of_state(self) -> None:
        if self.state.note:
            self.begin_page.note.setText(self.state.note)

    def _release(self, *args: Any) -> None:
        """Let go of everything when the application closes; a fit under way comes to nothing."""
        super()._release()
        self._rest_timer.stop()
        if self._work is not None:
            self._work.drop()
