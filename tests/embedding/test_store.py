from __future__ import annotations

import numpy as np


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
