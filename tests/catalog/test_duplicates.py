"""Duplicates in a dataset."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.component import CategoricalComponent
from glue.core.state import GlueUnSerializer

from glue_zoobot.catalog import attach_embeddings, load
from glue_zoobot.catalog.duplicates import GROUP, KIND, DuplicatesQuestion, show_duplicates
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import ids_of_survey, write_store


def add_sky(data):
    ra, dec = np.linspace(10, 300, data.size), np.linspace(-60, 60, data.size)
    ra[1], dec[1] = ra[0], dec[0] + 0.5 / 3600
    ra[3], dec[3] = ra[2], dec[2] + 12 / 3600
    data.add_component(ra, "ra")
    data.add_component(dec, "dec")
    return data.id["ra"], data.id["dec"]


@pytest.fixture
def data(survey):
    """60 galaxies; the pictures of rows 40 and 50 are the same."""
    matrix = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)
    matrix[50] = matrix[40]
    store = survey.with_name("survey.csv.embeddings") / "own"
    write_store(store, ids_of_survey(), matrix)
    data = load(survey)
    attach_embeddings(data, store)
    return data


@pytest.fixture
def collection(data):
    return DataCollection([data])


def ask(collection, question):
    return show_duplicates(collection, question, question.answer())


def members(group):
    return np.flatnonzero(group.subsets[0].to_mask()).tolist()


def test_a_column_and_a_group_for_each_kind(collection, data):
    text = ask(collection, DuplicatesQuestion(data, add_sky(data), stamp=30))
    assert isinstance(data.get_component(KIND), CategoricalComponent)
    assert {group.label: members(group) for group in collection.subset_groups} == {
        "Same source": [0, 1],
        "Overlapping cutouts": [2, 3],
        "Identical pictures": [40, 50],
    }
    numbers = data[GROUP]
    assert numbers[0] == numbers[1] != numbers[2]
    assert np.isfinite(numbers).sum() == 6
    assert text == (
        "survey: 2 of the same source as another, 2 with overlapping cutouts, 2 with identical pictures"
    )


def test_asking_again_moves_the_members_and_adds_no_group(collection, data):
    sky = add_sky(data)
    ask(collection, DuplicatesQuestion(data, sky, stamp=30))
    assert members(collection.subset_groups[0]) == [0, 1]
    ask(collection, DuplicatesQuestion(data, sky, radius=20, stamp=30))
    assert {group.label: members(group) for group in collection.subset_groups} == {
        "Same source": [0, 1, 2, 3],
        "Overlapping cutouts": [],
        "Identical pictures": [40, 50],
    }


def test_without_places_only_pictures_are_compared_and_it_says_so(collection, data):
    text = ask(collection, DuplicatesQuestion(data))
    assert [group.label for group in collection.subset_groups] == ["Identical pictures"]
    assert "only pictures were compared" in text


def test_without_embeddings_places_alone_tell(survey):
    data = Data(label="bare", z=np.zeros(60))
    collection = DataCollection([data])
    ask(collection, DuplicatesQuestion(data, add_sky(data)))
    assert [group.label for group in collection.subset_groups] == ["Same source"]


def test_neither_says_what_to_do(collection):
    with pytest.raises(AnalysisError, match="embed"):
        DuplicatesQuestion(Data(label="bare", z=np.zeros(3))).answer()


def test_a_dataset_removed_meanwhile(collection, data):
    question = DuplicatesQuestion(data)
    found = question.answer()
    collection.remove(data)
    with pytest.raises(AnalysisError, match="not in this session"):
        show_duplicates(collection, question, found)


def test_the_groups_come_back_with_a_session(collection, data):
    from glue.core.state import GlueSerializer

    ask(collection, DuplicatesQuestion(data, add_sky(data), stamp=30))
    again = GlueUnSerializer.loads(GlueSerializer(collection).dumps()).object("__main__")
    assert [members(group) for group in again.subset_groups] == [[0, 1], [2, 3], [40, 50]]
