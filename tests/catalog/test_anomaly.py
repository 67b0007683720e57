"""Unusual galaxies as columns, and what is said of them."""

import numpy as np
import pytest
from glue.core import DataCollection

from glue_zoobot.analysis.anomaly import METHODS
from glue_zoobot.catalog import attach_embeddings, load
from glue_zoobot.catalog.anomaly import anomaly_question, find_anomalies, write_anomalies
from glue_zoobot.catalog.columns import provenance_of
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import ids_of_survey, write_store, write_survey

N = 250


@pytest.fixture
def odd(tmp_path):
    """A catalogue in which the last 25 galaxies look odd and have a high redshift; row 7 has no embedding."""
    survey = write_survey(tmp_path / "project", N)
    matrix = np.random.default_rng(0).normal(size=(N, 16)).astype(np.float32)
    matrix[-25:] *= 6
    write_store(tmp_path / "store", ids_of_survey(N), matrix, broken=[ids_of_survey(N)[7]])
    data = load(survey)
    attach_embeddings(data, tmp_path / "store")
    DataCollection([data])
    return data


@pytest.mark.parametrize("method", METHODS)
def test_scores_become_columns(odd, method):
    rank = write_anomalies(odd, find_anomalies(anomaly_question(odd, method)))
    assert rank.label == "anomaly_rank"
    scores = odd[f"anomaly_{method}"]
    assert np.flatnonzero(np.isnan(scores)).tolist() == [7]
    assert sorted(odd[rank][np.isfinite(odd[rank])]) == list(range(1, N))
    assert scores[np.nanargmin(odd[rank])] == np.nanmax(scores)
    assert provenance_of(odd, "anomaly_rank")["random_state"] == 0


def test_what_goes_along_with_the_score_is_said(odd):
    found = find_anomalies(anomaly_question(odd, "knn"))
    [sentence] = [text for text in found.sentences if "redshift" in text]
    assert sentence.startswith("redshift is much higher among the 24 most unusual")
    assert "object_id" not in " ".join(found.sentences)


def test_a_score_that_nothing_explains(odd):
    odd.update_components({odd.id["redshift"]: np.random.default_rng(1).permutation(N) / N})
    found = find_anomalies(anomaly_question(odd, "knn"))
    assert any(text.startswith("None of the") for text in found.sentences)


def test_no_embeddings(tmp_path):
    data = load(write_survey(tmp_path / "project"))
    with pytest.raises(AnalysisError, match="no embeddings yet"):
        anomaly_question(data, "knn")
