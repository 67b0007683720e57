"""The same store wherever it is made: processes, Dask, a queue of jobs; whoever dies meanwhile."""

from __future__ import annotations

import os
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from glue_zoobot.embedding import executors, run
from glue_zoobot.embedding.executors import SubmititExecutor, open_place, process_pool
from glue_zoobot.embedding.matching import Part
from glue_zoobot.errors import EncoderError, StoreError
from tests.embedding.stubs import StubEncoder, StubSource, ids


def files_of(store) -> list[bytes]:
    return [store.shard_path(shard).read_bytes() for shard in store.plan.shards]


class Deadly(StubSource):
    """Kills the first process that reads a certain galaxy."""

    def __init__(self, object_ids, victim, once: Path) -> None:
        super().__init__(object_ids)
        self.victim, self.once = victim, once

    def read(self, i):
        if self.object_ids[i] == self.victim:
            try:
                self.once.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().read(i)


def test_a_part_of_a_source_is_small_and_reads_the_same():
    source = StubSource(ids(50_000))
    part = pickle.loads(pickle.dumps(Part(source, np.array([40_000, 17]))))
    assert len(pickle.dumps(part)) < 2_000
    np.testing.assert_array_equal(part.load(17).pixels, source.load(17).pixels)
    np.testing.assert_array_equal(part.read(40_000), source.read(40_000))
    with pytest.raises(IndexError):
        part.read(3)


class Noting(StubSource):
    """Notes which process reads, and the GPU that it sees."""

    def __init__(self, object_ids, folder: Path) -> None:
        super().__init__(object_ids)
        self.folder = folder

    def read(self, i):
        (self.folder / f"{os.getpid()} {os.environ['CUDA_VISIBLE_DEVICES']}").touch()
        return super().read(i)


def test_processes_share_the_work_each_with_a_gpu_of_its_own(make_store, tmp_path):
    whole, plan, _, encoder = make_store(50, name="whole")
    store, *_ = make_store(50, embed=False)
    (tmp_path / "seen").mkdir()
    with process_pool(2, ["3", "GPU-7"]) as pool:
        assert run(plan, store, Noting(ids(50), tmp_path / "seen"), encoder, pool).finished
    assert files_of(store) == files_of(whole)
    seen = [path.name.split() for path in (tmp_path / "seen").iterdir()]
    assert {gpu for _, gpu in seen} <= {"3", "GPU-7"}
    assert len({pid for pid, _ in seen}) == len(seen) == len({gpu for _, gpu in seen})


def test_more_gpus_than_there_are_is_said_at_once(tmp_path):
    with pytest.raises(EncoderError, match="999 GPUs were asked for"), open_place(None, tmp_path, gpus=999):
        pass


@pytest.mark.parametrize("kind", ["ray", "processes:many", "processes:0", "dask:", "slurm:x"])
def test_places_that_do_not_exist_are_refused(kind, tmp_path):
    with pytest.raises(StoreError, match=kind), open_place(kind, tmp_path):
        pass


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the extra [dask]")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "dask")
    ) as cluster:
        yield cluster


def test_dask_finishes_although_a_worker_is_killed(make_store, cluster, tmp_path):
    whole, plan, _, encoder = make_store(50, rows_per_shard=5, name="whole")
    store, *_ = make_store(50, rows_per_shard=5, embed=False)
    source = Deadly(ids(50), "galaxy-0012", tmp_path / "killed")
    reports = []
    with open_place(f"dask:{cluster.scheduler_address}", tmp_path) as place:
        status = run(plan, store, source, encoder, place.executor, progress=reports.append)
    assert status.finished
    assert source.once.exists()
    assert files_of(store) == files_of(whole)
    assert reports[-1].done == 50


def test_dask_that_is_not_there_is_named(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="needs the extra [dask]")
    monkeypatch.setattr(executors, "DASK_TIMEOUT", 1)
    with pytest.raises(StoreError, match="no scheduler file"), open_place("dask:none.json", tmp_path):
        pass
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1 "), open_place("dask:tcp://127.0.0.1:1", tmp_path):
        pass


def test_a_queue_of_jobs(make_store, tmp_path):
    submitit = pytest.importorskip("submitit", reason="needs the extra [slurm]")
    whole, plan, source, encoder = make_store(50, rows_per_shard=5, name="whole", broken=["galaxy-0030"])
    store, *_ = make_store(50, rows_per_shard=5, embed=False)
    reports = []
    with SubmititExecutor(submitit.LocalExecutor(folder=tmp_path / "jobs"), 2, poll=0.1) as queue:
        run(plan, store, source, encoder, queue, progress=reports.append, shards_per_task=5)
    assert files_of(store) == files_of(whole)
    assert (reports[-1].done, reports[-1].broken) == (50, 1)


def test_a_job_that_is_killed_is_reported_and_the_next_run_completes(make_store, tmp_path, monkeypatch):
    submitit = pytest.importorskip("submitit", reason="needs the extra [slurm]")
    monkeypatch.setattr(submitit.LocalJob, "_results_timeout_s", 1)  # for which it waits in vain
    whole, plan, _, encoder = make_store(100, rows_per_shard=25, name="whole")
    store, *_ = make_store(100, rows_per_shard=25, embed=False)
    source = Deadly(ids(100), "galaxy-0080", tmp_path / "killed")
    jobs = submitit.LocalExecutor(folder=tmp_path / "jobs")
    with SubmititExecutor(jobs, 1, poll=0.1) as queue, pytest.raises(StoreError, match="without a word"):
        run(plan, store, source, encoder, queue, shards_per_task=4)
    assert 0 < len(store.done()) < 4
    assert run(plan, store, source, encoder).finished
    assert files_of(store) == files_of(whole)


def test_slurm_that_is_not_there_is_named(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="needs the extra [slurm]")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="no SLURM on this machine"), open_place("slurm:4", tmp_path):
        pass


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("90:00", 90), ("12:00:00", 720), ("1-12", 2160), ("1-0:30", 1470), ("0:0:1", 1)],
)
def test_time_limits_are_read_as_slurm_writes_them(text, minutes):
    assert executors.slurm_minutes(text) == minutes


def test_broken_images_are_made_anew_by_workers_too(make_store):
    whole, *_ = make_store(50, name="whole")
    store, plan, *_ = make_store(50, broken=["galaxy-0020"])
    with ThreadPoolExecutor(2) as pool:
        again = run(plan, store, StubSource(ids(50)), StubEncoder(), pool, retry_broken=True)
    assert again.broken == 0
    assert files_of(store) == files_of(whole)
