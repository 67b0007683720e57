"""
Dust of the Milky Way before a galaxy: how many magnitudes a band loses, and what that does to its flux.

An extinction of ``R_b * E(B-V)`` magnitudes multiplies the flux in band b by ``10 ** (-R_b * E(B-V) / 2.5)``.
The coefficients R_b (R_V = 3.1) are

===========  ============================================  ================================================
survey       bands and R_b                                 source
===========  ============================================  ================================================
``sdss``     u 4.239, g 3.303, r 2.285, i 1.698, z 1.263   Schlafly & Finkbeiner 2011 (ApJ 737, 103, Table 6);
                                                           used by Hayat et al. 2021
``legacy``   g 3.214, r 2.165, z 1.211                     Legacy Surveys (DECam); exponents -1.286, -0.866,
                                                           -0.484 of Stein et al. 2021 are -R_b / 2.5
===========  ============================================  ================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from astropy.table import Table
from torch import Tensor

from glue_zoobot.images.tables import column_matching

__all__ = ["COEFFICIENTS", "DISTRIBUTIONS", "catalogue_ebv", "coefficients", "random_ebv", "transmission"]

COEFFICIENTS: Mapping[str, Mapping[str, float]] = {
    "sdss": {"u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263},
    "legacy": {"g": 3.214, "r": 2.165, "z": 1.211},
}
# Schlegel, Finkbeiner & Davis 1998: the extinctions A_b in SDSS catalogues are these numbers times E(B-V).
_SFD_PER_EBV = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
_EBV = r"(sfd_)?e[_(]?b[-_]?v\)?(_sfd)?"
# Log-normal fitted to E(B-V) over the Legacy Surveys footprint (Stein et al. 2021, ssl-legacysurvey).
_SHAPE, _LOC, _SCALE = 0.673, 0.0011, 0.0334
_UNIFORM_MOST = 0.5  # Hayat et al. 2021
DISTRIBUTIONS = ("uniform", "lognormal")


def coefficients(survey: str, bands: Sequence[str]) -> Tensor:
    """
    Extinction in magnitudes per magnitude of E(B-V), one number per band.

    Parameters
    ----------
    survey : {"sdss", "legacy"}
    bands : sequence of str

    Returns
    -------
    Tensor of float32, shape (B,)
    """
    return torch.tensor([COEFFICIENTS[survey][band] for band in bands])


def transmission(ebv: Tensor, coefficient: Tensor) -> Tensor:
    """
    Share of the flux that passes the dust; divide by it to deredden.

    Parameters
    ----------
    ebv : Tensor, shape (N,)
        E(B-V) in magnitudes; negative where dust is taken away.
    coefficient : Tensor, shape (B,)

    Returns
    -------
    Tensor, shape (N, B)
        ``10 ** (-R_b * E(B-V) / 2.5)``.
    """
    return 10 ** (-0.4 * ebv[:, None] * coefficient)


def random_ebv(n: int, distribution: str, generator: torch.Generator) -> Tensor:
    """
    Draw E(B-V) in magnitudes.

    Parameters
    ----------
    n : int
    distribution : {"uniform", "lognormal"}
        Uniform over 0 to 0.5 (Hayat et al. 2021), or as it is found over the Legacy Surveys (Stein et al.
        2021): log-normal of shape 0.673, location 0.0011, scale 0.0334.
    generator : torch.Generator

    Returns
    -------
    Tensor of float32, shape (n,)
    """
    if distribution == "uniform":
        return _UNIFORM_MOST * torch.rand(n, generator=generator, device=generator.device)
    normal = torch.randn(n, generator=generator, device=generator.device)
    return _LOC + _SCALE * torch.exp(_SHAPE * normal)


def catalogue_ebv(table: Table) -> np.ndarray | None:
    """
    E(B-V) of each galaxy from its catalogue, if it says.

    A column of E(B-V) (``ebv``, ``E(B-V)``...) is taken as it is; else the SDSS columns ``extinction_u`` to
    ``extinction_z`` are divided by 5.155, 3.793, 2.751, 2.086, 1.479 (SFD 1998) and averaged.

    Returns
    -------
    ndarray of float64, shape (N,), or None
        NaN where it is not known.
    """
    direct = column_matching(table, _EBV)
    if direct is not None:
        return _known(table[direct])
    found = {band: column_matching(table, f"extinction_{band}") for band in _SFD_PER_EBV}
    parts = [_known(table[c]) / _SFD_PER_EBV[band] for band, c in found.items() if c is not None]
    return np.mean(parts, axis=0) if parts else None


def _known(column: object) -> np.ndarray:
    """Values within what dust can be; surveys mark what they do not know by -99 and the like."""
    values: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    return np.where((values >= 0) & (values < 100), values, np.nan)
