"""`open` and `demo` where there is no display: files that show what a window would have shown."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image

from glue_zoobot.encoders import mini
from glue_zoobot.images.simulated import write_sample


def glue_zoobot(*words, **environment):
    """Run a verb as a program of its own: it may choose the platform of Qt."""
    return subprocess.run(
        [sys.executable, "-m", "glue_zoobot", *map(str, words)],
        env={**os.environ, "QT_QPA_PLATFORM": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other platforms always have a display")
def test_open_without_a_display_leaves_results(tmp_path):
    catalogue = write_sample(tmp_path / "sample", n=30)
    out = tmp_path / "out"
    done = glue_zoobot("open", catalogue, "--like", "SIM-000002", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "No window was opened" in done.stdout
    with Image.open(out / "screenshot.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 1000
    assert (out / "session.glu").stat().st_size > 1000
    answer = pyarrow.parquet.read_table(out / "similar.parquet").to_pydict()
    assert answer["rank"] == list(range(1, 11))
    assert "SIM-000002" not in answer["object_id"]
    assert pyarrow.parquet.read_table(out / "map.parquet").num_rows == 30
    assert (tmp_path / "sample" / "catalogue.ecsv.embeddings" / "mini" / "manifest.json").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other platforms always have a display")
def test_one_galaxy_opens_without_map_and_look_alikes(tmp_path):
    catalogue = write_sample(tmp_path / "sample", n=1)
    done = glue_zoobot("open", catalogue, "--headless", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "One galaxy alone has no look-alikes" in " ".join(done.stdout.split())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"screenshot.png", "session.glu"}


def test_a_store_says_itself_which_encoder_made_it(call, tmp_path):
    """`embed` with any encoder, then `open --store`, without naming the encoder again."""
    catalogue = write_sample(tmp_path / "sample", n=12)
    encoder = shutil.copytree(Path(mini.__file__).parent, tmp_path / "mine")
    assert call("embed", catalogue, "--store", tmp_path / "s", "--encoder", encoder).exit_code == 0
    manifest = (tmp_path / "s" / "manifest.json").read_bytes()
    shutil.rmtree(encoder)  # what is finished needs no network
    done = glue_zoobot("open", catalogue, "--store", tmp_path / "s", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "by mine" in " ".join(done.stdout.split())
    assert (tmp_path / "s" / "manifest.json").read_bytes() == manifest


def test_an_unknown_galaxy_to_start_with_is_a_message(tmp_path):
    catalogue = write_sample(tmp_path / "sample", n=12)
    done = glue_zoobot("open", catalogue, "--headless", "--like", "nobody", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sample_is_opened_with_the_store_of_all(tmp_path):
    from glue_zoobot.cli.window import _larger_store
    from glue_zoobot.embedding import EmbeddingStore, Plan
    from glue_zoobot.encoders import find
    from glue_zoobot.images import open_catalogue

    all_of_them = open_catalogue(write_sample(tmp_path / "sample", n=12, size=16))
    names = all_of_them.source.object_ids
    plan = Plan.freeze([*names, "another"], 5)
    store = EmbeddingStore.create(tmp_path / "store", plan, find("mini"), precision="float32")
    assert _larger_store(all_of_them, store.path, "mini").path == store.path
    assert _larger_store(all_of_them, store.path, "convnext_nano") is None  # which is refused, by both names
    for ids in (names, [*names[1:], "another", "one more"]):
        other = EmbeddingStore.create(
            tmp_path / str(len(ids)), Plan.freeze(ids, 5), find("mini"), precision="float32"
        )
        assert _larger_store(all_of_them, other.path, "mini") is None
