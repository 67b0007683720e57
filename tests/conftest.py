"""Fixtures that every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GLUE_TESTING", "True")
if "PYTEST_XDIST_WORKER" in os.environ:  # a process per core: threads beside would only wait for each other
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def galaxy_data() -> Path:
    """Real galaxy images (see ``GLUE_ZOOBOT_DATA``); the test is skipped where they are absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("GLUE_ZOOBOT_DATA", default))
    if not path.is_dir():
        pytest.skip(f"no galaxy data in {path}; set GLUE_ZOOBOT_DATA to try real images")
    return path


@pytest.fixture
def quick_umap(monkeypatch) -> None:
    """
    Take the first two columns for a map by UMAP, which compiles for half a minute in every process.

    What UMAP does is tested in ``analysis/test_maps.py``.
    """

    def first_two(matrix, random_state=0):
        return matrix[:, :2].copy(), {"method": "umap", "random_state": random_state}

    monkeypatch.setattr("glue_zoobot.analysis.maps.umap_map", first_two)
