"""Fluxes to colours: the published formulas, names of bands, NaN."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from glue_zoobot.images import open_catalogue, rgb
from glue_zoobot.images.decode import UnreadableImage

from .conftest import flux


def cube(seed: int = 0) -> np.ndarray:
    """g, r, z of a red galaxy in nanomaggies."""
    return np.stack([flux(seed + k, amplitude=a) * 0.02 for k, a in enumerate((20.0, 50.0, 90.0))])


def test_legacy_is_the_formula_of_the_legacy_surveys_viewer():
    planes = cube()
    g, r, z = (np.maximum(0, p * s + 0.03) for p, s in zip(planes, (6.0, 3.4, 2.2), strict=True))
    intensity = (g + r + z) / 3
    factor = np.arcsinh(20 * intensity) / np.sqrt(20) / np.where(intensity == 0, 1e-6, intensity)
    expected = np.clip(np.stack([z, r, g], axis=2) * factor[..., None], 0, 1)
    pixels = rgb.compose(planes, "legacy", "grz").pixels
    np.testing.assert_allclose(pixels / 255, expected, atol=0.0021)


def test_sdss_keeps_the_colour_of_saturated_pixels():
    planes = np.zeros((3, 8, 8), np.float32)
    planes[:, 4, 4] = [2000, 1000, 500]  # i, r, g
    red, green, blue = rgb.compose(planes, "sdss", "irg").pixels[4, 4].astype(float)
    assert red == 255
    np.testing.assert_allclose([green / red, blue / red], [5.7 / 9.8, 3.9 / 9.8], atol=0.01)


def test_names_decide_and_not_the_order_of_planes():
    planes = cube()
    a = rgb.compose(planes, "legacy", "grz").pixels
    b = rgb.compose(planes[::-1], "legacy", "zrg").pixels
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("unit", [1e-19, 1.0, 1e6])
def test_asinh_does_not_depend_on_the_unit(unit):
    planes = cube().astype(np.float64)
    np.testing.assert_allclose(
        rgb.compose(planes * unit, "asinh").pixels.astype(int), rgb.compose(planes, "asinh").pixels, atol=1
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("preset", ["auto", *rgb.PRESETS])
def test_every_preset_draws_any_number_of_bands(count, preset):
    planes = 0.01 * np.stack([flux(k) for k in range(count)])
    pixels = rgb.compose(planes, preset).pixels
    assert pixels.shape == (40, 40, 3)
    assert pixels.dtype == np.uint8
    assert pixels[20, 20].max() > pixels[2, 2].max()


def test_one_band_is_grey():
    pixels = rgb.compose(flux()[None]).pixels
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("nothing", [np.nan, 0, 7.5])
def test_a_band_without_signal_is_left_out_and_named(nothing):
    planes = cube()
    planes[1] = nothing
    picture = rgb.compose(planes, "legacy", "grz")
    assert picture.dead_bands == ("r",)
    assert picture.note == "no signal in band r"
    np.testing.assert_array_equal(picture.pixels, rgb.compose(planes[[0, 2]], "asinh").pixels)
    assert picture.nan_count == (1600 if np.isnan(nothing) else 0)


def test_two_bands_without_signal_leave_a_grey_picture():
    planes = cube()
    planes[:2, 10:] = 0  # a strip is left at the edge, nothing of the galaxy
    picture = rgb.compose(planes, "legacy", "grz")
    assert picture.dead_bands == ("g", "r")
    np.testing.assert_array_equal(picture.pixels, rgb.compose(planes[2:], "asinh").pixels)


def test_a_dead_band_that_is_not_drawn_changes_nothing():
    planes = np.stack([flux(k) for k in range(5)])
    whole = rgb.compose(planes, "auto", "ugriz").pixels
    planes[0] = 0
    picture = rgb.compose(planes, "auto", "ugriz")
    assert picture.dead_bands == ("u",)
    np.testing.assert_array_equal(picture.pixels, whole)


def test_sparse_counts_are_no_dead_bands():
    photons = np.random.default_rng(0).poisson(0.05 + 0.01 * np.clip(cube() * 50, 0, None))
    assert rgb.compose(photons.astype(np.float32)).dead_bands == ()


def test_no_signal_in_the_bands_that_are_drawn():
    planes = cube()
    planes[:2] = 0
    with pytest.raises(UnreadableImage, match=r"no signal in the bands to be drawn \(r, g\)"):
        rgb.compose(planes, "asinh", "grz", "rg")


def test_empty_images_are_unreadable():
    with pytest.raises(UnreadableImage, match="NaN"):
        rgb.compose(np.full((3, 8, 8), np.nan))
    with pytest.raises(UnreadableImage, match="same value"):
        rgb.compose(np.zeros((1, 8, 8)))


def test_auto_takes_the_bands_that_the_header_names(tmp_path):
    header = fits.Header({"SURVEY": "DECaLS", "BANDS": "grz"})
    fits.writeto(tmp_path / "legacy.fits", cube(), header)
    fits.writeto(tmp_path / "unknown.fits", cube())
    source = open_catalogue(tmp_path).source
    np.testing.assert_array_equal(source.read(0)[::-1], rgb.compose(cube(), "legacy", "grz").pixels)
    np.testing.assert_array_equal(source.read(1)[::-1], rgb.compose(cube(), "asinh").pixels)


def test_user_names_the_planes_of_a_cube(tmp_path):
    fits.writeto(tmp_path / "a.fits", cube()[::-1])
    source = open_catalogue(tmp_path / "a.fits", preset="legacy", bands="zrg:zrg").source
    np.testing.assert_array_equal(source.read(0)[::-1], rgb.compose(cube(), "legacy", "grz").pixels)


def test_picture_kept_as_fits_is_not_stretched(tmp_path):
    planes = np.arange(3 * 5 * 6, dtype=np.uint8).reshape(3, 5, 6)
    fits.writeto(tmp_path / "a.fits", planes)
    image = open_catalogue(tmp_path / "a.fits").source.read(0)
    np.testing.assert_array_equal(image, planes.transpose(1, 2, 0)[::-1])
