"""Conditions as users type them, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.component import CategoricalComponent

from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt.gallery.filtering import Condition
from glue_zoobot.qt.gallery.state import GalleryLayerState, GalleryViewerState


@pytest.fixture
def data():
    data = Data(
        label="cat",
        z=np.array([0.05, 0.2, np.nan, 0.3]),
        g=np.array([18.0, 19.0, 20.0, 21.0]),
        r=np.array([17.0, 18.8, 19.9, 20.0]),
        objid=np.array([1237648720693755918, 1237648720693755919, 3, 4]),
        kind=CategoricalComponent(np.array(["ring", "spiral", "ring", ""])),
    )
    data.add_component(np.array([1, 2, 3, 4]), "n of votes")
    return data


@pytest.fixture
def state(data):
    state = GalleryViewerState()
    state.data_collection = DataCollection([data])
    state.layers = [GalleryLayerState(layer=data, viewer_state=state)]
    return state


RIGHT = [
    ("z > 0.1", [1, 3]),
    ("z > 0.1 & g - r > 0.9", [3]),
    ("(z > 0.1) & (g - r > 0.9)", [3]),
    ("z < 0.1 | z > 0.25", [0, 3]),
    ("0.1 < z <= 0.3", [1, 3]),
    ("~ z > 0.1", [0, 2]),
    ("not (z > 0.1 or g == 20)", [0]),
    ('kind == "ring"', [0, 2]),
    ("kind != 'ring' and z > 0.25", [3]),
    ("objid == 1237648720693755919", [1]),
    ("{n of votes} >= 3", [2, 3]),
    ("-z < -0.25", [3]),
    ("(g - r) ** 2 > 0.9", [0, 3]),
    ("z = 0.2", [1]),
    ("z / 0 > 1", [0, 1, 3]),
]


@pytest.mark.parametrize(("text", "rows"), RIGHT)
def test_conditions(state, text, rows):
    assert state.check_filter(text) == ""
    state.filter_text = text
    assert state.rows().tolist() == rows


@pytest.mark.parametrize(("text", "rows"), [case for case in RIGHT if "/ 0" not in case[0]])
def test_the_same_condition_as_a_subset_of_glue(state, data, text, rows):
    state.filter_text = text
    group = state.data_collection.new_subset_group("filter", state.filter_state())
    assert np.flatnonzero(group.subsets[0].to_mask()).tolist() == rows


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("z >", "not a condition"),
        ("z", "not a condition"),
        ("zz > 1", "no column zz; did you mean z?"),
        ('z > "a"', "column of numbers"),
        ("kind == 3", "quotes"),
        ("1 > 0", "no columns"),
        ("z > [1]", "neither a column"),
        ("__import__('os').system('x') > 1", "neither a column"),
        ("z.real > 1", "neither a column"),
        ("z > 9 ** 9 ** 9 ** 9", "cannot be computed"),
        ("z > True", "neither a column"),
        ("z is None", "not a condition"),
        ("(" * 500, "not a condition"),
        ("z > 1 " * 500, "longer than"),
        ("z > 'a", "not a condition"),
        ("{z > 1", "not a condition"),
        ("lambda: 1", "not a condition"),
    ],
)
def test_what_is_no_condition_is_explained(state, text, says):
    assert says in state.check_filter(text)
    state.filter_text = text  # as from a damaged session
    assert len(state.rows()) == 4
    assert state.filter_state() is None


def test_filter_and_subsets_are_combined(state, data):
    group = state.data_collection.new_subset_group("s", data.id["g"] > 18.5)
    state.layers.append(GalleryLayerState(layer=group.subsets[0], viewer_state=state))
    state.layers[0].visible = False
    state.filter_text = 'kind == "ring"'
    assert state.rows().tolist() == [2]
    data.remove_component(data.id["kind"])
    assert state.rows().tolist() == [1, 2, 3]


def test_random_text_never_crashes():
    rng = np.random.default_rng(0)
    for _ in range(300):
        text = "".join(rng.choice(list("za1.0<>=&|~(){}[]\"'+-*/ \n\\#@:,"), 12))
        try:
            condition = Condition(text)
            condition.build(lambda name: np.arange(3.0))
        except CatalogueError:
            pass
