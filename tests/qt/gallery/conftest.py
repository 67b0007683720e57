"""A gallery in a real application, with pictures made up in memory."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data
from glue.core.component import CategoricalComponent
from glue_qt.app import GlueApplication
from glue_qt.utils import get_qapp, process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from glue_zoobot import catalog
from glue_zoobot.catalog.pictures import Bands
from glue_zoobot.errors import ImageError
from glue_zoobot.qt.gallery.viewer import GalleryViewer

N = 60


class Pictures:
    """One plain colour per row; row 5 is broken."""

    def __init__(self, n):
        self.n = n
        self.reads = []

    def __len__(self):
        return self.n

    def bands(self):
        return Bands()

    def read(self, row):
        self.reads.append(row)
        if row == 5:
            raise ImageError("g5", "the file is empty: copy it again")
        return np.full((40, 40, 3), (40 + row % 200, 30, 20), dtype=np.uint8)


class Bench:
    """An application with one gallery, and hands that click in it."""

    def __init__(self, data, monkeypatch, with_pictures=True):
        self.pictures = {data: Pictures(data.size)} if with_pictures else {}
        monkeypatch.setattr(catalog, "images_of", self.pictures.get)
        self.app = GlueApplication()
        self.app.resize(1200, 800)
        self.app.show()
        self.data = data
        self.app.data_collection.append(data)
        self.viewer = self.open()

    def open(self):
        viewer = self.app.new_data_viewer(GalleryViewer, data=self.data)
        viewer.viewer_size = (700, 600)
        process_events(wait=0.05)
        return viewer

    @property
    def mode(self):
        return self.app.session.edit_subset_mode

    @property
    def groups(self):
        return self.app.data_collection.subset_groups

    def members(self, group=0):
        """Rows in a subset of glue."""
        return np.flatnonzero(self.groups[group].subsets[0].to_mask()).tolist()

    def centre(self, position):
        grid = self.viewer.grid
        return grid.visualRect(self.viewer.model.index_of(position)).center()

    def click(self, position, keys=Qt.NoModifier):
        QTest.mouseClick(self.viewer.grid.viewport(), Qt.LeftButton, keys, self.centre(position))
        process_events()

    def drag(self, first, last, keys=Qt.NoModifier):
        port = self.viewer.grid.viewport()
        start, end = self.centre(first), self.centre(last)
        QTest.mousePress(port, Qt.LeftButton, keys, start)
        for step in (0.5, 1.0):
            QTest.mouseMove(port, start + (end - start) * step)
            process_events()
        QTest.mouseRelease(port, Qt.LeftButton, keys, end)
        process_events()

    def key(self, key, keys=Qt.NoModifier):
        QTest.keyClick(self.viewer.grid, key, keys)
        process_events()

    def shown(self):
        process_events()
        return self.viewer.model.rows.tolist()

    def wait_for(self, condition):
        for _ in range(500):
            if condition():
                return
            process_events(wait=0.02)
        raise AssertionError("waited in vain")

    def wait_for_pictures(self):
        def arrived():
            seen = self.viewer.grid.visible_positions()
            return len(seen) and all(self.viewer.model.cell(p).thumbnail is not None for p in seen)

        self.wait_for(arrived)

    def grab(self):
        process_events(wait=0.05)
        return self.viewer.grid.viewport().grab().toImage()

    def colors_in(self, position):
        """Names of the colours in the left margin of a picture, outside first."""
        image, rect = self.grab(), self.viewer.grid.visualRect(self.viewer.model.index_of(position))
        middle = rect.top() + 9 + self.viewer.state.thumbnail_size // 2
        left = rect.center().x() - self.viewer.state.thumbnail_size // 2
        ratio = image.devicePixelRatio()
        points = [QPoint(x, middle) * ratio for x in range(left - 12, left)]
        names = [image.pixelColor(p).name() for p in points]
        return list(dict.fromkeys(names))

    def close(self):
        self.app.close()


@pytest.fixture(scope="session", autouse=True)
def qapp():
    """The application object that any widget needs."""
    return get_qapp()


@pytest.fixture
def galaxies():
    z = np.linspace(0, 1, N)[::-1].copy()
    z[3] = np.nan
    data = Data(label="galaxies")
    data.add_component(CategoricalComponent([f"g{i}" for i in range(N)]), "object_id")
    data.add_component(z, "z")
    data.add_component(np.arange(N) % 3, "kind")
    data.add_component(CategoricalComponent(np.array(["spiral", "", "elliptical"] * (N // 3))), "shape")
    return data


@pytest.fixture
def bench(galaxies, monkeypatch):
    bench = Bench(galaxies, monkeypatch)
    yield bench
    bench.close()


@pytest.fixture
def make_bench(monkeypatch):
    """Benches for other data; closed at the end."""
    made = []

    def make(data, **kwargs):
        made.append(Bench(data, monkeypatch, **kwargs))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
