"""What was learned: a threshold and what to expect of it, figures of merit, confusion, reliability."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt

from glue_zoobot.catalog.teaching.lesson import method_of
from glue_zoobot.qt.hidden_line import HiddenLine
from glue_zoobot.qt.interest.widgets import title
from glue_zoobot.qt.styles import quiet_colour, quiet_label, warn, warning_colour
from glue_zoobot.qt.teach.confusion import ConfusionGrid
from glue_zoobot.qt.teach.plots import (
    COMPLETENESS,
    PURITY,
    CurvePlot,
    ReliabilityPlot,
    ThresholdPlot,
    TruthPlot,
)
from glue_zoobot.qt.teach.tuned import TunedPart
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.analysis.merit import Figure
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.catalog.teaching.expected import Chances, Expected

__all__ = ["ResultTab", "expectation", "figures_table"]

_LIVE_MS = 40
_NOT_YET = (
    "Nothing is learned yet. Label {}, or take labels from subsets, a column or a file, "
    "then press <b>Train</b>."
)
_WANTED = ("a few galaxies of at least two classes", "at least ten galaxies with their values")
_OUTSIDE = "{} lie{} outside the plot and may weigh on R² more than all others: look in <b>Disagreements</b>."
_NOT_KNOWN = "How good it is cannot be told from so few labels: label some more of each class."


class ResultTab(QtWidgets.QScrollArea):
    """
    The result card.

    Attributes
    ----------
    cell_clicked : Signal(str, str)
        Label and prediction of a cell of the confusion matrix.
    gallery_wanted : Signal()
        Show what the threshold selects.
    label_wanted : Signal(str)
        Label more galaxies, chosen in this mode.
    """

    cell_clicked = QtCore.Signal(str, str)
    gallery_wanted = QtCore.Signal()
    label_wanted = QtCore.Signal(str)

    def __init__(self, state: Teaching, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True, frameShape=QtWidgets.QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.NoFocus)
        self._state = state
        self._shown: object = None
        self._timer = QtCore.QTimer(self, singleShot=True, interval=_LIVE_MS)
        self._timer.timeout.connect(self._apply)
        inner = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(inner)
        layout.setContentsMargins(0, 8, 4, 4)
        layout.setSpacing(6)
        self.nothing = quiet_label()
        layout.addWidget(self.nothing)
        for part in (self._threshold_part(), self._figures_part(), self._confusion_part()):
            layout.addWidget(part)
        self.tuned = TunedPart(state)
        layout.addWidget(self.tuned)
        layout.addStretch(1)
        self.setWidget(inner)

    # -- parts -----------------------------------------------------------------------------------------

    def _threshold_part(self) -> QtWidgets.QWidget:
        self.threshold_part, layout = _part()
        row = QtWidgets.QHBoxLayout()
        self.wanted = QtWidgets.QComboBox()
        self.wanted.setFocusPolicy(Qt.NoFocus)
        self.wanted.setToolTip("The class that is selected")
        self.wanted.activated.connect(lambda _: setattr(self._state, "wanted", self.wanted.currentData()))
        self.spin = QtWidgets.QDoubleSpinBox(minimum=0, maximum=1, singleStep=0.01, decimals=2)
        self.spin.setKeyboardTracking(False)
        self.spin.setPrefix("p > ")
        self.spin.valueChanged.connect(lambda value: self._on_threshold(value))
        self.gallery_button = QtWidgets.QPushButton("In gallery")
        self.gallery_button.setFocusPolicy(Qt.NoFocus)
        self.gallery_button.setToolTip("Show the selected galaxies, most probable first")
        self.gallery_button.clicked.connect(self.gallery_wanted)
        row.addWidget(self.wanted, 1)
        row.addWidget(self.spin)
        row.addWidget(self.gallery_button)
        layout.addLayout(row)
        self.plot = ThresholdPlot()
        self.plot.chosen.connect(self._on_threshold)
        layout.addWidget(self.plot)
        self.expected = QtWidgets.QLabel(wordWrap=True)
        self.expected.setToolTip(
            "From the calibrated probabilities, corrected for how frequent the class seems to be in the "
            "catalogue: purity is their mean over what is selected, completeness its share of their sum. "
            "True of galaxies like those you labelled."
        )
        layout.addWidget(self.expected)
        self.hidden_line = HiddenLine(self._state)
        layout.addWidget(self.hidden_line)
        return self.threshold_part

    def _figures_part(self) -> QtWidgets.QWidget:
        self.figures_part, layout = _part()
        layout.addWidget(title("On galaxies it was not shown"))
        self.figures = QtWidgets.QLabel(wordWrap=True, textFormat=Qt.RichText)
        layout.addWidget(self.figures)
        self.flattery = warn(QtWidgets.QLabel(wordWrap=True, visible=False))
        self.flattery.linkActivated.connect(self.label_wanted)
        layout.addWidget(self.flattery)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(6)
        self.reliability, self.curve, self.truth = ReliabilityPlot(), CurvePlot(), TruthPlot()
        for plot in (self.truth, self.reliability, self.curve):
            row.addWidget(plot)
        layout.addLayout(row)
        self.outside = quiet_label()
        layout.addWidget(self.outside)
        return self.figures_part

    def _confusion_part(self) -> QtWidgets.QWidget:
        self.confusion_part, layout = _part()
        self.confusion_title = title("Your labels against its predictions")
        layout.addWidget(self.confusion_title)
        self.confusion = ConfusionGrid()
        self.confusion.cell_clicked.connect(self.cell_clicked)
        layout.addWidget(self.confusion)
        self.how = quiet_label()
        layout.addWidget(self.how)
        return self.confusion_part

    # -- showing ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the state says."""
        state = self._state
        self.nothing.setVisible(state.head is None)
        self.nothing.setText(_NOT_YET.format(_WANTED[state.is_number]))
        self.threshold_part.setVisible(bool(state.class_names))
        self.figures_part.setVisible(bool(state.figures))
        self.confusion_part.setVisible(state.head is not None)
        if state.class_names and not self._timer.isActive():  # else the user's hand leads
            self._refresh_threshold()
        self.hidden_line.refresh()
        if state.head is not self._shown or state.lesson is None:
            self._shown = state.head
            self._refresh_lesson()
        self.tuned.refresh()

    def show_tuned(self, folder: Path) -> None:
        """Bring what a tuned encoder gave into view."""
        self.tuned.choose(folder)
        QtCore.QTimer.singleShot(50, lambda: self.ensureWidgetVisible(self.tuned))

    def _refresh_threshold(self) -> None:
        state = self._state
        names = state.class_names
        if [self.wanted.itemData(k) for k in range(self.wanted.count())] != names:
            self.wanted.clear()
            for name in names:
                self.wanted.addItem(state.target if names == ["yes"] else name, name)
        self.wanted.setCurrentIndex(self.wanted.findData(state.wanted))
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(state.threshold)
        del blocker
        self._show_expected(state.threshold)

    def _show_expected(self, threshold: float) -> None:
        state = self._state
        chances = state.chances()
        self.plot.setVisible(chances is not None and bool(np.isfinite(chances.share)))
        self.plot.show_chances(chances, threshold)
        self.expected.setText(expectation(state.expected(threshold=threshold), warning_colour(self).name()))

    def _refresh_lesson(self) -> None:
        state, lesson = self._state, self._state.lesson
        number = lesson is not None and lesson.labelled.kind == "number"
        known = any(np.isfinite(figure.value) for figure in state.figures)
        self.figures.setText(figures_table(state.figures, quiet_colour(self).name()) if known else _NOT_KNOWN)
        clearer = state.clearer()
        self.flattery.setVisible(clearer is not None and clearer.flatters)
        if clearer is not None:
            self.flattery.setText(f"{clearer.text()} <a href='{clearer.remedy}'>Label some of them</a>")
        self.reliability.setVisible(known and lesson is not None and not number)
        self.truth.setVisible(known and number)
        self.curve.setVisible(known and lesson is not None)
        self.reliability.show_reliability(state.reliability())
        self.curve.show_curve(state.curve)
        if number:
            self.truth.show_pairs(lesson.labelled.values, lesson.head.estimator.out_of_fold_)
        n_outside = self.truth.n_outside if known and number else 0
        self.outside.setVisible(n_outside > 0)
        self.outside.setText(_OUTSIDE.format(counted(n_outside, "label"), "s" if n_outside == 1 else ""))
        table = state.confusion() if known else None
        self.confusion.show_table(table)
        self.confusion_title.setVisible(table is not None)
        self.how.setText(self._how())

    def _how(self) -> str:
        state, head = self._state, self._state.head
        if head is None:
            return ""
        n = int(head.provenance.get("labels", 0))
        text = f"Learned from {counted(n, 'galaxy')} by {method_of(head)}. "
        text += _shares(state.chances(), state.target if state.class_names == ["yes"] else state.wanted)
        unlike = state.n_unlike
        if unlike:
            known = "learned from" if state.is_votes else "labelled"
            text += f"{counted(unlike, 'galaxy')} {'is' if unlike == 1 else 'are'} unlike anything {known}: "
            text += "what is said of them is extrapolated. "
        text += self._about_columns() if not state.class_names else ""
        if state.inputs:
            text += f"Beside the image it uses {', '.join(state.inputs)}. "
        return text

    def _about_columns(self) -> str:
        """Say where the predictions are, of what has no threshold."""
        state, head = self._state, self._state.head
        questions = getattr(head.estimator, "questions_", ())
        wanted = [f"{q.name}_{answer}_fraction" for q in questions for answer in q.answers]
        wanted = wanted or [f"{head.target}{end}" for end in ("", "_lo", "_hi")]
        columns = ", ".join(f"<i>{state.column(label).label}</i>" for label in wanted if state.column(label))
        if questions:
            return f"The expected shares of the votes are {columns}, with _lo and _hi for 68 % intervals. "
        return f"The value and the ends of its 68 % interval are the columns {columns}. "

    # -- threshold -------------------------------------------------------------------------------------

    def _on_threshold(self, value: float) -> None:
        blocker = QtCore.QSignalBlocker(self.spin)
        self.spin.setValue(value)
        del blocker
        self._show_expected(value)
        self._timer.start()

    def _apply(self) -> None:
        self._state.threshold = self.spin.value()


def expectation(found: Expected | None, warning: str = "#8a5a00") -> str:
    """Say what a threshold selects and what is to be expected of it."""
    if found is None:
        return ""
    if not found.n:
        return "No galaxy is that probable: lower the threshold."
    if not np.isfinite(found.purity):
        return f"<b>{counted(found.n, 'galaxy')}</b>; how many rightly cannot be told from so few labels."
    purity = f"<span style='color:{PURITY}'>purity <b>{_percent(found.purity)}</b></span>"
    completeness = (
        f"<span style='color:{COMPLETENESS}'>completeness <b>{_percent(found.completeness)}</b></span>"
    )
    text = f"<b>{counted(found.n, 'galaxy')}</b>, expected {purity}, {completeness}"
    if found.unlike:
        few = f"{found.unlike:,} of them are" if found.unlike > 1 else "one of them is"
        text += f"<br><span style='color:{warning}'>{few} unlike anything labelled: a guess</span>"
    return text


def _shares(chances: Chances | None, name: str) -> str:
    if chances is None or not np.isfinite(chances.share):
        return ""
    seems, labelled = _percent(chances.share), _percent(chances.labelled_share)
    return f"It seems that {seems} of the catalogue are {name}; of your labels it was {labelled}. "


def _percent(share: float) -> str:
    """Write an expectation; what is not certain is not called 100 %."""
    text = ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"
    return f"{text}\u00a0%"


def figures_table(figures: list[Figure], grey: str) -> str:
    """Write figures of merit with their 95 % intervals as a small table."""
    known = [figure for figure in figures if np.isfinite(figure.value)]
    lines = "".join(
        f"<tr><td>{figure.name}</td>"
        f"<td align='right' style='padding-left:14px'><b>{_written(figure, figure.value)}</b></td>"
        f"<td style='padding-left:10px; color:{grey}'>{_written(figure, figure.low)} to "
        f"{_written(figure, figure.high)}</td></tr>"
        for figure in known
    )
    return f"<table cellspacing='0' cellpadding='1'>{lines}</table>"


def _written(figure: Figure, value: float) -> str:
    digits = figure.digits if abs(figure.value) < 0.3 else min(figure.digits, 3)  # a share needs no more
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _part() -> tuple[QtWidgets.QWidget, QtWidgets.QVBoxLayout]:
    part = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(part)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    return part, layout
