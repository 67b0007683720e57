"""Digits typed in the gallery while the Teach panel is open."""

from __future__ import annotations

import pytest
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from glue_zoobot.qt.gallery.viewer import GalleryViewer
from glue_zoobot.qt.teach.panel import teach_panel
from tests.qt.conftest import wait_until


@pytest.fixture
def panel(app, data):
    panel = teach_panel(app)
    panel.show_panel()
    panel.start(data, "ring")
    wait_until(lambda: panel.state.target == "ring" and panel.state.current is not None)
    panel.state.add_class("yes")
    panel.state.add_class("no")
    return panel


@pytest.fixture
def gallery(app, data, panel):
    viewer = app.new_data_viewer(GalleryViewer, data=data)
    viewer.viewer_size = (700, 600)
    process_events(wait=0.1)
    return viewer


def click(gallery, position, keys=Qt.NoModifier):
    grid = gallery.grid
    place = grid.visualRect(gallery.model.index_of(position)).center()
    QTest.mouseClick(grid.viewport(), Qt.LeftButton, keys, QPoint(place))
    process_events()


def labels(panel):
    return panel.state.labels


def test_a_digit_labels_the_selected_galaxies(gallery, panel):
    click(gallery, 3)
    click(gallery, 5, Qt.ControlModifier)
    QTest.keyClick(gallery.grid, Qt.Key_1)
    process_events()
    assert labels(panel) == {3: "yes", 5: "yes"}
    assert "2 galaxies" in gallery.statusBar().currentMessage()
    QTest.keyClick(gallery.grid, Qt.Key_2)
    process_events()
    assert labels(panel) == {3: "no", 5: "no"}
    assert gallery.selection.selected_rows.tolist() == [3, 5]


def test_without_a_selection_the_galaxy_at_the_keyboard_is_labelled(gallery, panel):
    QTest.keyClick(gallery.grid, Qt.Key_Right)
    QTest.keyClick(gallery.grid, Qt.Key_Right)
    QTest.keyClick(gallery.grid, Qt.Key_1)
    process_events()
    assert labels(panel) == {1: "yes"}


def test_digits_in_the_filter_are_text(gallery, panel):
    click(gallery, 3)
    QTest.keyClick(gallery.grid, Qt.Key_F, Qt.ControlModifier)
    QTest.keyClicks(gallery.filter_bar.text, "12")
    process_events()
    assert gallery.filter_bar.text.text() == "12"
    assert labels(panel) == {}


def test_a_digit_in_the_detail_view_labels_its_galaxy(gallery, panel):
    gallery.show_detail(7)
    QTest.keyClick(gallery.detail, Qt.Key_1)
    process_events()
    assert labels(panel) == {7: "yes"}
    assert gallery.detail.status.text()
