"""The *Teach* panel: a window onto the `Teaching` state, and the threads in which that learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from glue.core.hub import HubListener
from glue.core.message import ApplicationClosedMessage
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.teaching import Teaching, teaching_of
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.interest_gallery import show_in_gallery
from glue_zoobot.qt.labelling import digits_go_to
from glue_zoobot.qt.similar_panel import similar_panel
from glue_zoobot.qt.teach_begin import TeachBegin
from glue_zoobot.qt.teach_card import TeachCard
from glue_zoobot.qt.teach_classes import ClassList
from glue_zoobot.qt.teach_dialogs import ColumnDialog, InputsDialog
from glue_zoobot.qt.teach_mistakes import MistakesTab
from glue_zoobot.qt.teach_result import ResultTab
from glue_zoobot.qt.threads import Work, run_in_thread

if TYPE_CHECKING:
    from glue.core import Data, Subset
    from glue_qt.app import GlueApplication

    from glue_zoobot.catalog.teaching_lesson import Answer, Question

__all__ = ["TeachPanel", "teach_panel"]

_WIDTH = 360
_REST_MS = 1500  # a hand that rests this long lets the head take in what was labelled
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
        self._work: Work | None = None
        self._training = False
        self._again = False
        self._first: Subset | None = None  # class, once a target has a name
        self._choosing = False  # another catalogue or target, while one is being taught
        self._build()
        self._refresh_timer = QtCore.QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh)
        self._rest_timer = QtCore.QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest_timer.timeout.connect(self._train_if_new)
        for name in _FOLLOWED:
            self.state.add_callback(name, self._schedule_refresh)
        self.state.add_callback("changes", self._on_changes)
        self.state.add_callback("threshold", self._rename_layers)
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
            self._suggest()

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
                    self.add_subset(first)
                self._suggest()
                self._schedule_refresh()

        self.begin_page.note.setText("Reading the embeddings…")
        run_in_thread(self, lambda: _prepare(data), begin, self._fail)

    def teach_layer(self, data: Data | None, subset: Subset | None = None) -> None:
        """Show the panel for a catalogue; a subset becomes a class of what is being taught."""
        self.show_panel()
        if subset is not None and subset.data is self.state.data:
            self.add_subset(subset)
        elif data is not None and data is not self.state.data:
            self._choosing, self._first = True, subset
            self._refresh()
            self.begin_page.choose(data)

    # -- parts -----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.begin_page = TeachBegin(self._application)
        self.begin_page.begin_wanted.connect(self.start)
        self.begin_page.embed_wanted.connect(self._embed)
        self.begin_page.load_wanted.connect(self._choose_head)
        self.card = TeachCard(self.state)
        self.card.labelled.connect(self.label)
        self.card.skipped.connect(self.state.skip)
        self.card.skipped.connect(self._refill)
        self.card.undone.connect(self._undo)
        self.card.mode_wanted.connect(self._set_mode)
        self.pages = QtWidgets.QStackedWidget()
        self.pages.addWidget(self.begin_page)
        self.pages.addWidget(_KeyPage(self.card, self.press, self._layout()))
        self.setWidget(self.pages)

    def _layout(self) -> QtWidgets.QLayout:
        layout = QtWidgets.QVBoxLayout()
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(6)
        layout.addLayout(self._header())
        self.message = QtWidgets.QLabel(wordWrap=True, visible=False)
        layout.addWidget(self.message)
        self.classes = ClassList(self.state)
        self.classes.pressed.connect(self.label)
        self.classes.picture_clicked.connect(lambda row: self._review([row], "again"))
        self.classes.yes_no_wanted.connect(self._add_yes_and_no)
        self.classes.remove_wanted.connect(lambda name: self._try(lambda: self.state.remove_class(name)))
        layout.addWidget(self.classes)
        layout.addLayout(self._sources())
        layout.addLayout(self._train_row())
        self.warning = QtWidgets.QLabel(visible=False)
        self.warning.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self.warning.setStyleSheet("color: #8a5a00; font-size: 11px;")
        layout.addWidget(self.warning)
        layout.addWidget(self._tabs(), 1)
        return layout

    def _header(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.targets = QtWidgets.QComboBox()
        self.targets.setFocusPolicy(Qt.NoFocus)
        self.targets.setToolTip("What is taught; its columns are called so")
        self.targets.activated.connect(self._on_target)
        self.more = QtWidgets.QToolButton(text="⋯", autoRaise=True, toolTip="Heads, columns, kind of labels")
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more.setFocusPolicy(Qt.NoFocus)
        self.more.setPopupMode(QtWidgets.QToolButton.InstantPopup)
        self.more.setMenu(self._menu())
        row.addWidget(QtWidgets.QLabel("Teach"))
        row.addWidget(self.targets, 1)
        row.addWidget(self.more)
        return row

    def _menu(self) -> QtWidgets.QMenu:
        menu = QtWidgets.QMenu(self)
        kinds = menu.addMenu("Labels are")
        group = QtGui.QActionGroup(menu) if hasattr(QtGui, "QActionGroup") else QtWidgets.QActionGroup(menu)
        self.kinds = {}
        for kind, text in ((None, "as they look"), ("classes", "classes"), ("number", "a number")):
            action = kinds.addAction(text)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, kind=kind: self.state.set_kind(kind))
            group.addAction(action)
            self.kinds[kind] = action
        menu.addAction("Learn from columns too…", self._choose_inputs)
        menu.addSeparator()
        menu.addAction("Save head…", self._save_head)
        menu.addAction("Use a head taught before…", lambda: self._choose_head(self.state.data))
        menu.addSeparator()
        menu.addAction("Teach something else…", self._choose_start)
        return menu

    def _sources(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(4)
        self.new_class = QtWidgets.QLineEdit(placeholderText="New class, Enter")
        self.new_class.setToolTip("Name a class; its key then labels galaxies so")
        self.new_class.returnPressed.connect(self._add_class)
        self.from_subset = QtWidgets.QPushButton("Subset")
        self.from_subset.setToolTip(
            "Label the members of a subset as a class of its name, or of the name typed at the left"
        )
        self.subsets = QtWidgets.QMenu(self)
        self.subsets.aboutToShow.connect(self._fill_subsets)
        self.from_subset.setMenu(self.subsets)
        self.from_column = QtWidgets.QPushButton("Column…")
        self.from_column.setToolTip("Take labels from a column of the catalogue")
        self.from_column.clicked.connect(self._choose_column)
        self.from_file = QtWidgets.QPushButton("File…")
        self.from_file.setToolTip("Take labels from a table with an id column, or from a log")
        self.from_file.clicked.connect(self._choose_file)
        row.addWidget(self.new_class, 1)
        for button in (self.from_subset, self.from_column, self.from_file):
            button.setFocusPolicy(Qt.NoFocus)
            button.setStyleSheet("padding: 4px 9px;")
            row.addWidget(button)
        return row

    def _train_row(self) -> QtWidgets.QLayout:
        row = QtWidgets.QHBoxLayout()
        self.train_button = QtWidgets.QPushButton("Train")
        self.train_button.setStyleSheet(_TRAIN_STYLE)
        self.train_button.setFocusPolicy(Qt.NoFocus)
        self.train_button.setToolTip("Learn from all labels, and predict every galaxy")
        self.train_button.clicked.connect(self._train)
        self.auto = QtWidgets.QCheckBox("by itself")
        self.auto.setFocusPolicy(Qt.NoFocus)
        self.auto.setToolTip("Train again after every few labels")
        self.auto.toggled.connect(self._set_auto)
        self.status = QtWidgets.QLabel(alignment=Qt.AlignRight | Qt.AlignVCenter)
        self.status.setStyleSheet("color: #5f656d; font-size: 11px;")
        row.addWidget(self.train_button)
        row.addWidget(self.auto)
        row.addWidget(self.status, 1)
        return row

    def _tabs(self) -> QtWidgets.QTabWidget:
        self.result = ResultTab(self.state)
        self.result.cell_clicked.connect(self._show_cell)
        self.result.gallery_wanted.connect(self._show_in_gallery)
        self.mistakes = MistakesTab(self.state)
        self.mistakes.review_wanted.connect(self._review)
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setFocusPolicy(Qt.NoFocus)
        self.tabs.tabBar().setFocusPolicy(Qt.NoFocus)
        self.tabs.setDocumentMode(True)
        for part, text in ((self.card, "Label"), (self.result, "Result"), (self.mistakes, "Disagreements")):
            self.tabs.addTab(part, text)
        self.tabs.currentChanged.connect(self._schedule_refresh)
        return self.tabs

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

    def _undo(self) -> None:
        self._try(self.state.undo)

    def _add_class(self) -> None:
        name = self.new_class.text()
        if self._try(lambda: self.state.add_class(name)):
            self.new_class.clear()
            self.card.picture.setFocus()

    def _add_yes_and_no(self) -> None:
        for name in ("yes", "no"):
            self._try(lambda name=name: self.state.add_class(name))
        self.card.picture.setFocus()

    def _fill_subsets(self) -> None:
        self.subsets.clear()
        data = self.state.data
        ours = {id(self.state.group(name)) for name in ("", *self.state.class_names)}
        found = [s for s in (data.subsets if data is not None else ()) if hasattr(s, "group")]
        found = [subset for subset in found if id(subset.group) not in ours]
        for subset in found:
            icon = QtGui.QPixmap(12, 12)
            icon.fill(QtGui.QColor(subset.style.color))
            action = self.subsets.addAction(QtGui.QIcon(icon), subset.label)
            action.triggered.connect(lambda _=False, subset=subset: self.add_subset(subset))
        if not found:
            self.subsets.addAction("No subsets yet: select galaxies in any view").setEnabled(False)

    def add_subset(self, subset: Subset) -> None:
        """Label the members of a subset as a class of the name that is typed, or of its own."""
        name = self.new_class.text().strip() or None
        if self._try(lambda: self.state.add_subset(subset, name)):
            self.new_class.clear()
            self.say(self.state.note, mild=True)

    def _choose_column(self) -> None:
        self.column_dialog = ColumnDialog(self.state, self)
        self.column_dialog.setAttribute(Qt.WA_DeleteOnClose)
        self.column_dialog.accepted.connect(self._add_column)
        self.column_dialog.open()

    def _add_column(self) -> None:
        chosen = self.column_dialog
        self._try(lambda: self.state.add_column(chosen.column, chosen.clear, chosen.most, chosen.within))

    def _choose_file(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(
            self,
            "Table or log of labels",
            "",
            "Labels (*.csv *.ecsv *.fits *.parquet *.vot *.jsonl);;All files (*)",
        )
        if path:
            self.add_file(path)

    def add_file(self, path: str) -> None:
        """Take labels from a file; of several columns the one named like the target, or the one chosen."""
        from glue_zoobot.catalog.teaching_sources import columns_of_file

        def take() -> None:
            names = columns_of_file(path)
            name = self.state.target if self.state.target in names else names[0] if len(names) == 1 else ""
            if not name and names:
                text = f"Which column has the labels of {self.state.target}?"
                name, _ = QtWidgets.QInputDialog.getItem(self, "Labels from a file", text, names, 0, False)
            if name or not names:
                self.state.add_file(path, name)

        if self._try(take):
            self.say(self.state.note)

    # -- training --------------------------------------------------------------------------------------

    def _set_auto(self, on: bool) -> None:
        self.state.auto = on
        if on:
            self._train_if_new()

    def _on_changes(self, *args: Any) -> None:
        if self.state.data is None or not self.state.auto or not self.state.n_new:
            return
        if self.state.due:
            self._train()
        else:
            self._rest_timer.start()

    def _train_if_new(self) -> None:
        two = len({str(value) for value in self.state.labels.values()}) > 1
        if self.state.data is not None and self.state.auto and self.state.n_new and two:
            self._train()

    def _train(self) -> None:
        """Train in a thread; one at a time, and once more if labels came meanwhile."""
        from glue_zoobot.catalog.teaching_lesson import answer

        self._run(answer, self._take, training=True)

    def _suggest(self) -> None:
        """Choose in a thread what to label next."""
        from glue_zoobot.catalog.teaching_lesson import next_rows

        head = self.state.usable_head
        self._run(
            lambda question: (question, next_rows(question, head)), lambda found: self.state.take_next(*found)
        )

    def _refill(self) -> None:
        if self.state.data is not None and not self.state.next_rows:
            self._suggest()

    def _run(
        self, work: Callable[[Question], Any], done: Callable[[Any], None], training: bool = False
    ) -> None:
        if self._work is not None:
            self._again = self._again or training
            return
        try:
            question = self.state.question()
        except ZoobotError as error:
            self._fail(error)
            return

        def finish(found: Any) -> None:
            self._end_work()
            self._try(lambda: done(found), keep=True)
            if self._again:
                self._train()
            else:
                self._refill_once(found)
            self._schedule_refresh()

        self._again = False
        self._training, self.card.busy = training, True
        self._work = run_in_thread(self, lambda: work(question), finish, self._fail)
        self._schedule_refresh()

    def _refill_once(self, found: Any) -> None:
        """Ask again if what was found came too late for what is on the screen."""
        question = found[0] if isinstance(found, tuple) else found.question
        state = self.state
        if state.data is not None and (question.mode, question.target) != (state.mode, state.target):
            self._suggest()

    def _take(self, found: Answer) -> None:
        self.state.take(found)
        self.say(self.state.note)

    def _end_work(self) -> None:
        self._work = None
        self._training = self.card.busy = False

    # -- what was learned --------------------------------------------------------------------------------

    def _set_mode(self, mode: str) -> None:
        self.state.mode = mode
        self._suggest()

    def _review(self, rows: Sequence[int], why: str) -> None:
        if len(rows):
            self.state.review(rows, why)
            self.tabs.setCurrentWidget(self.card)
            self.card.picture.setFocus()

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

    def _on_target(self, place: int) -> None:
        target = self.targets.itemData(place)
        if target is None:
            self._choose_start()
        elif target != self.state.target:
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

    def load_head(self, data: Data, path: str) -> None:
        """Predict with a head that was taught elsewhere."""
        if self._try(lambda: self.state.load_head(data, path)):
            self._choosing = False
            self.say(self.state.note, mild=True)
            self.tabs.setCurrentWidget(self.result)
            self._suggest()
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

    def _fail(self, error: Exception) -> None:
        self._end_work()
        self.say(str(error))
        self._schedule_refresh()

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
            self.card.picture.setFocus()
        self._refresh_header()
        self.classes.refresh()
        self.new_class.setEnabled(not state.is_number)
        self.train_button.setEnabled(self._work is None and bool(state.labels))
        self.train_button.setText("Training…" if self._training else "Train")
        self._refresh_status()
        self.tabs.currentWidget().refresh()
        n = len(state.mistakes())
        self.tabs.setTabText(2, f"Disagreements ({n})" if n else "Disagreements")

    def _refresh_header(self) -> None:
        state = self.state
        if [self.targets.itemData(k) for k in range(self.targets.count())] != [*state.targets, None]:
            self.targets.clear()
            for target in state.targets:
                self.targets.addItem(target, target)
            self.targets.insertSeparator(self.targets.count())
            self.targets.addItem("Something else…", None)
        self.targets.setCurrentIndex(self.targets.findData(state.target))
        self.kinds[state.kind].setChecked(True)

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
        self._rest_timer.stop()
        if self._work is not None:
            self._work.drop()
        self.card.close_down()
        self.mistakes.close_down()
        self._hub.unsubscribe_all(self)


class _KeyPage(QtWidgets.QWidget):
    """The page of the card: keys that nothing in it has use for are those of labelling."""

    def __init__(self, card: TeachCard, on_digit: Callable[[int], None], layout: QtWidgets.QLayout) -> None:
        super().__init__()
        self._card, self._on_digit = card, on_digit
        self.setLayout(layout)

    def event(self, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.ShortcutOverride and self._card.wants(event):
            event.accept()  # glue's own Ctrl+Z would undo something else
            return True
        return super().event(event)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if self._card.wants(event):
            self._card.press(event, self._on_digit)
        else:
            super().keyPressEvent(event)


def _prepare(data: Data) -> None:
    """Read ids, embeddings and images, which takes seconds for a large catalogue, the first time."""
    from glue_zoobot.catalog import embeddings_of, images_of, object_ids_of

    object_ids_of(data)
    embeddings_of(data)
    images_of(data)
