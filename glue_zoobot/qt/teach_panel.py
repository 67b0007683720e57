"""The *Teach* panel: a window onto the `Teaching` state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.teaching import Teaching, teaching_of
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.interest_gallery import show_in_gallery
from glue_zoobot.qt.key_page import KeyPage
from glue_zoobot.qt.labelling import digits_go_to
from glue_zoobot.qt.similar_panel import similar_panel
from glue_zoobot.qt.teach_begin import TeachBegin
from glue_zoobot.qt.teach_card import TeachCard
from glue_zoobot.qt.teach_classes import ClassList
from glue_zoobot.qt.teach_dialogs import InputsDialog
from glue_zoobot.qt.teach_finetune import Finetuning
from glue_zoobot.qt.teach_header import TeachHeader
from glue_zoobot.qt.teach_mistakes import MistakesTab
from glue_zoobot.qt.teach_result import ResultTab
from glue_zoobot.qt.teach_sources import LabelSources
from glue_zoobot.qt.teach_work import TeachWork
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.qt.train_start import show_card

if TYPE_CHECKING:
    from glue.core import Data, Subset
    from glue_qt.app import GlueApplication

__all__ = ["TeachPanel", "teach_panel"]

_WIDTH = 360
_FOLLOWED = ("data", "target", "current", "mode", "wanted", "threshold", "changes")
_MOST = 200  # galaxies labelled by one key; more were hardly looked at one by one
_TRAIN_STYLE = (
    "QPushButton { background: #2f6fb3; color: white; border: none; border-radius: 5px; font-weight: bold;"
    " padding: 6px 18px; } QPushButton:hover { background: #3b7fc6; }"
    "QPushButton:pressed { background: #24578d; } QPushButton:disabled { background: #b9c0c8; }"
)


def teach_panel(application: GlueApplication) -> TeachPanel:
    """Return the panel of an application; there is never more than one."""
    panel = application.findChild(TeachPanel)
    if panel is None:
        panel = TeachPanel(application)
        beside = similar_panel(application)
        application.addDockWidget(Qt.RightDockWidgetArea, panel)
        application.tabifyDockWidget(beside, panel)
        panel.hide()
    return panel


class TeachPanel(QtWidgets.QDockWidget, HubListener):
    """
    Classes and their labels, one galaxy after the other to label, and what was learned.

    Parameters
    ----------
    application : GlueApplication
        The main window; owner of the panel.
    """

    def __init__(self, application: GlueApplication) -> None:
        super().__init__("Teach", application)
        self.setObjectName("zoobot_teach_panel")
        self.setMinimumWidth(330)
        self.state: Teaching = teaching_of(application.data_collection)
        self.state.edit_subset_mode = application.session.edit_subset_mode
        self._application = application
        self._first: Subset | None = None  # class, once a target has a name
        self._choosing = False  # another catalogue or target, while one is being taught
        self._refresh_timer = QtCore.QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh)
        self.work = TeachWork(self.state, self)
        self.tuning = Finetuning(application, self.state, self)
        self._build()
        self._connect()
        self._hub = application.session.hub
        self._hub.subscribe(self, ApplicationClosedMessage, handler=self._release)
        digits_go_to(self)
        self._refresh()

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(_WIDTH, 700)

    def show_panel(self) -> None:
        """Bring the panel to view, and go on where an earlier session stopped."""
        self.show()
        self.raise_()
        self._application.resizeDocks([self], [max(self.width(), _WIDTH)], Qt.Horizontal)
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
        run_in_thread(self, lambda: _prepare(data), begin, lambda error: self.say(str(error)))

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
        self.begin_page = TeachBegin(self._application)
        self.card = TeachCard(self.state)
        self.result = ResultTab(self.state)
        self.mistakes = MistakesTab(self.state)
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self.begin_page)
        self.pages.addWidget(KeyPage(self.card, self._layout()))
        self.setWidget(self.pages)

    def _layout(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QVBoxLayout()
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(6)
        self.header = TeachHeader(self.state)
        self.header.add_actions(
            ("Learn from columns too…", self._choose_inputs),
            None,
            ("Fine-tune the network…", self.tuning.ask),
            None,
            ("Save head…", self._save_head),
            ("Use a head taught before…", lambda: self._choose_head(self.state.data)),
            None,
            ("Teach something else…", self._choose_start),
        )
        self.message = QtWidgets.QLabel(wordWrap=True, visible=False)
        self.classes = ClassList(self.state)
        self.sources = LabelSources(self.state, self._try)
        self.warning = QtWidgets.QLabel(visible=False)
        self.warning.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self.warning.setStyleSheet("color: #8a5a00; font-size: 11px;")
        layout.addWidget(self.header)
        layout.addWidget(self.sources)
        layout.addLayout(self._train_row())
        for part in (self.warning, self.message, self.classes):  # below the buttons: these come and grow
            layout.addWidget(part)
        layout.addWidget(self._tabs(), 1)
        return layout

    def _train_row(self) -> QtWidgets.QLayout:
        self.train_button = QtWidgets.QPushButton("Train")
        self.train_button.setStyleSheet(_TRAIN_STYLE)
        self.train_button.setToolTip("Learn from all labels, and predict every galaxy: about a second")
        self.train_button.clicked.connect(self.work.train)
        self.tune_button = QtWidgets.QPushButton("Fine-tune…")
        self.tune_button.setStyleSheet("padding: 5px 8px;")
        self.tune_button.setToolTip("Train the network itself, for some hundred labels and more: a job")
        self.tune_button.clicked.connect(self.tuning.ask)
        self.auto = QtWidgets.QCheckBox("by itself")
        self.auto.setToolTip("Train again after every few labels")
        self.auto.toggled.connect(self._set_auto)
        self.status = QtWidgets.QLabel(alignment=Qt.AlignRight | Qt.AlignVCenter)
        self.status.setStyleSheet("color: #5f656d; font-size: 11px;")
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(5)
        for part in (self.train_button, self.auto, self.tune_button):
            part.setFocusPolicy(Qt.NoFocus)
            row.addWidget(part)
        row.addWidget(self.status, 1)
        return row

    def _tabs(self) -> QtWidgets.QTabWidget:
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setFocusPolicy(Qt.NoFocus)
        self.tabs.tabBar().setFocusPolicy(Qt.NoFocus)
        self.tabs.setDocumentMode(True)
        for part, text in ((self.card, "Label"), (self.result, "Result"), (self.mistakes, "Disagreements")):
            self.tabs.addTab(part, text)
        return self.tabs

    def _connect(self) -> None:
        self.begin_page.begin_wanted.connect(self.start)
        self.begin_page.embed_wanted.connect(self._embed)
        self.begin_page.other_wanted.connect(self._choose_head)
        self.header.target_wanted.connect(self._on_target)
        self.header.undone.connect(lambda: self._undo())
        self.classes.pressed.connect(self.label)
        self.classes.picture_clicked.connect(lambda row: self._review([row], "again"))
        self.classes.yes_no_wanted.connect(self._add_yes_and_no)
        self.classes.remove_wanted.connect(self._remove_class)
        self.classes.rename_wanted.connect(self._rename_class)
        self.sources.said.connect(lambda text: self.say(text, mild=True))
        self.sources.named.connect(self.take_keys)
        self.card.labelled.connect(self.label)
        self.card.digit.connect(self.press)
        self.card.skipped.connect(self.state.skip)
        self.card.skipped.connect(self.work.refill)
        self.card.undone.connect(self._undo)
        self.card.mode_wanted.connect(self._set_mode)
        self.result.cell_clicked.connect(self._show_cell)
        self.result.gallery_wanted.connect(self._show_in_gallery)
        self.result.tuned.embed_wanted.connect(self.tuning.embed)
        self.result.tuned.head_wanted.connect(self.tuning.use_head)
        self.result.tuned.back_wanted.connect(self.tuning.go_back)
        self.result.tuned.card_wanted.connect(lambda folder: show_card(self._application, folder))
        self.mistakes.review_wanted.connect(self._review)
        self.tabs.currentChanged.connect(self._schedule_refresh)
        self.work.changed.connect(self._on_work)
        self.work.failed.connect(self.say)
        self.work.said.connect(self.say)
        self.tuning.said.connect(lambda text: self.say(text, mild=True))
        self.tuning.failed.connect(self.say)
        self.tuning.used.connect(self._on_used)
        for name in _FOLLOWED:
            self.state.add_callback(name, self._schedule_refresh)
        self.state.add_callback("changes", self._on_changes)
        self.state.add_callback("threshold", self._rename_layers)

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
        what = str(object_ids_of(data)[rows[0]]) if len(rows) == 1 else f"{len(rows):,} galaxies"
        return f"Labelled {what}: {name} (Undo: Teach panel)"

    def _undo(self, of_labels: bool = False) -> None:
        text = self.state.undo_text
        if text and self._try(lambda: self.state.undo(of_labels)) and not of_labels:
            self.say(f"Taken back: {text}", mild=True)

    def _add_yes_and_no(self) -> None:
        for name in ("yes", "no"):
            self._try(lambda name=name: self.state.add_class(name))
        self.take_keys()

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

    def _set_auto(self, on: bool) -> None:
        self.state.auto = on
        if on:
            self.work.train_if_new()

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
            self.tabs.setCurrentWidget(self.card)
            self.take_keys()

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
        self._choosing = True
        self.begin_page.name.setCurrentText("")
        self._schedule_refresh()

    def _choose_inputs(self) -> None:
        self.inputs_dialog = InputsDialog(self.state, self)
        self.inputs_dialog.setAttribute(Qt.WA_DeleteOnClose)
        self.inputs_dialog.accepted.connect(lambda: self.state.use_inputs(self.inputs_dialog.chosen))
        self.inputs_dialog.open()

    def _save_head(self) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, "Folder of the new head", f"{self.state.target}.head"
        )
        if path and self._try(lambda: self.state.save_head(path)):
            self.say(
                f"The head is in {path}: glue-zoobot predict, or another catalogue here, uses it.", mild=True
            )

    def _choose_head(self, data: Data) -> None:
        path = QtWidgets.QFileDialog.getExistingDirectory(self, "Folder of a head")
        if path:
            self.load_head(data, path)

    def load_head(self, data: Data, path: str | Path) -> None:
        """Predict with a head that was taught elsewhere."""
        if self._try(lambda: self.state.load_head(data, path)):
            self._choosing = False
            self.say(self.state.note, mild=True)
            self.tabs.setCurrentWidget(self.result)
            self.work.suggest()
            self._schedule_refresh()

    def _embed(self, data: Data) -> None:
        from glue_zoobot.qt.actions import embed

        embed(data, self._application.data_collection)

    # -- messages --------------------------------------------------------------------------------------

    def _try(self, action: Callable[[], Any], keep: bool = False) -> bool:
        try:
            action()
        except ZoobotError as error:
            self.say(str(error))
            return False
        if not keep:
            self.say("")
        return True

    def say(self, text: str, mild: bool = False) -> None:
        """Say what went wrong, or mildly what was done; an empty text takes it away."""
        colours = "background: #e8eff7; color: #24415f;" if mild else "background: #fbe3df; color: #8f1d10;"
        self.message.setStyleSheet(f"{colours} padding: 6px; border-radius: 4px;")
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.begin_page.note.setText(text)

    # -- from the state to the window --------------------------------------------------------------------

    def take_keys(self) -> None:
        """Let digits rate or label the galaxy shown here."""
        self.card.picture.setFocus()

    def _schedule_refresh(self, *args: Any) -> None:
        self._refresh_timer.start()

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
        for part in (self.header, self.classes, self.sources):
            part.refresh()
        self.train_button.setEnabled(not self.work.running and bool(state.labels))
        self.train_button.setText("Training…" if self.work.training else "Train")
        self.tune_button.setEnabled(bool(state.labels))
        self._refresh_status()
        self.tabs.currentWidget().refresh()
        n = len(state.mistakes())
        self.tabs.setTabText(2, f"Disagreements ({n})" if n else "Disagreements")

    def _refresh_status(self) -> None:
        state = self.state
        warnings, new = state.warnings(), state.n_new
        text = f"{len(state.labels):,} labels"
        text += f", {new:,} new" if new and state.head is not None else ""
        self.status.setText(text)
        self.status.setToolTip(f"They are kept in {state.log.path}")
        said = "⚠ " + "; ".join(warnings)
        self.warning.setVisible(bool(warnings))
        self.warning.setText(self.warning.fontMetrics().elidedText(said, Qt.ElideRight, self.width() - 30))
        self.warning.setToolTip("\n".join(warnings))

    def _rename_layers(self, *args: Any) -> None:
        """Let the lists of layers show what our groups are called now; glue does not by itself."""
        for viewer in chain(*self._application.viewers):
            for view in viewer.layer_view().findChildren(QtWidgets.QAbstractItemView):
                view.viewport().update()

    def _release(self, *args: Any) -> None:
        """Let go of the state and the hub when the application closes; training comes to nothing."""
        for name in _FOLLOWED:
            self.state.remove_callback(name, self._schedule_refresh)
        self.state.remove_callback("changes", self._on_changes)
        self.state.remove_callback("threshold", self._rename_layers)
        self._refresh_timer.stop()
        self.work.drop()
        self.card.close_down()
        self.mistakes.close_down()
        self._hub.unsubscribe_all(self)


def _prepare(data: Data) -> None:
    """Read ids, embeddings and images, which takes seconds for a large catalogue, the first time."""
    from glue_zoobot.catalog import embeddings_of, images_of, object_ids_of

    object_ids_of(data)
    embeddings_of(data)
    images_of(data)
