"""Values of a column as short text that looks the same in every cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["MISSING", "NumberFormat", "format_value", "number_format"]

MISSING = "–"
RATIO_DECIMALS = 3  # of a similarity
SKY_DECIMALS = 5  # of right ascension and declination: 0.04 arcsec
MOST_DECIMALS = 6
LARGE = 1e7  # from here on with an exponent


def format_value(value: object, digits: int = 5) -> str:
    """
    One value by itself as short text; a dash stands for what is missing.

    Parameters
    ----------
    value : object
        A number, text, bytes or date.
    digits : int, optional
        Significant digits of a float.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.{digits}g}" if np.isfinite(value) else MISSING
    return MISSING if str(value) in ("", "NaT") else str(value)


@dataclass(frozen=True)
class NumberFormat:
    """
    How the floats of one column are written.

    Attributes
    ----------
    decimals : int
        Digits after the point.
    zero : str
        What is written instead of 0; empty for the number itself.
    trim : bool
        Whether zeros at the end are left out; not where values stand side by side.
    """

    decimals: int
    zero: str = ""
    trim: bool = False

    def __call__(self, value: float) -> str:
        value = float(value) + 0.0  # no negative zero
        if not np.isfinite(value):
            return MISSING
        if value == 0:
            return self.zero or f"{0:.{0 if self.trim else self.decimals}f}"
        if abs(value) >= LARGE or abs(value) < 0.5 * 10**-self.decimals:
            return f"{value:.4g}"
        text = f"{value:.{self.decimals}f}"
        return text.rstrip("0").rstrip(".") if self.trim and "." in text else text


def number_format(sample: np.ndarray, digits: int, trim: bool = False) -> NumberFormat:
    """
    Choose decimals that suit a column: significant ones only, and not more than its values have.

    Parameters
    ----------
    sample : (M,) ndarray of float
        Some values of the column.
    digits : int
        Significant digits of a typical value; at most 6, which is what single precision holds.
    trim : bool, optional
        As in `NumberFormat`.

    Returns
    -------
    NumberFormat
    """
    known = sample[np.isfinite(sample) & (sample != 0)]
    if not len(known):
        return NumberFormat(0)
    typical = 2 * np.median(np.abs(known))  # of the larger ones; neither outliers nor -9999 count
    before_point = int(np.floor(np.log10(typical))) + 1
    decimals = digits - before_point
    if sample.dtype.itemsize >= 8 and digits <= before_point + 2 <= 8:
        decimals = max(decimals, digits - 2)  # dates such as MJD 59321.12
    return NumberFormat(int(np.clip(min(decimals, _decimals_in(known)), 0, MOST_DECIMALS)), trim=trim)


def _decimals_in(values: np.ndarray) -> int:
    """Most digits after the point that any of the values needs in its own precision."""
    texts = (np.format_float_positional(value, unique=True, trim="-") for value in values)
    return max(len(text.partition(".")[2]) for text in texts)


#: Turns one value of a column into text.
Formatter = Callable[[object], str]
