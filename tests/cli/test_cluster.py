"""A share of the work, and the script of a job, as a user of a cluster types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glue_zoobot.cli.cluster import parse_share
from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.simulated import write_sample


@pytest.fixture(scope="module")
def planned(tmp_path_factory, call):
    """A store of 400 galaxies in two shards, none of them made."""
    folder = tmp_path_factory.mktemp("cluster")
    catalogue = write_sample(folder / "sample", n=400, size=32)
    result = call("embed", catalogue, "--store", folder / "store", "--encoder", "mini", "--plan")
    assert result.exit_code == 0, result.output
    assert "400 galaxies in 2 shards" in result.output
    return folder


def test_a_plan_embeds_nothing(planned, call):
    assert "0 of 2 shards done" in call("status", planned / "store").output


def test_a_job_script_does_its_share_and_all_of_them_the_whole(planned, call, monkeypatch):
    monkeypatch.chdir(planned)
    options = ("--tasks", "9", "--gpus", "0", "--slurm", "partition=big mem", "--setup", "export HELLO=1")
    assert call("sbatch", "store", *options, "-o", "job.sh").exit_code == 0
    script = Path("job.sh").read_text()
    assert "#SBATCH --array=0-1\n" in script  # no more tasks than shards
    assert "#SBATCH --partition=big mem\n" in script
    assert "gpu" not in script
    assert "SOURCE=sample/" in script  # nothing absolute
    assert submit("job.sh", 1)["event"] == "done"
    assert submit("job.sh", 0)["embedded"] == 400
    assert "2 of 2 shards done" in call("status", "store").output
    assert "nothing left to embed" in call("sbatch", "store", "-o", "more.sh").output
    assert not Path("more.sh").exists()


def submit(script, task) -> dict:
    environment = {
        **os.environ,
        "SLURM_ARRAY_TASK_ID": str(task),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    out = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(out.splitlines()[-1])


def test_a_store_that_does_not_know_its_images_is_told_what_to_do(planned, failure, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("plan.parquet", "manifest.json"):
        (folder / name).write_bytes((planned / "store" / name).read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["source"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "--plan" in failure("sbatch", folder)


def test_shares_cover_everything_once():
    shares = [parse_share(None, f"{i}/3", False) for i in range(3)]
    assert all(sum(shard in share for share in shares) == 1 for shard in range(20))


def test_a_task_of_an_array_takes_its_share(monkeypatch):
    for name, value in {"ID": "12", "MIN": "10", "COUNT": "4", "STEP": "2"}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    share = parse_share(None, None, True)
    assert [shard for shard in range(9) if shard in share] == [1, 5]
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "40")
    with pytest.raises(CatalogueError, match="--part"):
        parse_share(None, None, True)


def test_an_array_outside_of_slurm_is_refused(monkeypatch):
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    with pytest.raises(CatalogueError, match="SLURM_ARRAY_TASK_ID"):
        parse_share(None, None, True)


@pytest.mark.parametrize(
    "words",
    [("--part", "3"), ("--part", "3/3"), ("--shards", "a-b"), ("--part", "0/2", "--shards", "0-1"),
     ("--slurm", "partition"), ("--slurm", "a=b\nc")],
)  # fmt: skip
def test_shares_that_cannot_be_meant_are_bad_usage(planned, call, words):
    result = call("embed", planned / "sample", "--store", planned / "store", *words)
    assert result.exit_code == 2


def test_an_executor_that_does_not_exist_is_named(planned, call):
    result = call("embed", planned / "sample", "--store", planned / "store", "--executor", "ray:1", "--json")
    assert result.exit_code == 1
    assert "ray:1" in json.loads(result.output.splitlines()[-1])["message"]
