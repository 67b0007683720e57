"""
Make the pictures of the windows in this folder's ``images``, from the built-in sample.

::

    python docs/make_screenshots.py                  # all; about three minutes on two cores
    python docs/make_screenshots.py --only main interest
    python docs/make_screenshots.py --source galaxies.csv --store embeddings --out elsewhere

Needs no display, and leaves nothing behind but the pictures: the sample, its embeddings, ratings and labels
are in a temporary folder. Ratings and labels of a `--source` are written where they belong, so give a copy.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # windows without the frames of a desktop, anywhere

import numpy as np
from glue_qt.utils import get_qapp, process_events
from PIL import Image
from qtpy import QtCore, QtGui, QtWidgets

import glue_zoobot.qt
from glue_zoobot.qt.quiet import silence_offscreen

SIZES = ((1280, 800), (1920, 1080))
IMAGES = Path(__file__).with_name("images")
COLOURS = 255  # of the palette of a PNG, which then needs a third of the bytes
QUALITY = 75
#: The smaller size once more as PNG, for pages that everyone sees first.
ALSO = {"main": "demo.png", "interest": "interest.png", "teach": "teach.png"}


def main() -> None:
    """Make the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES), help="which ones")
    parser.add_argument("--source", type=Path, help="a catalogue instead of the sample")
    parser.add_argument("--store", type=Path, help="its embeddings")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    get_qapp()
    silence_offscreen()
    glue_zoobot.qt.setup()
    with tempfile.TemporaryDirectory() as folder:
        source = asked.source or _sample(Path(folder))
        store = asked.store or _embeddings(source, Path(folder) / "embeddings")
        for name in asked.only:
            for size in SIZES:
                Studio(source, store, size, Path(folder)).take(name, asked.out)


def _sample(folder: Path) -> Path:
    from glue_zoobot.images.simulated import write_sample

    return write_sample(folder / "sample")


def _embeddings(source: Path, folder: Path) -> Path:
    from glue_zoobot.embedding import EmbeddingStore, Plan, run
    from glue_zoobot.encoders import load
    from glue_zoobot.images import open_catalogue

    catalogue, encoder = open_catalogue(source), load("mini")
    plan = Plan.freeze(catalogue.source.object_ids)
    store = EmbeddingStore.create(folder, plan, encoder.spec, precision=encoder.precision)
    run(plan, store, catalogue.source, encoder)
    return folder


class Studio:
    """
    A main window of one size, with the catalogue open.

    Parameters
    ----------
    source, store : Path
    size : (int, int)
    folder : Path
        For what a scene writes.
    """

    def __init__(self, source: Path, store: Path, size: tuple[int, int], folder: Path) -> None:
        from glue_zoobot.catalog import attach_embeddings, load
        from glue_zoobot.qt.layout import open_in_glue

        self.folder, self.size = folder, size
        self.data = load(source)
        attach_embeddings(self.data, store)
        kind = self.data.find_component_id("kind")
        self.kinds = np.asarray(self.data[kind]) if kind is not None else np.full(self.data.size, "")
        rings = np.flatnonzero(self.kinds == "ring")
        ids = np.asarray(self.data[self.data.id["object_id"]])
        self.app = open_in_glue(self.data, like=str(ids[rings[1]]) if len(rings) else None, size=size)
        self.rings = rings if len(rings) else np.arange(0, self.data.size, 50)

    def take(self, name: str, out: Path) -> None:
        """Arrange a scene, and save its pictures: one of the window, or one of a dialog in a single size."""
        began = time.monotonic()
        shown = SCENES[name](self)
        if shown is None:
            _save(self.app, out / f"{name}_{self.size[0]}.webp")
            if name in ALSO and self.size == SIZES[0]:
                _save(self.app, out / ALSO[name])
        elif self.size == SIZES[0]:
            _save(shown, out / f"{name}.png")
        if shown is not None:
            shown.close()
        self.app.close()
        process_events()
        print(f"{name} {self.size[0]}: {time.monotonic() - began:.0f} s", flush=True)

    def gallery(self) -> Any:
        """The gallery of the window."""
        from glue_zoobot.qt.gallery.viewer import GalleryViewer

        return next(view for view in self.app.viewers[0] if isinstance(view, GalleryViewer))


def _save(widget: QtWidgets.QWidget, path: Path) -> None:
    process_events(wait=1.5)  # until pictures are read and plots are drawn
    grabbed = widget.grab().toImage().convertToFormat(QtGui.QImage.Format_RGB888)
    size, stride = (grabbed.width(), grabbed.height()), grabbed.bytesPerLine()
    picture = Image.frombuffer("RGB", size, bytes(_bytes(grabbed)), "raw", "RGB", stride, 1)
    if path.suffix == ".png":
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    else:
        picture.save(path, quality=QUALITY, method=6)


def _bytes(image: QtGui.QImage) -> Any:
    pointer = image.constBits()
    return pointer.asstring(image.sizeInBytes()) if hasattr(pointer, "asstring") else pointer


def wait_until(condition: Callable[[], Any], seconds: float = 120) -> None:
    """Let the window live until something has happened."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("a window did not come so far; try again on a machine that is less busy")
        process_events(wait=0.02)
    process_events()


# -- the scenes: each returns a dialog, or None for the whole window


def main_window(studio: Studio) -> None:
    """Return nothing: the window is as it opens."""


def similar(studio: Studio) -> None:
    """Several examples, one that the answer should not look like, conditions."""
    from glue_zoobot.catalog.cuts import Cuts
    from glue_zoobot.qt.columns import measured_columns
    from glue_zoobot.qt.finding import ask
    from glue_zoobot.qt.host import question_of

    state = question_of(studio.app)
    like = [int(row) for row in studio.rings[:4]]
    values = {cid.label: np.asarray(studio.data[cid], dtype=float) for cid in measured_columns(studio.data)}
    known = [label for label, column in values.items() if np.isfinite(column[like]).any()]
    chosen = [label for label in ("mag_r", *known) if label in known][:1]  # none, where nothing is known
    unlike = [int(row) for row in np.setdiff1d(np.flatnonzero(studio.kinds != "ring"), like)[:1]]
    cuts = Cuts(tuple((label, float(f"{np.nanstd(values[label]):.1g}")) for label in chosen))
    ask(studio.app, replace(state.ask(studio.data, like, unlike), cuts=cuts), lambda text: None)
    wait_until(lambda: len(state.like) == len(like))


def gallery_filter(studio: Studio) -> None:
    """A filter, groups, and some captions."""
    state = studio.gallery().state
    kind = studio.data.find_component_id("kind")
    if kind is not None:
        state.filter_text = "redshift < 0.12"
        state.group_att = kind
    window = studio.gallery().parent()
    window.showMaximized()


def detail(studio: Studio) -> QtWidgets.QWidget:
    """One galaxy by itself."""
    viewer = studio.gallery()
    process_events(wait=0.5)
    viewer.show_detail(0)
    seen: list[int] = []
    viewer.detail.encoder_view.seen.connect(lambda row, _: seen.append(row))
    wait_until(lambda: seen)
    return viewer.detail


def why(studio: Studio) -> QtWidgets.QWidget:
    """Why these?"""
    from glue_zoobot.qt.similar.panel import similar_panel
    from glue_zoobot.qt.similar.why import WhyDialog

    panel = similar_panel(studio.app)
    dialog = WhyDialog(panel, panel.state)
    dialog.show()
    wait_until(lambda: not dialog.text.text().startswith("Comparing"))
    return dialog


def conditions(studio: Studio) -> QtWidgets.QWidget:
    """Conditions on the answer."""
    from glue_zoobot.catalog.cuts import Cuts
    from glue_zoobot.qt.columns import measured_columns
    from glue_zoobot.qt.similar.cuts import CutsDialog

    first = [cid.label for cid in measured_columns(studio.data)][:2]
    dialog = CutsDialog(studio.app, studio.data, Cuts(tuple((label, 0.05) for label in first), 5.0))
    dialog.show()
    return dialog


def embed(studio: Studio) -> QtWidgets.QWidget:
    """The embedding dialog, with its preview and estimate."""
    from glue_zoobot.qt.embed_dialog import EmbedDialog

    dialog = EmbedDialog(studio.app, studio.data)
    dialog.show()
    wait_until(lambda: "About" in dialog.estimate.text())
    dialog.store.setText("/data/galaxies.embeddings/mini")
    process_events(wait=1.0)  # what it says of the store that there is comes from a thread
    dialog.already.hide()
    for label in dialog.findChildren(QtWidgets.QLabel):
        label.setText(label.text().replace(str(studio.folder), "/data"))  # nobody's own folders
    return dialog


def train(studio: Studio) -> QtWidgets.QWidget:
    """The dialog that trains an encoder, with the contact sheet of its augmentations."""
    from glue_zoobot.qt.train.encoder import TrainEncoderDialog

    dialog = TrainEncoderDialog(studio.app, studio.data)
    dialog.show()
    dialog.folder.setText("/data/galaxies.encoders/my-encoder")  # nobody's own folders
    wait_until(lambda: dialog.sheet.pixmap() is not None and not dialog.sheet.pixmap().isNull())
    wait_until(lambda: "About" in dialog.estimate.text())
    return dialog


def jobs(studio: Studio) -> None:
    """A job that runs."""
    from glue_zoobot.catalog import source_of
    from glue_zoobot.qt.jobs import EmbedRequest
    from glue_zoobot.qt.jobs_panel import jobs_panel

    target = studio.folder / f"job{studio.size[0]}"
    job = jobs_panel(studio.app).embed(studio.data, EmbedRequest(source_of(studio.data), target, "mini"))
    wait_until(lambda: job.done > studio.data.size // 4)


def interest(studio: Studio) -> None:
    """The interest panel after three rounds of ratings."""
    from glue_zoobot.qt.interest.panel import interest_panel

    panel = interest_panel(studio.app)
    panel.show_panel()
    panel.use_log(studio.data, str(studio.folder / f"ratings{studio.size[0]}.jsonl"))
    panel.start(studio.data, [int(row) for row in studio.rings[:4]])
    wait_until(lambda: panel.state.current is not None)
    for _ in range(33):
        wait_until(lambda: panel.state.current is not None and panel._work is None)
        row = panel.state.current
        panel.state.rate(row, 5 - int(row % 2) if row in studio.rings else int(row % 3))
        process_events()
    wait_until(lambda: panel._work is None)
    panel.tabs.setCurrentIndex(1)


def teach(studio: Studio) -> None:
    """The teach panel after a training."""
    from glue_zoobot.qt.teach.panel import teach_panel

    panel = teach_panel(studio.app)
    panel.show_panel()
    panel.start(studio.data, "ring")
    wait_until(lambda: panel.state.current is not None and not panel.work.running)
    others = np.setdiff1d(np.arange(studio.data.size), studio.rings)
    panel.state.label([int(row) for row in studio.rings[:25]], "yes")
    panel.state.label([int(row) for row in others[:45]], "no")
    wait_until(lambda: not panel.work.running)
    panel.train_row.train.click()
    process_events(wait=0.3)
    wait_until(lambda: not panel.work.running)


def duplicates(studio: Studio) -> QtWidgets.QWidget:
    """The dialog that finds duplicates."""
    from glue_zoobot.qt.duplicates_dialog import DuplicatesDialog

    dialog = DuplicatesDialog(studio.app, studio.data)
    dialog.show()
    return dialog


def tour(studio: Studio) -> None:
    """The second step of the tour."""
    from glue_zoobot.qt.tour import start_tour

    guide = start_tour(studio.app)
    guide.go(1)
    process_events(wait=1)
    QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.LayoutRequest)
    guide.callout.place()


SCENES: dict[str, Callable[[Studio], QtWidgets.QWidget | None]] = {
    "main": main_window,
    "similar": similar,
    "gallery": gallery_filter,
    "detail": detail,
    "why": why,
    "conditions": conditions,
    "embed": embed,
    "train": train,
    "jobs": jobs,
    "interest": interest,
    "teach": teach,
    "duplicates": duplicates,
    "tour": tour,
}

if __name__ == "__main__":
    main()
