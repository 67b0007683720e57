"""Views side by side, from whatever columns there are."""

from __future__ import annotations

import numpy as np
import pytest
from glue_qt.utils import process_events
from PIL import Image
from qtpy import QtWidgets
from qtpy.QtCore import QRect

from glue_zoobot.catalog import write_columns
from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt import columns
from glue_zoobot.qt.layout import WINDOW_SIZE, grab, open_in_glue, size_in
from glue_zoobot.qt.similar.panel import SimilarPanel
from tests.qt.conftest import members


@pytest.fixture
def full(data):
    """The survey with positions and magnitudes."""
    rng = np.random.default_rng(0)
    n = data.size
    for label, values in {
        "ra": rng.uniform(0, 360, n),
        "dec": rng.uniform(-90, 90, n),
        "mag_g": rng.normal(18, 1, n),
        "mag_r": rng.normal(17, 1, n),
        "ellipticity": rng.uniform(0, 1, n),
    }.items():
        data.add_component(values, label)
    return data


def titles(app):
    return [viewer.window_title for viewer in app.viewers[0]]


def test_all_views_of_a_full_catalogue(app, full, similar):
    assert open_in_glue(full, like="5877395055527856190", application=app) is app
    map_title = "Map of galaxy images, coloured by ellipticity"
    assert titles(app)[:3] == [map_title, "g - r against mag_r", "Sky"]
    assert titles(app)[3].startswith("Galaxy Gallery")
    assert app.viewers[0][0].state.layers[0].cmap.name == "viridis"  # glue may forget it
    sky = app.viewers[0][2].state
    assert (str(sky.x_att), str(sky.y_att)) == ("ra", "dec")
    assert sky.x_min > sky.x_max  # east to the left
    assert similar.like == (20,)
    assert len(members(similar.group)) == 10  # few, so that they stand out
    assert app.findChild(SimilarPanel).isVisible()


def test_views_fill_the_tab_without_overlap_and_follow_it(app, full):
    open_in_glue(full, application=app)
    for size in ((1200, 800), (1500, 950)):
        app.resize(*size)
        process_events(wait=0.1)
        area = app.current_tab.viewport()
        windows = [viewer.parent().geometry() for viewer in app.viewers[0]]
        covered = sum(window.width() * window.height() for window in windows)
        assert covered == pytest.approx(area.width() * area.height(), rel=0.02)
        for number, one in enumerate(windows):
            assert not any(one.intersects(other) for other in windows[number + 1 :])


def test_a_window_that_the_user_moved_stays_where_it_is(app, full):
    open_in_glue(full, application=app)
    viewer = app.viewers[0][0]
    viewer.parent().setGeometry(30, 40, 300, 200)
    app.resize(1500, 950)
    process_events(wait=0.1)
    assert viewer.parent().geometry().getRect() == (30, 40, 300, 200)


def test_a_view_may_be_closed_before_the_window_is_resized(app, full):
    open_in_glue(full, application=app)
    app.viewers[0][1].close(warn=False)
    process_events(wait=0.1)
    app.resize(1500, 950)
    process_events(wait=0.1)


def test_without_positions_magnitudes_or_embeddings(app, plain):
    open_in_glue(plain, application=app)
    assert len(titles(app)) == 2  # two measurements, and the gallery
    assert app.findChild(SimilarPanel).pages.currentIndex() == 0


def test_the_first_answer_is_always_the_same(app, data, similar):
    open_in_glue(data, application=app)
    first = similar.like
    assert len(first) == 1
    similar.clear()
    open_in_glue(data, application=app)
    assert similar.like == first


def test_an_unknown_galaxy_is_named(app, data):
    with pytest.raises(CatalogueError, match="no galaxy 17"):
        open_in_glue(data, like="17", application=app)


def test_screenshot(app, data, tmp_path):
    path = grab(app, tmp_path / "picture.png", settle=0.05)
    assert Image.open(path).size == (app.width(), app.height())
    with pytest.raises(OSError, match="could not be written"):
        grab(app, tmp_path / "no" / "such" / "folder.png", settle=0)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("mag_g", "mag_r"), ("mag_r", "g - r")),
        (("dered_i", "dered_r", "z"), ("dered_i", "r - i")),
        (("HSC_g", "HSC_z"), ("HSC_z", "g - z")),
        (("petroR90_g", "petroR90_r"), None),
        (("magnitude", "colour"), None),
    ],
)
def test_magnitudes_are_recognised(labels, expected):
    from glue.core import Data

    data = Data(**{label: np.full(5, 18.0) + np.arange(5) for label in labels}, label="d")
    found = columns.magnitude_and_colour(data)
    assert (found and tuple(map(str, found))) == expected


def test_the_newest_map_is_shown(data):
    for number in (1, 2, 10):
        write_columns(data, {f"map_umap_{number}_{axis}": np.zeros(60) for axis in "xy"})
    assert tuple(map(str, columns.map_columns(data))) == ("map_umap_10_x", "map_umap_10_y")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("ra", "dec", "class_code", "petroR90_r", "redshift"), {"redshift", "petroR90_r"}),
        (("similarity", "similarity_rank", "n_votes", "log_mstar", "u_minus_r"), {"log_mstar", "u_minus_r"}),
        (("total_votes", "smooth_debiased", "spiral_fraction"), {"smooth_debiased", "spiral_fraction"}),
        (("something", "total_counts", "petroR90_r"), {"something", "petroR90_r"}),
        (("class_code", "similarity", "petroR90_r"), None),
    ],
)
def test_measured_quantities_are_preferred(labels, expected):
    from glue.core import Data

    rng = np.random.default_rng(0)
    data = Data(**{label: rng.normal(size=50) for label in labels}, label="d")
    found = columns.two_measurements(data)
    assert (found and {cid.label for cid in found}) == expected


def test_columns_that_are_never_known_together_make_no_plot():
    from glue.core import Data

    values = np.linspace(0, 1, 100)
    data = Data(size=np.where(values < 0.5, values, np.nan), redshift=np.where(values < 0.5, np.nan, values))
    assert columns.two_measurements(data) is None


def test_ids_and_constants_are_no_measurements():
    from glue.core import Data

    data = Data(
        number=np.arange(10),
        same=np.ones(10),
        size=np.linspace(0, 1, 10),
        colour=np.linspace(1, 3, 10),
        label="d",
    )
    assert sorted(map(str, columns.two_measurements(data))) == ["colour", "size"]


def test_the_title_says_what_colours_the_map(app, full):
    open_in_glue(full, application=app)
    state = app.viewers[0][0].state
    assert state.title == "Map of galaxy images, coloured by ellipticity"
    state.layers[0].cmap_att = full.id["mag_r"]
    assert state.title == "Map of galaxy images, coloured by mag_r"
    state.layers[0].cmap_mode = "Fixed"
    assert state.title == "Map of galaxy images"
    state.title = "mine"
    state.layers[0].cmap_mode = "Linear"
    assert state.title == "mine"


def test_offscreen_noise_is_dropped_and_nothing_else(app, full, capfd):
    from qtpy import QtCore

    open_in_glue(full, application=app)
    capfd.readouterr()
    QtCore.qWarning("This plugin does not support propagateSizeHints()")
    QtCore.qWarning("something else")
    error = capfd.readouterr().err
    assert "propagateSizeHints" not in error
    assert "something else" in error


def scatter_of_a_long_name(app, data):
    from glue_qt.viewers.scatter import ScatterViewer

    name = "t04_spiral_a08_spiral_weighted_fraction_debiased_of_all_volunteers"
    data.add_component(data["y"], name)
    viewer = app.new_data_viewer(ScatterViewer, data=data)
    viewer.viewer_size = (240, 240)
    viewer.state.x_att = data.id[name]
    process_events(wait=0.1)
    return viewer, name


def test_long_axis_names_fit_and_come_back_in_full(app, data):
    from glue_zoobot.qt.plot_labels import fit_labels

    viewer, _ = scatter_of_a_long_name(app, data)
    fit_labels(viewer)
    assert "…" in viewer.axes.get_xlabel()
    figure = viewer.figure
    assert viewer.axes.xaxis.label.get_window_extent(figure.canvas.get_renderer()).width < figure.bbox.width
    viewer.state.x_att = data.id["x"]
    assert viewer.axes.get_xlabel() == "x"
    data.add_component(data["y"], "mag_r")
    viewer.viewer_size = (110, 200)
    viewer.state.x_att = data.id["mag_r"]
    process_events(wait=0.1)
    assert viewer.axes.get_xlabel() == "mag_r"  # nothing is gained by dots in a short name


def test_long_axis_names_stay_fitted_whatever_glue_redraws(app, data):
    viewer, name = scatter_of_a_long_name(app, data)
    assert "…" in viewer.state.x_axislabel
    viewer._update_axes()  # as glue does now and then
    app.data_collection.new_subset_group("some", data.id["x"] > 0)
    process_events(wait=0.1)
    assert "…" in viewer.axes.get_xlabel()
    viewer.viewer_size = (1100, 500)
    process_events(wait=0.1)
    assert viewer.axes.get_xlabel() == name
    viewer.state.x_axislabel = "of my own, " * 20
    process_events(wait=0.1)
    assert viewer.state.x_axislabel == "of my own, " * 20


def test_the_controls_are_as_wide_for_a_map_as_for_a_gallery(app, full):
    name = "t01_smooth_or_features_a01_smooth_debiased"
    full.add_component(full["ellipticity"], name)
    open_in_glue(full, application=app)
    map_viewer = app.viewers[0][0]
    map_viewer.state.layers[0].cmap_att = full.id[name]
    assert map_viewer.state.title.endswith("coloured by t01_smooth_o…th_debiased")
    column = app.findChild(QtWidgets.QSplitter, "main_splitter").widget(0)
    widths = set()
    for viewer in (app.viewers[0][-1], map_viewer, app.viewers[0][-1]):
        app.current_tab.setActiveSubWindow(viewer.parent())
        process_events(wait=0.05)
        widths.add(column.width())
    assert len(widths) == 1, widths


def test_on_a_low_screen_the_controls_scroll(app, data, monkeypatch):
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.qt import small_screen

    monkeypatch.setattr(small_screen, "_LOW", 10_000)
    for _ in range(2):
        small_screen.let_controls_scroll(app)
    app.new_data_viewer(ScatterViewer, data=data)
    process_events(wait=0.1)
    assert app.minimumSizeHint().height() < 700
    area = app.findChild(small_screen._Controls)
    assert area.widget().isVisible()
    assert area.viewport().width() >= area.widget().minimumSizeHint().width()


def test_a_new_window_fits_on_the_screen():
    assert size_in(QRect(0, 0, 1366, 768)) == (1358, 728)
    assert size_in(QRect(0, 0, 2560, 1440)) == WINDOW_SIZE
