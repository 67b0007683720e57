"""Teaching in a real window: subsets, keys, threshold, pictures to relabel, and what goes wrong."""

from __future__ import annotations

import gc
import json
import weakref

import numpy as np
import pytest
from glue.core.subset import ElementSubsetState
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog import attach_embeddings
from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.teaching import teaching_of
from glue_zoobot.catalog.teaching.lesson import answer
from glue_zoobot.qt.labelling import press_digit
from glue_zoobot.qt.teach.panel import TeachPanel, teach_panel
from tests.catalog.conftest import ids_of_survey, vectors, write_store
from tests.qt.conftest import members, wait_until


@pytest.fixture
def panel(app):
    return teach_panel(app)


@pytest.fixture
def state(panel):
    return panel.state


@pytest.fixture
def teaching(panel, data):
    """The panel with the target ring, ready to label."""
    panel.show_panel()
    start(panel, data, "ring")
    return panel


@pytest.fixture
def taught(teaching, state):
    """Trained with 25 labels: the last third are rings."""
    state.label(range(0, 30, 2), "no")
    state.label(range(41, 60, 2), "yes")
    train(teaching)
    return teaching


def start(panel, data, target):
    panel.start(data, target)
    wait_until(lambda: panel.state.target == target and idle(panel) and panel.state.current is not None)


def idle(panel):
    return not panel.work.running and not panel._refresh_timer.isActive()


def click_train(panel):
    wait_until(lambda: idle(panel))
    QTest.mouseClick(panel.train_row.train, Qt.LeftButton)


def train(panel):
    click_train(panel)
    wait_until(lambda: idle(panel))


def press(panel, key, modifier=Qt.NoModifier):
    wait_until(lambda: panel.card.is_seen)
    QTest.keyClick(panel.card.picture, key, modifier)
    wait_until(lambda: idle(panel))


def subset_of(app, data, rows, label, colour="#ff0000"):
    group = app.data_collection.new_subset_group(
        label, ElementSubsetState(list(rows), data=data), color=colour
    )
    return next(subset for subset in group.subsets if subset.data is data)


def click_menu(panel, text):
    panel.sources.fill_subsets()
    action = next(action for action in panel.sources.subsets.actions() if action.text() == text)
    action.trigger()
    wait_until(lambda: idle(panel))


class TestBeginning:
    """Before anything is taught."""

    def test_one_panel_per_application_hidden_at_first(self, app, panel):
        assert teach_panel(app) is panel
        assert len(app.findChildren(TeachPanel)) == 1
        assert not panel.isVisible()

    def test_empty_panel_says_what_to_do(self, panel):
        panel.show_panel()
        process_events()
        assert "open a catalogue" in panel.begin_page.text.text()
        assert not panel.begin_page.begin.isVisible()

    def test_without_embeddings_it_offers_to_embed(self, panel, plain):
        panel.show_panel()
        process_events()
        assert "no embeddings yet" in panel.begin_page.text.text()
        assert panel.begin_page.embed.isVisible()

    def test_a_name_and_return_begin(self, panel, data, state):
        panel.show_panel()
        wait_until(panel.begin_page.begin.isVisible)
        QTest.mouseClick(panel.begin_page.begin, Qt.LeftButton)
        wait_until(lambda: "give a name" in panel.begin_page.note.text())
        QTest.keyClicks(panel.begin_page.name.lineEdit(), "ring")
        QTest.keyClick(panel.begin_page.name.lineEdit(), Qt.Key_Return)
        wait_until(lambda: panel.pages.currentIndex() == 1 and state.current is not None)
        assert (state.data, state.target) == (data, "ring")
        assert "yes and no" in panel.classes.text.text()
        assert not panel.train_row.train.isEnabled()

    def test_a_subset_from_the_layer_list_becomes_the_first_class(self, app, panel, data, state):
        subset = subset_of(app, data, range(5), "Ring")
        panel.teach_layer(data, subset)
        assert panel.begin_page.data is data
        start(panel, data, "kind")
        assert [(c.name, len(c.rows)) for c in state.classes] == [("Ring", 5)]


class TestLabelling:
    """Keys, buttons, subsets, columns, files."""

    def test_a_key_labels_and_the_next_comes_by_itself(self, teaching, state):
        teaching.classes.yes_no_wanted.emit()
        wait_until(lambda: idle(teaching))
        first = state.current
        press(teaching, Qt.Key_1)
        assert state.labels == {first: "yes"}
        assert json.loads(state.log.path.read_text().splitlines()[-1])["value"] == "yes"
        second = state.current
        assert second != first
        press(teaching, Qt.Key_Space)
        assert state.current not in (first, second)
        press(teaching, Qt.Key_Backspace)
        assert state.labels == {}
        assert state.current == first
        QTest.mouseClick(teaching.card.keys["no"], Qt.LeftButton)
        assert state.labels == {first: "no"}
        press(teaching, Qt.Key_Z, Qt.ControlModifier)
        assert state.labels == {}

    def test_a_key_without_a_class_says_which_there_are(self, teaching, state):
        QTest.keyClicks(teaching.sources.new_class, "bar 7")
        QTest.keyClick(teaching.sources.new_class, Qt.Key_Return)
        wait_until(lambda: idle(teaching))
        assert [c.name for c in state.classes] == ["bar 7"]  # the digit went to the field
        assert state.labels == {}
        press(teaching, Qt.Key_4)
        assert "1 bar 7" in teaching.message.text()
        assert state.labels == {}
        QTest.mouseClick(teaching.classes.rows[0].remove, Qt.LeftButton)
        assert state.classes == []

    def test_subsets_become_classes(self, app, teaching, state, data):
        subset_of(app, data, range(6), "Ring", "#112233")
        subset_of(app, data, [], "None")
        click_menu(teaching, "Ring")
        row = teaching.classes.rows[0]
        assert (row.label.text(), row.count.text(), row.key.text()) == ("Ring", "6", "1")
        assert "#112233" in row.key.styleSheet()
        click_menu(teaching, "None")
        assert "no galaxy of" in teaching.message.text()

    def test_labels_from_a_column(self, teaching, state, data):
        teaching.sources.choose_column()
        dialog = teaching.sources.column_dialog
        dialog.columns.setCurrentText("redshift")
        assert "60 galaxies with a number" in dialog.text.text()
        dialog.as_clear.setChecked(True)
        assert "12 no" in dialog.text.text()
        dialog.low.setValue(0.9)
        assert "overlap" in dialog.text.text()
        assert not dialog.take.isEnabled()
        dialog.columns.setCurrentText("kind")
        assert "30 elliptical, 30 spiral" in dialog.text.text()
        assert not dialog.as_clear.isEnabled()
        dialog.most_spin.setValue(40)
        dialog.accept()
        wait_until(lambda: idle(teaching))
        assert sum(len(c.rows) for c in state.classes) == 40

    def test_labels_from_a_file(self, teaching, state, data, tmp_path):
        ids = data.get_component("object_id").labels
        (tmp_path / "l.csv").write_text(f"objid,is_ring\n{ids[1]},yes\n{ids[0]},no\n")
        teaching.sources.add_file(str(tmp_path / "l.csv"))
        assert state.labels == {1: "yes", 0: "no"}
        teaching.sources.add_file(str(tmp_path / "gone.csv"))
        assert teaching.message.text()
        assert state.labels == {1: "yes", 0: "no"}

    def test_digits_in_other_views_go_to_the_panel_used_last(self, app, teaching, state, data):
        from glue_zoobot.catalog.interest import interest_of
        from glue_zoobot.qt.interest.panel import interest_panel

        state.add_class("yes")
        text = press_digit(app, data, [7, 8], 1)
        assert text == "Labelled 2 galaxies: yes (Undo: Teach panel)"
        assert state.labels == {7: "yes", 8: "yes"}
        assert "the keys of ring are: 1 yes" in press_digit(app, data, [7], 5)
        interest_panel(app).show_panel()
        process_events()
        assert "Rated" in press_digit(app, data, [7], 5)
        assert interest_of(app.data_collection).ratings == {7: 5}
        teaching.show_panel()
        process_events()
        assert "Labelled" in press_digit(app, data, [9], 1)
        teaching.close()
        process_events()
        assert "Rated" in press_digit(app, data, [9], 1)


class TestResult:
    """What is seen after training."""

    def test_columns_group_and_card(self, taught, state, data):
        assert state.group("yes").label == "ring (p > 0.8)"
        taught.tabs.setCurrentWidget(taught.result)
        wait_until(lambda: idle(taught))
        assert "accuracy" in taught.result.figures.text()
        assert "expected" in taught.result.expected.text()
        assert taught.result.wanted.itemText(0) == "ring"
        assert taught.result.reliability.has_points
        assert taught.result.curve.has_points
        assert "Learned from 25 galaxies by" in taught.result.how.text()
        assert taught.train_row.status.text() == "25 labels"

    def test_the_threshold_by_number_and_by_mouse(self, taught, state, data):
        taught.tabs.setCurrentWidget(taught.result)
        process_events()
        taught.result.spin.setValue(0.4)
        wait_until(lambda: state.threshold == 0.4)
        p = data[our_columns(data)["ring_prob"]]
        assert members(state.group("yes")) == np.flatnonzero(p >= 0.4).tolist()
        area = taught.result.plot.plot_area()
        place = QPoint(round(area.left() + 0.25 * area.width()), round(area.center().y()))
        QTest.mouseClick(taught.result.plot, Qt.LeftButton, Qt.NoModifier, place)
        wait_until(lambda: state.threshold == pytest.approx(0.25, abs=0.01))
        assert f"p > {state.threshold:g}" in state.group("yes").label
        assert taught.result.spin.value() == pytest.approx(state.threshold, abs=0.006)

    def test_a_cell_of_the_matrix_is_a_subset(self, app, taught, state):
        taught.tabs.setCurrentWidget(taught.result)
        process_events()
        grid = taught.result.confusion
        taught.result.ensureWidgetVisible(grid)
        QTest.mouseClick(grid, Qt.LeftButton, Qt.NoModifier, grid.cell_rect(1, 1).center().toPoint())
        group = next(g for g in app.data_collection.subset_groups if "rightly" in g.label)
        assert members(group) == state.confusion().cells[1][1].tolist()
        assert "Selected in every view" in taught.message.text()

    def test_mistakes_are_looked_at_again(self, taught, state):
        state.label([51], "no")
        train(taught)
        taught.tabs.setCurrentWidget(taught.mistakes)
        wait_until(lambda: idle(taught))
        assert "Disagreements (1)" in taught.tabs.tabText(2)
        QTest.mouseClick(taught.mistakes.review, Qt.LeftButton)
        wait_until(lambda: state.current == 51)
        assert taught.tabs.currentWidget() is taught.card
        wait_until(lambda: idle(taught))

    def test_selected_galaxies_in_the_gallery(self, app, taught, state):
        taught._show_in_gallery()
        viewer = app.viewers[0][0]
        assert viewer.state.sort_att is state.group("yes").subset_state.att
        assert viewer.state.sort_descending

    def test_figures_of_two_extremes_are_said_to_flatter(self, teaching, state):
        state.label(range(0, 8), "no")
        state.label(range(52, 60), "yes")
        train(teaching)
        teaching.tabs.setCurrentWidget(teaching.result)
        wait_until(teaching.result.flattery.isVisible)
        assert "% of the labelled ones" in teaching.result.flattery.text().replace("\u00a0", " ")
        assert "flatter" in teaching.warning.toolTip()
        teaching.result.flattery.linkActivated.emit("unlike")
        wait_until(lambda: idle(teaching) and state.why == "unlike")
        assert teaching.tabs.currentWidget() is teaching.card
        state.label(range(8, 52), "no")
        train(teaching)
        teaching.tabs.setCurrentWidget(teaching.result)
        wait_until(lambda: not teaching.result.flattery.isVisible())

    def test_what_to_label_next(self, taught, state):
        assert state.why == "uncertain"
        taught.card.modes.setCurrentIndex(taught.card.modes.findData("likely"))
        taught.card.modes.activated.emit(1)
        wait_until(lambda: state.why == "likely" and idle(taught))
        assert state.current not in state.labels

    def test_the_panel_keeps_its_width(self, taught):
        """Else every label would redraw every plot."""
        before = taught.widget().minimumSizeHint().width()
        taught.train_row.status.setText("12,345 new of 1,234,567 labels")
        taught.tabs.setTabText(2, "Disagreements (12,345)")
        process_events()
        assert taught.widget().minimumSizeHint().width() == before

    def test_what_is_predicted_is_drawn_below(self, app, taught, state, data, scatter, similar):
        similar.find(data, [3])
        mine = subset_of(app, data, [1, 2], "mine")
        state.threshold = 0.5
        process_events(wait=0.05)
        shown = [artist.layer.label for artist in scatter._layer_artist_container]  # the lowest first
        assert shown == ["survey", state.group("yes").label, mine.label, "Similar galaxies"]

    def test_a_redshift_is_measured_as_one(self, panel, data, state):
        start(panel, data, "redshift")
        state.add_column(data.id["redshift"])
        assert state.label_kind == "redshift"
        train(panel)
        assert state.lesson.figures[0].name == "σ_MAD"

    def test_numbers_outside_the_plot_are_said(self, panel, data, state):
        panel.show_panel()
        values = np.linspace(0, 1, data.size)
        values[7] = 40
        data.add_component(values, "mass")
        start(panel, data, "m")
        state.add_column(data.id["mass"])
        train(panel)
        panel.tabs.setCurrentWidget(panel.result)
        wait_until(lambda: idle(panel))
        assert "outside the plot" in panel.result.outside.text()
        assert not panel.result.outside.isHidden()

    def test_it_trains_by_itself(self, taught, state):
        taught.train_row.auto.setChecked(True)
        for _ in range(6):
            wait_until(lambda: taught.card.is_seen)
            taught.card.labelled.emit("yes" if state.current > 35 else "no")
        wait_until(lambda: state.n_new == 0 and idle(taught))
        assert state.curve[-1][0] == 31

    def test_a_number(self, panel, data, state):
        panel.show_panel()
        start(panel, data, "z")
        state.add_column(data.id["redshift"], most=40)
        train(panel)
        panel.tabs.setCurrentWidget(panel.result)
        wait_until(lambda: idle(panel))
        assert panel.result.threshold_part.isHidden()
        assert panel.result.truth.has_points
        assert "z_lo" in panel.result.how.text()
        assert "Learned from 39 galaxies: σ_MAD " in panel.message.text()
        assert ("extrapolated" in panel.result.how.text()) == (state.n_unlike > 0)
        panel.tabs.setCurrentWidget(panel.card)
        wait_until(lambda: panel.card.is_seen)
        row = state.current
        panel.card.value.setText(panel.locale().toString(0.25))
        QTest.keyClick(panel.card.value, Qt.Key_Return)
        assert state.labels[row] == 0.25

    def test_columns_beside_the_image_with_an_alarm(self, taught, state, data):
        data.add_component(np.arange(60.0), "answer")
        taught.heads.choose_inputs()
        items = [taught.heads.dialog.list.item(k) for k in range(taught.heads.dialog.list.count())]
        alarm = next(item for item in items if item.text().startswith("⚠ answer"))
        assert "may hold the answer" in alarm.text()
        alarm.setCheckState(Qt.Checked)
        taught.heads.dialog.accept()
        wait_until(lambda: idle(taught))
        assert state.inputs == ("answer",)
        assert "answer alone tells the labels" in taught.warning.toolTip()


class TestGoingBack:
    """Rename, join, remove; and take it back."""

    def rename(self, panel, place, text):
        name = panel.classes.rows[place].label
        QTest.mouseDClick(name, Qt.LeftButton)
        wait_until(lambda: name.currentWidget() is name.field)
        QTest.keyClicks(name.field, text)
        QTest.keyClick(name.field, Qt.Key_Return)
        wait_until(lambda: idle(panel))

    def shown(self, panel):
        return [(row.label.text(), row.count.text()) for row in panel.classes.rows]

    def test_a_class_is_renamed_where_it_stands(self, taught, state):
        self.rename(taught, 1, "ringed")
        assert self.shown(taught) == [("no", "15"), ("ringed", "10")]
        assert "train again" in taught.message.text()
        assert "Undo: yes renamed to ringed" in taught.header.undo.toolTip()
        QTest.mouseClick(taught.header.undo, Qt.LeftButton)
        wait_until(lambda: idle(taught))
        assert self.shown(taught) == [("no", "15"), ("yes", "10")]
        assert "Taken back: yes renamed" in taught.message.text()

    def test_escape_leaves_the_name(self, taught, state):
        name = taught.classes.rows[0].label
        QTest.mouseDClick(name, Qt.LeftButton)
        QTest.keyClicks(name.field, "x")
        QTest.keyClick(name.field, Qt.Key_Escape)
        wait_until(lambda: idle(taught))
        assert self.shown(taught)[0] == ("no", "15")

    def test_a_class_is_joined_with_another(self, taught, state):
        state.label([31, 33], "maybe")
        wait_until(lambda: idle(taught))
        self.rename(taught, 2, "yes")
        assert self.shown(taught) == [("no", "15"), ("yes", "12")]
        assert "joined" in taught.message.text()

    def test_a_class_is_removed_with_its_labels(self, taught, state):
        QTest.mouseClick(taught.classes.rows[1].remove, Qt.LeftButton)
        wait_until(lambda: idle(taught))
        assert self.shown(taught) == [("no", "15")]
        QTest.mouseClick(taught.header.undo, Qt.LeftButton)
        wait_until(lambda: idle(taught))
        assert self.shown(taught) == [("no", "15"), ("yes", "10")]

    def test_keys_take_back_a_label_or_a_training(self, app, taught, state):
        taught.tabs.setCurrentWidget(taught.card)
        press(taught, Qt.Key_1)
        train(taught)
        n = len(state.labels)
        press(taught, Qt.Key_Backspace)  # the label
        assert (len(state.labels), state.curve[-1][0]) == (n - 1, n)
        press(taught, Qt.Key_Z, Qt.ControlModifier)  # the training
        assert state.curve[-1][0] == n - 1
        press(taught, Qt.Key_Z, Qt.ControlModifier)
        assert state.head is None
        assert not any("ring (p" in group.label for group in app.data_collection.subset_groups)

    def test_targets_are_switched(self, taught, state, data):
        taught.header.target_wanted.emit(None)
        wait_until(lambda: taught.pages.currentIndex() == 0)
        QTest.keyClicks(taught.begin_page.name.lineEdit(), "bar")
        QTest.keyClick(taught.begin_page.name.lineEdit(), Qt.Key_Return)
        wait_until(lambda: state.target == "bar" and idle(taught) and state.current is not None)
        assert taught.classes.rows == []
        assert [taught.header.targets.itemText(k) for k in (0, 1)] == ["ring", "bar"]
        taught.header.targets.setCurrentIndex(0)
        taught.header.targets.activated.emit(0)
        wait_until(lambda: state.target == "ring" and idle(taught) and state.current is not None)
        assert self.shown(taught) == [("no", "15"), ("yes", "10")]
        assert state.n_new == 0
        assert state.head is not None


class TestTuned:
    """Over to an encoder that was fine-tuned, and back."""

    @pytest.fixture
    def tuned(self, taught, state, data, tmp_path):
        """Folder of a tuned encoder with a head, whose embeddings are in use."""
        from glue_zoobot.catalog.encoders import remember_encoder

        state.note_store()
        store = tmp_path / "tuned-store"
        attach_embeddings(
            data, write_store(store, ids_of_survey(), vectors()[:, ::-1], encoder="t", sha256="1" * 64).path
        )
        head = answer(state.question()).lesson.head
        folder = tmp_path / "ring-tuned"
        head.save(folder / "head")
        (folder / "config.json").write_text("{}")
        remember_encoder(data, folder)
        return folder

    def test_use_its_head_and_go_back(self, taught, state, data, tuned):
        before, column = state.head, our_columns(data)["ring_prob"]
        said = data[column].copy()
        state.threshold = 0.6
        taught.tabs.setCurrentWidget(taught.result)
        taught._refresh()
        assert "train again" in taught.warning.toolTip()
        QTest.mouseClick(taught.result.tuned.head, Qt.LeftButton)
        wait_until(lambda: idle(taught) and state.uses_head_of(tuned))
        assert np.isfinite(data[column]).all()  # also row 50, which had no embedding before
        QTest.mouseClick(taught.result.tuned.back, Qt.LeftButton)
        wait_until(lambda: idle(taught) and state.lesson is not None)
        assert "Back to the embeddings test" in taught.message.text()
        assert state.head.provenance == before.provenance
        assert (state.threshold, len(state.labels)) == (0.6, 25)
        np.testing.assert_allclose(data[column], said, atol=1e-6)


class TestVotes:
    """Votes of volunteers, from columns of the catalogue."""

    @pytest.fixture
    def voted(self, panel, data):
        share = np.random.default_rng(0).binomial(40, np.linspace(0.05, 0.95, data.size)) / 40
        share[55:] = np.nan
        data.add_component(share, "bar_yes_fraction")
        data.add_component(1 - share, "bar_no_fraction")
        data.add_component(np.full(data.size, 40), "classifications")
        panel.show_panel()
        process_events()
        return panel

    def test_a_question_is_learned_and_kept(self, app, voted, state, data, tmp_path):
        assert "votes of volunteers on 1 question" in voted.begin_page.text.text()
        voted.begin_page.text.linkActivated.emit("#")
        dialog = voted.heads.dialog
        assert (dialog.question.name, dialog.total) == ("bar", "classifications")
        QTest.mouseClick(dialog.learn, Qt.LeftButton)
        wait_until(lambda: state.is_votes and idle(voted))
        column = our_columns(data)["bar_yes_fraction"]  # beside the one of the catalogue
        low, high = (data[our_columns(data)[f"bar_yes_{end}"]] for end in ("lo", "hi"))
        known = np.arange(data.size) != 50
        assert np.corrcoef(data[column][known], np.arange(60)[known])[0, 1] > 0.9
        assert (low[known] <= high[known]).all()
        assert "votes of volunteers on 54 galaxies" in voted.classes.text.text()
        assert "R²" in voted.result.figures.text()
        assert column.label in voted.result.how.text()
        voted._undo()
        assert not state.is_votes
        assert np.isnan(data[column]).all()

    def test_no_votes_is_said(self, panel, data, state):
        panel.show_panel()
        process_events()
        panel.heads.ask_votes(data)
        assert "no columns of votes" in panel.heads.dialog.text.text()
        assert not panel.heads.dialog.learn.isEnabled()
        panel.heads.dialog.close()

    def test_shares_need_their_number(self, voted, data):
        data.remove_component(data.id["classifications"])
        voted.heads.ask_votes(data)
        assert "how many votes" in voted.heads.dialog.text.text()
        assert not voted.heads.dialog.learn.isEnabled()
        voted.heads.dialog.close()


class TestTrouble:
    """What goes wrong is said, and nothing is lost."""

    def test_too_little_to_learn_from(self, teaching, state):
        row = teaching.train_row
        assert "Label a few galaxies" in row.train.toolTip()
        state.label([3, 4], "yes")
        wait_until(lambda: idle(teaching) and "something else" in row.train.toolTip())
        assert not row.train.isEnabled()
        assert not row.tune.isEnabled()
        state.label([5], "no")
        wait_until(lambda: idle(teaching) and row.train.isEnabled())
        assert row.tune.isEnabled()
        state.undo()
        state.undo()
        state.label([3], "yes")
        state.label([5], "no")
        train(teaching)
        result = teaching.result
        teaching.tabs.setCurrentWidget(result)
        wait_until(lambda: "so few labels" in result.figures.text() and idle(teaching))
        assert "nan" not in result.expected.text()
        assert not any(part.isVisible() for part in (result.plot, result.reliability, result.curve))
        assert result.confusion.table is None

    def test_contradictions_are_shown(self, taught, state):
        state.label([41], "no")
        taught.tabs.setCurrentWidget(taught.mistakes)
        wait_until(lambda: idle(taught))
        assert "contradictory" in taught.warning.toolTip()
        QTest.mouseClick(taught.mistakes.conflicts, Qt.LeftButton)
        wait_until(lambda: taught.card.is_seen)
        assert state.current == 41
        press(taught, Qt.Key_2)
        assert state.conflicts == []

    def test_data_removed_mid_training(self, app, teaching, state, data):
        state.label(range(0, 30), "no")
        state.label(range(30, 60), "yes")
        path = state.log.path
        click_train(teaching)
        app.data_collection.remove(data)
        wait_until(lambda: idle(teaching))
        assert state.data is None
        assert teaching.pages.currentIndex() == 0
        assert len(path.read_text().splitlines()) == 60

    def test_window_closed_mid_training(self, app, teaching, state, data):
        state.label(range(0, 30), "no")
        state.label(range(30, 60), "yes")
        click_train(teaching)
        work = teaching.work._work
        app.close()
        work.wait()
        process_events()
        assert state.head is None

    def test_labels_given_while_it_trains_are_not_lost(self, teaching, state):
        state.label(range(0, 30), "no")
        state.label(range(40, 60), "yes")
        click_train(teaching)
        state.label(35, "yes")
        wait_until(lambda: idle(teaching))
        assert state.labels[35] == "yes"
        assert state.n_new == 1
        assert teaching.train_row.status.text() == "1 new of 51 labels"


def test_a_session_reopens_with_labels_head_and_threshold(app, taught, state, tmp_path):
    from glue_qt.app import GlueApplication

    state.threshold = 0.6
    labels = dict(state.labels)
    app.save_session(str(tmp_path / "s.glu"))
    again = GlueApplication.restore_session(str(tmp_path / "s.glu"), show=False)
    process_events()
    wait_until(lambda: again.findChild(TeachPanel) is not None)  # shown by itself: the session had it
    panel = teach_panel(again)
    assert not panel.isHidden()
    wait_until(lambda: idle(panel) and panel.state.current is not None)
    restored = panel.state
    assert (restored.target, restored.threshold, restored.labels) == ("ring", 0.6, labels)
    assert restored.n_new == 0
    panel.tabs.setCurrentWidget(panel.result)
    panel._refresh()
    assert "accuracy" in panel.result.figures.text()
    assert restored.group("yes").label == "ring (p > 0.6)"
    again.close()


def test_a_closed_window_leaves_nothing_behind(survey, store, panel, app, data, state):
    start(panel, data, "ring")
    references = [weakref.ref(panel), weakref.ref(state)]
    collection = app.data_collection
    app.close()
    del panel, state
    gc.collect()
    assert teaching_of(collection) is references[1]()
