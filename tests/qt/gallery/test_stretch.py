"""Stretch and bands of fluxes in the gallery: for the eye alone, and only where there are fluxes."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from glue.core.state import GlueSerializer, GlueUnSerializer
from glue_qt.app import GlueApplication
from glue_qt.utils import process_events
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot import catalog
from glue_zoobot.catalog import RowImages
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader
from glue_zoobot.qt.gallery.viewer import GalleryViewer
from tests.qt.conftest import wait_until


def galaxy(peak, seed):
    y, x = np.mgrid[:48, :48] - 24
    noise = np.random.default_rng(seed).normal(0, 1, (48, 48))
    return (peak * np.exp(-np.hypot(x, y) / 5) + noise).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b", "c"):
        for number, band in enumerate("ugri"):
            fits.writeto(tmp_path / f"{name}_{band}.fits", galaxy(60 * 4**number, number))
    return tmp_path


@pytest.fixture
def viewer(folder):
    app = GlueApplication()
    app.show()
    data = catalog.load(folder)
    app.data_collection.append(data)
    viewer = app.new_data_viewer(GalleryViewer, data=data)
    wait_until(lambda: viewer.has_fluxes)
    yield viewer
    app.close()


def colour(viewer, row=0):
    """Mean red, green, blue of a thumbnail, once the one of the present stretch is there."""
    loader = viewer.thumbnails
    wait_until(lambda: loader._is_fresh(row))
    image = loader.get(row).pixmap.toImage()
    middle = [image.pixelColor(image.width() // 2 + k, image.height() // 2) for k in range(-8, 9)]
    return np.mean([color.getRgb()[:3] for color in middle], axis=0)


def controls(viewer):
    return viewer.options.picture.stretch


def test_another_stretch_on_request(viewer):
    before = colour(viewer)
    QTest.mouseClick(viewer.options.picture.fold, Qt.LeftButton)
    controls(viewer).bool_restretch.setChecked(True)
    controls(viewer).value_softening.setValue(0)
    softened = colour(viewer)
    assert softened.mean() > before.mean()
    controls(viewer).value_percentile.setValue(90)
    assert colour(viewer).mean() >= softened.mean()
    QTest.mouseClick(viewer.options.picture.as_is, Qt.LeftButton)
    assert viewer.state.stretch is None
    np.testing.assert_array_equal(colour(viewer), before)


def choose(combo, text):
    combo.setCurrentText(text)
    combo.activated.emit(combo.currentIndex())


def test_choice_of_bands(viewer):
    bands = controls(viewer).bands
    viewer.state.restretch = True
    assert [combo.currentText() for combo in bands.channels.values()] == ["i", "r", "g"]
    red = colour(viewer)
    choose(bands.channels["red"], "u")
    assert viewer.state.stretch.bands == ("u", "r", "g")
    assert colour(viewer)[0] < red[0]
    choose(bands.mode, "u alone")
    assert viewer.state.stretch.bands == ("u",)
    assert not bands.colours.isEnabled()
    assert np.ptp(colour(viewer)) == 0
    choose(bands.mode, "In colour")
    assert viewer.state.stretch.bands == ("u", "r", "g")
    choose(bands.channels["green"], "mean")
    assert viewer.state.stretch.bands == ("u", "g")


def test_the_catalogue_s_own_picture_is_never_changed(viewer):
    images = catalog.images_of(viewer.state.data)
    before = images.read(0)
    viewer.state.flux_bands, viewer.state.restretch = "u", True
    colour(viewer)
    assert (images.read(0) == before).all()


def test_the_detail_view_follows_and_says_so(viewer):
    viewer.show_detail(0)
    detail = viewer.detail
    assert not detail.note.isVisible()
    viewer.state.flux_bands, viewer.state.restretch = "u", True
    wait_until(lambda: detail.large._is_fresh(0))
    process_events()
    assert detail.note.isVisible()
    assert "(u), for the eye only" in detail.note.text()
    assert np.ptp(detail.picture.pixmap.toImage().pixelColor(20, 20).getRgb()[:3]) == 0
    viewer.state.restretch = False
    process_events()
    assert not detail.note.isVisible()


def test_a_stretch_seen_before_is_read_once(viewer, monkeypatch):
    colour(viewer)
    reads, show = [], RowImages.show
    monkeypatch.setattr(RowImages, "show", lambda self, row, how: reads.append(row) or show(self, row, how))
    for bands in ("u", "", "u", "r", "u"):
        viewer.state.flux_bands, viewer.state.restretch = bands, True
        wait_until(lambda: all(viewer.thumbnails._is_fresh(row) for row in range(3)))
    assert sorted(reads) == sorted(3 * [0, 1, 2])


def test_a_session_keeps_it(viewer):
    viewer.state.restretch, viewer.state.softening, viewer.state.flux_bands = True, 0.5, "i,r,u"
    text = GlueSerializer(viewer.session.application).dumps()
    app = GlueUnSerializer.loads(text).object("__main__")
    try:
        restored = app.viewers[0][0]
        wait_until(lambda: restored.has_fluxes)
        assert restored.state.stretch == viewer.state.stretch
        bands = controls(restored).bands
        assert [combo.currentText() for combo in bands.channels.values()] == ["i", "r", "u"]
    finally:
        app.close()


def test_pictures_without_fluxes_cannot_be_stretched(bench):
    process_events(wait=0.05)
    section = controls(bench.viewer)
    assert not section.bool_restretch.isEnabled()
    assert "without the fluxes" in section.bool_restretch.toolTip()


def test_the_picture_before_stays_while_the_next_one_is_read(folder):
    from glue_zoobot.images.stretching import Stretch

    loader = ThumbnailLoader()
    loader.set_source(catalog.images_of(catalog.load(folder)))
    loader.want([0])
    wait_until(lambda: loader.get(0) is not None)
    first = loader.get(0)
    loader.set_stretch(Stretch(bands=("u",)))
    assert loader.get(0) is first
    loader.want([0])
    wait_until(lambda: loader.get(0) is not first)
    loader.set_stretch(None)
    assert loader.get(0) is first
    loader.close()
