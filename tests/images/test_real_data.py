"""Real images of surveys, where they are at hand."""

from __future__ import annotations

import numpy as np
import pytest

from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images import open_catalogue, survey


@pytest.mark.parametrize(
    ("name", "count", "shape"),
    [
        ("sdss_gz1", 4663, (423, 423, 3)),
        ("sdss_gz2_votes", 511, (424, 424, 3)),
        ("sdss_kaggle_gz", 3943, (424, 424, 3)),
        ("sdss_gz2_artifacts", 238, (424, 424, 3)),
        ("decals_galaxy10_sample", 100, (256, 256, 3)),
    ],
)
def test_labelled_sets_open_through_their_labels(galaxy_data, name, count, shape):
    catalogue = open_catalogue(galaxy_data / name)
    assert len(catalogue.source) == count
    assert catalogue.id_origin == "column 'object_id'"
    assert catalogue.duplicates == {}
    for row in np.linspace(0, count - 1, 5).astype(int):
        assert catalogue.source.read(row).shape == shape


def test_ids_of_dr7_keep_18_digits(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "sdss_gz1", id_column="dr7objid")
    assert {len(i) for i in catalogue.source.object_ids} == {18}
    assert catalogue.source.object_ids[0] in catalogue.source.paths[0]


def test_file_cut_short_is_broken_and_the_others_are_read(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "fits_multiband" / "decals_grz")
    report = survey(catalogue.source)
    assert [catalogue.source.object_ids[row] for row in report.broken] == ["example_incomplete"]
    assert "cut short" in next(iter(report.broken.values()))
    assert report.total == 6


def test_hst_bands_become_colours(galaxy_data):
    folder = galaxy_data / "fits_multiband" / "aegis_hst_vi"
    catalogue = open_catalogue(folder, bands="{id}.acs.{band}_6ac_.fits:iv")
    report = survey(catalogue.source)
    assert (report.total, report.broken) == (23, {})
    image = catalogue.source.read(0).astype(int)
    assert (image[..., 0] != image[..., 2]).any()


def test_table_whose_images_lie_elsewhere_is_put_right(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "fits_multiband" / "aegis_hst_vi" / "deimos_mosviz.ecsv")
    assert catalogue.source.object_ids[0] == "deimos_12008179"
    assert survey(catalogue.source).broken == {}


def test_bands_with_a_wrong_wcs_are_left_as_they_are(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "fits_multiband" / "sdss_ugriz")
    assert list(catalogue.source.object_ids) == ["Haro_25", "Haro_29"]
    red, green, blue = catalogue.source.read(0).reshape(-1, 3).T.astype(float)
    assert np.corrcoef([red, green, blue]).min() > 0.5  # 0.1 to 0.2 where their WCS would put them


def test_hundred_hdus_and_their_catalogue(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "fits_multiband" / "cosmos_hst_mef")
    assert len(catalogue.source) == 100
    assert "ZPHOT" in catalogue.table.colnames
    assert survey(catalogue.source).broken == {}
    for row, shape in enumerate(catalogue.table["shape"][:5]):
        assert "x".join(map(str, catalogue.source.read(row).shape[:2])) == shape


def test_scenes_in_npz_files(galaxy_data):
    catalogue = open_catalogue(galaxy_data / "hsc_cosmos_scenes")
    assert len(catalogue.source) == 37
    for row in range(5):
        height, width = catalogue.source.read(row).shape[:2]
        assert (height, width) == (catalogue.table["height"][row], catalogue.table["width"][row])


@pytest.mark.parametrize(
    "name",
    [
        "gz_dr7objid_radec_petro.csv",
        "zoobot_desi_pca2.parquet",
        "decals_lenses_training.tsv",
        "decals_lenses_new.tsv",
        "gz2_symmetry12.csv",
    ],
)
def test_catalogue_without_images_says_so(galaxy_data, name):
    with pytest.raises(CatalogueError, match="names no images"):
        open_catalogue(galaxy_data / "tables" / name)


def test_fits_file_of_one_field_is_one_image(galaxy_data):
    source = open_catalogue(galaxy_data / "fits_multiband" / "sep_field" / "image.fits").source
    assert source.read(0).shape == (256, 256, 3)
    with pytest.raises(ImageError):
        open_catalogue(galaxy_data / "fits_multiband" / "decals_grz" / "example_incomplete.fits").source.read(
            0
        )
