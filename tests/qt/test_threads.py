"""Work off the GUI thread."""

from __future__ import annotations

from qtpy import QtCore

from glue_zoobot.qt.threads import run_in_thread
from tests.qt.conftest import wait_until


def test_results_and_errors_arrive_in_the_gui_thread(app):
    here = QtCore.QThread.currentThread()
    seen = []

    def note(kind):
        return lambda value: seen.append((kind, str(value), QtCore.QThread.currentThread() is here))

    run_in_thread(app, lambda: QtCore.QThread.currentThread() is here, note("result"))
    wait_until(lambda: len(seen) == 1)
    run_in_thread(app, lambda: 1 / 0, note("result"), note("error"))
    wait_until(lambda: len(seen) == 2)
    assert seen == [("result", "False", True), ("error", "division by zero", True)]


def test_a_result_whose_owner_is_gone_is_dropped(app):
    import threading

    gate, seen, owner = threading.Event(), [], QtCore.QObject()
    work = run_in_thread(owner, gate.wait, seen.append)
    owner.deleteLater()
    wait_until(lambda: QtCore.QCoreApplication.sendPostedEvents(owner, QtCore.QEvent.DeferredDelete) is None)
    gate.set()
    wait_until(work.isFinished)
    assert seen == []
