"""The panel follows the state, and the state follows the panel."""

from __future__ import annotations

import gc
import weakref

import pytest
from glue_qt.utils import process_events
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.qt.similar_panel import SimilarPanel, similar_panel
from tests.qt.conftest import members, wait_until


@pytest.fixture
def panel(app):
    return similar_panel(app)


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
    wait_until(lambda: panel.isVisible() and len(loaded(panel.like_single)) == 1)
    assert panel.like_text.text() == "5877395055527856190"
    assert "59 of 60 galaxies of survey embedded with test-encoder" in panel.footer.text()
    assert panel.best.labels[0].toolTip().startswith("58773950555278561")
    wait_until(lambda: len(loaded(panel.best)) == 20)


def test_several_examples_are_counted(panel, data, similar):
    similar.find(data, [1, 2, 3, 4, 5, 6, 7], unlike=[40])
    wait_until(lambda: len(loaded(panel.like_several)) == 5)
    assert panel.like_text.text() == "7 galaxies"
    assert not panel.unlike_several.isHidden()


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
    panel.metric.setCurrentIndex(1)
    panel.metric.activated.emit(1)
    assert similar.metric == "euclidean"
    wait_until(lambda: panel.metric.currentData() == "euclidean")


def test_keep_then_clear(app, panel, data, similar):
    similar.find(data, [20])
    similar.count = 4
    process_events(wait=0.1)
    answer = members(similar.group)
    QTest.mouseClick(panel.keep_button, Qt.LeftButton)
    assert "Kept as the subset" in panel.footer.text()
    QTest.mouseClick(panel.clear_button, Qt.LeftButton)
    process_events(wait=0.1)
    assert panel.pages.currentIndex() == 0
    [kept] = app.data_collection.subset_groups
    assert members(kept) == answer
    assert app.session.edit_subset_mode.edit_subset == []


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
    assert restored.like_text.text() == "5877395055527856190"
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
    restored = again.findChild(SimilarPanel)
    assert (restored is not None and restored.isVisible()) == asked
    if asked:
        wait_until(lambda: len(loaded(restored.best)) == 5)
        assert restored.like_text.text() == "5877395055527856190"
        wait_until(lambda: "59 of 60 galaxies" in restored.footer.text())
    again.close()
