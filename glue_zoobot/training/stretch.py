"""
Colour pictures back to numbers proportional to flux, and forth.

Dust and seeing act on flux, a picture is an asinh of it. The two stretches of `glue_zoobot.images.rgb` that
keep the ratio of the bands can be undone exactly, except where a core is saturated: from the sum (`sdss`) or
the mean (`legacy`) of the three colours follows that of the fluxes, and with it the factor of each pixel.

=========  ========================================  =========================================
composite  red, green, blue and stretch              undone by
=========  ========================================  =========================================
`sdss`     i, r, g; F asinh(3 ΣF) / (3 ΣF)           ΣF = sinh(3 ΣC) / 3
`legacy`   z, r, g; F asinh(20 F̄) / (√20 F̄),        F̄ = sinh(√20 C̄) / 20; 0.03 taken off
           0.03 of sky added before
=========  ========================================  =========================================

F are fluxes times one constant per band, which dust commutes with; C the colours from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from glue_zoobot.training import dust

__all__ = ["COMPOSITES", "Composite"]

_SDSS_Q = 3.0
_LEGACY_Q, _LEGACY_SKY = 20.0, 0.03


@dataclass(frozen=True)
class Composite:
    """
    How pictures were made of fluxes.

    Attributes
    ----------
    survey : str
        Whose dust coefficients apply.
    bands : tuple of str
        For red, green, blue.
    scales : tuple of float
        Flux in nanomaggies times these are the F of this module.
    to_flux, to_colours : callable
        Between (N, 3, H, W) colours in 0 to 1 and F; inverse of each other.
    """

    survey: str
    bands: tuple[str, str, str]
    scales: tuple[float, float, float]
    to_flux: Callable[[Tensor], Tensor]
    to_colours: Callable[[Tensor], Tensor]

    @property
    def coefficients(self) -> Tensor:
        """Extinction per E(B-V) of red, green, blue; shape (3,)."""
        return dust.coefficients(self.survey, self.bands)


def _sdss_flux(colours: Tensor) -> Tensor:
    total = colours.sum(1, keepdim=True).clamp(min=1e-6)
    return colours * ((_SDSS_Q * total).sinh() / (_SDSS_Q * total))


def _sdss_colours(flux: Tensor) -> Tensor:
    flux = flux.clamp(min=0)
    total = flux.sum(1, keepdim=True).clamp(min=1e-6)
    colours = flux * ((_SDSS_Q * total).asinh() / (_SDSS_Q * total))
    return colours / colours.amax(1, keepdim=True).clamp(min=1)


def _legacy_flux(colours: Tensor) -> Tensor:
    mean = colours.mean(1, keepdim=True).clamp(min=1e-6)
    return colours * ((math.sqrt(_LEGACY_Q) * mean).sinh() / (_LEGACY_Q * mean)) - _LEGACY_SKY


def _legacy_colours(flux: Tensor) -> Tensor:
    raised = (flux + _LEGACY_SKY).clamp(min=0)
    mean = raised.mean(1, keepdim=True).clamp(min=1e-6)
    return (raised * ((_LEGACY_Q * mean).asinh() / (math.sqrt(_LEGACY_Q) * mean))).clamp(max=1)


COMPOSITES = {
    "sdss": Composite("sdss", ("i", "r", "g"), (4.9, 5.7, 7.8), _sdss_flux, _sdss_colours),
    "legacy": Composite("legacy", ("z", "r", "g"), (2.2, 3.4, 6.0), _legacy_flux, _legacy_colours),
}
