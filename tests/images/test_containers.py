"""Stacks, image bytes in Parquet, many HDUs, one file per band."""

from __future__ import annotations

import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image

from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images import open_catalogue, survey

from .conftest import flux, picture

STACK = np.stack([picture(k) for k in range(5)])
LONG_IDS = 1237648720693755918 + np.arange(5)


def assert_reads(source, expected=STACK):
    """All images, twice: from four threads, and from a copy that went through pickle."""
    for copy in (source, pickle.loads(pickle.dumps(source))):
        with ThreadPoolExecutor(4) as pool:
            images = list(pool.map(copy.read, range(len(expected))))
        for image, wanted in zip(images, expected, strict=True):
            assert image.dtype == np.uint8
            np.testing.assert_allclose(image.astype(int), wanted, atol=1)


@pytest.mark.parametrize(
    "values",
    [
        STACK,
        STACK.astype(np.float32),
        STACK.astype(np.float64) / 255,
        STACK.transpose(0, 3, 1, 2),
        np.concatenate([STACK, np.full((5, 24, 32, 1), 255, np.uint8)], axis=3),
    ],
    ids=["uint8", "float 0-255", "float 0-1", "channels first", "rgba"],
)
@pytest.mark.parametrize("suffix", [".h5", ".npy", ".npz"])
def test_stacks_of_pictures(tmp_path, suffix, values):
    path = tmp_path / f"stack{suffix}"
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=values, chunks=(2, *values.shape[1:]), compression="gzip")
    elif suffix == ".npy":
        np.save(path, values)
    else:
        np.savez_compressed(path, images=values)
    catalogue = open_catalogue(path)
    assert catalogue.id_origin == "row number"
    assert list(catalogue.source.object_ids) == ["0", "1", "2", "3", "4"]
    assert any("row number" in note for note in catalogue.notes)
    assert_reads(catalogue.source)


def test_stack_of_grey_pictures(tmp_path):
    np.save(tmp_path / "grey.npy", STACK[..., 0])
    assert_reads(open_catalogue(tmp_path / "grey.npy").source, np.repeat(STACK[..., :1], 3, axis=3))


def test_stack_of_fluxes_with_nan(tmp_path):
    fluxes = np.stack([np.stack([flux(3 * k + c) for c in range(3)]) for k in range(4)])
    fluxes[2, 0, :3, :4] = np.nan
    np.save(tmp_path / "flux.npy", fluxes)
    catalogue = open_catalogue(tmp_path / "flux.npy")
    assert any("fluxes" in note for note in catalogue.notes)
    assert survey(catalogue.source).nan_counts == {2: 12}
    assert catalogue.source.read(2)[20, 20].min() > 150


def test_hdf5_columns_and_ids_beside_the_images(tmp_path):
    with h5py.File(tmp_path / "Galaxy10.h5", "w") as file:
        file["images"] = STACK
        file["ans"] = np.arange(5)
        file["objid"] = LONG_IDS
        file["survey"] = np.array([b"a", b"b", b"c", b"d", b"e"], dtype="S1")
        file["other"] = np.arange(9)
    catalogue = open_catalogue(tmp_path / "Galaxy10.h5")
    assert list(catalogue.source.object_ids) == [str(i) for i in LONG_IDS]
    assert set(catalogue.table.colnames) == {"object_id", "ans", "objid", "survey"}
    assert list(catalogue.table["survey"]) == ["a", "b", "c", "d", "e"]


def test_npz_ids_and_labels(tmp_path):
    np.savez(tmp_path / "s.npz", images=STACK, object_id=LONG_IDS, label=np.arange(5.0), other=np.arange(3))
    catalogue = open_catalogue(tmp_path / "s.npz")
    assert list(catalogue.source.object_ids) == [str(i) for i in LONG_IDS]
    assert catalogue.table.colnames == ["object_id", "label"]


def test_array_files_never_unpickle(tmp_path):
    class Surprise:
        def __reduce__(self):
            return print, ("executed",)

    np.save(tmp_path / "evil.npy", np.array([Surprise()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "evil.npz", images=np.array([Surprise()], dtype=object))
    for name in ("evil.npy", "evil.npz"):
        with pytest.raises(CatalogueError):
            open_catalogue(tmp_path / name)


def test_unclear_containers_ask_for_a_name(tmp_path):
    np.savez(tmp_path / "two.npz", a=STACK, b=STACK)
    with pytest.raises(CatalogueError, match=r"Name it \(--image-column\)"):
        open_catalogue(tmp_path / "two.npz")
    assert_reads(open_catalogue(tmp_path / "two.npz", image_column="b").source)
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["x"] = np.arange(4)
    with pytest.raises(CatalogueError, match="holds no array"):
        open_catalogue(tmp_path / "none.h5")
    for name in ("bad.h5", "bad.npy", "bad.npz"):
        (tmp_path / name).write_bytes(b"nothing of use")
        with pytest.raises(CatalogueError, match="complete"):
            open_catalogue(tmp_path / name)


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_parquet_of_image_bytes(tmp_path):
    cells = [png(p) for p in STACK]
    pq.write_table(pa.table({"id_str": LONG_IDS, "jpg": cells, "z": np.arange(5.0)}), tmp_path / "t.parquet")
    catalogue = open_catalogue(tmp_path / "t.parquet")
    assert list(catalogue.source.object_ids) == [str(i) for i in LONG_IDS]
    assert catalogue.table.colnames == ["object_id", "id_str", "z"]
    assert_reads(catalogue.source)


def test_parquet_struct_of_bytes_and_path_in_several_files(tmp_path):
    for number, rows in enumerate(([0, 1], [2, 3, 4])):
        cells = [{"bytes": png(STACK[k]), "path": f"g{k}.png"} for k in rows]
        table = pa.table({"image": cells, "label": rows})
        pq.write_table(table, tmp_path / f"train-{number}.parquet", row_group_size=2)
    catalogue = open_catalogue(tmp_path)
    assert list(catalogue.source.object_ids) == ["g0", "g1", "g2", "g3", "g4"]
    assert list(catalogue.table["label"]) == [0, 1, 2, 3, 4]
    assert_reads(catalogue.source)


def test_parquet_is_read_in_any_order_and_broken_cells_are_named(tmp_path):
    cells = [png(picture(k % 7)) for k in range(300)]
    cells[130], cells[131] = b"", b"<html>"
    pq.write_table(pa.table({"image": cells}), tmp_path / "t.parquet", row_group_size=200)
    source = open_catalogue(tmp_path / "t.parquet").source
    rng = np.random.default_rng(0)
    for row in [299, 0, 64, 63, 199, 200, *rng.choice(130, 20)]:
        np.testing.assert_array_equal(source.read(int(row)), picture(row % 7))
    with pytest.raises(ImageError, match="no image bytes"):
        source.read(130)
    with pytest.raises(ImageError, match="a web page"):
        source.read(131)


@pytest.fixture
def many_hdus(tmp_path):
    """Four galaxies in one FITS file, the second of them NaN in a corner."""
    stamps = [flux(k, size=20 + 2 * k) for k in range(4)]
    stamps[1][0, :5] = np.nan
    fits.HDUList([fits.PrimaryHDU(stamps[0]), *map(fits.ImageHDU, stamps[1:])]).writeto(tmp_path / "all.fits")
    return tmp_path / "all.fits"


def test_many_hdus_without_a_catalogue(many_hdus):
    catalogue = open_catalogue(many_hdus)
    report = survey(catalogue.source)
    assert report.shapes == {(20, 20): 1, (22, 22): 1, (24, 24): 1, (26, 26): 1}
    assert report.nan_counts == {1: 5}
    assert catalogue.id_origin == "row number"


def test_many_hdus_with_a_catalogue_beside(many_hdus):
    rows = "objid,GAL_HDU,mag\n1237648720693755918,2,20\n1237648720693755919,0,21\n1237648720693755920,9,22\n"
    (many_hdus.parent / "catalog.csv").write_text(rows)
    for path in (many_hdus, many_hdus.parent, many_hdus.parent / "catalog.csv"):
        catalogue = open_catalogue(path)
        assert catalogue.source.object_ids[0] == "1237648720693755918"
        assert catalogue.source.read(0).shape == (24, 24, 3)
        assert catalogue.source.read(1).shape == (20, 20, 3)
        with pytest.raises(ImageError):
            catalogue.source.read(2)
        assert pickle.loads(pickle.dumps(catalogue.source)).read(0).shape == (24, 24, 3)


def test_catalogue_in_the_same_file(tmp_path):
    columns = Table({"objid": LONG_IDS[:2], "mag": [20.0, 21.0]})
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(flux(0)), fits.ImageHDU(flux(1)), fits.table_to_hdu(columns)]
    fits.HDUList(hdus).writeto(tmp_path / "all.fits")
    catalogue = open_catalogue(tmp_path / "all.fits")
    assert list(catalogue.source.object_ids) == [str(i) for i in LONG_IDS[:2]]
    assert survey(catalogue.source).broken == {}


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        ("Haro_25_{band}.fits", "{id}_{band}.fits"),
        ("12008179.acs.{band}_6ac_.fits", "{id}.{band}_6ac_.fits"),
        ("360_{band}band.fits", "{id}_{band}band.fits"),
    ],
)
def test_one_file_per_band_is_recognised(tmp_path, names, pattern):
    for k, band in enumerate("gri"):
        for galaxy in "", "x":
            fits.writeto(tmp_path / (galaxy + names.replace("{band}", band)), flux(7) * (k + 1))
    catalogue = open_catalogue(tmp_path)
    assert len(catalogue.source) == 2
    assert catalogue.source.bands == ("i", "r", "g")
    assert catalogue.source.pattern == pattern
    assert survey(catalogue.source).broken == {}


def test_bands_in_the_order_asked_for(tmp_path):
    for number, band in enumerate(["F606W", "F814W"]):
        data = flux(number, amplitude=0)
        data[10:14, 10:14] += 100 * number  # only in F814W
        fits.writeto(tmp_path / f"a_{band}.fits", data)
    image = open_catalogue(tmp_path, bands="{id}_{band}.fits:F814W,F606W").source.read(0)
    source_rows = 40 - 12  # the first row of the file is at the bottom
    red, _, blue = image[source_rows, 12].astype(int)
    assert red > blue + 100


def test_missing_band_is_broken_for_that_galaxy_alone(tmp_path):
    for name in ("a_g", "a_r", "b_g"):
        fits.writeto(tmp_path / f"{name}.fits", flux(3))
    source = open_catalogue(tmp_path, bands="{id}_{band}.fits:rg").source
    assert source.read(0).shape == (40, 40, 3)
    with pytest.raises(ImageError, match=r"no file for band r: .*b_r\.fits"):
        source.read(1)


def test_bands_of_different_size_are_aligned_by_their_wcs(tmp_path):
    frame = WCS(naxis=2)
    frame.wcs.ctype, frame.wcs.crval, frame.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [150, 2], [-1e-4, 1e-4]
    for band, shift in (("g", 0), ("r", 6)):
        frame.wcs.crpix = [21 + shift, 21 + shift]
        data = np.zeros((40 + 2 * shift, 40 + 2 * shift), np.float32)
        data[20 + shift, 20 + shift] = 100
        data += np.random.default_rng(0).normal(0, 1, data.shape)
        fits.writeto(tmp_path / f"a_{band}.fits", data, frame.to_header())
    image = open_catalogue(tmp_path, bands="{id}_{band}.fits:gr").source.read(0)
    assert image[40 - 21, 20].min() > 200  # bright in red and in blue at the same place


def test_patterns_that_fit_nothing(tmp_path, folder):
    with pytest.raises(CatalogueError, match="no file"):
        open_catalogue(folder, bands="{id}-{band}.fits")
    with pytest.raises(CatalogueError, match="a pattern such as"):
        open_catalogue(folder, bands="{id}.fits")


@pytest.fixture
def one_band_table(tmp_path):
    """A table that names the g file of three galaxies, in a folder that was renamed; r and i are there."""
    for k in range(3):
        for band in "gri":
            fits.writeto(tmp_path / f"{k}00.acs.{band}_.fits", flux(10 * k + "gri".index(band)))
    rows = [f"deimos_{k}00,{150 + k},2,cutouts/{k}00.acs.g_.fits" for k in range(3)]
    (tmp_path / "galaxies.csv").write_text("\n".join(["id,ra,dec,cutout", *rows]))
    return tmp_path


@pytest.mark.parametrize("path", ["", "galaxies.csv"])
@pytest.mark.parametrize("bands", [None, "{id}.acs.{band}_.fits:irg"])
def test_table_of_one_band_gets_the_others_and_keeps_its_columns(one_band_table, path, bands):
    catalogue = open_catalogue(one_band_table / path, bands=bands)
    assert list(catalogue.source.object_ids) == ["deimos_000", "deimos_100", "deimos_200"]
    assert {"ra", "dec", "cutout"} <= set(catalogue.table.colnames)
    assert "colours from bands i, r, g" in catalogue.summary()
    assert ("lie beside it" in catalogue.summary()) == (bands is None)
    image = pickle.loads(pickle.dumps(catalogue.source)).read(1).astype(int)
    assert np.ptp(image, axis=2).max() > 0


def test_one_band_alone_where_the_user_says_so(one_band_table):
    catalogue = open_catalogue(one_band_table / "galaxies.csv", bands="{id}.acs.{band}_.fits:g")
    assert np.ptp(catalogue.source.read(1).astype(int), axis=2).max() == 0


def test_a_galaxy_of_the_table_without_files_is_broken(one_band_table):
    (one_band_table / "100.acs.r_.fits").unlink()
    with (one_band_table / "galaxies.csv").open("a") as file:
        file.write("\ndeimos_900,1,1,cutouts/900.acs.g_.fits")
    catalogue = open_catalogue(one_band_table / "galaxies.csv")
    broken = survey(catalogue.source).broken
    assert set(broken) == {1, 3}
    assert "100.acs.r_.fits" in broken[1]
    assert "900.acs" in broken[3]


def test_bands_join_a_table_of_integer_ids(tmp_path):
    (tmp_path / "stamps").mkdir()
    for band in "gr":
        fits.writeto(tmp_path / "stamps" / f"{LONG_IDS[1]}_{band}.fits", flux())
    (tmp_path / "t.csv").write_text("objid,z\n" + "\n".join(f"{i},0.1" for i in LONG_IDS))
    catalogue = open_catalogue(tmp_path / "t.csv", bands="{id}_{band}.fits:rg")
    assert list(catalogue.source.object_ids) == [str(i) for i in LONG_IDS]
    assert set(survey(catalogue.source).broken) == {0, 2, 3, 4}


def test_table_with_a_row_for_every_band_stays_as_it_is(tmp_path):
    for band in "gr":
        fits.writeto(tmp_path / f"a_{band}.fits", flux())
    (tmp_path / "t.csv").write_text("file,band\na_g.fits,g\na_r.fits,r\n")
    assert list(open_catalogue(tmp_path).source.object_ids) == ["a_g", "a_r"]


def test_bands_that_nothing_has_are_said(one_band_table):
    with pytest.raises(CatalogueError, match=r"no file .* is of band y; .* g, r, i"):
        open_catalogue(one_band_table, bands="{id}.acs.{band}_.fits:y,")
    (one_band_table / "galaxies.csv").write_text("id,z\nNGC 1,0.1\n")
    with pytest.raises(CatalogueError, match=r"names none of the 3 galaxies"):
        open_catalogue(one_band_table / "galaxies.csv", bands="{id}.acs.{band}_.fits")
