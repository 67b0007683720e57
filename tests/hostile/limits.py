"""A child process in which hostile files are read: so much memory, so much time, and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_CHILD = """
import json, os, resource, sys, time, warnings
warnings.simplefilter("ignore")
kind, paths, limit = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
from tests.hostile.limits import READERS
from glue_zoobot.errors import ZoobotError
read = READERS[kind]()
now = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (now + limit, now + limit))
peak = lambda: int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) // 1024
for path in paths:
    start, before = time.process_time(), peak()
    try:
        said = ["read", str(read(path) or "")]
    except ZoobotError as error:
        said = ["refused", str(error)]
    except BaseException as error:
        said = ["FAILED", f"{type(error).__name__}: {error}"[:500]]
    print(json.dumps([*said, peak() - before, time.process_time() - start]), flush=True)
"""


def _images():
    import pyarrow.parquet  # noqa: F401

    from glue_zoobot.images import open_catalogue, survey

    return lambda path: "; ".join(sorted(set(survey(open_catalogue(path).source).broken.values())))


def _encoders():
    import torch

    from glue_zoobot.encoders import load

    torch.set_num_threads(1)
    return lambda path: load(path, device="cpu").width


def _stores():
    import pyarrow.parquet  # noqa: F401

    from glue_zoobot.embedding import EmbeddingStore

    def read(path):
        store = EmbeddingStore.open(path)
        store.status()
        store.load()
        store.outcomes()
        return "; ".join(store.verify())

    return read


def _logs():
    from glue_zoobot.analysis.labels import LabelLog

    return lambda path: f"{len(LabelLog(path).current())} ratings"


def _heads():
    import numpy as np

    from glue_zoobot.analysis.heads import Head

    return lambda path: len(Head.load(path).predict(np.array(["a"]), np.zeros((1, 5), np.float32)))


def _sessions():
    os.environ |= {"QT_QPA_PLATFORM": "offscreen", "GLUE_TESTING": "True"}
    import pyarrow.parquet  # noqa: F401
    from glue_qt.app import GlueApplication
    from glue_qt.utils import get_qapp, process_events

    import glue_zoobot.qt
    from glue_zoobot.errors import ZoobotError

    get_qapp()
    glue_zoobot.qt.setup()

    def read(path):
        """Open a session in a window, and do with it what somebody would who had been sent it."""
        from glue_zoobot.catalog import images_of, similar_galaxies, why_no_embeddings
        from glue_zoobot.catalog.interest import interest_of
        from glue_zoobot.qt.interest.panel import interest_panel
        from glue_zoobot.qt.similar.panel import similar_panel

        os.chdir(Path(path).parent)
        app = GlueApplication.restore_session(path, show=False)
        said = []
        data = app.data_collection[0]
        for panel in (similar_panel(app), interest_panel(app)):
            panel.show()
        acts = (
            lambda: why_no_embeddings(data),
            lambda: "" if images_of(data) is None else images_of(data).read(0).shape,
            lambda: interest_of(app.data_collection).begin(data),
            lambda: similar_galaxies(app.data_collection).find(data, [3]),
            lambda: app.viewers[0][0].state.check_filter(app.viewers[0][0].state.filter_text),
            lambda: [process_events(wait=0.02) for _ in range(5)] and "",
        )
        for act in acts:
            try:
                said.append(str(act() or ""))
            except ZoobotError as error:
                said.append(str(error))
        app.close()
        process_events(wait=0.05)
        return "; ".join(text for text in said if text)

    return read


READERS = {"images": _images, "encoders": _encoders, "stores": _stores, "logs": _logs, "heads": _heads}
READERS["sessions"] = _sessions


def read_bounded(
    kind: str, paths: list[Path], megabytes: int = 1500, seconds: float = 240
) -> list[tuple[str, str]]:
    """
    Read files one after the other in a child with an address space that is limited.

    Returns
    -------
    list of (str, str)
        "read" or "refused", and what was said. Fails if anything else was raised, if a file took more than
        700 MB or 20 s of the processor, or if the child died or did not end.
    """
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, kind, json.dumps([str(p) for p in paths]), str(megabytes * 1024**2)],
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(results) == len(paths), done.stderr[-2000:]
    print([(p.name, r[2], round(r[3], 1)) for p, r in zip(paths, results, strict=True)])  # seen on failure
    for path, (outcome, text, peak, time) in zip(paths, results, strict=True):
        assert outcome != "FAILED", f"{path.name}: {text}"
        assert peak < 700, f"{path.name} took {peak} MB"
        assert time < 20, f"{path.name} took {time:.0f} s"
    return [(outcome, text) for outcome, text, _, _ in results]
