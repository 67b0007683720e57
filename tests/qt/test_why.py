"""What an answer goes along with, in words."""

from __future__ import annotations

import numpy as np
import pytest
from glue.core import Data

from glue_zoobot.qt.similar.why import compare, verdict

N = 400


def found(**columns):
    """Compare the first forty galaxies with the others."""
    similarity = np.linspace(1, 0, N)
    return compare(Data(**columns, label="d"), similarity, np.arange(40))


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=N)


def test_a_likeness_of_brightness_is_a_warning(noise):
    bright = np.where(np.arange(N) < 40, 14.0, 18.0) + 0.1 * noise
    text = verdict(found(mag_r=bright, ellipticity=noise))
    assert text.startswith("They differ most in mag_r: 14")
    assert "brightness rather than shape" in text


def test_a_likeness_of_shape_is_none(noise):
    text = verdict(found(mag_r=noise, ellipticity=np.where(np.arange(N) < 40, 0.9, 0.1) + 0.01 * noise))
    assert "differ most in ellipticity" in text
    assert "rather than shape" not in text


def test_no_difference_and_no_columns(noise):
    assert "In none of the columns" in verdict(found(mag_r=noise))
    assert "No column" in verdict(found(similarity=noise))


def test_a_column_with_a_condition_is_no_news(noise):
    table = found(mag_r=np.where(np.arange(N) < 40, 14.0, 18.0) + 0.1 * noise, ellipticity=noise)
    assert "In none of the other columns" in verdict(table, {"mag_r"})
    assert table["top_low"][0] < table["top_median"][0] < table["top_high"][0] < table["rest_low"][0]


def test_positions_are_compared_too(noise):
    text = verdict(found(ra=np.arange(N) * 1.0, dec=noise))
    assert "place on the sky" in text
