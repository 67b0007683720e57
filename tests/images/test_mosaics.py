"""Galaxies cut out of mosaics by their positions: the right place, the right way up, the right size."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.table import Table
from astropy.wcs import WCS

from glue_zoobot.errors import CatalogueError, ImageError
from glue_zoobot.images import SourceSpec, open_catalogue, survey

SCALE = 0.5  # arcsec per pixel
SIZE = 200  # pixels a side of a tile


def wcs_of(ra=150.0, dec=2.0, turn=0.0, flip=False, scale=SCALE, size=SIZE, frame="RA---TAN DEC--TAN") -> WCS:
    """North up and east left, then turned by degrees and perhaps flipped."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = frame.split()
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [size / 2 + 0.5, size / 2 + 0.5]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    east_left = np.diag([1.0 if flip else -1.0, 1.0])
    wcs.wcs.cd = np.array([[c, -s], [s, c]]) @ east_left * scale / 3600
    return wcs


def sky(wcs: WCS, ra: np.ndarray, dec: np.ndarray, size=SIZE, sigma=1.0) -> np.ndarray:
    """Galaxies, each with a companion 6 arcsec to the north and one half as bright 4 arcsec to the east."""
    y, x = np.mgrid[:size, :size]
    image = np.random.default_rng(0).normal(0, 0.5, (size, size))
    for r, d in zip(ra, dec, strict=True):
        for north, east, flux in ((0, 0, 100.0), (6, 0, 80.0), (0, 4, 40.0)):
            px, py = wcs.all_world2pix(r + east / 3600 / np.cos(np.radians(d)), d + north / 3600, 0)
            image += flux * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 2 / (sigma / SCALE) ** 2)
    return image.astype(np.float32)


def write(path: Path, wcs: WCS, image: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    fits.writeto(path, image, wcs.to_header())
    return path


def table(folder: Path, ra, dec, **columns) -> Path:
    path = folder / "galaxies.ecsv"
    Table({"id": [f"g{k}" for k in range(len(ra))], "ra": ra, "dec": dec, **columns}).write(path)
    return path


def bright(image: np.ndarray, north: float, east: float, pixels_per_arcsec: float = 1 / SCALE) -> float:
    """Level of a picture at an offset in arcsec from the centre, north up and east left."""
    middle = (np.array(image.shape[:2]) - 1) / 2
    y, x = middle[0] - north * pixels_per_arcsec, middle[1] - east * pixels_per_arcsec
    return float(image[round(y), round(x)].mean())


def assert_north_up_east_left(image: np.ndarray) -> None:
    assert bright(image, 0, 0) > 200
    assert bright(image, 6, 0) > 150
    assert bright(image, 0, 4) > 80
    assert bright(image, -6, 0) < 60
    assert bright(image, 0, -4) < 60


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, 270, 37])
def test_north_is_up_and_east_is_left_however_the_tile_lies(tmp_path, turn, flip):
    wcs = wcs_of(turn=turn, flip=flip)
    ra, dec = np.array([150.003, 149.995]), np.array([2.003, 1.994])
    write(tmp_path / "tiles" / "a.fits", wcs, sky(wcs, ra, dec))
    catalogue = open_catalogue(table(tmp_path, ra, dec), mosaic="tiles/*.fits", size="20arcsec")
    for row in range(2):
        image = catalogue.source.read(row)
        assert image.shape == (40, 40, 3)
        assert_north_up_east_left(image)


def test_pixels_of_an_upright_tile_are_those_of_cutout2d(tmp_path):
    wcs = wcs_of()
    image = sky(wcs, [150.0], [2.0])
    write(tmp_path / "tiles" / "a.fits", wcs, image)
    source = open_catalogue(table(tmp_path, [150.004], [1.993]), mosaic="tiles", size="15.5").source
    x, y = wcs.all_world2pix(150.004, 1.993, 0)
    expected = Cutout2D(image, (float(x), float(y)), 31).data
    np.testing.assert_array_equal(source.fluxes(0).planes[0], expected[::-1])


def test_size_from_a_radius_of_the_catalogue(tmp_path):
    wcs = wcs_of()
    write(tmp_path / "tiles" / "a.fits", wcs, sky(wcs, [150.0], [2.0]))
    path = table(tmp_path, [150.0] * 5, [2.0] * 5, petro_r=[5.0, 2.5, np.nan, -99, 1e9])
    source = open_catalogue(path, mosaic="tiles/*.fits", size_column="petro_r", size_factor=4).source
    assert source.read(0).shape == (40, 40, 3)
    assert source.read(1).shape == (20, 20, 3)
    broken = survey(source).broken
    assert "no size" in broken[2]
    assert "no size" in broken[3]
    assert "megapixels" in broken[4]


def test_edges_are_filled_from_the_next_tile_or_said(tmp_path):
    """Two tiles side by side: at their border the picture is whole; at the outer edge it says what is not."""
    step = SIZE * SCALE / 3600
    galaxies = np.array([150.0 + step / 2, 150.0 - step / 2 + 8 / 3600, 150.3]), np.array([2.0, 2.0, 2.0])
    tiles = [wcs_of(ra=150.0), wcs_of(ra=150.0 + step)]
    for number, wcs in enumerate(tiles):
        write(tmp_path / "tiles" / f"{number}.fits", wcs, sky(wcs, *galaxies))
    catalogue = open_catalogue(table(tmp_path, *galaxies), mosaic="tiles/*.fits", size="30arcsec")
    assert "1 galaxies are outside all tiles" in catalogue.summary()
    found = survey(catalogue.source)
    assert_north_up_east_left(catalogue.source.read(0))
    assert list(found.outside) == [1]
    assert found.outside[1] == pytest.approx(7 / 30, abs=0.02)
    assert "beyond the mosaic" in catalogue.source.load(1).note
    assert found.nan_counts == {}
    assert "outside all 2 tiles" in found.broken[2]


def test_right_ascension_across_zero_and_the_pole(tmp_path):
    for name, ra, dec in (("zero", 0.0, -0.2), ("pole", 120.0, 89.9)):
        folder = tmp_path / name
        folder.mkdir()
        wcs = wcs_of(ra, dec)
        here = np.array([359.9995, 0.0005]) if name == "zero" else np.array([120.0, 120.3])
        there = np.array([dec, dec])
        write(folder / "tiles" / "a.fits", wcs, sky(wcs, here, there))
        source = open_catalogue(table(folder, here, there), mosaic="tiles/*.fits", size="20arcsec").source
        assert_north_up_east_left(source.read(0))


def test_galactic_and_old_tiles(tmp_path):
    from astropy.coordinates import SkyCoord

    place = SkyCoord(150.0, 2.0, unit="deg").galactic
    wcs = wcs_of(place.l.deg, place.b.deg, frame="GLON-TAN GLAT-TAN")
    y, x = np.mgrid[:SIZE, :SIZE]
    image = np.random.default_rng(0).normal(0, 0.5, (SIZE, SIZE))
    for north, east, flux in ((0, 0, 100.0), (6, 0, 80.0), (0, 4, 40.0)):
        spot = SkyCoord(150.0 + east / 3600 / np.cos(np.radians(2)), 2.0 + north / 3600, unit="deg").galactic
        px, py = wcs.all_world2pix(spot.l.deg, spot.b.deg, 0)
        image += flux * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8)
    write(tmp_path / "tiles" / "a.fits", wcs, image.astype(np.float32))
    source = open_catalogue(table(tmp_path, [150.0], [2.0]), mosaic="tiles/*.fits", size="20arcsec").source
    assert_north_up_east_left(source.read(0))


def test_bands_in_files_of_their_own_on_other_grids(tmp_path):
    """The red band is turned and finer: its galaxies still lie on those of the blue one."""
    ra, dec = np.array([150.002]), np.array([2.001])
    for band, wcs in (("g", wcs_of()), ("i", wcs_of(turn=20)), ("r", wcs_of(turn=90, ra=150.0003))):
        image = sky(wcs, ra, dec) * (3.0 if band == "i" else 1.0)
        write(tmp_path / "tiles" / f"field-{band}.fits", wcs, image)
    path = table(tmp_path, ra, dec)
    for mosaic in ("tiles/*-{band}.fits", "tiles/field-{band}.fits:irg"):
        catalogue = open_catalogue(path, mosaic=mosaic, size="20arcsec")
        assert "in bands i, r, g" in catalogue.summary()
        planes = catalogue.source.fluxes(0).planes
        assert_north_up_east_left(catalogue.source.read(0))
        for plane in planes[1:]:
            assert np.corrcoef(planes[0].ravel(), plane.ravel())[0, 1] > 0.98
    with pytest.raises(CatalogueError, match="of band z; there are g, i, r"):
        open_catalogue(path, mosaic="tiles/field-{band}.fits:zrg", size="20arcsec")


def test_compressed_cubes_and_many_extensions(tmp_path):
    wcs = wcs_of()
    image = sky(wcs, [150.0], [2.0])
    tiles = tmp_path / "tiles"
    tiles.mkdir()
    fits.CompImageHDU(image, wcs.to_header()).writeto(tiles / "a.fits.fz")
    other = wcs_of(ra=151.0)
    cube = np.stack([sky(other, [151.0], [2.0])] * 3)
    header = other.to_header()
    header["BANDS"] = "grz"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(cube, header)]).writeto(tiles / "b.fits")
    source = open_catalogue(table(tmp_path, [150.0, 151.0], [2.0, 2.0]), mosaic="tiles", size="20").source
    for copy in (source, pickle.loads(pickle.dumps(source))):
        assert_north_up_east_left(copy.read(0))
        assert copy.fluxes(1).planes.shape == (3, 40, 40)
        assert copy.fluxes(1).names == ("g", "r", "z")


def test_a_tile_that_is_cut_short_or_scaled(tmp_path):
    wcs = wcs_of()
    image = sky(wcs, [150.0], [2.0])
    path = write(tmp_path / "tiles" / "a.fits", wcs, np.rint(image).astype(np.int16))
    where = table(tmp_path, [150.0], [2.0])
    whole = open_catalogue(where, mosaic="tiles/*.fits", size="20").source.fluxes(0).planes
    header = wcs.to_header()
    hdu = fits.PrimaryHDU(np.rint(image).astype(np.int16), header)
    hdu.scale("int16", bzero=7)
    hdu.writeto(path, overwrite=True)
    scaled = open_catalogue(where, mosaic="tiles/*.fits", size="20").source.fluxes(0).planes
    np.testing.assert_array_equal(scaled, whole)
    data = write(tmp_path / "tiles" / "b.fits", wcs, image).read_bytes()
    path.unlink()
    (tmp_path / "tiles" / "b.fits").write_bytes(data[: len(data) // 3])
    with pytest.raises(ImageError, match="cut short"):
        open_catalogue(where, mosaic="tiles/*.fits", size="20").source.read(0)


def test_messages(tmp_path):
    wcs = wcs_of()
    write(tmp_path / "tiles" / "a.fits", wcs, sky(wcs, [150.0], [2.0]))
    fits.writeto(tmp_path / "tiles" / "plain.fits", np.ones((50, 50)))
    (tmp_path / "tiles" / "page.fits").write_text("<html>")
    path = table(tmp_path, [150.0], [2.0])
    with pytest.raises(CatalogueError, match="how large are the cutouts"):
        open_catalogue(path, mosaic="tiles/*.fits")
    with pytest.raises(CatalogueError, match="an angle such as 30arcsec"):
        open_catalogue(path, mosaic="tiles/*.fits", size="30 apples")
    with pytest.raises(CatalogueError, match="no file fits"):
        open_catalogue(path, mosaic="tils/*.fits", size="30")
    with pytest.raises(CatalogueError, match="no image with celestial coordinates"):
        open_catalogue(path, mosaic="tiles/plain.fits", size="30")
    text = open_catalogue(path, mosaic="tiles/*.fits", size="30").summary()
    assert "page.fits: left out: a web page" in text
    assert "plain.fits: left out: no image with celestial" in text
    for columns, hint in ((("dec", "ra"), "columns swapped"), (("ra", "dec"), "hours")):
        values = ([2.0, 3.0], [80.0, 80.5]) if columns[0] == "dec" else ([10.0], [2.0])
        folder = tmp_path / hint.replace(" ", "")
        folder.mkdir()
        where = wcs_of(ra=80.0 if columns[0] == "dec" else 150.0, dec=2.0)
        write(folder / "tiles" / "a.fits", where, sky(where, [], []))
        with pytest.raises(CatalogueError, match=hint):
            open_catalogue(table(folder, *values), mosaic="tiles/*.fits", size="30")


def test_cutouts_in_glue_and_its_sessions(tmp_path):
    """The session remembers the tiles relative to the catalogue: the folder may move."""
    from glue.core import DataCollection
    from glue.core.state import GlueSerializer, GlueUnSerializer

    from glue_zoobot.catalog import images_of, load, source_of

    wcs = wcs_of()
    (tmp_path / "here").mkdir()
    write(tmp_path / "here" / "tiles" / "a.fits", wcs, sky(wcs, [150.0], [2.0]))
    path = table(tmp_path / "here", [150.0, 150.001], [2.0, 2.0])
    data = load(path, mosaic=str(tmp_path / "here" / "tiles" / "*.fits"), size="20arcsec")
    before = images_of(data).read(0)
    assert data.meta["glue_zoobot"]["source"]["mosaic"] == "tiles/*.fits"
    text = GlueSerializer(DataCollection([data])).dumps()
    (tmp_path / "here").rename(tmp_path / "there")
    restored = GlueUnSerializer.loads(text.replace("/here/", "/there/")).object("__main__")[0]
    assert source_of(restored).mosaic == str(tmp_path / "there" / "tiles" / "*.fits")
    np.testing.assert_array_equal(images_of(restored).read(0), before)
    assert_north_up_east_left(before)


def test_real_tiles(galaxy_data, tmp_path):
    """
    DECam g and r of one galaxy, turned by 90 degrees, with distortions and other pointings; SDSS frames that
    are turned and flipped. The galaxy is in the middle of the cutout in every band.
    """
    folder = galaxy_data / "fits_multiband"
    files = Table.read(folder / "files.csv")
    cases = (("decam_gr", "360_{band}band.fits:rg", "20"), ("sdss_ugriz", "Haro_25_{band}.fits:irg", "20"))
    for name, pattern, size in cases:
        first = next(r for r in files if name in r["file"] and pattern.split("{")[0] in r["file"])
        path = tmp_path / f"{name}.ecsv"
        Table({"id": ["a"], "ra": [first["ra_centre"]], "dec": [first["dec_centre"]]}).write(path)
        source = open_catalogue(SourceSpec(str(path), mosaic=str(folder / name / pattern), size=size)).source
        planes = source.fluxes(0).planes
        assert source.read(0).std() > 5
        likeness = np.corrcoef([np.nan_to_num(p, nan=np.nanmedian(p)).ravel() for p in planes])
        assert likeness[0, 1] > 0.8, name


def test_sextractor_field(galaxy_data, tmp_path):
    """A field and its SExtractor catalogue (pixels from 1), given coordinates: each source in its centre."""
    folder = galaxy_data / "fits_multiband" / "sep_field"
    found = Table.read(folder / "image.cat", format="ascii.sextractor")
    image = fits.getdata(folder / "image.fits").astype(np.float32)
    wcs = wcs_of(turn=180, size=256)
    write(tmp_path / "tiles" / "field.fits", wcs, image)
    found = found[(found["FLAGS"] == 0) & (found["FLUX_AUTO"] > 5000)]
    ra, dec = wcs.all_pix2world(found["XWIN_IMAGE"], found["YWIN_IMAGE"], 1)
    source = open_catalogue(
        table(
            tmp_path, ra, dec, radius=found["FLUX_RADIUS"] * SCALE if "x" in found.colnames else 5.0 + 0 * ra
        ),
        mosaic="tiles/*.fits",
        size_column="radius",
        size_factor=2,
    ).source
    assert len(source) > 10
    centred = 0
    for row in range(len(source)):
        plane = source.fluxes(row).planes[0]
        middle = plane[8:12, 8:12].max()
        centred += middle >= np.nanpercentile(plane, 95)
    assert centred >= 0.9 * len(source)


def test_a_session_without_its_tiles_keeps_its_rows(tmp_path):
    from glue.core.data_factories import load_data

    from glue_zoobot.catalog import images_of
    from glue_zoobot.catalog.factories import read_images

    path = str(table(tmp_path, [150.0], [2.0]))
    data = load_data(path, factory=read_images, mosaic="gone/*.fits", size="20arcsec")
    assert data.size == 1
    with pytest.raises(ImageError, match="no file fits"):
        images_of(data).read(0)
