"""The verbs that train, as a user or the window calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from glue_zoobot.cli import app

TINY = ["--architecture", "test_efficientnet", "--input-size", "32", "--batch-size", "50", "--device", "cpu"]


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def events(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_pretrained_encoder_is_used_by_embed(sample, tmp_path):
    made = tmp_path / "made"
    result = call(
        "pretrain", sample, "-o", made, *TINY, "--epochs", 1, "--probe", "kind", "--without", "dust"
    )
    assert result.exit_code == 0, result.output
    assert "Encoder written to" in result.output
    embedded = call("embed", sample, "--store", tmp_path / "store", "--encoder", made, "--device", "cpu")
    assert "200 embedded, 0 broken" in " ".join(embedded.output.split())


def test_json_lines_tell_progress_and_curves(sample, tmp_path):
    result = call("pretrain", sample, "-o", tmp_path / "m", *TINY, "--epochs", 1, "--probe", "kind", "--json")
    told = events(result.output)
    kinds = [event["event"] for event in told if event["event"] != "progress"]
    assert kinds == ["found", "message", "epoch", "epoch", "done"]
    assert any("200 pictures of 38 pixels are kept" in event.get("text", "") for event in told)
    training = [event for event in told if event.get("stage") == "training"]
    assert training[-1]["done"] == training[-1]["total"] == 200
    assert training[-1]["loss"] > 0
    assert told[-1]["encoder"] == str(tmp_path / "m")


def test_preview_draws_the_augmentations_that_are_on(sample, tmp_path):
    sheet = tmp_path / "sheets" / "sheet.png"
    sheet.parent.mkdir()
    assert call("pretrain", sample, "-o", tmp_path / "m", "--preview", sheet).exit_code == 0
    with Image.open(sheet) as picture:
        full = picture.size
    assert (
        call("pretrain", sample, "-o", tmp_path / "m", "--preview", sheet, "--without", "dust").exit_code == 0
    )
    with Image.open(sheet) as picture:
        assert picture.size == (full[0] - 100, full[1])
    assert not (tmp_path / "m").exists()


def test_error_is_an_event_and_exit_status_1(sample, tmp_path):
    result = call("pretrain", sample, "-o", tmp_path / "m", "--architecture", "none", "--json")
    assert result.exit_code == 1
    assert "timm has no network 'none'" in events(result.output)[-1]["message"]
    assert call("pretrain", sample, "-o", tmp_path / "m", "--without", "colour").exit_code == 1


def test_terminated_training_stops_cleanly(sample, tmp_path):
    words = [
        sys.executable,
        "-m",
        "glue_zoobot",
        "pretrain",
        str(sample),
        "-o",
        str(tmp_path / "m"),
        "--json",
    ]
    with subprocess.Popen([*words, *TINY, "--epochs", "500"], stdout=subprocess.PIPE, text=True) as child:
        told = []
        for line in child.stdout:
            told.append(json.loads(line))
            if told[-1]["event"] == "epoch":
                child.send_signal(signal.SIGTERM)
    assert told[-1]["event"] == "cancelled"
    assert child.returncode == 130
    assert (tmp_path / "m" / "training" / "checkpoint.safetensors").exists()


@pytest.mark.skipif("GLUE_ZOOBOT_SLOW" not in os.environ, reason="slow; set GLUE_ZOOBOT_SLOW to run it")
def test_two_processes_train_one_encoder(sample, tmp_path):
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "glue_zoobot"]
    words += ["pretrain", str(sample), "-o", str(tmp_path / "m"), *TINY, "--epochs", "2", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=200)
    assert [event["event"] for event in events(done.stdout)].count("done") == 1
    assert "| processes | 2 |" in (tmp_path / "m" / "README.md").read_text()
