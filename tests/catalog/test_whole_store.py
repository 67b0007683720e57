"""A dataset is a part of its store; look-alikes from all of it come in as a dataset of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from glue.core import Data, DataCollection
from glue.core.state import GlueSerializer, GlueUnSerializer

from glue_zoobot.analysis import disk_search
from glue_zoobot.catalog import attach_embeddings, embeddings_of, images_of, load, object_ids_of
from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.catalog.question import Question
from glue_zoobot.catalog.whole_store import RANK, SCORE, bring_in, galaxies_elsewhere, search_whole_store
from glue_zoobot.embedding import EmbeddingStore
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import FIRST_ID, N, ids_of_survey

PART = np.arange(0, N, 6)  # every sixth galaxy: its nearest are elsewhere


@pytest.fixture
def part(survey, store):
    """A table of some galaxies of the survey, with its embeddings."""
    table = Table.read(survey, format="ascii.csv")[PART]
    path = survey.with_name("part.csv")
    table.write(path, format="ascii.csv")
    data = load(path)
    attach_embeddings(data, store)
    return data


@pytest.fixture
def on_disk(monkeypatch):
    monkeypatch.setattr(disk_search, "fits_memory", lambda *given: False)


def found_rows(data):
    ids = ids_of_survey()
    return [ids.index(name) for name in object_ids_of(data)]


def test_only_rows_of_the_dataset_are_held(part):
    assert embeddings_of(part).matrix.shape[0] == len(PART)
    assert galaxies_elsewhere(part) == N - len(PART)


def test_the_nearest_of_the_whole_store_come_with_columns_and_pictures(part):
    answer = search_whole_store(Question(part, (5,)), count=4)  # galaxy 30
    assert sorted(found_rows(answer.data)) == [28, 29, 31, 32]
    np.testing.assert_array_equal(answer.data[RANK], [1, 2, 3, 4])
    assert (np.diff(answer.data[SCORE]) <= 0).all()
    assert answer.data["redshift"].tolist() == pytest.approx([row / 59 for row in found_rows(answer.data)])
    for place, row in enumerate(found_rows(answer.data)):
        assert images_of(answer.data).read(place)[0, 0, 0] == row
    assert (answer.searched, answer.unknown) == (N, 4)
    assert "4 galaxies brought in from survey.csv.embeddings/test (60 searched); 4 not in part" in (
        answer.sentence()
    )
    assert "pictures from survey.csv" in answer.sentence()


@pytest.mark.parametrize("several", ["mean", "any"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_from_the_disk_the_answer_is_the_same(part, monkeypatch, several, metric):
    question = Question(part, (2, 7), (5,), metric=metric, several=several)
    memory = search_whole_store(question, count=9)
    monkeypatch.setattr(disk_search, "fits_memory", lambda *given: False)
    disk = search_whole_store(question, count=9)
    np.testing.assert_allclose(disk.data[SCORE], memory.data[SCORE], atol=2e-3)
    assert set(found_rows(disk.data)) == set(found_rows(memory.data))


def test_what_comes_in_is_joined_by_id_and_can_be_asked_itself(part):
    collection = DataCollection([part])
    new = bring_in(collection, search_whole_store(Question(part, (5,)), count=20))
    group = collection.new_subset_group("near", new.id[RANK] <= 14)
    here, there = (subset.to_mask() for subset in group.subsets)
    assert there.sum() == 14
    both = set(object_ids_of(part)) & set(object_ids_of(new)[there])
    assert set(object_ids_of(part)[here]) == both != set()
    assert len(embeddings_of(new)) == 20


def test_a_dataset_with_numbers_for_ids_is_joined_by_them(store):
    data = Data(label="numbers", objid=FIRST_ID + 7 * np.arange(0, N, 6, dtype=np.int64))
    attach_embeddings(data, store)
    collection = DataCollection([data])
    new = bring_in(collection, search_whole_store(Question(data, (5,)), count=20))
    group = collection.new_subset_group("near", new.id[RANK] <= 14)
    assert group.subsets[0].to_mask().sum() == 2  # galaxies 24 and 36


def test_without_a_known_source_there_are_ids_alone(store, tmp_path):
    moved = store.rename(tmp_path / "elsewhere")
    data = Data(label="ids", objid=np.array(ids_of_survey())[PART])
    attach_embeddings(data, moved)
    answer = search_whole_store(Question(data, (5,)), count=3)
    assert "where their pictures are is not known" in answer.sentence()
    assert [cid.label for cid in answer.data.main_components] == ["object_id", SCORE, RANK]


def test_a_store_knows_what_it_was_made_from(part, survey, store, tmp_path):
    moved = store.rename(tmp_path / "elsewhere")
    (tmp_path / "part").mkdir()
    manifest = json.loads((moved / "manifest.json").read_text())
    path = str(Path("..") / survey.relative_to(tmp_path))
    for source, words in (({"path": path}, "survey.csv"), ({"path": str(survey)}, "part.csv")):
        (moved / "manifest.json").write_text(json.dumps(manifest | {"source": source}))
        attach_embeddings(part, moved)
        assert f"pictures from {words}" in search_whole_store(Question(part, (5,)), count=20).sentence()


def test_what_does_not_count_there_is_said(part, on_disk):
    question = Question(part, (5,), components=5, cuts=Cuts(within=(("redshift", 0.1),)))
    sentence = search_whole_store(question, count=3).sentence()
    assert "conditions on columns do not count there; compared by all numbers" in sentence


def test_without_embeddings_there_is_nothing_to_search():
    bare = Data(label="bare", objid=["unknown"])
    assert galaxies_elsewhere(bare) == 0
    with pytest.raises(AnalysisError, match="no embeddings"):
        search_whole_store(Question(bare, (0,)))


def test_a_session_keeps_what_came_in(part):
    collection = DataCollection([part])
    new = bring_in(collection, search_whole_store(Question(part, (5,)), count=10))
    text = GlueSerializer(collection).dumps()
    restored = GlueUnSerializer.loads(text).object("__main__")
    again = next(data for data in restored if data.label == new.label)
    np.testing.assert_array_equal(again[RANK], new[RANK])
    assert images_of(again) is not None
    group = restored.new_subset_group("near", again.id[RANK] <= 5)
    assert [subset.to_mask().sum() for subset in group.subsets if subset.data is again] == [5]


@pytest.mark.parametrize("fits", [True, False])
def test_the_store_is_read_again_only_when_it_has_changed(part, store, monkeypatch, fits):
    monkeypatch.setattr(disk_search, "fits_memory", lambda *given: fits)
    read, embedded = [], EmbeddingStore._embedded
    monkeypatch.setattr(EmbeddingStore, "_embedded", lambda *given: (read.append(given), embedded(*given))[1])
    for row in (5, 7):
        found = found_rows(search_whole_store(Question(part, (row,)), count=4).data)
        assert sorted(found) == [6 * row - 2, 6 * row - 1, 6 * row + 1, 6 * row + 2]
        assert bool(read) is (row == 5)
        read.clear()
    next((store / "shards").iterdir()).touch()
    search_whole_store(Question(part, (5,)), count=4)
    assert read
