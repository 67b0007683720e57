from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glue_zoobot.embedding import Plan
from glue_zoobot.errors import StoreError
from tests.embedding.stubs import ids

names = st.lists(st.text(min_size=1, max_size=4), max_size=40)


@settings(max_examples=50, deadline=None)
@given(names, st.integers(1, 9))
def test_every_galaxy_is_in_exactly_one_shard(object_ids, rows_per_shard):
    plan = Plan.freeze(object_ids, rows_per_shard)
    sharded = [i for shard in plan.shards for i in plan.object_ids[plan.shard_slice(shard)]]
    assert sharded == list(dict.fromkeys(object_ids))
    assert plan.n == len(sharded)
    assert sorted(plan.duplicates) == sorted(set_aside(object_ids))
    assert all(size == rows_per_shard for size in plan.sizes[:-1])
    assert [object_ids[row] for row in plan.rows] == sharded


def set_aside(object_ids):
    seen = set()
    return [i for i in object_ids if i in seen or seen.add(i)]


@settings(max_examples=50, deadline=None)
@given(names, names, st.integers(1, 5), st.integers(1, 5))
def test_equal_hashes_mean_equal_plans(one, other, size, other_size):
    same = one == other and list(Plan.freeze(one, size).sizes) == list(Plan.freeze(other, other_size).sizes)
    assert (Plan.freeze(one, size).hash == Plan.freeze(other, other_size).hash) == same


def test_the_first_row_of_a_repeated_identifier_keeps_it():
    plan = Plan.freeze(["a", "b", "a", "c", "b"])
    assert list(plan.rows) == [0, 1, 3]
    assert list(plan.duplicates) == ["a", "b"]


def test_default_shards_begin_small_and_stay_few():
    sizes = Plan.freeze(ids(5000)).sizes
    assert sizes[0] == 256
    assert sizes.max() == 1024
    assert len(Plan.freeze(np.arange(200_000).astype(str)).sizes) < 200


def test_a_saved_plan_comes_back_with_all_digits(tmp_path):
    plan = Plan.freeze(
        ["587722981742084144", "587722981742084145", "Überschär 1", "587722981742084144"], 2, "a.csv"
    )
    plan.save(tmp_path / "plan.parquet")
    back = Plan.read(tmp_path / "plan.parquet")
    assert back.hash == plan.hash
    assert list(back.ids) == list(plan.ids)
    assert back.name == "a.csv"


def test_a_damaged_plan_is_named(tmp_path):
    (tmp_path / "plan.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(StoreError, match=r"plan\.parquet"):
        Plan.read(tmp_path / "plan.parquet")


def test_an_empty_catalogue_has_no_shards():
    plan = Plan.freeze([])
    assert (plan.n, list(plan.shards)) == (0, [])
