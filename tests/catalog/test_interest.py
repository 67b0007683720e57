"""Rating by interest: what is on disk, what is ranked, and what survives."""

import errno
import gc
import json
import os
import shutil
import weakref

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.edit_subset_mode import EditSubsetMode
from glue.core.subset import ElementSubsetState, RangeSubsetState

from glue_zoobot.catalog import attach_embeddings, load
from glue_zoobot.catalog.columns import provenance_of
from glue_zoobot.catalog.interest import Interest, interest_of
from glue_zoobot.catalog.interest.log import log_path_of
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import N, ids_of_survey, vectors, write_store


@pytest.fixture
def state(collection):
    return interest_of(collection)


def rate_all(state, n, taste=lambda row: 5 if row >= 50 else 0):
    """Rate what is shown, as someone who likes the last ten galaxies."""
    for _ in range(n):
        state.rate(state.current, taste(state.current))
        if state.due:
            state.learn()


def begun(state, data, like=()):
    state.begin(data, like)
    state.learn()
    return state


def members(group, data):
    return np.flatnonzero(next(s for s in group.subsets if s.data is data).to_mask()).tolist()


def lines(state):
    return [json.loads(line) for line in state.log.path.read_text().splitlines()]


def test_one_state_per_session(collection, state):
    assert interest_of(collection) is state
    assert isinstance(state, Interest)
    assert interest_of(DataCollection()) is not state


def test_the_first_round_is_spread_over_the_catalogue(state, embedded):
    begun(state, embedded)
    first = list(state.next_rows[:10])
    assert state.current == first[0]
    assert len(set(first)) == 10
    assert min(first) < 10
    assert max(first) > 50
    assert state.group is None  # nothing is claimed before a rating
    assert "interest_score" not in [cid.label for cid in embedded.components]


def test_it_starts_from_the_users_example(state, embedded):
    state.begin(embedded, [55])
    assert state.current == 55  # at once
    state.learn()
    assert state.current == 55
    assert len(state.next_rows) > 10
    state.rate(55, 5)
    assert not state.due
    state.rate(next(row for row in state.next_rows if row < 30), 0)
    assert state.due  # the first find, and something to set it apart from: the model can look alone now
    state.learn()
    assert set(state.next_rows[1:7]) <= set(range(45, 60))


def test_it_starts_from_a_subset(state, embedded):
    state.begin(embedded, range(20, 40))
    assert state.next_rows == (20, 24, 29, 34, 39)


def test_every_rating_is_on_disk_at_once(state, embedded):
    begun(state, embedded, [55])
    assert not state.log.path.exists()
    state.rate(55, 4)
    [entry] = lines(state)
    assert (entry["object_id"], entry["value"]) == (ids_of_survey()[55], 4)
    assert entry["shown"]["why"] == "chosen"
    assert entry["shown"]["encoder"] == "test-encoder"
    second = state.current
    state.skip()
    assert lines(state)[1]["value"] is None
    assert state.current != second
    assert state.ratings == {55: 4}


def test_rating_ranks_the_catalogue(state, embedded, collection):
    begun(state, embedded)
    rate_all(state, 20)
    state.learn()
    score, rank, rating = (embedded[f"interest_{name}"] for name in ("score", "rank", "rating"))
    assert score.dtype == rank.dtype == rating.dtype == np.float32
    assert np.isfinite(score).all()
    rated = np.array(list(state.ratings))
    np.testing.assert_array_equal(rating[rated], list(state.ratings.values()))
    assert np.isnan(np.delete(rating, rated)).all()
    good = rated[rating[rated] >= 3]
    assert set(np.flatnonzero(rank == 0)) == set(good)
    assert np.isnan(rank[rating < 3]).all()
    unrated = np.delete(np.arange(N), rated)
    assert sorted(rank[unrated]) == list(range(1, N - 20 + 1))
    assert score[unrated][rank[unrated].argmin()] >= score[unrated].max() - 0.05


def test_the_group_selects_the_best_and_follows_the_count(state, embedded):
    begun(state, embedded)
    rate_all(state, 20)
    assert state.group.label == "Most interesting"
    for count in (5, 12):
        state.count = count
        rank = embedded["interest_rank"]
        assert members(state.group, embedded) == np.flatnonzero((rank >= 1) & (rank <= count)).tolist()
    state.count = 0
    assert state.count == 1
    state.group.subset_state = RangeSubsetState(0.1, 0.2, att=embedded.id["redshift"])
    assert state.hidden
    state.show_hidden()
    assert [group.label for group in state._collection.subset_groups] == [
        "Most interesting (changed)",
        "Most interesting",
    ]


def test_finds_more_than_chance(state, embedded):
    begun(state, embedded, [52])
    rate_all(state, 20)
    found = state.yielded().found
    assert state.yielded().looked == 20
    assert found[0] == 0
    assert found[-1] == state.n_found == 10  # all ten, of which 20 random looks would find 3


def test_undo_shows_the_galaxy_again(state, embedded):
    begun(state, embedded, [55])
    state.rate(55, 5)
    after = state.current
    state.rate(after, 0)
    assert state.undo() == 1
    assert state.current == after
    assert state.ratings == {55: 5}
    state.undo()
    assert state.current == 55
    assert state.ratings == {}
    assert state.undo() == 0
    assert len(lines(state)) == 4  # nothing is erased


def test_taking_everything_back_unranks(state, embedded):
    begun(state, embedded)
    state.rate([55, 3], 5)
    state.rate(3, 0)
    state.learn()
    assert members(state.group, embedded)
    state.undo()
    assert state.n_unlearned == 1
    state.undo()
    state.learn()
    assert state.n_unlearned == 0
    assert members(state.group, embedded) == []
    assert np.isnan(embedded["interest_score"]).all()


def test_several_are_rated_and_taken_back_at_once(state, embedded):
    begun(state, embedded)
    state.rate([3, 4, 5], 2)
    assert state.ratings == {3: 2, 4: 2, 5: 2}
    assert not {3, 4, 5} & set(state.next_rows)
    assert state.undo() == 3
    assert state.ratings == {}


def test_show_again_replaces_the_rating(state, embedded):
    begun(state, embedded)
    rate_all(state, 3)
    first, value = state.last_rated(3)[-1]
    state.show_again(first)
    assert state.current == first
    assert state.why == "again"
    state.rate(first, 5 - value)
    assert state.ratings[first] == 5 - value
    assert len(state.ratings) == 3
    assert state.yielded().looked == 3
    assert state.last_rated(1)[0] == (first, 5 - value)


def test_blind_repeats_measure_consistency(state, embedded):
    begun(state, embedded, [55])
    state.repeats = True
    whys = []
    for _ in range(32):
        whys.append(state.why)
        row = state.current
        state.rate(row, 1 if state.why == "repeat" else 0)
        if state.due:
            state.learn()
    assert whys.count("repeat") == 2
    assert whys[15] == "repeat"
    own = state.consistency()
    assert (own.both, own.same, own.within_one, own.mean_difference) == (2, 0.0, 1.0, 1.0)


def test_a_check_estimates_what_is_left(state, embedded):
    begun(state, embedded, [52])
    assert state.remaining() is None
    with pytest.raises(AnalysisError, match="rate a few galaxies first"):
        state.check()
    rate_all(state, 10)
    state.check()
    assert state.mode == "check"
    picks = state.picks_left
    assert picks >= 15
    rate_all(state, picks)
    assert state.mode == "find"  # over by itself
    assert state.picks_left == 0
    answer = state.remaining()
    assert answer.found == state.n_found
    assert answer.left_low <= 10 - state.n_found <= answer.left_high
    assert set(np.unique(embedded["audit_band"][np.isfinite(embedded["audit_band"])])) == {1, 2, 3, 4, 5}


def test_teach_shows_the_undecided(state, embedded):
    begun(state, embedded, [58])
    rate_all(state, 20)
    state.mode = "teach"
    assert len(state.next_rows) == 0  # the next answer brings others
    state.learn()
    taught = state.current
    state.mode = "find"
    state.learn()
    score = embedded["interest_score"]
    assert abs(score[taught] - 2.5) <= abs(score[state.current] - 2.5)
    with pytest.raises(AnalysisError, match="mode"):
        state.mode = "guess"


def test_galaxies_without_embedding_have_no_score(survey, tmp_path):
    write_store(tmp_path / "s", ids_of_survey(), vectors(), broken=[ids_of_survey()[7]])
    data = load(survey)
    attach_embeddings(data, tmp_path / "s")
    state = begun(interest_of(DataCollection([data])), data)
    rate_all(state, 10)
    state.rate(7, 5)  # seen in a gallery: recorded, of no use to the model
    state.learn()
    assert np.isnan([data["interest_score"][7], data["interest_rank"][7]]).all()
    assert state.ratings[7] == 5
    assert state.n_unlearned == 0
    assert np.isfinite(data["interest_score"]).sum() == N - 1


def test_the_users_subsets_are_left_alone(collection, embedded, state):
    mode = EditSubsetMode()
    mode.data_collection = collection
    lasso = collection.new_subset_group("my lasso", RangeSubsetState(0.2, 0.4, att=embedded.id["redshift"]))
    mode.edit_subset = [lasso]
    state.edit_subset_mode = mode
    begun(state, embedded)
    rate_all(state, 10)
    kept = state.keep()
    assert mode.edit_subset == [lasso]
    before = members(kept, embedded)
    rate_all(state, 10)
    assert members(kept, embedded) == before


def test_ratings_survive_rows_that_come_go_and_move(state, embedded, survey):
    begun(state, embedded)
    rate_all(state, 10)
    given = {ids_of_survey()[row]: value for row, value in state.ratings.items()}
    text = survey.read_text().splitlines()
    survey.write_text("\n".join([text[0], *text[:0:-1][5:]]) + "\n")  # reversed, and five fewer
    again = load(survey)
    attach_embeddings(again, log_path_of(embedded).parent / "test")
    other = interest_of(DataCollection([again]))
    other.open(again)
    ids = again.get_component("object_id").labels
    found = {str(ids[row]): value for row, value in other.ratings.items()}
    assert found == {name: value for name, value in given.items() if name in ids}
    assert len(found) < len(given)
    assert "not in this catalogue" in other.note


def test_it_goes_on_in_a_moved_folder(state, embedded, survey, tmp_path):
    begun(state, embedded)
    rate_all(state, 10)
    shutil.move(survey.parent, tmp_path / "elsewhere")
    data = load(tmp_path / "elsewhere" / survey.name)
    attach_embeddings(data, tmp_path / "elsewhere" / "survey.csv.embeddings" / "test")
    other = interest_of(DataCollection([data]))
    other.begin(data)
    other.learn()
    assert other.ratings == state.ratings
    assert other.log.path.parent == tmp_path / "elsewhere" / "survey.csv.embeddings"
    assert other.current not in other.ratings


def test_a_restored_session_goes_on(state, embedded, collection, tmp_path):
    from glue.core.application_base import Application

    app = Application(data_collection=collection)
    begun(state, embedded)
    rate_all(state, 13)
    state.count = 7
    app.save_session(str(tmp_path / "s.glu"))
    again = Application.restore_session(str(tmp_path / "s.glu"))
    restored = interest_of(again.data_collection)
    assert restored.ratings == state.ratings
    assert restored.count == 7
    assert restored.group is not None
    data = restored.data
    np.testing.assert_array_equal(data["interest_rank"], embedded["interest_rank"])
    restored.keep()
    assert provenance_of(data, "interest_rank_2") == provenance_of(embedded, "interest_rank") | {
        "uuid": data.id["interest_rank_2"].uuid
    }
    restored.begin(data)
    restored.learn()
    state.learn()
    assert restored.current not in restored.ratings
    np.testing.assert_array_equal(data["interest_rank"], embedded["interest_rank"])
    assert len(again.data_collection.subset_groups) == 2


def test_an_answer_that_comes_late_is_used_for_what_it_is_worth(state, embedded):
    begun(state, embedded)
    rate_all(state, 10)
    question = state.question()
    state.rate(state.current, 5)
    current = state.current
    state.take(state.ranker.answer(question))
    assert state.current == current  # the picture on the screen does not jump
    assert state.n_unlearned == 1
    assert not set(state.next_rows) & set(state.ratings)


def test_an_answer_about_removed_data_is_dropped(state, embedded, collection):
    begun(state, embedded)
    rate_all(state, 10)
    answer = state.ranker.answer(state.question())
    collection.remove(embedded)
    state.take(answer)
    assert state.data is None
    assert state.current is None
    assert state.ratings == {}
    with pytest.raises(AnalysisError, match="choose the catalogue"):
        state.rate(3, 5)


# -- bad input


def test_no_embeddings_yet(survey):
    data = load(survey)
    state = interest_of(DataCollection([data]))
    with pytest.raises(AnalysisError, match="no embeddings yet"):
        state.begin(data)
    assert state.data is None


def test_an_empty_start(state, embedded, tmp_path):
    write_store(tmp_path / "s", ids_of_survey(), vectors(), broken=[ids_of_survey()[7]])
    attach_embeddings(embedded, tmp_path / "s")
    with pytest.raises(AnalysisError, match="none of the 1 galaxies"):
        state.begin(embedded, [7])


@pytest.mark.parametrize("value", [0, 3, 5])
def test_all_ratings_equal(state, embedded, value):
    begun(state, embedded)
    rate_all(state, 12, taste=lambda row: value)
    assert state.group is None  # nothing sets galaxies apart yet, and nothing is invented
    assert state.current not in state.ratings
    rate_all(state, N - 13, taste=lambda row: value)
    state.rate(state.current, 5 - value if value != 3 else 0)
    state.learn()
    assert np.isfinite(embedded["interest_score"]).all()


@pytest.mark.parametrize("value", [6, -1, 2.5, "5", True])
def test_what_is_no_rating(state, embedded, value):
    begun(state, embedded)
    with pytest.raises(AnalysisError, match="no rating"):
        state.rate(state.current, value)
    assert state.ratings == {}


def test_a_file_that_is_no_log(state, embedded):
    log_path_of(embedded).write_bytes(b"\x89PNG\r\n")
    with pytest.raises(AnalysisError, match="choose another file"):
        state.begin(embedded)
    other = log_path_of(embedded).with_name("mine.jsonl")
    state.open(embedded, other)
    begun(state, embedded)
    state.rate(state.current, 3)
    assert other.exists()
    assert log_path_of(embedded) == other  # remembered


def test_a_log_cut_short_by_a_crash(state, embedded):
    begun(state, embedded)
    rate_all(state, 5)
    path = state.log.path
    path.write_bytes(path.read_bytes()[:-30])
    state.open(embedded)
    assert len(state.ratings) == 4
    state.begin(embedded)
    state.learn()
    state.rate(state.current, 3)
    state.open(embedded)
    assert len(state.ratings) == 5
    assert "passed over: 1" in state.note


def test_a_full_disk_loses_nothing(state, embedded, monkeypatch):
    begun(state, embedded)
    rate_all(state, 3)
    current, given = state.current, dict(state.ratings)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(AnalysisError, match="Earlier ratings are safe"):
            state.rate(current, 5)
    assert state.current == current
    assert state.ratings == given
    state.rate(current, 5)
    assert state.ratings[current] == 5


def test_everything_is_rated(state, embedded):
    begun(state, embedded)
    rate_all(state, N)
    assert state.current is None
    assert len(state.ratings) == N
    assert members(state.group, embedded) == []


def test_data_that_is_not_in_the_session(state):
    with pytest.raises(AnalysisError, match="not in this session"):
        state.open(Data(label="stranger", x=np.arange(4)))


def test_nothing_is_kept_alive(survey, store):
    data = load(survey)
    attach_embeddings(data, store)
    collection = DataCollection([data])
    state = begun(interest_of(collection), data)
    rate_all(state, 10)
    references = [weakref.ref(one) for one in (data, collection, state)]
    del data, collection, state
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]


def test_other_rows_of_the_session_do_not_matter(state, embedded, collection):
    collection.append(Data(label="other", y=np.arange(5)))
    collection.new_subset_group("rows", ElementSubsetState([1, 2]))
    begun(state, embedded)
    rate_all(state, 10)
    assert state.data is embedded
