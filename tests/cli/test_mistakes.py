"""What a user is told who names the wrong thing: what happened, to which file, what to do next."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from glue_zoobot import cli
from glue_zoobot.images.simulated import write_sample


@pytest.fixture
def broken(tmp_path):
    """A folder with nothing but failed downloads."""
    for k in range(12):
        (tmp_path / "broken").mkdir(exist_ok=True)
        (tmp_path / "broken" / f"g{k}.jpg").write_text("<html>404</html>")
    return tmp_path / "broken"


@pytest.mark.parametrize(
    "verb", ["demo", "open", "check", "embed", "status", "verify", "export", "similar", "map"]
)
def test_help_has_an_example_and_defaults(call, verb):
    result = call(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: glue-zoobot {verb}" in " ".join(result.output.split())


def test_the_store_inside_the_folder_of_stores_is_found(call, failure, store, tmp_path):
    source = tmp_path / "galaxies.csv"
    source.touch()
    shutil.copytree(store, tmp_path / "galaxies.csv.embeddings" / "mini")
    for named in (
        source,
        tmp_path / "galaxies.csv.embeddings",
        tmp_path / "galaxies.csv.embeddings" / "mini",
    ):
        assert "22 embedded" in call("status", named).output
    shutil.copytree(store, tmp_path / "galaxies.csv.embeddings" / "other")
    message = failure("status", source)
    assert "2 stores" in message
    assert "galaxies.csv.embeddings/mini" in message


def test_a_store_is_no_source_and_a_source_no_store(failure, sample, store, tmp_path):
    assert "holds embeddings" in failure("check", store)
    assert "holds no embedding store" in failure("similar", sample, "--to", "x", "-o", tmp_path / "s.csv")


def test_nothing_is_left_to_do(call, sample, store):
    output = " ".join(call("embed", sample, "--store", store, "--device", "cuda").output.split())
    assert "Nothing to do" in output
    assert "device cuda is not used" in output


@pytest.mark.parametrize(
    "words", [["similar", "--to", "SIM-000000"], ["map"], ["export"], ["anomalies"], ["suggest"]]
)
def test_folders_of_results_are_made_and_said(call, store, tmp_path, words):
    out = tmp_path / "new" / "deep" / "result.parquet"
    result = call(words[0], store, *words[1:], "-o", out)
    assert result.exit_code == 0, result.exception
    assert f"Made the folder {out.parent}" in result.output.replace("\n", "")
    assert out.exists()


def test_results_that_cannot_be_written_are_refused_before_the_work(failure, tmp_path):
    (tmp_path / "file").touch()
    nowhere = tmp_path / "no store"
    assert "choose another" in failure("map", nowhere, "-o", tmp_path / "file" / "m.csv")
    assert "is a folder" in failure("map", nowhere, "-o", tmp_path)


@pytest.fixture
def refused(call):
    """Embed in vain; gives the message."""

    def refuse(*words):
        event = json.loads(call("embed", *words, "--json").stdout.splitlines()[-1])
        assert event["event"] == "error"
        return event["message"]

    return refuse


def test_the_store_of_another_encoder_is_refused_before_that_is_fetched(refused, sample, store, monkeypatch):
    monkeypatch.setattr("glue_zoobot.encoders.weights.fetch", lambda spec: pytest.fail("fetched in vain"))
    message = refused(sample, "--store", store, "--encoder", "convnext_nano")
    assert "made with the encoder 'mini'" in message
    assert "not 'convnext_nano'" in message


def test_catalogues_of_one_name_are_told_apart_by_their_folders(refused, sample, store, tmp_path):
    other = write_sample(tmp_path / "elsewhere", n=3)
    message = refused(other, "--store", store, "--encoder", "mini")
    assert f"in {sample.resolve().parent}, not to" in message
    assert f"in {other.resolve().parent}. Choose another" in message


def test_another_column_of_paths_is_proposed(refused, sample, tmp_path):
    message = refused(sample, "--store", tmp_path / "s", "--image-column", "object_id")
    assert "--image-root" in message
    assert "(--image-column): " in message
    assert "file" in message.split("(--image-column): ")[1]


def test_fewer_look_alikes_than_asked_for_are_said(call, store, tmp_path):
    output = call("similar", store, "--to", "SIM-000000", "-k", 5000, "-o", tmp_path / "s.csv").output
    assert "Fewer than the 5,000 asked for" in output


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_to_write(failure, store, tmp_path):
    tmp_path.chmod(0o500)
    assert "no permission" in failure("map", store, "-o", tmp_path / "m.csv")


def test_a_folder_of_broken_images(call, broken, tmp_path):
    result = call("embed", broken, "--store", tmp_path / "s", "--encoder", "mini", "--json")
    assert result.exit_code == 1
    event = json.loads(result.output.splitlines()[-1])
    assert event["event"] == "error"
    assert "g0: a web page" in event["message"]
    assert "--retry-broken" in event["message"]
    result = call("check", broken)
    assert "g11: a web page" in result.output
    assert "and 2 more; --list" in result.output
    assert "no image could be read" in str(result.exception)


def test_a_shard_that_does_not_exist(call, sample, tmp_path):
    words = ("embed", sample, "--store", tmp_path / "s", "--encoder", "mini", "--json")
    result = call(*words, "--shards", "7-9")
    assert "no shard 7: this catalogue has 1" in json.loads(result.output.splitlines()[-1])["message"]


def test_check_counts_what_is_broken_or_incomplete(call, tmp_path):
    planes = np.random.default_rng(0).normal(0, 1, (3, 20, 20)).astype(np.float32)
    fits.writeto(tmp_path / "whole.fits", planes)
    planes[0, 0, 0] = np.nan
    planes[2] = 0
    fits.writeto(tmp_path / "part.fits", planes)
    (tmp_path / "cut.fits").write_bytes((tmp_path / "part.fits").read_bytes()[:5000])
    result = call("check", tmp_path)
    assert result.exit_code == 0, result.exception
    assert "3 images, 1 broken" in result.output
    assert "cut: damaged FITS file" in result.output
    assert "part: band 3" in result.output
    assert "part: 1 pixels" in result.output


def test_what_nobody_foresaw_is_no_traceback(monkeypatch, capsys):
    def fail():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert "No space left" in error
    assert "Traceback" not in error
