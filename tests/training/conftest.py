"""A sample of simulated galaxies, and a training that takes seconds."""

from __future__ import annotations

import pytest

from glue_zoobot.images import open_catalogue
from glue_zoobot.images.simulated import write_sample
from glue_zoobot.training import PretrainRecipe

QUICK = {"architecture": "test_efficientnet", "epochs": 2, "batch_size": 50, "input_size": 32}


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Two hundred simulated galaxies on disk; the path of their catalogue."""
    return write_sample(tmp_path_factory.mktemp("training") / "sample", n=200, size=64)


@pytest.fixture(scope="session")
def catalogue(sample):
    return open_catalogue(sample)


@pytest.fixture
def quick():
    """Make a recipe of a tiny network, with some choices of its own."""
    return lambda **choices: PretrainRecipe(**{**QUICK, **choices})


class Ears:
    """A report that remembers what it was told."""

    def __init__(self):
        self.words, self.figures, self.steps = [], [], []

    def say(self, text):
        self.words.append(text)

    def progress(self, progress):
        self.steps.append(progress)

    def epoch(self, figures):
        self.figures.append(dict(figures))


@pytest.fixture
def ears():
    return Ears()
