"""The exact picture that an encoder sees, from a process of its own."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QObject

from glue_zoobot.encoders import find
from glue_zoobot.encoders.pixels import resize
from glue_zoobot.errors import ImageError
from glue_zoobot.qt.gallery.encoder_view import EncoderView
from tests.qt.conftest import wait_until


class Images:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.pixels = rng.integers(0, 256, (3, 90, 110, 3), dtype=np.uint8)

    def read(self, row):
        if row == 2:
            raise ImageError("g2", "it is empty")
        return self.pixels[row]


def test_it_is_exactly_what_the_encoder_gets():
    owner, images, spec = QObject(), Images(), find("mini")
    view, seen, failed = EncoderView(owner), [], []
    view.seen.connect(lambda row, image: seen.append((row, image)))
    view.failed.connect(failed.append)
    view.show(spec, images, 0)
    view.show(spec, images, 1)  # the user went on at once
    wait_until(lambda: seen or failed, seconds=60)
    assert not failed
    row, image = seen[0]
    expected = resize(images.pixels[1], spec).permute(1, 2, 0).numpy()
    got = [[image.pixelColor(x, y).getRgb()[:3] for x in range(image.width())] for y in range(image.height())]
    assert row == 1
    assert np.array_equal(np.array(got, dtype=np.uint8), expected)
    view.show(spec, images, 2)
    wait_until(lambda: failed)
    assert "it is empty" in failed[0]
    view.release()
