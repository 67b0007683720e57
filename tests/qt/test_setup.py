"""What glue does with us when it starts."""

from __future__ import annotations

import subprocess
import sys

import glue_zoobot.qt


def test_setup_twice_registers_everything_once():
    from glue_qt.config import layer_action, menubar_plugin, qt_client
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.qt.gallery.viewer import GalleryViewer

    glue_zoobot.qt.setup()
    glue_zoobot.qt.setup()
    assert glue_zoobot.qt.SETUP_PROBLEMS == {}
    assert ScatterViewer.tools.count("zoobot:similar") == 1
    assert ScatterViewer.tools.count("zoobot:hover") == 1
    assert qt_client.members.count(GalleryViewer) == 1
    for labels in ([label for label, _ in menubar_plugin], [item.label for item in layer_action]):
        ours = [label for label in labels if "Zoobot" in label or "similar" in label]
        assert len(ours) == len(set(ours)) >= 5


def test_setup_imports_nothing_heavy():
    heavy = ["torch", "timm", "sklearn", "umap", "pynndescent", "pyarrow.dataset"]
    code = (
        "import sys, glue_zoobot, glue_zoobot.qt\n"
        "glue_zoobot.setup(); glue_zoobot.qt.setup()\n"
        "from glue_qt.config import layer_action, menubar_plugin\n"
        "list(menubar_plugin), list(layer_action)\n"
        "assert glue_zoobot.qt.SETUP_PROBLEMS == {}, glue_zoobot.qt.SETUP_PROBLEMS\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_feature_that_fails_is_named_and_the_others_come_up(monkeypatch):
    from glue_qt.viewers.scatter import ScatterViewer

    def broken():
        raise ImportError("no such library")

    monkeypatch.setattr(glue_zoobot.qt, "_register_gallery", broken)
    broken.__name__ = "_register_gallery"
    monkeypatch.setattr(glue_zoobot.qt, "SETUP_PROBLEMS", {})
    glue_zoobot.qt.setup()
    assert glue_zoobot.qt.SETUP_PROBLEMS == {"gallery": "ImportError: no such library"}
    assert "zoobot:similar" in ScatterViewer.tools
