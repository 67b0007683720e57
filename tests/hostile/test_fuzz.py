"""
Every format of ours, spoilt: it is read, or refused with a message of ours; nothing else is raised.

A thousand cases here; ``python -m tests.nightly.fuzz`` does as many as one has time for.
"""

from __future__ import annotations

import warnings
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glue_zoobot.errors import ZoobotError

from .formats import FORMATS, spoil


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Make an example of a format once; gives its folder, the file that is spoilt, and its content."""
    made = {}

    def example(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("format")
            path = FORMATS[name].make(folder)
            FORMATS[name].read(folder)  # the example itself is sound
            made[name] = (folder, path, path.read_bytes())
        return made[name]

    return example


@pytest.mark.parametrize("name", FORMATS)
def test_spoilt_files_are_read_or_refused(examples, name):
    folder, path, good = examples(name)

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(random=st.randoms(use_true_random=False))
    def check(random):
        path.write_bytes(spoil(good, FORMATS[name].kind, random))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(ZoobotError):
                FORMATS[name].read(folder)

    check()
