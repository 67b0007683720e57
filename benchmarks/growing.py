"""
How long glue's window stands still while the store it shows is filled by another process.

    python benchmarks/growing.py [N] [--where]

A catalogue of N galaxies (50,000 of 640 numbers) with map, gallery and an answer to a question; the store
grows by a tenth every two seconds. As in `stall.py`, a gap is the time between two beats of a timer in the
window's thread. At the end the map is completed, the question is asked again, and glue draws both. With
``--where`` also the functions in which the window's thread was found during gaps over 50 ms.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from stall import Heartbeat, rest, wait_until

PARTS, WIDTH, PAUSE = 10, 640, 2.0


def vectors(n: int) -> np.ndarray:
    """Drawn vectors in 200 groups: (n, 640) float16."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(200, WIDTH)).astype(np.float32)
    members = centres[np.arange(n) % 200]
    return (members + random.normal(scale=0.7, size=(n, WIDTH)).astype(np.float32)).astype(np.float16)


def make(folder: Path, n: int) -> None:
    """Write a catalogue with pictures of 16 pixels, and an empty store."""
    from glue_zoobot.embedding import EmbeddingStore, Plan
    from glue_zoobot.encoders import EncoderSpec

    random = np.random.default_rng(1)
    np.save(folder / "galaxies.npy", random.integers(0, 255, (n, 16, 16, 3), dtype=np.uint8))
    plan = Plan.freeze([str(i) for i in range(n)], n // PARTS)
    spec = EncoderSpec("drawn", "timm", "none", "package", width=WIDTH, sha256="0" * 64)
    EmbeddingStore.create(folder / "store", plan, spec, precision="float32")


def fill(folder: Path, first: int, last: int, pause: float) -> None:
    """Write the parts of the store one by one."""
    from glue_zoobot.embedding import EmbeddingStore

    store = EmbeddingStore.open(folder / "store")
    matrix = vectors(store.plan.n)
    share = store.plan.n // PARTS
    for part in range(first, last):
        time.sleep(pause)
        store.write(part, list(matrix[part * share : (part + 1) * share]), [None] * share)


class Watcher(threading.Thread):
    """Looks where the window's thread is while its heart does not beat."""

    def __init__(self, heart: Heartbeat) -> None:
        super().__init__(daemon=True)
        self.heart, self.main, self.found = heart, threading.get_ident(), {}
        self.start()

    def run(self) -> None:
        """Look every hundredth of a second."""
        while True:
            time.sleep(0.01)
            phase, late = self.heart._phase, time.perf_counter() - self.heart._last > 0.05
            if late and phase is not None:
                stack = traceback.extract_stack(sys._current_frames()[self.main])
                lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in stack]
                name = next(k for k, v in self.heart.gaps.items() if v is phase)
                self.found.setdefault(name, Counter()).update(set(lines))

    def report(self) -> None:
        """Print in how many hundredths of seconds of gaps each line was on the stack."""
        for name, counts in self.found.items():
            print(f"\n{name}")
            for line, count in counts.most_common(45):
                print(f"{10 * count:6d} ms  {line}")


def run(folder: Path, where: bool) -> bool:
    """Follow a store while it grows."""
    from glue_qt.app import GlueApplication
    from glue_qt.utils import get_qapp

    from glue_zoobot.catalog import add_map, attach_embeddings, load, similar_galaxies
    from glue_zoobot.catalog.embeddings import known_embeddings
    from glue_zoobot.qt.finding import find_similar
    from glue_zoobot.qt.growing import store_watch
    from glue_zoobot.qt.layout import open_in_glue

    get_qapp()
    fill(folder, 0, 1, 0)
    heart, app = Heartbeat(), GlueApplication()
    watcher = Watcher(heart)
    data = load(folder / "galaxies.npy")
    attach_embeddings(data, folder / "store")
    add_map(data)
    open_in_glue(data, application=app)
    find_similar(app, data, [0], lambda text: None)
    wait_until(lambda: bool(similar_galaxies(app.data_collection).like))
    watch, ended = store_watch(app), []
    watch.completed.connect(ended.append)
    rest(3)
    with heart.phase("idle"):
        rest(3)
    arguments = [sys.executable, __file__, "--fill", str(folder)]
    with heart.phase("growing"):
        writer = subprocess.Popen(arguments)
        wait_until(lambda: bool(known_embeddings(data)) and len(known_embeddings(data)) >= 0.9 * data.size)
    with heart.phase("end: map and answer of the whole"):
        wait_until(lambda: bool(ended))
        rest(4)
    writer.wait()
    good = heart.report()
    if where:
        watcher.report()
    app.close()
    return good


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", nargs="?", type=int, default=50_000)
    parser.add_argument("--where", action="store_true")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        fill(arguments.fill, 1, PARTS, PAUSE)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), arguments.n)
        return 0 if run(Path(folder), arguments.where) else 1


if __name__ == "__main__":
    sys.exit(main())
