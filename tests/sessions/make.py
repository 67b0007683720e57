"""
Make the session files that later versions must still open.

    QT_QPA_PLATFORM=offscreen python -m tests.sessions.make

Writes ``tests/sessions/v<version>/``: 48 simulated galaxies, their embeddings, the log of labels, and the
sessions. Never change a folder of a version that was released; make a new one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

import glue_zoobot
import glue_zoobot.qt

N, SIZE = 48, 40
FOLDER = Path(__file__).parent / f"v{glue_zoobot.__version__}"
RING = "ring"


def embed(catalogue: Path, name: str, seed: int) -> Path:
    """Write a store of vectors that keep the kinds of galaxies together; no network is needed for a test."""
    from astropy.table import Table

    from glue_zoobot.embedding import EmbeddingStore, Plan
    from glue_zoobot.encoders import EncoderSpec

    table = Table.read(catalogue)
    rng = np.random.default_rng(seed)
    centres = {kind: rng.standard_normal(16) for kind in sorted(set(table["kind"]))}
    vectors = np.array([centres[kind] + 0.3 * rng.standard_normal(16) for kind in table["kind"]])
    path = catalogue.with_name(f"{catalogue.name}.embeddings") / name
    plan = Plan.freeze([str(object_id) for object_id in table["object_id"]], rows_per_shard=N)
    spec = EncoderSpec(name, "timm", "none", "package", width=16, sha256="0" * 64)
    store = EmbeddingStore.create(path, plan, spec, precision="float32")
    store.write(0, list(vectors.astype(np.float16)), [None] * N)
    return path


def application(data):
    """Open glue with a dataset."""
    from glue_qt.app import GlueApplication
    from glue_qt.utils import get_qapp

    get_qapp()
    glue_zoobot.setup()
    glue_zoobot.qt.setup()
    app = GlueApplication()
    app.data_collection.append(data)
    app.resize(1200, 800)
    app.show()
    return app


def save(app, name: str, include_data: bool = False) -> None:
    """Save a session as the window does, with paths relative to it."""
    from glue_qt.utils import process_events

    process_events(wait=0.5)
    app.save_session(str(FOLDER / name), absolute_paths=False, include_data=include_data)
    app.close()


def make_everything(catalogue: Path, store: Path) -> None:
    """Gallery, map, answer and its panel, kept subset, ratings and their ranking, labels and predictions."""
    from glue_zoobot.catalog import attach_embeddings, load, similar_galaxies
    from glue_zoobot.catalog.interest import interest_of
    from glue_zoobot.catalog.teaching import teaching_of
    from glue_zoobot.qt.layout import open_in_glue

    data = load(catalogue)
    attach_embeddings(data, store)
    app = open_in_glue(data, application=application(data), size=(1200, 800))
    kinds = data.get_component(data.id["kind"]).labels
    rings, others = np.flatnonzero(kinds == RING), np.flatnonzero(kinds != RING)
    question = similar_galaxies(app.data_collection)
    question.count = 4
    question.find(data, [int(rings[0])], unlike=[int(others[0])])
    question.keep("kept rings")
    interest = interest_of(app.data_collection)
    interest.open(data)
    for row, value in [(rings[0], 5), (rings[1], 4), (others[0], 0), (others[1], 1)]:
        interest.rate(int(row), value)
    interest.learn()
    teaching = teaching_of(app.data_collection)
    teaching.open(data, RING)
    for rows, label in ((rings[:4], RING), (others[:8], "other")):
        teaching.label([int(row) for row in rows], label)
    teaching.train()
    save(app, "everything.glu")


def make_stock(catalogue: Path, store: Path) -> None:
    """Nothing that needs this package: glue's own reader and plots, our columns and a kept subset."""
    from glue.core.data_factories import load_data, tabular_data
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.catalog import attach_embeddings, similar_galaxies

    data = load_data(str(catalogue), factory=tabular_data)
    attach_embeddings(data, store)
    app = application(data)
    scatter = app.new_data_viewer(ScatterViewer, data=data)
    scatter.state.x_att, scatter.state.y_att = data.id["redshift"], data.id["mag_r"]
    question = similar_galaxies(app.data_collection)
    question.count = 4
    question.find(data, [0])
    question.keep("kept")
    save(app, "stock.glu")


def make_with_data(catalogue: Path, store: Path) -> None:
    """A catalogue opened by this package, saved with all its data: for a glue without the package."""
    from glue_qt.viewers.scatter import ScatterViewer

    from glue_zoobot.catalog import attach_embeddings, load, similar_galaxies

    data = load(catalogue)
    attach_embeddings(data, store)
    app = application(data)
    scatter = app.new_data_viewer(ScatterViewer, data=data)
    scatter.state.x_att, scatter.state.y_att = data.id["redshift"], data.id["mag_r"]
    similar_galaxies(app.data_collection).find(data, [0])
    save(app, "with_data.glu", include_data=True)


def main() -> None:
    """Make everything anew."""
    from glue_zoobot.images.simulated import write_sample

    os.environ["LOGNAME"] = "astronomer"  # who rated and labelled
    shutil.rmtree(FOLDER, ignore_errors=True)
    catalogue = write_sample(FOLDER / "sample", n=N, size=SIZE)
    first = embed(catalogue, "first", seed=0)
    embed(catalogue, "second", seed=1)
    os.chdir(FOLDER)
    make_everything(catalogue, first)
    make_stock(catalogue, first)
    make_with_data(catalogue, first)


if __name__ == "__main__":
    main()
