"""While a store is filled its part is used; what was asked of the part is asked again when it is whole."""

from __future__ import annotations

import numpy as np
import pytest
from glue_qt.utils import process_events

from glue_zoobot.catalog import add_map, attach_embeddings, embeddings_of
from glue_zoobot.catalog.embeddings import known_embeddings
from glue_zoobot.qt.finding import find_similar
from glue_zoobot.qt.growing import store_watch
from glue_zoobot.qt.similar.panel import similar_panel
from tests.catalog.conftest import vectors, write_store
from tests.catalog.test_growing import Filling
from tests.qt.conftest import members, wait_until


@pytest.fixture
def filling(survey):
    return Filling(survey.with_name("elsewhere"))


@pytest.fixture
def watch(app):
    similar_panel(app)
    return store_watch(app)


def look(watch):
    """Look as the timer does, and wait until it has been done."""
    wait_until(lambda: not watch._looking)
    watch.look()
    wait_until(lambda: not watch._looking)


def test_there_is_one_watch_which_stops_with_the_window(app, watch):
    assert store_watch(app) is watch
    app.close()
    assert not watch._timer.isActive()


def test_a_store_is_taken_up_when_something_is_in_it(plain, filling, watch):
    watch.follow(plain, filling.store.path)
    look(watch)
    assert known_embeddings(plain) is None
    filling.write(0)
    look(watch)
    assert known_embeddings(plain).so_far() == "20 of 60 embedded so far"


def test_a_store_beside_the_source_is_found_whoever_fills_it(plain, survey, watch):
    filling = Filling(survey.with_name("survey.csv.embeddings") / "mini")
    look(watch)
    filling.write(1)
    look(watch)
    assert known_embeddings(plain).rows.tolist() == list(range(20, 40))


def test_embeddings_that_are_there_stay_in_use(data, filling, watch):
    before = embeddings_of(data)
    filling.write(0)
    watch.follow(data, filling.store.path)
    look(watch)
    assert embeddings_of(data) is before


def test_the_answer_grows_in_place_and_nothing_of_the_users_changes(app, plain, filling, watch, similar):
    panel = similar_panel(app)
    filling.write(0)
    attach_embeddings(plain, filling.store.path)
    own = app.data_collection.new_subset_group("mine", plain.id["x"] > 0)
    app.session.edit_subset_mode.edit_subset = [own]
    find_similar(app, plain, [19], lambda text: None)
    wait_until(lambda: "20 of 60 embedded so far" in panel.footer.text())
    group, mine, x = similar.group, members(own), add_map(plain)[0]
    similar.count = 2
    assert members(group) == [17, 18]
    panel.hide()

    filling.write(1)
    look(watch)
    wait_until(lambda: "40 of 60 embedded so far; this answer is of 20 of 60" in panel.footer.text())
    assert members(group) == [17, 18]  # until the user asks, or it is complete
    panel.footer.linkActivated.emit("again")
    wait_until(lambda: members(group) == [18, 20])
    panel.hide()

    done = []
    watch.completed.connect(done.append)
    filling.write(2)
    look(watch)
    wait_until(lambda: panel.footer.text() == "60 of 60 galaxies of survey embedded with test-encoder.")
    assert done == [plain]
    assert similar.group is group
    assert members(group) == [18, 20]
    assert len(similar.rows) == 59
    assert len(similar.history) == 1
    assert np.isfinite(plain[x]).all()
    assert members(own) == mine
    assert app.session.edit_subset_mode.edit_subset == [own]
    assert not panel.isVisible()  # it comes to the front for what the user asks, not by itself


def test_a_disk_that_goes_away_does_no_harm(plain, filling, watch):
    filling.write(0)
    attach_embeddings(plain, filling.store.path)
    before = embeddings_of(plain)
    filling.store.path.rename(filling.store.path.with_name("away"))
    look(watch)
    assert known_embeddings(plain) is before
    filling.store.path.with_name("away").rename(filling.store.path)
    filling.write(1, 2)
    look(watch)
    assert len(known_embeddings(plain)) == 60


def test_the_whole_store_is_searched_by_a_button(app, survey, watch):
    from glue_zoobot.catalog import load, object_ids_of
    from glue_zoobot.qt.gallery.viewer import GalleryViewer
    from tests.catalog.conftest import ids_of_survey

    path = survey.with_name("survey.csv.embeddings") / "all"
    write_store(path, ids_of_survey(), vectors())
    lines = survey.read_text().splitlines()
    survey.with_name("part.csv").write_text("\n".join([lines[0], *lines[1::6]]))
    part = load(survey.with_name("part.csv"))
    app.data_collection.append(part)
    attach_embeddings(part, path)
    panel = similar_panel(app)
    app.session.edit_subset_mode.edit_subset = []
    find_similar(app, part, [5], lambda text: None)
    wait_until(lambda: panel.whole_button.isVisible())
    panel.state.count = 4
    panel.whole_button.click()
    wait_until(lambda: "4 galaxies brought in from survey.csv.embeddings/all" in panel.footer.text())
    new = app.data_collection[-1]
    assert sorted(object_ids_of(new)) == [ids_of_survey()[row] for row in (28, 29, 31, 32)]
    assert app.session.edit_subset_mode.edit_subset == []
    assert panel.whole_button.isEnabled()
    panel.footer.linkActivated.emit("gallery")
    process_events(wait=0.2)
    viewer = app.viewers[0][-1]
    assert isinstance(viewer, GalleryViewer)
    assert viewer.state.layers[0].layer is new


def test_a_complete_catalogue_has_no_such_button(app, data, similar):
    panel = similar_panel(app)
    similar.find(data, [20])
    wait_until(lambda: panel.isVisible() and "embedded with" in panel.footer.text())
    process_events(wait=0.1)
    assert not panel.whole_button.isVisible()
