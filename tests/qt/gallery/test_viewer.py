"""The gallery in a real glue application, with real mouse and keys."""

from __future__ import annotations

import gc
import sys
import threading
import types
import weakref

import numpy as np
import pytest
from echo import CallbackList
from glue.core import Data
from glue.core.edit_subset_mode import AndMode, AndNotMode, NewMode, OrMode, ReplaceMode, XorMode
from glue_qt.app import GlueApplication
from glue_qt.utils import process_events
from glue_qt.viewers.common.tests.test_data_viewer import BaseTestDataViewer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QFont, QFontMetrics
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from glue_zoobot import catalog
from glue_zoobot.qt.gallery.caption_lines import caption_layout
from glue_zoobot.qt.gallery.painting import BACKGROUND, SELECTED, caption_font
from glue_zoobot.qt.gallery.viewer import GalleryViewer
from tests.qt.conftest import wait_until
from tests.qt.gallery.conftest import Pictures


class TestConformity(BaseTestDataViewer):
    widget_cls = GalleryViewer


# ---- selecting


def test_click_makes_a_subset(bench):
    bench.click(2)
    assert bench.members() == [2]
    bench.click(4)
    assert len(bench.groups) == 1
    assert bench.members() == [4]


def test_ctrl_click_adds_and_takes_away(bench):
    bench.click(2)
    bench.click(4, Qt.ControlModifier)
    assert bench.members() == [2, 4]
    bench.click(2, Qt.ControlModifier)
    assert bench.members() == [4]


def test_shift_click_selects_a_run(bench):
    bench.click(1)
    bench.click(6, Qt.ShiftModifier)
    assert bench.members() == [1, 2, 3, 4, 5, 6]


def test_rubber_band(bench):
    n = bench.viewer.model.n_columns
    bench.drag(0, n + 1)
    assert bench.members() == [0, 1, n, n + 1]
    bench.drag(1, n + 1, Qt.ControlModifier)
    assert bench.members() == [0, n]


def test_selection_is_of_galaxies_not_of_places(bench):
    bench.viewer.state.sort_att = bench.data.id["z"]
    first = bench.shown()[0]
    bench.click(0)
    assert bench.members() == [first] == [59]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(ReplaceMode, [4]), (OrMode, [2, 3, 4]), (AndMode, []), (XorMode, [2, 3, 4]), (AndNotMode, [2, 3])],
)
def test_click_obeys_the_edit_mode(bench, mode, expected):
    bench.click(2)
    bench.click(3, Qt.ShiftModifier)
    bench.mode.mode = mode
    bench.click(4)
    assert bench.members() == expected
    assert len(bench.groups) == 1


def test_xor_mode_counts_every_galaxy_once(bench):
    bench.mode.mode = XorMode
    bench.click(2)
    bench.click(3, Qt.ControlModifier)
    assert bench.members() == [2, 3]


def test_new_mode_makes_subsets_but_ctrl_goes_on_with_the_last(bench):
    bench.mode.mode = NewMode
    bench.click(2)
    bench.mode.mode = NewMode
    bench.click(3)
    bench.mode.mode = NewMode
    bench.click(4, Qt.ControlModifier)
    assert [bench.members(0), bench.members(1)] == [[2], [3, 4]]


def test_large_selection(bench):
    bench.key(Qt.Key_A, Qt.ControlModifier)
    assert len(bench.members()) == bench.data.size


def test_select_all_means_all_that_is_shown(bench):
    bench.app.data_collection.new_subset_group("kind 1", bench.data.id["kind"] == 1)
    bench.mode.edit_subset = []
    bench.viewer.state.layers[0].visible = False
    process_events()
    bench.key(Qt.Key_A, Qt.ControlModifier)
    assert bench.members(1) == list(range(1, 60, 3))


def test_click_beside_the_galaxies_leaves_the_subset_alone(make_bench):
    bench = make_bench(Data(x=np.arange(2.0), label="two"))
    bench.click(0)
    port = bench.viewer.grid.viewport()
    QTest.mouseClick(port, Qt.LeftButton, pos=QPoint(port.width() - 5, port.height() - 5))
    assert not bench.viewer.selection.mask.any()
    assert bench.members() == [0]


def test_a_lasso_elsewhere_ends_the_selection_here(bench):
    bench.click(2)
    bench.groups[0].subset_state = bench.data.id["z"] > 0.9
    process_events()
    assert not bench.viewer.selection.mask.any()


def test_selected_galaxies_are_highlighted(bench):
    bench.app.data_collection.new_subset_group("none", bench.data.id["z"] > 9)
    assert bench.colors_in(1) == [BACKGROUND]
    bench.click(1)
    bench.viewer.state.layers[1].visible = False
    assert SELECTED in bench.colors_in(1)
    assert SELECTED not in bench.colors_in(2)


# ---- keys


def test_arrows_move_and_space_toggles(bench):
    n = bench.viewer.model.n_columns
    for key in (Qt.Key_Home, Qt.Key_Right, Qt.Key_Down, Qt.Key_Left, Qt.Key_Right, Qt.Key_Up):
        bench.key(key)
    assert bench.viewer.selection.current == 1
    assert not bench.groups  # moving selects nothing
    bench.key(Qt.Key_Space)
    bench.key(Qt.Key_Down)
    bench.key(Qt.Key_Space)
    assert bench.members() == [1, n + 1]
    bench.key(Qt.Key_Space)
    assert bench.members() == [1]
    bench.key(Qt.Key_Escape)
    assert not bench.viewer.selection.mask.any()


def test_keys_scroll_to_the_ends(bench):
    bench.key(Qt.Key_End)
    bench.key(Qt.Key_End)
    assert bench.viewer.selection.current == 59
    assert 59 in bench.viewer.grid.visible_positions()
    assert 0 not in bench.viewer.grid.visible_positions()
    bench.key(Qt.Key_PageUp)
    bench.key(Qt.Key_Home)
    assert bench.viewer.selection.current == 0


def test_shift_arrow_extends(bench):
    bench.click(3)
    bench.key(Qt.Key_Right, Qt.ShiftModifier)
    bench.key(Qt.Key_Right, Qt.ShiftModifier)
    assert bench.members() == [3, 4, 5]


# ---- digits


def test_digits_label_the_chosen_galaxies(bench, monkeypatch):
    labelling = types.ModuleType("glue_zoobot.qt.labelling")
    pressed = []

    def press_digit(application, data, rows, digit):
        pressed.append((application, data, list(rows), digit))
        return f"rated {digit}"

    labelling.press_digit = press_digit
    monkeypatch.setitem(sys.modules, labelling.__name__, labelling)
    bench.key(Qt.Key_3)
    assert not pressed
    assert "Select a galaxy" in bench.viewer.statusBar().currentMessage()
    bench.key(Qt.Key_Home)
    bench.key(Qt.Key_5)
    bench.key(Qt.Key_0, Qt.KeypadModifier)
    bench.key(Qt.Key_0, Qt.ControlModifier)
    assert pressed == [(bench.app, bench.data, [0], 5), (bench.app, bench.data, [0], 0)]
    assert bench.viewer.statusBar().currentMessage() == "rated 0"
    bench.click(2)
    bench.click(4, Qt.ControlModifier)
    bench.key(Qt.Key_1)
    assert pressed[-1][2:] == ([2, 4], 1)


def test_digits_without_labels_say_what_they_are_for(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "glue_zoobot.qt.labelling", None)
    bench.click(2)
    bench.key(Qt.Key_1)
    assert "Digits label galaxies" in bench.viewer.statusBar().currentMessage()


# ---- look-alikes


@pytest.fixture
def asked(bench, monkeypatch):
    """Queries that reach the search; it answers that the last rows are the most similar."""
    queries = []

    def ask(application, question, report):
        queries.append((list(question.like), list(question.unlike)))
        catalog.similar_galaxies(application.data_collection).question = question
        rank = np.where(np.arange(60) >= 50, 60.0 - np.arange(60), np.nan)
        catalog.write_columns(question.data, {"similarity_rank": rank.astype(np.float32)}, {"method": "test"})
        report("found")

    monkeypatch.setattr("glue_zoobot.qt.gallery.viewer.ask", ask)
    return queries


def test_s_finds_galaxies_like_the_selected_ones_and_shows_them_first(bench, asked):
    bench.click(2)
    bench.click(4, Qt.ControlModifier)
    bench.key(Qt.Key_S)
    assert asked == [([2, 4], [])]
    assert bench.shown()[:3] == [59, 58, 57]
    assert bench.members() == [2, 4]


def test_the_hint_to_select_goes_when_a_galaxy_is_selected(bench, asked):
    bench.key(Qt.Key_S)
    assert "Select a galaxy" in bench.viewer.statusBar().currentMessage()
    bench.click(2)
    assert bench.viewer.statusBar().currentMessage() == ""
    assert "1 selected" in bench.viewer.count.text()


def test_a_message_is_cut_anew_when_the_window_becomes_narrower(bench):
    bench.viewer.set_status("Showing the galaxies most like the one chosen")
    status = bench.viewer.statusBar()
    assert status.currentMessage() == status.toolTip()
    bench.viewer.parent().resize(300, 400)
    process_events()
    room = bench.viewer.count.x() - status.fontMetrics().horizontalAdvance(status.currentMessage())
    assert status.currentMessage().endswith("…")
    assert room > 0


def test_plus_and_minus_refine_the_question(bench, asked):
    status = bench.viewer.statusBar()
    bench.key(Qt.Key_Plus)
    assert "Select a galaxy" in status.currentMessage()
    bench.key(Qt.Key_Home)
    bench.key(Qt.Key_Minus)
    assert "Nothing is left" in status.currentMessage()
    assert asked == []
    bench.key(Qt.Key_Plus, Qt.ShiftModifier)  # as on an American keyboard
    bench.key(Qt.Key_Home)
    bench.key(Qt.Key_Minus)
    assert asked == [([0], []), ([0], [59])]
    bench.key(Qt.Key_Right)
    bench.key(Qt.Key_Plus)
    assert asked[-1] == ([0, 58], [59])
    bench.key(Qt.Key_Minus)
    assert asked[-1] == ([0], [58, 59])


def test_copy_puts_the_ids_into_the_clipboard(bench):
    bench.key(Qt.Key_C, Qt.ControlModifier)
    assert "Select a galaxy" in bench.viewer.statusBar().currentMessage()
    bench.viewer.state.sort_att, bench.viewer.state.sort_descending = bench.data.id["object_id"], True
    process_events()
    bench.click(0)
    bench.click(2, Qt.ShiftModifier)
    bench.key(Qt.Key_C, Qt.ControlModifier)
    assert QApplication.clipboard().text() == "g9\ng8\ng7"


def test_a_question_without_an_answer_leaves_the_order_alone(bench):
    bench.data.add_component(np.arange(60.0)[::-1], "similarity_rank")  # of an earlier question
    bench.click(2)
    bench.key(Qt.Key_S)
    process_events(wait=0.2)
    assert bench.viewer.statusBar().currentMessage()  # it has no embeddings, and says so
    assert bench.shown()[0] == 0


def test_button_finds_galaxies_like_the_one_at_the_keyboard(bench, asked):
    bench.viewer.toolbar.tools["zoobot:gallery_similar"].activate()
    assert asked == []
    bench.key(Qt.Key_Home)
    bench.viewer.toolbar.actions["zoobot:gallery_similar"].trigger()
    assert asked == [([0], [])]


def test_most_similar_first_is_offered_once_there_is_a_result(bench, asked):
    action = bench.viewer.toolbar.actions["zoobot:gallery_most_similar_first"]
    assert not action.isVisible()
    bench.click(0)
    bench.key(Qt.Key_S)
    assert action.isVisible()
    bench.viewer.state.sort_att = bench.data.id["z"]
    action.trigger()
    assert bench.shown()[0] == 59


# ---- showing


def test_rows_follow_the_visible_layers(bench):
    bench.app.data_collection.new_subset_group("kind 1", bench.data.id["kind"] == 1)
    assert len(bench.shown()) == 60
    bench.viewer.layers[0].visible = False
    assert bench.shown() == list(range(1, 60, 3))
    bench.groups[0].subset_state = bench.data.id["kind"] == 2
    assert bench.shown() == list(range(2, 60, 3))
    bench.viewer.layers[1].visible = False
    assert bench.shown() == []
    assert "Nothing to show" in bench.viewer.empty.text.text()


def test_new_values_reorder_the_grid(bench):
    bench.viewer.state.sort_att = bench.data.id["z"]
    process_events()
    bench.data.update_components({bench.data.id["z"]: np.arange(60.0)})
    assert bench.shown() == list(range(60))


def test_sorting_goes_to_the_top_but_a_new_subset_does_not(bench):
    bar = bench.viewer.grid.verticalScrollBar()
    bar.setValue(333)
    bench.app.data_collection.new_subset_group("kind 1", bench.data.id["kind"] == 1)
    process_events()
    assert bar.value() == 333
    bench.viewer.state.sort_att = bench.data.id["z"]
    process_events()
    assert bar.value() == 0


def test_captions(bench):
    model = bench.viewer.model
    assert model.data(model.index_of(7)) == "object_id g7"
    bench.viewer.state.caption_atts = [bench.data.id["kind"], bench.data.id["shape"]]
    process_events()
    assert model.data(model.index_of(7)) == "kind 1\nshape –"


def test_a_column_is_named_in_all_cells_or_in_none(bench):
    bench.data.add_component(np.where(np.arange(60) == 7, 1e6, 1.0), "wide")
    bench.viewer.state.caption_atts = [bench.data.id["wide"], bench.data.id["object_id"]]
    process_events()
    wide, object_id = [column.name for column in bench.viewer.grid.caption_layout]
    assert wide == "wide"
    assert object_id == ""  # an id needs no name
    bench.data.add_component(np.arange(60.0), "a_very_long_name_of_a_column")
    bench.viewer.state.caption_atts = [bench.data.id["a_very_long_name_of_a_column"]]
    process_events()
    name = bench.viewer.grid.caption_layout[0].name
    assert "…" in name
    bench.grab()


def test_long_ids_are_written_smaller_and_longer_ones_shortened():
    font = QFont()
    width = QFontMetrics(caption_font(font)).horizontalAdvance("1" * 17)
    short, long, longer = caption_layout(
        caption_font(font), [("a", "1"), ("b", "1" * 19), ("c", "1" * 60)], width
    )
    assert (short.name, short.scale) == ("a", 1)
    assert long.name == longer.name == ""
    assert longer.scale < long.scale < 1


def test_questions_are_framed_and_named(bench):
    rank = np.full(60, np.nan, dtype=np.float32)
    rank[[10, 20]], rank[[30, 40]] = 0, (1, 2)
    bench.data.add_component(rank, "similarity_rank")
    bench.viewer.state.sort_most_similar_first()
    assert bench.shown()[:4] == [10, 20, 30, 40]
    cells = [bench.viewer.model.cell(position) for position in range(4)]
    assert [cell.question for cell in cells] == [True, True, False, False]
    assert [cell.captions[-1][1] for cell in cells] == ["query", "query", "1", "2"]
    bench.wait_for_pictures()
    image, rect = bench.grab(), bench.viewer.grid.visualRect(bench.viewer.model.index_of(0))
    line = [image.pixelColor(x, rect.top() + 11).name() for x in range(rect.left(), rect.right())]
    assert line.count("#ffffff") > 40  # dashed


def test_size_changes_the_number_of_columns(bench):
    wide = bench.viewer.model.n_columns
    bench.viewer.options.value_thumbnail_size.setValue(256)
    process_events()
    assert bench.viewer.state.thumbnail_size == 256
    assert bench.viewer.model.n_columns < wide
    bench.viewer.viewer_size = (1100, 600)
    process_events()
    assert bench.viewer.model.n_columns > 2


def test_options_follow_and_lead(bench):
    options, state = bench.viewer.options, bench.viewer.state
    options.combosel_sort_att.setCurrentText("z")
    options.bool_sort_descending.click()
    assert state.sort_att is bench.data.id["z"]
    assert bench.shown()[0] == 0
    tick = options.captions.item(1)
    assert tick.text() == "z"
    tick.setCheckState(Qt.Checked)
    assert [c.label for c in state.caption_atts] == ["object_id", "z"]
    state.caption_atts = []
    assert options.captions.item(0).checkState() == Qt.Unchecked
    bench.data.add_component(np.arange(60.0), "later")
    assert options.captions.item(options.captions.count() - 1).text() == "later"


def test_frames_in_the_colours_of_the_visible_subsets(bench):
    collection = bench.app.data_collection
    collection.new_subset_group("a", bench.data.id["kind"] == 1, color="#ff0000")
    collection.new_subset_group("b", bench.data.id["z"] > 0.5, color="#00ff00")
    assert [c for c in bench.colors_in(1) if c in ("#ff0000", "#00ff00")] == ["#00ff00", "#ff0000"]
    assert [c for c in bench.colors_in(2) if c in ("#ff0000", "#00ff00")] == ["#00ff00"]
    bench.groups[1].style.color = "#0000ff"
    assert "#0000ff" in bench.colors_in(2)
    bench.viewer.state.layers[2].visible = False
    assert bench.colors_in(2) == [BACKGROUND]
    collection.remove_subset_group(bench.groups[0])
    assert bench.colors_in(1) == [BACKGROUND]


def test_a_subset_that_cannot_be_applied_is_greyed(bench):
    other = Data(label="other", w=np.arange(5.0))
    bench.app.data_collection.append(other)
    bench.app.data_collection.new_subset_group("w", other.id["w"] > 2)
    process_events()
    assert not bench.viewer.layers[1].enabled
    bench.groups[0].subset_state = bench.data.id["kind"] == 1
    process_events()
    assert bench.viewer.layers[1].enabled


# ---- random order, groups, filter


def test_the_dice_shuffle(bench):
    options = bench.viewer.options
    QTest.mouseClick(options.bool_random_order, Qt.LeftButton)
    first = bench.shown()
    assert sorted(first) == list(range(60)) != first
    assert not options.combosel_sort_att.isEnabled()
    QTest.mouseClick(options.bool_random_order, Qt.LeftButton)
    assert bench.shown() == list(range(60))
    QTest.mouseClick(options.bool_random_order, Qt.LeftButton)
    assert bench.shown() != first


def test_unlabelled_first_is_offered_where_there_are_labels(bench):
    option = bench.viewer.options.bool_unlabelled_first
    assert option.isHidden()
    bench.data.add_component(np.where(np.arange(60) < 50, 1.0, np.nan), "rating")
    process_events()
    assert not option.isHidden()
    option.setChecked(True)
    assert bench.shown()[0] == 50


def test_groups_have_headers_that_select(bench):
    bench.viewer.options.combosel_group_att.setCurrentText("shape")
    process_events()
    grid, model = bench.viewer.grid, bench.viewer.model
    assert model.data(model.index(0, 0)) == "elliptical (20)"
    assert "Click to select" in model.data(model.index(0, 0), Qt.ToolTipRole)
    header = grid.visualRect(model.index(0, 0))
    assert header.width() > grid.viewport().width() * 0.9
    assert header.height() < 40
    QTest.mouseClick(grid.viewport(), Qt.LeftButton, pos=header.center())
    process_events()
    assert bench.members() == list(range(2, 60, 3))
    bench.click(1)
    assert bench.members() == [5]
    n = model.n_columns
    bench.drag(0, n)
    assert bench.members() == sorted(bench.shown()[i] for i in (0, n))
    bench.wait_for_pictures()
    bench.grab()
    for key, last in ((Qt.Key_End, 58), (Qt.Key_Home, 2)):
        bench.key(key)
        assert model.rows[bench.viewer.selection.current] == last
    assert bench.viewer.grid.visible_positions().start == 0


def test_lines_are_as_high_without_groups_as_before(bench):
    grid, model = bench.viewer.grid, bench.viewer.model
    heights = [grid.rowHeight(line) for line in range(model.rowCount())]
    bench.viewer.state.group_att = bench.data.id["shape"]
    process_events()
    assert grid.rowHeight(0) < heights[0]
    bench.viewer.state.group_att = None
    process_events()
    assert [grid.rowHeight(line) for line in range(model.rowCount())] == heights
    assert grid.visualRect(model.index(0, 0)).width() < grid.viewport().width() / 2


def type_filter(bench, text):
    box = bench.viewer.filter_bar.text
    box.clear()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key_Return)
    process_events()


def test_filter_box(bench):
    bar = bench.viewer.filter_bar
    assert not bar.to_subset.isEnabled()
    type_filter(bench, 'z > 0.5 & shape == "elliptical"')
    assert bench.shown() == list(range(2, 30, 3))
    assert "10 of 60" in bench.viewer.count.text()
    active = bench.mode.edit_subset
    QTest.mouseClick(bar.to_subset, Qt.LeftButton)
    assert bench.members() == list(range(2, 30, 3))
    assert bench.mode.edit_subset == active
    bar.text.clear()
    assert len(bench.shown()) == 60


def test_a_wrong_filter_says_why_and_leaves_the_last_one(bench):
    bar = bench.viewer.filter_bar
    type_filter(bench, "z > 0.5")
    shown = bench.shown()
    type_filter(bench, "zed > 0.5")
    assert bar.problem.isVisible()
    assert "no column zed" in bar.problem.text()
    assert not bar.to_subset.isEnabled()
    assert len(bench.shown()) == 60  # emptied on the way
    type_filter(bench, "z > 0.5")
    QTest.keyClicks(bar.text, " &")
    process_events(wait=0.5)
    assert bar.problem.isVisible()
    assert bench.shown() == shown
    QTest.keyClick(bar.text, Qt.Key_Escape)
    assert bar.text.text() == "z > 0.5"
    assert not bar.problem.isVisible()


def test_a_filter_that_nothing_passes(bench):
    type_filter(bench, "z > 5")
    assert "z &gt; 5" in bench.viewer.empty.text.text()
    assert bench.viewer.filter_bar.isVisible()


def test_keys_do_not_fall_into_the_filter_of_a_new_gallery(bench):
    bench.app.activateWindow()
    process_events(wait=0.05)
    assert not bench.viewer.filter_bar.text.hasFocus()
    QTest.keyClicks(QApplication.focusWidget() or bench.viewer, "s+1")
    assert bench.viewer.filter_bar.text.text() == ""


def test_find_key_goes_to_the_filter(bench):
    bench.viewer.grid.setFocus()
    bench.key(Qt.Key_F, Qt.ControlModifier)
    assert bench.viewer.filter_bar.text.hasFocus() or not bench.app.isActiveWindow()


# ---- pictures


def test_pictures_arrive_and_stay_with_their_galaxies(bench):
    bench.wait_for_pictures()
    bench.viewer.state.sort_att = bench.data.id["z"]
    process_events()
    bench.wait_for_pictures()
    image = bench.grab()
    for position in (0, 1):
        row = bench.viewer.model.rows[position]
        point = bench.centre(position) - QPoint(0, 10)
        assert image.pixelColor(point * image.devicePixelRatio()).red() == 40 + row


def test_only_what_is_near_is_read(bench):
    bench.wait_for_pictures()
    process_events(wait=0.2)
    seen = len(bench.viewer.grid.visible_positions())
    assert len(set(bench.pictures[bench.data].reads)) <= 2 * seen


def test_broken_picture_says_why(bench):
    bench.wait_for_pictures()
    model = bench.viewer.model
    assert "the file is empty" in model.data(model.index_of(5), Qt.ToolTipRole)
    assert model.data(model.index_of(4), Qt.ToolTipRole) is None
    bench.grab()


def test_hover_enlarges_and_tells_the_values(bench):
    bench.wait_for_pictures()
    hover = bench.viewer.hover
    QTest.mouseMove(bench.viewer.grid.viewport(), bench.centre(7))
    assert not hover.popup.isVisible()
    process_events(wait=0.7)
    assert hover.popup.isVisible()
    assert "g7" in hover.popup.values.text()
    assert hover.popup.picture.pixmap().width() > bench.viewer.state.thumbnail_size
    bench.key(Qt.Key_End)
    assert not hover.popup.isVisible()
    bench.viewer.state.enlarge = False
    QTest.mouseMove(bench.viewer.grid.viewport(), bench.centre(59) + QPoint(1, 1))
    process_events(wait=0.7)
    assert not hover.popup.isVisible()


def test_without_pictures_it_says_what_to_do(make_bench, galaxies, monkeypatch):
    bench = make_bench(galaxies, with_pictures=False)
    empty = bench.viewer.empty
    assert empty.isVisible()
    assert "No pictures for “galaxies”" in empty.text.text()

    def attach(data, data_collection):
        bench.pictures[data] = Pictures(data.size)

    monkeypatch.setattr("glue_zoobot.qt.actions.attach_images", attach)
    QTest.mouseClick(empty.attach, Qt.LeftButton)
    process_events()
    assert not empty.isVisible()
    bench.wait_for_pictures()


def test_pictures_attached_elsewhere_appear_when_the_data_say_so(make_bench, galaxies):
    bench = make_bench(galaxies, with_pictures=False)
    bench.pictures[galaxies] = Pictures(galaxies.size)
    galaxies.broadcast("meta")
    process_events()
    assert not bench.viewer.empty.isVisible()
    galaxies.label = "renamed"
    assert "renamed" in bench.viewer.window_title


def test_one_galaxy(make_bench):
    bench = make_bench(Data(x=[1.0], label="one"))
    bench.wait_for_pictures()
    bench.click(0)
    for key in (Qt.Key_Right, Qt.Key_Down, Qt.Key_End, Qt.Key_Space):
        bench.key(key)
    assert bench.members() == []
    bench.drag(0, 0)


def test_no_galaxies(make_bench):
    bench = make_bench(Data(x=np.zeros(0), label="none"))
    assert bench.shown() == []
    for key in (Qt.Key_Right, Qt.Key_End, Qt.Key_Space, Qt.Key_S):
        bench.key(key)
    bench.grab()


def test_images_are_not_a_catalogue(make_bench, galaxies):
    bench = make_bench(galaxies)
    picture = Data(x=np.zeros((3, 3)), label="picture")
    bench.app.data_collection.append(picture)
    with pytest.raises(Exception, match="dimensions"):
        bench.viewer.add_data(picture)
    assert bench.viewer.state.data is galaxies


# ---- life and death


def test_another_dataset_takes_over(bench):
    bench.click(2)
    other = Data(label="other", w=np.arange(5.0))
    bench.pictures[other] = bench.pictures[bench.data]
    bench.app.data_collection.append(other)
    bench.viewer.add_data(other)
    assert bench.shown() == [0, 1, 2, 3, 4]
    assert not bench.viewer.selection.mask.any()
    assert bench.viewer.state.sort_att is None
    bench.click(1)


def test_a_subset_alone_brings_its_dataset(bench):
    bench.app.data_collection.new_subset_group("kind 1", bench.data.id["kind"] == 1)
    viewer = bench.app.new_data_viewer(GalleryViewer, data=bench.data.subsets[0])
    process_events()
    assert viewer.model.rows.tolist() == list(range(1, 60, 3))


def test_two_galleries_on_one_dataset(bench):
    first, second = bench.viewer, bench.open()
    second.state.sort_att = bench.data.id["z"]
    process_events()
    bench.viewer = first
    bench.click(0)
    process_events()
    assert bench.members() == [0]
    assert first.model.rows[0] == 0
    assert second.model.rows[0] == 59
    second.close(warn=False)
    bench.click(1)
    assert bench.members() == [1]


def test_deleting_the_data_closes_the_gallery(bench):
    bench.click(1)
    bench.app.data_collection.remove(bench.data)
    process_events()
    assert len(bench.app.viewers[0]) == 0


def test_session_round_trip(bench, tmp_path, monkeypatch):
    bench.app.data_collection.new_subset_group("kind 1", bench.data.id["kind"] == 1)
    state = bench.viewer.state
    state.sort_att, state.sort_descending, state.thumbnail_size = bench.data.id["z"], True, 77
    state.caption_atts = [bench.data.id["shape"], bench.data.id["kind"]]
    state.layers[0].visible = state.enlarge = False
    state.filter_text, state.group_att = "z < 0.9", bench.data.id["shape"]
    state.random_order, state.random_seed, state.unlabelled_first = True, 7, True
    state.brightness, state.contrast, state.invert = 0.25, -0.5, True
    bench.click(1)
    expected = bench.shown()
    path = str(tmp_path / "session.glu")
    bench.app.save_session(path)
    again = GlueApplication.restore_session(path, show=False)
    viewer = again.viewers[0][0]
    process_events()
    assert viewer.model.rows.tolist() == expected
    assert viewer.state.sort_att.label == "z"
    assert viewer.state.sort_descending
    assert viewer.state.thumbnail_size == 77
    assert [c.label for c in viewer.state.caption_atts] == ["shape", "kind"]
    assert isinstance(viewer.state.caption_atts, CallbackList)
    assert not viewer.state.enlarge
    assert viewer.filter_bar.text.text() == "z < 0.9"
    assert viewer.state.group_att.label == "shape"
    assert (viewer.state.random_order, viewer.state.random_seed) == (True, 7)
    assert viewer.state.unlabelled_first
    assert (viewer.state.brightness, viewer.state.contrast, viewer.state.invert) == (0.25, -0.5, True)
    assert viewer.options.picture.fold.isChecked()
    again.close()


def test_nothing_is_left_after_closing(bench):
    before = threading.active_count()
    viewer = bench.open()
    other = bench.viewer
    bench.viewer = viewer
    bench.wait_for_pictures()
    bench.click(1)
    bench.viewer = other
    pool = viewer.thumbnails._pool
    own = (viewer, viewer.model, viewer.grid, viewer.thumbnails, viewer.hover)
    of_glue = (viewer.state, viewer.options, viewer.layer_view(), viewer._mdi_wrapper)
    refs = [weakref.ref(part) for part in own + of_glue]
    viewer.close(warn=False)
    assert pool.activeThreadCount() == 0
    del viewer, pool, own, of_glue

    def left():
        gc.collect()
        return [ref() for ref in refs if ref() is not None]

    wait_until(lambda: not left(), seconds=10)  # events that are under way hold some for a moment
    assert bench.app._ui.plot_options.layout().count() <= 1  # the other gallery's
    assert threading.active_count() <= before


def test_subsets_reach_the_other_views_after_closing(bench):
    bench.open().close(warn=False)
    process_events(wait=0.1)
    group = bench.app.data_collection.new_subset_group("new", bench.data.id["object_id"] == "x")
    process_events()
    assert group in [layer.layer.group for layer in bench.viewer.layers if layer.layer is not bench.data]


def test_closing_while_pictures_load(bench, monkeypatch):
    gate = threading.Event()
    slow = bench.pictures[bench.data]

    def read(row):
        gate.wait(0.1)
        return np.zeros((8, 8, 3), dtype=np.uint8)

    monkeypatch.setattr(slow, "read", read)
    viewer = bench.open()
    viewer.close(warn=False)
    gate.set()
    process_events(wait=0.1)


def test_real_catalogue(tmp_path):
    """From files on disk to pictures in the grid."""
    from PIL import Image

    for i in range(4):
        image = Image.new("RGB", (20, 20), (60 * i, 0, 0))
        image.putpixel((19, 19), (255, 255, 255))  # one without any contrast counts as broken
        image.save(tmp_path / f"galaxy{i}.png")
    data = catalog.load(str(tmp_path))
    app = GlueApplication()
    app.data_collection.append(data)
    viewer = app.new_data_viewer(GalleryViewer, data=data)
    process_events(wait=0.3)
    thumbnails = [viewer.model.cell(i).thumbnail for i in range(4)]
    assert [t.reason for t in thumbnails] == [""] * 4
    reds = [t.pixmap.toImage().pixelColor(5, 5).red() for t in thumbnails]
    assert reds == [0, 60, 120, 180]
    app.close()


def test_larger_letters_make_room_for_themselves(bench):
    bench.viewer.state.caption_atts = [bench.data.id["object_id"], bench.data.id["kind"]]
    process_events()
    before = bench.viewer.grid.visualRect(bench.viewer.model.index_of(0)).height()
    font = bench.viewer.grid.font()
    font.setPointSizeF(2 * font.pointSizeF())
    bench.viewer.grid.setFont(font)
    process_events()
    lines = QFontMetrics(caption_font(font)).height() * 2
    after = bench.viewer.grid.visualRect(bench.viewer.model.index_of(0)).height()
    assert after > before
    assert after >= bench.viewer.state.thumbnail_size + lines


def test_captions_are_told_in_full_where_no_enlarged_picture_tells_them(bench):
    model = bench.viewer.model
    bench.viewer.state.caption_atts = [bench.data.id["object_id"], bench.data.id["kind"]]
    bench.wait_for_pictures()
    index, broken = model.index_of(7), model.index_of(5)
    assert model.data(index, Qt.ToolTipRole) is None
    bench.viewer.state.enlarge = False
    bench.wait_for(lambda: len(model.cell(7).captions) == 2)
    assert model.data(index, Qt.ToolTipRole) == "object_id: g7\nkind: 1"
    assert "copy it again" in model.data(broken, Qt.ToolTipRole)
