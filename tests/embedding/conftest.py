from __future__ import annotations

import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from tests.embedding.stubs import StubEncoder, StubSource, ids


@pytest.fixture
def make_store(tmp_path):
    """Make a store of ``n`` stub galaxies, by default embedded: (store, plan, source, encoder)."""

    def make(n=50, rows_per_shard=16, broken=(), name="store", embed=True, object_ids=None):
        source = StubSource(object_ids if object_ids is not None else ids(n), broken)
        plan = Plan.freeze(source.object_ids, rows_per_shard, name="stub.csv")
        encoder = StubEncoder()
        store = EmbeddingStore.create(tmp_path / name, plan, encoder.spec, precision="float32")
        if embed:
            run(plan, store, source, encoder)
        return store, plan, source, encoder

    return make
