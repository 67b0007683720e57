"""One galaxy by itself, in a real application."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from glue.core import Data
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from glue_zoobot.qt.gallery.sky_links import sky_links
from glue_zoobot.qt.gallery.viewer import GalleryViewer
from tests.qt.conftest import *  # noqa: F403  the embedded survey
from tests.qt.conftest import wait_until


def open_detail(bench, position=7):
    QTest.mouseDClick(bench.viewer.grid.viewport(), Qt.LeftButton, pos=bench.centre(position))
    process_events()
    return bench.viewer.detail


def values_of(detail):
    items = [detail.values.topLevelItem(i) for i in range(detail.values.topLevelItemCount())]
    return {item.text(0): item.text(1) for item in items}


def test_double_click_shows_everything_about_a_galaxy(bench):
    detail = open_detail(bench)
    assert detail.isVisible()
    assert "g7" in detail.title.text()
    assert detail.place.text() == "8 of 60"
    assert values_of(detail) == {"object_id": "g7", "z": "0.88136", "kind": "1", "shape": "–"}
    wait_until(lambda: detail.large.get(7) is not None)
    image = detail.picture.grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).red() == 47
    assert not any(button.isEnabled() for button in detail.links)  # no positions
    assert "no right ascension" in detail.links[0].toolTip().lower()
    wait_until(lambda: "Embed" in detail.seen.text())


def test_values_can_be_seen_beside_long_names(make_bench):
    name = "t01_smooth_or_features_a02_features_or_disk_weighted_fraction"
    bench = make_bench(Data(label="votes", **{name: [0.25, 0.5]}))
    detail = open_detail(bench, 0)
    process_events(wait=0.05)
    assert detail.values.columnWidth(0) < 0.7 * detail.values.viewport().width()
    assert detail.values.topLevelItem(0).toolTip(0) == name


def test_enter_opens_and_keys_go_on(bench):
    bench.viewer.state.sort_att = bench.data.id["z"]
    process_events()
    bench.key(Qt.Key_Home)
    bench.key(Qt.Key_Return)
    detail = bench.viewer.detail
    assert detail.row == 59
    assert not detail.previous.isEnabled()
    QTest.keyClick(detail, Qt.Key_Right)
    QTest.mouseClick(detail.next, Qt.LeftButton)
    assert (detail.row, bench.viewer.selection.current) == (57, 2)
    QTest.keyClick(detail, Qt.Key_Left)
    assert detail.row == 58
    assert not bench.groups  # looking selects nothing
    QTest.keyClick(detail, Qt.Key_Escape)
    assert not detail.isVisible()
    bench.key(Qt.Key_Return)
    assert bench.viewer.detail is detail
    assert detail.isVisible()


def test_keys_are_about_the_galaxy_that_is_shown(bench, monkeypatch):
    pressed = []
    labelling = types.ModuleType("glue_zoobot.qt.labelling")
    labelling.press_digit = lambda app, data, rows, digit: pressed.append((rows, digit)) or "rated"
    monkeypatch.setitem(sys.modules, labelling.__name__, labelling)
    bench.click(2)
    detail = open_detail(bench, 4)
    QTest.keyClick(detail, Qt.Key_5)
    assert pressed == [([4], 5)]
    assert detail.status.text() == "rated"
    QTest.keyClick(detail, Qt.Key_C, Qt.ControlModifier)
    assert QApplication.clipboard().text() == "g4"
    QTest.keyClick(detail, Qt.Key_Right)
    assert not detail.status.isVisible()


def test_a_broken_picture_says_why(bench):
    detail = open_detail(bench, 5)
    wait_until(lambda: "the file is empty" in detail.picture.text)
    assert detail.picture.pixmap is None
    detail.picture.grab()


def test_it_follows_the_data_and_the_look(bench):
    detail = open_detail(bench)
    wait_until(lambda: detail.large.get(7) is not None)
    bench.viewer.state.invert = True
    image = detail.picture.grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).red() == 255 - 47
    bench.data.update_components({bench.data.id["z"]: np.full(60, 0.5)})
    process_events()
    assert values_of(detail)["z"] == "0.5"
    bench.viewer.state.filter_text = "kind == 0"
    process_events()
    assert detail.place.text() == "not among those shown"


def test_deleting_the_data_closes_it(bench):
    detail = open_detail(bench)
    bench.app.data_collection.remove(bench.data)
    process_events()
    assert len(bench.app.viewers[0]) == 0
    with pytest.raises((RuntimeError, AssertionError)):
        assert detail.isVisible()


def test_links_open_in_the_browser(make_bench, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    bench = make_bench(Data(label="sky", ra=[187.70593, np.nan], dec=[-12.391123, 1.0]))
    detail = open_detail(bench, 0)
    for button in detail.links:
        QTest.mouseClick(button, Qt.LeftButton)
    assert len(opened) == 4
    assert all("187.70593" in url and "12.39112" in url for url in opened)
    detail.step(1)
    assert not detail.links[0].isEnabled()


def test_links_of_a_southern_and_a_northern_place():
    north = {link.name: link.url for link in sky_links(10.0, 5.0)}
    assert "Coord=10.000000+%2B5.000000" in north["SIMBAD"]
    assert "dec=-5.000000" in sky_links(10.0, -5.0)[0].url


def test_neighbours_and_what_the_encoder_sees(app, data, monkeypatch):
    views = []
    monkeypatch.setattr(
        "glue_zoobot.qt.gallery.encoder_view.EncoderView.show",
        lambda self, spec, images, row: views.append((spec.name, row)),
    )
    viewer = app.new_data_viewer(GalleryViewer, data=data)
    process_events(wait=0.05)
    viewer.show_detail(10)
    detail = viewer.detail
    wait_until(lambda: views)
    assert views == [("test-encoder", 10)]
    assert "What test-encoder sees" in detail.seen_title.text()
    assert sorted(detail.strip._found.rows[:2]) == [9, 11]
    place = detail.strip.place(0).center()
    row = int(detail.strip._found.rows[0])
    QTest.mouseClick(detail.strip, Qt.LeftButton, pos=QPoint(place.x(), place.y()))
    assert detail.row == row
    wait_until(lambda: len(views) == 2)
    detail.strip.grab()
    viewer.show_detail(50)  # has no embedding
    wait_until(lambda: "no embedding" in detail.strip._found.reason)


def test_keys_ask_real_embeddings(app, data, similar):
    viewer = app.new_data_viewer(GalleryViewer, data=data)
    process_events(wait=0.05)
    viewer.grid.go_to(10)
    QTest.keyClick(viewer.grid, Qt.Key_S)
    wait_until(lambda: similar.like == (10,))
    assert viewer.model.rows[0] == 10
    assert sorted(viewer.model.rows[1:3]) == [9, 11]
    viewer.grid.go_to(1)
    unwanted = int(viewer.model.rows[1])
    QTest.keyClick(viewer.grid, Qt.Key_Minus)
    wait_until(lambda: similar.unlike == (unwanted,))
    wait_until(lambda: "most like" in viewer.statusBar().currentMessage())
    viewer.grid.go_to(2)
    QTest.keyClick(viewer.grid, Qt.Key_Right)
    added = [int(viewer.model.rows[viewer.selection.current])]
    QTest.keyClick(viewer.grid, Qt.Key_Plus)
    QTest.keyClick(viewer.grid, Qt.Key_Right)
    added.append(int(viewer.model.rows[viewer.selection.current]))
    QTest.keyClick(viewer.grid, Qt.Key_Plus)  # before the first answer is there
    wait_until(lambda: set(similar.like) == {10, *added})
