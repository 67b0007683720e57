"""Names of bands as a user writes them, and their order from blue to red."""

from __future__ import annotations

from collections.abc import Sequence

#: Bands from blue to red; used when neither a file nor a user says the order.
WAVELENGTH_ORDER = ("nuv", "u", "b", "g", "v", "vis", "r", "i", "z", "y", "j", "h", "k", "ks")


def parse_bands(bands: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``"grz:zrg"`` to (g, r, z), (z, r, g); band names of several letters are separated by commas."""
    names, _, order = bands.partition(":")
    return split_bands(names), split_bands(order)


def split_bands(text: str) -> tuple[str, ...]:
    """``"irg"`` or ``"F814W,F606W"`` to band names."""
    return tuple(n.strip() for n in text.split(",") if n.strip()) if "," in text else tuple(text.strip())


def by_wavelength(names: Sequence[str]) -> list[str]:
    """Sort band names from blue to red; filters such as F606W by their number, unknown names last."""

    def key(name: str) -> tuple[float, str]:
        low = name.lower()
        digits = "".join(c for c in low if c.isdigit())
        if low.startswith("f") and digits:
            return (100 + float(digits), low)
        return (float(WAVELENGTH_ORDER.index(low)) if low in WAVELENGTH_ORDER else 1e6, low)

    return sorted(names, key=key)
