"""A store that is still being filled can be used, and what was made from a part becomes the whole."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data, DataCollection

from glue_zoobot.catalog import add_map, attach_embeddings, embeddings_of, load, similar_galaxies
from glue_zoobot.catalog.columns import provenance_of
from glue_zoobot.catalog.embeddings import known_embeddings, take_in_new
from glue_zoobot.catalog.growing import place_new, write_placed
from glue_zoobot.catalog.store_rows import RowsById
from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.encoders import EncoderSpec
from glue_zoobot.errors import StoreError
from tests.catalog.conftest import WIDTH, N, ids_of_survey, vectors

SHARD = 20


class Filling:
    """A store of three shards that a job fills one by one."""

    def __init__(self, path, ids=None, matrix=None):
        self.ids = ids or ids_of_survey()
        self.matrix = vectors() if matrix is None else matrix
        spec = EncoderSpec("test-encoder", "timm", "none", "package", width=WIDTH, sha256="0" * 64)
        self.store = EmbeddingStore.create(path, Plan.freeze(self.ids, SHARD), spec, precision="float32")

    def write(self, *shards, broken=()):
        for shard in shards:
            rows = range(shard * SHARD, (shard + 1) * SHARD)
            values = [None if row in broken else self.matrix[row].astype(np.float16) for row in rows]
            self.store.write(shard, values, ["unreadable" if value is None else None for value in values])


@pytest.fixture
def filling(tmp_path):
    return Filling(tmp_path / "store")


@pytest.fixture
def data(survey, filling):
    """The survey while a third of it is embedded."""
    filling.write(0)
    data = load(survey)
    attach_embeddings(data, filling.store.path)
    return data


def test_the_part_that_is_done_is_used_and_said(data, filling):
    part = embeddings_of(data)
    assert part.growing
    assert part.so_far() == "20 of 60 embedded so far"
    assert part.rows.tolist() == list(range(20))
    assert take_in_new(data) is None  # nothing has come

    filling.write(1, broken=[25])
    assert take_in_new(data) is embeddings_of(data) is not part
    assert embeddings_of(data).so_far() == "39 of 60 embedded so far"

    filling.write(2)
    whole = take_in_new(data)
    assert not whole.growing
    assert whole.so_far() == ""
    assert whole.rows.tolist() == [row for row in range(N) if row != 25]
    np.testing.assert_allclose(whole.matrix, vectors()[whole.rows], atol=1e-3)
    assert take_in_new(data) is None


def test_shards_come_in_any_order_and_may_be_made_anew(data, filling):
    filling.write(2)
    assert take_in_new(data).rows.tolist() == [*range(20), *range(40, 60)]
    filling.matrix = -vectors()
    filling.write(0)
    filling.write(1)
    whole = take_in_new(data)
    assert whole.rows.tolist() == list(range(N))
    np.testing.assert_allclose(whole.matrix[:40], -vectors()[:40], atol=1e-3)
    np.testing.assert_allclose(whole.matrix[40:], vectors()[40:], atol=1e-3)


def test_a_little_more_is_not_read_again_but_the_end_is(survey, tmp_path):
    ids = [f"g{i}" for i in range(400)]
    filling = Filling(tmp_path / "store", ids, np.tile(vectors(), (7, 1)))
    filling.write(*range(15))
    data = Data(label="many", object_id=ids)
    attach_embeddings(data, filling.store.path)
    filling.write(15)
    assert take_in_new(data) is None  # 20 beside 300
    filling.write(16)
    assert len(take_in_new(data)) == 340
    filling.write(17, 18, 19)
    assert len(take_in_new(data)) == 400


def test_an_answer_of_a_part_says_so_and_the_next_does_not(data, filling):
    question = similar_galaxies(DataCollection([data]))
    group = question.find(data, [10])
    assert "20 of 60 embedded so far" in question.sentence()
    assert provenance_of(data, "similarity_rank")["so_far"] == "20 of 60 embedded so far"
    assert len(question.rows) == 19
    filling.write(1, 2)
    take_in_new(data)
    assert question.find(data, [10]) is group
    assert "so far" not in question.sentence()
    assert not provenance_of(data, "similarity_rank").get("so_far")
    assert len(question.rows) == N - 1


@pytest.mark.usefixtures("quick_umap")
@pytest.mark.parametrize("method", ["pca", "umap"])
def test_new_galaxies_come_into_a_map_in_which_no_other_moves(data, filling, method):
    filling.write(1)
    take_in_new(data)
    x, y = add_map(data, method)
    before = np.column_stack([data[x], data[y]])
    assert np.isnan(before[40:]).all()
    filling.write(2, broken=[50])
    take_in_new(data)
    assert write_placed(data, place_new(data)) == 19
    after = np.column_stack([data[x], data[y]])
    np.testing.assert_array_equal(after[:40], before[:40])
    assert np.flatnonzero(np.isnan(after[:, 0])).tolist() == [50]
    assert place_new(data) == []
    if method == "pca":  # a linear map: where its axes put them
        middle = vectors()[:40].mean(axis=0)
        axes = np.linalg.svd(vectors()[:40] - middle)[2][:2]
        there = (vectors() - middle) @ axes.T
        there *= np.sign((there[:40] * before[:40]).sum(axis=0))
        np.testing.assert_allclose(np.delete(after, 50, 0), np.delete(there, 50, 0), atol=5e-3)


def test_a_map_by_another_encoder_stays_as_it_is(data, filling):
    x, _ = add_map(data)
    provenance = data.meta["glue_zoobot"]["columns"]["map_pca_1_x"]
    provenance["encoder"] = "another"
    filling.write(1, 2)
    take_in_new(data)
    assert place_new(data) == []
    assert np.isnan(data[x][20:]).all()


def test_a_store_without_anything_yet_says_wait(survey, filling):
    with pytest.raises(StoreError, match="no embeddings yet"):
        attach_embeddings(load(survey), filling.store.path)


def test_a_sample_reads_its_own_rows_and_knows_when_they_are_complete(filling):
    rows = np.array([35, 3, 38])
    sample = Data(label="sample", objid=np.array(ids_of_survey())[rows])
    filling.write(0)
    attach_embeddings(sample, filling.store.path)
    assert known_embeddings(sample).so_far() == "1 of 3 embedded so far"
    filling.write(1)
    take_in_new(sample)
    whole = embeddings_of(sample)
    assert not whole.growing  # though the store is
    assert whole.matrix.shape == (3, WIDTH)
    np.testing.assert_allclose(whole.matrix, vectors()[rows], atol=1e-3)


def test_rows_by_id_takes_the_first_of_equal_ids():
    by_id = RowsById(np.array(["b", "a", "b", "ä"]))
    assert by_id.find(np.array(["a", "x", "b", "ä", ""])).tolist() == [1, -1, 0, 3, -1]
    assert RowsById(np.empty(0)).find(np.array(["a"])).tolist() == [-1]
