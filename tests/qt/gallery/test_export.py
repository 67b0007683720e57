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
from glue_zoobot.qt.gallery.figure import Panel, Section, save_figure
from tests.qt.conftest import wait_until


def plain(color):
    image = QImage(10, 10, QImage.Format_RGB32)
    image.fill(QColor(color))
    return image


@pytest.fixture
def panels(qapp):
    one = (("object_id", "one"), ("z", "0.1"))
    return [
        Panel(plain("red"), one),
        Panel(plain("blue"), (("object_id", "two"),), ("#00ff00",)),
        Panel(None),
    ]


COLUMNS = [("object_id", "two"), ("z", "0.1")]


def test_png_shows_pictures_frames_and_captions_on_white(panels, tmp_path):
    save_figure(tmp_path / "f.png", [Section(tuple(panels))], 2, COLUMNS)
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


def ink(figure):
    """Heights at which there is something on the white."""
    return np.flatnonzero((figure < 200).any(axis=(1, 2)))


def test_groups_have_headers_and_galaxies_asked_with_a_dashed_frame(tmp_path, qapp):
    path = tmp_path / "f.png"
    plainly = [Panel(plain("red")), Panel(plain("red"), question=True)]
    save_figure(path, [Section(tuple(plainly))], 2)
    figure = np.asarray(Image.open(path).convert("RGB"))
    left, right = figure[:, : figure.shape[1] // 2], figure[:, figure.shape[1] // 2 :]
    assert not (left == 255).all(axis=2)[20:-20, 20:-40].any()
    assert (right == 255).all(axis=2)[2:20, 100:-100].any()  # white dashes inside the picture
    save_figure(path, [Section((panel,), name, 1234) for panel, name in zip(plainly, "ab", strict=True)], 2)
    headed = np.asarray(Image.open(path).convert("RGB"))
    assert headed.shape[0] > 2 * figure.shape[0]
    assert ink(headed[:60]).size  # the name above the first picture
    assert not (headed[:60] == [255, 0, 0]).all(axis=2).any()


def test_pdf_has_one_page(panels, tmp_path):
    save_figure(tmp_path / "f.pdf", [Section(tuple(panels))], 3, COLUMNS)
    text = (tmp_path / "f.pdf").read_bytes()
    assert text.startswith(b"%PDF")
    assert b"/Count 1" in text


@pytest.mark.parametrize(("name", "says"), [("f.jpg", "neither"), ("no/such/folder/f.png", "could not be")])
def test_what_cannot_be_written_is_explained(panels, tmp_path, name, says):
    with pytest.raises(CatalogueError, match=says):
        save_figure(tmp_path / name, [Section(tuple(panels))], 2)


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


def test_groups_of_the_gallery_are_sections_of_the_figure(bench):
    bench.viewer.state.group_att = bench.data.id["shape"]
    process_events()
    dialog = ExportDialog(bench.viewer)
    dialog.count.setValue(30)
    sections = dialog._sections()
    assert [(section.title, section.size) for section in sections] == bench.viewer.model.groups[:2]
    assert np.concatenate([section.rows for section in sections]).tolist() == bench.shown()[:30]


def test_broken_pictures_and_bad_places_end_nothing(bench, tmp_path):
    dialog = ExportDialog(bench.viewer)
    dialog.count.setValue(8)  # row 5 is broken
    dialog.write(tmp_path / "some.pdf")
    wait_for_file(bench, Path("some.pdf"))
    ExportDialog(bench.viewer).write(tmp_path / "some.gif")
    wait_until(lambda: "neither" in bench.viewer.statusBar().currentMessage())
