"""The panel follows the state, and the state follows the panel."""

from __future__ import annotations

import gc
import weakref

import pytest
from glue_qt.utils import process_events
from qtpy import QtCore, QtGui, QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.qt.row_mime import ROWS_MIME_TYPE, mime_of_rows, rows_of_mime
from glue_zoobot.qt.similar.cuts import CutsDialog
from glue_zoobot.qt.similar.panel import SimilarPanel, similar_panel
from glue_zoobot.qt.similar.why import WhyDialog
from tests.qt.conftest import members, wait_until


@pytest.fixture
def panel(app):
    return similar_panel(app)


def click(widget):
    QTest.mouseClick(widget, Qt.LeftButton)


def choose(box, index):
    box.setCurrentIndex(index)
    box.activated.emit(index)


def drop(zone, data, rows):
    """Drop rows as the gallery drags them."""
    mime = mime_of_rows(data, rows)
    place = QtCore.QPointF(zone.rect().center())
    for kind in (QtGui.QDragEnterEvent, QtGui.QDropEvent):
        where = place.toPoint() if kind is QtGui.QDragEnterEvent else place
        event = kind(where, Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
        QtWidgets.QApplication.sendEvent(zone, event)
    process_events()


def loaded(strip):
    return [label for label in strip.labels if label.pixmap() is not None and not label.pixmap().isNull()]


def test_one_panel_per_application_hidden_at_first(app, panel):
    assert similar_panel(app) is panel
    assert len(app.findChildren(SimilarPanel)) == 1
    assert not panel.isVisible()


def test_empty_panel_says_what_to_do(app, panel):
    panel.show_result()
    assert panel.pages.currentIndex() == 0
    text = panel.pages.currentWidget().text()
    assert "click a point" in text
    assert "Find similar to this subset" in text


def test_a_result_from_anywhere_shows_the_panel(app, panel, data, similar):
    similar.find(data, [20])
    wait_until(lambda: panel.isVisible() and len(loaded(panel.like_zone.single)) == 1)
    assert panel.like_zone.text.text() == "5877395055527856190"
    wait_until(lambda: panel.footer.text() == "59 of 60 galaxies of survey embedded with test-encoder.")
    assert panel.best.labels[0].toolTip().startswith("58773950555278561")
    wait_until(lambda: len(loaded(panel.best)) == 40)


def test_several_examples_are_counted(panel, data, similar):
    similar.find(data, [1, 2, 3, 4, 5, 6, 7], unlike=[40])
    wait_until(lambda: len(loaded(panel.like_zone.several)) == 7)
    assert panel.like_title.text() == "Looks like 7 galaxies"
    assert len(loaded(panel.unlike_zone.single)) == 1


def test_slider_changes_the_subset_while_it_moves(panel, data, similar):
    similar.find(data, [20])
    process_events(wait=0.1)
    sizes = []
    for position in (100, 200, 300, 400):
        panel.slider.setValue(position)
        wait_until(lambda: similar.count == panel.spin.value())
        sizes.append(len(members(similar.group)))
        assert sizes[-1] == panel.spin.value()
    assert sizes == sorted(sizes)
    assert sizes[-1] == 58  # all but the example and the one without embedding


def test_slider_is_even_in_ratios_and_ends_at_the_catalogue(panel, data, similar):
    similar.find(data, [20])
    process_events(wait=0.1)
    assert panel.spin.maximum() == 58
    panel.slider.setValue(0)
    assert panel.spin.value() == 1
    panel.slider.setValue(panel.slider.maximum() // 2)
    assert panel.spin.value() == round(58**0.5)


def test_typing_a_number_moves_the_slider(panel, data, similar):
    similar.find(data, [20])
    process_events(wait=0.1)
    panel.spin.setFocus()
    panel.spin.selectAll()
    QTest.keyClicks(panel.spin, "7")
    QTest.keyClick(panel.spin, Qt.Key_Return)
    wait_until(lambda: similar.count == 7)
    assert len(members(similar.group)) == 7
    before = panel.slider.value()
    similar.count = 30
    wait_until(lambda: panel.spin.value() == 30)
    assert panel.slider.value() > before


def test_metric(panel, data, similar):
    similar.find(data, [20])
    process_events(wait=0.1)
    choose(panel.comparison.metric_choice, 1)
    wait_until(lambda: similar.metric == "euclidean")
    choose(panel.comparison.components, 4)
    wait_until(lambda: similar.components == 10)
    click(panel.back_button)
    wait_until(lambda: similar.components is None)
    assert panel.comparison.metric_choice.currentData() == "euclidean"
    wait_until(lambda: panel.comparison.components.currentData() is None)


def test_keep_then_clear(app, panel, data, similar):
    similar.find(data, [20])
    similar.count = 4
    process_events(wait=0.1)
    answer = members(similar.group)
    QTest.mouseClick(panel.keep_button, Qt.LeftButton)
    assert "similarity_rank_2" in panel.footer.text()
    QTest.mouseClick(panel.clear_button, Qt.LeftButton)
    process_events(wait=0.1)
    assert panel.pages.currentIndex() == 0
    [kept] = app.data_collection.subset_groups
    assert members(kept) == answer
    assert app.session.edit_subset_mode.edit_subset == []


def test_what_was_kept_is_drawn_below_the_present_answer(panel, data, scatter, similar):
    similar.find(data, [20])
    similar.count = 8
    process_events(wait=0.1)
    QTest.mouseClick(panel.keep_button, Qt.LeftButton)
    similar.count = 4
    process_events(wait=0.1)
    shown = [artist.layer.label for artist in scatter._layer_artist_container]  # the lowest first
    assert len(shown) == 3
    assert shown[-1] == "Similar galaxies"
    wait_until(lambda: "Kept" not in panel.footer.text())


def test_removing_the_dataset_empties_the_panel(app, panel, data, similar):
    similar.find(data, [20])
    process_events(wait=0.1)
    app.data_collection.remove(data)
    wait_until(lambda: panel.pages.currentIndex() == 0)


def test_nothing_is_left_when_the_application_closes(app, plain, store):
    from glue_zoobot.catalog import attach_embeddings, similar_galaxies

    attach_embeddings(plain, store)
    panel = similar_panel(app)
    state = similar_galaxies(app.data_collection)
    state.find(plain, [3])
    process_events(wait=0.3)
    reference = weakref.ref(panel)
    app.close()
    state.count = 5  # a state that lives on must not reach a window that is gone
    del panel
    process_events(wait=0.1)
    gc.collect()
    process_events(wait=0.1)
    assert reference() is None


def test_a_restored_session_shows_its_question(app, panel, data, similar, tmp_path):
    from glue_qt.app import GlueApplication

    similar.find(data, [20])
    similar.count = 5
    app.save_session(str(tmp_path / "session.glu"))
    again = GlueApplication.restore_session(str(tmp_path / "session.glu"), show=False)
    restored = similar_panel(again)
    process_events(wait=0.1)
    assert restored.pages.currentIndex() == 1
    assert restored.like_zone.text.text() == "5877395055527856190"
    assert restored.spin.value() == 5
    again.close()


@pytest.mark.parametrize("asked", [True, False])
def test_the_panel_comes_back_with_a_session_that_has_an_answer(app, data, scatter, similar, tmp_path, asked):
    from glue_qt.app import GlueApplication

    if asked:
        similar.find(data, [20], unlike=[45])
        similar.count = 5
    app.save_session(str(tmp_path / "session.glu"))
    again = GlueApplication.restore_session(str(tmp_path / "session.glu"))
    process_events(wait=0.5)
    if asked:
        wait_until(lambda: again.findChild(SimilarPanel) is not None)
    restored = again.findChild(SimilarPanel)
    assert (restored is not None and restored.isVisible()) == asked
    if asked:
        wait_until(lambda: len(loaded(restored.best)) == 5)
        assert restored.like_zone.text.text() == "5877395055527856190"
        wait_until(lambda: "59 of 60 galaxies" in restored.footer.text())
    again.close()


def test_examples_are_dropped_and_taken_off_by_a_click(panel, data, similar):
    similar.find(data, [20])
    wait_until(lambda: panel.isVisible() and panel.pages.currentIndex() == 1)
    drop(panel.like_zone, data, [22, 24])
    wait_until(lambda: similar.like == (20, 22, 24))
    drop(panel.unlike_zone, data, [24, 40])
    wait_until(lambda: (similar.like, similar.unlike) == ((20, 22), (24, 40)))
    wait_until(lambda: len(loaded(panel.like_zone.several)) == 2)
    click(panel.like_zone.several.labels[0])
    wait_until(lambda: similar.like == (22,))
    click(panel.unlike_zone.several.labels[1])
    wait_until(lambda: similar.unlike == (24,))
    process_events(wait=0.1)
    click(panel.like_zone.single.labels[0])
    assert similar.question is None
    process_events(wait=0.1)
    assert panel.pages.currentIndex() == 0


def test_rows_of_another_program_or_session_are_not_taken(app, data):
    collection = app.data_collection
    assert rows_of_mime(mime_of_rows(data, [1, 2]), collection) == (data, [1, 2])
    for content in (b"", b"nonsense", b"[]", b'{"data": "x", "rows": [1]}', b'{"rows": [1]}'):
        mime = QtCore.QMimeData()
        mime.setData(ROWS_MIME_TYPE, content)
        assert rows_of_mime(mime, collection) is None
    assert rows_of_mime(mime_of_rows(data, [60]), collection) is None
    assert rows_of_mime(QtCore.QMimeData(), collection) is None


def test_back_and_forth(panel, data, similar):
    for row in (10, 20, 30):
        similar.find(data, [row])
    process_events(wait=0.05)
    assert not panel.forth_button.isEnabled()
    for button, expected in ((panel.back_button, 20), (panel.back_button, 10), (panel.forth_button, 20)):
        click(button)
        wait_until(lambda expected=expected: similar.like == (expected,))
        process_events(wait=0.05)
    assert panel.back_button.isEnabled()
    assert panel.forth_button.isEnabled()


def test_a_click_on_an_answer_asks_for_its_look_alikes(panel, data, similar):
    similar.find(data, [20])
    wait_until(lambda: panel.best.labels)
    first = similar.rows[0]
    click(panel.best.labels[0])
    wait_until(lambda: similar.like == (first,))


def test_what_is_above_the_answer_keeps_its_place(panel, data, similar):
    places = set()
    for like, unlike in (([20], []), ([1, 2, 3], []), ([20], [40]), (range(9), range(30, 50))):
        similar.find(data, list(like), list(unlike))
        process_events(wait=0.1)
        top = panel.slider.mapTo(panel, QtCore.QPoint(0, 0))
        places.add((top.x(), top.y(), panel.slider.width()))
    panel.footer.setText("one line " * 20)
    process_events(wait=0.05)
    top = panel.slider.mapTo(panel, QtCore.QPoint(0, 0))
    places.add((top.x(), top.y(), panel.slider.width()))
    assert len(places) == 1


def test_conditions(panel, data, similar):
    similar.find(data, [30])
    process_events(wait=0.1)
    click(panel.comparison.cuts_button)
    [dialog] = panel.findChildren(CutsDialog)
    column, tolerance = dialog.conditions[0]
    choose(column, column.findText("redshift"))
    assert tolerance.value() > 0  # a suggestion
    tolerance.setValue(0.1)
    assert not dialog.separation.isEnabled()  # the survey has no positions
    dialog.findChild(QtWidgets.QDialogButtonBox).button(QtWidgets.QDialogButtonBox.Apply).click()
    wait_until(lambda: similar.cuts == Cuts(within=(("redshift", 0.1),)))
    wait_until(lambda: panel.comparison.cuts_button.text() == "Conditions: redshift ± 0.1")
    assert abs(data["redshift"][similar.rows] - data["redshift"][30]).max() <= 0.1
    dialog.close()


def test_why_these(panel, data, similar):
    similar.count = 15
    similar.find(data, [50 - 5])
    process_events(wait=0.1)
    click(panel.why_button)
    [dialog] = panel.findChildren(WhyDialog)
    wait_until(lambda: dialog.table.rowCount() > 0)
    assert {dialog.table.item(line, 0).text() for line in range(dialog.table.rowCount())} == {
        "redshift",
        "x",
        "y",
    }
    assert "differ most in" in dialog.text.text()
    dialog.close()


def test_of_several_examples_the_user_chooses_mean_or_any(app, data, similar):
    panel = similar_panel(app)
    similar.count = 2
    similar.find(data, [10])
    process_events()
    assert not panel.comparison.several.isEnabled()
    similar.find(data, [10, 30])
    process_events()
    assert panel.comparison.several.isEnabled()
    assert sorted(similar.rows[:2]) == [19, 20] or sorted(similar.rows[:2]) == [20, 21]
    panel.comparison.several.setCurrentIndex(panel.comparison.several.findData("any"))
    panel.comparison.several.activated.emit(panel.comparison.several.currentIndex())
    wait_until(lambda: similar.several == "any")
    assert set(similar.rows[:4]) == {9, 11, 29, 31}
    assert set(members(similar.group)) <= {9, 11, 29, 31}
    panel.back_button.click()
    wait_until(lambda: similar.several == "mean")
    assert panel.comparison.several.currentData() == "mean"


def test_a_tolerance_of_zero_is_a_condition_and_taking_it_off_brings_all_back(app, panel, data, similar):
    data.add_component([float(row % 3) for row in range(data.size)], "mag_r")
    similar.find(data, [20])
    similar.count = 50
    wait_until(lambda: panel.spin.value() == 50)
    dialog = CutsDialog(panel, data, Cuts())
    column, tolerance = dialog.conditions[0]
    choose(column, column.findText("mag_r"))
    tolerance.setValue(0)
    assert dialog.cuts() == Cuts((("mag_r", 0.0),), 0.0, dialog.cuts().sky)
    dialog.chosen.connect(lambda cuts: panel._change(cuts=cuts))
    dialog.chosen.emit(dialog.cuts())
    wait_until(lambda: 0 < len(similar.rows) < 20 and panel.spin.value() == len(similar.rows))
    assert all(row % 3 == 20 % 3 for row in similar.rows)
    assert "same mag_r" in panel.comparison.cuts_button.text()
    assert similar.count == 50  # what was asked for is not forgotten
    QTest.mouseClick(panel.comparison.no_cuts_button, Qt.LeftButton)
    wait_until(lambda: panel.spin.value() == 50)
    dialog.close()


def test_conditions_that_nothing_fulfils_are_said(panel, data, similar):
    data.add_component([float(row) for row in range(data.size)], "number")
    similar.cuts = Cuts((("number", 0.0),))
    similar.find(data, [20])
    wait_until(lambda: panel.nothing.isVisibleTo(panel))
    assert "conditions" in panel.nothing.text()
    assert not panel.why_button.isEnabled()


def test_a_galaxy_alone_has_no_look_alikes(panel, data, similar):
    similar.find(data, [20])
    similar.rows, similar.scores = similar.rows[:0], similar.scores[:0]
    panel._refresh_answer(similar.question)
    assert "no look-alikes" in panel.nothing.text()


def test_other_embeddings_are_noticed_and_asked_by_a_click(app, panel, data, similar):
    from glue_zoobot.catalog.record import record_of

    similar.find(data, [20])
    wait_until(lambda: "test-encoder" in panel.footer.text())
    record_of(data)["columns"]["similarity_rank"]["encoder"] = "older"  # as if embedded anew since
    panel.embeddings_changed(data)
    wait_until(lambda: "embedded with test-encoder now; this answer is by older" in panel.footer.text())
    panel.footer.linkActivated.emit("again")
    wait_until(lambda: panel.footer.text().endswith("embedded with test-encoder."))


def test_a_lasso_over_the_answer_is_said_and_the_answer_comes_back(app, panel, data, similar):
    group = similar.find(data, [20])
    panel.show_result()
    process_events()
    assert not panel.hidden_line.isVisible()
    app.session.edit_subset_mode.edit_subset = [group]
    app.session.edit_subset_mode.update(app.data_collection, data.id["redshift"] > 0.1)
    wait_until(panel.hidden_line.isVisible)
    panel.hidden_line.linkActivated.emit("again")
    wait_until(lambda: not panel.hidden_line.isVisible())
    assert [one.label for one in app.data_collection.subset_groups] == [
        "Similar galaxies (changed)",
        "Similar galaxies",
    ]
    assert app.session.edit_subset_mode.edit_subset == [group]
