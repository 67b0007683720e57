"""Teaching classes and quantities in a session: labels on disk, columns, groups, and what survives."""

import errno
import gc
import json
import os
import weakref

import numpy as np
import pytest
from glue.core import DataCollection
from glue.core.edit_subset_mode import EditSubsetMode
from glue.core.state import GlueSerializer, GlueUnSerializer
from glue.core.subset import ElementSubsetState, RangeSubsetState

from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.labels import user_name as user
from glue_zoobot.analysis.shares import class_shares, corrected
from glue_zoobot.catalog import attach_embeddings, load, write_columns
from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.catalog.interest.log import log_path_of
from glue_zoobot.catalog.record import update_record
from glue_zoobot.catalog.teaching import teaching_of
from glue_zoobot.catalog.teaching.expected import Chances
from glue_zoobot.catalog.teaching.lesson import answer
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import ids_of_survey, vectors, write_store, write_survey


class TestTextColumns:
    """Predicted classes as columns of words."""

    def test_new_words_keep_the_codes_of_the_old_ones(self, embedded):
        DataCollection([embedded])
        words = np.where(np.arange(60) < 30, "ring", "spiral")
        first = write_columns(embedded, {"kind_said": words})["kind_said"]
        again = write_columns(embedded, {"kind_said": np.where(np.arange(60) < 10, "merger", "spiral")})
        assert again["kind_said"] is first
        component = embedded.get_component(first)
        assert list(component.categories) == ["ring", "spiral", "merger"]
        assert component.labels[[0, 59]].tolist() == ["merger", "spiral"]
        assert embedded[first].codes[[0, 59]].tolist() == [2, 1]

    def test_numbers_after_words_are_another_column(self, embedded):
        first = write_columns(embedded, {"said": np.full(60, "ring")})["said"]
        second = write_columns(embedded, {"said": np.arange(60)})["said"]
        assert second is not first
        assert second.label == "said_2"
        assert write_columns(embedded, {"said": np.ones(60)})["said"] is second


@pytest.fixture
def state(collection):
    return teaching_of(collection)


@pytest.fixture
def ring(state, embedded):
    """Forty rows labelled: the last third are rings."""
    state.open(embedded, "ring")
    state.label(range(0, 30, 2), "no")
    state.label(range(41, 60, 2), "yes")
    return state


def members(group, data):
    return np.flatnonzero(next(s for s in group.subsets if s.data is data).to_mask()).tolist()


def lines(state):
    return [json.loads(line) for line in state.log.path.read_text().splitlines()]


def column(data, label):
    cid = our_columns(data)[label]
    component = data.get_component(cid)
    return np.asarray(component.labels) if hasattr(component, "labels") else data[cid]


class TestLabels:
    """Where labels come from, and that none is lost."""

    def test_one_state_per_session(self, collection, state):
        assert teaching_of(collection) is state
        assert teaching_of(DataCollection()) is not state

    def test_a_label_is_on_disk_at_once_beside_the_ratings(self, state, embedded):
        state.open(embedded, "ring")
        state.label(3, "yes")
        entry = lines(state)[-1]
        assert (entry["kind"], entry["target"], entry["value"]) == ("label", "ring", "yes")
        assert entry["object_id"] == ids_of_survey()[3]
        assert state.log.path == log_path_of(embedded)
        assert state.labels == {3: "yes"}

    def test_subsets_become_classes_with_their_colours(self, state, embedded, collection):
        state.open(embedded, "kind")
        for name, rows, colour in (("Ring", range(5), "#ff0000"), ("Disc", range(5, 12), "#00ff00")):
            subset_state = ElementSubsetState(list(rows), data=embedded)
            group = collection.new_subset_group(name, subset_state, color=colour)
            state.add_subset(next(s for s in group.subsets if s.data is embedded))
        assert [(c.name, c.colour, c.key, len(c.rows)) for c in state.classes] == [
            ("Ring", "#ff0000", 1, 5),
            ("Disc", "#00ff00", 2, 7),
        ]
        assert state.undo() == 7
        assert [len(c.rows) for c in state.classes] == [5]

    def test_an_empty_subset_is_refused(self, state, embedded, collection):
        state.open(embedded, "kind")
        group = collection.new_subset_group("none", ElementSubsetState([], data=embedded))
        with pytest.raises(AnalysisError, match="no galaxy of"):
            state.add_subset(group.subsets[0])
        assert state.classes == []

    def test_columns_of_classes_and_numbers(self, state, embedded):
        state.open(embedded, "kind")
        assert state.add_column(embedded.id["kind"]) == 60
        assert {c.name for c in state.classes} == {"spiral", "elliptical"}
        state.open(embedded, "z")
        assert state.add_column(embedded.id["redshift"], most=25) == 25
        assert state.is_number
        assert state.classes == []

    def test_clear_cases_of_a_vote_fraction(self, state, embedded):
        state.open(embedded, "far")
        state.add_column(embedded.id["redshift"], clear=(0.2, 0.8))
        assert {c.name: len(c.rows) for c in state.classes} == {"no": 12, "yes": 12}
        with pytest.raises(AnalysisError, match="overlap"):
            state.add_column(embedded.id["redshift"], clear=(0.8, 0.2))

    def test_an_empty_column_is_refused(self, state, embedded):
        embedded.add_component(np.full(60, np.nan), "nothing")
        state.open(embedded, "n")
        with pytest.raises(AnalysisError, match="has no value for any of its 60 galaxies"):
            state.add_column(embedded.id["nothing"])

    def test_words_are_classes_up_to_a_number_and_else_refused(self, state, embedded):
        many = np.repeat([f"w{k:02d}" for k in range(30)], 2)
        embedded.add_component(many, "thirty")
        embedded.add_component(np.array([f"w{k}" for k in range(60)]), "names")
        state.open(embedded, "n")
        from glue_zoobot.catalog.teaching.sources import target_columns

        offered = [cid.label for cid in target_columns(embedded)]
        assert "thirty" in offered
        assert state.add_column(embedded.id["thirty"]) == 60
        with pytest.raises(AnalysisError, match="60 different words, and there can be at most 50 classes"):
            state.add_column(embedded.id["names"])

    def test_ids_in_no_float_and_unknown_ones_in_a_file(self, state, embedded, tmp_path):
        ids = ids_of_survey()
        rows = [f"{name},{'yes' if i % 2 else 'no'}" for i, name in enumerate(ids[:10])]
        (tmp_path / "l.csv").write_text("objid,ring\n" + "\n".join([*rows, "5877395055527850000,yes"]) + "\n")
        state.open(embedded, "ring")
        assert state.add_file(tmp_path / "l.csv", "ring") == 10
        assert state.labels == {i: "yes" if i % 2 else "no" for i in range(10)}
        assert "1 of 11 ids" in state.note
        assert state.undo() == 11  # one gesture
        assert state.labels == {}
        (tmp_path / "other.csv").write_text("objid,ring\n12,yes\n13,no\n")
        with pytest.raises(AnalysisError, match="another catalogue"):
            state.add_file(tmp_path / "other.csv", "ring")

    def test_keys(self, state, embedded):
        state.open(embedded, "kind")
        state.add_class("ring")
        state.add_class("disc")
        assert (state.class_of_key(1), state.class_of_key(2)) == ("ring", "disc")
        with pytest.raises(AnalysisError, match="1 ring, 2 disc"):
            state.class_of_key(3)
        state.open(embedded, "digits")
        state.add_class("0")
        state.add_class("1")
        assert state.class_of_key(1) == "1"  # not the first one

    def test_contradictions_are_shown_and_the_latest_counts(self, state, embedded):
        state.open(embedded, "ring")
        state.label([4, 5], "yes")
        state.label(5, "no")
        assert [(c.row, c.text().split(": ")[1:]) for c in state.conflicts] == [(5, ["yes, " + user(), "no"])]
        assert state.labels[5] == "no"
        assert "contradictory" in state.warnings()[0]
        state.review([5], "conflict")
        state.label(5, "yes")  # decided, knowing both
        assert state.conflicts == []

    def test_an_unwritable_label_does_not_count(self, state, embedded, monkeypatch):
        state.open(embedded, "ring")
        state.label(1, "yes")

        def full(*args):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(AnalysisError, match="Earlier ratings are safe"):
            state.label(2, "no")
        assert state.labels == {1: "yes"}

    def test_undo_shows_the_galaxy_again(self, state, embedded):
        state.open(embedded, "ring")
        state.suggest()
        first = state.current
        state.add_class("yes")
        state.label(first, "yes")
        assert state.current != first
        state.undo()
        assert state.current == first
        assert state.undo_text == "new class yes"
        state.undo()
        assert state.classes == []
        assert not state.can_undo
        state.skip()
        assert state.current != first

    @pytest.mark.parametrize("name", ["", "  "])
    def test_a_target_needs_a_name(self, state, embedded, name):
        with pytest.raises(AnalysisError, match="give a name"):
            state.open(embedded, name)

    def test_without_embeddings(self, state, tmp_path, collection):
        data = load(write_survey(tmp_path / "bare"))
        collection.append(data)
        with pytest.raises(AnalysisError, match="no embeddings yet"):
            state.open(data, "ring")


class TestTraining:
    """Columns, groups, thresholds."""

    def test_yes_or_no(self, ring, embedded, collection):
        ring.train()
        p = column(embedded, "ring_prob")
        assert p[55] > 0.8 > 0.2 > p[5]
        assert [c.label for c in embedded.main_components][-2:] == ["ring_prob", "ring_unlike"]
        group = ring.group("yes")
        assert group.label == "ring (p > 0.8)"
        assert group.style.color == ring.colour_of("yes")
        assert members(group, embedded) == np.flatnonzero(p >= 0.8).tolist()
        assert ring.n_new == 0
        assert "ring from 25 labels (15 no, 10 yes)" in ring.lesson.text()

    def test_the_threshold_is_live_and_says_what_to_expect(self, ring, embedded):
        ring.train()
        p, group = column(embedded, "ring_prob"), ring.group("yes")
        ring.threshold = 0.35
        assert group.label == "ring (p > 0.35)"
        selected = p[p >= 0.35]
        assert members(group, embedded) == np.flatnonzero(p >= 0.35).tolist()
        found = ring.expected()
        assert found.n == len(selected)
        assert found.purity == pytest.approx(selected.mean(), abs=0.1)
        assert 0.8 < found.completeness <= 1
        assert np.isnan(ring.expected(threshold=1.0).purity)
        ring.threshold = 7
        assert ring.threshold == 1

    def test_classes(self, state, embedded):
        state.open(embedded, "kind")
        for name, rows in (("a", range(0, 15)), ("b", range(20, 35)), ("c", range(44, 59))):
            state.label(rows, name)
        state.train()
        assert column(embedded, "kind")[[5, 30, 55]].tolist() == ["a", "b", "c"]
        assert {"kind_prob_a", "kind_prob_b", "kind_prob_c", "kind_set", "kind_unlike"} <= set(
            our_columns(embedded)
        )
        assert state.group("b").label == "b (p > 0.8)"
        state.wanted = "b"
        state.threshold = 0.5
        assert state.group("b").label == "b (p > 0.5)"
        assert state.group("a").label == "a (p > 0.8)"

    def test_training_again_fills_the_same_columns(self, ring, embedded, collection):
        ring.train()
        before = our_columns(embedded)
        groups = len(collection.subset_groups)
        ring.label(range(1, 12, 2), "yes")
        assert ring.n_new == 6
        ring.train()
        assert our_columns(embedded) == before
        assert len(collection.subset_groups) == groups
        assert column(embedded, "ring_prob")[5] > 0.2
        assert [n for n, _ in ring.curve] == [25, 31]

    def test_a_class_that_is_no_more_keeps_no_probabilities(self, state, embedded):
        state.open(embedded, "kind")
        state.label(range(0, 20), "a")
        state.label(range(20, 40), "b")
        state.label(range(40, 60), "c")
        state.train()
        state.undo(of_labels=True)
        state.train()
        assert np.isnan(column(embedded, "kind_prob_c")).all()
        assert set(column(embedded, "kind")) == {"a", "b"}

    def test_a_number(self, state, embedded, collection):
        state.open(embedded, "z")
        state.add_column(embedded.id["redshift"], most=40)
        state.train()
        z, low, high = (column(embedded, name) for name in ("z", "z_lo", "z_hi"))
        assert np.abs(z - embedded["redshift"]).mean() < 0.1
        assert (low <= z).all()
        assert (z <= high).all()
        assert state.confusion() is None
        assert state.expected() is None
        assert state.mistakes()[0].text().startswith("value 0.")
        assert not [g for g in collection.subset_groups if "p >" in g.label]

    def test_the_users_columns_and_subsets_are_left_alone(self, ring, embedded, collection):
        embedded.add_component(np.arange(60.0), "ring_prob")
        mine = collection.new_subset_group("ring (p > 0.8)", embedded.id["redshift"] > 0.5)
        ring.edit_subset_mode = EditSubsetMode()
        ring.edit_subset_mode.data_collection = collection
        ring.edit_subset_mode.edit_subset = [mine]
        ring.train()
        assert embedded["ring_prob"].tolist() == list(range(60))
        assert our_columns(embedded)["ring_prob"].label == "ring_prob_2"
        assert ring.group("yes") is not mine
        assert ring.edit_subset_mode.edit_subset == [mine]

    def test_a_group_that_the_user_redrew_is_his(self, ring, embedded):
        ring.train()
        group, drawn = ring.group("yes"), RangeSubsetState(0.1, 0.2, att=embedded.id["redshift"])
        group.subset_state = drawn
        assert ring.hidden
        assert group.label == "ring (p > 0.8) (changed)"
        ring.show_hidden()
        assert not ring.hidden
        assert ring.group("yes").label == "ring (p > 0.8)"
        cell = ring.show_cell("yes", "yes")
        cell.subset_state = drawn
        assert ring.show_cell("yes", "yes") is not cell
        assert group.subset_state is cell.subset_state is drawn

    def test_confusion_cells_are_subsets(self, ring, embedded):
        ring.label([50], "no")
        ring.train()
        table = ring.confusion()
        assert table.names == ("no", "yes")
        assert table.counts.sum() == 26
        assert 50 in table.cells[0][1]
        group = ring.show_cell("no", "yes")
        assert members(group, embedded) == table.cells[0][1].tolist()
        again = ring.show_cell("yes", "yes")
        assert again is group
        assert members(group, embedded) == table.cells[1][1].tolist()
        worst = ring.mistakes()[0]
        assert (worst.row, worst.label, worst.said) == (50, "no", "yes")
        ring.review([50], "mistake")
        ring.label(50, "yes")
        assert 50 not in [one.row for one in ring.mistakes()]
        assert ring.conflicts == []

    @pytest.mark.parametrize("mode", ["uncertain", "likely", "unlike"])
    def test_what_to_label_next(self, ring, mode):
        ring.mode = mode
        ring.train()
        assert ring.current is not None
        assert ring.why == mode
        assert not set(ring.next_rows) & set(ring.labels)

    def test_an_answer_that_comes_too_late_is_dropped(self, ring, embedded):
        question = ring.question()
        late = answer(question)
        ring.open(embedded, "bar")
        ring.take(late)
        assert ring.head is None
        assert our_columns(embedded) == {}

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ({}, "no labels yet"),
            ({3: "yes"}, "too few"),
            ({3: "yes", 4: "yes", 5: "yes"}, "something else"),
        ],
    )
    def test_too_little_to_learn_from(self, state, embedded, labels, message):
        state.open(embedded, "ring")
        for row, value in labels.items():
            state.label(row, value)
        with pytest.raises(AnalysisError, match=message):
            state.train()
        assert state.labels == labels

    def test_a_class_of_two_is_learned_and_named_as_too_small(self, ring):
        ring.label([33, 34], "maybe")
        ring.train()
        assert "maybe (2)" in " ".join(ring.warnings())

    def test_a_constant_is_refused(self, state, embedded):
        state.open(embedded, "c")
        embedded.add_component(np.full(60, 3.0), "three")
        state.add_column(embedded.id["three"])
        state.set_kind("number")
        with pytest.raises(AnalysisError, match="constant"):
            state.train()

    def test_galaxies_without_embedding_are_counted_and_get_no_prediction(self, collection, survey):
        data = load(survey)
        folder = survey.with_name("other")
        write_store(folder, ids_of_survey(), vectors(), broken=[ids_of_survey()[50]])
        attach_embeddings(data, folder)
        collection.append(data)
        state = teaching_of(collection)
        state.open(data, "ring")
        state.label([50], "yes")
        state.set_kind("number")
        assert state.why_not_yet().startswith("None of the 1 labelled galaxy has an embedding")
        state.set_kind(None)
        state.label(range(0, 30), "no")
        assert "All labelled galaxies but those that are no lack an embedding" in state.why_not_yet()
        assert state.why_not_yet(of_images=True) == ""
        state.label(range(40, 60), "yes")
        state.train()
        assert state.n_without_embedding == 1
        assert np.isnan(column(data, "ring_prob")[50])
        assert np.isnan(column(data, "ring_unlike")[50])
        assert state.n_new == 0

    def test_data_removed(self, ring, embedded, collection):
        question = ring.question()
        late = answer(question)
        path = ring.log.path
        collection.remove(embedded)
        assert (ring.data, ring.current, ring.labels) == (None, None, {})
        ring.take(late)
        assert path.exists()
        with pytest.raises(AnalysisError, match="choose a catalogue"):
            ring.train()


class TestExpected:
    """What is said of a threshold is true of the catalogue, not of the labels."""

    @staticmethod
    def probabilities(share, labelled, n=20_000):
        """Two overlapping classes, and what labels of which a share is *yes* make of them."""
        rng = np.random.default_rng(0)
        truth = rng.random(n) < share
        x = rng.normal(np.where(truth, 1.0, -1.0))
        odds = labelled / (1 - labelled) * np.exp(2 * x)
        yes = odds / (1 + odds)
        return truth, np.column_stack([1 - yes, yes])

    @pytest.mark.parametrize(("share", "labelled"), [(0.05, 0.5), (0.3, 0.3), (0.7, 0.2)])
    def test_labels_that_are_no_fair_sample(self, share, labelled):
        truth, p = self.probabilities(share, labelled)
        shares = np.array([1 - labelled, labelled])
        assert class_shares(p, shares)[1] == pytest.approx(share, abs=0.02)
        chances = Chances(p[:, 1], corrected(p, shares)[:, 1], np.zeros(len(p)), labelled)
        for threshold in (0.2, 0.5, 0.8):
            found, selected = chances.expect(threshold), p[:, 1] >= threshold
            assert found.n == selected.sum()
            assert found.purity == pytest.approx(truth[selected].mean(), abs=0.04)
            assert found.completeness == pytest.approx(truth[selected].sum() / truth.sum(), abs=0.04)

    def test_galaxies_without_probability_or_unlike_anything(self):
        p = np.array([0.9, np.nan, 0.7, 0.1], dtype=np.float32)
        found = Chances(p, p, np.array([1, np.nan, 0, 0]), 0.5).expect(0.5)
        assert (found.n, found.unlike) == (2, 1)
        assert found.purity == pytest.approx(0.8)
        assert np.isnan(Chances(p, p, np.zeros(4), 0.5).expect(0.95).purity)


class TestInputs:
    """Columns beside the image."""

    def test_a_column_helps_and_is_named_in_the_head(self, state, embedded):
        embedded.add_component(np.tile([0.0, 1.0], 30), "odd")
        state.open(embedded, "kind")
        state.add_column(embedded.id["kind"], most=40)
        state.use_inputs(["odd"])
        assert "odd alone tells the labels" in state.leaks()[0]
        state.train()
        assert (column(embedded, "kind") == np.asarray(embedded.get_component("kind").labels)).mean() > 0.9
        assert json.loads(state.head.provenance["inputs"]) == ["odd"]

    def test_no_alarm_for_an_honest_column(self, ring, embedded):
        embedded.add_component(np.random.default_rng(0).normal(size=60), "noise")
        ring.use_inputs(["noise"])
        assert ring.leaks() == []

    def test_no_prediction_where_a_value_is_missing(self, ring, embedded):
        values = np.random.default_rng(0).normal(size=60)
        values[7] = np.nan
        embedded.add_component(values, "noise")
        ring.use_inputs(["noise"])
        ring.train()
        assert np.isnan(column(embedded, "ring_prob")[7])


class TestKept:
    """Across heads, sessions and crashes."""

    def test_a_head_is_used_on_another_catalogue_of_the_same_encoder(self, ring, embedded, survey, tmp_path):
        ring.train()
        path = ring.save_head(tmp_path / "ring.head")
        other = load(survey)
        state = teaching_of(DataCollection([other]))
        state.load_head(other, path)
        assert column(other, "ring_prob") == pytest.approx(column(embedded, "ring_prob"))
        assert "taught with 25 galaxies" in state.note

    def test_a_head_of_another_encoder_is_refused(self, ring, embedded, tmp_path):
        ring.train()
        path = ring.save_head(tmp_path / "ring.head")
        facts = json.loads((path / "head.json").read_text())
        facts["provenance"]["weights_sha256"] = "f" * 64
        (path / "head.json").write_text(json.dumps(facts))
        before = column(embedded, "ring_prob").copy()
        with pytest.raises(AnalysisError, match="Train it again on these embeddings"):
            ring.load_head(embedded, path)
        assert (column(embedded, "ring_prob") == before).all()
        assert len(ring.labels) == 25

    def test_a_restored_session_goes_on(self, ring, embedded, collection, survey):
        ring.wanted = "yes"
        ring.train()
        ring.threshold = 0.6
        expected = ring.expected()
        text = GlueSerializer(collection).dumps()
        again = GlueUnSerializer.loads(text).object("__main__")
        state = teaching_of(again)
        data = again[0]
        assert (state.data, state.target, state.threshold) == (data, "ring", 0.6)
        assert state.labels == ring.labels
        assert state.n_new == 0
        assert state.expected() == expected
        assert state.lesson.text() == ring.lesson.text()
        assert state.confusion().counts.tolist() == ring.confusion().counts.tolist()
        assert state.colour_of("yes") == ring.colour_of("yes")
        state.threshold = 0.7
        assert [g.label for g in again.subset_groups] == ["ring (p > 0.7)"]

    def test_a_damaged_head_costs_no_label(self, ring, collection):
        ring.train()
        (ring.log.path.parent / "survey.heads" / "ring-test-encoder" / "lesson.json").write_text("{")
        text = GlueSerializer(collection).dumps()
        state = teaching_of(GlueUnSerializer.loads(text).object("__main__"))
        assert len(state.labels) == 25
        assert "damaged" in state.note
        assert state.n_new == 25

    def test_labels_by_another_program_are_seen(self, ring):
        LabelLog(ring.log.path, who="bob").label(ids_of_survey()[33], "yes", "ring")
        ring.label(31, "no")
        assert ring.labels[33] == "yes"

    def test_nothing_keeps_a_closed_session_alive(self, survey, store):
        data = load(survey)
        collection = DataCollection([data])
        state = teaching_of(collection)
        state.open(data, "ring")
        state.label(range(20), "yes")
        state.label(range(30, 60), "no")
        state.train()
        references = [weakref.ref(one) for one in (data, collection, state)]
        del data, collection, state
        gc.collect()
        assert [reference() for reference in references] == [None, None, None]


class TestGoingBack:
    """Whatever was done can be taken back, in the order in which it was done."""

    def test_renaming(self, ring):
        ring.rename_class("yes", "ringed")
        assert [(c.name, len(c.rows)) for c in ring.classes] == [("no", 15), ("ringed", 10)]
        assert ring.wanted != "yes"
        assert ring.conflicts == []
        assert ring.undo_text == "yes renamed to ringed"
        ring.undo()
        assert [(c.name, len(c.rows)) for c in ring.classes] == [("no", 15), ("yes", 10)]
        with pytest.raises(AnalysisError, match="give the class a name"):
            ring.rename_class("yes", " ")
        with pytest.raises(AnalysisError, match="no class nobody"):
            ring.rename_class("nobody", "x")

    def test_joining(self, ring):
        ring.label([1, 3], "maybe")
        colour = ring.colour_of("yes")
        ring.rename_class("maybe", "yes")
        assert [(c.name, len(c.rows)) for c in ring.classes] == [("no", 15), ("yes", 12)]
        assert ring.colour_of("yes") == colour
        ring.undo()
        assert [len(c.rows) for c in ring.classes] == [15, 10, 2]
        assert ring.conflicts == []

    def test_removing_a_class_with_its_labels(self, ring):
        before = [(c.name, c.colour, sorted(c.rows)) for c in ring.classes]
        assert ring.remove_class("yes") == 10
        assert [c.name for c in ring.classes] == ["no"]
        assert ring.undo_text == "removed class yes"
        ring.undo()
        assert [(c.name, c.colour, sorted(c.rows)) for c in ring.classes] == before
        ring.undo()
        assert len(ring.labels) == 15 + 10  # those given before the removal were given anew

    def test_labels_of_somebody_else_are_not_ours_to_remove(self, ring, monkeypatch):
        monkeypatch.setattr(ring.log.log, "who", "bob")
        ring.label([3], "yes")
        monkeypatch.setattr(ring.log.log, "who", user())
        with pytest.raises(AnalysisError, match="by bob"):
            ring.remove_class("yes")
        assert len(ring.labels) == 26

    def test_training(self, ring, embedded, collection):
        ring.train()
        first = column(embedded, "ring_prob").copy()
        ring.label(range(31, 41), "no")
        ring.train()
        assert [n for n, _ in ring.curve] == [25, 35]
        ring.undo()
        assert np.allclose(column(embedded, "ring_prob"), first, equal_nan=True)
        assert [n for n, _ in ring.curve] == [25]
        assert ring.n_new == 10
        ring.undo()
        assert ring.n_new == 0
        ring.undo()
        assert ring.head is None
        assert ring.group("yes") is None
        assert np.isnan(column(embedded, "ring_prob")).all()
        assert not [group for group in collection.subset_groups if "ring" in group.label]
        ring.train()
        assert ring.group("yes") is not None

    def test_the_last_label_whatever_was_done_since(self, ring):
        ring.label(35, "yes")
        ring.train()
        ring.undo(of_labels=True)
        assert 35 not in ring.labels
        assert ring.head is not None

    def test_training_once_the_embeddings_are_gone(self, ring, embedded):
        ring.train()
        first = ring.head
        ring.label([35], "yes")
        ring.train()
        update_record(embedded, store="gone")
        ring.undo()
        assert ring.head is first
        assert "embeddings of survey" in ring.note


class TestSeveralTargets:
    """Ring and bar as questions of their own about the same galaxies."""

    def test_each_keeps_what_it_had(self, ring, embedded):
        ring.train()
        ring.threshold = 0.6
        ring.open(embedded, "bar")
        assert ring.labels == {}
        assert not ring.can_undo
        ring.label(range(0, 30, 3), "yes")
        ring.label(range(31, 60, 3), "no")
        ring.train()
        assert set(our_columns(embedded)) >= {"ring_prob", "bar_prob"}
        ring.open(embedded, "ring")
        assert (ring.threshold, len(ring.labels), ring.n_new) == (0.6, 25, 0)
        assert ring.group("yes").label == "ring (p > 0.6)"
        assert ring.curve[-1][0] == 25
        assert ring.targets == ["ring", "bar"]


class TestOtherEmbeddings:
    """A head says nothing of embeddings by another encoder."""

    def test_it_is_not_used_and_said(self, ring, embedded, tmp_path):
        ring.train()
        assert ring.usable_head is ring.head
        other = write_store(tmp_path / "other", ids_of_survey(), vectors())
        manifest = other.path / "manifest.json"
        manifest.write_text(manifest.read_text().replace("0" * 64, "1" * 64))
        attach_embeddings(embedded, other.path)
        assert ring.usable_head is None
        assert any("train again" in text for text in ring.warnings())
        ring.suggest()
        ring.train()
        assert ring.usable_head is ring.head
        assert not any("train again" in text for text in ring.warnings())

    def test_labels_given_before_stay_known(self, ring, embedded, collection, tmp_path):
        labels = dict(ring.labels)
        collection.remove(embedded)
        collection.append(embedded)
        embedded.meta["glue_zoobot"].pop("ratings")  # as if the file was opened anew
        ring.open(embedded, "ring")
        attach_embeddings(embedded, write_store(tmp_path / "b" / "other", ids_of_survey(), vectors()).path)
        ring.open(embedded, "ring")
        assert ring.labels == labels
