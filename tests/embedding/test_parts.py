"""Progress, files, places."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from glue_zoobot.embedding import default_store
from glue_zoobot.embedding.files import remove_stale, write_atomically
from glue_zoobot.embedding.progress import Meter
from glue_zoobot.errors import StoreError


def test_the_rate_is_that_of_the_recent_past():
    seconds = iter([0.0, 10.0, 100.0, 110.0, 120.0])
    meter = Meter(total=1000, window=30.0, clock=lambda: next(seconds))
    assert meter.report(0, 0).rate is None
    assert meter.report(100, 0).rate == 10.0
    meter.report(190, 1)
    meter.report(390, 1)
    last = meter.report(590, 1)
    assert last.rate == pytest.approx(20.0)
    assert last.seconds_left == pytest.approx(20.5)


def test_no_rate_is_invented_when_nothing_moves():
    seconds = iter([0.0, 5.0])
    meter = Meter(total=10, clock=lambda: next(seconds))
    meter.report(0, 0)
    assert meter.report(0, 0).seconds_left is None


def test_a_failed_write_leaves_nothing(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        write_atomically(tmp_path / "a.parquet", fail)
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_the_dead_are_removed_and_of_the_living_kept(tmp_path):
    names = []

    def keep(path):
        path.write_text("x")
        names.append(path.name)

    write_atomically(tmp_path / "a", keep)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    mine = f".{os.getpid()}."
    dead = tmp_path / names[0].replace(mine, f".{child.pid}.")
    living = tmp_path / names[0]
    foreign, old = tmp_path / ".a.elsewhere.1.ab.tmp", tmp_path / ".b.elsewhere.1.ab.tmp"
    for path in (dead, living, foreign, old):
        path.write_text("")
    os.utime(old, (time.time() - 2e5,) * 2)
    remove_stale(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"a", living.name, foreign.name}


def test_a_store_goes_beside_its_source(tmp_path):
    (tmp_path / "set.csv").write_text("")
    assert default_store(tmp_path / "set.csv", "mini") == tmp_path / "set.csv.embeddings" / "mini"
    named = default_store(tmp_path / "set.csv", "hf_hub:mwalmsley/zoobot-encoder-convnext_nano")
    assert named.parent == tmp_path / "set.csv.embeddings"
    assert named.name == "hf_hub_mwalmsley_zoobot-encoder-convnext_nano"


def test_a_store_of_a_read_only_source_goes_to_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = default_store(tmp_path / "a" / "set", "mini")
    other = default_store(tmp_path / "b" / "set", "mini")
    assert one != other
    assert tmp_path / "a" not in one.parents
    (tmp_path / "a" / "set.embeddings" / "mini").mkdir(parents=True)
    (tmp_path / "a" / "set.embeddings" / "mini" / "manifest.json").write_text("{}")
    assert default_store(tmp_path / "a" / "set", "mini") == tmp_path / "a" / "set.embeddings" / "mini"
