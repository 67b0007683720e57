"""The sample, embedded again, has the same neighbours: what was found once is found again."""

from __future__ import annotations

import os

import numpy as np
import pytest

from glue_zoobot.analysis import SimilaritySearch
from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.encoders import load
from glue_zoobot.images import open_catalogue
from glue_zoobot.images.simulated import write_sample

# Two runs of a few galaxies; more by hand, such as GLUE_ZOOBOT_RUNS=10 GLUE_ZOOBOT_SAMPLE=1500.
RUNS = int(os.environ.get("GLUE_ZOOBOT_RUNS", "2"))
SAMPLE = int(os.environ.get("GLUE_ZOOBOT_SAMPLE", "120"))


def neighbours(folder):
    """Write the sample, embed it with `mini`, and find the ten nearest of every galaxy, as the demo does."""
    catalogue = open_catalogue(write_sample(folder / "sample", n=SAMPLE))
    encoder = load("mini", device="cpu")
    plan = Plan.freeze(catalogue.source.object_ids)
    store = EmbeddingStore.create(folder / "store", plan, encoder.spec, encoder.precision)
    run(plan, store, catalogue.source, encoder)
    object_ids, matrix = store.load()
    search = SimilaritySearch(matrix)
    return object_ids, np.array([search.query(like=[row], k=10)[0] for row in range(len(matrix))])


@pytest.mark.timeout(120 * RUNS)
def test_every_run_gives_the_same_neighbours(tmp_path):
    first_ids, first = neighbours(tmp_path / "0")
    for number in range(1, RUNS):
        ids, found = neighbours(tmp_path / str(number))
        assert list(ids) == list(first_ids)
        np.testing.assert_array_equal(found, first)
