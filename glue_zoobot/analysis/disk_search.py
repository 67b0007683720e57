"""
Look-alikes among more embeddings than fit in memory.

The embeddings of a store are copied once into plain files that can be read at any row: the float16 vectors
one after the other, their first principal components, their lengths, their identifiers. A search then
reads either all vectors, a block at a time (*exact*), or the components alone, a fifth as much, and the
vectors of the best candidates (*two-stage*, approximate, by how much is measured when the files are made).
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.analysis.disk_files import AXES, IDS, LENGTHS, SCAN, VECTORS, Parts, slices, write_files
from glue_zoobot.analysis.nearness import METRICS, Nearness
from glue_zoobot.analysis.principal import PrincipalAxes
from glue_zoobot.analysis.products import Products
from glue_zoobot.analysis.selection import best_rows
from glue_zoobot.analysis.similarity import SCAN_COMPONENTS
from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.embedding.ordered import available_cores, map_ordered
from glue_zoobot.errors import AnalysisError
from glue_zoobot.folders import cache_folder

if TYPE_CHECKING:
    from glue_zoobot.embedding import EmbeddingStore

__all__ = ["METHODS", "DiskSearch", "fits_memory", "pack", "packed_search"]

METHODS = ("exact", "two-stage")
BLOCK_BYTES = 1024**2  # as float32: it is widened and used while the cache holds it
CANDIDATES = 2_000  # of the first stage that are scored exactly; at least 5 k
RECALL_QUERIES, RECALL_BYTES = 20, 10**9
NEIGHBOURS = 100
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
MEMORY_SHARE = 0.6  # of what is free; float32, and what a search needs beside it
ABOUT = "about.json"


def fits_memory(store: EmbeddingStore, share: float = MEMORY_SHARE) -> bool:
    """Whether the embeddings of a store can be held as float32 in a share of the memory that is free now."""
    free = _free_memory()
    return free is None or 4 * store.status().embedded * store.width < share * free


def _free_memory() -> int | None:
    """Bytes; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def packed_search(
    store: EmbeddingStore, metric: str = "cosine", method: str = "two-stage", device: str = "auto"
) -> DiskSearch:
    """
    Search a store from the disk; its files are made when first asked for, and again when it has grown.

    They lie in the store's folder under ``search``, or in the cache folder if the store is read-only, and
    take as much room as the store, and a fifth more.

    Raises
    ------
    AnalysisError
        The store is empty, or the files cannot be written.
    """
    key = {"plan": store.plan.hash, "shards": sorted([n, *stamp] for n, stamp in store.mark().items())}
    name = hashlib.sha256(str(store.path.absolute()).encode()).hexdigest()[:16]
    folders = [store.path / "search", cache_folder() / "searches" / name]
    current = next((folder for folder in folders if _belongs(folder, key)), None)
    return DiskSearch(current or _pack_store(store, folders, key), metric, method, device)


def _belongs(folder: Path, key: Any) -> bool:
    """Whether files of a search are of a state of a store."""
    try:
        return bool(json.loads((folder / ABOUT).read_text("utf-8"))["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pack_store(store: EmbeddingStore, folders: Sequence[Path], key: Any) -> Path:
    """Write the files of a store into the first folder that can be written; return that."""
    for folder in folders:
        parts = store.embedded_parts(store.done())
        try:
            pack(folder, parts, store.status().embedded, store.width, key)
            return folder
        except OSError as error:
            if folder is not folders[-1] and error.errno in READ_ONLY:
                continue
            raise AnalysisError(
                f"the files of a search from the disk cannot be written to {folder} ({error}); make room, or "
                "set GLUE_ZOOBOT_CACHE to a folder that can be written"
            ) from error
    raise AssertionError("no folder")


def pack(folder: Path, parts: Parts, count: int, width: int, key: Any = None, random_state: int = 0) -> None:
    """
    Write the files of a search.

    Parameters
    ----------
    folder : Path
        Made, or made anew.
    parts : iterable of (sequence of str, ndarray of float16, shape (m, D))
        Identifiers and vectors, together ``count`` rows. Read once.
    count, width : int
        Rows M and columns D.
    key : JSON-able, optional
        What the files belong to.
    random_state : int
        Seed of the sample for the principal axes and of the queries on which the recall is measured.

    Raises
    ------
    AnalysisError
        There are no embeddings, or there is no room for the files.
    """
    if not count:
        raise AnalysisError("there are no embeddings to search; embed the images first")
    write_files(folder, parts, count, width, random_state)
    about: dict[str, Any] = {"rows": count, "width": width, "recall": dict.fromkeys(METRICS, float("nan"))}
    _write_about(folder, about)  # with which it can be opened and measured, but belongs to no store yet
    about["recall"] = {metric: _measure_recall(folder, metric, random_state) for metric in METRICS}
    _write_about(folder, about | {"key": key})


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    text = json.dumps(about)
    write_atomically(folder / ABOUT, lambda temporary: temporary.write_text(text, "utf-8"))


def _products(matrix: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """
    Products of float16 rows (N, D) and targets (D, Q), float32 of shape (Q, N).

    Threads of our own take parts of the rows, and go through them in blocks that stay in the processor's
    cache. The libraries' own threads are kept out: to wait for each other at every block, where other
    programs run besides, takes many times longer than the work.
    """
    import torch
    from threadpoolctl import threadpool_limits

    keys = np.empty((targets.shape[1], len(matrix)), dtype=np.float32)

    def multiply(part: slice) -> None:
        wide = torch.empty((_rows(matrix.shape[1]), matrix.shape[1]), dtype=torch.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(part.start, part.stop, len(wide)):
                stop = min(start + len(wide), part.stop)
                block = wide[: stop - start].copy_(torch.from_numpy(matrix[start:stop])).numpy()
                keys[:, start:stop] = (block @ targets).T

    threads = available_cores()
    alone = partial(threadpool_limits, 1, "openmp")  # holds for the thread that says it
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads, "search", alone) as pool:
        for _ in map_ordered(multiply, slices(*matrix.shape), pool, 2 * threads):
            pass
    return keys


def _rows(width: int) -> int:
    return max(1, BLOCK_BYTES // (4 * width))


class DiskSearch:
    """
    A search in the files that `pack` wrote.

    Its answers are those of `SimilaritySearch` on the same embeddings.

    Parameters
    ----------
    folder : Path
    metric : {"cosine", "euclidean"}
    method : {"two-stage", "exact"}
        "two-stage" keeps the principal components in memory, if there is room, and is approximate.
    device : str
        Where the products are made: ``"auto"`` takes a GPU for large files, if there is one.

    Attributes
    ----------
    measured_recall_ : float
        Share of the true 100 nearest that the search finds, over 20 galaxies (fewer above 1e7); 1 if exact.

    Raises
    ------
    AnalysisError
        An option does not exist, or the files are not whole.
    """

    def __init__(
        self, folder: Path, metric: str = "cosine", method: str = "two-stage", device: str = "auto"
    ) -> None:
        if metric not in METRICS or method not in METHODS:
            raise AnalysisError(
                f"there is no search {method!r} by {metric!r}; choose one of {', '.join(METHODS)}, "
                f"by {', '.join(METRICS)}"
            )
        try:
            about = json.loads((folder / ABOUT).read_text("utf-8"))
            self._open(folder, about, metric, method, device)
            recall = float(about["recall"][metric])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AnalysisError(f"the search files in {folder} are damaged ({error}); delete them") from error
        self.measured_recall_ = recall if self._axes is not None else 1.0

    def _open(self, folder: Path, about: dict[str, Any], metric: str, method: str, device: str) -> None:
        count, width = int(about["rows"]), int(about["width"])
        self.folder, self.metric = folder, metric
        self._vectors = np.memmap(folder / VECTORS, np.float16, "c", shape=(count, width))
        squares = np.fromfile(folder / LENGTHS, np.float32)
        self._near = Nearness(self._vectors, squares, metric)
        self._axes: PrincipalAxes | None = None
        matrix = self._vectors
        if method == "two-stage" and width > SCAN_COMPONENTS:
            with np.load(folder / AXES, allow_pickle=False) as kept:
                self._axes = PrincipalAxes(kept["mean"], kept["axes"], np.zeros(0))
            matrix = np.memmap(folder / SCAN, np.float16, "c", shape=(count, SCAN_COMPONENTS))
        self._multiply = Products(matrix, partial(_products, matrix), device)

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def note(self) -> str:
        """What the user should know of where the search was made; else empty."""
        return self._multiply.note

    def rows_of(self, object_ids: Sequence[str]) -> np.ndarray:
        """
        Rows of galaxies, int64 of shape (K,).

        Raises
        ------
        AnalysisError
            One has no embedding.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        found: dict[str, int] = {}
        for start, ids in self._id_groups(range(self._id_file().num_row_groups)):
            rows = np.flatnonzero(pc.is_in(ids, pa.array(object_ids, pa.string())).to_numpy())
            found |= {ids[int(row)].as_py(): start + int(row) for row in rows}
        missing = [name for name in object_ids if name not in found]
        if missing:
            raise AnalysisError(f"no embedding for {', '.join(missing)}; check the id")
        return np.array([found[name] for name in object_ids], dtype=np.int64)

    def ids_of(self, rows: np.ndarray) -> np.ndarray:
        """Identifiers of rows, ndarray of str."""
        starts = self._id_starts()
        groups = np.searchsorted(starts, rows, side="right") - 1
        names = np.empty(len(rows), dtype=object)
        for (start, ids), group in zip(self._id_groups(np.unique(groups)), np.unique(groups), strict=True):
            for i in np.flatnonzero(groups == group):
                names[i] = ids[int(rows[i]) - start].as_py()
        return names

    def query(
        self, like: Sequence[int] | np.ndarray, unlike: Sequence[int] | np.ndarray = (), k: int = NEIGHBOURS
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Find the rows most like some and unlike others; see `SimilaritySearch.query`.

        Returns
        -------
        rows : np.ndarray
            Shape (k,), int64, best first. Never one of the query.
        scores : np.ndarray
            Shape (k,), float32.

        Raises
        ------
        AnalysisError
            As `SimilaritySearch.query`.
        """
        like, unlike = self._near.examples(like, unlike)
        target = self._near.target(like, unlike)
        rows = self._candidates(target[None], np.concatenate([like, unlike]), k)[0]
        return self._near.ranked(rows, target, k)

    def _nearest(self, targets: np.ndarray) -> list[np.ndarray]:
        """Rows nearest to each of several targets (Q, D)."""
        candidates = self._candidates(targets, np.zeros(0, np.int64), NEIGHBOURS)
        pairs = zip(candidates, targets, strict=True)
        return [self._near.ranked(rows, target, NEIGHBOURS)[0] for rows, target in pairs]

    def _candidates(self, targets: np.ndarray, without: np.ndarray, k: int) -> list[np.ndarray]:
        """For each target (Q, D) the rows that may be among its k best, ascending, by one pass for all."""
        factors = self._near.factor(targets)
        if self._axes is None:
            tolerance = max(map(self._near.tolerance, targets))
            return self._pass(factors.T, np.zeros(len(targets)), without, k, tolerance)
        shift = factors @ self._axes.mean
        return self._pass(self._axes.axes @ factors.T, shift, without, max(CANDIDATES, 5 * k), 0.0)

    def _pass(
        self, factors: np.ndarray, shift: np.ndarray, without: np.ndarray, most: int, tolerance: float
    ) -> list[np.ndarray]:
        """Multiply all rows with factors (D, Q); the rows that may be among the best of each."""
        keys = self._multiply(np.ascontiguousarray(factors, dtype=np.float32))
        for each, offset in zip(keys, shift, strict=True):
            each += np.float32(offset)
            self._near.keys(each)
        keys[:, without] = -np.inf
        return [best_rows(each, most, tolerance) for each in keys]

    def _id_file(self) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.folder / IDS)

    def _id_starts(self) -> np.ndarray:
        about = self._id_file().metadata
        counts = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def _id_groups(self, groups: Iterable[int]) -> Iterator[tuple[int, Any]]:
        """First row and identifiers of row groups."""
        file, starts = self._id_file(), self._id_starts()
        for group in groups:
            yield int(starts[group]), file.read_row_group(int(group)).column(0)


def _measure_recall(folder: Path, metric: str, random_state: int) -> float:
    """Share of the true neighbours of some rows that the two-stage search finds; one pass for all of them."""
    exact, quick = (DiskSearch(folder, metric, method, "cpu") for method in ("exact", "two-stage"))
    usable = np.setdiff1d(np.arange(len(exact)), exact._near.never_found)
    if quick._axes is None or not len(usable):
        return 1.0
    queries = int(np.clip(RECALL_BYTES // (4 * len(exact)), 2, RECALL_QUERIES))
    rows = np.sort(np.random.default_rng(random_state).choice(usable, min(queries, len(usable)), False))
    none = np.zeros(0, np.int64)
    targets = np.stack([exact._near.target(row, none) for row in rows[:, None]])
    true, found = (search._nearest(targets) for search in (exact, quick))
    return float(np.mean([np.isin(*pair).mean() for pair in zip(true, found, strict=True)]))
