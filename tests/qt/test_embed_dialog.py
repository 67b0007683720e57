"""From the menu to look-alikes, with the encoder that is part of the package."""

from __future__ import annotations

import contextlib

import pytest
from qtpy import QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog import embeddings_of
from glue_zoobot.encoders import is_cached
from glue_zoobot.qt import actions
from glue_zoobot.qt.embed_dialog import EmbedDialog
from glue_zoobot.qt.jobs_panel import jobs_panel
from tests.qt.conftest import wait_until

pytestmark = pytest.mark.skipif(not is_cached("mini"), reason="the package holds no weights of mini")


@pytest.fixture
def dialog(app, plain):
    window = EmbedDialog(app, plain)
    window.show()
    wait_until(lambda: window.encoder)
    yield window
    with contextlib.suppress(RuntimeError):  # closed by its Start button
        window.close()


def item(dialog, name):
    return dialog.encoders.findItems(name, Qt.MatchExactly)[0]


def test_encoders_are_listed_with_what_one_must_know(dialog):
    mini = item(dialog, "mini")
    assert int(mini.text(1)) > 0
    assert mini.text(2).endswith("MB")
    assert mini.text(3) == "BSD-3-Clause"
    assert mini.text(4) == "yes"
    assert item(dialog, "convnext_nano").text(4) in ("yes", "to be downloaded")


def test_a_cached_encoder_is_chosen_and_the_store_is_beside_the_catalogue(dialog, survey):
    if not is_cached("convnext_nano"):
        assert dialog.encoder == "mini"
    wait_until(lambda: dialog.store.text())
    assert dialog.request().store == survey.with_name("survey.csv.embeddings") / dialog.encoder


def test_typing_another_encoder_wins_and_choosing_from_the_list_clears_it(dialog):
    QTest.keyClicks(dialog.other, "resnet18")
    assert dialog.encoder == "resnet18"
    dialog.encoders.setCurrentItem(item(dialog, "convnext_pico"))
    assert dialog.other.text() == ""
    assert dialog.encoder == "convnext_pico"


def test_a_store_that_was_chosen_is_kept(dialog, tmp_path):
    dialog.store.clear()
    QTest.keyClicks(dialog.store, str(tmp_path / "mine"))
    dialog.encoders.setCurrentItem(item(dialog, "convnext_pico"))
    assert dialog.request().store == tmp_path / "mine"


def test_an_unknown_encoder_is_explained(dialog):
    dialog.other.setText("/no/such/encoder")
    wait_until(lambda: "no encoder at /no/such/encoder" in dialog.estimate.text())


def test_from_preview_to_look_alikes(app, plain, dialog, similar):
    dialog.other.clear()
    dialog.encoders.setCurrentItem(item(dialog, "mini"))
    seen = [pair[1] for pair in dialog.pictures]
    wait_until(lambda: all(not label.pixmap().isNull() for label in seen), 60)
    wait_until(lambda: "About" in dialog.estimate.text(), 60)
    QTest.mouseClick(dialog.start_button, Qt.LeftButton)
    job = jobs_panel(app).lines[0].job
    wait_until(lambda: job.state in ("done", "failed"), 120)
    assert job.state == "done", job.message + job.detail
    assert len(embeddings_of(plain)) == 60
    map_job = jobs_panel(app).lines[1].job
    wait_until(lambda: map_job.state in ("done", "failed"), 60)
    assert map_job.state == "done", map_job.message + map_job.detail
    assert plain.find_component_id("map_pca_1_x") is not None
    similar.find(plain, [30])
    assert set(similar.rows[:2]) <= set(range(25, 36))  # grey levels near that of row 30


def test_without_images_the_menu_says_what_to_do(app):
    from glue.core import Data

    data = Data(x=[1.0, 2.0], label="bare")
    app.data_collection.append(data)
    actions.embed(data, app.data_collection)
    [box] = app.findChildren(QtWidgets.QMessageBox)
    assert "Attach images" in box.text()
    box.close()


def test_it_says_what_is_embedded_already_and_what_another_run_does(app, data, store, tmp_path):
    window = EmbedDialog(app, data, "mini")
    window.show()
    try:
        wait_until(lambda: "59 galaxies by test-encoder" in window.already.text())
        assert str(store) in window.already.text()
        assert "another set" in window.already.text()
        for path, expected in ((store, "choose another for mini"), (tmp_path, "another set")):
            window.store.setText(str(path))
            window.store.textEdited.emit(str(path))
            wait_until(lambda expected=expected: expected in window.already.text())
    finally:
        window.close()


def test_without_embeddings_there_is_nothing_to_say(dialog):
    wait_until(lambda: dialog.store.text())
    wait_until(lambda: not dialog._look_timer.isActive())
    assert dialog.already.text() == ""


def test_an_unfinished_store_is_gone_on_with(plain, tmp_path):
    from glue_zoobot.qt.embedded_already import embedded_already
    from tests.catalog.conftest import ids_of_survey, vectors, write_store

    made = write_store(tmp_path / "s", ids_of_survey(), vectors())
    assert "complete" in embedded_already(plain, made.path, "test-encoder")
    made.shard_path(1).unlink()
    assert "goes on with the 28 images" in embedded_already(plain, made.path, "test-encoder")


def test_while_another_encoder_is_typed_the_list_shows_no_choice_and_a_missing_one_cannot_start(dialog):
    assert dialog.start_button.isEnabled()
    dialog.other.setText("/no/such/encoder")
    assert dialog.encoders.currentItem() is None
    assert not dialog.start_button.isEnabled()
    wait_until(lambda: "no encoder at /no/such/encoder" in dialog.reason.text())
    assert not dialog.start_button.isEnabled()
    dialog.other.clear()
    assert dialog.encoders.currentItem() is not None
    wait_until(lambda: dialog.start_button.isEnabled() and not dialog.reason.text())


def test_a_folder_of_another_encoder_cannot_be_filled(app, data, store):
    from glue_zoobot.qt.embedded_already import why_not

    assert "choose another for mini" in why_not("mini", str(store))
    assert "Choose a folder" in why_not("mini", "")
