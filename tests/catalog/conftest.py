"""A small survey in a folder: catalogue, images, embeddings; made with the real rooms below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image

from glue_zoobot.embedding import EmbeddingStore, Plan
from glue_zoobot.encoders import EncoderSpec

N = 60
WIDTH = 16
FIRST_ID = 5877395055527856050  # 19 digits: no float keeps them


def ids_of_survey(n=N):
    return [str(FIRST_ID + 7 * i) for i in range(n)]


def angles(n=N):
    """Galaxies along a half circle: the neighbours of row i are i-1 and i+1."""
    return np.linspace(0, np.pi / 2, n)


def vectors(n=N):
    matrix = np.zeros((n, WIDTH), dtype=np.float32)
    matrix[:, 0], matrix[:, 1] = np.cos(angles(n)), np.sin(angles(n))
    return matrix


def write_store(path, object_ids, matrix, broken=(), encoder="test-encoder", sha256="0" * 64):
    """Fill a real store; rows in `broken` have no embedding."""
    spec = EncoderSpec(encoder, "timm", "none", "package", width=matrix.shape[1], sha256=sha256)
    plan = Plan.freeze(object_ids, rows_per_shard=32)
    store = EmbeddingStore.create(path, plan, spec, precision="float32")
    by_id = {}
    for object_id, row in zip(object_ids, matrix, strict=True):
        by_id.setdefault(object_id, row)
    for shard in plan.shards:
        names = plan.object_ids[plan.shard_slice(shard)]
        values = [None if name in broken else by_id[name].astype(np.float16) for name in names]
        store.write(shard, values, ["unreadable" if value is None else None for value in values])
    return store


def write_survey(folder, n=N, object_ids=None):
    """Catalogue with relative paths, and images whose grey level is their row."""
    (folder / "images").mkdir(parents=True)
    object_ids = object_ids or ids_of_survey(n)
    for row in range(n):
        Image.fromarray(np.full((12, 12, 3), row, dtype=np.uint8)).save(folder / "images" / f"{row}.png")
    table = Table(
        {
            "objid": object_ids,
            "file": [f"images/{row}.png" for row in range(n)],
            "redshift": np.linspace(0, 1, n),
            "kind": ["spiral" if row % 2 else "elliptical" for row in range(n)],
        }
    )
    table.write(folder / "survey.csv", format="ascii.csv")
    return folder / "survey.csv"


@pytest.fixture
def survey(tmp_path) -> Path:
    return write_survey(tmp_path / "project")


@pytest.fixture
def store(survey) -> Path:
    path = survey.with_name("survey.csv.embeddings") / "test"
    write_store(path, ids_of_survey(), vectors())
    return path


@pytest.fixture
def embedded(survey, store):
    """The survey as a dataset with embeddings."""
    from glue_zoobot.catalog import attach_embeddings, load

    data = load(survey)
    attach_embeddings(data, store)
    return data


@pytest.fixture
def collection(embedded):
    from glue.core import DataCollection

    return DataCollection([embedded])
