"""Brightness, contrast and inversion of the pictures on the screen."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.qt.gallery.look import AS_IS, Look
from glue_zoobot.qt.gallery.thumbnails import scaled_image


def levels(look):
    """What becomes of the levels 0 to 255, seen through a picture."""
    pixels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    image = look.of(scaled_image(pixels, 256))
    return [image.pixelColor(x, 0).red() for x in range(256)]


def test_as_it_is():
    assert levels(AS_IS) == list(range(256))


@pytest.mark.parametrize("brightness", [-1, 0.5, 1])
def test_brightness_keeps_black_and_white(brightness):
    seen = levels(Look(brightness))
    assert (seen[0], seen[255]) == (0, 255)
    assert (seen[100] > 100) == (brightness > 0)
    assert seen == sorted(seen)


def test_contrast_is_about_middle_grey():
    hard, soft = levels(Look(contrast=0.5)), levels(Look(contrast=-0.5))
    assert hard[60] < 60 < soft[60]
    assert soft[200] < 200 < hard[200]
    assert abs(hard[128] - 128) < 3


def test_inversion_is_last():
    assert levels(Look(inverted=True)) == list(range(255, -1, -1))
    assert levels(Look(0.4, 0.2, True)) == [255 - level for level in levels(Look(0.4, 0.2))]


def test_odd_widths():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Look(inverted=True).of(scaled_image(pixels, 7))
    assert image.pixelColor(6, 4).getRgb()[:3] == tuple(255 - pixels[4, 6])


def red_of(bench, position):
    bench.wait_for_pictures()
    image = bench.grab()
    point = bench.centre(position) * image.devicePixelRatio()
    return image.pixelColor(point.x(), point.y() - 10).red()


def test_controls_change_all_pictures_at_once_and_read_nothing_again(bench):
    before = red_of(bench, 7)
    assert before == 47
    section = bench.viewer.options.picture
    assert not section.content.isVisible()
    QTest.mouseClick(section.fold, Qt.LeftButton)
    reads = len(bench.pictures[bench.data].reads)
    section.bool_invert.setChecked(True)
    assert red_of(bench, 7) == 255 - 47
    section.bool_invert.setChecked(False)
    section.value_brightness.setValue(150)
    assert bench.viewer.state.brightness == pytest.approx(0.5)
    assert red_of(bench, 7) > 60
    QTest.mouseClick(section.as_is, Qt.LeftButton)
    assert red_of(bench, 7) == 47
    assert bench.viewer.state.brightness == 0
    assert len(bench.pictures[bench.data].reads) == reads
