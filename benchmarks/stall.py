"""
How long glue's window stands still while we work.

    python benchmarks/stall.py [SOURCE] [--encoder mini]

A timer that should fire every 5 ms runs in a real main window; a stall is the time between two of its
beats. Without SOURCE 600 galaxies are simulated. The goal is no stall over 100 ms of ours; what glue
itself does (open viewers, redraw plots) is in brackets. *idle* shows what the machine adds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["GLUE_TESTING"] = "True"

import numpy as np
from glue_qt.app import GlueApplication
from glue_qt.utils import get_qapp
from qtpy import QtCore

GOAL_MS = 100


class Heartbeat(QtCore.QObject):
    """Collects the times between beats, by phase."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: dict[str, list[float]] = {}
        self._phase, self._last = None, 0.0
        self._timer = QtCore.QTimer(self, interval=5, timerType=QtCore.Qt.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note the gaps of what happens inside under `name`."""
        self._phase, self._last = self.gaps.setdefault(name, []), time.perf_counter()
        yield
        self._beat()
        self._phase = None

    def _beat(self) -> None:
        now = time.perf_counter()
        if self._phase is not None:
            self._phase.append(1000 * (now - self._last))
        self._last = now

    def report(self) -> bool:
        """Print a table; False if the goal is missed in a phase of ours."""
        print(f"{'phase':34s} {'seconds':>8s} {'median':>8s} {'99 %':>8s} {'longest':>8s} {'> 100 ms':>9s}")
        good = True
        for name, gaps in self.gaps.items():
            over = sum(gap > GOAL_MS for gap in gaps)
            good &= over == 0 or name.startswith("(")
            numbers = (np.median(gaps), np.percentile(gaps, 99), max(gaps))
            print(
                f"{name:34s} {sum(gaps) / 1000:8.1f} "
                + " ".join(f"{n:6.0f}ms" for n in numbers)
                + f"{over:10d}"
            )
        return good


def wait_until(condition: Callable[[], bool], seconds: float = 600) -> None:
    """Run the event loop as glue does, without busy waiting."""
    loop = QtCore.QEventLoop()
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the benchmark did not get on")
        QtCore.QTimer.singleShot(20, loop.quit)
        loop.exec_()


def rest(seconds: float) -> None:
    """Let the window live for a while."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end)


def run(source: Path, store: Path, encoder: str) -> bool:
    """Go through the main job with a heartbeat."""
    from glue_zoobot.catalog import load, similar_galaxies
    from glue_zoobot.qt.embed_dialog import EmbedDialog
    from glue_zoobot.qt.finding import find_similar
    from glue_zoobot.qt.jobs_panel import jobs_panel
    from glue_zoobot.qt.layout import open_in_glue
    from glue_zoobot.qt.similar.panel import similar_panel

    get_qapp()
    heart, app = Heartbeat(), GlueApplication()
    data = load(source)
    with heart.phase("(glue: open the views)"):
        open_in_glue(data, application=app)
    rest(2)
    with heart.phase("idle"):
        rest(5)
    with heart.phase("embed dialog with preview"):
        dialog = EmbedDialog(app, data, encoder)
        dialog.show()
        wait_until(lambda: "About" in dialog.estimate.text() or "could not" in dialog.estimate.text())
    dialog.store.setText(str(store))
    with heart.phase("start of the job"):
        dialog.start_button.click()
        job = jobs_panel(app).lines[0].job
        wait_until(lambda: job.done > 0 or job.state == "failed")
    with heart.phase("embedding"):
        wait_until(lambda: job.done >= job.total or job.state == "failed")
    with heart.phase("attach the embeddings"):
        wait_until(lambda: len(jobs_panel(app).lines) == 2 or job.state == "failed")
    map_job = jobs_panel(app).lines[1].job
    with heart.phase("compute the map"):
        wait_until(lambda: map_job.message.startswith("Reading") or map_job.state != "running")
    with heart.phase("(two new columns; glue updates plots)"):
        wait_until(lambda: map_job.state in ("done", "failed"))
    state, answers = similar_galaxies(app.data_collection), []
    with heart.phase("(first answer; glue redraws plots)"):
        find_similar(app, data, [0], answers.append)
        wait_until(lambda: bool(state.like))
        rest(1)
    with heart.phase("(slider; glue redraws plots)"):
        for position in range(100, 400, 30):
            similar_panel(app).slider.setValue(position)
            rest(0.1)
    print(f"{data.size:,} galaxies, {encoder}; job: {job.state} ({job.message})")
    good = heart.report()
    app.close()
    return good


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--encoder", default="mini")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = arguments.source
        if source is None:
            from glue_zoobot.images.simulated import write_sample

            source = write_sample(Path(folder), n=600)
        return 0 if run(source, Path(folder) / "store", arguments.encoder) else 1


if __name__ == "__main__":
    sys.exit(main())
