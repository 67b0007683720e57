"""The simulated sample: always the same, like a survey, quick to open again."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from astropy import units as u

from glue_zoobot.images import open_catalogue
from glue_zoobot.images.simulated import KINDS, SimulatedGalaxies, write_sample


@pytest.fixture(scope="module")
def sample():
    return SimulatedGalaxies(n=400, random_state=3, size=64)


@pytest.fixture(scope="module")
def table(sample):
    return sample.table()


def test_one_galaxy_is_the_same_whatever_was_read_before(sample):
    image = sample.read(17)
    assert image.shape == (64, 64, 3)
    assert image.dtype == np.uint8
    again = pickle.loads(pickle.dumps(SimulatedGalaxies(n=20, random_state=3, size=64)))
    np.testing.assert_array_equal(again.read(17), image)
    assert not np.array_equal(SimulatedGalaxies(n=20, random_state=4, size=64).read(17), image)


def test_table_is_aligned_and_has_units(sample, table):
    assert list(table["object_id"]) == list(sample.object_ids)
    assert len(set(sample.object_ids)) == 400
    assert table["ra"].unit == u.deg
    assert table["petro_radius"].unit == u.arcsec
    expected = {
        "object_id",
        "ra",
        "dec",
        "redshift",
        "mag_g",
        "mag_r",
        "mag_i",
        "petro_radius",
        "ellipticity",
        "kind",
    }
    assert set(table.colnames) == expected


def test_every_kind_is_there(table):
    counts = {kind: int((table["kind"] == kind).sum()) for kind in KINDS}
    assert min(counts.values()) >= 5
    assert counts["artefact"] < 0.1 * len(table)


def test_colours_and_sizes_are_those_of_galaxies(table):
    colour = table["mag_g"] - table["mag_r"]
    assert 0.7 < np.nanmedian(colour[table["kind"] == "elliptical"]) < 1.0
    assert 0.3 < np.nanmedian(colour[table["kind"] == "spiral"]) < 0.65
    red = table["kind"] == "elliptical"
    assert np.corrcoef(colour[red], table["redshift"][red])[0, 1] > 0.5  # reddened with distance
    assert np.nanmax(table["mag_r"]) < 17.8
    assert 2 < np.median(table["petro_radius"]) < 20
    assert np.median(table["ellipticity"][table["kind"] == "edge_on"]) > 0.6


def test_galaxies_are_in_the_middle_on_dark_sky(sample, table):
    for row in np.flatnonzero(table["kind"] != "artefact")[:30]:
        image = sample.read(int(row)).astype(float).mean(axis=2)
        assert image[26:38, 26:38].mean() > 3 * np.median(image[:6])


def test_missing_band_has_no_magnitude():
    sample = SimulatedGalaxies(4000, 0)
    galaxies = (sample.galaxy(i) for i in range(len(sample)))
    missing = next(g for g in galaxies if g.flaw == "missing_r")
    assert list(np.isnan(missing.magnitudes())) == [False, True, False]
    image = SimulatedGalaxies(4000, 0, size=48).read(missing.index)
    assert not image[..., 1].any()  # r is shown as green
    assert image[..., 0].any()


def test_written_sample_opens_and_is_not_written_twice(tmp_path):
    path = write_sample(tmp_path / "sample", n=6, random_state=1)
    catalogue = open_catalogue(path)
    source = SimulatedGalaxies(6, 1)
    assert list(catalogue.source.object_ids) == list(source.object_ids)
    assert catalogue.table["ra"].unit == u.deg
    np.testing.assert_array_equal(catalogue.source.read(5), source.read(5))
    image = tmp_path / "sample" / catalogue.source.paths[5]
    before = image.stat().st_mtime_ns
    assert write_sample(tmp_path / "sample", n=6, random_state=1) == path
    assert image.stat().st_mtime_ns == before
    image.unlink()
    write_sample(tmp_path / "sample", n=6, random_state=1)
    assert image.exists()
    write_sample(tmp_path / "sample", n=4, random_state=1)
    assert len(open_catalogue(path).source) == 4
