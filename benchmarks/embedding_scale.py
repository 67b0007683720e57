"""
What a store of very many galaxies costs beside the network: planning, status, resuming, handing out work.

    python benchmarks/embedding_scale.py [--galaxies 1e8] [--folder DIR]

The galaxies have 18-digit identifiers and vectors of 4 numbers, drawn and written as the job writes them
(`EmbeddingStore.write`), so that 1e8 of them take 4 GB of disk instead of 130; what a shard of 640 numbers
costs to write is measured apart. Then a new process looks at the store as `glue-zoobot status` and the start
of `glue-zoobot embed` do. Times are of the processor; a slow disk comes on top. The folder is removed at the
end. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import pickle
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.embedding.ids import Ids
from glue_zoobot.embedding.matching import Part, match
from glue_zoobot.images.files import FileSource

FIRST_ID = 587722981742084144
BLOCK = 1_000_000
FAST_GPU = 1500.0  # images a second; a faster network makes the overhead count more


@dataclass(frozen=True)
class NarrowSpec:
    """An encoder without a network."""

    name: str = "none"
    architecture: str = "none"
    weights: str = "memory"
    revision: str = "1"
    sha256: str | None = "0" * 64
    width: int = 4
    preprocessing_hash: str = "0" * 64


def identifiers(galaxies: int) -> Ids:
    """Different 18-digit numbers as text."""
    starts = range(0, galaxies, BLOCK)
    numbers = (np.arange(start, min(start + BLOCK, galaxies)) + FIRST_ID for start in starts)
    return Ids(pa.chunked_array([pa.array(some).cast(pa.string()) for some in numbers], pa.string()))


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, which other programs lengthen little, and result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def peak() -> float:
    """Peak memory of this process, GB."""
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    )


def plan_and_fill(galaxies: int, folder: Path, rows: list[tuple[str, float, str]]) -> None:
    """Freeze the plan and write all shards but the last."""
    ids = identifiers(galaxies)
    before = peak()
    seconds, plan = timed(lambda: Plan.freeze(ids, name="simulated"))
    rows.append(("freeze the plan", seconds, f"{len(plan.shards):,} shards"))
    rows.append(("hash it", timed(lambda: plan.hash)[0], ""))
    seconds, store = timed(lambda: EmbeddingStore.create(folder / "store", plan, NarrowSpec(), "float32"))
    size = (store.path / "plan.parquet").stat().st_size
    rows.append(("write and check it", seconds, f"{size / 1e6:,.0f} MB"))
    rows.append(("", float("nan"), f"memory: identifiers {before:.2f} GB, with plan at most {peak():.2f} GB"))
    seconds, _ = timed(lambda: fill(store))
    rows.append(("write a narrow shard", seconds / len(plan.shards), f"all: {seconds:,.0f} s"))


def fill(store: EmbeddingStore) -> None:
    """Write every shard but the last."""
    rng = np.random.default_rng(0)
    vectors = list(rng.standard_normal((int(store.plan.sizes.max()), store.width)).astype(np.float16))
    for shard in store.plan.shards[:-1]:
        size = int(store.plan.sizes[shard])
        store.write(shard, vectors[:size], [None] * size)


def look(galaxies: int, folder: Path, rows: list[tuple[str, float, str]]) -> None:
    """What a fresh process does with the store."""
    opened = timed(lambda: EmbeddingStore.open(folder / "store"))
    store = opened[1]
    seconds, status = timed(store.status)
    rows.append(("status, first time", opened[0] + seconds, f"{status.shards_done:,} shards done"))
    rows.append(("status again", timed(store.status)[0], ""))
    rows.append(("what is pending", timed(store.pending)[0], ""))
    rows.append(("first remarks", timed(lambda: list(store.noted(10)))[0], ""))
    rows.append(("", float("nan"), f"memory: {peak():.2f} GB"))


def resume(galaxies: int, folder: Path, rows: list[tuple[str, float, str]]) -> None:
    """What an interrupted run does until the first image is read."""
    ids = identifiers(galaxies)
    store = EmbeddingStore.open(folder / "store")
    source = type("Source", (), {"object_ids": ids, "__len__": lambda self: len(ids)})()
    plan_seconds, plan = timed(lambda: Plan.freeze(ids, name="simulated"))
    check_seconds, _ = timed(lambda: store.require_plan(plan))
    match_seconds, _ = timed(lambda: match(store.plan, source, store.pending()))
    text = f"of it plan {plan_seconds:.1f}, compare {check_seconds:.1f}, match {match_seconds:.2f}"
    rows.append(("resume with one shard missing", plan_seconds + check_seconds + match_seconds, text))
    shard = len(store.plan.shards) // 2
    rows.append(("identifiers of one shard", timed(lambda: store.plan.shard_ids(shard))[0], ""))
    rows.append(("", float("nan"), f"memory: at most {peak():.2f} GB"))


def hand_out(galaxies: int, folder: Path, rows: list[tuple[str, float, str]]) -> None:
    """What a task costs, and writing 50,000 embeddings of 640 numbers."""
    names = np.array([str(FIRST_ID + i) for i in range(BLOCK)], dtype=object)
    source = FileSource(names, [f"images/{name[-3:]}/{name}.jpg" for name in names], "/data")
    part = np.arange(400_000, 450_000)
    seconds, text = timed(lambda: pickle.dumps(Part(source, part)))
    rows.append(("pack a task of 50,000 paths", seconds, f"{len(text) / 1e6:.1f} MB"))
    rows.append(("unpack it", timed(lambda: pickle.loads(text))[0], ""))
    spec = NarrowSpec(width=640)
    store = EmbeddingStore.create(folder / "wide", Plan.freeze(names[:150_000], 50_000), spec, "float32")
    vectors = list(np.random.default_rng(0).standard_normal((50_000, 640)).astype(np.float16))
    reasons: list[str | None] = [None] * 50_000
    seconds = min(timed(partial(store.write, shard, vectors, reasons))[0] for shard in range(3))
    rows.append(("write 50,000 × 640", seconds, f"{store.shard_path(0).stat().st_size / 1e6:.0f} MB"))


def main() -> None:
    """Measure, each part in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--galaxies", type=float, default=1e8)
    parser.add_argument("--folder", type=Path, help="where there is room; by default the temporary folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    print("| what | CPU s | of 50,000 galaxies on a fast GPU | |\n|---|---|---|---|", flush=True)
    try:
        for part in (plan_and_fill, look, resume, hand_out):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                for what, seconds, note in pool.apply(measured, (part, int(given.galaxies), folder)):
                    share = f"{seconds * FAST_GPU / 50_000:.2%}" if seconds == seconds else ""
                    print(f"| {what} | {'' if seconds != seconds else f'{seconds:.3f}'} | {share} | {note} |")
                sys.stdout.flush()
    finally:
        shutil.rmtree(folder)


def measured(part: Callable[..., None], galaxies: int, folder: Path) -> list[tuple[str, float, str]]:
    """Rows of the table from one part."""
    rows: list[tuple[str, float, str]] = []
    part(galaxies, folder, rows)
    return rows


if __name__ == "__main__":
    main()
