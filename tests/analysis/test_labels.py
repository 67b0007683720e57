"""The log of ratings: nothing that was rated is ever lost, and the latest rating counts."""

import json
import multiprocessing
import os

import numpy as np
import pytest

from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.labels_exchange import agreement, consistency, import_ratings, merge, ratings_table
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


def test_merge_keeps_both_people_and_states_agreement(tmp_path):
    ada, bob = (LabelLog(tmp_path / f"{who}.jsonl", who=who) for who in ("ada", "bob"))
    for name, value in {"a": 5, "b": 4, "c": 0, "d": 1}.items():
        ada.rate(name, value)
    for name, value in {"a": 5, "b": 3, "c": 0, "e": 2}.items():
        bob.rate(name, value)
    bob.rate("f", 1)
    bob.undo()
    merged, agreement = merge(ada, bob, tmp_path / "both.jsonl")
    assert merged.current() == {"a": 5, "b": 3, "c": 0, "d": 1, "e": 2}
    assert (agreement.both, agreement.within_one) == (3, 1)
    assert agreement.same == pytest.approx(2 / 3)
    assert agreement.kappa_interesting == 1
    assert "3 galaxies rated by both" in agreement.text()
    before = merged.path.read_text()
    merge(ada, bob, tmp_path / "both.jsonl")
    assert merged.path.read_text() == before


def test_weighted_kappa_is_that_of_scikit_learn():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    a = rng.integers(0, 6, 200)
    b = np.clip(a + rng.integers(-2, 3, 200), 0, 5)
    first, second = ({str(i): int(v) for i, v in enumerate(values)} for values in (a, b))
    expected = cohen_kappa_score(a, b, weights="quadratic")
    assert agreement(first, second).kappa == pytest.approx(expected)


def test_agreement_of_nothing_is_not_zero():
    nothing = agreement({"a": 1}, {"b": 1})
    assert nothing.both == 0
    assert np.isnan(nothing.kappa)
    assert nothing.text() == "no galaxy was rated by both"


def test_own_consistency_from_blind_repeats(log):
    for name, value in (("a", 4), ("b", 1), ("a", 5), ("b", 1)):
        log.rate(name, value)
    LabelLog(log.path, who="bob").rate("a", 0)
    own = consistency(log.standing(), "ada")
    assert (own.both, own.same, own.within_one) == (2, 0.5, 1)


def test_ratings_of_astronomaly_are_taken_over(tmp_path, log):
    path = tmp_path / "ml_scores.csv"
    path.write_text(f",score,human_label,trained_score\n{BIG_ID},1.2,5.0,3\nb,0.1,-1,2\nc,0.2,0,2\n")
    entries = import_ratings(path, who="ada")
    assert log.extend(entries) == 2
    assert log.extend(import_ratings(path, who="ada")) == 0
    assert log.current() == {BIG_ID: 5, "c": 0}


def test_import_of_csv_names_what_is_wrong(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("object_id,rating\na,7\n")
    with pytest.raises(AnalysisError, match=r"'7' for a is no rating"):
        import_ratings(path)
    path.write_text("name,grade\na,3\n")
    with pytest.raises(AnalysisError, match="no column of ids among 'name', 'grade'"):
        import_ratings(path)
    assert import_ratings(path, id_column="name", rating_column="grade")[0].value == 3
    with pytest.raises(AnalysisError, match="no ratings can be read"):
        import_ratings(tmp_path / "absent.csv")


def test_export_has_one_row_per_galaxy(log):
    log.rate("a", 1)
    log.rate("a", 4)
    log.rate("b", None)
    table = ratings_table(log)
    assert table.colnames == ["object_id", "rating", "who", "when", "n_ratings"]
    assert tuple(table[0])[:3] == ("a", 4, "ada")
    assert len(table) == 1
    assert len(ratings_table(LabelLog(log.path.with_name("empty.jsonl")))) == 0
