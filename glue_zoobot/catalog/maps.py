"""Maps of embeddings as columns of a glue dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.analysis.maps import make_map
from glue_zoobot.catalog.columns import free_label, our_columns, write_columns
from glue_zoobot.catalog.embeddings import embeddings_of, why_no_embeddings
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["add_map"]


def add_map(
    data: Data, method: str = "pca", random_state: int = 0, **options: Any
) -> tuple[ComponentID, ComponentID]:
    """
    Lay a dataset's galaxies out in two new columns, such as ``map_pca_1_x`` and ``map_pca_1_y``.

    Never the columns of an earlier map: a lasso is kept as a shape, and would hold other galaxies.

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
    embeddings = embeddings_of(data)
    if embeddings is None:
        raise AnalysisError(why_no_embeddings(data))
    positions, provenance = make_map(embeddings.matrix, method, random_state, **options)
    full = np.full((data.size, 2), np.nan, dtype=np.float32)
    full[embeddings.rows] = positions
    name = _next_name(data, method)
    provenance["encoder"] = embeddings.encoder_name
    written = write_columns(data, {f"{name}_x": full[:, 0], f"{name}_y": full[:, 1]}, provenance)
    return written[f"{name}_x"], written[f"{name}_y"]


def _next_name(data: Data, method: str) -> str:
    number = 1
    while not _is_free(data, f"map_{method}_{number}_x") or not _is_free(data, f"map_{method}_{number}_y"):
        number += 1
    return f"map_{method}_{number}"


def _is_free(data: Data, label: str) -> bool:
    return label not in our_columns(data) and free_label(data, label) == label
