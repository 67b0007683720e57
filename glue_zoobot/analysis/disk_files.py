"""The files that a search from the disk reads, and how they are written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from glue_zoobot.analysis.principal import FIT_ROWS, principal_axes
from glue_zoobot.analysis.similarity import SCAN_COMPONENTS
from glue_zoobot.errors import AnalysisError

__all__ = ["AXES", "IDS", "LENGTHS", "SCAN", "VECTORS", "Parts", "slices", "write_files"]

VECTORS, SCAN, AXES, LENGTHS, IDS = "vectors.f16", "scan.f16", "axes.npz", "lengths.f32", "ids.parquet"
PART_BYTES = 32 * 1024**2

Parts = Iterable[tuple[Sequence[str], np.ndarray]]


def write_files(folder: Path, parts: Parts, count: int, width: int, random_state: int = 0) -> None:
    """
    Write vectors, their principal components, their lengths and their identifiers.

    Parameters
    ----------
    folder : Path
        Made, or made anew.
    parts : iterable of (sequence of str, ndarray of float16, shape (m, D))
        Identifiers and vectors, together ``count`` rows. Read once.
    count, width : int
        Rows M and columns D.
    random_state : int
        Seed of the sample for the principal axes.

    Raises
    ------
    AnalysisError
        There is no room for the files.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, count, width)
    _write_vectors(folder, parts, count, width).tofile(folder / LENGTHS)
    if width > SCAN_COMPONENTS:
        _write_scan(folder, np.memmap(folder / VECTORS, np.float16, "c", shape=(count, width)), random_state)


def _require_room(folder: Path, count: int, width: int) -> None:
    needed = count * (2 * width + 2 * SCAN_COMPONENTS + 32)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise AnalysisError(
            f"a search from the disk needs {needed / 1e9:,.1f} GB in {folder}, {free / 1e9:,.1f} are free; "
            "make room"
        )


def _write_vectors(folder: Path, parts: Parts, count: int, width: int) -> np.ndarray:
    """Write vectors and identifiers; their squared lengths, float32 of shape (M,)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    squares = np.empty(count, dtype=np.float32)
    row = 0
    schema = pa.schema([("object_id", pa.string())])
    with (folder / VECTORS).open("wb") as file, pq.ParquetWriter(folder / IDS, schema) as writer:
        for ids, vectors in parts:
            file.write(np.ascontiguousarray(vectors, dtype=np.float16).data)
            writer.write_table(pa.table([pa.array(ids, pa.string())], schema=schema))
            for part in slices(len(vectors), width):
                block = _wide(vectors[part])
                squares[row + part.start : row + part.stop] = np.einsum("ij,ij->i", block, block)
            row += len(vectors)
    if row != count:
        raise AnalysisError(f"{row:,} embeddings were read where there should be {count:,}; search again")
    return squares


def _write_scan(folder: Path, vectors: np.ndarray, random_state: int) -> None:
    """Write the first principal components of all vectors, the axes fitted to a sample."""
    rng = np.random.default_rng(random_state)
    rows = np.sort(rng.choice(len(vectors), min(FIT_ROWS, len(vectors)), replace=False))
    axes = principal_axes(_wide(vectors[rows]), SCAN_COMPONENTS, random_state)
    np.savez(folder / AXES, mean=axes.mean, axes=axes.axes)
    with (folder / SCAN).open("wb") as file:
        for part in slices(*vectors.shape):
            file.write(_half(axes.transform(_wide(vectors[part]))).data)


def slices(count: int, width: int) -> Iterator[slice]:
    """Parts of some rows of float16 that are read at once."""
    rows = max(1, PART_BYTES // (2 * width))
    return (slice(start, min(start + rows, count)) for start in range(0, count, rows))


def _wide(vectors: np.ndarray) -> np.ndarray:
    """Float16 as float32; by torch, which does it ten times faster than NumPy."""
    import torch

    return torch.from_numpy(np.array(vectors, dtype=np.float16)).float().numpy()


def _half(vectors: np.ndarray) -> np.ndarray:
    """Float32 as float16, as fast."""
    import torch

    return torch.from_numpy(vectors).half().numpy()
