"""The log of ratings: nothing that was rated is ever lost, and the latest rating counts."""

import json
import multiprocessing
import os

import pytest

from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.errors import AnalysisError

BIG_ID = "587722981741363294"


@pytest.fixture
def log(tmp_path):
    return LabelLog(tmp_path / "ratings.jsonl", who="ada")


def test_a_rating_is_on_disk_when_rate_returns(log):
    log.rate(BIG_ID, 5, rank=1, round=2)
    (line,) = log.path.read_text().splitlines()
    entry = json.loads(line)
    assert (entry["object_id"], entry["value"], entry["who"]) == (BIG_ID, 5, "ada")
    assert entry["shown"] == {"rank": 1, "round": 2}
    assert LabelLog(log.path).current() == {BIG_ID: 5}


def test_every_entry_is_forced_to_disk(log, monkeypatch):
    forced = []
    monkeypatch.setattr(os, "fsync", forced.append)
    for value in (1, 2, None):
        log.rate("a", value)
    assert len(forced) == 3


def test_latest_rating_counts_and_undo_brings_back_the_one_before(log):
    log.rate("a", 1)
    log.rate("b", 4)
    log.rate("a", 5)
    assert log.current() == {"a": 5, "b": 4}
    assert log.undo().value == 5
    assert log.current() == {"a": 1, "b": 4}
    log.undo()
    log.undo()
    assert log.current() == {}
    assert log.undo() is None
    assert len(log.entries()) == 6  # nothing is erased


def test_undo_leaves_the_ratings_of_others(log):
    LabelLog(log.path, who="bob").rate("a", 2)
    assert log.undo() is None
    assert log.current() == {"a": 2}
    assert log.current(who="ada") == {}


def test_skip_is_no_rating(log):
    log.rate("a", None)
    log.rate("b", 3)
    log.rate("b", None)
    assert log.current() == {"b": 3}
    assert log.skipped() == {"a"}


def test_contradictory_ratings_are_reported(log):
    log.rate("a", 0)
    log.rate("b", 2)
    LabelLog(log.path, who="bob").rate("a", 5)
    (conflict,) = log.conflicts()
    assert conflict.object_id == "a"
    assert conflict.ratings == (("ada", 0), ("bob", 5))
    assert log.current()["a"] == 5


@pytest.mark.parametrize("value", [6, -1, 2.5, True, "good", float("nan")])
def test_what_is_no_rating_is_refused_and_not_recorded(log, value):
    with pytest.raises(AnalysisError, match="no rating"):
        log.rate("a", value)
    assert not log.path.exists()


def test_log_cut_short_by_a_crash_goes_on(log):
    log.rate("a", 1)
    log.rate("b", 2)
    log.path.write_bytes(log.path.read_bytes()[:-20])
    again = LabelLog(log.path)
    assert again.current() == {"a": 1}
    again.rate("c", 3)
    reread = LabelLog(log.path)
    assert reread.current() == {"a": 1, "c": 3}
    assert reread.damaged == 1


def test_full_disk_is_said_and_loses_nothing(log, monkeypatch):
    log.rate("a", 1)

    def write_a_part(descriptor, data, write=os.write):
        return write(descriptor, data[:10])

    with monkeypatch.context() as full:
        full.setattr(os, "write", write_a_part)
        with pytest.raises(AnalysisError, match="Earlier ratings are safe"):
            log.rate("b", 2)
    log.rate("c", 3)
    assert log.current() == {"a": 1, "c": 3} == LabelLog(log.path).current()


def test_another_file_is_not_taken_for_a_log(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not\na log\n")
    with pytest.raises(AnalysisError, match=r"notes\.txt is not a log"):
        LabelLog(path)


def _rate_fifty(path, who):
    log = LabelLog(path, who=who)
    for i in range(50):
        log.rate(f"{who}{i}", i % 6)


def test_two_programs_on_one_log(log):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_rate_fifty, args=(log.path, who)) for who in ("ada", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(log.current()) == 100
    assert log.damaged == 0
