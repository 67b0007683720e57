"""The tour goes through all steps, can be left at any of them, and minds windows that are closed under it."""

from __future__ import annotations

import gc
import weakref

import pytest
from glue_qt.utils import process_events
from qtpy import QtCore, QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.encoders import is_cached
from glue_zoobot.qt import actions, tour
from glue_zoobot.qt.callout import Callout
from glue_zoobot.qt.interest.panel import InterestPanel
from glue_zoobot.qt.similar.panel import SimilarPanel, similar_panel
from glue_zoobot.qt.teach.panel import TeachPanel
from glue_zoobot.qt.tour import Tour, start_tour
from glue_zoobot.qt.tour_steps import STEPS
from tests.qt.conftest import wait_until


@pytest.fixture
def running(app, data):
    """The tour on a catalogue that is open, at its first step."""
    guide = start_tour(app)
    process_events()
    return guide


def collected():
    """Let Qt delete what it has put off, and Python what nobody holds; not yet an answer."""
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)
    gc.collect()


def callouts(app):
    return [one for one in app.findChildren(Callout) if QtWidgets.QWidget.isVisible(one)]


def press(widget, key):
    QTest.keyClick(widget, key)
    process_events(wait=0.02)


def test_all_steps_by_keyboard(app, data, running, similar):
    callout = running.callout
    assert running.scene.map_view() is not None  # opened for the tour, as nothing was
    for place in range(len(STEPS)):
        assert callout.heading.text() == STEPS[place].title
        assert callout.progress.text() == f"{place + 1} of {len(STEPS)}"
        assert app.rect().contains(callout.geometry())
        press(callout.next_button, Qt.Key_Return)
    assert callouts(app) == []
    assert app.findChild(Tour) is None
    wait_until(lambda: similar.like)
    for panel in (SimilarPanel, InterestPanel, TeachPanel):
        assert app.findChild(panel) is not None


def test_enter_goes_on_from_a_panel_that_has_the_keyboard(app, running):
    running.go(4)
    panel = app.findChild(InterestPanel)
    wait_until(lambda: panel.state.current is not None)
    panel.take_keys()  # so that digits rate
    press(panel.card.picture, Qt.Key_Return)
    assert running.place == 5


def test_it_stays_above_a_panel_that_is_raised(app, running):
    similar_panel(app).show_result()
    running.callout.place()
    middle = running.callout.mapTo(app, running.callout.rect().center())
    found = app.childAt(middle)
    assert found is running.callout or running.callout.isAncestorOf(found)


def test_back_and_the_arrow_keys(running):
    assert not running.callout.back_button.isEnabled()
    press(running.callout, Qt.Key_Right)
    assert running.place == 1
    QTest.mouseClick(running.callout.back_button, Qt.LeftButton)
    assert running.place == 0


@pytest.mark.parametrize("place", [0, 4])
def test_it_can_be_left_at_once_or_midway_by_escape(app, running, place):
    running.go(place)
    press(running.callout, Qt.Key_Escape)
    assert callouts(app) == []
    assert app.findChild(Tour) is None
    assert app.viewers[0]  # the views stay


def test_windows_closed_under_it_are_done_without(app, running):
    for view in list(app.viewers[0]):
        view.close(warn=False)
    process_events(wait=0.3)
    for place in range(len(STEPS)):
        running.go(place)
        process_events(wait=0.05)
        assert app.rect().contains(running.callout.geometry())
    running.go(len(STEPS))
    assert callouts(app) == []


def test_removing_the_catalogue_ends_it(app, data, running):
    app.data_collection.remove(data)
    process_events()
    assert app.findChild(Tour) is None


def test_closing_the_window_leaves_nothing_running(app, data):
    gone = weakref.ref(start_tour(app))
    process_events()
    app.close()
    wait_until(lambda: collected() or gone() is None)


def test_starting_it_again_starts_it_anew(app, running):
    running.go(3)
    actions.show_tour(app.session, app.data_collection)
    process_events()
    [callout] = callouts(app)
    assert callout.heading.text() == STEPS[0].title


@pytest.mark.skipif(not is_cached("mini"), reason="the package holds no weights of mini")
def test_without_data_it_makes_the_sample_and_asks_nothing(app, tmp_path, monkeypatch):
    monkeypatch.setenv("GLUE_ZOOBOT_CACHE", str(tmp_path))
    monkeypatch.setattr(tour, "_GALAXIES", 40)
    guide = start_tour(app)
    assert not guide.callout.next_button.isVisibleTo(guide.callout)
    wait_until(lambda: guide.scene is not None, 120)
    process_events(wait=0.1)
    [data] = app.data_collection
    assert data.size == 40
    assert guide.callout.heading.text() == STEPS[0].title
    guide.end()


def test_it_can_be_left_while_the_sample_is_made(app, tmp_path, monkeypatch):
    monkeypatch.setenv("GLUE_ZOOBOT_CACHE", str(tmp_path))
    monkeypatch.setattr(tour, "_GALAXIES", 40)
    guide = start_tour(app)
    QTest.mouseClick(guide.callout.skip_button, Qt.LeftButton)
    process_events(wait=0.5)
    assert callouts(app) == []
    assert len(app.data_collection) == 0
