"""Ranking from a terminal: tables with provenance, logs of ratings, the benchmark."""

import csv

import numpy as np
import pytest
from astropy.table import Table
from typer.testing import CliRunner

from glue_zoobot.analysis import LabelLog
from glue_zoobot.cli import app
from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.errors import AnalysisError
from tests.embedding.stubs import StubEncoder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store of 500 galaxies, of which every 25th is apart from the others; ids of 18 digits."""
    rng = np.random.default_rng(0)
    ids = np.array([f"5877229817413{i:05d}" for i in range(500)], dtype=object)
    encoder = StubEncoder()
    vectors = rng.standard_normal((500, encoder.spec.width)).astype(np.float16)
    vectors[::25, 0] += 6
    plan = Plan.freeze(ids)
    store = EmbeddingStore.create(tmp_path_factory.mktemp("store") / "s", plan, encoder.spec, "float32")
    for shard in plan.shards:
        part = plan.shard_slice(shard)
        store.write(shard, list(vectors[part]), [None] * len(vectors[part]))
    return store


@pytest.fixture
def log(store, tmp_path):
    log = LabelLog(tmp_path / "ratings.jsonl", who="ada")
    ids = store.load()[0]
    for row in [0, 25, 50, 75, *range(1, 20)]:
        log.rate(ids[row], 5 if row % 25 == 0 else 0)
    return log


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_anomalies_rank_every_galaxy(store, tmp_path):
    output = run("anomalies", store.path, "--method", "isolation_forest", "-o", tmp_path / "a.ecsv")
    table = Table.read(tmp_path / "a.ecsv")
    assert table.colnames == ["object_id", "anomaly_score", "anomaly_rank"]
    np.testing.assert_array_equal(table["anomaly_rank"], np.arange(1, 501))
    assert table.meta["encoder"] == store.encoder_name
    assert "isolation forest" in table.meta["methods"]
    assert table.meta["methods"] in output


@pytest.mark.parametrize("suffix", ["ecsv", "vot", "parquet"])
def test_ranks_by_interest_with_provenance(store, log, tmp_path, suffix):
    path = tmp_path / f"ranks.{suffix}"
    output = run("anomalies", store.path, "--ratings", log.path, "-o", path)
    assert "23 ratings from 0 to 5, of which 4 were 3 or more" in output
    table = Table.read(path)
    assert {"interest_score", "interest_rank"} <= set(table.colnames)
    assert sum(str(name).endswith(("00", "25", "50", "75")) for name in table["object_id"][:20]) >= 15
    if suffix == "ecsv":
        assert table.meta["ratings"] == "23"
        assert table.meta["weights_sha256"]


def test_ratings_of_unknown_ids_are_said_and_not_used(store, log, tmp_path):
    log.rate("somebody else's galaxy", 5)
    output = run("anomalies", store.path, "--ratings", log.path, "-o", tmp_path / "a.csv")
    assert "1 rated galaxies have no embedding here" in output
    other = LabelLog(tmp_path / "other.jsonl")
    other.rate("x", 1)
    with pytest.raises(AnalysisError, match="ratings of another catalogue"):
        run("anomalies", store.path, "--ratings", other.path, "-o", tmp_path / "a.csv")


def test_what_a_score_goes_along_with_is_reported(store, tmp_path):
    ids = store.load()[0]
    with (tmp_path / "columns.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("object_id", "mag", "name"),
                *((name, 20 - 5 * (i % 25 == 0), "x") for i, name in enumerate(ids)),
            ]
        )
    output = run(
        "anomalies", store.path, "-o", tmp_path / "a.csv", "--columns", tmp_path / "columns.csv", "--top", 20
    )
    assert "mag: top" in output
    assert "are not in" not in output
    table = Table.read(tmp_path / "columns.csv")
    table[5:].write(tmp_path / "fewer.csv")
    words = ("anomalies", store.path, "--columns", tmp_path / "fewer.csv", "-o")
    assert f"5 of {len(ids):,} galaxies ({ids[0]} …) are not in" in run(*words, tmp_path / "a.csv")
    table["object_id"] = [f"zz{i}" for i in range(len(table))]
    table.write(tmp_path / "fewer.csv", overwrite=True)
    with pytest.raises(AnalysisError, match=rf"\({ids[0]} …\) is in .*fewer.csv \(zz0 …\)"):
        run(*words, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_suggest_begins_and_goes_on(store, log, tmp_path):
    run("suggest", store.path, "-n", 5, "-o", tmp_path / "first.csv")
    assert len(Table.read(tmp_path / "first.csv")) == 5
    ids = store.load()[0]
    run("suggest", store.path, "--example", ids[25], "-o", tmp_path / "first.ecsv")
    assert str(Table.read(tmp_path / "first.ecsv")["object_id"][0]) == ids[25]
    run("suggest", store.path, "--ratings", log.path, "-o", tmp_path / "next.ecsv")
    table = Table.read(tmp_path / "next.ecsv", format="ascii.ecsv")
    assert not set(map(str, table["object_id"])) & set(log.current())
    np.testing.assert_array_equal(table["order"], np.arange(1, 11))


def test_logs_are_merged_compared_exported_and_imported(log, tmp_path):
    other = LabelLog(tmp_path / "bob.jsonl", who="bob")
    first = next(iter(log.current()))
    other.rate(first, 4)
    assert "1 galaxies rated by both" in run("rate", "agree", log.path, other.path)
    assert "23 galaxies rated" in run("rate", "merge", log.path, other.path, "-o", tmp_path / "all.jsonl")
    assert f"{first}: ada 5, bob 4" in run("rate", "agree", tmp_path / "all.jsonl")
    run("rate", "export", tmp_path / "all.jsonl", "-o", tmp_path / "all.csv")
    new = tmp_path / "new.jsonl"
    assert "23 new ratings of 23" in run("rate", "import", tmp_path / "all.csv", "--log", new)
    assert LabelLog(new).current() == LabelLog(tmp_path / "all.jsonl").current()
    with pytest.raises(AnalysisError, match="no such log"):
        run("rate", "agree", tmp_path / "absent.jsonl")


def test_bench_compares_methods_on_the_same_starts(store, tmp_path):
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ("object_id", "kind"),
                *((n, "odd" if i % 25 == 0 else "plain") for i, n in enumerate(store.load()[0])),
            ]
        )
    output = run(
        *("bench", "interest", store.path, "--labels", tmp_path / "truth.csv", "--truth", "kind"),
        *("--value", "odd", "--seeds", 2, "--method", "default", "--method", "random"),
        *("-o", tmp_path / "runs.ecsv", "--figure", tmp_path / "found.png"),
    )
    assert "20 of 500 galaxies are interesting" in output
    runs = Table.read(tmp_path / "runs.ecsv")
    default, random = (runs[runs["method"] == name] for name in ("default", "random"))
    assert len(default) == len(random) == 2
    assert default["found"].mean() > 2 * random["found"].mean()
    assert (tmp_path / "found.png").stat().st_size > 1000


def test_an_audit_says_how_many_are_left(store, log, tmp_path):
    path = tmp_path / "audit.csv"
    assert "60 picks" in run("rate", "audit", store.path, "--ratings", log.path, "-n", 60, "-o", path)
    table = Table.read(path, converters={"object_id": str})
    row_of = {name: row for row, name in enumerate(store.load()[0])}
    assert not set(table["object_id"]) & set(log.current())
    with pytest.raises(AnalysisError, match="rate the picks"):
        run("rate", "left", path, "--ratings", log.path)
    for name in table["object_id"][table["pick"] > 0]:
        log.rate(name, 5 if row_of[name] % 25 == 0 else 0)
    output = run("rate", "left", path, "--ratings", log.path, "--top", 30)
    found = sum(value == 5 for value in log.current().values())
    assert f"{found} interesting galaxies found" in output
    assert "top 30 of those unrated before the audit: purity" in output
    run("rate", "export", log.path, "-o", tmp_path / "r.csv")
    with pytest.raises(AnalysisError, match="no audit"):
        run("rate", "left", tmp_path / "r.csv", "--ratings", log.path)
