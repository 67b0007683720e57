"""
A sample of simulated galaxies: for the demonstration, for tests, and to train on.

Ellipticals, disks with spiral arms and bars, edge-on disks, rings, mergers and a few artefacts, in the
colours and with the noise, blur and neighbours of a survey. Galaxy `i` of a `random_state` is always the
same.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import Table

from glue_zoobot.images import rgb
from glue_zoobot.images.simulated_galaxies import KINDS, Galaxy, draw_galaxy
from glue_zoobot.images.simulated_pixels import draw
from glue_zoobot.images.source import ImageSource, Picture

#: Raised whenever the same galaxy would look different, so that samples written before are written again.
VERSION = 3


class SimulatedGalaxies(ImageSource):
    """
    Simulated galaxies, drawn when they are read.

    Parameters
    ----------
    n : int
        Number of galaxies.
    random_state : int
        Seed; the first galaxies of a longer sample are those of a shorter one.
    size : int
        Width and height of the images in pixels.
    frame : float
        Width of every stamp in arcsec; 0 scales each to its galaxy, as the stamps of Galaxy Zoo are. Only
        stamps of one scale show how large a galaxy appears, and so how far it is.
    """

    def __init__(self, n: int = 1500, random_state: int = 0, size: int = 128, frame: float = 0.0) -> None:
        self.random_state = random_state
        self.size = size
        self.frame = frame
        self.object_ids = np.array([f"SIM-{i:06d}" for i in range(n)], dtype=object)

    def galaxy(self, i: int) -> Galaxy:
        """Properties of galaxy `i`."""
        return draw_galaxy(self.random_state, i)

    def _load(self, i: int) -> Picture:
        planes = draw(self.galaxy(i), self.random_state, self.size, self.frame)
        # The bare stretch: as in the survey's own JPEGs, a band that failed stays dark.
        scaled = np.clip(rgb.sdss(planes.astype(np.float32)), 0, 1) * 255
        return Picture(np.rint(scaled).astype(np.uint8).transpose(1, 2, 0).copy())

    def table(self) -> Table:
        """
        Catalogue of the sample.

        Returns
        -------
        astropy.table.Table
            object_id; ra, dec (deg); redshift; mag_g, mag_r, mag_i (AB); petro_radius (arcsec);
            ellipticity (1 - b/a); kind (one of `KINDS`).
        """
        galaxies = [self.galaxy(i) for i in range(len(self))]
        mags = np.array([g.magnitudes() for g in galaxies]).reshape(-1, 3)
        table = Table({"object_id": self.object_ids.astype(str)})
        table["ra"] = np.array([g.ra for g in galaxies]) * u.deg
        table["dec"] = np.array([g.dec for g in galaxies]) * u.deg
        table["redshift"] = np.array([g.redshift for g in galaxies])
        for name, values in zip(("mag_g", "mag_r", "mag_i"), mags.T, strict=True):
            table[name] = values * u.mag
        table["petro_radius"] = np.array([g.petro_radius for g in galaxies]) * u.arcsec
        table["ellipticity"] = np.array([1 - g.axis_ratio for g in galaxies])
        table["kind"] = np.array([g.kind for g in galaxies], dtype=str)
        return table


def write_sample(
    directory: str | Path, n: int = 1500, random_state: int = 0, size: int = 128, frame: float = 0.0
) -> Path:
    """
    Write a sample as PNG files and an ECSV catalogue; an identical one that is there already is kept.

    Parameters
    ----------
    directory : str or pathlib.Path
        Made when it is not there. Gets ``catalogue.ecsv`` and ``images/*.png``.
    n, random_state, size, frame
        See `SimulatedGalaxies`.

    Returns
    -------
    pathlib.Path
        The catalogue file, written last: when it is there, the sample is complete.
    """
    from PIL import Image

    directory = Path(directory)
    catalogue = directory / "catalogue.ecsv"
    made_with: dict[str, float] = {"n": n, "random_state": random_state, "size": size, "version": VERSION}
    if frame:
        made_with["frame"] = frame
    if _is_written(catalogue, made_with):
        return catalogue
    catalogue.unlink(missing_ok=True)
    source = SimulatedGalaxies(n, random_state, size, frame)
    table = source.table()
    table["file"] = [f"images/{object_id}.png" for object_id in source.object_ids]
    (directory / "images").mkdir(parents=True, exist_ok=True)

    def write(row: int) -> None:
        Image.fromarray(source.read(row)).save(directory / table["file"][row], compress_level=1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, range(n)))
    table.meta["simulated_galaxies"] = made_with
    unfinished = catalogue.with_suffix(".tmp")
    table.write(unfinished, format="ascii.ecsv", overwrite=True)
    unfinished.replace(catalogue)
    return catalogue


def _is_written(catalogue: Path, made_with: dict[str, float]) -> bool:
    if not catalogue.is_file():
        return False
    table = Table.read(catalogue, format="ascii.ecsv")
    same = table.meta.get("simulated_galaxies") == made_with
    return same and all((catalogue.parent / file).is_file() for file in table["file"])


__all__ = ["KINDS", "VERSION", "SimulatedGalaxies", "write_sample"]
