"""
HATS catalogues: one Parquet file per pixel of the sky, as the survey archives publish them.

The pictures are a column of image bytes, or of paths. A part of a large catalogue is opened by a cone:
``catalogue?cone=150.1,2.2,30arcmin``; what lies outside is not read.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table, vstack

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import parquet
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.identity import Identity
from glue_zoobot.images.paths import open_paths
from glue_zoobot.images.source import ImageSource, Picture
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import check_rows, from_arrow, parquet_errors

PROPERTIES = ("hats.properties", "properties")
COLLECTION = "collection.properties"
CONE = "?cone="
_PIXEL = re.compile(r"Norder=(\d{1,2})/(?:Dir=\d+/)?Npix=(\d{1,19})")
_DEEPEST = 29


@dataclass(frozen=True)
class Cone:
    """A circle on the sky, degrees."""

    ra: float
    dec: float
    radius: float

    @classmethod
    def parse(cls, text: str) -> Cone:
        """Read ``RA,DEC,RADIUS``: degrees, degrees, and a radius with its unit."""
        from astropy import units

        try:
            ra, dec, radius = text.split(",")
            cone = cls(float(ra) % 360, float(dec), units.Quantity(radius).to_value(units.deg))
        except (ValueError, TypeError) as error:
            raise CatalogueError(
                f"{text!r} is no cone; write RA and Dec in degrees and a radius, such as 150.1,2.2,30arcmin"
            ) from error
        if not (abs(cone.dec) <= 90 and 0 < cone.radius <= 180):
            raise CatalogueError(f"the cone {text!r} is not on the sky; Dec is -90 to 90, the radius above 0")
        return cone

    def holds(self, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        """Which positions, degrees, lie in it; by the haversine, which is exact for small circles."""
        a, b = np.radians(np.asarray(dec, float)), np.radians(self.dec)
        half = np.radians(np.asarray(ra, float) - self.ra) / 2
        sine2 = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(half) ** 2
        return sine2 <= np.sin(np.radians(self.radius) / 2) ** 2


def split_cone(path: str) -> tuple[str, Cone | None]:
    """Path of the catalogue, and the part of it that is meant."""
    folder, question, text = path.partition(CONE)
    return folder, Cone.parse(text) if question else None


def is_hats(path: str | Path) -> bool:
    """Whether this is a HATS catalogue or collection, perhaps with a cone."""
    folder = Path(str(path).partition(CONE)[0]).expanduser()
    return (folder / COLLECTION).is_file() or (
        (folder / "dataset").is_dir() and any((folder / name).is_file() for name in PROPERTIES)
    )


def open_hats(spec: SourceSpec) -> Catalogue:
    """
    Open a HATS catalogue, or a cone of one.

    Raises
    ------
    CatalogueError
        It has no images, its files are damaged, or nothing lies in the cone.
    """
    folder, kept, total = _kept(spec.path)
    image = parquet.image_column(kept[0][0], spec.image_column)
    here = replace(spec, path=str(folder))
    catalogue = _open_bytes(here, kept, image) if image else open_paths(here, _read_rows(kept), folder)
    note = f"HATS catalogue, {len(kept):,} of {total:,} pixels"
    return replace(catalogue, spec=spec, notes=(*catalogue.notes, note))


def _kept(text: str) -> tuple[Path, list[tuple[Path, np.ndarray]], int]:
    """Folder of a catalogue, the pixel files and rows that are asked for, and how many pixels it has."""
    path, cone = split_cone(text)
    folder, about = _main_table(Path(path).expanduser())
    files = sorted((folder / "dataset").glob("Norder=*/Dir=*/Npix=*"))
    files = [f for file in files for f in (sorted(file.rglob("*.parquet")) if file.is_dir() else [file])]
    if not files:
        raise CatalogueError(f"{folder} says that it is a HATS catalogue, but has no pixels in its dataset")
    position = about.get("hats_col_ra", "ra"), about.get("hats_col_dec", "dec")
    kept = [(file, rows) for file, rows in _rows_in(files, position, cone) if len(rows)]
    if not kept:
        raise CatalogueError(f"nothing of {folder} lies in the cone {text.partition(CONE)[2]}; widen it")
    return folder, kept, len(files)


def _main_table(folder: Path) -> tuple[Path, dict[str, str]]:
    """Folder of the catalogue itself, in a collection too, and its properties."""
    if (folder / COLLECTION).is_file():
        name = _properties(folder / COLLECTION).get("hats_primary_table_url", "")
        inside = (folder / name).resolve()
        if not name or not inside.is_relative_to(folder.resolve()):
            raise CatalogueError(f"{folder / COLLECTION} does not name a catalogue inside the collection")
        folder = inside
    for name in PROPERTIES:
        if (folder / name).is_file():
            return folder, _properties(folder / name)
    raise CatalogueError(f"{folder} is no HATS catalogue: it has no {PROPERTIES[0]}")


def _properties(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path} cannot be read ({error})") from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _rows_in(files: list[Path], position: tuple[str, str], cone: Cone | None) -> Iterator[tuple[Path, Any]]:
    """Files and their rows that lie in the cone; only those whose pixels may reach into it are read."""
    import pyarrow.parquet as pq

    for path in files:
        if cone is None:
            yield path, np.arange(_count(path))
        elif _may_reach(path, cone) and _count(path):
            with parquet_errors(path), pq.ParquetFile(path) as file:
                missing = set(position) - set(file.schema_arrow.names)
                if missing:
                    raise CatalogueError(
                        f"{path} has no column {', '.join(sorted(missing))} to find a cone by"
                    )
                table = file.read(columns=list(position))
            inside = cone.holds(*(_numbers(path, table, name) for name in position))
            yield path, np.flatnonzero(inside)


def _numbers(path: Path, table: Any, name: str) -> np.ndarray:
    values = table[name].to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "fiu":
        raise CatalogueError(f"{path}: column {name} holds no numbers to find a cone by")
    return values


def _may_reach(path: Path, cone: Cone) -> bool:
    """
    Whether the pixel of a file may reach into the cone, by the declinations between which it lies.

    The name says which pixel it is. What the file says of its columns is not asked for: where that is
    damaged, pyarrow 26 ends the process.
    """
    found = _PIXEL.search(path.as_posix())
    if found is None:
        return True
    south, north = _declinations(int(found[1]), int(found[2]))
    margin = cone.radius + 1e-6
    return south <= cone.dec + margin and north >= cone.dec - margin


def _declinations(order: int, pixel: int) -> tuple[float, float]:
    """Declinations of the south and north corner of a pixel in nested numbering (Gorski et al. 2005)."""
    side = 2 ** min(order, _DEEPEST)
    face, inside = divmod(pixel, side**2)
    if order > _DEEPEST or face > 11:
        return -90.0, 90.0  # there is no such pixel
    x, y = (sum((inside >> (2 * k + shift) & 1) << k for k in range(order)) for shift in (0, 1))
    ring = (2 + face // 4) * side - x - y - 1  # of its centre, from the north; corners are on the next ones
    south, north = (np.degrees(np.arcsin(_sine(r, side))) for r in (ring + 1, ring - 1))
    return float(south), float(north)


def _sine(ring: int, side: int) -> float:
    """Sine of the declination of a ring: polar caps, and the belt between them."""
    if ring < side:
        return 1 - ring**2 / (3 * side**2)
    if ring > 3 * side:
        return (4 * side - ring) ** 2 / (3 * side**2) - 1
    return 4 / 3 - 2 * ring / (3 * side)


def _open_bytes(spec: SourceSpec, kept: list[tuple[Path, np.ndarray]], image: str) -> Catalogue:
    """Open pictures in a column of bytes: those of whole pixels, then the rows that are wanted."""
    whole = parquet.open_parquet_images(spec, [file for file, _ in kept], image)
    starts = np.cumsum([0, *(_count(file) for file, _ in kept)])
    rows = np.concatenate([start + rows for start, (_, rows) in zip(starts, kept, strict=False)])
    if len(rows) == len(whole.source):
        return whole
    source = Rows(whole.source, rows)
    duplicates = Identity(source.object_ids, whole.id_origin).duplicates()
    return replace(whole, source=source, table=whole.table[rows], duplicates=duplicates)


class Rows(ImageSource):
    """
    Some rows of another source.

    Parameters
    ----------
    source : ImageSource
    rows : ndarray of int64, shape (N,)
    """

    def __init__(self, source: ImageSource, rows: np.ndarray) -> None:
        self.object_ids = source.object_ids[rows]
        self.rows = rows
        self._source = copy.copy(source)
        self._source.object_ids = np.zeros(0, dtype=object)  # they are here; not to be sent away twice

    def _load(self, i: int) -> Picture:
        return self._source._load(int(self.rows[i]))


def _count(file: Path) -> int:
    import pyarrow.parquet as pq

    with parquet_errors(file):
        count = int(pq.read_metadata(file).num_rows)
    check_rows(file, count)
    return count


def _read_rows(kept: list[tuple[Path, np.ndarray]]) -> Table:
    """Plain columns of some rows of some pixels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = []
    for path, rows in kept:
        with parquet_errors(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            plain = [field.name for field in schema if not pa.types.is_nested(field.type)]
            parts.append(from_arrow(file.read(columns=plain).take(rows)))
    return vstack(parts, metadata_conflicts="silent")


def read_plain(path: str) -> Table:
    """
    Read a HATS catalogue without images, or a cone of one, as a table.

    Raises
    ------
    CatalogueError
        It is damaged, or nothing lies in the cone.
    """
    return _read_rows(_kept(path)[1])
