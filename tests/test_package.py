"""What glue and every Python session relies on when the package is merely imported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "timm", "torchvision", "sklearn", "umap", "pynndescent", "pyarrow.dataset")


def imported_by(statement: str) -> set[str]:
    code = f"import sys, json; {statement}; print(json.dumps(list(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return set(json.loads(printed.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    [
        "import glue_zoobot; glue_zoobot.setup(); glue_zoobot.setup()",
        "import glue_zoobot.qt; glue_zoobot.qt.setup(); glue_zoobot.qt.setup()",
        "import glue_zoobot.cli",
        "import glue_zoobot.encoders as e; e.specs(); e.listing()",
    ],
)
def test_start_imports_nothing_heavy(statement):
    assert not imported_by(statement) & set(HEAVY)


@pytest.mark.parametrize("room", ["images", "encoders", "embedding", "analysis"])
def test_the_engine_runs_without_glue_and_qt(room):
    modules = imported_by(f"import glue_zoobot.{room}")
    assert not {m for m in modules if m.split(".")[0] in ("glue", "glue_qt", "qtpy", "PyQt6")}


def test_the_bridge_needs_no_qt_binding():
    modules = imported_by("import glue_zoobot.catalog")
    assert not {m for m in modules if m.split(".")[0] in ("qtpy", "PyQt6")}
