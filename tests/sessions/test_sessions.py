"""Sessions of this and every earlier version open: all of it, moved, with parts missing, and without us."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from tests.qt.conftest import members, wait_until

VERSIONS = sorted(Path(__file__).parent.glob("v*"))
WITHOUT_US = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "glue_zoobot":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import numpy as np
from glue.main import load_plugins
from glue_qt.app import GlueApplication
from glue_qt.utils import get_qapp, process_events
get_qapp()
load_plugins()
app = GlueApplication.restore_session(sys.argv[1], show=False)
process_events()
assert not [name for name in sys.modules if name.startswith("glue_zoobot")]
data = app.data_collection[0]
for group in app.data_collection.subset_groups:
    print(group.label, np.flatnonzero(group.subsets[0].to_mask()).tolist())
print([component.label for component in data.main_components])
print([type(viewer).__name__ for tab in app.viewers for viewer in tab])
"""


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def project(request, tmp_path, monkeypatch):
    """A copy of what a user of some version has on disk."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(request.param, tmp_path / "somewhere" / "else"))


@pytest.fixture
def opened():
    """Open a session as glue does; closed after the test."""
    from glue_qt.app import GlueApplication
    from glue_qt.utils import get_qapp, process_events

    import glue_zoobot.qt

    get_qapp()
    glue_zoobot.setup()
    glue_zoobot.qt.setup()
    windows = []

    def restore(path):
        windows.append(GlueApplication.restore_session(str(path), show=True))
        process_events(wait=0.2)
        return windows[-1]

    yield restore
    for window in windows:
        window.close()
    process_events()


def gallery_of(app):
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    return next(viewer for tab in app.viewers for viewer in tab if isinstance(viewer, GalleryViewer))


def panel_of(app):
    from glue_zoobot.qt.similar.panel import SimilarPanel

    wait_until(lambda: app.findChild(SimilarPanel) is not None)
    return app.findChild(SimilarPanel)


def groups_of(app):
    return {group.label: members(group) for group in app.data_collection.subset_groups}


def test_everything_is_there_and_goes_on(project, opened):
    from glue_zoobot.catalog import embeddings_of, images_of, similar_galaxies
    from glue_zoobot.catalog.interest import interest_of
    from glue_zoobot.catalog.teaching import teaching_of

    app = opened(project / "everything.glu")
    data = app.data_collection[0]
    assert data.size == 48
    assert images_of(data).read(5).shape == (40, 40, 3)
    assert embeddings_of(data).path == project / "sample" / "catalogue.ecsv.embeddings" / "first"
    question = similar_galaxies(app.data_collection)
    assert question.count == 4
    assert len(question.like) == len(question.unlike) == 1
    kept = groups_of(app)["kept rings"]
    assert sorted(question.rows[:4].tolist()) == kept == groups_of(app)["Similar galaxies"]
    wait_until(lambda: panel_of(app).state.question is not None)
    gallery = gallery_of(app)
    wait_until(lambda: len(gallery.model.rows) == 48)
    assert gallery.model.rows[1:5].tolist() == question.rows[:4].tolist()
    assert {"map_pca_1_x", "similarity", "interest_score"} <= {cid.label for cid in data.main_components}
    interest, teaching = interest_of(app.data_collection), teaching_of(app.data_collection)
    interest.take_up()
    teaching.take_up()
    assert sorted(interest.ratings.values()) == [0, 1, 4, 5]
    assert (teaching.target, len(teaching.labels)) == ("ring", 10)
    question.find(data, [7])
    interest.rate(20, 3)
    interest.learn()
    teaching.label([20], "other")
    assert groups_of(app)["kept rings"] == kept


def test_a_session_can_be_saved_and_opened_again(project, opened):
    first = opened(project / "everything.glu")
    expected = groups_of(first)
    first.save_session(str(project / "again.glu"), absolute_paths=False)
    assert groups_of(opened(project / "again.glu")) == expected
    assert str(project) not in (project / "again.glu").read_text()


def test_a_moved_folder(project, opened, tmp_path):
    moved = Path(shutil.move(project, tmp_path / "moved"))
    app = opened(moved / "everything.glu")
    gallery = gallery_of(app)
    wait_until(lambda: len(gallery.model.rows) == 48)
    row = int(gallery.model.rows[0])
    wait_until(lambda: gallery.grid.thumbnail(row) is not None)
    assert gallery.grid.thumbnail(row).pixmap is not None


def test_a_store_that_has_grown(project, opened):
    """The embedding job went on after the session was saved."""
    from glue_zoobot.catalog import embeddings_of, similar_galaxies
    from tests.catalog.conftest import write_store

    store = project / "sample" / "catalogue.ecsv.embeddings" / "first"
    shutil.rmtree(store)
    ids = [f"SIM-{number:06d}" for number in range(60)]
    write_store(store, ids, np.random.default_rng(0).standard_normal((60, 16)), broken=ids[:1])
    app = opened(project / "everything.glu")
    data = app.data_collection[0]
    assert len(embeddings_of(data)) == 47
    assert len(groups_of(app)["kept rings"]) == 4
    similar_galaxies(app.data_collection).find(data, [3])


def dialog_of(app):
    from glue_zoobot.qt.missing_dialog import MissingDialog

    wait_until(lambda: app.findChild(MissingDialog) is not None)
    return app.findChild(MissingDialog)


def press(button):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    assert button.isVisible()
    QTest.mouseClick(button, Qt.LeftButton)


def test_a_missing_store_is_named_and_found_again(project, opened):
    from glue_zoobot.catalog import embeddings_of, similar_galaxies

    elsewhere = Path(shutil.move(project / "sample" / "catalogue.ecsv.embeddings", project / "disk"))
    shutil.rmtree(elsewhere / "second")
    app = opened(project / "everything.glu")
    assert len(groups_of(app)["kept rings"]) == 4
    dialog = dialog_of(app)
    (line,) = dialog.lines
    assert "catalogue.ecsv.embeddings" in line.state.text()
    with patch("qtpy.QtWidgets.QFileDialog.getExistingDirectory", return_value=str(project / "sample")):
        press(line.button)
        wait_until(lambda: line.button.isEnabled())
    assert "sample" in line.state.text()  # why that folder will not do
    with patch("qtpy.QtWidgets.QFileDialog.getExistingDirectory", return_value=str(elsewhere)):
        press(line.button)
        wait_until(lambda: "48 of 48" in line.state.text())
    data = app.data_collection[0]
    assert embeddings_of(data).path == elsewhere / "first"
    similar_galaxies(app.data_collection).find(data, [3])


def test_missing_images_are_named_and_found_again(project, opened):
    from glue_zoobot.catalog import images_of

    elsewhere = project / "disk" / "images"
    elsewhere.parent.mkdir()
    shutil.move(project / "sample" / "images", elsewhere)
    app = opened(project / "everything.glu")
    (line,) = dialog_of(app).lines
    assert "images" in line.state.text()
    with patch("qtpy.QtWidgets.QFileDialog.getExistingDirectory", return_value=str(elsewhere)):
        press(line.button)
        wait_until(lambda: "48 of 48" in line.state.text())
    assert images_of(app.data_collection[0]).read(3).shape == (40, 40, 3)


def test_nothing_is_said_when_nothing_is_missing(project, opened):
    from glue_qt.utils import process_events

    from glue_zoobot.catalog.missing import what_is_missing
    from glue_zoobot.qt.missing_dialog import MissingDialog

    app = opened(project / "everything.glu")
    process_events(wait=0.6)
    assert what_is_missing(app.data_collection) == []
    assert app.findChild(MissingDialog) is None


def test_a_missing_catalogue_is_asked_for(project, opened, tmp_path):
    """Without an answer glue would not open the session at all."""
    moved = Path(shutil.move(project / "sample", tmp_path / "far" / "away"))
    with patch(
        "qtpy.QtWidgets.QFileDialog.getOpenFileName", return_value=(str(moved / "catalogue.ecsv"), "")
    ):
        app = opened(project / "everything.glu")
    gallery = gallery_of(app)
    wait_until(lambda: len(gallery.model.rows) == 48)
    assert len(groups_of(app)["kept rings"]) == 4


def test_several_stores_on_one_dataset(project, opened):
    from glue_zoobot.catalog import embeddings_of, similar_galaxies
    from glue_zoobot.catalog.stores import stores_of
    from glue_zoobot.qt.stores import choose_embeddings

    app = opened(project / "everything.glu")
    data = app.data_collection[0]
    assert [(store.encoder_name, store.in_use) for store in stores_of(data)] == [
        ("first", True),
        ("second", False),
    ]
    question = similar_galaxies(app.data_collection)
    before = groups_of(app)["Similar galaxies"]
    with patch("qtpy.QtWidgets.QInputDialog.getItem", side_effect=lambda *a, **k: (a[3][1], True)):
        choose_embeddings(data, app.data_collection)
    wait_until(lambda: embeddings_of(data).encoder_name == "second")
    assert groups_of(app)["Similar galaxies"] == before  # what was found stays until something is asked
    question.find(data, [3])
    second = question.rows[:20].tolist()
    app.save_session(str(project / "again.glu"), absolute_paths=False)
    again = opened(project / "again.glu")
    assert [(store.encoder_name, store.in_use) for store in stores_of(again.data_collection[0])] == [
        ("second", True),
        ("first", False),
    ]
    restored = similar_galaxies(again.data_collection)
    restored.find(again.data_collection[0], [3])
    assert restored.rows[:20].tolist() == second


def open_without_us(path):
    environment = {**os.environ, "GLUE_TESTING": "True", "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", WITHOUT_US, str(path)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path.parent)


@pytest.mark.parametrize("name", ["stock", "with_data"])
def test_stock_objects_open_in_a_glue_without_us(project, name, opened):
    with_us = groups_of(opened(project / f"{name}.glu"))
    done = open_without_us(project / f"{name}.glu")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:-2] == [f"{label} {rows}" for label, rows in with_us.items()]
    assert "similarity_rank" in lines[-2]
    assert lines[-1] == "['ScatterViewer']"


def test_what_needs_us_says_so(project):
    done = open_without_us(project / "everything.glu")
    assert done.returncode != 0
    assert "glue_zoobot" in done.stderr.splitlines()[-1]
