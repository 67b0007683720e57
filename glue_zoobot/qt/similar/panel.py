"""The *Similar galaxies* panel: a window onto the catalogue's `SimilarGalaxies` state, nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage, SubsetMessage
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.linked import linked_datasets, rows_in
from glue_zoobot.catalog.whole_store import galaxies_elsewhere
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.count_slider import MAX_COUNT, CountSlider
from glue_zoobot.qt.finding import ask
from glue_zoobot.qt.growing import store_watch
from glue_zoobot.qt.hidden_line import HiddenLine
from glue_zoobot.qt.host import icon_path, question_of
from glue_zoobot.qt.layer_names import update_layer_names
from glue_zoobot.qt.parts import row, tool
from glue_zoobot.qt.similar.comparison import Comparison
from glue_zoobot.qt.similar.cuts import CutsDialog
from glue_zoobot.qt.similar.examples import ExampleZone
from glue_zoobot.qt.similar.whole_store import search_whole_store, show_brought_in
from glue_zoobot.qt.similar.why import WhyDialog
from glue_zoobot.qt.similar_notes import embedded, outdated, partial
from glue_zoobot.qt.status import replace_status
from glue_zoobot.qt.styles import quiet, title
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.thumbnail_strip import ThumbnailStrip
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.linked import Linked
    from glue_zoobot.catalog.question import Answer, Question

__all__ = ["MAX_COUNT", "CountSlider", "SimilarPanel", "show_restored_answer", "similar_panel"]

_BEST_SHOWN = 40
_FULFILS_NOT = "No galaxy fulfils the conditions: loosen them."
_ALONE = "There is no other galaxy to compare with: one galaxy alone has no look-alikes."
_WIDTH, _LETTERS = 284, 41  # at least so wide, in screen pixels and in letters of the font
_HOW_TO = """<p style="font-size: 13pt">Which galaxies look like this one?</p>
<p><b>In a scatter plot</b> choose <img src="{icon}" width="18" height="18"> <i>Similar galaxies</i>
(key N) and click a point.</p>
<p><b>In the Galaxy Gallery</b> select a galaxy and choose the same button.</p>
<p><b>On any subset</b> right-click it in the list at the left and choose
<i>Find similar to this subset</i>.</p>
<p>The catalogue needs embeddings: right-click it and choose <i>Zoobot: Embed…</i></p>
<p>New here? <i>Plugins, Zoobot: tour</i> shows it all in a minute.</p>"""


def similar_panel(application: GlueApplication) -> SimilarPanel:
    """Return the panel of an application; there is never more than one."""
    panel = application.findChild(SimilarPanel)
    if panel is None:
        panel = SimilarPanel(application)
        application.addDockWidget(Qt.RightDockWidgetArea, panel)
        application.resizeDocks([panel], [panel.minimumWidth()], Qt.Horizontal)
        panel.hide()
    return panel


def show_restored_answer(application: GlueApplication) -> None:
    """Show the panel of a session that was saved with an answer; does nothing once there is a panel."""
    from glue_zoobot.catalog import object_ids_of

    def show(_: object) -> None:
        if application.app is not None:  # not closed meanwhile
            similar_panel(application).show_result()

    question = question_of(application)
    if application.findChild(SimilarPanel) is None and question.like:
        data = question.data
        run_in_thread(application, lambda: object_ids_of(data), show)  # a second for a million


class SimilarPanel(QtWidgets.QDockWidget, HubListener):
    """
    The question (example galaxies), how many answers, and what to do with them.

    What is above the pictures of the answer keeps its place, whatever there is to show.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    """

    def __init__(self, application: GlueApplication) -> None:
        super().__init__("Similar galaxies", application)
        self.setObjectName("zoobot_similar_panel")
        self.setMinimumWidth(max(_WIDTH, _LETTERS * self.fontMetrics().averageCharWidth()))
        self._application = application
        self.state = question_of(application)
        self._said = self.state.sentence()
        self._build()
        self._refresh_timer = QtCore.QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh)
        self._count_timer = QtCore.QTimer(self, singleShot=True, interval=30)
        self._count_timer.timeout.connect(self._apply_count)
        self._hidden_timer = QtCore.QTimer(self, singleShot=True, interval=0)  # once a removed group is gone
        self._hidden_timer.timeout.connect(self._refresh_hidden)
        self.state.add_callback("count", self._on_count)
        self.state.add_callback("answered", self._on_answer)
        watch = store_watch(application)
        watch.grown.connect(self.embeddings_changed)
        watch.completed.connect(self._complete)
        self._in_place = False
        self._says_kept = False
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._release)
        self._hub.subscribe(self, SubsetMessage, handler=self._on_subset)
        self._describe()
        self._refresh()

    def show_result(self) -> None:
        """Bring the panel to view."""
        self.show()
        self.raise_()

    # -- parts -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self._empty_page())
        self.pages.addWidget(self._result_page())
        self.setWidget(self.pages)

    def _empty_page(self) -> QtWidgets.QWidget:
        label = QtWidgets.QLabel(_HOW_TO.format(icon=icon_path("similar")), wordWrap=True)
        label.setAlignment(Qt.AlignTop)
        label.setMargin(12)
        return label

    def _result_page(self) -> QtWidgets.QWidget:
        page = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(page)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(4)
        self._add_question(layout)
        self._add_how_many(layout)
        self.comparison = Comparison()
        self.comparison.changed.connect(lambda options: self._change(**options))
        self.comparison.cuts_wanted.connect(self._open_cuts)
        layout.addWidget(self.comparison)
        self._add_answer(layout)
        self._add_buttons(layout)
        return page

    def _add_question(self, layout: QtWidgets.QVBoxLayout) -> None:
        self.like_title = title("Looks like")
        self.back_button = tool("↶", "Back to the question before", lambda: self._go(-1))
        self.forth_button = tool("↷", "On to the question after", lambda: self._go(1))
        collection = self._application.data_collection
        self.like_zone = ExampleZone(collection, 2, "Drop a galaxy here")
        self.unlike_zone = ExampleZone(collection, 1, "Drop galaxies here that it should not look like")
        self.like_zone.dropped.connect(lambda data, rows: self._add_examples(data, rows, True))
        self.unlike_zone.dropped.connect(lambda data, rows: self._add_examples(data, rows, False))
        for zone in (self.like_zone, self.unlike_zone):
            zone.removed.connect(self._remove_example)
        layout.addLayout(row(self.like_title, None, self.back_button, self.forth_button))
        layout.addWidget(self.like_zone)
        layout.addWidget(title("And not like"))
        layout.addWidget(self.unlike_zone)

    def _add_how_many(self, layout: QtWidgets.QVBoxLayout) -> None:
        self.slider = CountSlider()
        self.slider.setToolTip("How many look-alikes to show, in every view at once")
        self.slider.count_changed.connect(self._on_slider)
        self.spin = QtWidgets.QSpinBox(minimum=1, maximum=MAX_COUNT, keyboardTracking=False)
        self.spin.setGroupSeparatorShown(True)
        self.spin.valueChanged.connect(self._on_spin)
        self.spin.setFixedWidth(self.spin.sizeHint().width())  # of the most, whatever the font
        self.fulfil = quiet(QtWidgets.QLabel(), small=True)
        layout.addLayout(row(title("How many"), None, self.fulfil))
        layout.addLayout(row(self.slider, self.spin))

    def _add_answer(self, layout: QtWidgets.QVBoxLayout) -> None:
        self.why_button = QtWidgets.QPushButton("Why these?")
        self.why_button.setToolTip("In which columns they differ from the other galaxies")
        self.why_button.clicked.connect(lambda: WhyDialog(self, self.state).show())
        layout.addLayout(row(title("Most similar"), None, self.why_button))
        self.best = ThumbnailStrip(edge=56, columns=4, limit=_BEST_SHOWN)
        self.best.clicked.connect(lambda row: self._ask(self.state.ask(self.state.data, [row])))
        self.nothing = quiet(QtWidgets.QLabel(wordWrap=True))
        layout.addWidget(self.nothing)
        scroll = QtWidgets.QScrollArea(widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(60)
        scroll.setWidget(self.best)
        layout.addWidget(scroll, 1)

    def _add_buttons(self, layout: QtWidgets.QVBoxLayout) -> None:
        self.keep_button = QtWidgets.QPushButton("Keep as subset")
        self.keep_button.setToolTip("Freeze this answer into a subset of its own")
        self.keep_button.clicked.connect(self._keep)
        self.clear_button = QtWidgets.QPushButton("Clear")
        self.clear_button.setToolTip("Forget the question and remove the highlighted answer")
        self.clear_button.clicked.connect(lambda: self.state.clear())
        self.footer = quiet(QtWidgets.QLabel(wordWrap=True), small=True)
        self.footer.setAlignment(Qt.AlignTop)
        self.footer.linkActivated.connect(self._follow_link)
        self.footer.setMinimumHeight(2 * self.footer.fontMetrics().lineSpacing() + 2)
        self.whole_button = QtWidgets.QPushButton("Search the whole store", visible=False)
        self.whole_button.clicked.connect(self._search_whole_store)
        self.hidden_line = HiddenLine(self.state)
        layout.addWidget(self.hidden_line)
        layout.addLayout(row(self.keep_button, self.clear_button))
        layout.addWidget(self.whole_button)
        layout.addWidget(self.footer)

    # -- from the window to the state ----------------------------------------------------------------

    def _on_slider(self, count: int) -> None:
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(count)
        del blocker
        self._count_timer.start()

    def _on_spin(self, count: int) -> None:
        self.slider.set_count(count)
        self._count_timer.start()

    def _apply_count(self) -> None:
        self.state.count = self.spin.value()

    def _ask(self, question: Question, place: int | None = None) -> None:
        ask(self._application, question, self._tell, place)

    def _change(self, **options: Any) -> None:
        if self.state.question is not None:
            self._ask(replace(self.state.question, **options))

    def _go(self, step: int) -> None:
        neighbour = self.state.neighbour(step)
        if neighbour is not None:
            self._ask(*neighbour)

    def _add_examples(self, data: Data, rows: list[int], wanted: bool) -> None:
        question = self.state.question
        if question is not None and question.data is not data and data in linked_datasets(question.data):
            self._add_linked(question, data, rows, wanted)
            return
        if question is None or question.data is not data:
            question = self.state.ask(data, [])
        if not wanted and question.like and set(question.like) <= set(rows):
            # All examples on the other side: nothing would be left to look for.
            rows = [row for row in rows if row not in question.like]
            if not rows:
                self._tell("They are what the answer should be like; click them there to take them off.")
                return
        question = question.with_examples(rows, wanted)
        if question.like:
            self._ask(question)
        else:
            self._tell("Say first what they should look like: drop a galaxy above.")

    def _add_linked(self, question: Question, data: Data, rows: list[int], wanted: bool) -> None:
        """Add galaxies of another dataset, which the user linked to the one that is asked about."""

        def add(found: Linked) -> None:
            if not len(found.rows):
                self._tell(f"{counted(len(rows), 'galaxy')} of {data.label}: not in {question.data.label}.")
            elif self.state.question is question:
                self._add_examples(question.data, found.rows.tolist(), wanted)

        wanted_rows = np.array(rows, dtype=np.int64)
        run_in_thread(
            self,
            lambda: rows_in(question.data, data, wanted_rows),
            add,
            lambda error: self._tell(str(error)),
        )

    def _remove_example(self, row: int) -> None:
        question = self.state.question.without_examples([row])
        if question.like:
            self._ask(question)
        else:
            self.state.clear()

    def _open_cuts(self) -> None:
        dialog = CutsDialog(self, self.state.data, self.state.cuts)
        dialog.chosen.connect(lambda cuts: self._change(cuts=cuts))
        dialog.show()

    def _keep(self) -> None:
        try:
            group = self.state.keep()
        except ZoobotError as exc:
            self._tell(str(exc))
        else:
            column = group.subset_state.att.label
            self._tell(f"Kept as “{group.label}”, ranked by the column {column} (1: most similar).")
            self._says_kept = True

    def _follow_link(self, name: str) -> None:
        if name == "again":
            self._ask(self.state.question)
        else:
            show_brought_in(self._application)

    def _search_whole_store(self) -> None:
        def say(text: str) -> None:
            self._tell(text)
            self.whole_button.setEnabled(True)

        self.whole_button.setEnabled(False)
        self._tell("Searching the whole store…")
        search_whole_store(self._application, self.state.question, self.state.count, say)

    # -- from the state to the window ----------------------------------------------------------------

    def _schedule_refresh(self, *args: Any) -> None:
        self._refresh_timer.start()

    def _on_subset(self, *args: Any) -> None:
        self._hidden_timer.start()

    def _refresh_hidden(self) -> None:
        self.hidden_line.refresh()
        update_layer_names(self._application)

    def _on_count(self, *args: Any) -> None:
        self._schedule_refresh()
        if self._says_kept:  # what is shown is another number now
            self._says_kept = False
            self._describe()

    def _on_answer(self, *args: Any) -> None:
        self._schedule_refresh()
        self._describe()
        if self.state.like and not self._in_place:
            self.show_result()

    def _tell(self, text: str) -> None:
        if text != self.state.sentence():  # the panel says that with its pictures
            self.footer.setText(text)
            self.footer.setToolTip(text)

    def _describe(self) -> None:
        data, note = self.state.data, self.state.note
        if data is not None:
            run_in_thread(self, lambda: galaxies_elsewhere(data), self._offer_whole)
        if note:
            self._tell(note)
        elif data is not None:  # a restored session has not read its embeddings yet, which takes a while
            run_in_thread(self, lambda: embedded(data), self._tell)

    def _offer_whole(self, elsewhere: int) -> None:
        self.whole_button.setVisible(elsewhere > 0)
        self.whole_button.setToolTip(
            f"{counted(elsewhere, 'galaxy')} of the store are not in this dataset: bring in those that are "
            "most similar, as a dataset of their own"
        )

    def embeddings_changed(self, data: Data) -> None:
        """Say that a dataset has other embeddings now; an answer by the old ones stays as it is."""
        if data is self.state.data:
            run_in_thread(self, lambda: galaxies_elsewhere(data), self._offer_whole)
            run_in_thread(self, lambda: outdated(data) or embedded(data), self._tell)

    def _complete(self, data: Data) -> None:
        """Ask again, in place, what was asked while the embeddings of a dataset were not complete."""
        from glue_zoobot.catalog.question import answer

        state, question, place = self.state, self.state.question, self.state.place
        if data is not state.data or state.pending is not None or not partial(data):
            self.embeddings_changed(data)
            return

        def show(found: Answer) -> None:
            if (
                state.question is question
                and state.pending is None
                and data in self._application.data_collection
            ):
                self._in_place = True  # whatever the user has before him stays there
                try:
                    state.show(found, place)
                finally:
                    self._in_place = False

        run_in_thread(self, lambda: answer(question), show, lambda error: self._tell(str(error)))

    def _refresh(self) -> None:
        self._follow_in_status_bars()
        self.back_button.setEnabled(self.state.neighbour(-1) is not None)
        self.forth_button.setEnabled(self.state.neighbour(1) is not None)
        self.pages.setCurrentIndex(int(self.state.question is not None))
        if self.state.question is not None:
            self._refresh_question(self.state.question)
            self._refresh_answer(self.state.question)

    def _follow_in_status_bars(self) -> None:
        before, self._said = self._said, self.state.sentence()
        if before:
            replace_status(self._application, before, self._said)

    def _refresh_question(self, question: Question) -> None:
        from glue_zoobot.catalog import object_ids_of

        ids = object_ids_of(question.data)
        several = len(question.like) > 1
        self.like_title.setText(f"Looks like {len(question.like):,} galaxies" if several else "Looks like")
        for zone, rows in ((self.like_zone, question.like), (self.unlike_zone, question.unlike)):
            zone.show_rows(question.data, rows, lambda row: str(ids[row]))
        self.comparison.refresh(question)

    def _refresh_answer(self, question: Question) -> None:
        from glue_zoobot.catalog import object_ids_of

        state = self.state
        ids, rows, scores = object_ids_of(question.data), state.rows, state.scores
        largest = max(1, min(MAX_COUNT, len(rows)))
        blocker = QtCore.QSignalBlocker(self.spin)  # how many are wanted stays, however few there are
        self.spin.setMaximum(largest)
        del blocker
        self.slider.set_max_count(largest)
        few = bool(question.cuts) and len(rows) < MAX_COUNT
        self.fulfil.setText(f"{len(rows):,} fulfil the conditions" if few else "")
        self._show_count(min(state.count, largest))
        best = rows[: min(_BEST_SHOWN, state.count)].tolist()
        captions = [
            f"{ids[row]}\nsimilarity {score:.3f}\nClick: what looks like this one?"
            for row, score in zip(best, scores, strict=False)
        ]
        self.best.show_rows(question.data, best, captions)
        self.nothing.setText(_FULFILS_NOT if question.cuts else _ALONE)
        self.nothing.setVisible(not best)
        self.why_button.setEnabled(len(rows) > 0)
        self.keep_button.setEnabled(len(rows) > 0)
        self.hidden_line.refresh()

    def _show_count(self, count: int) -> None:
        if self._count_timer.isActive():
            return  # the user is moving the slider: his hand leads
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(count)
        del blocker
        self.slider.set_count(count)

    def _release(self, *args: Any) -> None:
        """Let go of the state and the hub when the application closes."""
        self.state.remove_callback("count", self._on_count)
        self.state.remove_callback("answered", self._on_answer)
        for timer in (self._refresh_timer, self._count_timer, self._hidden_timer):
            timer.stop()
        self._hub.unsubscribe_all(self)
