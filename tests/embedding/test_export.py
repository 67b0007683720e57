from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from glue_zoobot.errors import StoreError
from tests.embedding.stubs import flip_a_bit


def test_an_export_holds_what_was_embedded(make_store, tmp_path):
    store, *_ = make_store(50, broken=["galaxy-0007"])
    assert store.export(tmp_path / "all.parquet") == 49
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.column_names == ["object_id", "embedding"]
    object_ids, matrix = store.load()
    assert table["object_id"].to_pylist() == list(object_ids)
    np.testing.assert_array_equal(np.array(table["embedding"].to_pylist(), np.float32), matrix)


def test_nothing_to_export_leaves_no_file(make_store, tmp_path):
    store, *_ = make_store(10, embed=False)
    with pytest.raises(StoreError, match="no embedding"):
        store.export(tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()


def test_a_failed_export_leaves_the_old_file(make_store, tmp_path):
    store, *_ = make_store(50)
    store.export(tmp_path / "all.parquet")
    before = (tmp_path / "all.parquet").read_bytes()
    flip_a_bit(store.shard_path(2))
    with pytest.raises(StoreError, match="damaged"):
        store.export(tmp_path / "all.parquet")
    assert (tmp_path / "all.parquet").read_bytes() == before
    assert [p.name for p in tmp_path.glob("*.tmp")] == []
    with pytest.raises(StoreError, match="could not be written"):
        store.export(tmp_path / "nowhere" / "all.parquet")
