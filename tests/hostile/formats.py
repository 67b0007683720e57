"""Every file format that is ours: a good example of each, how it is read, and how to spoil it."""

from __future__ import annotations

import copy
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from ..images.conftest import picture

#: What a value of JSON is replaced by.
STRANGE = (
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, -(2**63), 2**70, 10**400, 0.5, 1e308, -1e308),
    *(float("nan"), float("inf"), "", " ", "a", "../../etc/passwd", "/dev/zero", "x" * 3000, "\0", "é\ud800"),
    *("__import__('os').system('true')", "1", "nan", "https://127.0.0.1:9/x", "{}", "%s%n", [], {}, [[]]),
    *([1, 2, 3], {"a": 1}, [None], {"": {}}, ["a"] * 50, [1e9] * 3),
)


@dataclass(frozen=True)
class Format:
    """
    One format.

    Attributes
    ----------
    make : callable
        Writes an example into a folder; gives the file that is spoilt.
    read : callable
        Reads the folder as a user would have it read.
    kind : str
        ``json``, ``lines`` of JSON, or ``bytes``.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    kind: str


def spoil(data: bytes, kind: str, random: Random) -> bytes:
    """Change one to three things."""
    for _ in range(random.randint(1, 3)):
        if kind == "bytes" or random.random() < 0.15:
            data = _spoil_bytes(data, random)
        elif kind == "lines":
            lines = data.split(b"\n")
            which = random.randrange(len(lines))
            lines[which] = _spoil_json(lines[which], random)
            data = b"\n".join(lines)
        else:
            data = _spoil_json(data, random)
    return data


def _spoil_bytes(data: bytes, random: Random) -> bytes:
    if not data:
        return b"\0"
    place = random.randrange(len(data))
    length = random.choice((1, 1, 4, 64, 1000))
    what = random.randrange(5)
    if what == 0:
        return data[:place]
    if what == 1:
        return data[:place] + data[place + length :]
    if what == 2:
        return data[:place] + bytes(random.randrange(256) for _ in range(min(length, 64))) + data[place:]
    if what == 3:
        return data[:place] + data[place : place + length] * 2 + data[place + length :]
    fill = bytes([random.choice((0, 255, 127, 57, 45))])
    return data[:place] + fill * length + data[place + length :]


def _spoil_json(data: bytes, random: Random) -> bytes:
    try:
        value = json.loads(data)
    except ValueError:
        return _spoil_bytes(data, random)
    value = copy.deepcopy(value)
    parent: Any = None
    key: Any = None
    node = value
    while isinstance(node, dict | list) and node and (parent is None or random.random() < 0.75):
        parent = node
        key = random.choice(list(node)) if isinstance(node, dict) else random.randrange(len(node))
        node = node[key]
    new = random.choice(STRANGE)
    if parent is None:
        value = new
    elif random.random() < 0.2:
        del parent[key]
    else:
        parent[key] = new
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _store(folder: Path) -> None:
    from glue_zoobot.embedding import EmbeddingStore, Plan, run
    from tests.embedding.stubs import StubEncoder, StubSource, ids

    source, encoder = StubSource(ids(12), ["galaxy-0003"]), StubEncoder()
    plan = Plan.freeze(source.object_ids, 6, name="stub.csv")
    store = EmbeddingStore.create(folder, plan, encoder.spec, precision="float32")
    run(plan, store, source, encoder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["encoder"] |= {"family": "timm"}  # which the stub, being no network, does not have
    (folder / "manifest.json").write_text(json.dumps(manifest))


def store_file(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        _store(folder / "store")
        return folder / "store" / name

    return make


def read_store(folder: Path) -> None:
    from glue_zoobot.embedding import EmbeddingStore

    store = EmbeddingStore.open(folder / "store")
    _ = store.encoder_name, store.precision, store.outcome_counts(), store.encoder_spec
    store.status()
    store.load()
    store.outcomes()
    store.verify()


def _fit_head(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from glue_zoobot.analysis.classify import GalaxyClassifier
        from glue_zoobot.analysis.heads import Head

        rng = np.random.default_rng(0)
        matrix = rng.normal(size=(60, 5)).astype(np.float32)
        kinds = np.array(["ring", "spiral", "smooth"])[np.digitize(matrix[:, 0], [-0.4, 0.4])]
        Head("kind", GalaxyClassifier().fit(matrix, kinds, matrix), {"encoder": "e"}).save(folder / "head")
        return folder / "head" / name

    return make


def read_head(folder: Path) -> None:
    from glue_zoobot.analysis.heads import Head

    head = Head.load(folder / "head")
    head.predict(np.array(["a", "b"]), np.zeros((2, 5), np.float32))


def _log(folder: Path) -> Path:
    from glue_zoobot.analysis.labels import LabelLog

    log = LabelLog(folder / "ratings.jsonl", "me")
    for k in range(4):
        log.rate(f"g{k}", k, rank=k, store="s")
    log.label("g1", "ring", "kind")
    log.label("g2", 0.5, "redshift")
    log.undo()
    return log.path


def read_log(folder: Path) -> None:
    from glue_zoobot.analysis.labels import LabelLog

    log = LabelLog(folder / "ratings.jsonl", "me")
    log.current()
    log.current("me")
    log.conflicts()
    log.skipped()
    log.entries()
    for target in log.targets():
        log.labels(target)


def _card(folder: Path) -> Path:
    (folder / "encoder").mkdir()
    (folder / "encoder" / "model.safetensors").write_bytes(b"")
    path = folder / "encoder" / "config.json"
    facts = {"architecture": "convnext_nano", "num_features": 640, "input_size": 224, "crop": 0.8333}
    facts |= {"interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1], "channels": 3}
    facts |= {"family": "timm", "padding": "network", "licence": "x", "citation": "y", "model_args": {"a": 1}}
    path.write_text(json.dumps(facts))
    return path


def read_card(folder: Path) -> None:
    from glue_zoobot.encoders import find

    _ = find(str(folder / "encoder")).preprocessing_hash


def _images(folder: Path) -> None:
    for k in range(2):
        Image.fromarray(picture(k)).save(folder / f"{k}.png")


def _spec(folder: Path) -> Path:
    _images(folder)
    (folder / "t.csv").write_text("id,file,ra,dec,r\na,0.png,1,2,3\nb,1.png,1,2,3\n")
    path = folder / "spec.json"
    path.write_text(json.dumps({"path": str(folder / "t.csv"), "id_column": "id", "image_column": "file",
        "image_root": str(folder), "preset": "auto", "bands": "grz:zrg"}))  # fmt: skip
    return path


def read_spec(folder: Path) -> None:
    """As the child of the window gets it."""
    from glue_zoobot.errors import CatalogueError
    from glue_zoobot.images import SourceSpec, open_catalogue

    try:
        fields = json.loads((folder / "spec.json").read_bytes())
    except ValueError:
        return
    if isinstance(fields, dict):
        try:
            open_catalogue(SourceSpec.from_dict(fields))
        except CatalogueError:
            return


def _record(folder: Path) -> Path:
    _images(folder)
    (folder / "t.csv").write_text("id,file\na,0.png\nb,1.png\n")
    _store(folder / "store")
    path = folder / "record.json"
    path.write_text(json.dumps({"source": {"path": str(folder / "t.csv"), "id_column": "id"},
        "store": str(folder / "store"), "columns": {"a": {"b": "c"}}, "notes": ["x"],
        "interest": {"log": str(folder / "log.jsonl")}, "teaching": {"target": "ring"}}))  # fmt: skip
    return path


def read_record(folder: Path) -> None:
    """What a session says of us, as it comes back from a `.glu` file."""
    from glue.core import Data

    from glue_zoobot.catalog import embeddings_of, images_of, object_ids_of, source_of

    try:
        record = json.loads((folder / "record.json").read_bytes())
    except ValueError:
        return
    data = Data(label="t", object_id=np.array(["a", "b"]))
    data.meta["glue_zoobot"] = record
    for reader in (object_ids_of, source_of, images_of, embeddings_of):
        reader(data)


def _encoded(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, "PNG")
    return file.getvalue()


def _tar(folder: Path) -> Path:
    with tarfile.open(folder / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (
            ("x" * 120 + ".png", _encoded(0)),
            ("b.png", _encoded(1)),
            ("b.json", b'{"z": 1}'),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return folder / "a.tar"


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("a.png", _encoded(0)), ("b.png", _encoded(1)), ("b.json", b'{"z": 1}')):
            archive.writestr(name, data)
    return folder / "a.zip"


def _hats(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "hats").mkdir()
    (folder / "hats" / "hats.properties").write_text("obs_collection=x\nhats_col_ra=ra\nhats_col_dec=dec\n")
    path = folder / "hats" / "dataset" / "Norder=0" / "Dir=0" / "Npix=4.parquet"
    path.parent.mkdir(parents=True)
    columns = {"id": ["a", "b"], "ra": [0.0, 0.2], "dec": [0.0, 0.1], "image": [_encoded(0), _encoded(1)]}
    pq.write_table(pa.table(columns), path)
    return path


def read_images(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        from glue_zoobot.images import open_catalogue, survey

        survey(open_catalogue(folder / name).source, workers=1)

    return read


def _fetched(folder: Path) -> Path:
    from glue_zoobot.images.fetched import Folder

    kept = Folder(folder)
    kept.keep("https://x/1", _encoded(1))
    kept.note_missing("https://x/2", "404")
    return folder / "fetched.jsonl"


def read_fetched(folder: Path) -> None:
    from glue_zoobot.images.fetched import Folder

    kept = Folder(folder)
    for url in ("https://x/1", "https://x/2", "https://x/3"):
        kept.find(url)
        kept.missing(url)


def _checkpoint(folder: Path) -> Path:
    import torch

    from glue_zoobot.training import checkpoint

    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    checkpoint.save(folder / "state.safetensors", {"net": network}, optimiser, {"epoch": 3, "history": [1]})
    return folder / "state.safetensors"


def read_checkpoint(folder: Path) -> None:
    import torch

    from glue_zoobot.training import checkpoint

    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    checkpoint.load(folder / "state.safetensors", {"net": network}, optimiser)


FORMATS = {
    "manifest": Format(store_file("manifest.json"), read_store, "json"),
    "plan": Format(store_file("plan.parquet"), read_store, "bytes"),
    "shard": Format(store_file("shards/000001.parquet"), read_store, "bytes"),
    "head facts": Format(_fit_head("head.json"), read_head, "json"),
    "head arrays": Format(_fit_head("head.safetensors"), read_head, "bytes"),
    "label log": Format(_log, read_log, "lines"),
    "model card": Format(_card, read_card, "json"),
    "source": Format(_spec, read_spec, "json"),
    "session record": Format(_record, read_record, "json"),
    "tar": Format(_tar, read_images("a.tar"), "bytes"),
    "zip": Format(_zip, read_images("a.zip"), "bytes"),
    "HATS pixel": Format(_hats, read_images("hats?cone=0,0,1deg"), "bytes"),
    "fetched log": Format(_fetched, read_fetched, "lines"),
    "training checkpoint": Format(_checkpoint, read_checkpoint, "bytes"),
}
