"""Images that are arrays already: what their axes and values mean, and NumPy files of them."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import rgb
from glue_zoobot.images.bandnames import parse_bands
from glue_zoobot.images.catalogue import Catalogue
from glue_zoobot.images.decode import UnreadableImage, check_size
from glue_zoobot.images.identity import identify
from glue_zoobot.images.source import ContainerSource, Fluxes, Picture
from glue_zoobot.images.spec import SourceSpec

#: Usual names of the array of images in a container, best first.
IMAGE_NAMES = ("images", "image", "data", "x", "imgs", "pixels", "arr_0")
_CHANNELS = (1, 3, 4)  # along the last axis: grey, colours, colours and transparency
_MAX_BANDS = 32
#: What NumPy raises for files that are cut short, or whose header asks for more than there is.
_DAMAGE = (
    *(ValueError, OSError, EOFError, KeyError, OverflowError, MemoryError, SyntaxError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, RuntimeError, TypeError),
)
# A compressed member unpacks into memory, and a few kB can pretend to be a TB.
_MAX_NPZ_BYTES, _ALWAYS_TAKEN, _MAX_RATIO = 8 * 1024**3, 64 * 1024**2, 200


def planes_of(image: np.ndarray) -> np.ndarray:
    """One image of any layout (H, W), (H, W, C) or (C, H, W) as planes (C, H, W)."""
    check_shape(image.shape, image.dtype)
    if image.ndim == 2:
        return image[None]
    return image.transpose(2, 0, 1) if image.shape[2] in _CHANNELS else image


def check_shape(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise `UnreadableImage` for what is no image in a few bands, or too large a one; before it is read."""
    channels_last = len(shape) == 3 and shape[2] in _CHANNELS
    if not (len(shape) == 2 or channels_last or (len(shape) == 3 and shape[0] <= _MAX_BANDS)):
        raise UnreadableImage(f"an array of shape {shape} is no image in a few bands")
    if dtype.kind not in "buif":
        raise UnreadableImage(f"an array of {dtype} holds no pixels")
    height, width = shape[:2] if channels_last else shape[-2:]
    check_size(width, height)


def check_stack(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise `CatalogueError` for what is no stack (N, H, W), (N, H, W, C) or (N, C, H, W) of images."""
    try:
        check_shape(shape[1:], dtype)
    except UnreadableImage as error:
        raise CatalogueError(f"{path} is no stack of images (N, H, W, 3): {error}") from error


def picture_of(image: np.ndarray, scale: float | None, preset: str, bands: str | None) -> Picture:
    """
    Make a picture of an array.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W), (H, W, C) or (C, H, W).
    scale : float or None
        Value that is white (255 or 1) when the array holds a picture; None when it holds fluxes.
    preset, bands : str
        How fluxes become colours.
    """
    planes = planes_of(image)
    if scale is None or _are_fluxes(planes, scale):
        return rgb.compose(planes, preset, *_names(planes, bands))
    missing = 0
    if planes.dtype != np.uint8:
        planes, missing = rgb.fill_nan(planes)
        planes = np.rint(np.clip(planes * (255 / scale), 0, 255)).astype(np.uint8)
    if len(planes) == 4:  # transparent parts are sky
        planes = (planes[:3] * (planes[3:] / 255.0)).astype(np.uint8)
    three = np.broadcast_to(planes, (3, *planes.shape[1:]))
    return Picture(np.ascontiguousarray(three.transpose(1, 2, 0)), missing)


def fluxes_of(image: np.ndarray, scale: float | None, preset: str, bands: str | None) -> Fluxes | None:
    """Return the bands of an array of fluxes; None if it holds a picture. Takes what `picture_of` takes."""
    planes = planes_of(image)
    if not _are_fluxes(planes, scale):
        return None
    return rgb.describe(planes, preset, *_names(planes, bands))


def _are_fluxes(planes: np.ndarray, scale: float | None) -> bool:
    return scale is None or len(planes) not in (1, 3, 4)


def _names(planes: np.ndarray, bands: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the planes, none if they are not as many, and the bands to draw."""
    names, order = parse_bands(bands) if bands else ((), ())
    return (names if len(names) == len(planes) else ()), order


def white_level(images: Any, preset: str) -> float | None:
    """
    Find out whether a stack holds pictures (white at 255 or 1) or fluxes (None), from a few of its images.

    A user who names a preset has fluxes, whatever their range.
    """
    if images.dtype == np.uint8:
        return 255.0
    if preset != "auto" or images.dtype.kind != "f":
        return None
    sample = np.stack([images[i] for i in np.unique(np.linspace(0, len(images) - 1, 16).astype(int))])
    low, high = np.nanmin(sample), np.nanmax(sample)
    if low < 0 or high > 255:
        return None
    if high <= 1:
        return 1.0
    return 255.0 if np.array_equal(sample, np.rint(sample)) else None


def describe_scale(scale: float | None, dtype: np.dtype) -> str:
    """Say how the values of a stack were taken."""
    if scale is None:
        return f"values ({dtype}) taken as fluxes"
    return f"values ({dtype}) taken as pictures, white at {scale:g}"


def pick(names: Sequence[str], shapes: Sequence[tuple[int, ...]], wanted: str | None, path: str) -> str:
    """Name of the array of images: the wanted one, a usual name, or the only one with 3 or 4 axes."""
    if wanted is not None:
        if wanted not in names:
            raise CatalogueError(f"{path} has no array {wanted!r}; it has {', '.join(names) or 'none'}")
        return wanted
    deep = [n for n, s in zip(names, shapes, strict=True) if len(s) >= 3]
    usual = [n for u in IMAGE_NAMES for n in deep if n.lower() == u]
    if usual or len(deep) == 1:
        return (usual or deep)[0]
    raise CatalogueError(
        f"{path} holds no array that is clearly the images (arrays: {', '.join(names) or 'none'}). "
        "Name it (--image-column)."
    )


class ArraySource(ContainerSource):
    """
    Images in one ``.npy`` file (mapped) or one array of an ``.npz`` file (read into memory once).

    Parameters
    ----------
    object_ids : numpy.ndarray
        Shape (N,), object, of str.
    path : str
        The file.
    member : str or None
        Array of an ``.npz`` file; None for ``.npy``.
    scale : float or None
        See `picture_of`.
    single : bool
        Whether the whole array is one image.
    """

    def __init__(
        self,
        object_ids: np.ndarray,
        path: str | Path,
        member: str | None,
        scale: float | None,
        preset: str = "auto",
        bands: str | None = None,
        single: bool = False,
    ) -> None:
        super().__init__(object_ids, path)
        self.member, self.scale, self.single = member, scale, single
        self.preset, self.bands = preset, bands

    def _open(self) -> np.ndarray:
        return _load_array(self.path, self.member)

    def _load(self, i: int) -> Picture:
        return picture_of(self._image(i), self.scale, self.preset, self.bands)

    def _fluxes(self, i: int) -> Fluxes | None:
        return fluxes_of(self._image(i), self.scale, self.preset, self.bands)

    def _image(self, i: int) -> np.ndarray:
        with self._opened() as images:
            return np.array(images if self.single else images[i])


def open_arrays(spec: SourceSpec, path: Path) -> Catalogue:
    """Open an ``.npy`` or ``.npz`` stack; other arrays with one value per image become columns."""
    beside: dict[str, np.ndarray] = {}
    try:
        if path.suffix.lower() == ".npy":
            images, member = np.load(path, mmap_mode="r", allow_pickle=False), None
        else:
            images, member, beside = _open_npz(path, spec.image_column)
    except _DAMAGE as error:
        raise CatalogueError(f"{path} cannot be read as NumPy arrays ({error}). Is it complete?") from error
    single = images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (3, 4))
    check_stack(path, (1, *images.shape) if single else images.shape, images.dtype)
    count = 1 if single else len(images)
    table = Table({n: v for n, v in beside.items() if v.ndim in (1, 2) and len(v) == count})
    identity = identify(_with_rows(table, count), spec.id_column, lambda: [path.stem] if single else None)
    scale = white_level(images[None] if single else images, spec.preset)
    source = ArraySource(identity.object_ids, path, member, scale, spec.preset, spec.bands, single)
    return Catalogue.assemble(spec, source, table, identity, (describe_scale(scale, images.dtype),))


def _with_rows(table: Table, count: int) -> Table:
    """Let `identify` number the rows of a stack that has no columns."""
    return table if table.colnames else Table({" ": np.arange(count)})


def _open_npz(path: Path, wanted: str | None) -> tuple[np.ndarray, str, dict[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as archive:
        shapes = [_npz_shape(archive, name) for name in archive.files]
        member = pick(archive.files, shapes, wanted, str(path))
        count = shapes[archive.files.index(member)][0]
        columns = [n for n, s in zip(archive.files, shapes, strict=True) if n != member and s == (count,)]
        return _load_array(str(path), member), member, {n: _plain_values(archive, n) for n in columns}


def _plain_values(archive: Any, name: str) -> np.ndarray:
    values = archive[name]
    return np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values


def _npz_shape(archive: Any, name: str) -> tuple[int, ...]:
    """Shape of a member from its header, without unpacking it; () for what is no plain array."""
    from numpy.lib import format as npy

    with archive.zip.open(name + ".npy") as file:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        return () if dtype.hasobject else shape


def _load_array(path: str, member: str | None) -> np.ndarray:
    if member is None:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    with np.load(path, allow_pickle=False) as archive:
        info = archive.zip.getinfo(member + ".npy")
        if info.file_size > min(_MAX_NPZ_BYTES, max(_ALWAYS_TAKEN, _MAX_RATIO * info.compress_size)):
            raise CatalogueError(
                f"{path}: {member!r} unpacks from {info.compress_size / 1e6:,.1f} MB to "
                f"{info.file_size / 1e6:,.0f} MB in memory; save it as .npy, which is read in pieces"
            )
        return archive[member]


def read_array_file(path: str, preset: str, bands: str | None) -> Picture:
    """Read one image from an ``.npy`` file, or the array of images of an ``.npz`` file."""
    image = _read_image(path)
    return picture_of(image, _white(image), preset, bands)


def read_array_fluxes(path: str, preset: str, bands: str | None) -> Fluxes | None:
    """Like `read_array_file`, but the bands; None if the file holds a picture."""
    image = _read_image(path)
    return fluxes_of(image, _white(image), preset, bands)


def _white(image: np.ndarray) -> float | None:
    return 255.0 if image.dtype == np.uint8 else None


def _read_image(path: str) -> np.ndarray:
    try:
        return _load_image(path)
    except (CatalogueError, *_DAMAGE) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise UnreadableImage(f"no NumPy array that can be read ({error})") from error


def read_array_bytes(data: bytes, preset: str, bands: str | None) -> Picture:
    """Read one image from the bytes of an ``.npy`` file."""
    image = array_in(data)
    return picture_of(image, _white(image), preset, bands)


def array_in(data: bytes) -> np.ndarray:
    """Read the array in the bytes of an ``.npy`` file, after a look at its header."""
    from numpy.lib import format as npy

    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        check_shape(shape, dtype)
        file.seek(0)
        return np.load(file, allow_pickle=False)
    except _DAMAGE as error:
        raise UnreadableImage(f"no NumPy array that can be read ({error})") from error


def array_fluxes(data: bytes, preset: str, bands: str | None) -> Fluxes | None:
    """Like `read_array_bytes`, but the bands; None if the file holds a picture."""
    image = array_in(data)
    return fluxes_of(image, _white(image), preset, bands)


def _load_image(path: str) -> np.ndarray:
    """Read one array, after a look at its shape."""
    if path.lower().endswith(".npy"):
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        check_shape(mapped.shape, mapped.dtype)
        return np.array(mapped)
    with np.load(path, allow_pickle=False) as archive:
        shapes = [_npz_shape(archive, name) for name in archive.files]
        member = pick(archive.files, shapes, None, path)
        check_shape(shapes[archive.files.index(member)], np.dtype(np.uint8))
    return _load_array(path, member)
