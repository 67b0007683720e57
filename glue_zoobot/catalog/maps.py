"""Maps of embeddings as columns of a glue dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.analysis.maps import make_map
from glue_zoobot.catalog.columns import free_number, write_columns
from glue_zoobot.catalog.embeddings import require_embeddings

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["add_map", "write_map"]


def add_map(
    data: Data, method: str = "pca", random_state: int = 0, **options: Any
) -> tuple[ComponentID, ComponentID]:
    """
    Lay a dataset's galaxies out in two new columns, such as ``map_pca_1_x`` and ``map_pca_1_y``.

    Parameters
    ----------
    data : Data
        With embeddings.
    method : {"pca", "umap"}
    random_state : int
        Same seed, same map; remembered with the columns.
    **options
        As for `glue_zoobot.analysis.maps.make_map`.

    Returns
    -------
    tuple of ComponentID
        x and y; NaN where there is no embedding.

    Raises
    ------
    AnalysisError
        If the dataset has no embeddings, or the map cannot be made.
    """
    embeddings = require_embeddings(data)
    positions, provenance = make_map(embeddings.matrix, method, random_state, **options)
    full = np.full((data.size, 2), np.nan, dtype=np.float32)
    full[embeddings.rows] = positions
    return write_map(data, method, full, {**provenance, "encoder": embeddings.encoder_name})


def write_map(
    data: Data, method: str, positions: np.ndarray, provenance: Mapping[str, Any]
) -> tuple[ComponentID, ComponentID]:
    """
    Write a map into two new columns.

    Never the columns of an earlier map: a lasso is kept as a shape, and would hold other galaxies.

    Parameters
    ----------
    data : Data
    method : str
        What the columns are named after.
    positions : np.ndarray
        Shape (N, 2), in the row order of `data`; NaN where there is no embedding.
    provenance : mapping
        How it was made, in plain values.

    Returns
    -------
    tuple of ComponentID
        x and y.
    """
    number = free_number(data, f"map_{method}_{{}}_x", f"map_{method}_{{}}_y")
    x, y = f"map_{method}_{number}_x", f"map_{method}_{number}_y"
    written = write_columns(data, {x: positions[:, 0], y: positions[:, 1]}, provenance)
    return written[x], written[y]
