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

from glue_zoobot.qt.similar_panel import SimilarPanel
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
