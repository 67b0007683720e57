"""What the gallery shows, without any window."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.component import CategoricalComponent

from glue_zoobot.qt.gallery.ordering import MOST_GROUPS, grouped, order_by
from glue_zoobot.qt.gallery.state import GalleryLayerState, GalleryViewerState
from glue_zoobot.qt.gallery.values import format_value, number_format


@pytest.fixture
def catalogue():
    return Data(
        label="cat",
        z=np.array([0.3, np.nan, 0.1, 0.3, 0.2]),
        n=np.array([3, 1, 2, 1, 1]),
        shape=CategoricalComponent(np.array(["b", "a", "", "b", "a"])),
    )


@pytest.fixture
def state(catalogue):
    collection = DataCollection([catalogue])
    state = GalleryViewerState()
    state.data_collection = collection
    state.layers = [GalleryLayerState(layer=catalogue, viewer_state=state)]
    return state


def add_subset(state, catalogue, mask_of, label="s", color="#ff0000"):
    collection = state.data_collection
    group = collection.new_subset_group(label, mask_of, color=color)
    subset = group.subsets[0]
    layer = GalleryLayerState(layer=subset, viewer_state=state, zorder=len(state.layers))
    state.layers.append(layer)
    return subset, layer


def test_catalogue_order_at_first(state):
    assert state.sort_att is None
    assert state.rows().tolist() == [0, 1, 2, 3, 4]


def test_nothing_without_data():
    state = GalleryViewerState()
    assert state.data is None
    assert state.rows().tolist() == []
    assert state.details(0) == []
    assert state.rank_att is None


@pytest.mark.parametrize(
    ("label", "descending", "expected"),
    [
        ("z", False, [2, 4, 0, 3, 1]),  # equal values keep catalogue order, NaN last
        ("z", True, [0, 3, 4, 2, 1]),
        ("n", False, [1, 3, 4, 2, 0]),
        ("n", True, [0, 2, 1, 3, 4]),
        ("shape", False, [1, 4, 0, 3, 2]),  # an empty category is missing
        ("shape", True, [0, 3, 1, 4, 2]),
    ],
)
def test_sort_is_stable_and_missing_comes_last(state, catalogue, label, descending, expected):
    state.sort_att, state.sort_descending = catalogue.id[label], descending
    assert state.rows().tolist() == expected


def test_every_number_and_category_can_sort(state, catalogue):
    choices = type(state).sort_att.get_choice_labels(state)
    assert choices[0] == "Catalogue order"
    assert {"z", "n", "shape"} <= set(choices)


def test_datetimes_sort_with_missing_last():
    days = np.array(["2021-01-02", "NaT", "2020-05-05"], dtype="datetime64[D]")
    assert order_by(days).tolist() == [2, 0, 1]
    assert order_by(days, descending=True).tolist() == [0, 2, 1]


def test_sort_agrees_with_a_plain_sort():
    values = np.random.default_rng(3).integers(0, 50, 2000).astype(float)
    values[::17] = np.nan
    expected = sorted(range(2000), key=lambda i: (np.isnan(values[i]), -np.nan_to_num(values[i]), i))
    assert order_by(values, descending=True).tolist() == expected


def test_new_values_change_the_order(state, catalogue):
    state.sort_att = catalogue.id["n"]
    state.rows()
    catalogue.update_components({catalogue.id["n"]: np.array([1, 2, 3, 4, 5])})
    assert state.rows().tolist() == [0, 1, 2, 3, 4]


def test_derived_column_sorts(state, catalogue):
    catalogue.add_component_link(catalogue.id["n"] * -1, "minus_n")
    state.sort_att = catalogue.id["minus_n"]
    assert state.rows().tolist() == [0, 2, 1, 3, 4]


def test_visible_layers_decide_which_rows(state, catalogue):
    _, layer = add_subset(state, catalogue, catalogue.id["n"] == 1)
    assert len(state.rows()) == 5
    state.layers[0].visible = False
    assert state.rows().tolist() == [1, 3, 4]
    state.sort_att = catalogue.id["z"]
    assert state.rows().tolist() == [4, 3, 1]
    add_subset(state, catalogue, catalogue.id["n"] == 3, label="t")
    assert sorted(state.rows()) == [0, 1, 3, 4]
    layer.visible = False
    assert state.rows().tolist() == [0]


def test_frames_topmost_first(state, catalogue):
    _, first = add_subset(state, catalogue, catalogue.id["n"] == 1, color="#ff0000")
    add_subset(state, catalogue, catalogue.id["n"] < 3, label="t", color="#00ff00")
    rows = np.array([0, 2, 4])
    assert state.frames(rows) == [(), ("#00ff00",), ("#00ff00", "#ff0000")]
    first.zorder = 99
    assert state.frames(rows)[2] == ("#ff0000", "#00ff00")
    first.visible = False
    assert state.frames(rows)[2] == ("#00ff00",)


def test_subset_of_foreign_data_has_no_members(state, catalogue):
    other = Data(label="other", w=np.arange(3.0))
    state.data_collection.append(other)
    subset, _ = add_subset(state, catalogue, other.id["w"] > 1)
    assert not state.mask(subset).any()
    assert state.frames(np.arange(5)) == [()] * 5


def test_captions_include_what_sorts(state, catalogue):
    state.caption_atts = [catalogue.id["shape"]]
    assert state.captions(np.array([0]))[0] == [("shape", "b")]
    state.sort_att = catalogue.id["z"]
    assert state.captions(np.array([1]))[0] == [("shape", "a"), ("z", "–")]
    state.caption_atts = [catalogue.id["z"]]
    assert state.captions(np.array([0]))[0] == [("z", "0.3")]


def test_captions_forget_a_removed_column(state, catalogue):
    state.caption_atts = [catalogue.id["n"], catalogue.id["z"]]
    catalogue.remove_component(catalogue.id["n"])
    assert state.captions(np.array([0]))[0] == [("z", "0.3")]


def test_object_id_is_the_first_caption():
    data = Data(label="d", object_id=CategoricalComponent(np.array(["587730773351858407", "2"])))
    state = GalleryViewerState()
    state.layers = [GalleryLayerState(layer=data)]
    assert state.captions(np.array([0]))[0] == [("object_id", "587730773351858407")]


def test_details_give_the_values(state, catalogue):
    assert dict(state.details(0)) == {"z": "0.3", "n": "3", "shape": "b"}
    assert dict(state.details(2)) == {"z": "0.1", "n": "2"}  # what is missing is left out
    assert len(state.details(0, count=2)) == 2


def test_most_similar_first(state, catalogue):
    state.sort_most_similar_first()
    assert state.sort_att is None  # nothing was looked for yet
    catalogue.add_component(np.array([2, np.nan, 0, 1, np.nan]), "similarity_rank")
    state.sort_descending = True
    state.sort_most_similar_first()
    assert state.rows().tolist() == [2, 3, 0, 1, 4]


def ranked(state, catalogue, ranks, label="similarity_rank"):
    catalogue.add_component(np.array(ranks, dtype=np.float32), label)
    state.sort_att = catalogue.id[label]


def test_a_few_questions_stay_in_front(state, catalogue):
    ranked(state, catalogue, [1, 0, 2, np.nan, 0])
    assert state.rows().tolist() == [1, 4, 0, 2, 3]
    state.sort_descending = True
    assert state.rows().tolist() == [2, 0, 1, 4, 3]


@pytest.mark.parametrize("label", ["similarity_rank", "similarity_rank_2", "interest_rank"])
def test_many_questions_follow_the_answer(state, catalogue, label):
    ranked(state, catalogue, [0, 0, 0, 1, 0], label)
    assert state.rows().tolist() == [3, 0, 1, 2, 4]
    add_subset(state, catalogue, catalogue.id["n"] == 1)
    state.layers[0].visible = False
    assert state.rows().tolist() == [3, 1, 4]


def test_questions_are_named_and_known(state, catalogue):
    rows = np.arange(5)
    assert not state.questions(rows).any()
    ranked(state, catalogue, [0, 1, 2, np.nan, 0])
    texts = [captions[-1][1] for captions in state.captions(rows)]
    assert texts == ["query", "1", "2", "–", "query"]
    assert state.questions(rows).tolist() == [True, False, False, False, True]
    state.sort_att = None
    assert not state.questions(rows).any()
    ranked(state, catalogue, [0, 1, 2, np.nan, 0], "interest_rank")
    assert state.captions(rows)[0][-1] == ("interest_rank", "rated")
    assert not state.questions(rows).any()


# ---- random, labels, groups


def test_a_random_order_is_the_same_for_a_seed_and_for_any_subset():
    data = Data(label="d", x=np.arange(200.0), y=np.arange(200) % 2)
    state = GalleryViewerState()
    state.data_collection = DataCollection([data])
    state.layers = [GalleryLayerState(layer=data, viewer_state=state)]
    state.shuffle()
    first = state.rows().tolist()
    assert sorted(first) == list(range(200)) != first
    assert state.ordered_by is None
    state.filter_text = "y == 1"
    assert state.rows().tolist() == [row for row in first if row % 2]
    state.shuffle()
    state.filter_text = ""
    assert state.rows().tolist() != first
    state.random_seed -= 1
    assert state.rows().tolist() == first
    state.random_order = False
    assert state.rows().tolist() == list(range(200))


def test_unlabelled_first(state, catalogue):
    state.unlabelled_first = True
    assert state.label_att is None
    assert state.rows().tolist() == [0, 1, 2, 3, 4]
    catalogue.add_component(np.array([3, np.nan, 1, np.nan, np.nan]), "interest_rating")
    state.sort_att = catalogue.id["z"]
    assert state.rows().tolist() == [4, 3, 1, 2, 0]
    catalogue.update_components({catalogue.id["interest_rating"]: np.array([3, np.nan, 1, np.nan, 2])})
    assert state.rows().tolist() == [4, 3, 1, 2, 0]  # pictures do not jump away while one labels
    state.sort_descending = True
    assert state.rows().tolist() == [3, 1, 0, 4, 2]


def test_unlabelled_by_name(state, catalogue):
    catalogue.add_component(CategoricalComponent(np.array(["x", "", "y", "", "x"])), "label")
    state.unlabelled_first = True
    assert state.rows().tolist() == [1, 3, 0, 2, 4]


def test_groups_keep_the_order_within_them(state, catalogue):
    state.sort_att = catalogue.id["z"]
    state.group_att = catalogue.id["shape"]
    rows, groups = state.arranged()
    assert rows.tolist() == [4, 1, 0, 3, 2]
    assert groups == [("a", 2), ("b", 2), ("no shape", 1)]
    state.filter_text = "n == 1"
    assert state.arranged()[1] == [("a", 2), ("b", 1)]
    assert state.rows().tolist() == [4, 1, 3]


def test_only_categories_make_groups(state):
    assert type(state).group_att.get_choice_labels(state) == ["No groups", "shape"]


def test_very_many_categories_end_in_one_group():
    names = np.array([f"g{i:04d}" for i in range(2000)])
    data = Data(label="d", name=CategoricalComponent(names))
    rows, groups = grouped(data, data.id["name"], np.arange(2000)[::-1])
    assert len(groups) == MOST_GROUPS
    assert groups[-1] == ("others", 2000 - MOST_GROUPS + 1)
    assert rows[:3].tolist() == [0, 1, 2]
    assert sorted(rows) == list(range(2000))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.123456789), "0.12346"),
        (np.nan, "–"),
        (np.int64(587730773351858407), "587730773351858407"),
        (b"abc", "abc"),
        ("", "–"),
        (np.datetime64("2020-01-02"), "2020-01-02"),
        (np.datetime64("NaT"), "–"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
    ],
)
def test_values_as_text(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (np.float32([0.12345679, 0.1]), ["0.1235", "0.1000"]),  # equally many decimals in one column
        ([0.3, np.nan, 0.25], ["0.30", "–", "0.25"]),  # no more than the values have
        ([17.234567, 21.1, -9999.0], ["17.23", "21.10", "-9999.00"]),
        ([3.0, 4.0, 0.0], ["3", "4", "0"]),
        (np.float64([59321.123456, 59000.5]), ["59321.12", "59000.50"]),
        ([1e12, 2.5e12], ["1e+12", "2.5e+12"]),
        ([1.5e-7, np.inf], ["1.5e-07", "–"]),
        ([0.5, 0.25, 1e-9], ["0.5000", "0.2500", "1e-09"]),
        ([-0.0, 0.25], ["0.00", "0.25"]),
        ([np.nan], ["–"]),
    ],
)
def test_numbers_of_a_column_as_text(values, texts):
    write = number_format(np.asarray(values), digits=4)
    assert [write(value) for value in values] == texts


def test_known_columns_have_their_own_decimals():
    data = Data(
        label="d",
        ra=np.array([187.70593, 1.0]),
        dec=np.array([12.391123, -1.0]),
        similarity=np.float32([0.98765432, 1.0]),
        colour=np.float32([0.123456789, 1.23456789]),
        objid=np.array([1237648720693755918, 2]),
    )
    state = GalleryViewerState()
    state.layers = [GalleryLayerState(layer=data)]
    details = dict(state.details(0))
    assert details == {
        "ra": "187.70593",
        "dec": "12.39112",
        "similarity": "0.988",
        "colour": "0.12346",
        "objid": "1237648720693755918",
    }
    assert dict(state.details(1))["ra"] == "1.00000"


def test_a_value_by_itself_has_no_zeros_at_its_end():
    data = Data(label="d", x=[0.125, 0.5, 100.0, 0.0])
    state = GalleryViewerState()
    state.layers = [GalleryLayerState(layer=data)]
    assert [dict(state.every_value(row))["x"] for row in range(4)] == ["0.125", "0.5", "100", "0"]
