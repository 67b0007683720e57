"""A user's way through the Teach panel on simulated galaxies: lasso, train, threshold, label, train again."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog import embeddings_of, load
from glue_zoobot.catalog.columns import our_columns
from glue_zoobot.images.simulated import write_sample
from glue_zoobot.qt.gallery.viewer import GalleryViewer
from glue_zoobot.qt.layout import open_in_glue
from glue_zoobot.qt.teach.panel import teach_panel
from tests.catalog.conftest import write_store
from tests.qt.conftest import members, wait_until


@pytest.fixture
def opened(app, tmp_path):
    """Simulated galaxies, open with a map and a gallery; embedded as their shrunk pictures."""
    path = write_sample(tmp_path / "sample", n=80, size=64)
    data = load(path)
    from glue_zoobot.catalog import attach_embeddings, images_of, object_ids_of

    images = images_of(data)
    small = [
        images.read(row)[8:56, 8:56].reshape(6, 8, 6, 8, 3).mean(axis=(1, 3)) for row in range(data.size)
    ]
    matrix = np.arcsinh(np.array(small).reshape(data.size, -1) / 8).astype(np.float32)
    write_store(tmp_path / "store", list(object_ids_of(data)), matrix)
    attach_embeddings(data, tmp_path / "store")
    return open_in_glue(data, application=app, size=(1280, 800)), data


def viewer_of(app, kind):
    return next(viewer for viewer in chain(*app.viewers) if isinstance(viewer, kind))


def lasso(viewer, data, rows):
    """Draw around some points with glue's own lasso, by mouse, and finish with Enter."""
    viewer.toolbar.active_tool = "select:polygon"
    canvas = viewer.central_widget.canvas
    x, y = (np.asarray(data[att])[rows] for att in (viewer.state.x_att, viewer.state.y_att))
    low, high = (viewer.axes.transData.transform(p) for p in ((x.min(), y.min()), (x.max(), y.max())))
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]), (low[0], low[1])]
    ratio = canvas.device_pixel_ratio
    places = [QPoint(round(px / ratio), round(canvas.height() - py / ratio)) for px, py in corners]
    QTest.mousePress(canvas, Qt.LeftButton, Qt.NoModifier, places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
        process_events()
    QTest.mouseRelease(canvas, Qt.LeftButton, Qt.NoModifier, places[-1])
    canvas.key_press_event("enter")
    process_events()


def test_lasso_train_slide_label_and_train_again(opened):
    from glue_qt.viewers.scatter import ScatterViewer

    app, data = opened
    scatter, gallery = viewer_of(app, ScatterViewer), viewer_of(app, GalleryViewer)
    panel = teach_panel(app)
    state = panel.state
    panel.show_panel()
    panel.start(data, "kind")
    idle = lambda: not panel.work.running and not panel._refresh_timer.isActive()  # noqa: E731
    wait_until(lambda: state.current is not None and idle())

    along = np.argsort(np.asarray(data[scatter.state.x_att]))
    for name, rows in (("left", along[:22]), ("right", along[-22:])):
        app.session.edit_subset_mode.edit_subset = []
        lasso(scatter, data, rows)
        panel.sources.fill_subsets()
        panel.sources.new_class.setText(name)
        panel.sources.subsets.actions()[-1].trigger()
    assert [one.name for one in state.classes] == ["left", "right"]
    assert min(len(one.rows) for one in state.classes) >= 10

    wait_until(idle)
    QTest.mouseClick(panel.train_row.train, Qt.LeftButton)
    wait_until(lambda: state.head is not None and idle())
    group = state.group("left")
    shown = {artist.layer.label for artist in scatter.layers}
    assert group.label == "left (p > 0.8)" in shown

    gallery_layer = next(layer for layer in gallery.state.layers if layer.layer.label == group.label)
    for layer in gallery.state.layers:
        layer.visible = layer is gallery_layer
    panel.tabs.setCurrentWidget(panel.result)
    probability = data[our_columns(data)["kind_prob_left"]]
    for threshold in (0.6, 0.3):
        panel.result.spin.setValue(threshold)
        wait_until(lambda threshold=threshold: state.threshold == threshold)
        process_events(wait=0.2)
        expected = np.flatnonzero(probability >= threshold).tolist()
        assert members(group) == expected
        assert sorted(gallery.model.rows.tolist()) == expected

    before, n = probability.copy(), len(state.labels)
    panel.tabs.setCurrentWidget(panel.card)
    for press in range(10):
        wait_until(lambda: panel.card.is_seen and idle())
        assert state.current not in state.labels
        QTest.keyClick(panel.card.picture, str(1 + press % 2))
    wait_until(idle)
    assert len(state.labels) == n + 10
    QTest.mouseClick(panel.train_row.train, Qt.LeftButton)
    wait_until(lambda: state.n_new == 0 and idle())
    assert not np.array_equal(data[our_columns(data)["kind_prob_left"]], before)
    assert len(embeddings_of(data)) == 80
    assert [count for count, _ in state.curve] == [n, n + 10]
