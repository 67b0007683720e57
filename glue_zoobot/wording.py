"""How numbers of things are said."""

from __future__ import annotations

__all__ = ["counted"]

_PLURALS = {"galaxy": "galaxies", "class": "classes"}


def counted(number: int, thing: str) -> str:
    """
    Say how many, with the noun in the right number.

    Parameters
    ----------
    number : int
    thing : str
        In the singular; the last word takes the plural, as of ``embedded galaxy``.

    Returns
    -------
    str
        Such as ``1 image`` or ``1,234 galaxies``.
    """
    if number == 1:
        return f"1 {thing}"
    *before, noun = thing.split(" ")
    return " ".join([f"{number:,}", *before, _PLURALS.get(noun, noun + "s")])
