"""What glue does with us when it starts."""

from __future__ import annotations

import subprocess
import sys
from unittest.mock import patch

import glue_zoobot.qt


def test_setup_twice_registers_everything_once():
    from glue_qt.config import layer_action, menubar_plugin, qt_client
    from glue_qt.viewers.scatter import ScatterViewer

    glue_zoobot.qt.setup()
    glue_zoobot.qt.setup()
    assert glue_zoobot.qt.SETUP_PROBLEMS == {}
    assert ScatterViewer.tools.count("zoobot:similar") == 1
    assert ScatterViewer.tools.count("zoobot:hover") == 1
    assert [viewer.LABEL for viewer in qt_client.members].count("Galaxy Gallery") == 1
    for labels in ([label for label, _ in menubar_plugin], [item.label for item in layer_action]):
        ours = [label for label in labels if "Zoobot" in label or "similar" in label]
        assert len(ours) == len(set(ours)) >= 5


def test_setup_imports_nothing_heavy_and_none_of_our_windows():
    """Glue's start must not get longer: what is heavy, and what is ours, comes when it is first used."""
    heavy = ["torch", "timm", "sklearn", "umap", "pynndescent", "pyarrow.dataset"]
    ours = ["images", "embedding", "analysis", "catalog.similar", "qt.gallery", "qt.similar_panel"]
    heavy += [f"glue_zoobot.{name}" for name in ours]
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


def test_the_viewer_and_the_tools_come_when_they_are_first_used(app, data):
    from glue_qt.app.application import pick_class
    from glue_qt.config import qt_client
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.qt.gallery.viewer import GalleryViewer
    from glue_zoobot.qt.tools import SimilarTool

    with patch("glue_qt.utils.dialogs.pick_item", side_effect=choose("Galaxy Gallery")):
        chosen = pick_class(list(qt_client.members), sort=True)
    assert isinstance(app.new_data_viewer(chosen, data=data), GalleryViewer)
    scatter = app.new_data_viewer(ScatterViewer, data=data)
    assert isinstance(scatter.toolbar.tools["zoobot:similar"], SimilarTool)


def choose(wanted):
    """Answer glue's question for a viewer."""
    return lambda items, labels, **kwargs: items[labels.index(wanted)]


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
