"""The similarity question: what changes, and above all what does not."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from glue.core import Data, DataCollection
from glue.core.edit_subset_mode import EditSubsetMode
from glue.core.hub import HubListener
from glue.core.message import SubsetCreateMessage, SubsetDeleteMessage
from glue.core.subset import ElementSubsetState, RangeSubsetState

from glue_zoobot.catalog import SimilarGalaxies, attach_embeddings, load, similar_galaxies
from glue_zoobot.catalog.cuts import Cuts
from glue_zoobot.catalog.question import answer
from glue_zoobot.errors import AnalysisError
from tests.catalog.conftest import N, ids_of_survey, vectors, write_store, write_survey


def members(group, data):
    return np.flatnonzero(next(s for s in group.subsets if s.data is data).to_mask()).tolist()


def test_find_selects_the_most_similar(collection, embedded):
    state = similar_galaxies(collection)
    state.count = 4
    group = state.find(embedded, [30])
    assert group.label == "Similar galaxies"
    assert members(group, embedded) == [28, 29, 31, 32]
    assert sorted(state.rows[:4]) == [28, 29, 31, 32]
    assert len(state.rows) == N - 1
    assert (np.diff(state.scores) <= 0).all()
    np.testing.assert_array_equal(embedded["similarity_rank"][state.rows], np.arange(1, N))
    assert embedded["similarity_rank"][30] == 0
    assert embedded["similarity"][30] == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(embedded["similarity"][state.rows], state.scores)
    assert embedded["similarity"].dtype == embedded["similarity_rank"].dtype == np.float32
    assert (state.data, state.like, state.unlike) == (embedded, (30,), ())


def test_the_state_is_one_per_session(collection):
    assert similar_galaxies(collection) is similar_galaxies(collection)
    assert isinstance(similar_galaxies(collection), SimilarGalaxies)
    assert similar_galaxies(DataCollection()) is not similar_galaxies(collection)


def test_a_second_question_reuses_columns_and_group(collection, embedded):
    state = similar_galaxies(collection)
    first = state.find(embedded, [30])
    components = list(embedded.components)
    state.count = 3
    second = state.find(embedded, [5])
    assert second is first
    assert embedded.components == components
    assert collection.subset_groups == (first,)
    assert set(members(first, embedded)) <= {3, 4, 6, 7}


def test_the_users_subsets_are_left_alone(collection, embedded):
    mode = EditSubsetMode()
    mode.data_collection = collection
    lasso_state = RangeSubsetState(0.2, 0.4, att=embedded.id["redshift"])
    lasso = collection.new_subset_group("my lasso", lasso_state)
    mode.edit_subset = [lasso]
    group = similar_galaxies(collection).find(embedded, np.flatnonzero(lasso.subsets[0].to_mask()))
    assert group is not lasso
    assert lasso.subset_state is lasso_state
    assert lasso.label == "my lasso"
    assert mode.edit_subset == [lasso]


def test_the_active_subset_stays_active_where_new_groups_become_active(collection, embedded):
    mode = EditSubsetMode()
    mode.data_collection = collection
    lasso = collection.new_subset_group("my lasso", RangeSubsetState(0.2, 0.4, att=embedded.id["redshift"]))
    mode.edit_subset = [lasso]

    class Window(HubListener):  # glue's window selects what is new, and nothing when something is removed
        def follow(self, message):
            mode.edit_subset = list(collection.subset_groups[-1:])

        def lose(self, message):
            mode.edit_subset = []

    window = Window()
    collection.hub.subscribe(window, SubsetCreateMessage, handler=window.follow)
    collection.hub.subscribe(window, SubsetDeleteMessage, handler=window.lose)
    state = similar_galaxies(collection)
    state.edit_subset_mode = mode
    for act in (lambda: state.find(embedded, [30]), state.keep, state.clear):
        act()
        assert mode.edit_subset == [lasso]
    state.find(embedded, [30])
    mode.edit_subset = [state.group]
    state.clear()
    assert mode.edit_subset == []


def test_count_moves_only_the_range(collection, embedded):
    state = similar_galaxies(collection)
    group = state.find(embedded, [30])
    values = embedded["similarity_rank"]
    for count in (1, 10, 59):
        state.count = count
        assert len(members(group, embedded)) == count
    assert embedded["similarity_rank"] is values
    state.count = 0
    assert state.count == 1
    state.count = 99_999
    assert state.count == 10_000
    assert len(members(group, embedded)) == N - 1


def test_metric_asks_again(collection, embedded):
    state = similar_galaxies(collection)
    state.find(embedded, [30])
    assert state.scores[0] > 0.9
    state.metric = "euclidean"
    assert state.scores[0] < 0
    assert state.scores[0] > -0.1


def test_several_examples_and_counterexamples(collection, embedded):
    state = similar_galaxies(collection)
    state.find(embedded, [20, 40])
    assert state.rows[0] == 30
    state.find(embedded, [30], unlike=[40])
    assert (state.rows[:3] < 30).all()
    assert 40 not in state.rows
    assert np.isnan(embedded["similarity_rank"][40])
    assert state.unlike == (40,)


def test_rows_without_embedding_are_named_and_never_found(survey, tmp_path):
    ids = ids_of_survey()
    data = load(survey)
    attach_embeddings(data, write_store(tmp_path / "s", ids, vectors(), broken=(ids[3], ids[31])).path)
    state = similar_galaxies(DataCollection([data]))
    with pytest.raises(AnalysisError, match=ids[3]):
        state.find(data, [3])
    assert state.data is None
    assert "similarity" not in [c.label for c in data.components]
    state.find(data, [30, 3])
    assert ids[3] in state.note
    assert state.like == (30,)
    assert not {3, 31} & set(state.rows)
    assert np.isnan(data["similarity"][[3, 31]]).all()
    state.find(data, [30])
    assert state.note == ""


def test_an_embedding_of_zeros_is_like_none(survey, tmp_path):
    ids, matrix = ids_of_survey(), vectors()
    matrix[3] = 0
    data = load(survey)
    attach_embeddings(data, write_store(tmp_path / "s", ids, matrix).path)
    state = similar_galaxies(DataCollection([data]))
    with pytest.raises(AnalysisError, match=ids[3]):
        state.find(data, [3])
    state.find(data, [2])
    assert 3 not in state.rows


def test_questions_that_cannot_be_answered(collection, embedded):
    state = similar_galaxies(collection)
    with pytest.raises(AnalysisError, match="at least one"):
        state.find(embedded, [])
    with pytest.raises(AnalysisError, match="60 rows"):
        state.find(embedded, [60])
    with pytest.raises(AnalysisError, match=f"{ids_of_survey()[2]} is wanted both"):
        state.find(embedded, [1, 2], [2])
    with pytest.raises(AnalysisError, match="not in this session"):
        similar_galaxies(DataCollection()).find(embedded, [1])
    with pytest.raises(AnalysisError, match="no embeddings yet"):
        state.find(Data(x=[1, 2], label="other"), [0])
    with pytest.raises(AnalysisError, match="no answer"):
        state.keep()
    assert collection.subset_groups == ()


def test_only_the_first_of_equal_ids_carries_the_embedding(tmp_path):
    ids = ids_of_survey()
    ids[10] = ids[9]
    data = load(write_survey(tmp_path / "twins", object_ids=ids))
    assert attach_embeddings(data, write_store(tmp_path / "s", ids, vectors()).path) == N - 1
    state = similar_galaxies(DataCollection([data]))
    with pytest.raises(AnalysisError, match="id repeated"):
        state.find(data, [10])
    state.find(data, [8])
    assert 9 in state.rows
    assert 10 not in state.rows


def test_keep_survives_the_next_question(collection, embedded):
    state = similar_galaxies(collection)
    state.count = 5
    state.find(embedded, [30])
    expected = state.rows[:5].tolist()
    kept = state.keep()
    other = state.keep("mine")
    state.find(embedded, [2])
    state.count = 20
    assert sorted(expected) == members(kept, embedded) == members(other, embedded)
    assert ids_of_survey()[30] in kept.label
    assert other.label == "mine"
    assert state.group not in (kept, other)
    kept_rank = kept.subsets[0].subset_state.att
    kept_rank.label = "renamed by the user"
    state.keep()
    assert members(kept, embedded) == sorted(expected)
    rank = kept_rank
    assert embedded[rank][expected].tolist() == [1, 2, 3, 4, 5]


def test_clear_removes_the_answer_and_nothing_else(collection, embedded):
    state = similar_galaxies(collection)
    mine = collection.new_subset_group("mine", ElementSubsetState([1, 2]))
    state.find(embedded, [30])
    kept = state.keep()
    state.clear()
    assert collection.subset_groups == (mine, kept)
    assert (state.data, state.like, len(state.rows)) == (None, (), 0)
    state.clear()
    state.find(embedded, [1])
    assert state.group.label == "Similar galaxies"


def test_group_deleted_by_the_user_comes_back_when_he_asks_for_it(collection, embedded):
    state = similar_galaxies(collection)
    group = state.find(embedded, [30])
    collection.remove_subset_group(group)
    assert state.group is None
    state.count = 7
    assert state.group.subset_state.hi == 7.5
    collection.remove_subset_group(state.group)
    again = state.find(embedded, [31])
    assert collection.subset_groups == (again,)
    assert len(members(again, embedded)) == 7


def test_group_that_the_user_redrew_is_his(collection, embedded):
    state = similar_galaxies(collection)
    group = state.find(embedded, [30])
    drawn = RangeSubsetState(0.1, 0.2, att=embedded.id["redshift"])
    group.subset_state, ours = drawn, group.subset_state
    assert state.hidden
    assert group.label == "Similar galaxies (changed)"
    group.subset_state = ours  # undone
    assert group.label == "Similar galaxies"
    assert not state.hidden
    group.subset_state = drawn
    state.show_hidden()
    assert state.group is not group
    assert not state.hidden
    group.label = "My redshifts"
    again = state.find(embedded, [2])
    assert again is not group
    assert group.subset_state is drawn
    assert group.label == "My redshifts"


def test_copies_and_cuts_by_the_user_are_not_taken_for_ours(collection, embedded):
    state = similar_galaxies(collection)
    first = state.find(embedded, [30])
    copy = collection.new_subset_group("copy", first.subset_state.copy())
    cut = collection.new_subset_group("cut", RangeSubsetState(2.3, 8.1, att=embedded.id["similarity_rank"]))
    state.count = 3
    assert state.find(embedded, [2]) is first
    assert copy.subset_state.hi == 100.5
    assert cut.subset_state.hi == 8.1


def test_two_datasets_in_one_session(collection, embedded, tmp_path):
    other = load(write_survey(tmp_path / "other", n=10))
    attach_embeddings(other, write_store(tmp_path / "o", ids_of_survey(10), vectors(10)).path)
    collection.append(other)
    state = similar_galaxies(collection)
    state.count = 2
    group = state.find(embedded, [30])
    assert state.find(other, [5]) is group
    assert members(group, other) == [4, 6]
    assert state.data is other
    assert state.find(embedded, [10]) is group
    assert members(group, embedded) == [9, 11]


def test_removed_dataset_is_forgotten(collection, embedded, tmp_path):
    state = similar_galaxies(collection)
    state.find(embedded, [30])
    collection.remove(embedded)
    assert (state.data, state.like, len(state.rows)) == (None, (), 0)
    state.count = 5
    other = load(write_survey(tmp_path / "other", n=10))
    attach_embeddings(other, write_store(tmp_path / "o", ids_of_survey(10), vectors(10)).path)
    collection.append(other)
    assert {4, 6} < set(members(state.find(other, [5]), other))


def test_history_goes_back_and_forth(collection, embedded):
    state = similar_galaxies(collection)
    for like in ([10], [20], [30]):
        state.find(embedded, like)
    state.find(embedded, [30])  # asked again: nothing new
    assert [question.like for question in state.history] == [(10,), (20,), (30,)]
    assert state.neighbour(1) is None

    def go(step):
        question, place = state.neighbour(step)
        state.show(answer(question), place)

    go(-1)
    go(-1)
    assert state.like == (10,)
    assert state.neighbour(-1) is None
    go(1)
    assert state.like == (20,)
    assert len(state.history) == 3
    state.find(embedded, [40])
    assert [question.like for question in state.history] == [(10,), (20,), (40,)]
    state.clear()
    go(-1)
    assert state.like == (40,)


def test_history_brings_back_how_it_was_compared(collection, embedded):
    state = similar_galaxies(collection)
    state.find(embedded, [10])
    state.metric = "euclidean"
    assert len(state.history) == 2
    question, place = state.neighbour(-1)
    state.show(answer(question), place)
    assert state.metric == "cosine"
    assert state.scores[0] > 0


def test_history_forgets_a_removed_dataset(collection, embedded):
    state = similar_galaxies(collection)
    state.find(embedded, [10])
    collection.remove(embedded)
    assert state.history == []
    assert state.neighbour(-1) is None


def test_main_components_instead_of_all_numbers(collection, embedded):
    state = similar_galaxies(collection)
    state.count = 4
    state.find(embedded, [30])
    state.metric = "euclidean"
    before = set(state.rows[:4])
    state.components = 2  # the embeddings lie in a plane
    assert set(state.rows[:4]) == before
    assert state.question.components == 2
    state.components = 10_000  # more than there are: all
    assert set(state.rows[:4]) == before


def test_cuts_keep_the_answer_near_the_examples(collection, embedded):
    state = similar_galaxies(collection)
    state.find(embedded, [10, 20])
    state.cuts = Cuts(within=(("redshift", 0.1),))
    redshift = embedded["redshift"]
    allowed = np.abs(redshift - np.median(redshift[[10, 20]])) <= 0.1
    allowed[[10, 20]] = False
    assert set(state.rows) == set(np.flatnonzero(allowed))
    assert (np.diff(state.scores) <= 0).all()
    assert np.isfinite(embedded["similarity"]).all()
    state.cuts = Cuts()
    assert len(state.rows) == N - 2


def test_the_same_place_on_the_sky_is_not_a_look_alike(collection, embedded):
    state = similar_galaxies(collection)
    ra, dec = np.linspace(10, 20, N), np.full(N, 60.0)
    ra[31], dec[31] = ra[30] + 4 / 3600 / np.cos(np.radians(60)), 60.0  # 4 arcsec away
    ra[29] = np.nan  # nowhere: not the same
    embedded.add_component(ra, "ra")
    embedded.add_component(dec, "dec")
    state.find(embedded, [30])
    assert {29, 31} < set(state.rows)
    state.cuts = Cuts(separation=5)
    assert 29 in state.rows
    assert 31 not in state.rows
    state.cuts = Cuts(separation=3)
    assert 31 in state.rows


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        (Cuts(within=(("nothing", 1),)), "no column of numbers nothing"),
        (Cuts(within=(("kind", 1),)), "no column of numbers kind"),
        (Cuts(separation=2), "no column of numbers ra"),
    ],
)
def test_impossible_cuts_are_explained(collection, embedded, cuts, message):
    state = similar_galaxies(collection)
    with pytest.raises(AnalysisError, match=message):
        answer(replace(state.ask(embedded, [30]), cuts=cuts))


def test_examples_are_one_or_the_other(collection, embedded):
    question = similar_galaxies(collection).ask(embedded, [3, 1], [7])
    more = question.with_examples([7, 3], wanted=False)
    assert (more.like, more.unlike) == ((1,), (3, 7))
    assert more.without_examples([7, 1]) == replace(question, like=(), unlike=(3,))


def test_answer_as_a_table(collection, embedded):
    state = similar_galaxies(collection)
    state.count = 3
    assert len(state.table()) == 0
    state.find(embedded, [30])
    table = state.table()
    assert table.colnames == ["object_id", "rank", "similarity"]
    assert table["object_id"].tolist() == [ids_of_survey()[row] for row in state.rows[:3]]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table.meta["like"] == [ids_of_survey()[30]]


def test_windows_hear_of_an_answer_once_and_complete(collection, embedded):
    state = similar_galaxies(collection)
    heard = []
    state.add_callback("like", lambda like: heard.append((like, state.data, len(state.rows))))
    state.find(embedded, [30])
    assert heard == [((30,), embedded, N - 1)]


def test_nothing_is_kept_alive(survey, store):
    def session():
        data = load(survey)
        attach_embeddings(data, store)
        collection = DataCollection([data])
        state = similar_galaxies(collection)
        state.find(data, [30])
        return [weakref.ref(thing) for thing in (data, collection, state)]

    references = session()
    gc.collect()
    assert [reference() for reference in references] == [None] * 3
