"""A session saved today answers questions tomorrow, also somewhere else."""

import json
import shutil
import tarfile

import numpy as np
import pytest
from astropy.table import Table
from glue.core import Data, DataCollection
from glue.core.data_factories import load_data
from glue.core.state import GlueSerializer, GlueUnSerializer
from PIL import Image

from glue_zoobot import setup
from glue_zoobot.catalog import (
    add_map,
    attach_embeddings,
    attach_images,
    embeddings_of,
    images_of,
    load,
    object_ids_of,
    similar_galaxies,
    source_of,
    why_no_embeddings,
)
from glue_zoobot.errors import AnalysisError, CatalogueError, ImageError
from glue_zoobot.tables import write_table
from tests.catalog.conftest import N, ids_of_survey, vectors, write_store, write_survey


def save(collection, path, absolute_paths=False, include_data=False):
    """What glue writes, in the folder of the session as glue does, without windows."""
    saver = GlueSerializer(collection, include_data=include_data, absolute_paths=absolute_paths)
    path.write_text(saver.dumps())


def restore(path):
    return GlueUnSerializer.loads(path.read_text()).object("__main__")


@pytest.fixture
def project(collection, embedded, survey, monkeypatch):
    """A project folder: catalogue, images, store, and a session with an answer in it."""
    monkeypatch.chdir(survey.parent)
    state = similar_galaxies(collection)
    state.count = 4
    state.find(embedded, [30], unlike=[50])
    state.keep("kept")
    add_map(embedded)
    save(collection, survey.parent / "session.glu")
    return survey.parent


def members(group):
    return np.flatnonzero(group.subsets[0].to_mask()).tolist()


def check_alive(collection, expected_rows):
    data = collection[0]
    assert embeddings_of(data).matrix.shape == (N, 16)
    assert images_of(data).read(17)[0, 0].tolist() == [17, 17, 17]
    assert object_ids_of(data).tolist() == ids_of_survey()
    state = similar_galaxies(collection)
    assert state.rows[:4].tolist() == expected_rows
    labels = [component.label for component in data.components]
    group = state.find(data, [10])
    assert [component.label for component in data.components] == labels
    assert [g.label for g in collection.subset_groups] == ["Similar galaxies", "kept"]
    assert members(group) == [8, 9, 11, 12]
    assert members(collection.subset_groups[1]) == sorted(expected_rows)


def test_everything_is_there_again(project, collection):
    expected = similar_galaxies(collection).rows[:4].tolist()
    check_alive(restore(project / "session.glu"), expected)


def test_everything_is_there_again_in_a_moved_folder(project, collection, monkeypatch):
    expected = similar_galaxies(collection).rows[:4].tolist()
    moved = project.parent / "elsewhere" / "renamed"
    moved.parent.mkdir()
    shutil.move(project, moved)
    monkeypatch.chdir(moved)
    check_alive(restore(moved / "session.glu"), expected)
    data = restore(moved / "session.glu")[0]
    assert source_of(data).path == str(moved / "survey.csv")
    assert embeddings_of(data).path == moved / "survey.csv.embeddings" / "test"


def test_the_question_is_taken_up(project):
    collection = restore(project / "session.glu")
    state = similar_galaxies(collection)
    assert (state.data, state.like, state.unlike) == (collection[0], (30,), (50,))
    assert (state.count, state.metric) == (4, "cosine")
    state.count = 6
    assert len(members(state.group)) == 6


def test_a_restored_session_can_be_saved_again(project, collection):
    expected = similar_galaxies(collection).rows[:4].tolist()
    save(restore(project / "session.glu"), project / "again.glu")
    check_alive(restore(project / "again.glu"), expected)


def test_the_session_holds_stock_objects_and_no_columns_of_the_file(project):
    text = (project / "session.glu").read_text()
    assert len(text) < 60_000
    types = {record.get("_type") for record in json.loads(text).values() if isinstance(record, dict)}
    assert not [name for name in types if "zoobot" in str(name)]
    assert str(project) not in text


def test_a_lost_store_is_a_reason_not_an_error(project):
    shutil.rmtree(project / "survey.csv.embeddings")
    collection = restore(project / "session.glu")
    assert embeddings_of(collection[0]) is None
    assert "survey.csv.embeddings" in why_no_embeddings(collection[0])
    assert images_of(collection[0]) is not None
    state = similar_galaxies(collection)
    assert len(state.rows) == N - 2
    state.count = 2
    assert len(members(state.group)) == 2
    with pytest.raises(AnalysisError, match="embeddings of survey"):
        state.find(collection[0], [1])
    write_store(project / "survey.csv.embeddings" / "test", ids_of_survey(), vectors())
    assert embeddings_of(collection[0]) is not None
    assert why_no_embeddings(collection[0]) == ""


def test_lost_images_do_not_stop_the_rest(project):
    labels = [component.label for component in restore(project / "session.glu")[0].components]
    shutil.rmtree(project / "images")
    collection = restore(project / "session.glu")
    assert [component.label for component in collection[0].components] == labels
    assert similar_galaxies(collection).find(collection[0], [3])
    with pytest.raises(ImageError, match=ids_of_survey()[3]):
        images_of(collection[0]).read(3)
    with pytest.raises(CatalogueError, match="image"):
        load(project / "survey.csv")


def test_lost_images_of_a_table_without_ids_do_not_stop_the_rest(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "images", "ab")
    Table({"file": ["a.png", "b.png"], "size": [1.0, 2.0]}).write(tmp_path / "survey.csv")
    monkeypatch.chdir(tmp_path)
    data = load(tmp_path / "survey.csv", image_root=folder)
    save(DataCollection([data]), tmp_path / "session.glu")
    shutil.rmtree(folder)
    again = restore(tmp_path / "session.glu")[0]
    assert object_ids_of(again).tolist() == object_ids_of(data).tolist() == ["a", "b"]
    assert list(again["size"]) == [1.0, 2.0]


def test_a_moved_session_with_absolute_paths_finds_its_data(collection, survey, monkeypatch):
    project = survey.parent
    similar_galaxies(collection).find(collection[0], [30])
    (project / "sessions").mkdir()
    save(collection, project / "sessions" / "session.glu", absolute_paths=True)
    moved = project.parent / "moved"
    shutil.move(project, moved)
    monkeypatch.chdir(moved / "sessions")
    data = restore(moved / "sessions" / "session.glu")[0]
    assert source_of(data).path == str(moved / "survey.csv")
    assert len(embeddings_of(data)) == N


def write_folder(folder, names):
    folder.mkdir()
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize(
    ("others", "text"),
    [("cd", "0 of 2 ids of the session are in"), ("abc", "has 3 galaxies, and the session was saved with 2")],
)
def test_other_galaxies_do_not_stand_in_for_those_of_the_session(tmp_path, monkeypatch, others, text):
    from glue_zoobot.catalog import moved

    collection = DataCollection([load(write_folder(tmp_path / "one", "ab"))])
    collection[0].add_component(np.arange(2.0), "kept in the session")
    monkeypatch.chdir(tmp_path)
    save(collection, tmp_path / "session.glu")
    right, wrong = (tmp_path / "one").rename(tmp_path / "moved"), write_folder(tmp_path / "two", others)
    shown, problems = [right, wrong], []
    monkeypatch.setattr(moved, "ask", lambda lost, problem: problems.append(problem) or shown.pop())
    data = restore(tmp_path / "session.glu")[0]
    assert object_ids_of(data).tolist() == ["a", "b"]
    assert source_of(data).path == str(right)
    assert problems[0] == ""
    assert text in problems[1]
    shown[:] = [None, wrong]
    with pytest.raises(CatalogueError, match="put it back"):
        restore(tmp_path / "session.glu")


@pytest.mark.parametrize("container", ["table.parquet", "hats"])
def test_moved_tables_without_images_are_read_as_what_they_are(tmp_path, monkeypatch, container):
    from glue_zoobot.catalog import moved

    folder = tmp_path / "here" / "hats" / "dataset" / "Norder=0" / "Dir=0"
    folder.mkdir(parents=True)
    (tmp_path / "here" / "hats" / "hats.properties").write_text("hats_col_ra=RA\nhats_col_dec=DEC\n")
    table = Table({"object_id": ["a", "b"], "RA": [0.1, 0.2], "DEC": [0.1, 0.2]})
    for path in (folder / "Npix=4.parquet", tmp_path / "here" / "table.parquet"):
        write_table(table, path)
    setup()
    session = DataCollection([load_data(str(tmp_path / "here" / container))])
    monkeypatch.chdir(tmp_path)
    save(session, tmp_path / "session.glu")
    there = (tmp_path / "here").rename(tmp_path / "there")
    monkeypatch.setattr(moved, "ask", lambda lost, problem: None if problem else there / container)
    assert list(restore(tmp_path / "session.glu")[0]["RA"]) == [0.1, 0.2]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_moved_session_finds_the_tar_files_of_a_pattern(tmp_path, monkeypatch, absolute):
    project = tmp_path / "here"
    project.mkdir()
    for k in range(2):
        Image.new("RGB", (9, 9), (40 * k, 9, 9)).save(tmp_path / "a.png")
        with tarfile.open(project / f"data-{k}.tar", "w") as archive:
            archive.add(tmp_path / "a.png", f"g{k}.png")
    monkeypatch.chdir(project)
    data = load(project / "data-{0..1}.tar")
    save(DataCollection([data]), project / "session.glu", absolute_paths=absolute)
    moved = project.rename(tmp_path / "there")
    monkeypatch.chdir(moved)
    again = restore(moved / "session.glu")[0]
    assert source_of(again).path == str(moved / "data-{0..1}.tar")
    assert len(images_of(again)) == 2


def test_a_store_that_has_grown(project, tmp_path):
    ids = ids_of_survey()
    shutil.rmtree(project / "survey.csv.embeddings" / "test")
    write_store(
        project / "survey.csv.embeddings" / "test", [*ids, "another"], np.vstack([vectors(), vectors(1)])
    )
    assert len(embeddings_of(restore(project / "session.glu")[0])) == N


def test_absolute_paths(collection, embedded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(collection, tmp_path / "session.glu", absolute_paths=True)
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    data = restore(tmp_path / "session.glu")[0]
    assert images_of(data) is not None
    assert len(embeddings_of(data)) == N


def test_options_survive_and_move_with_the_folder(survey, monkeypatch):
    project = survey.parent
    (project / "tables").mkdir()
    moved_table = project / "tables" / "survey.csv"
    survey.rename(moved_table)
    data = load(moved_table, image_root=project, id_column="file")
    monkeypatch.chdir(project)
    save(DataCollection([data]), project / "session.glu")
    elsewhere = project.rename(project.with_name("elsewhere"))
    monkeypatch.chdir(elsewhere)
    again = restore(elsewhere / "session.glu")[0]
    assert object_ids_of(again)[4] == "images/4.png"
    assert images_of(again).read(4)[0, 0, 0] == 4


def test_an_array_stack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stack = np.arange(N, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "stack.npy", stack)
    write_store(tmp_path / "stack.npy.embeddings", [str(row) for row in range(N)], vectors())
    data = load(tmp_path / "stack.npy")
    attach_embeddings(data, tmp_path / "stack.npy.embeddings")
    collection = DataCollection([data])
    similar_galaxies(collection).find(data, [30])
    save(collection, tmp_path / "session.glu")
    again = restore(tmp_path / "session.glu")
    assert similar_galaxies(again).find(again[0], [3])
    assert images_of(again[0]).read(7).max() == 7


def test_glue_own_table_with_things_attached(survey, store, monkeypatch):
    monkeypatch.chdir(survey.parent)
    from glue.core.data_factories import tabular_data

    data = load_data(str(survey), factory=tabular_data)
    assert images_of(data) is None
    assert attach_images(data, survey) == N
    assert attach_embeddings(data, store) == N
    collection = DataCollection([data])
    similar_galaxies(collection).find(data, [30])
    save(collection, survey.parent / "s.glu")
    again = restore(survey.parent / "s.glu")
    assert images_of(again[0]).read(3)[0, 0, 0] == 3
    assert set(similar_galaxies(again).rows[:2]) == {29, 31}
    similar_galaxies(again).find(again[0], [5])


def test_table_made_in_memory_and_saved_with_the_session(survey, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = Data(label="memory", object_id=ids_of_survey()[::-1], x=np.arange(N))
    attach_images(data, survey)
    attach_embeddings(data, store)
    assert images_of(data).read(0)[0, 0, 0] == N - 1
    save(DataCollection([data]), tmp_path / "s.glu")
    again = restore(tmp_path / "s.glu")[0]
    assert images_of(again).read(0)[0, 0, 0] == N - 1
    assert len(embeddings_of(again)) == N


def merge_with_photometry(collection):
    collection.append(Data(label="photometry", g=np.arange(N) * 1.0))
    collection.merge(*collection)
    return collection[0]


def test_merged_data_go_on(collection, embedded):
    state = similar_galaxies(collection)
    group = state.find(embedded, [30])
    merged = merge_with_photometry(collection)
    assert state.data is None
    assert images_of(merged).read(4)[0, 0, 0] == 4
    assert state.find(merged, [10]) is group
    assert set(state.rows[:2]) == {9, 11}


def test_merged_data_of_a_restored_session_go_on_or_say_what_to_do(project):
    store = project / "survey.csv.embeddings" / "test"
    collection = restore(project / "session.glu")
    merged = merge_with_photometry(collection)
    assert images_of(merged).read(4)[0, 0, 0] == 4
    state = similar_galaxies(collection)
    assert members(state.find(merged, [30])) == sorted(state.rows[: state.count])

    store.rename(project / "store")  # no longer where it is found by itself
    collection = restore(project / "session.glu")
    merged = merge_with_photometry(collection)
    assert "attach" in why_no_embeddings(merged)
    attach_embeddings(merged, project / "store")
    assert similar_galaxies(collection).find(merged, [30])


def test_two_datasets_with_stores_of_their_own(project, monkeypatch):
    collection = restore(project / "session.glu")
    other = load(write_survey(project / "second", n=10))
    write_store(project / "second" / "store", ids_of_survey(10), vectors(10))
    attach_embeddings(other, project / "second" / "store")
    collection.append(other)
    similar_galaxies(collection).find(other, [5])
    save(collection, project / "two.glu")
    again = restore(project / "two.glu")
    assert [len(embeddings_of(data)) for data in again] == [N, 10]
    state = similar_galaxies(again)
    assert state.data is again[1]
    assert state.find(again[0], [30]) is state.group
