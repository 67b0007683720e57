"""Maps of embeddings as columns of a glue dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.analysis.maps import make_map
from glue_zoobot.catalog.columns import free_number, write_columns
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
    number = free_number(data, f"map_{method}_{{}}_x", f"map_{method}_{{}}_y")
    x, y = f"map_{method}_{number}_x", f"map_{method}_{number}_y"
    provenance["encoder"] = embeddings.encoder_name
    written = write_columns(data, {x: full[:, 0], y: full[:, 1]}, provenance)
    return written[x], written[y]
