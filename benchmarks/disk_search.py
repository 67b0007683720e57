"""
A search among embeddings that do not fit in memory, against reading their bytes once.

    python benchmarks/disk_search.py [--rows 1e7] [--columns 640] [--folder DIR] [--device cpu]

Clustered float16 vectors, as in ``benchmarks/similarity.py``, are written to plain files as
`glue_zoobot.analysis.disk_search.pack` does for a store; needs 1.3 kB of disk a row at 640 columns, and
0.3 for the scan. Then, in turn: reading the file of vectors from end to end and adding up its bytes, an
exact query, a two-stage query; first with what the system keeps of the files in memory dropped before
each (*from disk*), then with it (*again*). The folder is removed at the end. ``--device cuda`` searches on a
GPU, after the first question from its memory if the vectors fit there; where there is none it says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from glue_zoobot.analysis.disk_files import VECTORS
from glue_zoobot.analysis.disk_search import DiskSearch, pack

PART = 50_000
ROUNDS = 3


def vectors(rows: int, columns: int, seed: int = 0) -> Iterator[tuple[list[str], np.ndarray]]:
    """Shards of 2,000 groups that overlap, variance falling as a power of the direction."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, columns + 1, dtype=np.float32) ** -0.75
    centres = rng.standard_normal((2000, columns), dtype=np.float32) * spectrum
    for start in range(0, rows, PART):
        count = min(PART, rows - start)
        inside = rng.standard_normal((count, columns), dtype=np.float32) * spectrum * 0.4
        names = [str(587722981742084144 + start + i) for i in range(count)]
        whole = torch.from_numpy(centres[rng.integers(2000, size=count)] + inside)
        yield names, whole.half().numpy()


def read_once(path: Path) -> int:
    """Read a file from end to end and add its bytes up, as words."""
    total = 0
    with path.open("rb", buffering=0) as file:
        block = bytearray(32 * 1024**2)
        while count := file.readinto(block):
            total += int(np.frombuffer(block, np.uint64, count // 8).sum())
    return total


def drop_cache(folder: Path) -> bool:
    """Let the system forget what it read of our files; whether that is possible here."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return True


def seconds(function: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--columns", type=int, default=640)
    parser.add_argument("--folder", type=Path, help="where there is room; by default the temporary folder")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda where there is a GPU")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        print("skipped: there is no GPU here")
        return
    top = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        measure(top / "search", int(given.rows), given.columns, given.device)
    finally:
        shutil.rmtree(top)


def measure(folder: Path, rows: int, columns: int, device: str) -> None:
    """Make the files and time the queries."""
    made = seconds(lambda: pack(folder, vectors(rows, columns), rows, columns))
    searches = {m: DiskSearch(folder, method=m, device=device) for m in ("exact", "two-stage")}
    ways: dict[str, Callable[[], object]] = {
        "reading the vectors once": lambda: read_once(folder / VECTORS),
        "exact": lambda: searches["exact"].query([rows // 2]),
        "two-stage": lambda: searches["two-stage"].query([rows // 2]),
    }
    gigabytes = (folder / VECTORS).stat().st_size / 1e9
    print(f"{rows:,} x {columns} float16, {gigabytes:.1f} GB; drawn and packed in {made:,.0f} s\n")
    print("| what | read | s | of reading once | recall |\n|---|---|---|---|---|")
    for kept in ("from disk", "again"):
        if kept == "from disk" and not drop_cache(folder):
            continue
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                if kept == "from disk":
                    drop_cache(folder)
                taken[name].append(seconds(way))
        once = float(np.median(taken["reading the vectors once"]))
        for name, times in taken.items():
            took = float(np.median(times))
            recall = f"{searches[name].measured_recall_:.4f}" if name in searches else ""
            print(f"| {name} | {kept} | {took:.2f} | {took / once:.2f} | {recall} |", flush=True)


if __name__ == "__main__":
    main()
