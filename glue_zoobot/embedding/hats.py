"""
A store as a HATS catalogue, which LSDB opens, joins and cross-matches by position.

The catalogue is written from the store when it is wanted, rather than kept as the store's own form: a
store needs no positions, its shards are equally large and can be made in any order, and it is whole at any
moment, while a HATS catalogue has files about all of its pixels, which are right only at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding.matching import match
from glue_zoobot.embedding.shard import read_shard, vectors_of
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from glue_zoobot.embedding.store import EmbeddingStore

INDEX = "_healpix_29"
INDEX_ORDER = 29
HIGHEST_ORDER = 13
ROWS_PER_PIXEL = 100_000
MEMORY = 2 * 1024**3


@dataclass(frozen=True)
class Tile:
    """A pixel of the sky and its galaxies, ``start:stop`` in the order of the index."""

    order: int
    pixel: int
    start: int
    stop: int


def export_hats(
    store: EmbeddingStore,
    path: str | Path,
    source: Any,
    ra: np.ndarray,
    dec: np.ndarray,
    rows_per_pixel: int = ROWS_PER_PIXEL,
    memory: int = MEMORY,
) -> tuple[int, int]:
    """
    Write the embeddings that are there now as a HATS catalogue.

    Parameters
    ----------
    store : EmbeddingStore
    path : str or Path
        A new folder; its name becomes the catalogue's.
    source : ImageSource
        Has the identifiers of the rows of ``ra`` and ``dec``.
    ra, dec : ndarray, shape (R,)
        Degrees, ICRS.
    rows_per_pixel : int
        Pixels with more galaxies are divided.
    memory : int
        Bytes of embeddings held at once; where they are more, the store is read several times.

    Returns
    -------
    written, without_position : int
        Galaxies; those without an embedding or a position are left out. Columns are ``object_id``, ``ra``,
        ``dec``, ``embedding`` (fixed-size list of float32) and the index ``_healpix_29``.

    Raises
    ------
    StoreError
        The folder is there already, nothing is to be written, or the package hats is missing.
    """
    if find_spec("hats") is None:
        raise StoreError("This needs the package hats: pip install 'glue-zoobot[hats]'")
    path = Path(path).expanduser()
    if path.exists():
        raise StoreError(f"{path} exists already; name a new folder for the HATS catalogue")
    sky = _Sky.of(store, match(store.plan, source, store.done()), ra, dec)
    if not len(sky.index):
        raise StoreError(f"No galaxy of {store.path} has both an embedding and a position; nothing to write")
    tiles = list(divide(sky.index, rows_per_pixel))
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for some in _batches(tiles, memory // (4 * store.width)):
            _write_tiles(store, sky, some, temporary)
        _write_metadata(store, tiles, temporary, path.name, len(sky.index))
        temporary.rename(path)
    except OSError as error:
        raise StoreError(f"{path} could not be written ({error}). Make room and try again.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(sky.index), sky.without_position


@dataclass(frozen=True)
class _Sky:
    """Galaxies in the order of the sky: index, position, and where their embedding is."""

    index: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    shard: np.ndarray
    place: np.ndarray
    without_position: int

    @classmethod
    def of(cls, store: EmbeddingStore, rows_of: Any, ra: np.ndarray, dec: np.ndarray) -> _Sky:
        from hats.pixel_math.spatial_index import compute_spatial_index

        parts = [(shard, rows_of(shard), _embedded(store, shard)) for shard in store.done()]
        empty = [np.zeros(0, np.int64)]
        rows = np.concatenate([rows[there] for _, rows, there in parts] or empty)
        shard = np.concatenate([np.full(len(there), number, np.int32) for number, _, there in parts] or empty)
        place = np.concatenate([np.arange(len(there), dtype=np.int32) for *_, there in parts] or empty)
        ra, dec = np.asarray(ra, np.float64)[rows], np.asarray(dec, np.float64)[rows]
        there = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90)
        ra, dec, shard, place = ra[there], dec[there], shard[there], place[there]
        index = compute_spatial_index(ra, dec) if len(ra) else np.zeros(0, np.int64)
        order = np.argsort(index, kind="stable")
        return cls(index[order], ra[order], dec[order], shard[order], place[order], int((~there).sum()))


def _embedded(store: EmbeddingStore, shard: int) -> np.ndarray:
    """Places in a shard that have an embedding."""
    header = store.header(shard)
    if header is not None and not header.broken:
        return np.arange(header.rows)
    table = read_shard(store.shard_path(shard), ["embedding"])
    return np.flatnonzero(table["embedding"].is_valid().to_numpy())


def divide(index: np.ndarray, most: int, tile: Tile | None = None) -> Iterator[Tile]:
    """
    Divide the sky into pixels that hold at most ``most`` galaxies, or are of the highest order.

    Parameters
    ----------
    index : ndarray of int64, shape (M,)
        HEALPix pixels of order 29, nested, ascending.
    most : int
    tile : Tile, optional
        Only this part of the sky.
    """
    if tile is not None and tile.stop == tile.start:
        return
    if tile is not None and (tile.stop - tile.start <= most or tile.order == HIGHEST_ORDER):
        yield tile
        return
    order = 0 if tile is None else tile.order + 1
    pixels = np.arange(12) if tile is None else 4 * tile.pixel + np.arange(4)
    borders = np.append(pixels, pixels[-1] + 1).astype(np.int64) << (2 * (INDEX_ORDER - order))
    places = np.searchsorted(index, borders)
    for pixel, start, stop in zip(pixels, places[:-1], places[1:], strict=True):
        yield from divide(index, most, Tile(order, int(pixel), int(start), int(stop)))


def _batches(tiles: list[Tile], rows: int) -> Iterator[list[Tile]]:
    """Successive tiles that hold at most so many galaxies together, but one at least."""
    batch: list[Tile] = []
    for tile in tiles:
        if batch and tile.stop - batch[0].start > rows:
            yield batch
            batch = []
        batch.append(tile)
    if batch:
        yield batch


def _write_tiles(store: EmbeddingStore, sky: _Sky, tiles: list[Tile], folder: Path) -> None:
    """Gather the embeddings of some tiles in one pass through the shards that have them, and write them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, last = tiles[0].start, tiles[-1].stop
    shards, places = sky.shard[first:last], sky.place[first:last]
    vectors = np.empty((last - first, store.width), dtype=np.float32)
    names = np.empty(last - first, dtype=object)
    for shard in np.unique(shards):
        table = read_shard(store.shard_path(int(shard)), ["object_id", "embedding"])
        wanted = np.flatnonzero(shards == shard)
        vectors[wanted] = vectors_of(table)[places[wanted]]
        names[wanted] = table["object_id"].filter(table["embedding"].is_valid()).to_numpy()[places[wanted]]
    for tile in tiles:
        here = slice(tile.start - first, tile.stop - first)
        flat = pa.array(vectors[here].reshape(-1))
        columns = {
            "object_id": pa.array(names[here], pa.string()),
            "ra": sky.ra[tile.start : tile.stop],
            "dec": sky.dec[tile.start : tile.stop],
            "embedding": pa.FixedSizeListArray.from_arrays(flat, store.width),
            INDEX: sky.index[tile.start : tile.stop],
        }
        file = folder / pixel_file(tile.order, tile.pixel)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), file)


def pixel_file(order: int, pixel: int) -> str:
    """Where a HATS catalogue keeps a pixel."""
    return f"dataset/Norder={order}/Dir={pixel // 10_000 * 10_000}/Npix={pixel}.parquet"


def _write_metadata(store: EmbeddingStore, tiles: list[Tile], folder: Path, name: str, count: int) -> None:
    from hats.catalog import PartitionInfo, TableProperties
    from hats.io.parquet_metadata import write_parquet_metadata
    from hats.pixel_math import HealpixPixel

    write_parquet_metadata(folder)
    pixels = [HealpixPixel(tile.order, tile.pixel) for tile in tiles]
    PartitionInfo.from_healpix(pixels).write_to_file(catalog_path=folder)
    about: dict[str, Any] = {
        "catalog_name": name,
        "catalog_type": "object",
        "total_rows": count,
        "ra_column": "ra",
        "dec_column": "dec",
        "healpix_column": INDEX,
        "healpix_order": INDEX_ORDER,
        "npix_suffix": ".parquet",
        "hats_order": max(tile.order for tile in tiles),
        "hats_max_rows": max(tile.stop - tile.start for tile in tiles),
        "hats_builder": f"glue-zoobot, embeddings by {store.encoder_name}",
    }
    TableProperties(**about).to_properties_file(folder)
