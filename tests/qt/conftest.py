"""A small embedded survey in a real main window, and hands that click in it."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest
from glue_qt.utils import get_qapp, process_events

import glue_zoobot.qt
from tests.catalog.conftest import ids_of_survey, vectors, write_store, write_survey


def wait_until(condition, seconds=30.0):
    """Let the window live until something has happened."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        process_events(wait=0.01)
    process_events()


def click_point(viewer, data, row, x, y):
    """Click with the left button where a row of `data` is drawn in a scatter viewer."""
    click_at(viewer, *viewer.axes.transData.transform((data[x][row], data[y][row])))


def click_at(viewer, pixel_x, pixel_y):
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    canvas = viewer.central_widget.canvas
    ratio = canvas.device_pixel_ratio
    place = QPoint(round(pixel_x / ratio), round(canvas.height() - pixel_y / ratio))
    QTest.mouseClick(canvas, Qt.LeftButton, Qt.NoModifier, place)
    process_events()


def members(group):
    """Rows of the first dataset that a subset group selects."""
    return np.flatnonzero(group.subsets[0].to_mask()).tolist()


@pytest.fixture
def app():
    from glue_qt.app import GlueApplication

    get_qapp()
    glue_zoobot.qt.setup()
    application = GlueApplication()
    application.resize(1200, 800)
    application.show()
    yield application
    with contextlib.suppress(RuntimeError):  # a test that is about closing has closed it
        application.close()
    process_events()


@pytest.fixture
def survey(tmp_path):
    """Path of a catalogue of 60 galaxies with images."""
    return write_survey(tmp_path / "project")


@pytest.fixture
def store(survey):
    """Folder of its embeddings, in which the neighbours of row i are i - 1 and i + 1."""
    path = survey.with_name("survey.csv.embeddings") / "test"
    write_store(path, ids_of_survey(), vectors(), broken=[ids_of_survey()[50]])
    return path


@pytest.fixture
def plain(app, survey):
    """The survey in the window, without embeddings, with two columns to plot."""
    from glue_zoobot.catalog import load

    data = load(survey)
    angle = np.linspace(0, 2 * np.pi, data.size, endpoint=False)
    data.add_component(np.cos(angle), "x")
    data.add_component(np.sin(angle), "y")
    app.data_collection.append(data)
    return data


@pytest.fixture
def data(plain, store):
    """The same with embeddings; row 50 has none."""
    from glue_zoobot.catalog import attach_embeddings

    attach_embeddings(plain, store)
    return plain


@pytest.fixture
def scatter(app, data):
    """A scatter plot in which every galaxy is a point of its own on a circle."""
    from glue_qt.viewers.scatter import ScatterViewer

    viewer = app.new_data_viewer(ScatterViewer, data=data)
    viewer.viewer_size = (700, 600)
    viewer.state.x_att, viewer.state.y_att = data.id["x"], data.id["y"]
    process_events(wait=0.1)
    return viewer


@pytest.fixture
def similar(app):
    """The similarity question of the window."""
    from glue_zoobot.catalog import similar_galaxies

    return similar_galaxies(app.data_collection)
