"""Accidents to labels, heads, trainings and fetched pictures: nothing that was given is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glue_zoobot.analysis import labels
from glue_zoobot.analysis.heads import Head
from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.errors import AnalysisError, StoreError, ZoobotError

from .formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]
_RATE = """
import sys
from glue_zoobot.analysis.labels import LabelLog
log = LabelLog(sys.argv[1], "child")
for k in range(100_000):
    log.rate(f"{sys.argv[2]}-{k}", k % 6)
    print(k, flush=True)
"""


@pytest.fixture
def log(tmp_path):
    return LabelLog(tmp_path / "ratings.jsonl", "me")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB; skipped where one may not be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, left: int) -> None:
    """Leave so many bytes."""
    with (folder / "filler").open("wb") as file:
        file.write(b"\0" * (os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - left))


def test_killed_while_two_programs_rate(tmp_path):
    """Every rating that was acknowledged is there, whichever moment the processes die at."""
    path, rated = tmp_path / "log.jsonl", {}
    for attempt, wait in enumerate((0.05, 0.2)):
        children = [
            subprocess.Popen(
                [sys.executable, "-c", _RATE, str(path), f"{attempt}{who}"],
                stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )
            for who in "ab"
        ]  # fmt: skip
        for child in children:
            child.stdout.readline()
        time.sleep(wait)
        for who, child in zip("ab", children, strict=True):
            child.send_signal(signal.SIGKILL)
            rated[f"{attempt}{who}"] = int((["0", *child.stdout.read().split()])[-1])
            child.wait()
    current = LabelLog(path).current()
    for who, last in rated.items():
        assert all(current[f"{who}-{k}"] == k % 6 for k in range(last + 1))
    LabelLog(path).rate("after", 3)
    assert LabelLog(path).current()["after"] == 3


@pytest.mark.parametrize("accident", ["deleted", "emptied", "an older copy", "of another"])
def test_log_that_goes_away_while_it_is_used(log, accident):
    log.rate("a", 1)
    older = log.path.read_bytes()
    log.rate("b", 2)
    if accident == "deleted":
        log.path.unlink()
    elif accident == "emptied":
        log.path.write_bytes(b"")
    elif accident == "an older copy":
        log.path.unlink()
        log.path.write_bytes(older)
    else:
        LabelLog(log.path.with_name("other"), "you").rate("z", 5)
        log.path.with_name("other").replace(log.path)
    log.rate("c", 3)
    expected = {"a": 1, "b": 2, "c": 3} | ({"z": 5} if accident == "of another" else {})
    assert log.current() == expected
    assert LabelLog(log.path).current() == expected
    assert len(LabelLog(log.path).entries()) == len(expected)


def test_clock_that_goes_back(log, monkeypatch):
    """The order of the file counts, not the time of day."""
    log.rate("a", 1)
    monkeypatch.setattr(labels, "_now", lambda: "1970-01-01T00:00:00.000+00:00")
    log.rate("a", 4)
    assert LabelLog(log.path).current() == {"a": 4}
    log.undo()
    assert LabelLog(log.path).current() == {"a": 1}


def test_disk_that_fills_up_while_rating(small_disk):
    log = LabelLog(small_disk / "log.jsonl", "me")
    fill(small_disk, 12_000)
    refused, given = "", 0
    while not refused and given < 1000:
        try:
            log.rate(f"g{given}", given % 6)
            given += 1
        except AnalysisError as error:
            refused = str(error)
    assert "Earlier ratings are safe" in refused
    assert given > 10
    assert len(LabelLog(log.path).current()) == given
    (small_disk / "filler").unlink()
    log.rate("again", 5)
    assert len(LabelLog(log.path).current()) == given + 1


def test_disk_that_is_full_when_a_head_or_a_training_is_saved(small_disk, tmp_path):
    """The one before is still there, and nothing half written lies about."""
    FORMATS["head facts"].make(tmp_path)
    head = Head.load(tmp_path / "head")
    head.save(small_disk / "head")
    before = {p.name: p.read_bytes() for p in (small_disk / "head").iterdir()}
    fill(small_disk, 0)
    with pytest.raises(AnalysisError, match="cannot be written"):
        head.save(small_disk / "head")
    assert {p.name: p.read_bytes() for p in (small_disk / "head").iterdir()} == before
    Head.load(small_disk / "head")
    with pytest.raises(ZoobotError):
        FORMATS["training checkpoint"].make(small_disk)
    assert {p.name for p in small_disk.iterdir()} == {"head", "filler"}


def test_disk_that_is_full_when_pictures_are_fetched(small_disk):
    from glue_zoobot.images.fetched import Folder

    fill(small_disk, 8000)
    with pytest.raises(ZoobotError, match="free the disk"):
        Folder(small_disk / "out").keep("https://x/1", b"\xff\xd8" + b"x" * 30_000)
    assert not list(small_disk.glob("out/images/*/.*"))


def test_head_of_two_trainings_is_noticed(tmp_path):
    """A crash between its two files must not leave a head that says one thing and computes another."""
    FORMATS["head facts"].make(tmp_path)
    other = Head.load(tmp_path / "head")
    other.estimator.linear_.offset[:] += 1
    other.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "head.safetensors", tmp_path / "head" / "head.safetensors")
    with pytest.raises(AnalysisError, match="not of one training"):
        Head.load(tmp_path / "head")


def test_folder_that_is_read_only(tmp_path):
    """As root nothing is read-only, so a file stands where the folder should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(AnalysisError):
        LabelLog(tmp_path / "file" / "log.jsonl").rate("a", 1)
    FORMATS["head facts"].make(tmp_path)
    with pytest.raises(AnalysisError, match="cannot be written"):
        Head.load(tmp_path / "head").save(tmp_path / "file" / "head")
    with pytest.raises((StoreError, AnalysisError, ZoobotError)):
        FORMATS["training checkpoint"].make(tmp_path / "file")
    assert np.array_equal((tmp_path / "file").read_text(), "x")
