"""Images in tar shards and zip files: read in memory, never extracted."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import open_catalogue, survey

from .conftest import flux, picture


def encoded(number: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, kind)
    return file.getvalue()


def stamp(number: int) -> bytes:
    file = io.BytesIO()
    fits.writeto(file, flux(number))
    return file.getvalue()


def make(path: Path, members: dict[str, bytes], kind: int = tarfile.USTAR_FORMAT) -> Path:
    """A tar or zip file, whichever the suffix says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, "w", format=kind) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def shard(start: int, count: int = 3) -> dict[str, bytes]:
    """Members as webdataset writes them."""
    members = {}
    for k in range(start, start + count):
        label = {"redshift": k / 10, "kind": "spiral", "id_str": f"58774{k:013d}", "votes": {"no": 1}}
        members |= {f"{k:06d}.png": encoded(k), f"{k:06d}.cls": b"%d" % (k % 2)}
        members[f"{k:06d}.json"] = json.dumps(label).encode()
    return members


def test_tar_shards_are_one_catalogue(tmp_path):
    for number in range(3):
        make(tmp_path / f"data-{number:03d}.tar", shard(3 * number))
    for path in (tmp_path / "data-{000..002}.tar", tmp_path / "data-*.tar", tmp_path):
        catalogue = open_catalogue(path)
        assert catalogue.id_origin == "column 'id_str'"
        assert list(catalogue.source.object_ids) == [f"58774{k:013d}" for k in range(9)]
        assert catalogue.table["redshift"].tolist() == pytest.approx([k / 10 for k in range(9)])
        assert catalogue.table["cls"].tolist() == [k % 2 for k in range(9)]
        assert "votes" not in catalogue.table.colnames
        copy = pickle.loads(pickle.dumps(catalogue.source))
        for k in (8, 0, 4):
            np.testing.assert_array_equal(copy.read(k), picture(k))
    assert not list(tmp_path.glob("*.png"))  # nothing was extracted


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names(tmp_path, kind):
    names = ["a/" * 30 + "galaxy one.png", "Größe/J0123.4+56.7.png", "J0123.4+56.8.png"]
    if kind != tarfile.USTAR_FORMAT:
        names[0] = "a/" * 150 + "galaxy one.png"
    path = make(tmp_path / "a.tar", {name: encoded(k) for k, name in enumerate(names)}, kind)
    catalogue = open_catalogue(path)
    assert list(catalogue.table["file"]) == names
    assert list(catalogue.source.object_ids) == ["galaxy one", "J0123.4+56.7", "J0123.4+56.8"]
    np.testing.assert_array_equal(catalogue.source.read(2), picture(2))


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_every_kind_of_image_and_what_is_left_out(tmp_path, suffix):
    array = io.BytesIO()
    np.save(array, picture(3))
    members = {
        "a.jpg": encoded(0, "JPEG"),
        "b.fits": stamp(1),
        "sub/c.png": encoded(2),
        "d.npy": array.getvalue(),
        "evil.pyd": b"cos\nsystem\n(S'true'\ntR.",
        "evil.pkl": b"x",
        "__MACOSX/._a.jpg": b"x",
        "readme.md": b"hello",
        "broken.png": encoded(4)[:90],
    }
    catalogue = open_catalogue(make(tmp_path / f"mixed{suffix}", members))
    assert list(catalogue.source.object_ids) == ["a", "b", "c", "d", "broken"]
    assert list(survey(catalogue.source).broken) == [4]
    np.testing.assert_array_equal(catalogue.source.read(3), picture(3))
    np.testing.assert_array_equal(catalogue.source.fluxes(1).planes[0], flux(1)[::-1])
    assert catalogue.source.fluxes(0) is None
    text = catalogue.summary()
    assert "1 .pyd, 1 .pkl: Python objects could run code and are never read" in text
    assert "1 .md not used" in text


def test_keys_up_to_the_first_dot_when_labels_say_so(tmp_path):
    members = {"x1.image.png": encoded(1), "x1.label.json": b'{"z": 0.5}', "x2.image.png": encoded(2)}
    table = open_catalogue(make(tmp_path / "a.tar", members)).table
    assert list(table["object_id"]) == ["x1", "x2"]
    assert table["z"][0] == 0.5
    assert np.isnan(table["z"][1])


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_a_table_names_the_members(tmp_path, suffix):
    """As the archives of challenges come: one file of images, one table beside it."""
    make(tmp_path / f"images{suffix}", {f"stamps/{k}.png": encoded(k) for k in range(4)})
    Table({"galaxy": ["c", "a", "x"], "file": ["2.png", "stamps/0.png", "9.png"]}).write(tmp_path / "t.ecsv")
    catalogue = open_catalogue(tmp_path / "t.ecsv", image_root=f"images{suffix}")
    assert list(catalogue.source.object_ids) == ["c", "a", "x"]
    np.testing.assert_array_equal(catalogue.source.read(0), picture(2))
    assert list(survey(catalogue.source).broken) == [2]
    assert "no member 9.png" in survey(catalogue.source).broken[2]


def test_messages(tmp_path):
    make(tmp_path / "none.tar", {"readme.md": b"x"})
    with pytest.raises(CatalogueError, match="holds no images"):
        open_catalogue(tmp_path / "none.tar")
    with pytest.raises(CatalogueError, match=r"2 are not there, the first is .*n-1.tar"):
        open_catalogue(tmp_path / "n-{0..2}.tar") if make(tmp_path / "n-0.tar", shard(0)) else None
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(CatalogueError, match="packed as a whole"):
        open_catalogue(tmp_path / "a.tar.gz")


def test_glue_opens_archives_and_sessions_find_them(tmp_path):
    from glue.core.data_factories import load_data

    from glue_zoobot.catalog import images_of, load

    make(tmp_path / "a.zip", shard(0))
    make(tmp_path / "b-0.tar", shard(0))
    for data in (load_data(str(tmp_path / "a.zip")), load(tmp_path / "b-{0..0}.tar")):
        assert data.size == 3
        np.testing.assert_array_equal(images_of(data).read(1), picture(1))
