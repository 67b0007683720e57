from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.errors import EncoderError, StoreError
from tests.embedding.stubs import StubEncoder, StubSource, forkserver, ids


def same(one, other) -> bool:
    (ids_1, matrix_1), (ids_2, matrix_2) = one.load(), other.load()
    return list(ids_1) == list(ids_2) and matrix_1.tobytes() == matrix_2.tobytes()


def test_a_second_run_does_only_what_is_missing(make_store):
    whole, *_ = make_store(50, name="whole")
    store, plan, source, encoder = make_store(50, embed=False)
    run(plan, store, source, encoder, shards=range(1))
    source.reads.clear()
    run(plan, store, source, encoder)
    assert sorted(source.reads) == list(range(16, 50))
    assert same(store, whole)
    source.reads.clear()
    assert run(plan, store, source, encoder).finished
    assert source.reads == []


def test_a_catalogue_in_another_order_resumes_under_the_same_identifiers(make_store):
    whole, *_ = make_store(50, name="whole")
    store, plan, source, encoder = make_store(50, embed=False)
    run(plan, store, source, encoder, shards=[0])
    turned = StubSource(ids(50)[::-1])
    again = Plan.freeze(turned.object_ids, rows_per_shard=7)
    run(again, EmbeddingStore.create(store.path, again, encoder.spec), turned, encoder)
    assert same(store, whole)


def test_broken_images_are_tried_again_when_asked(make_store):
    whole, *_ = make_store(50, name="whole")
    store, plan, source, encoder = make_store(50, broken=["galaxy-0020"])
    source.broken.clear()
    assert run(plan, store, source, encoder).broken == 1
    source.reads.clear()
    assert run(plan, store, source, encoder, retry_broken=True).broken == 0
    assert sorted(source.reads) == list(range(16, 32))
    assert same(store, whole)


def test_images_that_lack_a_galaxy_are_refused(make_store):
    store, plan, _, encoder = make_store(20, embed=False)
    with pytest.raises(StoreError, match="galaxy-0019"):
        run(plan, store, StubSource(ids(19)), encoder)


def test_progress_counts_up_to_the_end_and_remembers_what_was_done(make_store):
    store, plan, source, encoder = make_store(50, broken=["galaxy-0001", "galaxy-0040"], embed=False)
    run(plan, store, source, encoder, shards=[0])
    reports = []
    run(plan, store, source, encoder, progress=reports.append)
    done = [report.done for report in reports]
    assert done[0] == 16
    assert done == sorted(done)
    assert (reports[-1].done, reports[-1].total, reports[-1].broken) == (50, 50, 2)
    assert reports[0].broken == 1


def test_cancelling_keeps_finished_shards_and_leaves_no_thread(make_store):
    before = set(threading.enumerate())
    whole, *_ = make_store(100, name="whole")
    store, plan, source, encoder = make_store(100, embed=False)
    cancelled = threading.Event()
    status = run(
        plan,
        store,
        source,
        encoder,
        progress=lambda report: report.done >= 40 and cancelled.set(),
        cancelled=cancelled,
    )
    assert not status.finished
    assert status.shards_done == 2
    assert len(source.reads) < 100
    assert set(threading.enumerate()) == before
    run(plan, store, source, encoder)
    assert same(store, whole)


def test_threads_processes_and_this_process_give_the_same(make_store):
    whole, *_ = make_store(50, name="whole", broken=["galaxy-0030"])
    store, plan, source, encoder = make_store(50, name="threads", broken=["galaxy-0030"], embed=False)
    reports = []
    with ThreadPoolExecutor(2) as executor:
        assert run(plan, store, source, encoder, executor, progress=reports.append).finished
    assert same(store, whole)
    assert (reports[-1].done, reports[-1].broken) == (50, 1)
    other, *_ = make_store(50, name="processes", embed=False)
    with ProcessPoolExecutor(1, forkserver()) as executor:
        assert run(plan, other, source, encoder, executor).finished
    assert same(other, whole)


def test_shards_written_beside_the_network_are_the_same(make_store):
    whole, *_ = make_store(50, name="whole", broken=["galaxy-0030"])
    store, plan, source, encoder = make_store(50, broken=["galaxy-0030"], embed=False)
    encoder.device = "mps"  # any that is not the CPU
    run(plan, store, source, encoder)
    assert same(store, whole)
    store.write = fails
    with pytest.raises(StoreError, match="disk full"):
        run(plan, store, source, encoder, retry_broken=True)


def fails(*shard):
    raise StoreError("disk full")


def test_an_executor_stops_when_cancelled(make_store):
    store, plan, source, encoder = make_store(100, rows_per_shard=5, embed=False)
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        status = run(
            plan,
            store,
            source,
            encoder,
            executor,
            progress=lambda report: cancelled.set(),
            cancelled=cancelled,
        )
    assert not status.finished


def test_two_runs_of_one_store_do_not_disturb_each_other(make_store):
    whole, *_ = make_store(100, name="whole")
    store, plan, source, _ = make_store(100, embed=False)
    runs = [
        threading.Thread(target=run, args=(plan, EmbeddingStore.open(store.path), source, StubEncoder()))
        for _ in range(2)
    ]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert same(store, whole)
    assert not list((store.path / "shards").glob(".*"))


class Forgetful(StubEncoder):
    """Has room for few images."""

    room = 3

    def embed(self, batch):
        if len(batch) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return super().embed(batch)


def test_out_of_memory_halves_the_batch(make_store):
    whole, *_ = make_store(30, name="whole")
    store, plan, source, _ = make_store(30, embed=False)
    encoder = Forgetful()
    assert run(plan, store, source, encoder).finished
    assert max(encoder.batch_sizes) == 2
    assert same(store, whole)


def test_out_of_memory_with_one_image_says_what_to_do(make_store):
    store, plan, source, _ = make_store(30, embed=False)
    encoder = Forgetful()
    encoder.room = 0
    with pytest.raises(EncoderError, match="smaller encoder"):
        run(plan, store, source, encoder)


class Spoiled(StubEncoder):
    """Gives what cannot be stored for some of the first batch."""

    def embed(self, batch):
        vectors = super().embed(batch)
        if len(self.batch_sizes) == 1:
            vectors[0, 2] = np.nan
            vectors[1, 0] = 70_000.0
            vectors[2] = 1e-9
            vectors[3] = 0.0
            vectors[4, 1] = np.inf
        return vectors


def test_what_cannot_be_stored_is_broken_with_a_reason(make_store):
    store, plan, source, _ = make_store(20, embed=False)
    run(plan, store, source, Spoiled())
    outcomes = store.outcomes()
    assert list(outcomes["outcome"][:6]) == ["broken", "broken", "broken", "embedded", "broken", "embedded"]
    assert "not finite" in outcomes["reason"][0]
    assert "65504" in outcomes["reason"][1]
    assert "too small" in outcomes["reason"][2]
    assert np.isfinite(store.load()[1]).all()


def test_an_encoder_of_another_width_than_it_says_is_refused(make_store):
    store, plan, source, encoder = make_store(20, embed=False)
    encoder.embed = lambda batch: np.zeros((len(batch), 5), np.float32)
    with pytest.raises(EncoderError, match="6 dimensions"):
        run(plan, store, source, encoder)


def test_no_more_than_a_few_pictures_are_held(make_store):
    store, plan, source, encoder = make_store(2000, rows_per_shard=1000, embed=False)
    ahead = []
    run(plan, store, source, encoder, progress=lambda report: ahead.append(len(source.reads) - report.done))
    assert max(ahead) < 200  # a few batches of at most 32


def test_an_empty_catalogue_is_finished(make_store):
    store, plan, source, encoder = make_store(0)
    assert run(plan, store, source, encoder).finished
    assert store.load()[1].shape == (0, 6)
