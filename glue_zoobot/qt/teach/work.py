"""The threads of the *Teach* panel: training and choosing what to label next, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy import QtCore

from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.threads import Work, run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue_zoobot.catalog.teaching import Teaching
    from glue_zoobot.catalog.teaching.lesson import Answer, Question

__all__ = ["TeachWork"]

_REST_MS = 1500  # a hand that rests this long lets the head take in what was labelled


class TeachWork(QtCore.QObject):
    """
    Lets a `Teaching` learn without the window waiting for it.

    Parameters
    ----------
    state : Teaching
    parent : QObject

    Attributes
    ----------
    changed : Signal()
        It began or ended.
    failed, said : Signal(str)
        What went wrong; what was learned.
    training : bool
        Whether it trains; it may also be choosing.
    """

    changed = QtCore.Signal()
    failed = QtCore.Signal(str)
    said = QtCore.Signal(str)

    def __init__(self, state: Teaching, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._work: Work | None = None
        self.training = False
        self._again = False
        self._rest_timer = QtCore.QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest_timer.timeout.connect(self.train_if_new)

    @property
    def running(self) -> bool:
        """Whether a thread is at work."""
        return self._work is not None

    def train(self) -> None:
        """Train; once more at the end, if it is asked to meanwhile."""
        from glue_zoobot.catalog.teaching.lesson import answer

        self._run(answer, self._take, training=True)

    def suggest(self) -> None:
        """Choose what to label next."""
        from glue_zoobot.catalog.teaching.lesson import next_rows

        head = self._state.usable_head
        self._run(
            lambda question: (question, next_rows(question, head)),
            lambda found: self._state.take_next(*found),
        )

    def refill(self) -> None:
        """Choose if nothing waits for a label."""
        if self._state.data is not None and not self._state.next_rows:
            self.suggest()

    def train_if_due(self) -> None:
        """Train by itself after so many labels, or when the hand rests."""
        state = self._state
        if state.data is None or not state.auto or not state.n_new:
            return
        if state.due:
            self.train()
        else:
            self._rest_timer.start()

    def train_if_new(self) -> None:
        """Train by itself, if there is anything new to learn."""
        state = self._state
        two = len({str(value) for value in state.labels.values()}) > 1
        if state.data is not None and state.auto and state.n_new and two:
            self.train()

    def drop(self) -> None:
        """Let it come to nothing."""
        self._rest_timer.stop()
        if self._work is not None:
            self._work.drop()

    def _run(
        self, work: Callable[[Question], Any], done: Callable[[Any], None], training: bool = False
    ) -> None:
        if self._work is not None:
            self._again = self._again or training
            return
        try:
            question = self._state.question()
        except ZoobotError as error:
            self._fail(error)
            return

        def finish(found: Any) -> None:
            self._end()
            try:
                done(found)
            except ZoobotError as error:
                self.failed.emit(str(error))
            if self._again:
                self.train()
            else:
                self._choose_anew(found)
            self.changed.emit()

        self._again = False
        self.training = training
        self._work = run_in_thread(self, lambda: work(question), finish, self._fail)
        self.changed.emit()

    def _choose_anew(self, found: Any) -> None:
        """Ask again if what was found came too late for what is on the screen."""
        question = found[0] if isinstance(found, tuple) else found.question
        state = self._state
        if state.data is not None and (question.mode, question.target) != (state.mode, state.target):
            self.suggest()

    def _take(self, found: Answer) -> None:
        self._state.take(found)
        self.said.emit(self._state.note or self._learned())

    def _learned(self) -> str:
        """Say how a training that was asked for went; one that comes by itself is not to interrupt."""
        state = self._state
        known = [figure for figure in state.figures if np.isfinite(figure.value)]
        if state.auto or state.head is None:
            return ""
        text = f"Learned from {counted(int(state.head.provenance.get('labels', 0)), 'galaxy')}"
        return f"{text}: {known[0].text()}. More in Result." if known else f"{text}."

    def _end(self) -> None:
        self._work = None
        self.training = False

    def _fail(self, error: Exception) -> None:
        self._end()
        self.failed.emit(str(error))
        self.changed.emit()
