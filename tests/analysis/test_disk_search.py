"""A search from the disk answers as the one in memory does."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import torch

from glue_zoobot.analysis import SimilaritySearch, disk_files, disk_search, products
from glue_zoobot.analysis.disk_search import DiskSearch, pack, packed_search
from glue_zoobot.errors import AnalysisError, EncoderError
from tests.embedding.conftest import make_store  # noqa: F401  the fixture


@pytest.fixture(scope="module")
def vectors():
    """Two thousand clustered vectors of 160 numbers; one is zero, one not finite, two are equal."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, 161) ** -0.75
    centres = rng.standard_normal((20, 160)) * spectrum
    matrix = centres[rng.integers(20, size=2000)] + rng.standard_normal((2000, 160)) * spectrum * 0.4
    matrix[7], matrix[8, 3], matrix[100] = 0, np.nan, matrix[101]
    return matrix.astype(np.float16)


@pytest.fixture(scope="module")
def folder(vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("search")
    names = [f"g{i}" for i in range(2000)]
    parts = [(names[a : a + 700], vectors[a : a + 700]) for a in range(0, 2000, 700)]
    pack(path / "files", parts, 2000, 160)
    return path / "files"


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("like", "unlike"), [([12], []), ([12, 600, 101], [44]), ([100], [])])
def test_the_exact_search_answers_as_in_memory(folder, vectors, metric, like, unlike, monkeypatch):
    monkeypatch.setattr(disk_search, "BLOCK_BYTES", 4 * 160 * 300)  # several blocks
    monkeypatch.setattr(disk_files, "PART_BYTES", 2 * 160 * 700)
    memory = SimilaritySearch(vectors.astype(np.float32), metric).query(like, unlike, k=50)
    disk = DiskSearch(folder, metric, "exact").query(like, unlike, k=50)
    np.testing.assert_array_equal(disk[0], memory[0])
    np.testing.assert_array_equal(disk[1], memory[1])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_two_stage_search_says_how_much_it_finds(folder, vectors, metric, monkeypatch):
    search = DiskSearch(folder, metric)
    assert 0.9 < search.measured_recall_ <= 1
    assert DiskSearch(folder, metric, "exact").measured_recall_ == 1
    monkeypatch.setattr(disk_search, "CANDIDATES", 200)
    rows, scores = search.query([12], k=20)
    true = SimilaritySearch(vectors.astype(np.float32), metric).query([12], k=20)
    assert np.isin(rows, true[0]).mean() > 0.8
    both = np.isin(rows, true[0])
    np.testing.assert_array_equal(scores[both], true[1][np.isin(true[0], rows)])


def test_galaxies_are_named(folder):
    search = DiskSearch(folder)
    assert list(search.rows_of(["g1999", "g0", "g700"])) == [1999, 0, 700]
    assert list(search.ids_of(np.array([1399, 1400, 3]))) == ["g1399", "g1400", "g3"]
    with pytest.raises(AnalysisError, match="no embedding for x"):
        search.rows_of(["g1", "x"])


@pytest.mark.parametrize(("like", "words"), [([], "nothing to search"), ([5000], "2,000"), ([7], "empty")])
def test_questions_that_have_no_answer(folder, like, words):
    with pytest.raises(AnalysisError, match=words):
        DiskSearch(folder).query(like)
    with pytest.raises(AnalysisError, match="no search"):
        DiskSearch(folder, "manhattan")


def test_the_files_follow_a_store_that_grows(make_store):  # noqa: F811
    from glue_zoobot.embedding import run

    store, plan, source, encoder = make_store(50, broken=["galaxy-0003"], embed=False)
    with pytest.raises(AnalysisError, match="embed the images"):
        packed_search(store)
    run(plan, store, source, encoder, shards=[0])
    assert len(packed_search(store)) == 15
    run(plan, store, source, encoder)
    search = packed_search(store)
    stamp = (store.path / "search" / "vectors.f16").stat().st_mtime_ns
    ids, matrix = store.load()
    rows, _ = search.query(search.rows_of(["galaxy-0020"]), k=5)
    true, _ = SimilaritySearch(matrix).query([list(ids).index("galaxy-0020")], k=5)
    assert list(search.ids_of(rows)) == list(ids[true])
    packed_search(store)
    assert (store.path / "search" / "vectors.f16").stat().st_mtime_ns == stamp
    (store.path / "search" / "about.json").write_text("{}")
    assert len(packed_search(store)) == 49


def test_a_read_only_store_is_searched_from_the_cache_folder(make_store, monkeypatch, tmp_path):  # noqa: F811
    store = make_store(50)[0]
    monkeypatch.setenv("GLUE_ZOOBOT_CACHE", str(tmp_path / "cache"))
    mkdir, locked = Path.mkdir, [store.path]

    def refuse(path, *arguments, **options):
        if any(path.is_relative_to(folder) for folder in locked):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    for _ in range(2):  # made, then found again
        assert packed_search(store).folder.is_relative_to(tmp_path / "cache")
    monkeypatch.setenv("GLUE_ZOOBOT_CACHE", str(tmp_path / "locked"))
    locked.append(tmp_path / "locked")
    with pytest.raises(AnalysisError, match=r"Read-only file system.*GLUE_ZOOBOT_CACHE"):
        packed_search(store)


def test_no_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_files.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(AnalysisError, match="make room"):
        pack(tmp_path / "s", [(["a"], np.ones((1, 4), np.float16))], 1, 4)


def test_embeddings_of_which_none_can_be_found_are_packed(tmp_path):
    zeros = np.zeros((3, 160), np.float16)
    pack(tmp_path / "s", [(["a", "b", "c"], zeros)], 3, 160)
    with pytest.raises(AnalysisError, match="row 1 is empty"):
        DiskSearch(tmp_path / "s").query([1])


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """The way of a GPU, in blocks; on the processor, as there is none here."""
    monkeypatch.setattr(products, "BLOCK_BYTES", 2 * 160 * 300)


@pytest.mark.parametrize("room", [0, 10**9])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_on_a_gpu_the_answer_is_the_same(folder, vectors, metric, room, as_on_a_gpu, monkeypatch):
    monkeypatch.setattr(products, "_room", lambda device: room)
    true = SimilaritySearch(vectors.astype(np.float32), metric, device="cpu").query([12, 101], [44], k=50)
    searches = [
        DiskSearch(folder, metric, "exact", "cpu:0"),
        SimilaritySearch(vectors.astype(np.float32), metric, device="cpu:0"),
    ]
    for search in [*searches, *searches]:  # again, from what is on the device
        rows, scores = search.query([12, 101], [44], k=50)
        np.testing.assert_array_equal(rows, true[0])
        np.testing.assert_array_equal(scores, true[1])
        assert search.note == ""


def test_a_gpu_that_fails_is_replaced_and_named(folder, monkeypatch):
    def fail(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore words")

    true = DiskSearch(folder).query([12])
    search = DiskSearch(folder, device="cpu:0")
    monkeypatch.setattr(torch, "tensor", fail)
    np.testing.assert_array_equal(search.query([12])[0], true[0])
    assert search.note == (
        "searched by the processor, as the device cpu:0 failed: "
        "CUDA out of memory. Tried to allocate 2.00 GiB."
    )


def test_a_gpu_is_taken_only_if_it_is_there_and_pays(folder, monkeypatch):
    assert products._choose("auto", 10**10) == ("cuda" if torch.cuda.is_available() else "cpu")
    assert products._choose("auto", 10**6) == "cpu"
    with pytest.raises(EncoderError, match="cuda:77"):
        DiskSearch(folder, device="cuda:77")
