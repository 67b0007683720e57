"""Catalogues: formats, ids with all their digits, paths, and clear errors."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table
from PIL import Image

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import SourceSpec, open_catalogue, tables

from .conftest import picture

IDS = [1237648720693755918, 1237648720693755919, 9223372036854775807]


@pytest.fixture
def table(tmp_path):
    """Three galaxies with 19-digit ids; images in a folder beside."""
    (tmp_path / "images").mkdir()
    for k in range(3):
        Image.fromarray(picture(k)).save(tmp_path / "images" / f"g{k}.png")
    files = [f"images/g{k}.png" for k in range(3)]
    return Table({"objid": np.array(IDS), "filename": files, "ra": [1.0, 2.0, 3.0] * u.deg, "n": [1, 2, 3]})


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.ecsv", "t.fits", "t.vot", "t.parquet", "t.txt"])
def test_every_format_keeps_ids_and_finds_images(table, tmp_path, name):
    path = tmp_path / name
    formats = {"t.tsv": "ascii.tab", "t.txt": "ascii.commented_header", "t.vot": "votable"}
    if name == "t.parquet":
        pq.write_table(pa.table({c: table[c].tolist() for c in table.colnames}), path)
    else:
        table.write(path, format=formats.get(name))
    catalogue = open_catalogue(path)
    assert list(catalogue.source.object_ids) == [str(i) for i in IDS]
    assert catalogue.id_origin == "column 'objid'"
    assert catalogue.table.colnames[0] == "object_id"
    assert list(catalogue.table["n"]) == [1, 2, 3]
    for k in range(3):
        np.testing.assert_array_equal(catalogue.source.read(k), picture(k))


def test_units_of_ecsv_are_kept(table, tmp_path):
    table.write(tmp_path / "t.ecsv")
    assert open_catalogue(tmp_path / "t.ecsv").table["ra"].unit == u.deg


def test_folder_with_one_table_opens_as_that_table(table, tmp_path):
    table.write(tmp_path / "labels.csv")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    catalogue = open_catalogue(tmp_path)
    assert catalogue.id_origin == "column 'objid'"
    assert "ra" in catalogue.table.colnames


def test_csv_ids_keep_leading_zeros_and_gaps_do_not_spoil_integers(tmp_path, table):
    rows = "id_str,file_loc,specobjid,count\n0012,images/g0.png,1237648720693755918,1\n0013,images/g1.png,,\n"
    (tmp_path / "t.csv").write_text(rows)
    catalogue = open_catalogue(tmp_path / "t.csv")
    assert list(catalogue.source.object_ids) == ["0012", "0013"]
    assert list(catalogue.table["specobjid"]) == ["1237648720693755918", ""]
    assert catalogue.table["count"][0] == 1
    assert np.isnan(catalogue.table["count"][1])


def test_masked_fits_integers_of_an_id_column_become_text(tmp_path, table):
    table["dr8objid"] = MaskedColumn(IDS, mask=[False, True, False])
    table.write(tmp_path / "t.ecsv")
    assert list(open_catalogue(tmp_path / "t.ecsv").table["dr8objid"]) == [str(IDS[0]), "", str(IDS[2])]


def test_ids_that_went_through_float_are_refused(tmp_path, table):
    table["objid"] = np.array(IDS, dtype=float)
    table.write(tmp_path / "t.fits")
    catalogue = open_catalogue(tmp_path / "t.fits")
    assert catalogue.id_origin == "file stem"
    assert any("digits" in note for note in catalogue.notes)
    with pytest.raises(CatalogueError, match="cannot serve as object id"):
        open_catalogue(tmp_path / "t.fits", id_column="objid")


def test_id_column_can_be_named_in_any_case(table, tmp_path):
    table.write(tmp_path / "t.csv")
    assert list(open_catalogue(tmp_path / "t.csv", id_column="N").source.object_ids) == ["1", "2", "3"]
    with pytest.raises(CatalogueError, match="no column 'filenam' among the 4; nearest: filename"):
        open_catalogue(tmp_path / "t.csv", id_column="filenam")
    with pytest.raises(
        CatalogueError, match="no column 'xyz' among the 4; the first: objid, filename, ra, n"
    ):
        open_catalogue(tmp_path / "t.csv", id_column="xyz")


def test_a_wide_table_is_not_listed_whole(tmp_path):
    (tmp_path / "a.jpg").touch()
    names = [f"t{k:02}_answer_fraction" for k in range(100)]
    (tmp_path / "t.csv").write_text(",".join(["file", *names]) + "\n" + ",".join(["a.jpg"] + ["0"] * 100))
    with pytest.raises(CatalogueError, match=r"among the 101; nearest: (t\w+(, |$)){5}$"):
        open_catalogue(tmp_path / "t.csv", id_column="t07_anwser_fraction")


@pytest.mark.parametrize("text", ["Images of galaxies.\nAll were made by hand.\n", "images", "", "id,file\n"])
def test_a_text_that_is_no_table(tmp_path, text):
    (tmp_path / "readme.txt").write_text(text)
    with pytest.raises(CatalogueError, match=r"readme\.txt .*: a table has a line of column names"):
        open_catalogue(tmp_path / "readme.txt")


@pytest.mark.parametrize(
    "name", ["GalaxyID", "asset_id", "dr7objid", "iauname", "Source ID", "galaxy_id", "name"]
)
def test_usual_id_columns_are_found(table, tmp_path, name):
    table.rename_column("objid", name)
    table.write(tmp_path / "t.csv")
    assert open_catalogue(tmp_path / "t.csv").id_origin == f"column {name!r}"


def test_object_id_column_that_is_not_the_id_is_kept_beside(table, tmp_path):
    table["object_id"] = ["a", "b", "c"]
    table.write(tmp_path / "t.csv")
    catalogue = open_catalogue(tmp_path / "t.csv", id_column="objid")
    assert list(catalogue.table["object_id"]) == [str(i) for i in IDS]
    assert list(catalogue.table["object_id_in_table"]) == ["a", "b", "c"]


def test_file_stem_is_the_id_without_an_id_column(table, tmp_path):
    table.remove_column("objid")
    table.write(tmp_path / "t.csv")
    assert list(open_catalogue(tmp_path / "t.csv").source.object_ids) == ["g0", "g1", "g2"]


def test_column_whose_values_repeat_is_no_id(table, tmp_path):
    table.rename_column("objid", "name")
    table["name"] = ["SDSS", "SDSS", "SDSS"]
    table.write(tmp_path / "t.csv")
    catalogue = open_catalogue(tmp_path / "t.csv")
    assert catalogue.id_origin == "file stem"
    assert "column 'name' not used as object id: many of its values repeat" in catalogue.notes


def test_duplicates_are_recorded_and_named(tmp_path, table):
    lines = [f"{k % 19},images/g{k % 3}.png" for k in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["objid,file", *lines, ""]))
    catalogue = open_catalogue(tmp_path / "t.csv")
    assert catalogue.duplicates == {"0": [19]}
    assert catalogue.summary().startswith("20 images, 1 duplicate id (0), ids from column 'objid'")
    assert catalogue.summary(broken=3).startswith("20 images, 3 broken, 1 duplicate id (0)")


def test_images_below_another_root_and_with_paths_of_another_machine(table, tmp_path):
    table["filename"] = [f"/share/survey/images/g{k}.png" for k in range(3)]
    (tmp_path / "tables").mkdir()
    table.write(tmp_path / "tables" / "t.csv")
    with pytest.raises(CatalogueError, match="image root"):
        open_catalogue(tmp_path / "tables" / "t.csv")
    for root in (tmp_path, tmp_path / "images"):
        catalogue = open_catalogue(tmp_path / "tables" / "t.csv", image_root=str(root))
        np.testing.assert_array_equal(catalogue.source.read(2), picture(2))


def test_image_column_can_be_named(table, tmp_path):
    table.rename_column("filename", "where")
    table.write(tmp_path / "t.csv")
    with pytest.raises(CatalogueError, match="names no images"):
        open_catalogue(tmp_path / "t.csv")
    assert open_catalogue(tmp_path / "t.csv", image_column="where").source.read(0).shape == (24, 32, 3)


@pytest.mark.parametrize("name", ["t.csv", "t.fits", "t.parquet", "t.ecsv", "t.vot"])
def test_damaged_table_is_an_error_that_names_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"SIMPLE  = nothing \x00\xff of use")
    with pytest.raises(CatalogueError, match=name):
        open_catalogue(tmp_path / name)


def test_spec_survives_json(tmp_path):
    spec = SourceSpec(str(tmp_path), id_column="objid", preset="legacy", bands="{id}_{band}.fits:zrg")
    assert SourceSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert SourceSpec("a").to_dict() == {"path": "a"}
    with pytest.raises(CatalogueError, match="unknown field"):
        SourceSpec.from_dict({"path": "a", "colour": "red"})


def test_texts_of_a_large_table_are_held_once(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_MAX_FIXED_WIDTH", 0)
    names = [f"galaxy {i}.png" for i in range(4)]
    for name in names:
        (tmp_path / name).touch()
    Table({"file": names, "objid": ["a", "b", "b", "d"], "kind": ["x", "y", "x", "x"]}).write(
        tmp_path / "t.csv"
    )
    catalogue = open_catalogue(tmp_path / "t.csv", id_column="objid")
    table, source = catalogue.table, catalogue.source
    assert table["object_id"][0] is table["objid"][0] is source.object_ids[0]
    assert table["file"][3] is source.paths[3]
    assert table["kind"][0] is table["kind"][3]
    assert table["kind"].tolist() == ["x", "y", "x", "x"]
    assert catalogue.duplicates == {"b": [2]}
