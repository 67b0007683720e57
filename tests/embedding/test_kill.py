"""A process that is killed leaves a store that the next run completes as if nothing had happened."""

from __future__ import annotations

import os
import signal

import pyarrow.parquet as pq
import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, files, run
from tests.embedding.stubs import StubEncoder, StubSource, forkserver, ids

BROKEN = ["galaxy-0020"]


def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(count, function, partly=None):
    """``function`` until its ``count``-th call, which kills the process, perhaps after a part of the work."""
    calls = []

    def wrapped(*args, **kwargs):
        calls.append(1)
        if len(calls) == count:
            if partly:
                partly(*args, **kwargs)
            die()
        return function(*args, **kwargs)

    return wrapped


def half_a_file(table, path, **kwargs):
    with open(path, "wb") as file:
        file.write(b"PAR1" + bytes(100))


def work_and_die(path, point):
    source, encoder = StubSource(ids(50), BROKEN), StubEncoder()
    store = EmbeddingStore.open(path)
    if point == "read":
        source.read = dies_at(40, source.read)
    elif point == "embed":
        encoder.embed = dies_at(5, encoder.embed)
    elif point == "temporary write":
        pq.write_table = dies_at(2, pq.write_table, half_a_file)
    elif point == "before rename":
        files.Path.replace = dies_at(2, files.Path.replace)
    run(store.plan, store, source, encoder)


@pytest.mark.parametrize("point", ["read", "embed", "temporary write", "before rename"])
def test_killed_and_run_again_it_equals_an_uninterrupted_store(make_store, point):
    whole, plan, source, encoder = make_store(50, name="whole", broken=BROKEN)
    store, *_ = make_store(50, embed=False)
    child = forkserver().Process(target=work_and_die, args=(store.path, point))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert store.status().shards_done < 4
    assert store.verify() == []
    run(plan, store, source, encoder)
    for shard in plan.shards:
        assert store.shard_path(shard).read_bytes() == whole.shard_path(shard).read_bytes()
    assert not list(store.path.rglob("*.tmp"))


def test_a_store_that_was_half_made_is_made_anew(tmp_path):
    plan = Plan.freeze(ids(5))
    (tmp_path / "store" / "shards").mkdir(parents=True)
    plan.save(tmp_path / "store" / "plan.parquet")
    (tmp_path / "store" / ".manifest.json.host.1.abc.tmp").write_text("{")
    store = EmbeddingStore.create(tmp_path / "store", plan, StubEncoder().spec)
    assert store.status().total == 5
