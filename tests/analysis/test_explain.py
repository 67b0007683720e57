"""What a score goes along with."""

import numpy as np
import pytest

from glue_zoobot.analysis.explain import correlates, flag_sentences, methods_paragraph
from glue_zoobot.errors import AnalysisError


@pytest.fixture
def scores():
    return np.random.default_rng(0).random(1000)


def test_the_column_behind_a_score_comes_first(scores):
    rng = np.random.default_rng(1)
    columns = {
        "ra": rng.uniform(0, 360, 1000),
        "mag": -scores + 0.1 * rng.random(1000),
        "name": np.full(1000, "x"),
        "constant": np.ones(1000),
        "nearly_empty": np.where(np.arange(1000) < 5, 1.0, np.nan),
    }
    table = correlates(scores, columns)
    assert list(table["column"]) == ["mag", "ra"]
    assert table["correlation"][0] < -0.9
    assert table["p_value"][0] < 1e-6 < 1e-3 < table["p_value"][1]
    assert table["top_median"][0] < table["rest_median"][0]


def test_no_column_gives_an_empty_table(scores):
    assert len(correlates(scores, {})) == 0
    with pytest.raises(AnalysisError, match="too few"):
        correlates(np.full(50, np.nan), {})


def test_flags_that_fill_the_top_are_named(scores):
    trail = scores > 0.96
    halo = np.random.default_rng(2).random(1000) < 0.05
    (sentence,) = flag_sentences(scores, {"halo": halo, "trail": trail})
    assert sentence == f"{trail.sum()} of the top 100 are flagged trail (0.0% of the others)"


def test_methods_paragraph_says_only_what_is_known():
    facts = {"encoder": "mini", "weights_sha256": "abc", "version_glue-zoobot": "1.0", "random_state": 0}
    text = methods_paragraph({**facts, "anomaly_method": "the distance to 15 neighbours"})
    assert "mini" in text
    assert "15 neighbours" in text
    assert "ratings" not in text
    text = methods_paragraph(
        {**facts, "interest_method": "logistic regression", "ratings": 200, "ratings_interesting": 40}
    )
    assert "200 ratings" in text
    assert "anomaly" not in text
