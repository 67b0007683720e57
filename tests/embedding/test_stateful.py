"""The store against a model: whatever is done to it in whatever order, it ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from tests.embedding.stubs import StubEncoder, StubSource, flip_a_bit, ids

N, PER_SHARD = 22, 4
SHARDS = range(6)
BROKEN = {"galaxy-0005", "galaxy-0018"}


class Killed(BaseException):
    """What ends a run in the midst of it."""


class StoreAgainstModel(RuleBasedStateMachine):
    @initialize()
    def create(self):
        self.folder = Path(tempfile.mkdtemp())
        self.plan = Plan.freeze(ids(N), PER_SHARD, name="stub.csv")
        self.done: dict[int, set[str]] = {}  # finished shards, and the galaxies without embedding in each
        self.spoiled: set[int] = set()  # there, but not what they should be
        self.rotten: set[int] = set()  # look well, and are damaged inside
        self.mended = False
        whole = self.make("whole")
        run(self.plan, whole, StubSource(ids(N), BROKEN), StubEncoder())
        self.expected = dict(zip(*whole.load(), strict=True))
        self.sound = self.make("sound")
        run(self.plan, self.sound, StubSource(ids(N)), StubEncoder())
        self.whole = whole
        self.make("store")

    def make(self, name):
        return EmbeddingStore.create(self.folder / name, self.plan, StubEncoder().spec, precision="float32")

    def open(self):
        return EmbeddingStore.open(self.folder / "store")

    def source(self):
        return StubSource(ids(N), () if self.mended else BROKEN)

    def names(self, shard):
        return ids(N)[shard * PER_SHARD : (shard + 1) * PER_SHARD]

    def made(self, shard):
        self.done[shard] = set() if self.mended else BROKEN & set(self.names(shard))
        self.spoiled.discard(shard)
        self.rotten.discard(shard)

    @rule(shards=st.sets(st.sampled_from(SHARDS)))
    def run_some(self, shards):
        status = run(self.plan, self.open(), self.source(), StubEncoder(), shards=shards)
        for shard in shards - set(self.done):
            self.made(shard)
        assert status.finished == (len(self.done) == len(SHARDS))

    @rule(reads=st.integers(0, N))
    def run_until_killed(self, reads):
        source, read, left = self.source(), StubSource.read, [reads]

        def deadly(i):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return read(source, i)

        source.read = deadly
        try:
            run(self.plan, self.open(), source, StubEncoder())
        except Killed:
            pass
        else:
            left[0] = N
        for shard in SHARDS:  # how far it came is not the model's business; that it is whole, is
            if shard not in self.done and self.open().header(shard):
                self.made(shard)

    @rule()
    def two_writers(self):
        runs = [
            threading.Thread(target=run, args=(self.plan, self.open(), self.source(), StubEncoder()))
            for _ in range(2)
        ]
        for each in runs:
            each.start()
        for each in runs:
            each.join()
        for shard in set(SHARDS) - set(self.done):
            self.made(shard)

    @rule()
    def mend_images_and_retry(self):
        self.mended = True
        run(self.plan, self.open(), self.source(), StubEncoder(), retry_broken=True)
        for shard in SHARDS:
            if shard not in self.done or self.done[shard]:
                self.made(shard)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), how=st.sampled_from(["cut", "empty", "text", "other shard", "gone"]))
    def spoil(self, data, how):
        shard = data.draw(st.sampled_from(sorted(self.done)))
        path = self.open().shard_path(shard)
        if how == "cut":
            path.write_bytes(path.read_bytes()[:-20])
        elif how in ("empty", "text"):
            path.write_bytes(b"" if how == "empty" else b"PAR1 not a shard")
        elif how == "other shard":
            path.write_bytes(self.whole.shard_path((shard + 1) % len(SHARDS)).read_bytes())
        else:
            path.unlink()
        self.rotten.discard(shard)
        del self.done[shard]
        if how != "gone":
            self.spoiled.add(shard)

    @precondition(lambda self: set(self.done) - self.rotten)
    @rule(data=st.data())
    def rot(self, data):
        shard = data.draw(st.sampled_from(sorted(set(self.done) - self.rotten)))
        flip_a_bit(self.open().shard_path(shard))
        self.rotten.add(shard)

    @precondition(lambda self: self.rotten)
    @rule()
    def delete_what_verify_names(self):
        store = self.open()
        for shard in list(self.rotten):
            assert any(store.shard_path(shard).name in problem for problem in store.verify())
            store.shard_path(shard).unlink()
            self.rotten.discard(shard)
            del self.done[shard]

    @rule(host=st.sampled_from(["here", "elsewhere"]), age=st.sampled_from([-3e5, 0, 3e5]))
    def leave_a_temporary_file(self, host, age):
        """Of a process that is dead, or of another machine whose clock may be wrong."""
        import socket

        name = socket.gethostname() if host == "here" else "elsewhere"
        path = self.folder / "store" / "shards" / f".000000.parquet.{name}.4194304.abcd.tmp"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"PAR1")
        os.utime(path, (time.time() - age,) * 2)
        assert self.open().clean() == (host == "here" or age > 0)
        path.unlink(missing_ok=True)

    @rule()
    def say_what_happened(self):
        said = " ".join(self.open().what_happened())
        for shard in self.spoiled:
            assert self.open().shard_path(shard).name in said
        assert ("Going on" in said) == (0 < len(self.done) < len(SHARDS))

    @invariant()
    def it_is_as_the_model_says(self):
        store = self.open()
        status = store.status()
        assert store.done() == sorted(self.done)
        assert status.broken == sum(map(len, self.done.values()))
        assert len(store.verify()) == len(self.spoiled | self.rotten)
        if not self.rotten and not (status.finished and not status.embedded):
            names, matrix = store.load()
            there = [n for shard in sorted(self.done) for n in self.names(shard) if n not in self.done[shard]]
            assert list(names) == there
            for name, vector in zip(names, matrix, strict=True):
                if name in self.expected:
                    np.testing.assert_array_equal(vector, self.expected[name])

    def teardown(self):
        if not hasattr(self, "folder"):
            return
        self.mended = True
        store = self.open()
        for shard in self.rotten:
            store.shard_path(shard).unlink()
        assert run(self.plan, store, self.source(), StubEncoder(), retry_broken=True).finished
        for shard in SHARDS:
            assert store.shard_path(shard).read_bytes() == self.sound.shard_path(shard).read_bytes()
        assert not list(store.path.rglob("*.tmp"))
        shutil.rmtree(self.folder)


TestStore = StoreAgainstModel.TestCase
TestStore.settings = settings(
    max_examples=int(os.environ.get("GLUE_ZOOBOT_EXAMPLES", "5")), stateful_step_count=12, deadline=None
)
