"""Embeddings and images beside a dataset, matched by id whatever the order of the rows."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from glue.core import Data
from glue.core.component import CategoricalComponent

from glue_zoobot.catalog import (
    add_map,
    attach_embeddings,
    attach_images,
    embeddings_of,
    images_of,
    load,
    object_ids_of,
    why_no_embeddings,
    write_columns,
)
from glue_zoobot.catalog.stores import stores_of
from glue_zoobot.errors import AnalysisError, CatalogueError, ImageError, StoreError
from tests.catalog.conftest import FIRST_ID, WIDTH, N, ids_of_survey, vectors, write_store


def test_a_dataset_without_anything():
    data = Data(label="plain", x=[1, 2, 3])
    assert images_of(data) is None
    assert embeddings_of(data) is None
    assert "plain has no embeddings yet" in why_no_embeddings(data)
    assert object_ids_of(data).tolist() == ["0", "1", "2"]


def test_rows_and_embeddings_agree(embedded):
    embeddings = embeddings_of(embedded)
    assert embeddings.rows.tolist() == list(range(N))
    assert embeddings.matrix.shape == (N, WIDTH)
    assert embeddings.matrix.dtype == np.float32
    assert embeddings.encoder_name == "test-encoder"
    assert embeddings_of(embedded) is embeddings
    assert embeddings.search("cosine") is embeddings.search("cosine")
    np.testing.assert_allclose(embeddings.matrix, vectors(), atol=1e-3)


def test_shuffled_rows_keep_their_own_embeddings_and_images(survey, store):
    order = np.random.default_rng(0).permutation(N)[:40]
    data = Data(label="shuffled", objid=np.array(ids_of_survey())[order], x=order)
    assert attach_embeddings(data, store) == 40
    assert attach_images(data, survey) == 40
    embeddings = embeddings_of(data)
    np.testing.assert_allclose(embeddings.matrix, vectors()[order], atol=1e-3)
    for row in (0, 7, 39):
        assert images_of(data).read(row)[0, 0, 0] == order[row]


def test_integer_ids_of_19_digits_match(store):
    data = Data(label="integers", objid=FIRST_ID + 7 * np.arange(N, dtype=np.int64))
    assert attach_embeddings(data, store) == N
    assert object_ids_of(data).tolist() == ids_of_survey()


def test_the_id_column_that_matches_is_the_one_that_is_used(store):
    data = Data(label="two", name=[f"NGC {i}" for i in range(N)], objid=ids_of_survey())
    assert object_ids_of(data)[0] == ids_of_survey()[0]
    data = Data(label="two", object_id=[f"my {i}" for i in range(N)], objid=ids_of_survey())
    assert attach_embeddings(data, store) == N
    assert object_ids_of(data)[0] == ids_of_survey()[0]


def test_broken_images_have_no_embedding(survey, tmp_path):
    ids = ids_of_survey()
    data = load(survey)
    assert attach_embeddings(data, write_store(tmp_path / "s", ids, vectors(), broken=ids[2:5]).path) == N - 3
    embeddings = embeddings_of(data)
    assert not {2, 3, 4} & set(embeddings.rows)
    assert embeddings.positions[[2, 3, 4]].tolist() == [-1, -1, -1]
    np.testing.assert_allclose(embeddings.matrix[embeddings.positions[10]], vectors()[10], atol=1e-3)


def test_a_store_of_another_catalogue_is_refused(survey, tmp_path):
    data = load(survey)
    other = write_store(tmp_path / "s", ["a", "b"], vectors(2))
    with pytest.raises(StoreError, match="another catalogue"):
        attach_embeddings(data, other.path)
    assert embeddings_of(data) is None
    with pytest.raises(StoreError):
        attach_embeddings(data, tmp_path / "nothing here")


def test_attaching_again_reads_again(embedded, tmp_path):
    before = embeddings_of(embedded)
    attach_embeddings(embedded, before.path)
    assert embeddings_of(embedded) is not before
    attach_embeddings(embedded, write_store(tmp_path / "half", ids_of_survey(20), vectors(20)).path)
    assert len(embeddings_of(embedded)) == 20


def test_rows_without_an_image_say_so(survey):
    data = Data(label="more", objid=CategoricalComponent([*ids_of_survey()[:3], "unknown"]))
    assert attach_images(data, survey) == 3
    assert len(images_of(data)) == 4
    with pytest.raises(ImageError, match="unknown"):
        images_of(data).read(3)
    with pytest.raises(CatalogueError, match="none of the 1 rows"):
        attach_images(Data(label="other", objid=["unknown"]), survey)


def test_ids_that_glue_has_spoilt_are_named(survey):
    data = Data(label="spoilt", objid=np.array([*ids_of_survey()[:3], "nan"]).astype(float))
    with pytest.raises(CatalogueError, match=r"objid.*digits"):
        attach_images(data, survey)


def test_every_map_is_new_columns_with_a_record(embedded):
    x1, y1 = add_map(embedded)
    x2, _ = add_map(embedded, "pca")
    assert [c.label for c in (x1, y1, x2)] == ["map_pca_1_x", "map_pca_1_y", "map_pca_2_x"]
    np.testing.assert_array_equal(embedded[x1], embedded[x2])
    record = embedded.meta["glue_zoobot"]["columns"]["map_pca_1_x"]
    assert (record["method"], record["random_state"], record["encoder"]) == ("pca", 0, "test-encoder")


def test_maps_stay_clear_of_the_users_columns(embedded):
    embedded.add_component(np.zeros(N), "map_pca_1_y")
    assert add_map(embedded)[0].label == "map_pca_2_x"
    with pytest.raises(AnalysisError, match="pca, umap"):
        add_map(embedded, "tsne")
    with pytest.raises(AnalysisError, match="no embeddings"):
        add_map(Data(x=[1, 2]))


def test_the_record_is_plain_and_relative(embedded):
    record = embedded.meta["glue_zoobot"]
    assert record["source"]["path"] == "survey.csv"
    assert record["store"] == "survey.csv.embeddings/test"
    write_columns(embedded, {"a": np.zeros(N)})
    assert embeddings_of(embedded) is not None


def test_embeddings_beside_a_source_are_found_when_it_is_opened(survey, store):
    assert len(embeddings_of(load(survey))) == N
    second = store.with_name("second")
    write_store(second, ids_of_survey(), vectors())
    for path, age in ((store, 100), (second, 200)):
        os.utime(path / "manifest.json", (age, age))
    data = load(survey)
    assert embeddings_of(data).path == second  # the newest
    attach_embeddings(data, store)
    assert [(known.path, known.in_use) for known in stores_of(data)] == [(store, True), (second, False)]


def test_two_threads_share_one_matrix(survey, store):
    data = load(survey)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: embeddings_of(data).search("cosine"), range(8)))
    assert len(set(map(id, found))) == 1
