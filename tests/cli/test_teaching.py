"""Teaching from a terminal: a head, predictions, what to label next, the few-label benchmark."""

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.cli import app
from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.errors import AnalysisError
from tests.embedding.stubs import StubEncoder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store of 400 galaxies of two kinds, with their truth in a table beside it."""
    rng = np.random.default_rng(0)
    ids = np.array([f"5877229817413{i:05d}" for i in range(400)], dtype=object)
    ring = rng.random(400) < 0.3
    encoder = StubEncoder()
    vectors = rng.standard_normal((400, encoder.spec.width)).astype(np.float16)
    vectors[ring, 0] += 3
    folder = tmp_path_factory.mktemp("store")
    plan = Plan.freeze(ids)
    store = EmbeddingStore.create(folder / "s", plan, encoder.spec, "float32")
    for shard in plan.shards:
        part = plan.shard_slice(shard)
        store.write(shard, list(vectors[part]), [None] * len(vectors[part]))
    labelled = slice(0, 60)
    table = Table({"objid": ids[labelled].astype(str), "ring": ring[labelled].astype(int)})
    table["kind"] = np.where(ring[labelled], "ring", "disk")
    table["size"] = vectors[labelled, 1].astype(float)
    table.write(folder / "labels.csv")
    return store


@pytest.fixture
def labels(store):
    return store.path.parent / "labels.csv"


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_from_labels_to_predictions(store, labels, tmp_path):
    output = run("train", store.path, "--labels", labels, "--target", "ring", "-o", tmp_path / "ring.head")
    assert "ring from 60 labels" in output
    assert "accuracy 0." in output
    run("predict", store.path, "--head", tmp_path / "ring.head", "-o", tmp_path / "p.ecsv")
    table = Table.read(tmp_path / "p.ecsv")
    assert table.colnames == ["object_id", "ring_prob", "ring_unlike"]
    assert len(table) == 400
    assert table.meta["weights_sha256"] == store.manifest["encoder"]["sha256"]


def test_numbers(store, labels, tmp_path):
    run("train", store.path, "--labels", labels, "--target", "size", "-o", tmp_path / "size.head")
    run(
        "predict",
        store.path,
        "--head",
        tmp_path / "size.head",
        "-o",
        tmp_path / "p.parquet",
        "--coverage",
        0.9,
    )
    table = Table.read(tmp_path / "p.parquet")
    assert table.colnames == ["object_id", "size", "size_lo", "size_hi", "size_unlike"]


def test_what_to_label_next(store, labels, tmp_path):
    given = ("--labels", labels, "--target", "kind", "-n", 7, "-o", tmp_path / "next.csv")
    for mode in ("uncertain", "likely", "unlike"):
        run("suggest", store.path, *given, "--mode", mode)
        table = Table.read(tmp_path / "next.csv", converters={"object_id": [str]})
        assert len(table) == 7
        assert not set(table["object_id"].astype(str)) & set(Table.read(labels)["objid"].astype(str))


def test_labels_need_their_target(store, labels, tmp_path):
    with pytest.raises(AnalysisError, match="together with --target"):
        run("suggest", store.path, "--labels", labels, "-o", tmp_path / "next.csv")


def test_few_label_benchmark(store, tmp_path):
    ids, matrix = store.load()
    table = Table({"object_id": ids.astype(str), "ring": (matrix[:, 0] > 1.5).astype(int)})
    table.write(tmp_path / "truth.csv")
    output = run(
        *("bench", "fewlabels", store.path, "--truth", tmp_path / "truth.csv", "--target", "ring"),
        *("--labels", "10,50", "--seeds", 2, "-o", tmp_path / "b.ecsv", "--figure", tmp_path / "b.png"),
    )
    assert "| 50 | auto |" in output
    assert "accuracy minus that of auto" in output
    assert len(Table.read(tmp_path / "b.ecsv")) == 2 * 2 * 3
    assert (tmp_path / "b.png").stat().st_size > 5000


def test_votes(store, tmp_path):
    ids, matrix = store.load()
    yes = np.random.default_rng(0).binomial(30, 1 / (1 + np.exp(-matrix[:, 0])))
    Table({"object_id": ids.astype(str), "bar_yes": yes, "bar_no": 30 - yes}).write(tmp_path / "gz.csv")
    output = run(
        "train", store.path, "--labels", tmp_path / "gz.csv", "--votes", "bar", "-o", tmp_path / "bar.head"
    )
    assert "bar (400 galaxies)" in output
    run("predict", store.path, "--head", tmp_path / "bar.head", "-o", tmp_path / "p.parquet")
    table = Table.read(tmp_path / "p.parquet")
    assert table.colnames[1:4] == ["bar_yes_fraction", "bar_yes_lo", "bar_yes_hi"]
    assert np.corrcoef(table["bar_yes_fraction"], yes)[0, 1] > 0.7


def test_either_a_target_or_votes(store, labels, tmp_path):
    with pytest.raises(AnalysisError, match="say what to teach"):
        run("train", store.path, "--labels", labels, "-o", tmp_path / "head")


def test_columns_beside_the_image(store, labels, tmp_path):
    ids, matrix = store.load()
    truth = Table({"object_id": ids.astype(str), "colour": np.random.default_rng(0).normal(size=400)})
    truth["redshift"] = np.exp(0.3 * truth["colour"]) * np.exp(0.3 * matrix[:, 1]) / 5
    truth["log_z"] = np.log(truth["redshift"])
    truth.write(tmp_path / "cat.csv")
    head, given = tmp_path / "z.head", ("--labels", tmp_path / "cat.csv", "--target", "redshift")
    plain = run("train", store.path, *given, "-o", tmp_path / "plain.head")
    assert "a redshift, from 400 galaxies" in plain
    assert "σ_MAD" in plain
    said = run("train", store.path, *given, "--inputs", "colour", "-o", head)
    assert "may hold the answer" not in said
    scatter = [float(text.split("σ_MAD ")[1].split()[0]) for text in (plain, said)]
    assert scatter[1] < 0.8 * scatter[0]
    with pytest.raises(AnalysisError, match="was taught with colour beside the images"):
        run("predict", store.path, "--head", head, "-o", tmp_path / "p.ecsv")
    words = ("predict", store.path, "--head", tmp_path / "plain.head", "--table", labels)
    assert "is not used" in run(*words, "-o", tmp_path / "p.ecsv")
    with pytest.raises(AnalysisError, match="has no column colour"):
        run("predict", store.path, "--head", head, "--table", labels, "-o", tmp_path / "p.ecsv")
    run("predict", store.path, "--head", head, "--table", tmp_path / "cat.csv", "-o", tmp_path / "p.ecsv")
    assert Table.read(tmp_path / "p.ecsv").colnames[1:4] == ["redshift", "redshift_lo", "redshift_hi"]
    assert "may hold the answer" in run("train", store.path, *given, "--inputs", "log_z", "-o", head)
