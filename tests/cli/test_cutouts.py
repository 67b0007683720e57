"""Cutouts from a mosaic through the verbs."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..images.test_mosaics import sky, wcs_of


def test_check_and_embed_cutouts(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ra, dec = 150 + rng.uniform(-0.01, 0.01, 12), 2 + rng.uniform(-0.01, 0.01, 12)
    wcs = wcs_of()
    (tmp_path / "tiles").mkdir()
    fits.writeto(tmp_path / "tiles" / "a.fits", sky(wcs, ra, dec), wcs.to_header())
    Table({"id": [f"g{k}" for k in range(12)], "RA": ra / 15, "DEC": dec}).write("g.ecsv")
    where = ["--mosaic", "tiles/*.fits", "--position", "RA:hours,DEC"]
    said = call("check", "g.ecsv", *where, "--size", "20arcsec")
    assert said.exit_code == 0
    assert "0 broken" in said.output
    embed = ["embed", "g.ecsv", "--store", "store", "--encoder", "mini", "--device", "cpu", *where]
    assert call(*embed, "--size", "20arcsec", "--plan").exit_code == 0
    assert call("sbatch", "store", "--gpus", "0", "-o", "job.sh").exit_code == 0
    assert "--mosaic 'tiles/*.fits'" in (tmp_path / "job.sh").read_text()
    (tmp_path / "else").mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path / "else")  # an array is submitted from anywhere; the paths hold there, too
        assert call("sbatch", "../store", "--gpus", "0", "-o", "job.sh").exit_code == 0
    assert f"--mosaic '{tmp_path}/tiles/*.fits'" in (tmp_path / "else" / "job.sh").read_text()
    assert call(*embed, "--size", "20arcsec").exit_code == 0
    again = call(*embed, "--size", "30arcsec")
    assert again.exit_code == 1
    assert "size 20arcsec" in again.output
    assert "size 30arcsec" in again.output
    assert call("verify", "store", "--source", "g.ecsv", *where[:2], "--device", "cpu").exit_code == 0
