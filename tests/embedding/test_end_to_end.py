"""Real pictures, files and networks through the whole job."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from glue_zoobot import encoders
from glue_zoobot.embedding import EmbeddingStore, Plan, run, settings
from glue_zoobot.embedding.remote import Portable
from glue_zoobot.images import open_catalogue
from tests.embedding.stubs import forkserver


@pytest.fixture(scope="module")
def mini():
    return encoders.load("mini", device="cpu")


def draw(i: int, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] / size - 0.5
    radius = (x * (1 + i % 3)) ** 2 + (y + 0.02 * i) ** 2
    light = np.exp(-radius * (20 + 5 * i))
    return (light[..., None] * [200, 150 + 3 * i, 90 + 10 * (i % 8)]).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures of different sizes, a truncated one and a web page called .jpg."""
    path = tmp_path_factory.mktemp("pictures")
    for i in range(12):
        Image.fromarray(draw(i, 90 + 7 * i)).save(path / f"g{i:02d}.jpg", quality=90)
    whole = (path / "g03.jpg").read_bytes()
    (path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (path / "page.jpg").write_text("<html>not found</html>")
    return path


def embed(folder, path, encoder, **kwargs):
    source = open_catalogue(folder).source
    plan = Plan.freeze(source.object_ids, rows_per_shard=5, name=folder.name)
    store = EmbeddingStore.create(path, plan, encoder.spec)
    run(plan, store, source, encoder, **kwargs)
    return store, source


def test_a_folder_with_broken_files_is_embedded(folder, mini, tmp_path):
    store, source = embed(folder, tmp_path / "store", mini)
    assert store.outcome_counts() == {"embedded": 12, "broken": 2, "duplicate": 0, "pending": 0}
    outcomes = store.outcomes()
    reasons = {row["object_id"]: row["reason"] for row in outcomes if row["outcome"] == "broken"}
    assert set(reasons) == {"half", "page"}
    assert "web page" in reasons["page"]
    assert store.recompute_sample(source, mini).problems() == []
    assert EmbeddingStore.find_finished(store.path, store.plan, "mini") is not None


def test_an_embedding_does_not_depend_on_neighbours_order_or_batch(folder, mini, tmp_path, monkeypatch):
    store, source = embed(folder, tmp_path / "store", mini)
    object_ids, matrix = store.load()
    alone = np.concatenate(
        [mini.embed([source.read(i)]) for i, name in enumerate(source.object_ids) if name[0] == "g"]
    )
    np.testing.assert_allclose(matrix, alone, atol=2e-3 * np.abs(alone).max())
    monkeypatch.setitem(settings.UNTRIED_BATCH_SIZE, "cpu", 3)
    other, _ = embed(folder, tmp_path / "other", mini)
    np.testing.assert_allclose(other.load()[1], matrix, atol=2e-3 * np.abs(alone).max())
    assert list(other.load()[0]) == list(object_ids)


def test_an_interrupted_run_gives_the_same_bytes(folder, mini, tmp_path):
    whole, source = embed(folder, tmp_path / "whole", mini)
    store, _ = embed(folder, tmp_path / "store", mini, shards=[1])
    run(store.plan, store, source, mini)
    for shard in store.plan.shards:
        assert store.shard_path(shard).read_bytes() == whole.shard_path(shard).read_bytes()


def test_the_first_run_settles_precision_and_batch_size_for_all(folder, mini, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "WORTH_A_TRIAL", 5)
    monkeypatch.setattr(settings, "WORTH_A_PROBE", 5)
    store, source = embed(folder, tmp_path / "store", mini, shards=[0])
    chosen = EmbeddingStore.open(store.path).manifest
    assert chosen["precision"] in ("float32", "bfloat16")
    assert chosen["batch_size_cpu"] >= 1
    monkeypatch.setattr(encoders, "choose_precision", None, raising=False)
    monkeypatch.setattr(encoders, "probe_batch_size", None, raising=False)
    again = EmbeddingStore.open(store.path)
    assert run(again.plan, again, source, mini).finished
    assert again.manifest == chosen


def test_a_worker_process_loads_the_encoder_by_its_description(folder, mini, tmp_path):
    from concurrent.futures import ProcessPoolExecutor

    here, _ = embed(folder, tmp_path / "here", mini)
    with ProcessPoolExecutor(1, forkserver()) as executor:
        there, _ = embed(folder, tmp_path / "there", mini, executor=executor)
    assert there.status().finished
    np.testing.assert_allclose(there.load()[1], here.load()[1], rtol=2e-2, atol=1e-2)
    assert len(pickle.dumps(Portable(mini))) < 10_000


def test_real_galaxies_are_embedded(galaxy_data, mini, tmp_path):
    catalogue = open_catalogue(galaxy_data / "sdss_gz1" / "labels.csv")
    plan = Plan.freeze(catalogue.source.object_ids, rows_per_shard=40)
    store = EmbeddingStore.create(tmp_path / "store", plan, mini.spec)
    status = run(plan, store, catalogue.source, mini, shards=range(2))
    assert (status.done, status.shards_done) == (80, 2)
    object_ids, matrix = store.load()
    assert matrix.shape == (80 - status.broken, mini.spec.width)
    assert set(object_ids) <= set(catalogue.table["object_id"])
