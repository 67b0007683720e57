"""File > Open: what is ours opens as galaxies, what is not stays with glue."""

import io

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from glue.core.component import CategoricalComponent, DateTimeComponent
from glue.core.data_factories import find_factory, load_data
from PIL import Image

import glue_zoobot
from glue_zoobot.catalog import images_of, load, object_ids_of, source_of
from glue_zoobot.catalog.components import table_to_data
from glue_zoobot.catalog.factories import read_images, read_plain_table
from glue_zoobot.errors import CatalogueError
from tests.catalog.conftest import FIRST_ID, ids_of_survey, write_survey

STACK = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def registered():
    glue_zoobot.setup()


def png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), value, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def make_table(suffix):
    def make(folder):
        table = Table.read(write_survey(folder / "survey", 6), converters={"objid": str})
        path = folder / "survey" / f"other{suffix}"
        (folder / "survey" / "survey.csv").unlink()
        if suffix == ".parquet":
            pq.write_table(pa.table({name: table[name].tolist() for name in table.colnames}), path)
        else:
            table.write(path, format="votable" if suffix == ".vot" else None)
        return path

    return make


def make_folder(folder):
    for row in range(6):
        (folder / "pictures" / f"half{row % 2}").mkdir(parents=True, exist_ok=True)
        (folder / "pictures" / f"half{row % 2}" / f"{row}.png").write_bytes(png(row))
    return folder / "pictures"


def make_hdf5(folder):
    with h5py.File(folder / "stack.h5", "w") as file:
        file["images"] = STACK
        file["ans"] = np.arange(6)
    return folder / "stack.h5"


def make_npy(folder):
    np.save(folder / "stack.npy", STACK)
    return folder / "stack.npy"


def make_npz(folder):
    np.savez_compressed(folder / "stack.npz", images=STACK, redshift=np.linspace(0, 1, 6))
    return folder / "stack.npz"


def make_parquet_bytes(folder):
    images = [{"bytes": png(row), "path": f"{row}.png"} for row in range(6)]
    pq.write_table(pa.table({"image": images, "label": list("abcabc")}), folder / "train.parquet")
    return folder / "train.parquet"


def make_many_hdus(folder):
    stamps = [fits.ImageHDU(np.arange(64.0).reshape(8, 8) + row, name=f"G{row}") for row in range(12)]
    fits.HDUList([fits.PrimaryHDU(), *stamps]).writeto(folder / "stamps.fits")
    return folder / "stamps.fits"


def make_fits_folder(folder):
    (folder / "fits").mkdir()
    for row in range(6):
        fits.writeto(
            folder / "fits" / f"{row}.fits", np.random.default_rng(row).normal(size=(8, 8)).astype("f4")
        )
    return folder / "fits"


SOURCES = {
    "csv": make_table(".csv"),
    "ecsv": make_table(".ecsv"),
    "fits table": make_table(".fits"),
    "votable": make_table(".vot"),
    "parquet": make_table(".parquet"),
    "folder": make_folder,
    "hdf5": make_hdf5,
    "npy": make_npy,
    "npz": make_npz,
    "parquet bytes": make_parquet_bytes,
    "many HDUs": make_many_hdus,
    "fits folder": make_fits_folder,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_opens_by_itself(kind, tmp_path):
    path = SOURCES[kind](tmp_path)
    assert find_factory(str(path)) is read_images
    data = load_data(str(path))
    assert data.size in (6, 12)
    assert len(images_of(data)) == data.size
    assert images_of(data).read(data.size - 1).shape[2] == 3
    assert data.components[1].label == "object_id"
    assert isinstance(data.get_component("object_id"), CategoricalComponent)
    assert source_of(data).path == str(path)
    again = load_data(str(path))
    assert [c.label for c in again.components] == [c.label for c in data.components]


def test_ids_and_text_are_what_they_are(survey):
    data = load(survey)
    assert object_ids_of(data)[1] == str(FIRST_ID + 7)
    assert data.label == "survey"
    kinds = {c.label: data.get_kind(c) for c in data.main_components}
    assert kinds == {
        "object_id": "categorical",
        "objid": "categorical",
        "redshift": "numerical",
        "kind": "categorical",
        "file": "categorical",
    }
    assert list(kinds)[-1] == "file"


def test_rows_and_images_stay_paired(survey):
    data = load(survey)
    for row in (0, 13, 59):
        assert images_of(data).read(row)[0, 0, 0] == row


ORDINARY = {
    "photometry.csv": lambda path: path.write_text("id,g,r\n1,20,19\n2,21,20\n"),
    "named_files.csv": lambda path: path.write_text("id,file\n1,nowhere/1.jpg\n2,nowhere/2.jpg\n"),
    "name.csv": lambda path: path.write_text("name,image\nM31,yes\nM33,no\n"),
    "table.fits": lambda path: Table({"ra": [1.0, 2.0], "dec": [3.0, 4.0]}).write(path),
    "image.fits": lambda path: fits.writeto(path, np.zeros((20, 20))),
    "cube.fits": lambda path: fits.writeto(path, np.zeros((3, 20, 20))),
    "cube.npy": lambda path: np.save(path, np.zeros((5, 6, 7))),
    "numbers.h5": lambda path: h5py.File(path, "w").create_dataset("x", data=np.zeros((4, 5, 6))),
    "picture.png": lambda path: path.write_bytes(png(3)),
    "broken.fits": lambda path: path.write_text("<html>not found</html>"),
    "empty.csv": lambda path: path.write_text(""),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_files_stay_with_glue(name, tmp_path):
    ORDINARY[name](tmp_path / name)
    factory = find_factory(str(tmp_path / name))
    assert factory not in (read_images, read_plain_table)


def test_a_camera_file_of_many_chips_stays_an_image(tmp_path):
    chips = [fits.ImageHDU(np.zeros((4, 2048), dtype="u1")) for _ in range(12)]
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(tmp_path / "mosaic.fits")
    assert find_factory(str(tmp_path / "mosaic.fits")) is not read_images


def test_plain_parquet_keeps_ids_and_leaves_out_lists(tmp_path):
    path = tmp_path / "features.parquet"
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(300, dtype="f4")), 100)
    columns = {"id_str": ["1237648720693755918"] * 3, "z": [0.1, None, 0.3], "embedding": vectors}
    pq.write_table(pa.table(columns), path)
    data = load_data(str(path))
    assert [c.label for c in data.main_components] == ["id_str", "z"]
    assert data["id_str"][0] == "1237648720693755918"
    assert np.isnan(data["z"][1])
    assert "100 values" in data.meta["glue_zoobot"]["notes"][0]
    assert images_of(data) is None


def test_fits_vector_columns_are_not_dropped(tmp_path):
    table = Table({"flux": np.arange(12.0).reshape(4, 3), "spectrum": np.zeros((4, 50)), "z": np.arange(4.0)})
    table["flux"].unit = "Jy"
    table.write(tmp_path / "v.fits")
    data = load_data(str(tmp_path / "v.fits"))
    assert [c.label for c in data.main_components] == ["flux_0", "flux_1", "flux_2", "z"]
    assert data["flux_2"].tolist() == [2, 5, 8, 11]
    assert data.get_component("flux_0").units == "Jy"
    assert data["z"].dtype.isnative


def test_every_kind_of_column_becomes_what_it_is():
    table = Table(
        {
            "truth": [True, False],
            "half": np.array([1.5, 2.5], dtype="f2"),
            "big": np.array([1, 2], dtype=">i4"),
            "raw": np.array([b"a", b"b"]),
            "night": np.array(["2020-01-01", "2021-01-01"], dtype="M8[s]"),
        }
    )
    data, notes = table_to_data(table, "t")
    assert data["truth"].tolist() == [1, 0]
    assert data["half"].dtype == np.float32
    assert data["big"].dtype.isnative
    assert data["raw"].tolist() == ["a", "b"]
    assert isinstance(data.get_component("night"), DateTimeComponent)
    assert notes == []


def test_paths_of_a_large_catalogue_are_kept_out_of_the_way(monkeypatch):
    monkeypatch.setattr("glue_zoobot.catalog.components.MAX_ROWS_OF_PATHS", 3)
    table = Table({"file": ["a.png"] * 4, "z": np.arange(4)})
    data, notes = table_to_data(table, "t", paths="file")
    assert [c.label for c in data.main_components] == ["z"]
    assert "'file'" in notes[0]


def test_options_travel_with_the_data(tmp_path, monkeypatch):
    path = write_survey(tmp_path / "project", 6)
    (tmp_path / "project" / "images").rename(tmp_path / "pictures")
    with pytest.raises(CatalogueError, match="image root"):
        load(path)
    (tmp_path / "pictures").rename(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    data = load(path, image_root=tmp_path)
    assert data.meta["glue_zoobot"]["source"] == {"path": "survey.csv", "image_root": ".."}
    assert images_of(data).read(2)[0, 0, 0] == 2
    assert source_of(data).image_root == str(tmp_path)


def test_a_chosen_id_column(tmp_path):
    path = write_survey(tmp_path / "project", 6)
    data = load(path, id_column="file")
    assert object_ids_of(data)[0] == "images/0.png"
    assert data["objid"].tolist() == ids_of_survey(6)


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(CatalogueError, match=r"nothing\.csv"):
        load(tmp_path / "nothing.csv")


def test_a_file_called_labels_is_named_after_its_folder(tmp_path):
    path = write_survey(tmp_path / "sdss", 6)
    path.rename(path.with_name("labels.csv"))
    assert load(path.with_name("labels.csv")).label == "sdss"
    assert load(tmp_path / "sdss").label == "sdss"


def test_real_catalogues(galaxy_data):
    data = load_data(str(galaxy_data / "sdss_gz1" / "labels.csv"))
    assert data.size == 4663
    assert object_ids_of(data)[0] == "588848901537202306"
    assert images_of(data).read(0).shape == (423, 423, 3)
    plain = load_data(str(galaxy_data / "tables" / "zoobot_desi_pca2.parquet"))
    assert plain.size == 49976
    assert find_factory(str(galaxy_data / "tables" / "decals_lenses_new.tsv")) is not read_images
