from __future__ import annotations

import numpy as np
import pytest

from glue_zoobot.encoders import choose_precision, load, probe_batch_size, tuning
from glue_zoobot.encoders.tuning import centred_cosine, compare_precisions, neighbour_overlap


@pytest.fixture(scope="module")
def encoder(tiny_directory):
    return load(str(tiny_directory), device="cpu")


@pytest.fixture
def fast_bfloat16(monkeypatch):
    """A processor on which bfloat16 is twice as fast."""
    monkeypatch.setattr(tuning.torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    rates = iter([2.0, 1.0])
    monkeypatch.setattr(tuning, "pictures_per_second", lambda *_: next(rates))


@pytest.fixture
def enough(pictures, monkeypatch):
    """Take a dozen pictures for enough, to be quick."""
    monkeypatch.setattr(tuning, "LEAST_PICTURES", len(pictures))
    return pictures


def test_probe_gives_a_batch_that_works(encoder, pictures):
    size = probe_batch_size(encoder, seconds=0.5)
    assert size >= 1
    assert len(encoder.embed(np.resize(pictures, (size, 64, 64, 3)))) == size


def test_too_few_pictures_stay_in_float32(encoder, pictures, fast_bfloat16):
    choice = compare_precisions(encoder, pictures)
    assert choice.precision == "float32"
    assert "too few" in choice.reason
    assert choice.overlap is None


def test_bfloat16_is_given_up_where_neighbours_change(encoder, enough, fast_bfloat16, monkeypatch):
    monkeypatch.setattr(tuning, "LEAST_OVERLAP", 1.01)
    assert choose_precision(encoder, enough) == "float32" == encoder.precision


def test_bfloat16_is_taken_where_it_gains_and_keeps_the_neighbours(
    tiny_directory, enough, fast_bfloat16, monkeypatch
):
    monkeypatch.setattr(tuning, "LEAST_OVERLAP", 0.0)
    monkeypatch.setattr(tuning, "LEAST_COSINE", 0.0)
    encoder = load(str(tiny_directory), device="cpu")
    assert choose_precision(encoder, enough) == "bfloat16" == encoder.precision
    assert np.isfinite(encoder.embed(enough[:4])).all()


def test_bfloat16_that_gains_nothing_is_not_used(encoder, enough, monkeypatch):
    monkeypatch.setattr(tuning.torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(tuning, "pictures_per_second", lambda *_: 5.0)
    choice = compare_precisions(encoder, enough)
    assert (choice.precision, choice.speedup) == ("float32", 1.0)
    assert encoder.precision == "float32"


def test_measures_of_agreement():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 8)).astype(np.float32)
    assert neighbour_overlap(vectors, vectors) == 1
    assert centred_cosine(vectors, vectors) == pytest.approx(1, abs=1e-5)
    other = random.normal(size=(50, 8)).astype(np.float32)
    assert neighbour_overlap(vectors, other) < 0.5
    assert centred_cosine(vectors, other) < 0.5
