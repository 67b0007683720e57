"""Galaxies dragged out of the gallery."""

from __future__ import annotations

import json

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue_qt.utils import process_events
from qtpy.QtCore import QMimeData, QPoint, Qt
from qtpy.QtGui import QDrag
from qtpy.QtTest import QTest

from glue_zoobot.qt.gallery.dragging import MIME_TYPE, mime_of_rows, rows_of_mime


@pytest.fixture
def carried(monkeypatch):
    """What was dragged, instead of an endless drag."""
    drags = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, *args: drags.append(drag.mimeData()))
    return drags


def drag_away(bench, position, keys=Qt.NoModifier):
    port, start = bench.viewer.grid.viewport(), bench.centre(position)
    QTest.mousePress(port, Qt.LeftButton, keys, start)
    for step in (3, 40, 80):
        QTest.mouseMove(port, start + QPoint(step, 0))
        process_events()
    QTest.mouseRelease(port, Qt.LeftButton, keys, start + QPoint(80, 0))
    process_events()


def test_selected_galaxies_can_be_dragged(bench, carried):
    bench.wait_for_pictures()
    bench.click(4)
    bench.click(2, Qt.ControlModifier)
    drag_away(bench, 2)
    assert len(carried) == 1
    content = json.loads(bytes(carried[0].data(MIME_TYPE)))
    assert content == {"uuid": bench.data.uuid, "data": "galaxies", "rows": [2, 4]}
    assert carried[0].text() == "g2\ng4"
    assert rows_of_mime(carried[0], bench.app.data_collection) == (bench.data, [2, 4])
    assert bench.members() == [2, 4]  # still selected
    bench.click(4)
    assert bench.members() == [4]  # a click without a move selects


def test_a_drag_elsewhere_is_a_rubber_band(bench, carried):
    bench.click(0)
    drag_away(bench, 1)
    assert not carried
    assert 1 in bench.members()


def test_foreign_drops_are_refused():
    data = Data(label="d", x=np.arange(5.0))
    collection = DataCollection([data])
    assert rows_of_mime(QMimeData(), collection) is None
    assert rows_of_mime(mime_of_rows(data, [1, 3]), DataCollection()) is None
    for text in (b"no json", b"{}", b'{"uuid": 3, "rows": "x"}', b"[1]"):
        mime = QMimeData()
        mime.setData(MIME_TYPE, text)
        assert rows_of_mime(mime, collection) is None
    wrong = mime_of_rows(data, [1])
    wrong.setData(MIME_TYPE, json.dumps({"uuid": data.uuid, "rows": [9]}).encode())
    assert rows_of_mime(wrong, collection) is None
