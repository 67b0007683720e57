"""What was computed from a part of the embeddings, brought up to the whole when they are complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glue_zoobot.analysis.maps import METHODS
from glue_zoobot.catalog.columns import our_columns, provenance_of, write_columns
from glue_zoobot.catalog.embeddings import RowEmbeddings, embeddings_of

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["PlacedMap", "place_new", "write_placed"]

_FITTED = 20_000  # galaxies that tell where the others belong
_NEIGHBOURS = 5


class PlacedMap(NamedTuple):
    """
    A map with more galaxies than before; those that were there are where they were.

    Attributes
    ----------
    x, y : str
        Labels of its columns.
    positions : np.ndarray
        Shape (N, 2), float32; NaN for rows without an embedding.
    placed : int
        How many are new.
    """

    x: str
    y: str
    positions: np.ndarray
    placed: int


def place_new(data: Data) -> list[PlacedMap]:
    """
    Place galaxies that were embedded since into the maps that were made before; writes nothing.

    A PCA map is linear: each galaxy comes where the map's own axes put it. In a UMAP map it comes to the
    weighted mean of its five nearest look-alikes that are on the map. Galaxies on a map never move, so what
    was drawn around them still holds them.

    Returns
    -------
    list of PlacedMap
        One for each map by the encoder that is in use; fit for `write_placed`.
    """
    embeddings, ours = embeddings_of(data), our_columns(data)
    if embeddings is None:
        return []
    maps = []
    for x, y in _maps(data, embeddings.encoder_name):
        positions = np.column_stack([data[ours[x]], data[ours[y]]]).astype(np.float32)
        placed = _place(positions, embeddings, provenance_of(data, x)["method"])
        if placed:
            maps.append(PlacedMap(x, y, positions, placed))
    return maps


def _maps(data: Data, encoder: str) -> list[tuple[str, str]]:
    """Return the columns of the maps of a dataset by an encoder."""
    made = {label: provenance_of(data, label) for label in our_columns(data)}
    maps = [label for label, how in made.items() if how.get("method") in METHODS and label.endswith("_x")]
    pairs = [(x, f"{x[:-2]}_y") for x in maps if made[x].get("encoder") == encoder]
    return [(x, y) for x, y in pairs if y in made]


def write_placed(data: Data, maps: list[PlacedMap]) -> int:
    """Write maps that `place_new` completed into their columns; return how many galaxies are new in them."""
    for each in maps:
        columns = {each.x: each.positions[:, 0], each.y: each.positions[:, 1]}
        write_columns(data, columns, {**provenance_of(data, each.x), "placed_later": each.placed})
    return max((each.placed for each in maps), default=0)


def _place(positions: np.ndarray, embeddings: RowEmbeddings, method: str) -> int:
    """Fill in the positions, shape (N, 2), of galaxies that have none; return of how many."""
    there = np.isfinite(positions[embeddings.rows]).all(axis=1)
    usable = np.isfinite(embeddings.matrix).all(axis=1)
    known, new = np.flatnonzero(there & usable), np.flatnonzero(~there & usable)
    if not (known.size and new.size):
        return 0
    if len(known) > _FITTED:
        known = np.sort(np.random.default_rng(0).choice(known, _FITTED, replace=False))
    place = _by_axes if method == "pca" else _by_neighbours
    at = positions[embeddings.rows[known]]
    positions[embeddings.rows[new]] = place(embeddings.matrix, known, at, new)
    return int(new.size)


def _by_axes(matrix: np.ndarray, known: np.ndarray, at: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Continue a linear map, whose axes follow from the places of the known rows by least squares."""
    mean, middle = matrix[known].mean(axis=0), at.mean(axis=0)
    axes = np.linalg.lstsq(matrix[known].astype(np.float64) - mean, at - middle, rcond=1e-6)[0]
    return (matrix[new] - mean) @ axes.astype(np.float32) + middle


def _by_neighbours(matrix: np.ndarray, known: np.ndarray, at: np.ndarray, new: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import KNeighborsRegressor

    model = KNeighborsRegressor(min(_NEIGHBOURS, len(known)), weights="distance", algorithm="brute")
    return model.fit(matrix[known], at).predict(matrix[new]).astype(np.float32)
