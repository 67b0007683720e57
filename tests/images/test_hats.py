"""HATS catalogues as sources: bytes or paths of pictures, whole or a cone."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from glue_zoobot.embedding.matching import Part
from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import open_catalogue
from glue_zoobot.images.hats import Cone, _declinations, is_hats

RA = np.array([359.9, 0.1, 0.3, 40.0, 40.1, 180.0])
DEC = np.array([0.0, 0.0, 0.0, -30.0, -30.0, -89.95])


def png(value: int) -> bytes:
    pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3) // 2 + value
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def catalogue(tmp_path):
    """Make a catalogue of six galaxies in two pixels, with pictures as bytes or paths, or none."""

    def make(kind="bytes", folder=tmp_path / "hats"):
        (folder / "images").mkdir(parents=True)
        (folder / "hats.properties").write_text("#HATS\nobs_collection=x\nhats_col_ra=RA\nhats_col_dec=DEC\n")
        for pixel, rows in ((4, [0, 1, 2]), (8, [3, 4, 5])):
            file = folder / f"dataset/Norder=0/Dir=0/Npix={pixel}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            columns = {"object_id": [f"g{r}" for r in rows], "RA": RA[rows], "DEC": DEC[rows]}
            if kind == "bytes":
                columns["image"] = [png(10 * row) for row in rows]
            elif kind == "paths":
                columns["file"] = [f"images/{row}.png" for row in rows]
                for row in rows:
                    (folder / f"images/{row}.png").write_bytes(png(10 * row))
            pq.write_table(pa.table(columns), file)
        return folder

    return make


@pytest.mark.parametrize("kind", ["bytes", "paths"])
def test_a_whole_catalogue(catalogue, kind):
    opened = open_catalogue(catalogue(kind))
    assert list(opened.table["object_id"]) == [f"g{i}" for i in range(6)]
    assert [int(opened.source.read(i)[0, 0, 0]) for i in range(6)] == [0, 10, 20, 30, 40, 50]
    assert "2 of 2 pixels" in opened.summary()


@pytest.mark.parametrize("kind", ["bytes", "paths"])
@pytest.mark.parametrize(
    ("cone", "names"),
    [("0,0,0.2deg", ["g0", "g1"]), ("40.05,-30,6arcmin", ["g3", "g4"]), ("0,-90,10arcmin", ["g5"]),
     ("-0.1,0,1arcsec", ["g0"])],
)  # fmt: skip
def test_a_cone(catalogue, kind, cone, names):
    opened = open_catalogue(f"{catalogue(kind)}?cone={cone}")
    assert list(opened.table["object_id"]) == names == list(opened.source.object_ids)
    part = pickle.loads(pickle.dumps(Part(opened.source, np.array([len(names) - 1]))))
    assert int(part.read(len(names) - 1)[0, 0, 0]) == 10 * int(names[-1][1:])


@pytest.mark.parametrize(
    "cone", ["1,2", "a,b,1deg", "0,0,5", "0,0,0deg", "0,91,1deg", "0,0,1kg", "90,0,1arcsec"]
)
def test_cones_that_cannot_be_meant(catalogue, cone):
    with pytest.raises(CatalogueError, match="cone"):
        open_catalogue(f"{catalogue()}?cone={cone}")


def test_a_collection_is_opened_by_its_catalogue_and_no_other_folder(catalogue, tmp_path):
    folder = tmp_path / "collection"
    catalogue(folder=folder / "main")
    (folder / "collection.properties").write_text("obs_collection=c\nhats_primary_table_url=main\n")
    assert is_hats(folder)
    assert len(open_catalogue(folder).source) == 6
    (folder / "collection.properties").write_text("hats_primary_table_url=../../etc\n")
    with pytest.raises(CatalogueError, match="inside"):
        open_catalogue(folder)


def test_a_damaged_pixel_is_named(catalogue):
    folder = catalogue()
    file = next(folder.rglob("Npix=8.parquet"))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CatalogueError, match="Npix=8"):
        open_catalogue(folder)


def test_without_images_it_is_no_source_but_glue_opens_its_table(catalogue):
    from glue.core.data_factories import load_data

    from glue_zoobot import setup

    setup()
    folder = catalogue("none")
    with pytest.raises(CatalogueError, match="names no images"):
        open_catalogue(folder)
    data = load_data(str(folder))
    assert data.shape == (6,)
    assert list(data["RA"]) == list(RA)


def test_circles_are_circles_at_the_pole_and_across_0h():
    assert Cone(0, 89.9, 0.3).holds([180.0], [89.9]).all()
    assert Cone(359.99, 0, 0.1).holds([0.05], [0.0]).all()
    assert not Cone(0, 60, 1).holds([3.0], [60.0]).any()


@pytest.mark.parametrize("order", [0, 1, 4])
def test_where_pixels_lie(order):
    cdshealpix = pytest.importorskip("cdshealpix", reason="the extra [hats] is not installed")
    pixels = np.arange(12 * 4**order, dtype=np.uint64)
    dec = cdshealpix.nested.vertices(pixels, order)[1].deg
    ours = np.array([_declinations(order, int(pixel)) for pixel in pixels])
    np.testing.assert_allclose(ours, np.stack([dec.min(axis=1), dec.max(axis=1)], axis=1), atol=1e-9)
    assert _declinations(99, 5) == _declinations(1, 48) == (-90, 90)


def test_files_that_cannot_hold_the_cone_are_not_read(catalogue):
    folder = catalogue()
    (folder / "dataset/Norder=0/Dir=0/Npix=4.parquet").write_bytes(b"nothing")  # 42 degrees to both sides
    assert len(open_catalogue(f"{folder}?cone=0,-90,10arcmin").table) == 1
    with pytest.raises(CatalogueError, match="Npix=4"):
        open_catalogue(f"{folder}?cone=0,-50,10deg")
