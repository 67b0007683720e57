"""Stores, logs, heads and archives that were changed, or made to do harm: refused or counted, in bounds."""

from __future__ import annotations

import io
import json
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.errors import AnalysisError, CatalogueError, StoreError
from tests.embedding.stubs import StubEncoder, StubSource, ids

from ..images.test_archives import encoded, make
from .limits import read_bounded
from .test_checkpoints import Touch, safetensors

MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Make a store of two shards."""
    source, encoder = StubSource(ids(12)), StubEncoder()
    plan = Plan.freeze(source.object_ids, 6, name="stub.csv")
    path = tmp_path_factory.mktemp("stores") / "good"
    run(plan, EmbeddingStore.create(path, plan, encoder.spec, precision="float32"), source, encoder)
    return path


def changed(good: Path, folder: Path, name: str) -> Path:
    return Path(shutil.copytree(good, folder / name))


def edit_json(path: Path, **changes) -> None:
    facts = json.loads(path.read_text())
    for keys, value in changes.items():
        node = facts
        *parents, last = keys.split("__")
        for key in parents:
            node = node[key]
        node[last] = value
    path.write_text(json.dumps(facts))


def edit_shard(path: Path, change) -> None:
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


def test_hostile_stores(good, tmp_path):
    """None is believed: what a shard says must be what manifest and plan say, or it counts as absent."""
    named = ["encoder renamed", "width changed", "plan of another", "format of tomorrow", "no manifest"]
    named += ["manifest cut", "shard cut", "shard empty", "wrong D", "ids repeated", "ids of others", "bomb"]
    named += ["foreign files", "shard of another", "rows beyond", "a shard that is a folder", "pickle"]
    cases = {name: changed(good, tmp_path, name.replace(" ", "-")) for name in named}
    canary = tmp_path / "canary"
    edit_json(cases["encoder renamed"] / "manifest.json", encoder__name="other")
    edit_json(cases["width changed"] / "manifest.json", encoder__width=10**6)
    edit_json(cases["plan of another"] / "manifest.json", catalogue__plan="0" * 64)
    edit_json(cases["format of tomorrow"] / "manifest.json", format=99)
    (cases["no manifest"] / "manifest.json").unlink()
    text = (cases["manifest cut"] / "manifest.json").read_text()
    (cases["manifest cut"] / "manifest.json").write_text(text[:100])
    shard = {name: path / "shards" / "000001.parquet" for name, path in cases.items()}
    data = shard["shard cut"].read_bytes()
    shard["shard cut"].write_bytes(data[: len(data) // 2])
    shard["shard empty"].write_bytes(b"")
    shard["pickle"].write_bytes(__import__("pickle").dumps(Touch(canary)))
    wide = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(6 * 3, np.float16)), 3)
    edit_shard(shard["wrong D"], lambda t: t.set_column(1, "embedding", wide))
    repeated = pa.array(["galaxy-0006"] * 6)
    edit_shard(shard["ids repeated"], lambda t: t.set_column(0, "object_id", repeated))
    others = pa.array([f"other-{k}" for k in range(6)])
    edit_shard(shard["ids of others"], lambda t: t.set_column(0, "object_id", others))
    huge = pa.array(["x" * (100 * MEGABYTE)] + [""] * 5)
    table = pq.read_table(shard["bomb"])
    pq.write_table(table.set_column(3, "reason", huge), shard["bomb"], compression="zstd")
    for name in ("evil.py", "shards/000001.parquet.tmp", "shards/zzz.parquet", "shards/-1.parquet"):
        (cases["foreign files"] / name).write_text("import os")
    shutil.copy(good / "shards" / "000000.parquet", shard["shard of another"])
    shutil.copy(good / "shards" / "000000.parquet", cases["rows beyond"] / "shards" / "000099.parquet")
    shard["a shard that is a folder"].unlink()
    shard["a shard that is a folder"].mkdir()
    results = dict(zip(cases, read_bounded("stores", list(cases.values())), strict=True))
    assert not canary.exists()
    for name in ("plan of another", "format of tomorrow", "no manifest", "manifest cut"):
        assert results[name][0] == "refused", name
        assert str(cases[name]) in results[name][1]
    for name in ("foreign files", "rows beyond"):
        assert results[name] == ("read", ""), name
    wrong = [
        "shard cut",
        "shard empty",
        "wrong D",
        "ids repeated",
        "ids of others",
        "shard of another",
        "pickle",
    ]
    for name in (*wrong, "width changed", "encoder renamed"):
        assert results[name][0] == "refused" or results[name][1], f"{name} was taken as sound"


def test_a_store_is_not_damaged_by_being_wrong(good, tmp_path):
    """Run again, the damaged shard is made anew and the store equals the good one."""
    path = changed(good, tmp_path, "again")
    (path / "shards" / "000001.parquet").write_bytes(b"PAR1")
    source, encoder = StubSource(ids(12)), StubEncoder()
    plan = Plan.freeze(source.object_ids, 6, name="stub.csv")
    run(plan, EmbeddingStore.create(path, plan, encoder.spec, precision="float32"), source, encoder)
    for ours, theirs in zip(EmbeddingStore.open(path).load(), EmbeddingStore.open(good).load(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_hostile_logs_and_heads(tmp_path):
    from .formats import FORMATS

    line = {"id": "a", "when": "2026-01-01T00:00:00+00:00", "who": "me", "object_id": "g", "value": 3}
    logs = {
        "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.\n",
        "one line of 50 MB": b"x" * (50 * MEGABYTE) + b"\n",
        "deep": b"[" * 200_000 + b"\n",
        "a long number": b'{"id": ' + b"9" * 100_000 + b"}\n",
        "nothing but line ends": b"\n" * MEGABYTE,
        "values": b"".join(
            json.dumps({**line, "id": str(k), "value": v}).encode() + b"\n"
            for k, v in enumerate((6, -1, 2.5, True, "5", [1], {"a": 1}, 1e400, 3))
        ),
    }
    paths = []
    for number, content in enumerate(logs.values()):
        paths.append(tmp_path / f"log{number}.jsonl")
        paths[-1].write_bytes(content)
    results = dict(zip(logs, read_bounded("logs", paths), strict=True))
    assert results["values"] == ("read", "1 ratings")
    for name in ("pickle", "one line of 50 MB", "deep", "a long number"):
        assert results[name][0] == "refused", name
        assert "choose another file" in results[name][1]
    FORMATS["head facts"].make(tmp_path)
    head = tmp_path / "head"
    entry = {"dtype": "F64", "shape": [2**31, 2**31], "data_offsets": [0, 64]}
    heads = {
        name: Path(shutil.copytree(head, tmp_path / f"head{name}")) for name in ("a", "b", "c", "d", "e")
    }
    (heads["a"] / "head.safetensors").write_bytes(safetensors({"weights": entry}, b"\0" * 64))
    (heads["b"] / "head.json").write_text("[" * 100_000)
    edit_json(heads["c"] / "head.json", kind="__import__")
    edit_json(heads["d"] / "head.json", parameters={"__class__": "os.system"})
    edit_json(heads["e"] / "head.json", classes=["a"] * 10)
    for (outcome, text), path in zip(
        read_bounded("heads", list(heads.values())), heads.values(), strict=True
    ):
        assert outcome == "refused"
        assert str(path) in text


def test_hostile_archives_and_containers(tmp_path):
    outside = tmp_path.parent / "outside.png"
    names = [
        "../outside.png",
        "/tmp/../outside.png",
        str(outside),
        "..\\outside.png",
        "C:\\outside.png",
        "a/../../outside.png",
    ]
    for suffix in (".tar", ".zip"):
        make(tmp_path / f"names{suffix}", {name: encoded(k) for k, name in enumerate(names)})
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"link{kind!r}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("good.png")
        info.size = len(encoded(0))
        archive.addfile(info, io.BytesIO(encoded(0)))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(1):
            archive.writestr(f"{k}.png", bytes(260 * MEGABYTE))
        for k in range(1200):
            archive.writestr(f"{k}.json", b'{"a": "' + b"x" * 60_000 + b'"}')
    lying = bytearray((tmp_path / "names.zip").read_bytes())
    where = lying.rfind(b"PK\x01\x02")
    lying[where + 24 : where + 28] = struct.pack("<I", 2**31)  # the size that the directory gives
    (tmp_path / "lying.zip").write_bytes(bytes(lying))
    tar = bytearray(make(tmp_path / "size.tar", {"a.png": encoded(0)}).read_bytes())
    for name, size in (
        ("negative", b"\xff" * 12),
        ("huge", b"77777777777\0"),
        ("base256", b"\x80" + b"\x7f" * 11),
    ):
        tar[124:136] = size
        tar[148:156] = b" " * 8
        tar[148:156] = b"%06o\0 " % sum(tar[:512])
        (tmp_path / f"{name}.tar").write_bytes(bytes(tar))
    pax = b"30 size=99999999999999999999\n"
    make(tmp_path / "pax.tar", {"a.png": pax})
    with h5py.File(tmp_path / "loop.h5", "w") as file:
        file["a"] = h5py.SoftLink("/a")
        file["b"] = h5py.ExternalLink("loop.h5", "/")
        file.create_group("g")["up"] = h5py.SoftLink("/")
    with h5py.File(tmp_path / "ids.h5", "w") as file:
        file["images"] = np.zeros((3, 8, 8, 3), np.uint8)
        file.create_dataset("id", (3,), h5py.string_dtype(), data=["x" * 20 * MEGABYTE, "b", "c"])
        file.create_dataset("other", (3, 2**40), "f8", chunks=(1, 1024))
    rows = "\n".join(f"g{k},{k}.png" for k in range(30_000))
    (tmp_path / "cell.csv").write_text(
        f"id,file,note\n{rows.replace('.png', '.png,x')}\nz,z.png,{'y' * MEGABYTE}\n"
    )
    (tmp_path / "0.png").write_bytes(encoded(0))
    with (tmp_path / "wide.csv").open("w") as file:
        file.write(",".join(f"c{k}" for k in range(4_000)) + "\n" + ",".join("1" * 4_000) + "\n")
    paths = sorted(p for p in tmp_path.iterdir() if p.suffix in (".tar", ".zip", ".h5", ".csv"))
    results = {p.name: r for p, r in zip(paths, read_bounded("images", paths, 2000), strict=True)}
    assert not outside.exists()
    assert results["names.tar"] == results["names.zip"] == ("read", "")
    assert results["links.tar"] == ("read", "")
    for name in ("negative.tar", "huge.tar", "base256.tar", "loop.h5", "bomb.zip"):
        assert results[name][0] == "refused", (name, results[name])
        assert name in results[name][1]
    assert "is no galaxy stamp" in results["lying.zip"][1]


def test_sessions_say_what_is_wrong_with_what_they_name(tmp_path):
    """
    A session is a program (`SECURITY.md`), but what it says of us adds no way in: plain values, checked.
    """
    from glue.core.data_factories import load_data

    from glue_zoobot.catalog.factories import read_images

    make(tmp_path / "a.zip", {"a.png": encoded(0)})
    path = str(tmp_path / "a.zip")
    for fields in ({"preset": "__import__('os')"}, {"mosaic": "/dev/zero", "size": "3"}):
        with pytest.raises((CatalogueError, StoreError, AnalysisError)):
            load_data(path, factory=read_images, **fields)
    with pytest.raises((CatalogueError, TypeError)):
        load_data(path, factory=read_images, evil="x")
