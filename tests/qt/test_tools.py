"""Click a point in a scatter plot."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core.roi import RectangularROI
from glue.core.subset import ElementSubsetState
from glue_qt.utils import process_events
from qtpy import QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.qt.similar.panel import SimilarPanel
from tests.qt.conftest import click_at, click_point, members, wait_until


@pytest.fixture
def tool(scatter):
    scatter.toolbar.active_tool = "zoobot:similar"
    return scatter


def status(viewer):
    return viewer.statusBar().currentMessage()


def test_click_finds_the_look_alikes_of_that_row(app, data, tool, similar):
    similar.count = 2
    click_point(tool, data, 20, "x", "y")
    wait_until(lambda: similar.like)
    assert similar.data is data
    assert similar.like == (20,)
    [group] = app.data_collection.subset_groups
    assert members(group) == [19, 21]
    assert "most like 5877395055527856190" in status(tool)
    assert app.findChild(SimilarPanel).isVisible()


def test_click_beside_the_points_changes_nothing(app, data, tool, similar):
    click_at(tool, *tool.axes.transData.transform((0, 0)))
    assert similar.like == ()
    assert len(app.data_collection.subset_groups) == 0
    assert status(tool) == "No galaxy there: click closer to a point"


def test_a_galaxy_without_embedding_is_named(data, tool, similar):
    click_point(tool, data, 50, "x", "y")
    wait_until(lambda: "no embedding" in status(tool))
    assert "5877395055527856400" in status(tool)
    assert similar.like == ()


def test_a_catalogue_without_embeddings_says_what_to_do(app, plain):
    from glue_qt.viewers.scatter import ScatterViewer

    viewer = app.new_data_viewer(ScatterViewer, data=plain)
    viewer.state.x_att, viewer.state.y_att = plain.id["x"], plain.id["y"]
    viewer.toolbar.active_tool = "zoobot:similar"
    process_events(wait=0.1)
    click_point(viewer, plain, 3, "x", "y")
    wait_until(lambda: "no embeddings yet" in status(viewer))


def test_the_users_lasso_stays_his_and_stays_active(app, data, scatter, similar):
    scatter.apply_roi(RectangularROI(-2, 2, 0.5, 2))
    [lasso] = app.data_collection.subset_groups
    state, before = lasso.subset_state, members(lasso)
    scatter.toolbar.active_tool = "zoobot:similar"
    click_point(scatter, data, 40, "x", "y")
    wait_until(lambda: similar.like)
    ours = similar.group
    assert ours is not lasso
    assert lasso.subset_state is state
    assert app.session.edit_subset_mode.edit_subset == [lasso]
    scatter.apply_roi(RectangularROI(-2, 2, -2, -0.5))
    assert members(lasso) != before
    assert members(ours) == members(similar.group)
    assert len(app.data_collection.subset_groups) == 2


def test_without_an_active_subset_the_next_lasso_is_a_new_one(app, data, tool, similar):
    click_point(tool, data, 40, "x", "y")
    wait_until(lambda: similar.like)
    answer = members(similar.group)
    tool.apply_roi(RectangularROI(-2, 2, 0.5, 2))
    assert len(app.data_collection.subset_groups) == 2
    assert members(similar.group) == answer


def test_a_hidden_layer_is_not_clicked(app, data, tool, similar):
    app.data_collection.new_subset_group("few", ElementSubsetState([10], data=data))
    tool.state.layers[0].visible = False
    process_events()
    click_point(tool, data, 20, "x", "y")
    process_events(wait=0.2)
    assert similar.like == ()
    click_point(tool, data, 10, "x", "y")
    wait_until(lambda: similar.like == (10,))


@pytest.mark.parametrize("change", [{"x_log": True}, {"plot_mode": "polar"}])
def test_other_axes(data, tool, similar, change):
    from glue_zoobot.catalog import write_columns

    columns = write_columns(data, {"r": np.linspace(1, 1000, 60), "phi": np.linspace(0.1, 6, 60)})
    if "x_log" in change:
        x, y = columns["r"], columns["phi"]
    else:
        x, y = columns["phi"], columns["r"]
    tool.state.x_att, tool.state.y_att = x, y
    for name, value in change.items():
        setattr(tool.state, name, value)
    process_events(wait=0.1)
    tool.toolbar.active_tool = "zoobot:similar"
    click_point(tool, data, 30, x, y)
    wait_until(lambda: similar.like == (30,))


def test_shortcut_and_button(scatter):
    scatter.setFocus()
    assert scatter.toolbar.tools["zoobot:similar"].shortcut == "N"
    action = scatter.toolbar.actions["zoobot:similar"]
    assert not action.icon().isNull()
    button = scatter.toolbar.widgetForAction(action)
    assert isinstance(button, QtWidgets.QToolButton)
    QTest.mouseClick(button, Qt.LeftButton)
    assert scatter.toolbar.active_tool is scatter.toolbar.tools["zoobot:similar"]


def stars(viewer):
    [line] = [line for line in viewer.axes.lines if line.get_marker() == "*"]
    return np.column_stack(line.get_data())


def test_the_button_is_the_first_and_its_key_works_in_the_whole_viewer(scatter):
    action = scatter.toolbar.actions["zoobot:similar"]
    assert QtWidgets.QToolBar.actions(scatter.toolbar)[0] is action
    scatter.activateWindow()
    scatter.central_widget.canvas.setFocus()
    for expected in ("CLICK on a point", "is off", "CLICK on a point"):
        QTest.keyClick(scatter.central_widget.canvas, Qt.Key_N)
        process_events()
        assert expected in status(scatter)


def test_the_status_follows_count_and_questions_from_elsewhere(app, data, tool, similar):
    click_point(tool, data, 20, "x", "y")
    wait_until(lambda: "most like" in status(tool))
    similar.count = 7
    wait_until(lambda: status(tool).startswith("Showing the 7 galaxies"))
    similar.find(data, [3, 4])
    wait_until(lambda: status(tool) == "Showing the 7 galaxies most like 2 galaxies")
    tool.set_status("something else")
    similar.count = 8
    process_events(wait=0.1)
    assert status(tool) == "something else"


def test_the_question_is_marked_where_it_is_drawn(app, data, scatter, similar):
    assert len(stars(scatter)) == 0
    similar.find(data, [20, 30], unlike=[50 - 1])
    expected = np.column_stack([data["x"], data["y"]])
    np.testing.assert_allclose(stars(scatter), expected[[20, 30]])
    scatter.state.x_max = expected[20, 0]  # at the border: the star is drawn whole
    np.testing.assert_allclose(stars(scatter), expected[[20, 30]])
    assert not scatter.axes.lines[0].get_clip_on()
    scatter.state.x_max = expected[20, 0] - 0.01
    np.testing.assert_allclose(stars(scatter), expected[[30]])  # what is beyond it is not drawn
    scatter.state.x_max = 1.1
    scatter.state.y_att = data.id["x"]
    np.testing.assert_allclose(stars(scatter)[:, 1], data["x"][[20, 30]])
    scatter.state.plot_mode = "polar"
    assert len(stars(scatter)) == 2
    similar.find(data, range(40))
    similar.clear()
    assert len(stars(scatter)) == 0
    assert app.data_collection.subset_groups == ()


def test_a_closed_viewer_follows_no_question(app, data, scatter, similar):
    scatter.close(warn=False)
    process_events(wait=0.1)
    similar.find(data, [20])


def test_a_plot_keeps_its_colours_when_columns_are_added(data, scatter):
    import matplotlib

    from glue_zoobot.catalog import write_columns

    layer = scatter.state.layers[0]
    layer.cmap_mode, layer.cmap_att = "Linear", data.id["redshift"]
    layer.cmap = matplotlib.colormaps["plasma"]
    layer.cmap_vmin, layer.cmap_vmax = 0.2, 0.4
    write_columns(data, {"new": np.zeros(60), "newer": np.ones(60)})
    process_events(wait=0.1)
    assert (layer.cmap.name, layer.cmap_vmin, layer.cmap_vmax) == ("plasma", 0.2, 0.4)
    assert layer.cmap_att is data.id["redshift"]
