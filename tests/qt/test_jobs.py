"""A job may be cancelled, crash, be resumed, outlive nothing; glue lives on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from glue_qt.utils import process_events
from qtpy import QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.images import SourceSpec
from glue_zoobot.qt.jobs import EmbedRequest, duration
from glue_zoobot.qt.jobs_panel import JobsPanel, jobs_panel
from tests.qt.conftest import wait_until

STUB = str(Path(__file__).with_name("stub_child.py"))


@pytest.fixture
def behave(monkeypatch):
    """Say what the child process shall do at 20 of 60 images."""
    what = ["done"]
    monkeypatch.setattr(EmbedRequest, "arguments", lambda self: [STUB, str(self.store), what[0]])

    def change(wish):
        what[0] = wish

    return change


@pytest.fixture
def start(app, plain, store, behave):
    """Start a job whose child behaves as wished; gives its line in the panel."""

    def start_job(wish):
        behave(wish)
        request = EmbedRequest(SourceSpec("survey.csv"), store, "mini", add_map=False)
        panel = jobs_panel(app)
        job = panel.embed(plain, request)
        line = next(line for line in panel.lines if line.job is job)
        process_events()
        return line

    return start_job


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def click(button):
    QTest.mouseClick(button, Qt.LeftButton)


def test_a_job_shows_its_progress_and_attaches_the_embeddings(plain, start):
    from glue_zoobot.catalog import embeddings_of

    line = start("done")
    seen = set()
    line.job.changed.connect(lambda: seen.add(line.text.text()))
    wait_until(lambda: line.job.state == "done")
    assert "100 images/s · 1 s left · 1 broken so far" in seen
    assert (line.bar.value(), line.bar.maximum()) == (60, 60)
    assert "59 galaxies embedded, 1 image broken" in line.text.text()
    assert len(embeddings_of(plain)) == 59
    assert line.cancel_button.isHidden()
    assert not line.broken_button.isHidden()


def test_cancel_then_resume(start, behave):
    line = start("wait")
    wait_until(lambda: line.job.done == 20)
    pid = line.job.pid
    click(line.cancel_button)
    wait_until(lambda: line.job.state == "cancelled")
    assert not alive(pid)
    assert "What is embedded is kept" in line.text.text()
    behave("done")
    first = []
    line.job.changed.connect(lambda: first.append(line.job.done))
    click(line.resume_button)
    wait_until(lambda: line.job.state == "done")
    assert min(first) >= 20


def test_after_a_stop_the_count_is_that_of_the_store(plain, survey, start, store):
    from tests.catalog.conftest import ids_of_survey

    line = start("wait")
    wait_until(lambda: line.job.done == 20)
    last = max(path for path in store.rglob("*.parquet") if path.name != "plan.parquet")
    last.unlink()  # as if the process had embedded more than it has saved
    said = []
    line.job.changed.connect(lambda: said.append(line.text.text()))
    click(line.cancel_button)
    wait_until(lambda: line.job.state == "cancelled" and line.job.done == 32)
    assert (line.bar.value(), line.bar.maximum()) == (32, len(ids_of_survey()))
    assert not any("run the same command" in text for text in said)


def test_the_cancel_button_stays_where_it_is(start):
    line = start("wait")
    wait_until(lambda: line.job.done == 20)
    places = set()
    for message in ("short", "long " * 60):
        line.job.become("running", message)
        process_events(wait=0.05)
        places.add(line.cancel_button.mapTo(line, line.cancel_button.rect().topLeft()).y())
    assert len(places) == 1
    line.job.stop_now()


def test_a_job_without_a_count_ends_without_a_bar(app, data):
    panel = jobs_panel(app)
    job = panel.add_map(data, "pca")
    line = panel.lines[0]
    assert not line.bar.isHidden()
    wait_until(lambda: job.state == "done")
    assert line.bar.isHidden()
    assert "map_pca_1_x" in line.text.text()
    click(line.map_button)
    [viewer] = app.viewers[0]
    assert (str(viewer.state.x_att), str(viewer.state.y_att)) == ("map_pca_1_x", "map_pca_1_y")


def test_a_child_that_is_killed_leaves_glue_alive_with_a_message(app, start, behave):
    line = start("wait")
    wait_until(lambda: line.job.done == 20)
    os.kill(line.job.pid, signal.SIGKILL)
    wait_until(lambda: line.job.state == "failed")
    assert "memory ran out" in line.text.text()
    assert app.isVisible()
    behave("done")
    click(line.resume_button)
    wait_until(lambda: line.job.state == "done")


def test_what_a_dying_child_wrote_can_be_read(app, start):
    line = start("die")
    wait_until(lambda: line.job.state == "failed")
    click(line.detail_button)
    boxes = line.findChildren(QtWidgets.QMessageBox)
    assert "out of memory" in boxes[0].detailedText()
    boxes[0].close()


def test_an_error_is_shown_in_its_own_words(start):
    line = start("error")
    wait_until(lambda: line.job.state == "failed")
    assert line.text.text() == "the disk is full: free some space and resume"


def test_a_program_that_cannot_start_is_a_message(start, monkeypatch):
    monkeypatch.setattr("sys.executable", "/no/such/python")
    line = start("done")
    wait_until(lambda: line.job.state == "failed")
    assert "/no/such/python" in line.job.detail


@pytest.mark.parametrize("wish", ["wait", "stubborn"])
def test_closing_glue_leaves_no_process(app, start, wish):
    line = start(wish)
    wait_until(lambda: line.job.done == 20)
    pid = line.job.pid
    app.close()
    assert not alive(pid)
    process_events(wait=0.1)


def test_the_same_store_is_not_filled_twice_at_once(app, plain, start):
    line = start("wait")
    assert start("wait") is line
    assert len(jobs_panel(app).lines) == 1
    line.job.stop_now()


def test_the_dataset_may_be_closed_meanwhile(app, plain, start):
    line = start("done")
    app.data_collection.remove(plain)
    wait_until(lambda: line.job.state == "done")


def test_a_finished_line_can_be_removed(app, start):
    line = start("error")
    wait_until(lambda: line.job.state == "failed")
    click(line.remove_button)
    assert jobs_panel(app).lines == []
    assert len(app.findChildren(JobsPanel)) == 1


def test_broken_images_are_listed_with_reasons(start):
    from glue_zoobot.qt.broken_report import BrokenReport

    line = start("done")
    wait_until(lambda: line.job.state == "done")
    click(line.broken_button)
    report = line.findChild(BrokenReport)
    wait_until(lambda: report.table.rowCount() == 1)
    texts = [report.table.item(0, column).text() for column in range(3)]
    assert texts == ["5877395055527856400", "broken", "unreadable"]
    assert report.summary.text() == "Without an embedding: 1 image."
    report.close()


def test_request_becomes_a_command_without_a_shell():
    spec = SourceSpec("a; rm -rf b.csv", id_column="id", image_root="images", bands="{id}_{band}.fits:irg")
    arguments = EmbedRequest(spec, Path("s"), "mini", "cpu").arguments()
    assert arguments[:4] == ["-m", "glue_zoobot", "embed", "a; rm -rf b.csv"]
    assert "--image-column" not in arguments
    for name, value in (("--store", "s"), ("--encoder", "mini"), ("--device", "cpu"), ("--id-column", "id")):
        assert arguments[arguments.index(name) + 1] == value


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (40, "40 s"), (420, "7 min"), (11520, "3.2 h")])
def test_duration(seconds, text):
    assert duration(seconds) == text
