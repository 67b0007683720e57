"""Rating by keys in a real window: what is seen, what is recorded, what goes on after a restart."""

from __future__ import annotations

import gc
import json
import os
import weakref

import numpy as np
import pytest
from glue.core.subset import ElementSubsetState
from glue_qt.utils import process_events
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog.interest import interest_of
from glue_zoobot.catalog.interest.log import log_path_of
from glue_zoobot.qt.interest.panel import InterestPanel, interest_panel
from tests.qt.conftest import members, wait_until


@pytest.fixture
def panel(app):
    return interest_panel(app)


@pytest.fixture
def state(panel):
    return panel.state


@pytest.fixture
def rating(panel, data):
    """The panel, ready to rate."""
    panel.show_panel()
    start(panel, data)
    return panel


def start(panel, data, like=()):
    panel.start(data, like)
    wait_until(lambda: panel.state.current is not None and idle(panel))
    wait_until(lambda: panel.pages.currentIndex() == 1)


def idle(panel):
    return panel._work is None and not panel._refresh_timer.isActive()


def press(panel, key, modifier=Qt.NoModifier):
    """Press a key once the galaxy is to be seen."""
    wait_until(lambda: panel.card.is_seen or panel.state.current is None)
    QTest.keyClick(panel.card.picture, key, modifier)
    wait_until(lambda: idle(panel))


def rate_by_keys(panel, n, taste=lambda row: 5 if row >= 52 else 0):
    for _ in range(n):
        wait_until(lambda: panel.state.current is not None)
        press(panel, str(taste(panel.state.current)))


def test_one_panel_per_application_hidden_at_first(app, panel):
    assert interest_panel(app) is panel
    assert len(app.findChildren(InterestPanel)) == 1
    assert not panel.isVisible()


def test_empty_panel_says_what_to_do(panel):
    panel.show_panel()
    process_events()
    assert "open a catalogue" in panel.begin_page.text.text()
    assert not panel.begin_page.begin.isVisible()


def test_without_embeddings_it_offers_to_embed(app, panel, plain):
    panel.show_panel()
    process_events()
    assert "no embeddings yet" in panel.begin_page.text.text()
    assert panel.begin_page.embed.isVisible()
    assert not panel.begin_page.begin.isVisible()
    panel.start(plain)
    wait_until(lambda: "no embeddings yet" in panel.begin_page.note.text())


def test_embeddings_that_arrive_later_are_noticed(panel, plain, store):
    from glue_zoobot.catalog import attach_embeddings

    panel.show_panel()
    process_events()
    attach_embeddings(plain, store)
    wait_until(panel.begin_page.begin.isVisible)
    QTest.mouseClick(panel.begin_page.begin, Qt.LeftButton)
    wait_until(lambda: panel.pages.currentIndex() == 1)


def test_a_key_rates_and_the_next_comes_by_itself(rating, state, data):
    first = state.current
    wait_until(lambda: rating.card.picture.has_picture)
    assert rating.card.name.text() == str(data.get_component("object_id").labels[first])
    press(rating, Qt.Key_4)
    assert state.ratings == {first: 4}
    assert json.loads(state.log.path.read_text())["value"] == 4
    assert state.current != first
    assert rating.card.picture.has_picture  # it was read ahead
    assert rating.card.dots.values == (4,)


def test_a_galaxy_is_rated_only_once_it_was_seen(rating, state):
    wait_until(lambda: rating.card.is_seen)
    first = state.current
    QTest.keyClicks(rating.card.picture, "555")  # faster than the next picture can be painted
    assert state.ratings == {first: 5}


def test_buttons_skip_and_undo(rating, state):
    first = state.current
    QTest.mouseClick(rating.card.keys.keys[2], Qt.LeftButton)
    second = state.current
    press(rating, Qt.Key_Space)
    assert state.current not in (first, second)
    assert state.ratings == {first: 2}
    press(rating, Qt.Key_Backspace)
    assert state.current == second
    press(rating, Qt.Key_Z, Qt.ControlModifier)
    assert state.current == first
    assert state.ratings == {}
    assert not rating.card.undo_button.isEnabled()


def test_other_keys_do_nothing(rating, state):
    for key in (Qt.Key_6, Qt.Key_9, Qt.Key_A):
        press(rating, key)
    press(rating, Qt.Key_5, Qt.ControlModifier)
    assert state.ratings == {}


def test_a_number_typed_into_a_field_is_no_rating(rating, state):
    rate_by_keys(rating, 12)
    rating.tabs.setCurrentWidget(rating.best)
    wait_until(lambda: idle(rating))
    before = dict(state.ratings)
    rating.best.spin.setFocus()
    rating.best.spin.selectAll()
    QTest.keyClicks(rating.best.spin, "5")
    QTest.keyClick(rating.best.spin, Qt.Key_Return)
    wait_until(lambda: state.count == 5)
    assert state.ratings == before
    assert len(members(state.group)) == 5


def test_rounds_find_what_is_liked_and_the_gallery_follows(app, rating, state, data):
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    rate_by_keys(rating, 12)
    wait_until(lambda: state.group is not None)
    rating.tabs.setCurrentWidget(rating.best)
    QTest.mouseClick(rating.best.gallery_button, Qt.LeftButton)
    [[gallery]] = app.viewers
    assert isinstance(gallery, GalleryViewer)
    wait_until(lambda: gallery.model.rows[:5].tolist() == state.best(5))
    top = gallery.model.rows[:5].tolist()
    assert top == state.best(5)
    rate_by_keys(rating, 10, taste=lambda row: 5 if row < 8 else 0)  # another taste
    rating._learn_if_new()
    wait_until(lambda: gallery.model.rows[:5].tolist() == state.best(5) != top)
    QTest.mouseClick(rating.best.gallery_button, Qt.LeftButton)
    assert len(app.viewers[0]) == 1  # the same gallery again


def test_rate_save_reopen_go_on(app, rating, state, tmp_path):
    from glue_qt.app import GlueApplication

    rate_by_keys(rating, 25)
    rating._learn_if_new()
    wait_until(lambda: idle(rating) and not state.n_unlearned)
    assert state.n_found >= 6  # of eight
    app.save_session(str(tmp_path / "session.glu"))
    again = GlueApplication.restore_session(str(tmp_path / "session.glu"), show=False)
    again.show()
    restored = interest_panel(again)
    restored.show_panel()
    wait_until(lambda: restored.state.current is not None and idle(restored))
    assert restored.state.ratings == state.ratings
    assert restored.state.current not in state.ratings
    rate_by_keys(restored, 1)
    assert len(restored.state.ratings) == 26
    again.close()


def test_the_hand_rests_and_the_ranking_takes_in_what_was_rated(rating, state):
    rating._rest_timer.setInterval(20)
    rate_by_keys(rating, 12)
    wait_until(lambda: state.n_unlearned == 0)
    assert len(members(state.group)) == state.count


def test_start_from_a_subset(app, panel, data, state):
    app.data_collection.new_subset_group("mine", ElementSubsetState([30, 31]))
    app.data_collection.new_subset_group("nothing", ElementSubsetState([]))
    panel.show_panel()
    process_events()
    page = panel.begin_page
    page.start.setCurrentIndex(2)
    QTest.mouseClick(page.begin, Qt.LeftButton)
    assert "selects no galaxy" in page.note.text()
    page.start.setCurrentIndex(1)
    QTest.mouseClick(page.begin, Qt.LeftButton)
    wait_until(lambda: panel.pages.currentIndex() == 1)
    assert state.next_rows[:2] == (30, 31)


def test_start_from_the_menu_of_a_subset(app, data, state):
    from glue_zoobot.qt.actions import rate_layer

    group = app.data_collection.new_subset_group("mine", ElementSubsetState([40]))
    rate_layer(group, app.data_collection)
    wait_until(lambda: state.current == 40)


def test_check_estimates_how_many_are_left(rating, state):
    assert not rating.card.modes["check"].isEnabled()
    rate_by_keys(rating, 12)
    wait_until(lambda: rating.card.modes["check"].isEnabled())
    assert "Check" in rating.found.estimate.text()
    QTest.mouseClick(rating.card.modes["check"], Qt.LeftButton)
    wait_until(lambda: idle(rating))
    assert rating.card.round_text.text().startswith("Random picks")
    while state.mode == "check":
        rate_by_keys(rating, 1)
    rating.found.refresh()
    assert "interesting galaxies" in rating.found.estimate.text()
    assert rating.found.curve.share is not None


def test_what_was_rated_can_be_seen_again(rating, state):
    rate_by_keys(rating, 3)
    rating.tabs.setCurrentWidget(rating.rated)
    wait_until(lambda: rating.rated.list.count() == 3)
    oldest = rating.rated.list.item(2)
    rating.rated.list.itemClicked.emit(oldest)
    row = oldest.data(Qt.UserRole)
    wait_until(lambda: rating.card.picture.corner == f"you gave {state.ratings[row]}")
    press(rating, Qt.Key_3)
    assert state.ratings[row] == 3


def test_unusual_galaxies(app, rating, data):
    tab = rating.unusual
    rating.tabs.setCurrentWidget(tab)
    tab.method.setCurrentIndex(tab.method.findData("pca"))
    QTest.mouseClick(tab.button, Qt.LeftButton)
    wait_until(lambda: tab.button.isEnabled())
    assert np.isfinite(data["anomaly_pca"]).sum() == 59
    assert np.nanmin(data["anomaly_rank"]) == 1
    assert tab.text.text().startswith("<p")
    QTest.mouseClick(tab.show_button, Qt.LeftButton)
    [[gallery]] = app.viewers
    wait_until(lambda: len(gallery.model.rows) == data.size)
    assert data["anomaly_rank"][gallery.model.rows[0]] == 1


# -- digits in other views


def test_digits_rate_in_other_views(app, panel, data, state):
    from glue_zoobot.qt.labelling import press_digit

    assert "Rated 5877395055527856071: 4" in press_digit(app, data, [3], 4)
    assert "Rated 2 galaxies: 0" in press_digit(app, data, np.array([5, 6]), 0)
    assert state.ratings == {3: 4, 5: 0, 6: 0}
    assert panel.isVisible()
    assert "0 to 5" in press_digit(app, data, [3], 7)
    assert "select one" in press_digit(app, data, [], 3)
    assert "at most 200" in press_digit(app, data, range(1000), 3)
    assert state.undo() == 2
    wait_until(lambda: state.group is None and idle(panel))


def test_digits_leave_the_keyboard_where_it_is(app, panel, data, state):
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    gallery = app.new_data_viewer(GalleryViewer, data=data)
    wait_until(lambda: len(gallery.model.rows) == data.size)
    app.activateWindow()
    gallery.grid.setFocus()
    gallery.grid.go_to(12)
    QTest.keyClick(gallery.grid, Qt.Key_5)
    wait_until(lambda: state.ratings == {12: 5} and panel.pages.currentIndex() == 1)
    assert gallery.grid.hasFocus()
    QTest.keyClick(gallery.grid, Qt.Key_Right)
    QTest.keyClick(gallery.grid, Qt.Key_0)
    assert state.ratings == {12: 5, 13: 0}


def test_digits_and_a_log_that_is_none(app, panel, data):
    from glue_zoobot.qt.labelling import press_digit

    log_path_of(data).write_text("not a log\n")
    assert "choose another file" in press_digit(app, data, [3], 4)


# -- bad input


def test_a_full_disk_is_said_and_the_galaxy_stays(rating, state, monkeypatch):
    first = state.current
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *args: 0)
        press(rating, Qt.Key_5)
    assert rating.message.isVisible()
    assert "Earlier ratings are safe" in rating.message.text()
    assert state.current == first
    assert state.ratings == {}
    press(rating, Qt.Key_5)
    assert not rating.message.isVisible()
    assert state.ratings == {first: 5}


def test_a_file_that_is_no_log_is_said_and_another_can_be_chosen(panel, data, state):
    log_path_of(data).write_text("not a log\n")
    panel.show_panel()
    panel.start(data)
    wait_until(lambda: "choose another file" in panel.begin_page.note.text())
    panel.use_log(data, str(log_path_of(data).with_name("mine.jsonl")))
    wait_until(lambda: panel.pages.currentIndex() == 1)
    press(panel, Qt.Key_1)
    assert state.log.path.name == "mine.jsonl"


def test_removing_the_dataset_empties_the_panel(app, rating, data):
    rate_by_keys(rating, 3)
    app.data_collection.remove(data)
    wait_until(lambda: rating.pages.currentIndex() == 0)
    press(rating, Qt.Key_3)  # no harm


def test_closing_in_the_middle_of_a_fit(app, data):
    panel, state = interest_panel(app), interest_of(app.data_collection)
    panel.show_panel()
    start(panel, data)
    rate_by_keys(panel, 9)
    QTest.keyClick(panel.card.picture, Qt.Key_5)
    reference = weakref.ref(panel)
    app.close()
    del panel
    process_events(wait=0.3)
    gc.collect()
    process_events()
    assert len(state.ratings) == 10  # what was rated is there
    state.rate(int(next(iter(set(range(40)) - set(state.ratings)))), 1)  # and nobody listens any more
    process_events(wait=0.1)
    gc.collect()
    assert reference() is None


def test_state_of_the_session_is_the_state_of_the_panel(app, panel):
    assert panel.state is interest_of(app.data_collection)


@pytest.mark.parametrize("rated", [True, False])
def test_the_panel_comes_back_with_a_session_that_has_ratings(app, data, scatter, rating, tmp_path, rated):
    from glue_qt.app import GlueApplication

    if rated:
        rate_by_keys(rating, 2)
    app.save_session(str(tmp_path / "session.glu"))
    again = GlueApplication.restore_session(str(tmp_path / "session.glu"))
    process_events(wait=0.5)
    if rated:
        wait_until(lambda: again.findChild(InterestPanel) is not None)
        restored = again.findChild(InterestPanel)
        wait_until(lambda: restored.isVisible() and len(restored.state.ratings) == 2)
    else:
        assert again.findChild(InterestPanel) is None
    again.close()


def test_what_was_rated_elsewhere_has_its_pictures_at_once(rating, state):
    rows = range(20, 50)  # most of them the panel has neither shown nor prepared
    state.rate(list(rows), 3)
    wait_until(lambda: idle(rating))
    rating.tabs.setCurrentWidget(rating.rated)
    loader = rating.card.thumbnails
    wait_until(lambda: all(loader.get(row) is not None for row in rows))
