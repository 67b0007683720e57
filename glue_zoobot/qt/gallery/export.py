"""*Export as figure…*: which galaxies, how many per line, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from glue_zoobot import catalog
from glue_zoobot.errors import ZoobotError
from glue_zoobot.qt.gallery.figure import Panel, Section, save_figure
from glue_zoobot.qt.gallery.look import Look
from glue_zoobot.qt.gallery.thumbnails import pixels_of, scaled_image
from glue_zoobot.qt.threads import Work, run_in_thread
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QImage

    from glue_zoobot.catalog import RowImages
    from glue_zoobot.images.stretching import Stretch
    from glue_zoobot.qt.gallery.viewer import GalleryViewer

__all__ = ["ExportDialog"]

MOST = 400  # galaxies of one figure
MOST_PIXELS = 600  # edge of a picture: 300 dots per inch at two inches
FORMATS = "PDF (*.pdf);;PNG (*.png)"


class ExportDialog(QDialog):
    """
    Asks what to export, and writes it while the window lives on.

    Parameters
    ----------
    viewer : GalleryViewer
        Whose galaxies are exported, with their captions and frames.
    """

    def __init__(self, viewer: GalleryViewer) -> None:
        super().__init__(viewer)
        self.setWindowTitle("Export as figure")
        self._viewer = viewer
        self._work: Work | None = None
        seen = viewer.grid.fully_visible_positions()
        n = min(len(viewer.model.rows), MOST)
        self.page = QRadioButton(f"What is seen now ({counted(len(seen), 'galaxy')})", checked=True)
        self.page.setToolTip("The galaxies that can be seen in full in the gallery at this moment")
        self.first = QRadioButton("The first")
        self.first.setToolTip("The first galaxies in the present order, such as the best of a ranking")
        group = QButtonGroup(self)
        for button in (self.page, self.first):
            group.addButton(button)
        self.count = QSpinBox(minimum=1, maximum=max(n, 1), value=min(24, n))
        self.count.setToolTip("How many galaxies")
        self.count.valueChanged.connect(lambda *_: self.first.setChecked(True))
        self.per_line = QSpinBox(minimum=1, maximum=20, value=min(viewer.model.n_columns, 8))
        self.per_line.setToolTip("Galaxies per line of a figure that is 180 mm wide")
        self._seen = seen
        self._lay_out()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self.first)
        first.addWidget(self.count)
        first.addStretch()
        holder = QWidget()
        holder.setLayout(first)
        first.setContentsMargins(0, 0, 0, 0)
        buttons = QDialogButtonBox(QDialogButtonBox.Save | QDialogButtonBox.Cancel)
        buttons.accepted.connect(self.ask_path)
        buttons.rejected.connect(self.reject)
        hint = QLabel("With captions, headers and frames as in the gallery, on white, 300 dots per inch.")
        form = QFormLayout(self)
        form.setContentsMargins(16, 14, 16, 14)
        form.setVerticalSpacing(8)
        form.addRow("Galaxies", self.page)
        form.addRow("", holder)
        form.addRow("Per line", self.per_line)
        form.addRow(hint)
        form.addRow(buttons)

    def ask_path(self) -> None:
        """Let the user choose the file, then write it."""
        path, chosen = QFileDialog.getSaveFileName(self, "Export as figure", "galaxies.pdf", FORMATS)
        if path:
            ending = ".png" if "png" in chosen else ".pdf"
            self.write(Path(path) if Path(path).suffix else Path(path).with_suffix(ending))

    def positions(self) -> np.ndarray:
        """Positions of the galaxies to export."""
        return np.array(self._seen) if self.page.isChecked() else np.arange(self.count.value())

    def write(self, path: Path) -> None:
        """Read the pictures in a thread, then draw them into the file."""
        viewer = self._viewer
        sections = self._sections()
        look, stretch = viewer.look, viewer.state.stretch
        columns, n_columns = viewer.state.caption_columns(), self.per_line.value()
        images = catalog.images_of(viewer.state.data)

        def save(drawn: list[Section]) -> None:
            try:
                save_figure(path, drawn, n_columns, columns)
            except ZoobotError as error:
                viewer.set_status(str(error))
            else:
                n_drawn = sum(len(section.panels) for section in drawn)
                viewer.set_status(f"Wrote {counted(n_drawn, 'galaxy')} to {path}")

        viewer.set_status("Reading the pictures…")
        self._work = run_in_thread(
            viewer,
            lambda: [section.draw(lambda row: _read(images, row, stretch, look)) for section in sections],
            save,
        )
        self.accept()

    def _sections(self) -> list[_Wanted]:
        """What to draw, group by group."""
        model, positions = self._viewer.model, self.positions()
        if not len(model.groups):
            return [self._wanted(positions, "", 0)]
        number = np.array([model.lines.group_of(position) for position in positions], dtype=int)
        return [self._wanted(positions[number == g], *model.title(g)) for g in np.unique(number)]

    def _wanted(self, positions: np.ndarray, title: str, size: int) -> _Wanted:
        state, rows = self._viewer.state, self._viewer.model.rows[positions]
        return _Wanted(title, size, rows, state.captions(rows), state.frames(rows), state.questions(rows))


class _Wanted(NamedTuple):
    """Galaxies below one header, before their pictures are read."""

    title: str
    size: int
    rows: np.ndarray
    captions: list[list[tuple[str, str]]]
    frames: list[tuple[str, ...]]
    questions: np.ndarray

    def draw(self, read: Callable[[int], QImage | None]) -> Section:
        """Read the pictures."""
        parts = zip(self.rows, self.captions, self.frames, self.questions, strict=True)
        panels = (Panel(read(int(row)), tuple(lines), *more) for row, lines, *more in parts)
        return Section(tuple(panels), self.title, self.size)


def _read(images: RowImages, row: int, stretch: Stretch | None, look: Look) -> QImage | None:
    """The picture of a row; None where there is none."""
    try:
        pixels = pixels_of(images, row, stretch)
    except Exception:  # a reader of another package may fail in its own way; the figure has a grey square
        return None
    return look.of(scaled_image(pixels, min(max(pixels.shape[:2]), MOST_PIXELS)))
