"""The *Teach* panel: a window onto the `Teaching` state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.record import record_of
from glue_zoobot.catalog.teaching import teaching_of
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.card_panel import CardPanel, read_catalogue
from glue_zoobot.qt.docks import tabbed_panel
from glue_zoobot.qt.interest.gallery import show_in_gallery
from glue_zoobot.qt.layer_names import update_layer_names
from glue_zoobot.qt.teach.begin import TeachBegin
from glue_zoobot.qt.teach.card import TeachCard
from glue_zoobot.qt.teach.classes import ClassList
from glue_zoobot.qt.teach.finetune import Finetuning
from glue_zoobot.qt.teach.header import TeachHeader
from glue_zoobot.qt.teach.heads import TeachHeads
from glue_zoobot.qt.teach.mistakes import MistakesTab
from glue_zoobot.qt.teach.result import ResultTab
from glue_zoobot.qt.teach.sources import LabelSources
from glue_zoobot.qt.teach.train_row import TrainRow, WarningLine
from glue_zoobot.qt.teach.work import TeachWork
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.train.start import show_card
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data, Subset
    from glue_qt.app import GlueApplication

__all__ = ["TeachPanel", "show_restored_teaching", "teach_panel"]

_MOST = 200  # galaxies labelled by one key; more were hardly looked at one by one


def teach_panel(application: GlueApplication) -> TeachPanel:
    """Return the panel of an application; there is never more than one."""
    return tabbed_panel(application, TeachPanel)


def show_restored_teaching(application: GlueApplication) -> None:
    """Show the panel of a session in which something was taught; does nothing once there is a panel."""
    columns = {cid for data in application.data_collection for cid in our_columns(data)}
    taught = [target for target in _targets(application) if f"{target}_unlike" in columns]
    if application.findChild(TeachPanel) is None and taught:
        teach_panel(application).show_panel()


def _targets(application: GlueApplication) -> list[str]:
    """What was being taught in a session, of each dataset."""
    datasets = [data for data in application.data_collection if hasattr(data, "meta")]
    return [str(record_of(data).get("teaching", {}).get("target")) for data in datasets]


class TeachPanel(CardPanel):
    """
    Classes and their labels, one galaxy after the other to label, and what was learned.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    """

    title = "Teach"
    narrowest, wide = 330, 360
    followed = ("data", "target", "current", "mode", "wanted", "threshold", "changes")
    _first: Subset | None = None  # class, once a target has a name

    def __init__(self, application: GlueApplication) -> None:
        super().__init__(application, teaching_of(application.data_collection))
        self.state.add_callback("threshold", self._rename_layers)

    def show_panel(self) -> None:
        """Bring the panel to view, and go on where an earlier session stopped."""
        super().show_panel()
        if self.state.data is not None and self.state.current is None:
            self.work.suggest()

    def start(self, data: Data, target: str) -> None:
        """
        Start, or go on, teaching a target; the window does not wait for the embeddings to be read.

        Parameters
        ----------
        data : Data
        target : str
        """

        def begin(_: object) -> None:
            if self._try(lambda: self.state.open(data, target)):
                self._choosing, first = False, self._first
                self._first = None
                self.say(self.state.note, mild=True)
                if first is not None and first.data is data:
                    self.sources.add_subset(first)
                self.work.suggest()
                self._schedule_refresh()

        self.begin_page.note.setText("Reading the embeddings…")
        run_in_thread(self, lambda: read_catalogue(data), begin, lambda error: self.say(str(error)))

    def teach_layer(self, data: Data | None, subset: Subset | None = None) -> None:
        """Show the panel for a catalogue; a subset becomes a class of what is being taught."""
        self.show_panel()
        if subset is not None and subset.data is self.state.data:
            self.sources.add_subset(subset)
        elif data is not None and data is not self.state.data:
            self._choosing, self._first = True, subset
            self._refresh()
            self.begin_page.choose(data)

    def show_tuned(self, data: Data, target: str, folder: Path | None = None) -> None:
        """Show what fine-tuning to a target gave."""
        if (data, target) != (self.state.data, self.state.target):
            self.start(data, target)
        self.tabs.setCurrentWidget(self.result)
        self._refresh()
        if folder is not None:
            self.result.show_tuned(folder)

    # -- parts -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        state = self.state
        self.work, self.heads = TeachWork(state, self), TeachHeads(state, self)
        self.tuning = Finetuning(self._application, state, self)
        self.begin_page, self.card = TeachBegin(self._application), TeachCard(state)
        self.header, self.sources = TeachHeader(state), LabelSources(state, self._try)
        self.train_row, self.warning = TrainRow(state, self.work), WarningLine()
        self.classes, self.result, self.mistakes = ClassList(state), ResultTab(state), MistakesTab(state)
        layout = QtWidgets.QVBoxLayout()
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(6)
        for part in (self.header, self.sources, self.train_row):
            layout.addWidget(part)
        for part in (self.warning, self.message, self.classes):  # below the buttons: these come and grow
            layout.addWidget(part)
        layout.addWidget(self._tabs(), 1)
        self._show_pages(layout)
        self._add_menu()
        self._connect()

    def _add_menu(self) -> None:
        self.header.add_actions(
            ("Learn from columns too…", self.heads.choose_inputs),
            ("Votes of volunteers…", self.heads.ask_votes),
            None,
            ("Fine-tune the network…", self.tuning.ask),
            None,
            ("Save head…", self.heads.save),
            ("Use a head taught before…", self.heads.choose),
            None,
            ("Teach something else…", self._choose_start),
        )

    def _tabs(self) -> QtWidgets.QTabWidget:
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setFocusPolicy(Qt.NoFocus)
        self.tabs.tabBar().setFocusPolicy(Qt.NoFocus)
        self.tabs.setDocumentMode(True)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.ElideRight)  # else a count would widen the panel, and redraw every plot
        for part, text in ((self.card, "Label"), (self.result, "Result"), (self.mistakes, "Disagreements")):
            self.tabs.addTab(part, text)
        return self.tabs

    def _connect(self) -> None:
        self.begin_page.begin_wanted.connect(self.start)
        self.begin_page.other_wanted.connect(self.heads.choose)
        self.begin_page.votes_wanted.connect(self.heads.ask_votes)
        self.classes.votes_wanted.connect(self.heads.ask_votes)
        self.header.target_wanted.connect(self._on_target)
        self.header.undone.connect(lambda: self._undo())
        self.classes.pressed.connect(self.label)
        self.classes.picture_clicked.connect(lambda row: self._review([row], "again"))
        self.classes.yes_no_wanted.connect(self._add_yes_and_no)
        self.classes.remove_wanted.connect(self._remove_class)
        self.classes.rename_wanted.connect(self._rename_class)
        self.sources.named.connect(self._label_now)
        self.sources.taken.connect(self.take_keys)
        self.sources.votes_wanted.connect(lambda column: self.heads.ask_votes(column=column))
        self.card.labelled.connect(self.label)
        self.card.digit.connect(self.press)
        self.card.skipped.connect(self.state.skip)
        self.card.skipped.connect(self.work.refill)
        self.card.undone.connect(self._undo)
        self.card.mode_wanted.connect(self._set_mode)
        self.result.cell_clicked.connect(self._show_cell)
        self.result.gallery_wanted.connect(self._show_in_gallery)
        self.result.label_wanted.connect(self._label_such)
        self.result.tuned.embed_wanted.connect(self.tuning.embed)
        self.result.tuned.head_wanted.connect(self.tuning.use_head)
        self.result.tuned.back_wanted.connect(self.tuning.go_back)
        self.result.tuned.card_wanted.connect(lambda folder: show_card(self._application, folder))
        self.mistakes.review_wanted.connect(self._review)
        self.tabs.currentChanged.connect(self._schedule_refresh)
        self.train_row.tune_wanted.connect(self.tuning.ask)
        self.work.changed.connect(self._on_work)
        self.work.said.connect(lambda text: self.say(text, mild=not self.state.note))
        self.heads.loaded.connect(self._on_loaded)
        self.tuning.used.connect(self._on_used)
        for part in (self.work, self.heads, self.tuning):
            part.failed.connect(self.say)
        for part in (self.sources, self.heads, self.tuning):
            part.said.connect(lambda text: self.say(text, mild=True))

    # -- labels ----------------------------------------------------------------------------------------

    def label(self, value: str | float) -> None:
        """Label the galaxy on the screen; what cannot be recorded is said, and the galaxy stays."""
        if self.tabs.currentWidget() is not self.card:
            self.say("Choose the tab Label first: it shows the galaxy to label.", mild=True)
        elif self.card.is_seen and self._try(lambda: self.state.label(self.state.current, value)):
            self.card.flash(str(value))

    def press(self, digit: int) -> None:
        """Label the galaxy on the screen by a digit key."""
        self._try(lambda: self.label(self.state.class_of_key(digit)), keep=True)

    def press_digit(self, data: Data, rows: Sequence[int], digit: int) -> str:
        """
        Label galaxies that were chosen in another view, which keeps the keyboard.

        Returns
        -------
        str
            What was done, or why not, in one line.
        """
        from glue_zoobot.catalog import object_ids_of

        state = self.state
        if state.data is None or data is not state.data:
            return f"{data.label} is not being taught: start in the Teach panel"
        if len(rows) > _MOST:
            return f"{len(rows):,} galaxies are selected; label at most {_MOST} at once, or take the subset"
        try:
            name = state.class_of_key(digit)
            state.label(rows, name)
        except ZoobotError as error:
            return str(error)
        what = str(object_ids_of(data)[rows[0]]) if len(rows) == 1 else counted(len(rows), "galaxy")
        return f"Labelled {what}: {name} (Undo: Teach panel)"

    def _undo(self, of_labels: bool = False) -> None:
        text = self.state.undo_text
        if text and self._try(lambda: self.state.undo(of_labels)) and not of_labels:
            self.say(f"Taken back: {text}", mild=True)

    def _add_yes_and_no(self) -> None:
        for name in ("yes", "no"):
            self._try(lambda name=name: self.state.add_class(name))
        self._label_now()

    def _remove_class(self, name: str) -> None:
        if self._try(lambda: self.state.remove_class(name)):
            self.say(f"Removed {name}; ↶ brings it back.", mild=True)

    def _rename_class(self, name: str, new: str) -> None:
        joined = new.strip() in {one.name for one in self.state.classes} - {name}
        if self._try(lambda: self.state.rename_class(name, new)):
            what = f"{name} is joined with {new}" if joined else f"{name} is called {new} now"
            later = "; train again to see it in the predictions" if self.state.head is not None else ""
            self.say(f"{what}{later}.", mild=True)

    # -- training --------------------------------------------------------------------------------------

    def _on_changes(self, *args: Any) -> None:
        self.work.train_if_due()

    def _on_work(self) -> None:
        self.card.busy = self.work.running
        self._schedule_refresh()

    def _on_used(self) -> None:
        """Other embeddings, or another head: what waits for a label was chosen by the old one."""
        self.work.suggest()
        self._schedule_refresh()

    # -- what was learned --------------------------------------------------------------------------------

    def _set_mode(self, mode: str) -> None:
        self.state.mode = mode
        self.work.suggest()

    def _review(self, rows: Sequence[int], why: str) -> None:
        if len(rows):
            self.state.review(rows, why)
            self._label_now()

    def _label_now(self) -> None:
        self.tabs.setCurrentWidget(self.card)
        self.take_keys()

    def _label_such(self, mode: str) -> None:
        self._set_mode(mode)
        self._label_now()

    def _show_cell(self, labelled: str, said: str) -> None:
        def show() -> None:
            group = self.state.show_cell(labelled, said)
            self.say(
                f"Selected in every view: {group.label}. The subset changes with the next cell.", mild=True
            )

        self._try(show, keep=True)

    def _show_in_gallery(self) -> None:
        state = self.state
        group = state.group(state.wanted)
        if group is not None:
            viewer = show_in_gallery(self._application, state.data, group.subset_state.att)
            viewer.state.sort_descending = True

    # -- menu ------------------------------------------------------------------------------------------

    def _on_target(self, target: str | None) -> None:
        if target is None:
            self._choose_start()
        else:
            self.start(self.state.data, target)

    def _choose_start(self) -> None:
        self.begin_page.name.setCurrentText("")
        super()._choose_start()

    def _on_loaded(self) -> None:
        self._choosing = False
        self.say(self.state.note, mild=True)
        self.tabs.setCurrentWidget(self.result)
        self._on_used()

    # -- from the state to the window --------------------------------------------------------------------

    def _refresh(self) -> None:
        state = self.state
        if state.data is None or self._choosing:
            self.pages.setCurrentIndex(0)
            if state.note:
                self.begin_page.note.setText(state.note)
            return
        if self.pages.currentIndex() == 0:
            self.pages.setCurrentIndex(1)
            self.take_keys()
        for part in (self.header, self.classes, self.sources, self.train_row):
            part.refresh()
        self.warning.show_warnings(state.warnings())
        self.tabs.currentWidget().refresh()
        n = len(state.mistakes())
        self.tabs.setTabText(2, f"Disagreements ({n})" if n else "Disagreements")

    def _rename_layers(self, *args: Any) -> None:
        update_layer_names(self._application)

    def _release(self, *args: Any) -> None:
        """Let go of everything when the application closes; training comes to nothing."""
        super()._release()
        self.state.remove_callback("threshold", self._rename_layers)
        self.work.drop()
        self.mistakes.close_down()
