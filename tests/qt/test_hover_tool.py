"""Move over the points of a scatter plot."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest

from tests.qt.conftest import wait_until


def move_to(viewer, x, y):
    canvas = viewer.central_widget.canvas
    ratio = canvas.device_pixel_ratio
    pixel_x, pixel_y = viewer.axes.transData.transform((x, y))
    QTest.mouseMove(canvas, QPoint(1, 1))  # Qt drops a move to where the cursor was in the last test
    QTest.mouseMove(canvas, QPoint(round(pixel_x / ratio), round(canvas.height() - pixel_y / ratio)))
    process_events()


def move_over(viewer, data, row):
    move_to(viewer, data["x"][row], data["y"][row])


@pytest.fixture
def tool(scatter):
    scatter.toolbar.active_tool = "zoobot:hover"
    return scatter.toolbar.tools["zoobot:hover"]


def shown_grey(card):
    """Grey level in the middle of the picture shown; -1 while there is none."""
    pixmap = card.popup.picture.pixmap()
    if pixmap is None or pixmap.isNull():
        return -1
    return pixmap.toImage().pixelColor(pixmap.width() // 2, pixmap.height() // 2).red()


def test_the_galaxy_under_the_cursor_shows_its_own_picture_and_values(app, data, scatter, tool):
    for row in (20, 41):
        move_over(scatter, data, row)
        wait_until(lambda row=row: tool.card.popup.isVisible() and shown_grey(tool.card) == row)
        assert tool.card.row == row
        assert str(data["objid"][row]) in tool.card.popup.values.text()
    move_to(scatter, 0, 0)
    wait_until(lambda: not tool.card.popup.isVisible())
    assert len(app.data_collection.subset_groups) == 0


def test_only_visible_layers_count(data, scatter, tool):
    scatter.layers[0].visible = False
    move_over(scatter, data, 20)
    process_events(wait=0.1)
    assert not tool.card.popup.isVisible()


def test_galaxies_without_coordinates_are_passed_over(data, scatter, tool):
    from glue_zoobot.catalog import write_columns

    holes = np.where(np.arange(60) % 2, np.nan, data["x"])
    scatter.state.x_att = write_columns(data, {"holes": holes})["holes"]
    process_events(wait=0.1)
    move_to(scatter, data["x"][20], data["y"][20])
    wait_until(lambda: tool.card.popup.isVisible())
    assert tool.card.row == 20


def test_a_subset_of_a_hidden_catalogue_is_met(app, data, scatter, tool):
    app.data_collection.new_subset_group("high", data.id["redshift"] > 0.5)
    scatter.layers[0].visible = False
    process_events()
    move_over(scatter, data, 10)
    process_events(wait=0.1)
    assert not tool.card.popup.isVisible()
    move_over(scatter, data, 45)
    wait_until(lambda: tool.card.popup.isVisible() and tool.card.row == 45)


def test_a_linked_catalogue_shows_its_own_pictures(app, data, scatter, tool, tmp_path):
    from glue.core.link_helpers import LinkSame

    from glue_zoobot.catalog import load
    from tests.catalog.conftest import write_survey

    other = load(write_survey(tmp_path / "other", n=5))
    other.add_component(np.full(5, 0.0), "u")
    other.add_component(np.linspace(-0.4, 0.4, 5), "v")
    app.data_collection.append(other)
    for ours, theirs in (("x", "u"), ("y", "v")):
        app.data_collection.add_link(LinkSame(data.id[ours], other.id[theirs]))
    scatter.add_data(other)
    process_events(wait=0.1)
    scatter.toolbar.active_tool = "zoobot:hover"
    move_to(scatter, 0.0, 0.2)
    wait_until(lambda: tool.card.popup.isVisible() and shown_grey(tool.card) == 3)


def test_a_catalogue_without_images_says_what_to_do(app):
    from glue.core import Data
    from glue_qt.viewers.scatter import ScatterViewer

    data = Data(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 0.0], label="bare")
    app.data_collection.append(data)
    viewer = app.new_data_viewer(ScatterViewer, data=data)
    viewer.state.x_att, viewer.state.y_att = data.id["x"], data.id["y"]
    process_events(wait=0.1)
    viewer.toolbar.active_tool = "zoobot:hover"
    move_over(viewer, data, 1)
    card = viewer.toolbar.tools["zoobot:hover"].card
    wait_until(lambda: "Attach images" in card.popup.picture.text())
    assert card.popup.isVisible()


@pytest.mark.parametrize("how", ["tool", "viewer"])
def test_nothing_is_left_when_it_ends(data, scatter, tool, how):
    before, popup = threading.active_count(), tool.card.popup
    move_over(scatter, data, 20)
    wait_until(popup.isVisible)
    if how == "tool":
        scatter.toolbar.active_tool = None
        assert not popup.isVisible()
    else:
        scatter.close(warn=False)
        process_events(wait=0.1)
        assert tool.card is None
        assert threading.active_count() <= before


@pytest.fixture
def sky(app, data):
    """An image with a WCS, and the catalogue as points over it, linked by right ascension and declination."""
    from astropy.wcs import WCS
    from glue.core import Data
    from glue.core.link_helpers import LinkSame
    from glue_qt.viewers.image import ImageViewer

    from glue_zoobot.catalog import write_columns

    frame = WCS(naxis=2)
    frame.wcs.ctype, frame.wcs.crval = ["RA---TAN", "DEC--TAN"], [150, 2]
    frame.wcs.crpix, frame.wcs.cdelt = [50.5, 50.5], [-0.01, 0.01]
    image = Data(label="sky", coords=frame, flux=np.zeros((100, 100)))
    place = np.arange(60)
    sky = {"sky_ra": 150 + 0.05 * (place % 8 - 4), "sky_dec": 2 + 0.05 * (place // 8 - 4)}
    columns = write_columns(data, {name: values.astype(np.float64) for name, values in sky.items()})
    app.data_collection.append(image)
    for world, column in zip(image.world_component_ids, ("sky_dec", "sky_ra"), strict=True):
        app.data_collection.add_link(LinkSame(world, columns[column]))
    viewer = app.new_data_viewer(ImageViewer, data=image)
    viewer.add_data(data)
    process_events(wait=0.1)
    viewer.toolbar.active_tool = "zoobot:hover"
    return viewer, frame, sky


def move_over_sky(viewer, frame, ra, dec):
    move_to(viewer, *frame.wcs_world2pix(ra, dec, 0))


def test_a_catalogue_over_an_image(data, sky):
    viewer, frame, places = sky
    card = viewer.toolbar.tools["zoobot:hover"].card
    for row in (20, 41):
        move_over_sky(viewer, frame, places["sky_ra"][row], places["sky_dec"][row])
        wait_until(lambda row=row: card.popup.isVisible() and shown_grey(card) == row)
        assert str(data["objid"][row]) in card.popup.values.text()
    move_to(viewer, 1, 1)
    wait_until(lambda: not card.popup.isVisible())


def test_points_over_an_image_that_have_moved(app, data, sky):
    from glue_zoobot.catalog import write_columns

    viewer, frame, places = sky
    card = viewer.toolbar.tools["zoobot:hover"].card
    move_over_sky(viewer, frame, places["sky_ra"][20], places["sky_dec"][20])
    wait_until(lambda: card.popup.isVisible() and card.row == 20)
    write_columns(data, {name: values[::-1].copy() for name, values in places.items()})
    process_events(wait=0.1)
    move_over_sky(viewer, frame, places["sky_ra"][20], places["sky_dec"][20])
    wait_until(lambda: card.popup.isVisible() and card.row == 39)


def test_an_image_without_a_catalogue(app, data):
    from glue.core import Data
    from glue_qt.viewers.image import ImageViewer

    image = Data(label="sky", flux=np.zeros((100, 100)))
    app.data_collection.append(image)
    viewer = app.new_data_viewer(ImageViewer, data=image)
    viewer.toolbar.active_tool = "zoobot:hover"
    move_to(viewer, 50, 50)
    process_events(wait=0.1)
    assert not viewer.toolbar.tools["zoobot:hover"].card.popup.isVisible()
