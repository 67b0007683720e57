"""Right ascension and declination: right, or a clear error."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.positions import positions_of


def read(ra, dec, names=("ra", "dec"), columns=None, **meta):
    table = Table({names[0]: ra, names[1]: dec})
    table.meta.update(meta)
    return positions_of(table, columns)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("-00:30", -0.5),
        ("-00:30:00", -0.5),
        ("−00:30:00", -0.5),
        ("-0 30 0.0", -0.5),
        ("+00:00:36", 0.01),
        ("-00d00m36s", -0.01),
        ("-00°30′00″", -0.5),
        ("-0.5", -0.5),
        ("45:12.5", 45 + 12.5 / 60),
        ("12:61:00", np.nan),
        ("12:10:60", np.nan),
        ("abc", np.nan),
        ("", np.nan),
        ("12:10.5:30", np.nan),
        ("95:00:00", np.nan),
    ],
)
def test_declinations_as_text(text, degrees):
    assert read(["1:0:0", "1:0:0", "1:0:0"], [text, "10:00:00", "10:00:00"]).dec[0] == pytest.approx(
        degrees, nan_ok=True
    )


@settings(max_examples=200, deadline=None)
@given(st.floats(-90, 90), st.floats(0, 359.999))
def test_text_as_astropy_writes_it(dec, ra):
    for form in ("dms", ":", " "):
        texts = (
            Angle(ra, u.deg).to_string(u.hour, sep="hms" if form == "dms" else form, precision=6),
            Angle(dec, u.deg).to_string(u.deg, sep=form, precision=6),
        )
        found = read([texts[0]], [texts[1]])
        assert found.dec[0] == pytest.approx(dec, abs=1e-6)
        assert (found.ra[0] - ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


def test_right_ascension_across_zero_hours():
    found = read([-0.01, 0.01, 359.99, 360.0, "nan"], [0, 0, 0, 0, 0])
    assert found.ra == pytest.approx([359.99, 0.01, 359.99, 0.0, np.nan], nan_ok=True)
    assert "1 rows have no position" in found.notes[0]


def test_units():
    hours = np.linspace(0.1, 23.9, 30)
    dec = np.linspace(-60, 60, 30)
    with pytest.raises(CatalogueError, match=r"look like hours.*--position ra:hours,dec"):
        read(hours, dec)
    assert read(hours, dec, columns="ra:hours,dec").ra == pytest.approx(hours * 15)
    assert read(hours, dec, columns="ra:deg,dec").ra == pytest.approx(hours)
    assert read(hours * u.hourangle, dec * u.deg).ra == pytest.approx(hours * 15)
    assert read(np.radians(hours) * u.rad, np.radians(dec) * u.rad).dec == pytest.approx(dec)
    assert read(hours, dec, names=("ra_hours", "dec_deg")).ra == pytest.approx(hours * 15)
    assert read(hours[:10], dec[:10] / 10).ra == pytest.approx(hours[:10])  # a field of a few degrees
    with pytest.raises(CatalogueError, match="in 'mag'"):
        read(hours * u.mag, dec)
    with pytest.raises(CatalogueError, match="deg, hours or rad, not 'miles'"):
        read(hours, dec, columns="ra:miles,dec")


def test_swapped_columns_and_nonsense():
    with pytest.raises(CatalogueError, match=r"swapped; say --position dec,ra"):
        read([10.0, -20, 30], [150.0, 200, 300])
    assert read([10.0, -20, 30], [150.0, 200, 300], columns="dec,ra").ra == pytest.approx([150, 200, 300])
    with pytest.raises(CatalogueError, match="few possible positions"):
        read([1e9, 2e9], [5e5, 5e5])
    assert np.isnan(read([10.0, -999, np.inf], [5.0, -999, 0]).ra).tolist() == [False, True, True]
    with pytest.raises(CatalogueError, match="more than one value"):
        read(np.zeros((3, 2)), [1.0, 2, 3])
    with pytest.raises(CatalogueError, match="no columns of right ascension"):
        positions_of(Table({"x": [1]}))
    with pytest.raises(CatalogueError, match="give two columns"):
        read([1.0], [2.0], columns="ra")


def test_equinox():
    sky = SkyCoord(187.70593 * u.deg, 12.39112 * u.deg)
    old = sky.fk4
    for found in (
        read([old.ra.deg], [old.dec.deg], equinox="B1950"),
        read([old.ra.deg], [old.dec.deg], names=("RAB1950", "DEB1950")),
        positions_of(Table({"ra": [old.ra.deg], "dec": [old.dec.deg], "equinox": ["1950.0"]})),
        read([sky.galactic.l.deg], [sky.galactic.b.deg], names=("glon", "glat")),
        read([sky.ra.deg], [sky.dec.deg], EQUINOX=2000.0),
    ):
        assert found.ra[0] == pytest.approx(sky.ra.deg, abs=1e-5)
        assert found.dec[0] == pytest.approx(sky.dec.deg, abs=1e-5)
    for wrong in ("J20000", "banana", "1975"):
        with pytest.raises(CatalogueError, match=f"is '{wrong}': an equinox is"):
            read([1.0], [2.0], equinox=wrong)
