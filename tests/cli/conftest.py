"""Verbs called in this process, a sample on disk and its embeddings."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from glue_zoobot.cli import app
from glue_zoobot.errors import ZoobotError
from glue_zoobot.images.simulated import write_sample


@pytest.fixture(scope="session")
def call():
    """Run a verb."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="session")
def failure(call):
    """Run a verb that fails; gives the message that `main` would print before it exits with 1."""

    def fail(*words):
        result = call(*words)
        assert isinstance(result.exception, ZoobotError), result.output
        return str(result.exception)

    return fail


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Twenty-four simulated galaxies on disk; one image is broken and one is missing."""
    catalogue = write_sample(tmp_path_factory.mktemp("cli") / "sample", n=24)
    images = sorted((catalogue.parent / "images").iterdir())
    images[3].write_bytes(b"<html>not found</html>")
    images[5].unlink()
    return catalogue


@pytest.fixture(scope="session")
def store(sample, call, tmp_path_factory):
    """Embeddings of the sample by `mini`."""
    folder = tmp_path_factory.mktemp("cli") / "store"
    assert call("embed", sample, "--store", folder, "--encoder", "mini").exit_code == 0
    return folder
