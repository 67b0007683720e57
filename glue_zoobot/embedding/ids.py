"""Many identifiers in little memory: text in Arrow's blocks instead of one Python object each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 100_000


class Ids:
    """
    An immutable sequence of N texts, at about their own length in bytes plus four.

    A number gives a ``str``; a slice, rows or a mask give an ndarray of ``str``. The whole becomes an
    ndarray only where NumPy is asked for one.

    Parameters
    ----------
    text : pyarrow.ChunkedArray of string
        Without nulls; see `of`.
    """

    def __init__(self, text: pa.ChunkedArray) -> None:
        self.arrow = text
        self._ends = np.cumsum([len(chunk) for chunk in text.chunks], dtype=np.int64)

    @classmethod
    def of(cls, texts: Ids | Sequence[str] | np.ndarray) -> Ids:
        """
        Take identifiers in.

        Raises
        ------
        StoreError
            One of them is no text that a file can hold.
        """
        import pyarrow as pa

        if isinstance(texts, Ids):
            return texts
        texts = np.asarray(texts, dtype=object)
        blocks = [texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK)]
        try:
            return cls(pa.chunked_array([pa.array(block, pa.string()) for block in blocks], pa.string()))
        except (UnicodeEncodeError, pa.ArrowException) as error:
            bad = next(text for text in texts if not _is_text(text))
            raise StoreError(
                f"The identifier {bad!r} is not text in UTF-8. Rename that galaxy or its file."
            ) from error

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            row = range(len(self))[key]
            chunk = int(np.searchsorted(self._ends, row, side="right"))
            before = int(self._ends[chunk - 1]) if chunk else 0
            return self.arrow.chunk(chunk)[row - before].as_py()
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return _objects(self.arrow.slice(start, max(stop - start, 0)))
            key = np.arange(start, stop, step)
        return _objects(self.select(key).arrow)

    def __iter__(self) -> Iterator[str]:
        for chunk in self.arrow.chunks:
            yield from chunk.to_pylist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return _objects(self.arrow).astype(dtype or object)

    def select(self, rows: np.ndarray) -> Ids:
        """Some of them, as compact as before: by row numbers, shape (K,), or by a mask, shape (N,)."""
        import pyarrow as pa

        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64, copy=False)
        blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
        taken = [self._take(block) for block in blocks]
        return Ids(pa.chunked_array([chunk for part in taken for chunk in part], pa.string()))

    def _take(self, rows: np.ndarray) -> list[pa.Array]:
        """Take rows; from the part that they span, so that neighbours cost no search through all."""
        if not len(rows):
            return []
        first, last = int(rows.min()), int(rows.max())
        return list(self.arrow.slice(first, last + 1 - first).take(rows - first).chunks)

    def blocks(self) -> Iterator[pa.Array]:
        """Successive blocks of at most `BLOCK` of them."""
        for start in range(0, len(self), BLOCK):
            yield self.arrow.slice(start, BLOCK).combine_chunks()

    def feed(self, digest: hashlib._Hash) -> None:
        """Let a digest read them in their order, each ended by a NUL."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for block in self.blocks():
            whole = pa.ListArray.from_arrays(pa.array([0, len(block)], pa.int32()), _one(block))
            digest.update(pc.binary_join(whole, "\0")[0].as_buffer())
            digest.update(b"\0")

    def numbers(self) -> np.ndarray:
        """Give each a number that nearly always differs where they differ, uint64 of shape (N,)."""
        found = [_numbers(block) for block in self.blocks()]
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def first_rows(self) -> np.ndarray:
        """Whether a row is the first with its identifier, bool of shape (N,)."""
        first = np.ones(len(self), dtype=bool)
        numbers = self.numbers()
        ordered = np.sort(numbers)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(repeated):
            return first
        place = np.minimum(np.searchsorted(repeated, numbers), len(repeated) - 1)
        seen: set[str] = set()
        for row in np.flatnonzero(repeated[place] == numbers):
            text = self[int(row)]
            first[row] = text not in seen
            seen.add(text)
        return first

    def same_set(self, other: Ids) -> bool:
        """Whether both hold the same different identifiers, in whatever order."""
        return len(self) == len(other) and np.array_equal(np.sort(self.numbers()), np.sort(other.numbers()))


def _one(block: Any) -> pa.Array:
    import pyarrow as pa

    return pa.concat_arrays(block.chunks) if isinstance(block, pa.ChunkedArray) else block


def _objects(text: pa.ChunkedArray) -> np.ndarray:
    return text.to_numpy() if len(text) else np.zeros(0, dtype=object)


def _is_text(text: Any) -> bool:
    try:
        return bool(isinstance(text, str) and text.encode() is not None)
    except UnicodeEncodeError:
        return False


def _numbers(block: Any) -> np.ndarray:
    """
    Mix the bytes of each text into 64 bits, eight at a time.

    The multiplier is that of the FNV hash for 64 bits; texts of one length are mixed together.
    """
    block = _one(block)
    offsets = np.frombuffer(block.buffers()[1], np.int32)[block.offset : block.offset + len(block) + 1]
    data = block.buffers()[2]
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    starts, lengths = offsets[:-1].astype(np.int64), np.diff(offsets)
    numbers = np.empty(len(block), dtype=np.uint64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        numbers[rows] = _mixed(letters, starts[rows], int(length))
    return numbers


def _mixed(letters: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    mixed = np.full(len(starts), 0xCBF29CE484222325 ^ length, dtype=np.uint64)
    for first in range(0, length, 8):
        columns = np.arange(first, min(first + 8, length))
        word = np.zeros((len(starts), 8), dtype=np.uint8)
        word[:, : len(columns)] = letters[starts[:, None] + columns]
        mixed = (mixed ^ word.view("<u8")[:, 0]) * np.uint64(0x100000001B3)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return mixed
