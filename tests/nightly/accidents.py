"""
Accidents to a run, many times over: what is left, and what the next run makes of it.

    pytest -o addopts= tests/nightly/accidents.py

Takes some minutes, so it is not collected with the other tests; `GLUE_ZOOBOT_REPEATS` (20) says how often
each stage is killed. Full and read-only disks are small file systems in memory, which only root on Linux may
mount; skipped elsewhere.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, files, job, manifest, run
from glue_zoobot.errors import StoreError
from tests.embedding.stubs import StubEncoder, StubSource, forkserver, ids
from tests.embedding.test_kill import dies_at, half_a_file

REPEATS = int(os.environ.get("GLUE_ZOOBOT_REPEATS", "20"))
N, PER_SHARD, BROKEN = 90, 16, ["galaxy-0020"]


def start(path):
    plan = Plan.freeze(ids(N), PER_SHARD, name="stub.csv")
    return plan, EmbeddingStore.create(path, plan, StubEncoder().spec)


def work(path, pause=0.0):
    source = StubSource(ids(N), BROKEN)
    if pause:
        read = source.read
        source.read = lambda i: (time.sleep(pause), read(i))[1]
    plan, store = start(path)
    return run(plan, store, source, StubEncoder())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "store"
    work(path)
    return path


def same(path, whole) -> bool:
    one, other = ({f.name: f.read_bytes() for f in (p / "shards").iterdir()} for p in (path, whole))
    return one == other and not list(path.rglob("*.tmp"))


STAGES = {
    "making the plan": lambda count: setattr(Plan, "save", dies_at(1, Plan.save)),
    "the manifest": lambda count: setattr(
        manifest, "write_atomically", dies_at(1 + count % 2, manifest.write_atomically)
    ),
    "a choice": lambda count: setattr(manifest, "choose", dies_at(1, manifest.choose)),
    "reading": lambda count: setattr(StubSource, "read", dies_at(count, StubSource.read)),
    "the network": lambda count: setattr(StubEncoder, "embed", dies_at(1 + count % 11, StubEncoder.embed)),
    "writing": lambda count: setattr(pq, "write_table", dies_at(1 + count % 6, pq.write_table, half_a_file)),
    "flushing": lambda count: setattr(files, "_to_disk", dies_at(1 + count % 14, files._to_disk)),
    "renaming": lambda count: setattr(
        files.Path, "replace", dies_at(1 + count % 6, files.Path.replace)
    ),
    "after the renaming": lambda count: setattr(
        files.Path, "replace", dies_at(1 + count % 6, files.Path.replace, files.Path.replace)
    ),
    "telling": lambda count: setattr(job._Counter, "add", dies_at(1 + count % 9, job._Counter.add)),
}  # fmt: skip


def die_at(path, stage, count):
    STAGES[stage](count)
    work(path)


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_every_stage(stage, whole, tmp_path):
    counts = np.random.default_rng(0).integers(1, N, REPEATS)
    for number, count in enumerate(counts):
        path = tmp_path / f"store-{number}"
        child = forkserver().Process(target=die_at, args=(path, stage, int(count)))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        _, store = start(path)
        assert store.verify() == []
        said = store.what_happened()
        assert ("Going on" in " ".join(said)) == (0 < store.status().shards_done < 6)
        assert work(path).finished
        assert same(path, whole), (stage, count)


def test_killed_again_and_again_while_it_goes_on(whole, tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(REPEATS):
        child = forkserver().Process(target=work, args=(tmp_path / "store", 0.004))
        child.start()
        time.sleep(rng.uniform(0, 1.5))
        child.kill()
        child.join()
    assert work(tmp_path / "store").finished
    assert same(tmp_path / "store", whole)


def test_stopped_for_a_while_and_overtaken(whole, tmp_path):
    """As a laptop that sleeps: another run finishes the store; the first wakes and does no harm."""
    child = forkserver().Process(target=work, args=(tmp_path / "store", 0.02))
    child.start()
    while not (tmp_path / "store" / "shards").is_dir():
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGSTOP)
    assert work(tmp_path / "store").finished
    os.kill(child.pid, signal.SIGCONT)
    child.join()
    assert child.exitcode == 0
    assert same(tmp_path / "store", whole)


@pytest.mark.parametrize("days", [-4000, -1, 1, 4000])
def test_a_clock_that_was_wrong(days, whole, tmp_path):
    plan, store = start(tmp_path / "store")
    run(plan, store, StubSource(ids(N), BROKEN), StubEncoder(), shards=range(3))
    for path in store.path.rglob("*"):
        os.utime(path, (time.time() + days * 86400,) * 2)
    assert EmbeddingStore.open(store.path).status().shards_done == 3
    assert work(store.path).finished
    assert same(store.path, whole)


@pytest.fixture
def disk(tmp_path):
    """A file system of 64 kB in memory, and what changes its options."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root on Linux may mount a file system")
    yield place, lambda option: subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(disk, whole):
    place, remount = disk
    with pytest.raises(StoreError, match="No space left"):
        fill_until_it_fails(place)
    left = EmbeddingStore.open(place / "store") if (place / "store" / "manifest.json").exists() else None
    assert left is None or left.verify() == []
    assert not list(place.rglob("*.tmp"))
    remount("size=10m")
    assert work(place / "store").finished
    assert same(place / "store", whole)


def fill_until_it_fails(place) -> None:
    for number in range(20):
        work(place / "store")
        for shard in (place / "store" / "shards").iterdir():  # it fitted: once more, with less room
            shard.unlink()
        (place / f"other-{number}").write_bytes(bytes(4096))


def test_a_read_only_disk(disk, whole):
    place, remount = disk
    remount("size=10m")
    plan, store = start(place / "store")
    run(plan, store, StubSource(ids(N), BROKEN), StubEncoder(), shards=range(3))
    remount("ro")
    reader = EmbeddingStore.open(store.path)
    assert len(reader.load()[0]) == 3 * PER_SHARD - 1
    assert reader.verify() == []
    assert reader.what_happened() == ["Going on: 3 of 6 shards are there"]
    with pytest.raises(StoreError, match="Read-only"):
        run(plan, reader, StubSource(ids(N), BROKEN), StubEncoder())
    remount("rw")
    assert work(store.path).finished
    assert same(store.path, whole)
