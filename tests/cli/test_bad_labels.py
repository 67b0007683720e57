"""Labels as they come: too few, of one class, of strangers, contradictory; several things at once."""

import re

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.teaching import read_labels
from glue_zoobot.cli import app
from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.errors import AnalysisError, CatalogueError
from glue_zoobot.images.tables import read_table
from tests.embedding.stubs import StubEncoder

N = 120


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Embeddings of galaxies with ids of 19 digits, the last without a picture."""
    rng = np.random.default_rng(0)
    ids = np.array([str(1237648720142401611 + i) for i in range(N)], dtype=object)
    encoder, plan = StubEncoder(), Plan.freeze(ids)
    vectors = rng.standard_normal((N, encoder.spec.width)).astype(np.float16)
    vectors[: N // 3, 0] += 4
    store = EmbeddingStore.create(tmp_path_factory.mktemp("store") / "s", plan, encoder.spec, "float32")
    whole = [None if i == N - 1 else vector for i, vector in enumerate(vectors)]
    reasons = ["broken" if vector is None else None for vector in whole]
    for shard in plan.shards:
        part = plan.shard_slice(shard)
        store.write(shard, whole[part], reasons[part])
    return store


@pytest.fixture
def ids():
    return np.array([str(1237648720142401611 + i) for i in range(N)])


def train(store, table, folder, *more, target="ring"):
    table.write(folder / "labels.csv", overwrite=True)
    words = ["train", store.path, "--labels", folder / "labels.csv", "--target", target, *more]
    return CliRunner().invoke(app, [str(w) for w in [*words, "-o", folder / "head"]])


def rings(ids, rows):
    rows = np.asarray(rows)
    return Table({"object_id": ids[rows], "ring": np.where(rows < N // 3, "ring", "disk")})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (range(10), "all 10 labels are 'ring'; also label galaxies that are something else"),
        ([3], "1 label: too few"),
    ],
)
def test_too_little(store, ids, tmp_path, rows, message):
    result = train(store, rings(ids, list(rows)), tmp_path)
    assert isinstance(result.exception, AnalysisError)
    assert message in str(result.exception)
    assert not (tmp_path / "head").exists()


def test_a_class_of_two_members(store, ids, tmp_path):
    result = train(store, rings(ids, [0, 1, *range(60, 100)]), tmp_path)
    assert result.exit_code == 0, result.output
    assert "2 ring" in result.output


def test_missing_values_are_no_labels(store, ids, tmp_path):
    size = np.where(np.arange(N) < 60, np.linspace(1, 3, N), np.nan)
    table = Table({"object_id": ids, "size": size})
    assert "from 60 galaxies" in train(store, table, tmp_path, target="size").output
    table["size"] = np.nan
    result = train(store, table, tmp_path, target="size")
    assert "is empty" in str(result.exception)


@pytest.mark.parametrize(
    ("kind", "message"), [("number", "nothing to learn from a constant"), ("classes", "all 60")]
)
def test_constant(store, ids, tmp_path, kind, message):
    table = Table({"object_id": ids[:60], "size": np.full(60, 2.5)})
    result = train(store, table, tmp_path, "--kind", kind, target="size")
    assert message in str(result.exception)


def test_ids_are_no_classes(store, ids, tmp_path):
    table = Table({"object_id": ids, "ring": [f"{name}.jpg" for name in ids]})
    message = str(train(store, table, tmp_path).exception)
    assert "the 119 labels are 119 different ones (1237648720142401611.jpg" in message


def test_an_output_that_cannot_be_is_told_before_anything_is_learned(store, ids, tmp_path):
    (tmp_path / "head").write_text("a file")
    table = rings(ids, [*range(20), *range(60, 80)])
    table.write(tmp_path / "labels.csv")
    words = ["train", store.path, "--labels", tmp_path / "labels.csv", "--target", "ring"]
    result = CliRunner().invoke(app, [str(w) for w in [*words, "-o", tmp_path / "head" / "ring"]])
    assert "choose another" in str(result.exception)
    assert "accuracy" not in result.output


def test_strangers_are_named_and_left_out(store, ids, tmp_path):
    table = rings(ids, [*range(20), *range(60, 80), N - 1])
    table["object_id"][0] = "1237648720142409999"
    result = train(store, table, tmp_path)
    assert "2 labelled galaxies have no embedding here (1237648720142409999 …)" in result.output
    table["object_id"] = np.arange(len(table)) + 5
    message = str(train(store, table, tmp_path).exception)
    assert "labels of another catalogue?" in message
    assert f"of {tmp_path / 'labels.csv'} (5 …, by column 'object_id')" in message
    assert f"galaxies here ({ids[0]} …)" in message
    table.rename_column("object_id", "whatever")
    assert "call it object_id" in str(train(store, table, tmp_path).exception)


def test_what_is_no_table_of_labels_or_lacks_the_column_is_named(store, ids, tmp_path):
    message = str(train(store, rings(ids, range(50)), tmp_path, target="rings").exception)
    assert message.startswith(str(tmp_path / "labels.csv"))
    assert message.endswith("nearest: ring")
    (tmp_path / "g.jpg").touch()
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "g.jpg", "or a log (.jsonl)")):
        with pytest.raises(AnalysisError, match=re.escape(said)):
            read_labels(path, "ring")
    (tmp_path / "g.txt.png").write_bytes(b"no table")
    with pytest.raises(CatalogueError, match="is no table: one ends in"):
        read_table(tmp_path / "g.txt.png")


def test_ids_that_lost_their_digits_are_refused_or_are_strangers(store, ids, tmp_path):
    table = rings(ids, [*range(20), *range(60, 80)])
    table["object_id"] = table["object_id"].astype(np.int64).astype(float)
    result = train(store, table, tmp_path)
    assert isinstance(result.exception, AnalysisError | CatalogueError)
    assert not (tmp_path / "head").exists()


def test_contradictions_are_told_and_the_last_label_counts(store, ids, tmp_path):
    table = rings(ids, [*range(20), *range(60, 80), 0])
    table["ring"][-1] = "disk"
    result = train(store, table, tmp_path)
    assert f"1 galaxies have contradictory labels ({ids[0]})" in result.output
    labels = read_labels(tmp_path / "labels.csv", "ring")
    assert labels[ids[0]] == "disk"
    log = LabelLog(tmp_path / "log.jsonl")
    for value in ("yes", "no"):
        log.label(ids[1], value, "ring")
    assert read_labels(tmp_path / "log.jsonl", "ring").contradictory == (ids[1],)


def test_all_labels_are_held_out(store, ids, tmp_path):
    from glue_zoobot.analysis.fewlabels import held_out

    aside = np.flatnonzero(held_out(ids))
    rings(ids, aside).write(tmp_path / "labels.csv")
    words = ["bench", "fewlabels", store.path, "--truth", tmp_path / "labels.csv", "--target", "ring"]
    result = CliRunner().invoke(app, [str(w) for w in [*words, "-o", tmp_path / "b.csv"]])
    assert f"leave {len(aside)} to measure by and 0 to draw from" in str(result.exception)


def test_several_things_at_once(store, ids, tmp_path):
    table = rings(ids, range(100))
    table["ring"] = (np.arange(100) < N // 3).astype(int)
    table["barred"] = (np.arange(100) % 2).astype(int)
    result = train(store, table, tmp_path, "--target", "barred")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "head").iterdir()) == ["barred", "ring"]
    words = ["predict", store.path, "--head", tmp_path / "head", "-o", tmp_path / "p.ecsv"]
    assert CliRunner().invoke(app, [str(w) for w in words]).exit_code == 0
    found = Table.read(tmp_path / "p.ecsv")
    assert found.colnames == ["object_id", "barred_prob", "barred_unlike", "ring_prob", "ring_unlike"]
    assert np.median(found["ring_prob"][:30]) > 0.5 > np.median(found["ring_prob"][60:])
