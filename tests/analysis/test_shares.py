"""Shares of classes in a catalogue, from probabilities that were calibrated by other shares."""

import numpy as np
import pytest

from glue_zoobot.analysis.shares import class_shares, corrected


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_a_rare_class_is_found_to_be_rare(share):
    rng = np.random.default_rng(0)
    member = rng.random(40_000) < share
    x = rng.normal(size=40_000) + 2.5 * member
    as_labelled = 1 / (1 + np.exp(-(2.5 * x - 2.5**2 / 2)))  # half of the labels were members
    p = np.column_stack([1 - as_labelled, as_labelled])
    labelled = np.array([0.5, 0.5])
    assert class_shares(p, labelled)[1] == pytest.approx(share, abs=0.01)
    chosen = corrected(p, labelled)[:, 1] > 0.6
    assert corrected(p, labelled)[chosen, 1].mean() == pytest.approx(member[chosen].mean(), abs=0.04)


def test_galaxies_without_probability_stay_without():
    p = np.array([[0.2, 0.8], [np.nan, np.nan], [0.7, 0.3]])
    assert np.isnan(corrected(p, np.array([0.5, 0.5]))[1]).all()
    assert np.isfinite(class_shares(p, np.array([0.5, 0.5]))).all()
