"""Pictures arrive from threads, within bounds."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from glue_qt.utils import process_events

from glue_zoobot.errors import ImageError
from glue_zoobot.qt.gallery.thumbnails import ThumbnailLoader, scaled_image


class Source:
    """Pictures whose grey level is the row; reading can be held back."""

    def __init__(self, shape=(50, 50)):
        self.shape = shape
        self.reads = []
        self.gate = threading.Event()
        self.gate.set()

    def read(self, row):
        self.gate.wait(5)
        self.reads.append(row)
        if row == 13:
            raise ImageError("g13", "cut off")
        if row == 14:
            raise RuntimeError("out of luck")
        return np.full((*self.shape, 3), row, dtype=np.uint8)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def loader(source):
    loader = ThumbnailLoader(max_bytes=20 * 4 * 32 * 32)
    loader.set_source(source)
    loader.set_size(32)
    yield loader
    source.gate.set()
    loader.close()


def load(loader, rows):
    loader.want(rows)
    for _ in range(200):
        if all(loader.get(row) is not None for row in rows):
            return
        process_events(wait=0.01)
    raise AssertionError("not loaded")


def grey(loader, row):
    return loader.get(row).pixmap.toImage().pixelColor(2, 2).red()


def test_each_row_gets_its_own_picture(loader):
    load(loader, [3, 1, 2])
    assert [grey(loader, row) for row in (1, 2, 3)] == [1, 2, 3]


def test_memory_is_bounded_and_the_least_used_goes_first(loader):
    for first in range(20, 80, 10):
        load(loader, range(first, first + 10))
    assert loader.n_bytes <= 20 * 4 * 32 * 32
    assert loader.get(20) is None
    assert loader.get(79) is not None


def test_only_what_is_wanted_last_is_read(loader, source):
    source.gate.clear()
    for first in range(100, 200, 10):  # scrolling fast
        loader.want(range(first, first + 10))
    source.gate.set()
    load(loader, range(190, 200))
    process_events(wait=0.05)
    assert len(source.reads) <= 10 + 8  # the last page, and what the threads had begun


def test_first_things_first(loader, source):
    loader.want(range(50, 70))
    load(loader, range(50, 70))
    assert set(source.reads[:5]) <= set(range(50, 60))


def test_broken_pictures_say_why(loader):
    load(loader, [13, 14])
    assert (loader.get(13).pixmap, loader.get(13).reason) == (None, "cut off")
    assert "out of luck" in loader.get(14).reason


def test_another_size_shows_the_old_picture_until_the_new_one_is_there(loader):
    load(loader, [1])
    loader.set_size(64, 2.0)
    assert loader.get(1).pixmap.width() == 32
    loader.want([1])
    for _ in range(200):
        if loader.get(1).pixmap.width() == 64:
            break
        process_events(wait=0.01)
    pixmap = loader.get(1).pixmap
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (64, 2.0)  # sharp on a fine screen


def test_results_of_another_source_are_dropped(loader, source):
    source.gate.clear()
    loader.want([1, 2])
    loader.set_source(Source())
    source.gate.set()
    process_events(wait=0.1)
    assert loader.get(1) is None
    load(loader, [1])


def test_nothing_runs_after_close(loader, source):
    source.gate.clear()
    loader.want(range(50))
    threading.Timer(0.05, source.gate.set).start()
    loader.close()
    read = len(source.reads)
    process_events(wait=0.05)
    assert len(source.reads) == read < 50


@pytest.mark.parametrize(
    ("shape", "expected"), [((50, 100), (40, 20)), ((90, 30), (13, 40)), ((40, 40), (40, 40))]
)
def test_shape_is_kept(shape, expected):
    image = scaled_image(np.zeros((*shape, 3), dtype=np.uint8), 40)
    assert (image.width(), image.height()) == expected


def test_image_owns_its_pixels():
    pixels = np.full((40, 40, 3), 200, dtype=np.uint8)
    image = scaled_image(pixels[:, ::-1], 40)
    pixels[:] = 0
    assert image.pixelColor(0, 0).red() == 200
