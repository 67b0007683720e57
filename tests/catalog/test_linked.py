"""Examples in one dataset, embeddings in another that is linked to it."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data
from glue.core.component import CategoricalComponent
from glue.core.component_link import ComponentLink
from glue.core.link_helpers import JoinLink, LinkSame

from glue_zoobot.catalog import similar_galaxies
from glue_zoobot.catalog.linked import linked_datasets
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import N, ids_of_survey

ARCSEC = 1 / 3600


@pytest.fixture
def places():
    return np.random.default_rng(0).uniform(10, 11, (2, N))


@pytest.fixture
def sky(embedded, places):
    """The embedded survey with places on the sky."""
    for label, values in zip(("ra", "dec"), places, strict=True):
        embedded.add_component(values, label)
    return embedded


@pytest.fixture
def spectra(sky, places, collection):
    """Every third galaxy of the survey from the end, a little off in place, and one that it has not."""
    rows = np.arange(N)[::-3]
    offset = 0.3 * ARCSEC
    ids, ra, dec = np.array(ids_of_survey())[rows], places[0][rows] + offset, places[1][rows]
    data = Data(
        label="spectra",
        ra=np.append(ra, 200.0),
        dec=np.append(dec, -60.0),
        width=np.arange(len(rows) + 1.0),
    )
    data.add_component(CategoricalComponent(np.append(ids, "elsewhere")), "objid")
    collection.append(data)
    return data


def by_join(collection, survey, spectra):
    link = JoinLink(cids1=[spectra.id["objid"]], cids2=[survey.id["objid"]], data1=spectra, data2=survey)
    collection.add_link(link)


def by_id(collection, survey, spectra):
    collection.add_link(LinkSame(spectra.id["objid"], survey.id["objid"]))


def by_place(collection, survey, spectra):
    for name in ("ra", "dec"):
        collection.add_link(LinkSame(spectra.id[name], survey.id[name]))


@pytest.mark.parametrize("link", [by_join, by_id, by_place])
def test_examples_of_one_find_look_alikes_in_the_other(collection, sky, spectra, link):
    link(collection, sky, spectra)
    assert linked_datasets(spectra) == [sky]
    state = similar_galaxies(collection)
    group = state.find(spectra, [3, len(spectra["width"]) - 1], unlike=[10])
    row = N - 1 - 9  # the fourth from the end in steps of three
    assert state.data is sky
    assert (state.like, state.unlike) == ((row,), (N - 1 - 30,))
    assert state.rows[0] > row  # away from the counter-example
    assert "1 found for 2" in state.note
    assert "spectra" in state.note
    assert group.label == "Similar galaxies"
    assert "similarity_rank" not in [cid.label for cid in spectra.components]
    state.count = 5
    assert len(np.flatnonzero(group.subsets[0].to_mask())) == 5


def test_many_examples(collection, sky, spectra):
    by_place(collection, sky, spectra)
    state = similar_galaxies(collection)
    state.find(spectra, range(20))
    assert state.like == tuple(range(2, N, 3))


def test_places_that_are_too_far_apart_are_not_the_same_galaxy(collection, sky, spectra):
    spectra.update_components({spectra.id["ra"]: np.asarray(spectra["ra"]) + 2 * ARCSEC})
    by_place(collection, sky, spectra)
    with pytest.raises(AnalysisError, match="none of the examples is in survey"):
        similar_galaxies(collection).find(spectra, [3])


def test_without_a_link_it_says_what_would_help(collection, sky, spectra):
    with pytest.raises(AnalysisError, match="link it to a catalogue"):
        similar_galaxies(collection).find(spectra, [3])


def test_a_link_of_something_else_is_no_way_to_find_galaxies(collection, sky, spectra):
    collection.add_link(ComponentLink([spectra.id["width"]], sky.id["redshift"]))
    with pytest.raises(AnalysisError, match="which is linked to it"):
        similar_galaxies(collection).find(spectra, [3])


def test_a_dataset_with_embeddings_is_asked_itself(collection, sky, spectra):
    by_id(collection, sky, spectra)
    state = similar_galaxies(collection)
    state.find(sky, [30])
    assert state.data is sky
    assert state.note == ""


def test_unlinked_again(collection, sky, spectra):
    by_id(collection, sky, spectra)
    state = similar_galaxies(collection)
    state.find(spectra, [3])
    collection.remove_link(collection.external_links[0])
    with pytest.raises(AnalysisError, match="link it"):
        state.find(spectra, [3])
    assert state.data is sky
