from __future__ import annotations

import numpy as np
import pytest

from glue_zoobot.embedding import EmbeddingStore, run
from glue_zoobot.errors import StoreError
from tests.embedding.stubs import StubEncoder, StubSource, StubSpec, flip_a_bit, ids


def test_a_sound_store_has_no_problems(make_store):
    store, _, source, encoder = make_store(50, broken=["galaxy-0002"])
    assert store.verify() == []
    agreement = store.recompute_sample(source, encoder, size=10)
    assert len(agreement.object_ids) == 10
    assert agreement.problems() == []
    assert "10 galaxies recomputed, 0 disagree" in agreement.text()


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_truncated_shard_is_noticed_and_made_anew(make_store, keep):
    store, plan, source, encoder = make_store(50)
    expected = store.load()[1]
    path = store.shard_path(1)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    (problem,) = store.verify()
    assert path.name in problem
    assert len(store.load()[0]) == 34
    assert run(plan, store, source, encoder).finished
    np.testing.assert_array_equal(store.load()[1], expected)


def test_a_flipped_bit_is_noticed(make_store):
    store, *_ = make_store(50)
    path = store.shard_path(1)
    flip_a_bit(path)
    (problem,) = EmbeddingStore.open(store.path).verify()
    assert path.name in problem
    with pytest.raises(StoreError, match="run again"):
        EmbeddingStore.open(store.path).load()


def test_other_pictures_under_the_same_names_disagree(make_store):
    store, *_ = make_store(50)
    changed = StubSource(ids(50))
    changed.read = lambda i: np.full((10, 10, 3), 7 + i, np.uint8)
    agreement = store.recompute_sample(changed, StubEncoder(), size=5)
    assert len(agreement.problems()) == 5
    gone = StubSource(ids(50), broken=ids(50))
    assert "no longer be read" in store.recompute_sample(gone, StubEncoder(), size=5).problems()[0]


def test_the_sample_needs_the_store_s_own_encoder(make_store):
    store, _, source, _ = make_store(20)
    with pytest.raises(StoreError, match="other"):
        store.recompute_sample(source, StubEncoder(StubSpec(name="other", sha256="1" * 64)))
