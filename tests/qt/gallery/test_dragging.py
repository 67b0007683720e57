"""Galaxies dragged out of the gallery."""

from __future__ import annotations

import pytest
from glue_qt.utils import process_events
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QDrag
from qtpy.QtTest import QTest

from glue_zoobot.qt.row_mime import rows_of_mime


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
