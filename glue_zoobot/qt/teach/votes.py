"""*Votes of volunteers…*: teach the answers to a question of Galaxy Zoo from the columns of a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy import QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.parts import long_list
from glue_zoobot.qt.styles import quiet, warn
from glue_zoobot.qt.threads import run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.analysis.heads import Head
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.catalog.teaching.votes import VoteQuestion

__all__ = ["VotesDialog"]

_ABOUT = (
    "Learns what volunteers would answer to a question: forty votes weigh more than five, and a galaxy that "
    "nobody was asked about weighs nothing. Each answer gets a column of the expected share of the votes, "
    "and two of the ends of its 68 % interval."
)
_NONE = (
    "{} has no columns of votes. Those of a question are called, for example, <i>bar_strong_fraction</i> and "
    "<i>bar_no_fraction</i>; or <i>bar_strong</i> and <i>bar_no</i> beside <i>bar_total-votes</i>."
)


class VotesDialog(QtWidgets.QDialog):
    """
    Choose a question, and learn it.

    Parameters
    ----------
    state : Teaching
    data : Data
        With embeddings.
    parent : QWidget
    column : str
        Begin with the question that this column belongs to.
    """

    def __init__(self, state: Teaching, data: Data, parent: QtWidgets.QWidget, column: str = "") -> None:
        super().__init__(parent, windowTitle=f"Votes of volunteers: {data.label}")
        from glue_zoobot.catalog.teaching.votes import questions_of, totals_of

        self.setAttribute(Qt.WA_DeleteOnClose)
        self._state, self._data = state, data
        self._questions, self._totals = questions_of(data), totals_of(data)
        self._build()
        named = (k for k, one in enumerate(self._questions) if column in one.columns.values())
        self.questions.setCurrentIndex(next(named, 0) if self._questions else -1)
        self.learn.setFocus()
        self._refresh()

    def _build(self) -> None:
        self.questions = long_list(QtWidgets.QComboBox())
        for one in self._questions:
            self.questions.addItem(one.name)
        self.answers = QtWidgets.QLabel(wordWrap=True)
        self.totals = long_list(QtWidgets.QComboBox())
        self.totals.setToolTip("How many volunteers answered it for each galaxy")
        self.totals.addItems(self._totals)
        self.totals_label = QtWidgets.QLabel("Number of votes")
        form = QtWidgets.QFormLayout()
        form.addRow("Question", self.questions)
        form.addRow("Answers", self.answers)
        form.addRow(self.totals_label, self.totals)
        about = quiet(QtWidgets.QLabel(_ABOUT, wordWrap=True))
        self.text = QtWidgets.QLabel(wordWrap=True)
        self.text.setMinimumHeight(3 * self.text.fontMetrics().lineSpacing())
        self._plain, self._alarming = self.text.palette(), warn(QtWidgets.QLabel(), problem=True).palette()
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Cancel)
        self.learn = buttons.addButton("Learn", QtWidgets.QDialogButtonBox.ActionRole)
        self.learn.setDefault(True)
        self.learn.clicked.connect(self._learn)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(about)
        layout.addLayout(form)
        for part in (self.text, buttons):
            layout.addWidget(part)
        self.resize(520, self.sizeHint().height())
        for box in (self.questions, self.totals):
            box.currentIndexChanged.connect(self._refresh)

    @property
    def question(self) -> VoteQuestion | None:
        """The chosen question."""
        place = self.questions.currentIndex()
        return self._questions[place] if place >= 0 else None

    @property
    def total(self) -> str:
        """The column with the number of votes; empty if the columns are numbers."""
        asked = self.question
        return asked.total or self.totals.currentText() if asked is not None and asked.shares else ""

    def _refresh(self, *args: Any) -> None:
        asked = self.question
        self.learn.setEnabled(asked is not None)
        if asked is None:
            self._say(_NONE.format(self._data.label))
            return
        self.answers.setText(", ".join(asked.columns))
        chosen = asked.shares and not asked.total
        for part in (self.totals_label, self.totals):
            part.setVisible(chosen)
        number = f"their number is {asked.total}" if asked.total else "choose the column with their number"
        self._say(
            f"These are shares of the votes; {number}." if asked.shares else "These are numbers of votes."
        )
        if chosen and not self._totals:
            self._say("No column says how many votes these are shares of: add one first.", problem=True)
            self.learn.setEnabled(False)

    def _learn(self) -> None:
        from glue_zoobot.catalog.teaching.votes import learn_votes

        data, asked, total = self._data, self.question, self.total
        self.learn.setEnabled(False)
        self._say(f"Learning {asked.name}…")
        self._work = run_in_thread(self, lambda: learn_votes(data, asked, total), self._take, self._fail)
        self.finished.connect(self._work.drop)

    def _take(self, head: Head) -> None:
        try:
            self._state.use_votes(self._data, head)
        except ZoobotError as error:
            self._fail(error)
            return
        n = counted(int(head.provenance["labels"]), "galaxy")
        self._state.note = f"Learned {head.target} from the votes on {n}; every galaxy is predicted."
        self.accept()

    def _fail(self, error: Exception) -> None:
        self._say(str(error), problem=True)
        self.learn.setEnabled(True)

    def _say(self, text: str, problem: bool = False) -> None:
        self.text.setPalette(self._alarming if problem else self._plain)
        self.text.setText(text)
