"""Put rows in order: stable in both directions, what is missing always last."""

from __future__ import annotations

import numpy as np
from glue.core.component import CategoricalComponent
from glue.core.component_id import ComponentID
from glue.core.data import Data

__all__ = ["order_by", "sort_values"]


def order_by(values: np.ndarray, descending: bool = False) -> np.ndarray:
    """
    Row order of ``values``.

    Equal values keep their order in both directions; NaN and NaT come last in both.

    Parameters
    ----------
    values : (N,) ndarray
        Numbers or datetimes.
    descending : bool, optional
        Largest first.

    Returns
    -------
    (N,) ndarray of int64
    """
    missing = np.isnat(values) if values.dtype.kind in "mM" else np.isnan(values)
    present = np.flatnonzero(~missing)
    if descending:  # sorting the reversed rows keeps equal values in catalogue order once turned round
        backwards = present[::-1]
        order = backwards[np.argsort(values[backwards], kind="stable")][::-1]
    else:
        order = present[np.argsort(values[present], kind="stable")]
    return np.concatenate([order, np.flatnonzero(missing)])


def sort_values(data: Data, cid: ComponentID) -> np.ndarray:
    """
    Numbers by which the rows of ``data`` can be ordered along ``cid``.

    Categories count by their place among the categories; an empty one is missing.

    Returns
    -------
    (N,) ndarray
    """
    component = data.get_component(cid)
    if not isinstance(component, CategoricalComponent):
        values = np.asarray(component.data)
        return values if values.dtype.kind in "mMf" else values.astype(float)
    codes = np.rint(component.codes)  # views may have jittered them by up to half a category
    codes[np.isin(codes, np.flatnonzero(component.categories == ""))] = np.nan
    return codes
