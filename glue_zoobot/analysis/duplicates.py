"""The same galaxy twice, cutouts that share sky, and pictures that are the same though the places are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glue_zoobot.analysis.principal import principal_axes
from glue_zoobot.errors import AnalysisError

__all__ = ["KINDS", "NONE", "NOT_COMPARED", "Duplicates", "find_duplicates"]

#: Strongest relation first; each row is named after its strongest.
KINDS = ("same source", "overlapping cutouts", "identical pictures")
NONE, NOT_COMPARED = "none", "not compared"

NEAREST = 16  # partners looked at per galaxy: bounds time and memory wherever galaxies crowd
SCAN_COMPONENTS = 12  # in which candidates for identical pictures are looked for
FIT_ROWS = 50_000  # for the axes
BLOCK_ROWS = 16_384
SAMPLE = 256  # galaxies whose nearest neighbours tell what an ordinary distance is


@dataclass(frozen=True)
class Duplicates:
    """
    Which galaxies are in a catalogue more than once, and in what sense.

    Attributes
    ----------
    kinds : np.ndarray
        Shape (N,), str: one of `KINDS`, `NONE`, or `NOT_COMPARED` for a row with neither place nor embedding.
    groups : np.ndarray
        Shape (N,), float32: galaxies with the same number belong together; NaN for `NONE`.
    pairs : dict of str to np.ndarray
        By kind, shape (P, 2), int64, rows with the lower first.
    picture_distance : float
        Most that two unit vectors of embeddings may differ for their pictures to be the same.
    """

    kinds: np.ndarray
    groups: np.ndarray
    pairs: dict[str, np.ndarray]
    picture_distance: float


def find_duplicates(
    n: int,
    rows: np.ndarray,
    matrix: np.ndarray,
    ra: np.ndarray | None = None,
    dec: np.ndarray | None = None,
    radius: float = 1.0,
    stamp: float = 0.0,
    likeness: float = 0.1,
    random_state: int = 0,
) -> Duplicates:
    """
    Find galaxies that are in a catalogue more than once.

    *Same source*: not further apart on the sky than `radius`. *Overlapping cutouts*: further than that, but
    not as far as a cutout is wide. *Identical pictures*: embeddings that differ much less than those of
    ordinary nearest neighbours, though the places have nothing to do with each other, or are not known:
    wrong pictures, placeholders, copies under another name.

    Every pair of equal embeddings or places is found. Of others, each galaxy's 16 nearest are looked at, so
    that neither a crowded field nor a thousand blank pictures make the work grow with the square.

    Parameters
    ----------
    n : int
        Rows of the catalogue.
    rows : np.ndarray
        Shape (M,), int64: those with an embedding.
    matrix : np.ndarray
        Shape (M, D), float32: their embeddings. M may be 0.
    ra, dec : np.ndarray, optional
        Shape (N,), degrees; NaN where not known. Without them only the pictures are compared.
    radius : float
        Arcseconds.
    stamp : float
        Edge of a cutout in arcseconds; 0 if not known, and then no cutouts overlap.
    likeness : float
        Share of the median distance to the nearest neighbour up to which pictures count as identical.
    random_state : int
        Seed of the sample for that median.

    Returns
    -------
    Duplicates

    Raises
    ------
    AnalysisError
        If there are neither places nor embeddings, or a distance is negative.
    """
    if min(radius, stamp, likeness) < 0:
        raise AnalysisError("a radius, cutout size or likeness below zero makes no sense: give 0 or more")
    compared = np.zeros(n, dtype=bool)
    compared[rows] = True
    same = overlapping = np.empty((0, 2), dtype=np.int64)
    places = None if ra is None or dec is None else _unit_vectors(ra, dec)
    if places is not None:
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        compared[known] = True
        pairs, distance = _near(places[known], _chord(max(radius, stamp)))
        same = known[pairs[distance <= _chord(radius)]]
        overlapping = known[pairs[distance > _chord(radius)]]
    if not compared.any():
        raise AnalysisError("neither a place on the sky nor an embedding is known of any galaxy: embed first")
    pictures, limit = _same_pictures(matrix, likeness, random_state)
    pictures = _unrelated(rows[pictures], places, _chord(max(radius, stamp)))
    by_kind = dict(zip(KINDS, (same, overlapping, pictures), strict=True))
    kinds, groups = _name(n, by_kind)
    kinds[~compared] = NOT_COMPARED
    return Duplicates(kinds, groups, {kind: np.sort(pairs, axis=1) for kind, pairs in by_kind.items()}, limit)


def _unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Places on the sphere, where neither 0 h nor a pole is special; NaN beyond the poles."""
    lon = np.radians(np.asarray(ra, dtype=np.float64))
    lat = np.radians(np.where(np.abs(dec) <= 90, dec, np.nan).astype(np.float64))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _chord(arcsec: float) -> float:
    """Length of the straight line between two places so far apart, with room for rounding."""
    return float(2 * np.sin(np.radians(min(arcsec / 3600, 180)) / 2)) + 1e-12


def _near(points: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Return pairs (P, 2) of points not further apart than `limit`, and their distances (P,).

    Equal points are linked in a chain and looked at once, for there may be very many of them.
    """
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return np.empty((0, 2), dtype=np.int64), np.empty(0)
    order = np.lexsort(points.T)
    equal = (points[order[1:]] == points[order[:-1]]).all(axis=1)
    chains = np.column_stack([order[:-1][equal], order[1:][equal]])
    first = order[np.concatenate([[True], ~equal])]
    tree = cKDTree(points[first])
    distance, partner = tree.query(
        points[first], k=min(NEAREST, len(first)), distance_upper_bound=limit, workers=-1
    )
    distance, partner = distance.reshape(len(first), -1), partner.reshape(len(first), -1)
    i, j = np.nonzero(np.isfinite(distance))
    pairs = np.sort(np.column_stack([first[i], first[partner[i, j]]]), axis=1)
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, index = np.unique(pairs[apart], axis=0, return_index=True)
    distances = np.concatenate([np.zeros(len(chains)), distance[i, j][apart][index]])
    return np.concatenate([np.sort(chains, axis=1), pairs]), distances


def _same_pictures(matrix: np.ndarray, likeness: float, random_state: int) -> tuple[np.ndarray, float]:
    """Return pairs (P, 2) of rows of a matrix that describe the same picture, and the limit that decided."""
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    usable = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    if len(usable) < 2:
        return np.empty((0, 2), dtype=np.int64), 0.0
    rng = np.random.default_rng(random_state)
    limit = likeness * _ordinary_distance(matrix, norms, rng.permutation(usable)[:SAMPLE])
    # Along principal axes nothing comes further apart, so no near pair is lost among the candidates.
    fitted = _unit(matrix, norms, np.sort(rng.permutation(usable)[:FIT_ROWS]))
    axes = principal_axes(fitted, min(SCAN_COMPONENTS, matrix.shape[1]), random_state)
    blocks = [axes.transform(_unit(matrix, norms, part)) for part in _parts(usable)]
    pairs = usable[_near(np.concatenate(blocks), limit + 1e-6)[0]]
    apart = [
        np.linalg.norm(_unit(matrix, norms, part[:, 0]) - _unit(matrix, norms, part[:, 1]), axis=1)
        for part in _parts(pairs)
    ]
    return pairs[np.concatenate(apart) <= limit + 1e-6], limit


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    """Cut rows into pieces that bound the memory of what is made of them; at least one."""
    return np.array_split(rows, len(rows) // BLOCK_ROWS + 1)


def _unit(matrix: np.ndarray, norms: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return matrix[rows] / norms[rows, None]


def _ordinary_distance(matrix: np.ndarray, norms: np.ndarray, sample: np.ndarray) -> float:
    """Median distance of a sample of rows to the nearest other picture that is not the same."""
    nearest = []
    for part in np.array_split(sample, len(sample) // 32 + 1):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            cosine = (matrix @ _unit(matrix, norms, part).T) / norms[:, None]
        cosine[~(cosine < 1 - 1e-6)] = -1.0  # itself, its copies, and rows that cannot be compared
        nearest.append(cosine.max(axis=0))
    best = np.concatenate(nearest)
    best = best[best > -1]
    return float(np.sqrt(2 - 2 * np.median(best))) if len(best) else 0.0


def _unrelated(pairs: np.ndarray, places: np.ndarray | None, limit: float) -> np.ndarray:
    """Leave out pairs that are near each other on the sky."""
    if places is None or not len(pairs):
        return pairs
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    return pairs[~(apart <= limit)]  # an unknown place is unrelated


def _name(n: int, by_kind: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Give each row its strongest kind, and the number of its group of that kind."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    kinds = np.full(n, NONE, dtype=f"U{max(map(len, (*KINDS, NOT_COMPARED)))}")
    groups = np.full(n, np.nan, dtype=np.float32)
    used = 0
    for kind, pairs in by_kind.items():
        members = np.unique(pairs)
        if not members.size:
            continue
        local = np.searchsorted(members, pairs)
        graph = coo_matrix((np.ones(len(pairs), dtype=bool), local.T), shape=(len(members), len(members)))
        count, number = connected_components(graph, directed=False)
        new = kinds[members] == NONE
        kinds[members[new]] = kind
        groups[members[new]] = used + 1 + number[new]
        used += count
    return kinds, groups
