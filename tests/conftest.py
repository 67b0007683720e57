"""Fixtures that every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GLUE_TESTING", "True")


@pytest.fixture(scope="session")
def galaxy_data() -> Path:
    """Real galaxy images (see ``GLUE_ZOOBOT_DATA``); the test is skipped where they are absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("GLUE_ZOOBOT_DATA", default))
    if not path.is_dir():
        pytest.skip(f"no galaxy data in {path}; set GLUE_ZOOBOT_DATA to try real images")
    return path
