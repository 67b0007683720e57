"""
Hours of work in one window: ``python -m tests.nightly.soak [QUERIES RATINGS RETRAININGS GALLERIES]``.

2,000 similarity queries, 500 ratings, 50 retrainings of a head and 20 galleries opened and closed, in rounds.
Memory after each round, and threads and timers left at the end. Exit status 1 if memory grows by more than
5 % after the first fifth, or a thread or timer is left once the window is closed.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("GLUE_TESTING", "True")

import numpy as np

ROUNDS = 20
GALAXIES = 250


def memory() -> float:
    """Resident megabytes, garbage collected."""
    gc.collect()
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def threads() -> int:
    """Threads of the process, as the system counts them: Python remembers those of Qt that have ended."""
    return len(list(Path("/proc/self/task").iterdir()))


def timers() -> list[str]:
    """What timers run, wherever they hang, each named by what owns it."""
    from qtpy.compat import isalive
    from qtpy.QtCore import QTimer

    every = [thing for thing in gc.get_objects() if isinstance(thing, QTimer) and isalive(thing)]
    return [type(timer.parent()).__name__ for timer in every if timer.isActive()]


def settle(seconds: float = 0.05) -> None:
    from glue_qt.utils import process_events

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        process_events(wait=0.005)


class Work:
    """One window, one catalogue, and what is done with them."""

    def __init__(self, folder: Path) -> None:
        from glue_qt.app import GlueApplication
        from glue_qt.utils import get_qapp

        import glue_zoobot.qt
        from glue_zoobot.analysis.classify import GalaxyClassifier
        from glue_zoobot.catalog import attach_embeddings, embeddings_of, load, similar_galaxies
        from glue_zoobot.catalog.interest import interest_of
        from glue_zoobot.qt.interest.panel import interest_panel
        from glue_zoobot.qt.similar.panel import similar_panel
        from tests.catalog.conftest import ids_of_survey, vectors, write_store, write_survey

        get_qapp()
        glue_zoobot.qt.setup()
        survey = write_survey(folder / "project", GALAXIES)
        write_store(folder / "store", ids_of_survey(GALAXIES), vectors(GALAXIES))
        self.app = GlueApplication()
        self.app.show()
        self.data = load(survey)
        self.app.data_collection.append(self.data)
        attach_embeddings(self.data, folder / "store")
        self.similar = similar_galaxies(self.app.data_collection)
        self.interest = interest_of(self.app.data_collection)
        self.interest.begin(self.data)
        for panel in (similar_panel(self.app), interest_panel(self.app)):
            panel.show()
        self.matrix, self.head = embeddings_of(self.data).matrix, GalaxyClassifier
        self.random = np.random.default_rng(0)

    def query(self) -> None:
        rows = self.random.choice(len(self.matrix), 3, replace=False).tolist()
        self.similar.find(self.data, rows[:1], rows[2:] if rows[1] % 2 else ())

    def rate(self) -> None:
        self.interest.rate(int(self.random.integers(len(self.matrix))), int(self.random.integers(6)))

    def retrain(self) -> None:
        kinds = np.array(["ring", "spiral"])[self.random.permutation(len(self.matrix)) % 2]
        self.head().fit(self.matrix, kinds, self.matrix).predictions(self.matrix)
        self.interest.learn()

    def gallery(self) -> None:
        from glue_zoobot.qt.gallery.viewer import GalleryViewer

        viewer = self.app.new_data_viewer(GalleryViewer, self.data)
        settle(0.5)
        viewer.close(warn=False)
        settle(0.2)


def main() -> int:
    """Do it, and print a table of the rounds."""
    asked = [int(word) for word in sys.argv[1:]] or [2000, 500, 50, 20]
    with tempfile.TemporaryDirectory() as folder:
        work = Work(Path(folder))
        acts = [work.query, work.rate, work.retrain, work.gallery]
        settle(1)
        print("| round | queries | ratings | retrainings | galleries | MB | threads | timers |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        used, running, done, start = [], [], [0] * 4, time.monotonic()
        for number in range(1, ROUNDS + 1):
            for k, act in enumerate(acts):
                while done[k] < asked[k] * number // ROUNDS:
                    act()
                    done[k] += 1
                    if done[k] % 20 == 0:
                        settle(0.01)
            settle(0.3)
            used.append(memory())
            row = [number, *done, f"{used[-1]:.0f}", threads(), len(timers())]
            running.append(row[-2])
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
        work.app.close()
        settle(2)
        ticking = timers()
        growth = used[-1] / used[ROUNDS // 5 - 1] - 1
        left = threads() - running[ROUNDS // 5 - 1]
        print(
            f"\nmemory {growth:+.1%} from round {ROUNDS // 5} to {ROUNDS}; threads {left:+d} and "
            f"{len(ticking)} timers {ticking} when the window is closed; {time.monotonic() - start:.0f} s"
        )
    return 1 if growth > 0.05 or left > 0 or ticking else 0


if __name__ == "__main__":
    sys.exit(main())
