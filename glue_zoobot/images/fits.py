"""FITS stamps: the first image wherever it is."""

from __future__ import annotations

from glue_zoobot.images.source import Picture

SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.fz", ".fz")


def read_stamp(path: str, preset: str = "auto", bands: str | None = None) -> Picture:
    """Read one image."""
    raise NotImplementedError
