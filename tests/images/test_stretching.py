"""Pictures of the same fluxes with another stretch or other bands."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from glue_zoobot.errors import ImageError
from glue_zoobot.images import open_catalogue
from glue_zoobot.images.stretching import Stretch, read_stretched


def galaxy(peak, seed=0):
    y, x = np.mgrid[:40, :40] - 20
    noise = np.random.default_rng(seed).normal(0, 1, (40, 40))
    return (peak * np.exp(-np.hypot(x, y + 5) / 4) + noise).astype(np.float32)


@pytest.fixture
def cube(tmp_path):
    """Three unnamed bands of one galaxy, the second one faint."""
    path = tmp_path / "cube.fits"
    fits.writeto(path, np.stack([galaxy(200, 0), galaxy(20, 1), galaxy(400, 2)]))
    return open_catalogue(path).source


@pytest.fixture
def band_files(tmp_path):
    """A file per band; the second galaxy has no u."""
    for name, bands in (("a", "ugri"), ("b", "gri")):
        for number, band in enumerate(bands):
            fits.writeto(tmp_path / f"{name}_{band}.fits", galaxy(100 * (number + 1), number))
    return open_catalogue(tmp_path).source


def test_as_the_catalogue_has_it_unless_told_otherwise(cube):
    assert (read_stretched(cube, 0, Stretch()) == cube.read(0)).all()


def test_softening_and_white_level(cube):
    usual = read_stretched(cube, 0, Stretch())
    soft, hard = (read_stretched(cube, 0, Stretch(softening=s)) for s in (0.1, 100))
    assert soft.mean() > usual.mean() > hard.mean()
    assert read_stretched(cube, 0, Stretch(percentile=97)).mean() > usual.mean()


def test_a_band_alone_is_grey_and_swapped_bands_swap_colours(cube):
    alone = read_stretched(cube, 0, Stretch(bands=("2",)))
    assert (alone == alone[:, :, :1]).all()
    one, other = (
        read_stretched(cube, 0, Stretch(bands=bands)) for bands in (("1", "2", "3"), ("3", "2", "1"))
    )
    assert (one == other[:, :, ::-1]).all()
    assert (one != other).any()


def test_north_stays_up(cube):
    alone = read_stretched(cube, 0, Stretch(bands=("1",)))[:, :, 0]
    assert alone[20:].sum() > alone[:20].sum()  # the first row of a FITS file is the lowest one
    assert (cube.read(0)[20:].sum() > cube.read(0)[:20].sum()) == (alone[20:].sum() > alone[:20].sum())


def test_bands_of_files_that_the_picture_does_not_show(band_files):
    fluxes = band_files.fluxes(0)
    assert fluxes.names == ("u", "g", "r", "i")
    assert set(fluxes.drawn) < set(fluxes.names)
    assert (read_stretched(band_files, 0, Stretch(bands=("u",))) > 0).any()


def test_a_band_that_one_galaxy_lacks_is_named(band_files):
    with pytest.raises(ImageError, match=r"no band u here.* g, r, i"):
        read_stretched(band_files, 1, Stretch(bands=("i", "g", "u")))
    assert read_stretched(band_files, 1, Stretch()).shape == (40, 40, 3)


def test_pictures_have_no_fluxes_and_come_as_they_are(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    fits.writeto(tmp_path / "b.fits", pixels.transpose(2, 0, 1)[:, ::-1])
    source = open_catalogue(tmp_path).source
    for i in range(2):
        assert source.fluxes(i) is None
        assert (read_stretched(source, i, Stretch(softening=0.1, bands=("g",))) == pixels).all()


def test_stacks_of_fluxes(tmp_path):
    np.save(tmp_path / "stack.npy", np.stack([[galaxy(100, k), galaxy(50, k)] for k in range(3)]))
    source = open_catalogue(tmp_path / "stack.npy", bands="gr").source
    assert source.fluxes(1).names == ("g", "r")
    assert (read_stretched(source, 1, Stretch()) == source.read(1)).all()


def test_real_sets(galaxy_data):
    folder = galaxy_data / "fits_multiband"
    expected = {"decals_grz": "grz", "sdss_ugriz": "ugriz", "aegis_hst_vi": "vi", "cosmos_hst_mef": "1"}
    for name, bands in expected.items():
        source = open_catalogue(folder / name).source
        assert source.fluxes(0).names == tuple(bands)
        for band in bands:
            alone = read_stretched(source, 0, Stretch(bands=(band,)))
            assert alone.shape == source.read(0).shape
            assert alone.max() > 200
