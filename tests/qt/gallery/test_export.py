"""Galaxies as a figure for a paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from glue_qt.utils import process_events
from PIL import Image
from qtpy.QtGui import QColor, QImage
from qtpy.QtWidgets import QFileDialog

from glue_zoobot.errors import CatalogueError
from glue_zoobot.qt.gallery.export import ExportDialog
from glue_zoobot.qt.gallery.figure import Panel, save_figure
from tests.qt.conftest import wait_until


def plain(color):
    image = QImage(10, 10, QImage.Format_RGB32)
    image.fill(QColor(color))
    return image


@pytest.fixture
def panels(qapp):
    return [Panel(plain("red"), ("one", "z 0.1")), Panel(plain("blue"), ("two",), ("#00ff00",)), Panel(None)]


def test_png_shows_pictures_frames_and_captions_on_white(panels, tmp_path):
    save_figure(tmp_path / "f.png", panels, 2)
    figure = np.asarray(Image.open(tmp_path / "f.png").convert("RGB"))
    height, width, _ = figure.shape
    assert width == pytest.approx(180 / 25.4 * 300, abs=2)
    assert Image.open(tmp_path / "f.png").info["dpi"][0] == pytest.approx(300, abs=1)
    edge = width // 2
    assert figure[edge // 2, edge // 2].tolist() == [255, 0, 0]
    assert figure[edge // 2, width - edge // 2].tolist() == [0, 0, 255]
    assert figure[edge // 2, width - 4].tolist() == [0, 255, 0]
    below = figure[edge : edge + 120, :edge]
    assert below.min() < 60  # black text
    assert (below == 255).mean() > 0.8  # on white
    assert figure[height - edge // 2, edge // 2].tolist() == [232, 232, 232]  # no picture


def test_pdf_has_one_page(panels, tmp_path):
    save_figure(tmp_path / "f.pdf", panels, 3)
    text = (tmp_path / "f.pdf").read_bytes()
    assert text.startswith(b"%PDF")
    assert b"/Count 1" in text


@pytest.mark.parametrize(("name", "says"), [("f.jpg", "neither"), ("no/such/folder/f.png", "could not be")])
def test_what_cannot_be_written_is_explained(panels, tmp_path, name, says):
    with pytest.raises(CatalogueError, match=says):
        save_figure(tmp_path / name, panels, 2)


def wait_for_file(bench, path):
    wait_until(lambda: path.name in bench.viewer.statusBar().currentMessage())


def test_button_exports_what_is_seen(bench, tmp_path, monkeypatch):
    path = tmp_path / "page.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), "PNG (*.png)"))
    bench.viewer.toolbar.actions["zoobot:gallery_export"].trigger()
    process_events()
    dialog = bench.viewer.findChild(ExportDialog)
    assert len(dialog.positions()) == len(bench.viewer.grid.fully_visible_positions())
    assert 0 < len(dialog.positions()) < 60
    dialog.ask_path()
    wait_for_file(bench, path)
    assert path.is_file()


def test_the_first_galaxies_in_the_present_order(bench, tmp_path):
    bench.viewer.state.sort_att = bench.data.id["z"]
    process_events()
    dialog = ExportDialog(bench.viewer)
    dialog.count.setValue(7)
    assert dialog.first.isChecked()
    assert not dialog.page.isChecked()
    dialog.per_line.setValue(7)
    dialog.write(tmp_path / "first.png")
    wait_for_file(bench, Path("first.png"))
    figure = np.asarray(Image.open(tmp_path / "first.png").convert("RGB"))
    reds = [int(figure[100, round((i + 0.5) * figure.shape[1] / 7), 0]) for i in range(7)]
    assert reds == [40 + row for row in bench.viewer.model.rows[:7]]


def test_broken_pictures_and_bad_places_end_nothing(bench, tmp_path):
    dialog = ExportDialog(bench.viewer)
    dialog.count.setValue(8)  # row 5 is broken
    dialog.write(tmp_path / "some.pdf")
    wait_for_file(bench, Path("some.pdf"))
    ExportDialog(bench.viewer).write(tmp_path / "some.gif")
    wait_until(lambda: "neither" in bench.viewer.statusBar().currentMessage())
