from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.errors import StoreError
from tests.embedding.stubs import StubEncoder, StubSource, StubSpec, ids


def test_embeddings_come_back_under_their_identifiers(make_store):
    store, plan, source, encoder = make_store(50)
    object_ids, matrix = store.load()
    assert list(object_ids) == list(plan.object_ids)
    assert matrix.dtype == np.float32
    assert matrix.shape == (50, 6)
    expected = encoder.embed(encoder.resize(source.read(17))[None])[0]
    np.testing.assert_allclose(matrix[17], expected, rtol=1e-3)


def test_broken_images_have_a_reason_and_no_embedding(make_store):
    store, *_ = make_store(20, broken=["galaxy-0003"])
    object_ids, matrix = store.load()
    assert "galaxy-0003" not in object_ids
    assert len(matrix) == 19
    row = store.outcomes()[3]
    assert (row["object_id"], row["outcome"], row["reason"]) == ("galaxy-0003", "broken", "the file is empty")
    assert store.status().broken == 1
    assert store.status().finished
    embeddings = pq.read_table(store.shard_path(0))["embedding"]
    assert embeddings.null_count == 1
    assert not embeddings[3].is_valid


def test_every_row_of_the_catalogue_has_an_outcome(make_store):
    store, _, source, _ = make_store(
        object_ids=["a", "b", "a", "c", "d"], rows_per_shard=2, broken=["c"], embed=False
    )
    assert list(store.outcomes()["outcome"]) == ["pending", "pending", "duplicate", "pending", "pending"]
    run(store.plan, store, source, StubEncoder(), shards=[1])
    outcomes = store.outcomes()
    assert list(outcomes["object_id"]) == ["a", "b", "a", "c", "d"]
    assert list(outcomes["outcome"]) == ["pending", "pending", "duplicate", "broken", "embedded"]
    assert store.outcome_counts() == {"embedded": 1, "broken": 1, "duplicate": 1, "pending": 2}


def test_all_broken_ends_the_run_and_fails_only_on_loading(make_store):
    store, *_ = make_store(20, broken=ids(20))
    status = store.status()
    assert status.finished
    assert (status.broken, status.embedded) == (20, 0)
    with pytest.raises(StoreError, match=r"all 20 images are broken.*galaxy-0000: the file is empty"):
        store.load()


def test_it_can_be_read_while_it_grows(make_store):
    store, plan, source, encoder = make_store(40, rows_per_shard=10, embed=False)
    assert store.load()[1].shape == (0, 6)
    seen = []

    def look(progress):
        reader = EmbeddingStore.open(store.path)
        seen.append(len(reader.load()[0]))
        assert seen[-1] % 10 == 0
        assert list(reader.load()[0]) == list(plan.object_ids[: seen[-1]])

    run(plan, store, source, encoder, progress=look)
    assert 0 in seen
    assert 10 in seen
    assert len(EmbeddingStore.open(store.path).load()[0]) == 40


def test_another_catalogue_is_refused_with_both_named(make_store):
    store, _, _, encoder = make_store(20)
    other = Plan.freeze(["x", "y"], name="other.fits")
    with pytest.raises(StoreError, match=r"stub\.csv.*other\.fits"):
        EmbeddingStore.create(store.path, other, encoder.spec)
    with pytest.raises(StoreError, match=r"stub\.csv.*other\.fits"):
        run(other, store, StubSource(["x", "y"]), encoder)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "other", "sha256": "1" * 64}, "sha256"),
        ({"name": "other", "architecture": "resnet"}, "architecture"),
        ({"name": "other", "input_size": 9}, "preprocessing"),
        ({"name": "other", "width": 7}, "width"),
        ({"name": "other", "sha256": None, "weights": "elsewhere"}, "weights"),
    ],
)
def test_another_encoder_or_preprocessing_is_refused_with_both_named(make_store, change, word):
    store, plan, source, _ = make_store(20)
    other = dataclasses.replace(StubSpec(), **change)
    with pytest.raises(StoreError, match=rf"'stub' .{word}.*'other' .{word}"):
        EmbeddingStore.create(store.path, plan, other)
    with pytest.raises(StoreError, match=r"'stub'.*'other'"):
        run(plan, store, source, StubEncoder(other))


def test_the_same_weights_from_another_place_are_the_same_encoder(make_store):
    store, plan, _, _ = make_store(20)
    moved = dataclasses.replace(StubSpec(), name="copy", weights="/another/folder", revision="2")
    assert EmbeddingStore.create(store.path, plan, moved).status().finished


def test_precisions_are_never_mixed(make_store):
    store, plan, _, encoder = make_store(20)
    with pytest.raises(StoreError, match=r"float32.*bfloat16"):
        EmbeddingStore.create(store.path, plan, encoder.spec, precision="bfloat16")
    other, *_ = make_store(20, name="other", embed=False)
    manifest = json.loads((other.path / "manifest.json").read_text())
    (other.path / "manifest.json").write_text(json.dumps(manifest | {"precision": "bfloat16"}))
    (other.path / "shards" / "000000.parquet").write_bytes(store.shard_path(0).read_bytes())
    assert EmbeddingStore.open(other.path).status().done == 0


def test_an_opened_store_knows_its_encoder(make_store):
    store = EmbeddingStore.open(make_store(20)[0].path)
    assert (store.encoder_name, store.width) == ("stub", 6)
    assert store.manifest["encoder"]["preprocessing_hash"] == StubSpec().preprocessing_hash
    assert store.manifest["catalogue"]["name"] == "stub.csv"


def test_a_finished_store_is_found_without_loading_a_network(make_store):
    store, plan, source, encoder = make_store(20, embed=False)
    assert EmbeddingStore.find_finished(store.path, plan, encoder.spec) is None
    run(plan, store, source, encoder)
    assert EmbeddingStore.find_finished(store.path, plan, encoder.spec).path == store.path
    assert EmbeddingStore.find_finished(store.path, plan, StubSpec(sha256="1" * 64)) is None
    assert EmbeddingStore.find_finished(store.path / "nowhere", plan, encoder.spec) is None


def test_folders_that_are_no_store_are_refused(tmp_path):
    with pytest.raises(StoreError, match="no embedding store"):
        EmbeddingStore.open(tmp_path / "nothing")
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        EmbeddingStore.create(tmp_path, Plan.freeze(["a"]), StubSpec())
    with pytest.raises(StoreError, match="cannot be made"):
        EmbeddingStore.create(tmp_path / "thesis.tex" / "store", Plan.freeze(["a"]), StubSpec())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "encoder": 3, "catalogue": {}}']
)
def test_a_damaged_manifest_is_named(make_store, text):
    store, *_ = make_store(20)
    (store.path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json cannot be read"):
        EmbeddingStore.open(store.path)


def test_a_newer_store_asks_for_an_update(make_store):
    store, *_ = make_store(20)
    manifest = json.loads((store.path / "manifest.json").read_text())
    (store.path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(StoreError, match="Update glue-zoobot"):
        EmbeddingStore.open(store.path)


def test_a_plan_of_another_store_is_noticed(make_store):
    store, *_ = make_store(20)
    Plan.freeze(["a", "b"]).save(store.path / "plan.parquet")
    with pytest.raises(StoreError, match="does not belong"):
        EmbeddingStore.open(store.path).status()


def _with_width(table, width):
    values = pa.array(np.zeros(len(table) * width, dtype=np.float16))
    return table.set_column(1, "embedding", pa.FixedSizeListArray.from_arrays(values, width))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.slice(1),
        lambda table: _with_width(table, 7),
        lambda table: table.set_column(1, "embedding", table["embedding"].cast(pa.list_(pa.float32(), 6))),
        lambda table: table.replace_schema_metadata({}),
        lambda table: table.replace_schema_metadata({"glue_zoobot": '{"embedded": -1}'}),
    ],
    ids=["rows", "width", "dtype", "no metadata", "foreign metadata"],
)
def test_a_shard_that_does_not_fit_is_not_read_but_made_anew(make_store, spoil):
    store, plan, source, encoder = make_store(40)
    expected = store.load()[1]
    path = store.shard_path(1)
    table = spoil(pq.read_table(path))
    metadata = table.schema.metadata
    pq.write_table(table.replace_schema_metadata(metadata), path)
    reopened = EmbeddingStore.open(store.path)
    assert reopened.pending() == [1]
    assert len(reopened.load()[0]) == 24
    assert len(reopened.verify()) == 1
    run(plan, reopened, source, encoder)
    np.testing.assert_array_equal(reopened.load()[1], expected)
    assert reopened.verify() == []
