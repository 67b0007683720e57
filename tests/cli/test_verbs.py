"""The verbs as a user types them: files made, words said, exit status."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet
import pytest
from astropy.table import Table

from glue_zoobot import __version__
from glue_zoobot.cli import main
from glue_zoobot.images.simulated import write_sample


def test_version(call):
    assert call("--version").output.strip() == f"glue-zoobot {__version__}"


def test_embed_says_what_it_found_and_what_is_broken(call, sample, tmp_path):
    result = call("embed", sample, "--store", tmp_path / "s", "--encoder", "mini")
    words = " ".join(result.output.split())
    assert result.exit_code == 0
    assert "24 images" in words
    assert "22 embedded, 2 broken" in words
    assert "SIM-000003: a web page" in words
    assert "SIM-000005: no such file" in words


def test_embed_as_json_lines(call, sample, tmp_path):
    result = call("embed", sample, "--store", tmp_path / "s", "--encoder", "mini", "--json")
    events = [json.loads(line) for line in result.output.splitlines()]
    assert events[0]["event"] == "found"
    assert events[0]["images"] == 24
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == 24
    assert progress[-1]["broken"] == 2
    assert events[-1]["event"] == "done"
    assert events[-1]["embedded"] == 22


def test_a_finished_store_is_not_made_again(call, sample, store):
    shards = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    assert call("embed", sample, "--store", store, "--encoder", "mini").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")} == shards


def test_a_store_of_another_catalogue_is_refused(call, store, tmp_path):
    other = write_sample(tmp_path / "other", n=3)
    result = call("embed", other, "--store", store, "--encoder", "mini", "--json")
    assert result.exit_code == 1
    event = json.loads(result.output.splitlines()[-1])
    assert event["event"] == "error"
    assert "24 galaxies" in event["message"]
    assert "3 galaxies" in event["message"]


def test_status_lists_every_broken_image(call, store):
    output = call("status", store, "--list").output
    assert "22 embedded, 2 broken" in output
    assert "SIM-000003" in output
    assert "1 of 1 shards" in output


def test_verify_reads_and_recomputes(call, sample, store):
    result = call("verify", store, "--source", sample)
    assert result.exit_code == 0, result.output
    assert "every shard is whole" in result.output


def test_verify_names_a_damaged_shard(failure, store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "copy")
    shard = next(copy.glob("shards/*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-100])
    assert shard.name in failure("verify", copy)


def test_export(call, store, tmp_path):
    assert call("export", store, "-o", tmp_path / "e.parquet").exit_code == 0
    table = pyarrow.parquet.read_table(tmp_path / "e.parquet")
    assert table.column_names == ["object_id", "embedding"]
    assert table.num_rows == 22


def test_export_is_parquet_and_nothing_else(failure, store, tmp_path):
    assert ".parquet" in failure("export", store, "-o", tmp_path / "e.csv")
    assert not (tmp_path / "e.csv").exists()


def test_embed_goes_on_with_the_encoder_of_the_store(call, sample, store):
    result = call("embed", sample, "--store", store)
    assert result.exit_code == 0, result.output
    assert "by mini" in " ".join(result.output.split())


def test_another_rendering_of_the_same_files_is_refused(call, sample, store):
    result = call("embed", sample, "--store", store, "--preset", "sdss", "--json")
    assert result.exit_code == 1
    assert "--preset auto" in json.loads(result.output.splitlines()[-1])["message"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits", ".vot"])
def test_similar_in_every_format(call, store, tmp_path, suffix):
    out = tmp_path / f"similar{suffix}"
    result = call("similar", store, "--to", "SIM-000000", "--unlike", "SIM-000001", "-k", "5", "-o", out)
    assert result.exit_code == 0, result.output
    table = (
        Table(dict(pyarrow.parquet.read_table(out).to_pydict())) if suffix == ".parquet" else Table.read(out)
    )
    assert table.colnames == ["object_id", "rank", "similarity"]
    assert list(table["rank"]) == [1, 2, 3, 4, 5]
    assert np.all(np.diff(table["similarity"]) <= 0)
    assert not {"SIM-000000", "SIM-000001"} & set(np.asarray(table["object_id"]).astype(str))


def test_similar_carries_its_provenance(call, store, tmp_path):
    call("similar", store, "--to", "SIM-000000", "-o", tmp_path / "s.ecsv")
    meta = Table.read(tmp_path / "s.ecsv").meta
    assert meta["encoder"] == "mini"
    assert len(meta["weights_sha256"]) == 64
    assert meta["like"] == "SIM-000000"


def test_similar_to_a_galaxy_without_embedding(failure, store, tmp_path):
    message = failure("similar", store, "--to", "SIM-000003", "-o", tmp_path / "s.csv")
    assert "SIM-000003" in message


def test_an_unknown_suffix_is_refused_before_the_work(failure, store, tmp_path):
    assert ".parquet" in failure("similar", store, "--to", "SIM-000000", "-o", tmp_path / "s.xlsx")


@pytest.mark.usefixtures("quick_umap")
@pytest.mark.parametrize("method", ["pca", "umap"])
def test_map(call, store, tmp_path, method):
    out = tmp_path / "map.csv"
    assert call("map", store, "--method", method, "-o", out).exit_code == 0
    table = Table.read(out)
    assert table.colnames == ["object_id", "map_x", "map_y"]
    assert len(table) == 22
    assert np.isfinite(table["map_x"]).all()


def test_encoders_are_listed(call):
    output = call("encoders").output
    assert "mini" in output
    assert "convnext_nano" in output


def test_bad_usage_is_status_2(call, sample, tmp_path):
    assert call("embed", sample).exit_code == 2
    assert call("embed", sample, "--store", tmp_path / "s", "--shards", "x").exit_code == 2


def test_a_missing_store_ends_with_a_message_and_status_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["glue-zoobot", "status", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "no embedding store" in " ".join(capsys.readouterr().err.split())
