"""
Encoded images in a column of Parquet files, as Hugging Face datasets keep them.

The column is plain binary or a struct of ``bytes`` and ``path``. Images are read a block of rows at a time;
the file is never loaded whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table, vstack

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import decode
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage
from glue_zoobot.images.files import stems
from glue_zoobot.images.identity import find_column, identify
from glue_zoobot.images.source import ContainerSource, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import check_rows, parquet_errors, read_table

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

Cells = list["pyarrow.BinaryScalar"]  # they share the memory of the batch that they came in
_BLOCK_ROWS = 16  # few: a batch may hold one large image again and again
#: Images are compressed already: a column that shrinks by more is no column of images.
_MAX_RATIO, _ALWAYS_TAKEN = 100, 64 * 1024**2
_KEPT = 3  # blocks kept however large they are: threads that read ahead go to and fro between them
_CACHE_BYTES = 64 * 1024**2
_BUFFER = 1024**2


class ParquetSource(ContainerSource):
    """
    Images in a column of one or several Parquet files.

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    paths : sequence of pathlib.Path
        The files, in order.
    groups : list of (int, int)
        File number and row group number of each of the G row groups.
    starts : numpy.ndarray
        First row of every row group, and N; int64, shape (G + 1,).
    column : str
        The column, ``"image.bytes"`` for the bytes of a struct.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        paths: Sequence[Path],
        groups: list[tuple[int, int]],
        starts: np.ndarray,
        column: str,
    ) -> None:
        super().__init__(object_ids, paths[0])
        self.paths = tuple(str(p.absolute()) for p in paths)
        self.groups, self.starts, self.column = groups, starts, column

    def _open(self) -> _BlockReader:
        return _BlockReader(self.paths, self.groups, self.column)

    def _load(self, i: int) -> Picture:
        group = int(np.searchsorted(self.starts, i, side="right")) - 1
        block, row = divmod(i - int(self.starts[group]), _BLOCK_ROWS)
        with self._opened() as reader:
            data = reader.block(group, block)[row].as_py()
        if not data:
            raise UnreadableImage("the cell is empty: no image bytes")
        return Picture(decode.decode_bytes(data))


class _BlockReader:
    """Blocks of cells, reading on from the last one where possible; a few of them are kept."""

    def __init__(self, paths: tuple[str, ...], groups: list[tuple[int, int]], column: str) -> None:
        self.paths, self.groups, self.column = paths, groups, column
        self._files: dict[int, Any] = {}
        self._kept: OrderedDict[tuple[int, int], Cells] = OrderedDict()
        self._group, self._next = -1, 0
        self._reader: Iterator[Cells] = iter(())

    def block(self, group: int, number: int) -> Cells:
        """Block `number` of `_BLOCK_ROWS` cells of a row group."""
        if (group, number) in self._kept:
            self._kept.move_to_end((group, number))
            return self._kept[group, number]
        if self._group != group or self._next > number:
            self._group, self._next, self._reader = group, 0, self._read_group(group)
        while self._next <= number:
            cells = next(self._reader, None)
            if cells is None:
                raise UnreadableImage("the file holds fewer rows than it says")
            self._keep(cells)
        return self._kept[group, number]

    def _keep(self, cells: Cells) -> None:
        self._kept[self._group, self._next] = cells
        self._next += 1
        size = sum(_size(kept) for kept in self._kept.values())
        while size > _CACHE_BYTES and len(self._kept) > _KEPT:
            _, dropped = self._kept.popitem(last=False)
            size -= _size(dropped)

    def _read_group(self, group: int) -> Iterator[Cells]:
        import pyarrow.parquet as pq

        number, row_group = self.groups[group]
        if number not in self._files:
            self._files[number] = pq.ParquetFile(self.paths[number], buffer_size=_BUFFER, pre_buffer=False)
        batches = self._files[number].iter_batches(
            _BLOCK_ROWS, row_groups=[row_group], columns=[self.column], use_threads=False
        )
        return _in_blocks(list(_leaf(batch.column(0))) for batch in batches)


def _size(cells: Cells) -> int:
    return sum(cell.as_buffer().size for cell in cells if cell.is_valid)


def _leaf(column: pyarrow.Array) -> pyarrow.Array:
    """Return a column, or the one field of a struct that was read."""
    import pyarrow as pa

    return column.field(0) if pa.types.is_struct(column.type) else column


def _in_blocks(batches: Iterator[Cells]) -> Iterator[Cells]:
    """Blocks of exactly `_BLOCK_ROWS`: the reader may hand out shorter batches at page borders."""
    pending: Cells = []
    for cells in batches:
        pending += cells
        while len(pending) >= _BLOCK_ROWS:
            yield pending[:_BLOCK_ROWS]
            pending = pending[_BLOCK_ROWS:]
    if pending:
        yield pending


def image_column(path: Path, wanted: str | None = None) -> str | None:
    """Name of a column of image bytes (``image.bytes`` in a struct); None when there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with parquet_errors(path):
        schema = pq.read_schema(path)
    names = [find_column(schema.names, wanted)] if wanted else schema.names
    for name in names:
        kind = schema.field(name).type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return name
        if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            return f"{name}.bytes"
    return None


def open_parquet_images(spec: SourceSpec, paths: list[Path], column: str) -> Catalogue:
    """Open Parquet files with image bytes; the other columns become the table."""
    import pyarrow.parquet as pq

    name = column.removesuffix(".bytes")
    groups: list[tuple[int, int]] = []
    counts = [0]
    for number, path in enumerate(paths):
        with parquet_errors(path):
            metadata = pq.read_metadata(path)
        check_rows(path, metadata.num_rows)
        _refuse_bomb(path, metadata, column)
        groups += [(number, g) for g in range(metadata.num_row_groups)]
        counts += [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
    starts = np.cumsum(counts, dtype=np.int64)
    table = _columns(paths, name, int(starts[-1]))
    identity = identify(table, spec.id_column, lambda: _file_stems(paths, column))
    table.remove_columns([c for c in (" ",) if c in table.colnames])
    source = ParquetSource(identity.object_ids, paths, groups, starts, column)
    return Catalogue.assemble(spec, source, table, identity, (f"image bytes from column {name!r}",))


def _refuse_bomb(path: Path, metadata: pyarrow.parquet.FileMetaData, column: str) -> None:
    """
    Refuse images that would unpack to many times what is stored of them.

    What the file says of single columns is not asked for: where that is damaged, pyarrow 26 ends the process.
    """
    unpacked = sum(metadata.row_group(g).total_byte_size for g in range(metadata.num_row_groups))
    packed = path.stat().st_size
    if unpacked > max(_ALWAYS_TAKEN, _MAX_RATIO * packed):
        raise CatalogueError(
            f"{path}: column {column!r} unpacks from {packed / 1e6:,.1f} MB to {unpacked / 1e6:,.0f} MB, "
            "which images do not; it is damaged or made to fill the memory"
        )


def _columns(paths: list[Path], image: str, count: int) -> Table:
    import pyarrow.parquet as pq

    if len(pq.read_schema(paths[0]).names) == 1:
        return Table({" ": np.arange(count)})
    return vstack([read_table(p, skip=(image,)) for p in paths], metadata_conflicts="silent")


def _file_stems(paths: list[Path], column: str) -> list[str] | None:
    """Ids from the file names that Hugging Face keeps beside the bytes; None unless every row has one."""
    import pyarrow.parquet as pq

    if not column.endswith(".bytes"):
        return None
    names: list[str | None] = []
    for path in paths:
        table = pq.ParquetFile(path).read(columns=[column.removesuffix("bytes") + "path"])
        names += [name for chunk in table.column(0).chunks for name in _leaf(chunk).to_pylist()]
    return stems([str(n) for n in names]) if all(names) else None
