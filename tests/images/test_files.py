"""Folders and single files: what is found, what is read, what is broken and why."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images import open_catalogue, survey

from .conftest import flux, picture


def test_folder_opens_every_kind_of_image_in_all_subfolders(folder):
    catalogue = open_catalogue(folder)
    assert list(catalogue.source.object_ids) == ["galaxy_c", "galaxy_d", "galaxy_a", "galaxy_b"]
    assert catalogue.id_origin == "file stem"
    assert list(catalogue.table["object_id"]) == list(catalogue.source.object_ids)
    for i in range(4):
        image = catalogue.source.read(i)
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
    np.testing.assert_array_equal(catalogue.source.read(3), picture(2))
    assert catalogue.summary().startswith("4 images, ids from file stem")


def test_equal_stems_in_two_folders_become_paths(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Image.fromarray(picture()).save(tmp_path / name / "gal.png")
    Image.fromarray(picture()).save(tmp_path / "other.v2.png")
    ids = list(open_catalogue(tmp_path).source.object_ids)
    assert ids == ["one/gal", "other.v2", "two/gal"]


def test_hidden_files_are_not_images(folder):
    Image.fromarray(picture()).save(folder / "._galaxy_a.png")
    assert len(open_catalogue(folder).source) == 4


def test_single_image_opens(folder):
    assert list(open_catalogue(folder / "galaxy_a.jpg").source.object_ids) == ["galaxy_a"]


def test_what_is_not_there_or_empty_says_so(tmp_path):
    with pytest.raises(CatalogueError, match="there is no"):
        open_catalogue(tmp_path / "nowhere")
    with pytest.raises(CatalogueError, match="holds no images"):
        open_catalogue(tmp_path)
    (tmp_path / "paper.docx").write_bytes(b"x")
    with pytest.raises(CatalogueError, match="no known kind"):
        open_catalogue(tmp_path / "paper.docx")
    with pytest.raises(CatalogueError, match="no preset 'pretty'"):
        open_catalogue(tmp_path, preset="pretty")


REASONS = {
    "half": ("cut short",),  # half.jpg, half.png and half.fits
    "empty": ("an empty file",),
    "page": ("a web page",),
    "renamed": ("a FITS file, where JPEG",),
    "jpeg": ("a JPEG file, where FITS",),
    "text": ("where FITS was expected",),
    "bomb": ("pixels", "too large"),
    "large": ("12000 x 12000 pixels",),
    "all_nan": ("every pixel is NaN",),
}


def test_every_broken_file_has_a_reason_and_none_ends_the_survey(broken_folder):
    source = open_catalogue(broken_folder).source
    report = survey(source)
    assert report.total == 17
    assert report.readable == 4
    assert report.summary() == "17 images, 13 broken"
    for row, reason in report.broken.items():
        expected = REASONS[Path(source.paths[row]).stem]
        assert any(words in reason for words in expected), (source.paths[row], reason)


def test_missing_file_is_broken_and_named(folder):
    source = open_catalogue(folder).source
    (folder / "galaxy_b.PNG").unlink()
    with pytest.raises(ImageError, match=r"no such file.*galaxy_b\.PNG") as error:
        source.read(3)
    assert error.value.object_id == "galaxy_b"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_broken(folder):
    (folder / "galaxy_a.jpg").chmod(0)
    with pytest.raises(ImageError, match="no permission"):
        open_catalogue(folder).source.read(2)


def test_permission_error_becomes_a_reason(folder, monkeypatch):
    source = open_catalogue(folder).source

    def refuse(path, *args):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("glue_zoobot.images.decode.open", refuse, raising=False)
    with pytest.raises(ImageError, match=r"no permission to read .*galaxy_a\.jpg"):
        source.read(2)


def test_png_called_jpg_is_simply_read(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(open_catalogue(tmp_path).source.read(0), picture())


def read_saved(tmp_path: Path, image: Image.Image, name: str, **options) -> np.ndarray:
    image.save(tmp_path / name, **options)
    return open_catalogue(tmp_path / name).source.read(0)


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = picture()[:, :, 0]
    image = read_saved(tmp_path, Image.fromarray(grey), "grey.png")
    np.testing.assert_array_equal(image, np.repeat(grey[:, :, None], 3, axis=2))


def test_transparent_pixels_become_black_sky(tmp_path):
    rgba = np.dstack([picture(), np.full((24, 32), 255, np.uint8)])
    rgba[:5, :, 3] = 0
    image = read_saved(tmp_path, Image.fromarray(rgba), "rgba.png")
    assert not image[:5].any()
    np.testing.assert_array_equal(image[5:], picture()[5:])


def test_palette_and_cmyk_become_rgb(tmp_path):
    palette = Image.fromarray(picture()).quantize(64)
    np.testing.assert_array_equal(read_saved(tmp_path, palette, "p.png"), np.asarray(palette.convert("RGB")))
    cmyk = read_saved(tmp_path, Image.fromarray(picture()).convert("CMYK"), "c.tif")
    assert np.abs(cmyk.astype(int) - picture()).max() <= 2


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_16_bit_grey_keeps_its_full_range(tmp_path, name):
    deep = np.linspace(0, 65535, 24 * 32).reshape(24, 32).astype(np.uint16)
    image = read_saved(tmp_path, Image.fromarray(deep), name)
    np.testing.assert_array_equal(image[:, :, 1], deep >> 8)


def test_float_tiff_is_a_flux(tmp_path):
    image = read_saved(tmp_path, Image.fromarray(flux()), "flux.tif")
    assert image[20, 20, 0] > 200
    assert image[2, 2, 0] < 90


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    image = read_saved(tmp_path, Image.fromarray(picture()), "turned.jpg", exif=exif, quality=95)
    assert image.shape == (32, 24, 3)


def test_images_may_be_read_by_several_threads_and_after_pickling(folder):
    source = pickle.loads(pickle.dumps(open_catalogue(folder).source))
    expected = [source.read(i) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(source.read, [i % 4 for i in range(64)]))
    for k, image in enumerate(images):
        np.testing.assert_array_equal(image, expected[k % 4])


def test_source_does_not_depend_on_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    source = open_catalogue(folder.name).source
    monkeypatch.chdir("/")
    assert source.read(2).shape == (24, 32, 3)


def test_a_bug_is_not_reported_as_a_broken_image(folder, monkeypatch):
    source = open_catalogue(folder).source
    monkeypatch.setattr("glue_zoobot.images.files.read_file", lambda *a: undefined)  # noqa: F821
    with pytest.raises(NameError):
        source.read(0)


def test_fits_stamp_wherever_the_image_is(tmp_path):
    data = flux()
    in_extension = fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(data, name="SCI"), fits.ImageHDU(data, name="ERR")]
    )
    in_extension.writeto(tmp_path / "ext.FITS")
    fits.writeto(tmp_path / "zip.fits.gz", data)
    packed = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, quantize_level=64)])
    packed.writeto(tmp_path / "packed.fits.fz")
    fits.writeto(tmp_path / "plain.fit", data)
    fits.writeto(tmp_path / "axes.fits", data[None, None])
    report = survey(open_catalogue(tmp_path).source)
    assert report.broken == {}
    assert report.shapes == {(40, 40): 5}
    assert set(open_catalogue(tmp_path).source.object_ids) == {"ext", "zip", "packed", "plain", "axes"}


def test_fits_table_without_image_is_broken_as_a_stamp(folder):
    columns = fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.arange(3.0))])
    columns.writeto(folder / "table.fits")
    catalogue = open_catalogue(folder)
    with pytest.raises(ImageError, match="without an image"):
        catalogue.source.read(list(catalogue.source.object_ids).index("table"))


def test_nan_pixels_become_sky_and_are_counted(tmp_path):
    data = flux()
    data[:6, :7] = np.nan
    data[30, 30] = np.inf
    fits.writeto(tmp_path / "a.fits", data)
    source = open_catalogue(tmp_path).source
    image, nan_count = source.load(0)[:2]
    assert nan_count == 43
    assert image[36, 3].max() < 90  # first row of the file is at the bottom
    assert image[20, 20].min() > 200
    assert survey(source).nan_counts == {0: 43}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_folder_that_cannot_be_looked_into_is_named(folder):
    (folder / "field 2").chmod(0)
    try:
        catalogue = open_catalogue(folder)
    finally:
        (folder / "field 2").chmod(0o755)
    assert len(catalogue.source) == 2
    assert "field 2" in catalogue.summary()


def test_dead_bands_are_counted_and_blank_images_are_broken(tmp_path):
    planes = np.stack([flux(k) for k in range(3)])
    fits.writeto(tmp_path / "a.fits", planes)
    planes[1] = 0
    fits.writeto(tmp_path / "b.fits", planes)
    fits.writeto(tmp_path / "c.fits", planes * 0)
    Image.new("RGB", (40, 40), "black").save(tmp_path / "d.jpg")
    found = survey(open_catalogue(tmp_path).source)
    assert found.dead_bands == {1: ("2",)}
    assert found.broken == dict.fromkeys((2, 3), "every pixel has the same value: an empty image")
    assert found.summary() == "4 images, 2 broken, 1 drawn without bands that have no signal"
