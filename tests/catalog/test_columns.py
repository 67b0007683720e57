"""Writing results into a dataset."""

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.hub import HubListener
from glue.core.message import ComponentsChangedMessage, NumericalDataChangedMessage

from glue_zoobot.catalog import write_columns
from glue_zoobot.catalog.columns import provenance_of
from glue_zoobot.errors import AnalysisError


@pytest.fixture
def data():
    return Data(label="d", x=np.arange(5.0), score=np.arange(5.0) * 10)


def test_new_columns_then_new_values(data):
    DataCollection([data])
    first = write_columns(data, {"a": np.arange(5), "b": np.ones(5)}, {"seed": 3})
    assert data["a"].tolist() == [0, 1, 2, 3, 4]
    assert data["a"].dtype == np.float32
    second = write_columns(data, {"a": np.zeros(5)})
    assert second["a"] is first["a"]
    assert data["a"].tolist() == [0] * 5
    assert provenance_of(data, "b")["seed"] == 3
    assert provenance_of(data, "x") == {}


def test_a_column_of_the_user_is_never_overwritten(data):
    ours = write_columns(data, {"score": np.zeros(5)})["score"]
    assert data.id["x"] is not ours
    assert [c.label for c in data.main_components] == ["score", "x", "score_2"]
    assert data[data.main_components[0]].tolist() == [0, 10, 20, 30, 40]
    assert write_columns(data, {"score": np.ones(5)})["score"] is ours
    assert data["score_2"].tolist() == [1] * 5


def test_a_removed_column_is_made_again(data):
    data.remove_component(write_columns(data, {"a": np.zeros(5)})["a"])
    write_columns(data, {"a": np.ones(5)})
    assert data["a"].tolist() == [1] * 5


def test_the_callers_array_stays_his(data):
    values = np.arange(5, dtype=np.float32)
    write_columns(data, {"a": values})
    values[0] = 99
    assert data["a"][0] == 0
    write_columns(data, {"a": values})
    values[0] = -1
    assert data["a"][0] == 99


def test_foreign_byte_order_becomes_native(data):
    write_columns(data, {"a": np.arange(5, dtype=">f8")})
    assert data["a"].dtype.isnative


def test_wrong_length_changes_nothing(data):
    with pytest.raises(AnalysisError, match="'b'"):
        write_columns(data, {"a": np.zeros(5), "b": np.zeros(4)})
    assert [c.label for c in data.main_components] == ["score", "x"]


def test_subsets_on_a_column_follow_its_new_values(data):
    collection = DataCollection([data])
    a = write_columns(data, {"a": np.arange(5)})["a"]
    group = collection.new_subset_group("large", a > 2)
    assert group.subsets[0].to_mask().tolist() == [False, False, False, True, True]
    seen = []

    class Viewer(HubListener):
        def look(self, message):
            seen.append(group.subsets[0].to_mask().tolist())

    viewer = Viewer()
    collection.hub.subscribe(viewer, NumericalDataChangedMessage, handler=viewer.look)
    write_columns(data, {"a": np.array([9, 0, 0, 0, 9])})
    assert seen[-1] == [True, False, False, False, True]


def test_messages_come_when_all_columns_are_there(data):
    collection = DataCollection([data])
    seen = []

    class Viewer(HubListener):
        def look(self, message):
            seen.append(len(data.main_components))

    viewer = Viewer()
    collection.hub.subscribe(viewer, ComponentsChangedMessage, handler=viewer.look)
    write_columns(data, {name: np.zeros(5) for name in "abc"})
    assert set(seen) == {5}
