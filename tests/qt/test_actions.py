"""Menus, with real actions of the main window."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from glue.core import Data
from glue.core.component import CategoricalComponent
from glue.core.subset import ElementSubsetState
from glue.core.subset_group import GroupedSubset
from glue_qt.utils import process_events
from qtpy import QtWidgets

from glue_zoobot.catalog import embeddings_of, images_of
from glue_zoobot.catalog.columns import provenance_of
from glue_zoobot.qt.jobs_panel import JobsPanel, jobs_panel
from glue_zoobot.qt.similar.panel import SimilarPanel
from tests.catalog.conftest import ids_of_survey
from tests.qt.conftest import members, wait_until


def choose(app, layer, label):
    """Select a layer at the left and trigger an action of its right-click menu."""
    tree = app._layer_widget.ui.layerTree
    if isinstance(layer, GroupedSubset):  # which glue cannot select by itself
        [group] = tree._model.to_indices([layer.group])
        tree.select_indices(tree._model.index(0, 0, group))
    else:
        tree.set_selected_layers([layer])
    process_events()
    [action] = [action for action in tree.actions() if action.text() == label]
    assert action.isEnabled()
    action.trigger()


def menu_entry(app, label):
    [entry] = [entry for entry in app._actions["plugins"] if entry.text() == label]
    return entry


@pytest.fixture
def bare(app):
    """Ids and nothing else, as glue itself would have loaded them."""
    data = Data(label="bare")
    data.add_component(CategoricalComponent(np.array(ids_of_survey()[:40])), "objid")
    app.data_collection.append(data)
    return data


def test_find_similar_to_a_subset_group(app, data, similar):
    group = app.data_collection.new_subset_group("mine", ElementSubsetState([10, 11, 12], data=data))
    state = group.subset_state
    similar.count = 2
    choose(app, group, "Find similar to this subset")
    wait_until(lambda: similar.like == (10, 11, 12))
    assert sorted(members(similar.group)) == [9, 13]
    assert group.subset_state is state
    assert members(group) == [10, 11, 12]
    assert app.session.edit_subset_mode.edit_subset == [group]
    assert app.findChild(SimilarPanel).isVisible()


def test_find_similar_to_one_dataset_of_a_group(app, data, similar):
    group = app.data_collection.new_subset_group("mine", ElementSubsetState([10], data=data))
    choose(app, group.subsets[0], "Find similar to this subset")
    wait_until(lambda: similar.like == (10,))


def test_a_subset_without_embeddings_says_what_to_do(app, plain):
    group = app.data_collection.new_subset_group("mine", ElementSubsetState([10], data=plain))
    choose(app, group, "Find similar to this subset")
    [box] = app.findChildren(QtWidgets.QMessageBox)
    assert "Zoobot: Embed" in box.text()
    box.close()


def test_plugins_menu_opens_the_panels(app):
    menu_entry(app, "Zoobot: similar galaxies panel").trigger()
    menu_entry(app, "Zoobot: jobs panel").trigger()
    assert app.findChild(SimilarPanel).isVisible()
    assert app.findChild(JobsPanel).isVisible()


def test_attach_images_and_embeddings(app, bare, survey, store):
    with patch("glue_zoobot.qt.actions._ask_for_images", return_value=str(survey)):
        choose(app, bare, "Zoobot: Attach images…")
    wait_until(lambda: "40 of 40 rows of bare have images now" in app.statusBar().currentMessage())
    assert images_of(bare).read(7).mean() == 7
    with patch.object(QtWidgets.QFileDialog, "getExistingDirectory", return_value=str(store)):
        choose(app, bare, "Zoobot: Attach embeddings…")
    wait_until(lambda: "40 of 40 rows of bare have embeddings now" in app.statusBar().currentMessage())
    assert len(embeddings_of(bare)) == 40


def test_what_cannot_be_attached_is_explained(app, bare, tmp_path):
    with patch.object(QtWidgets.QFileDialog, "getExistingDirectory", return_value=str(tmp_path)):
        choose(app, bare, "Zoobot: Attach embeddings…")
    wait_until(lambda: app.findChildren(QtWidgets.QMessageBox))
    [box] = app.findChildren(QtWidgets.QMessageBox)
    assert str(tmp_path) in box.text()
    box.close()


def test_attaching_can_be_cancelled(app, bare):
    with patch.object(QtWidgets.QFileDialog, "getExistingDirectory", return_value=""):
        choose(app, bare, "Zoobot: Attach embeddings…")
    assert embeddings_of(bare) is None


def test_a_map_becomes_new_columns(app, data):
    choose(app, data, "Zoobot: Add map (PCA)")
    wait_until(lambda: data.find_component_id("map_pca_1_x") is not None, 60)
    first = data["map_pca_1_x"].copy()
    assert provenance_of(data, "map_pca_1_x")["method"] == "pca"
    assert np.isnan(first[50])
    assert np.isfinite(np.delete(first, 50)).all()
    assert abs(np.corrcoef(np.delete(first, 50), np.delete(np.arange(60), 50))[0, 1]) > 0.9
    choose(app, data, "Zoobot: Add map (PCA)")
    wait_until(lambda: data.find_component_id("map_pca_2_x") is not None, 60)
    assert np.array_equal(data["map_pca_1_x"], first, equal_nan=True)
    texts = [line.text.text() for line in jobs_panel(app).lines]
    assert ["map_pca_1_x" in text for text in texts] == [True, False]


def test_a_map_needs_embeddings(app, plain):
    choose(app, plain, "Zoobot: Add map (UMAP)")
    [box] = app.findChildren(QtWidgets.QMessageBox)
    assert "no embeddings yet" in box.text()
    box.close()


def test_check_installation(app):
    from glue_zoobot.qt.check import CheckDialog

    menu_entry(app, "Zoobot: check installation").trigger()
    dialog = app.findChild(CheckDialog)
    wait_until(lambda: "Looking" not in dialog.summary.text(), 60)
    text = dialog.text()
    for name in ("glue-zoobot", "torch", "GPU", "Qt binding", "encoders", "encoder cache", "glue-core"):
        assert name in text
    assert "Everything that is needed works" in dialog.summary.text()
    dialog.close()
