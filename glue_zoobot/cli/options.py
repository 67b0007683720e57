"""Options that several verbs share, and what is done with them before the work starts."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glue_zoobot.errors import CatalogueError, StoreError

if TYPE_CHECKING:
    from glue_zoobot.images import SourceSpec


def find_store(path: Path) -> Path:
    """
    Find the store that a user means: its folder, or the only one in ``SOURCE.embeddings``, or of SOURCE.

    Raises
    ------
    StoreError
        If there are several.
    """
    if (path / "manifest.json").is_file():
        return path
    for folder in (path, path.with_name(path.name + ".embeddings")):
        stores = sorted(str(manifest.parent) for manifest in folder.glob("*/manifest.json"))
        if len(stores) > 1:
            raise StoreError(f"{folder} holds {len(stores)} stores; name one: {', '.join(stores)}")
        if stores:
            return Path(stores[0])
    return path


def ready_file(path: Path) -> Path:
    """Make sure that a result can be written, before the work starts; see `ready_folder`."""
    if path.is_dir():
        raise CatalogueError(f"{path} is a folder; give the name of a file in it")
    ready_folder(path.parent)
    return path


def ready_folder(folder: Path) -> None:
    """
    Make the folder of a result, and say so, where it is missing.

    Raises
    ------
    CatalogueError
        If it cannot be made or written into.
    """
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            typer.echo(f"Made the folder {folder}")
        reason = "" if os.access(folder, os.W_OK) else "no permission"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise CatalogueError(f"results cannot be written to the folder {folder} ({reason}); choose another")


Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A folder of images, a table with a path column, or a container: HDF5, Parquet, npy, npz, FITS, "
        "zip, tar (several: data-{000..099}.tar).",
    ),
]
Store = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        callback=find_store,
        help="The folder of embeddings that `embed` or `open` has made; or SOURCE.embeddings.",
    ),
]
Target = Annotated[str, typer.Option(help="The column with classes or numbers, or the log's target.")]
LabelKind = Annotated[
    str | None,
    typer.Option(
        help="classes, number or redshift.", show_default="as the labels look, and a redshift by its name"
    ),
]
Device = Annotated[str, typer.Option(help="Where the network runs: auto, cpu, cuda, cuda:1, mps.")]
Json = Annotated[bool, typer.Option("--json", help="Progress as JSON lines on standard output.")]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", callback=ready_file, help="The table to write: .parquet .csv .ecsv .fits or .vot"
    ),
]

_BY_NAME = "found by its usual names"
IdColumn = Annotated[str | None, typer.Option(help="Column with the galaxy's id.", show_default=_BY_NAME)]
Size = Annotated[
    str | None, typer.Option(help="Side of the cutouts: 30arcsec.", show_default="by --size-column")
]
SizeColumn = Annotated[str | None, typer.Option(help="Column with a radius in arcsec.", show_default="none")]
SizeFactor = Annotated[
    float | None, typer.Option(help="How many of these radii the side is.", show_default="4")
]

#: Parameter of a verb that `with_images` fills: makes a source specification of SOURCE.
Images = Callable[[Path], "SourceSpec"]


def _images(
    id_column: IdColumn = None,
    image_column: Annotated[
        str | None, typer.Option(help="Column with the image's path or bytes.", show_default=_BY_NAME)
    ] = None,
    image_root: Annotated[
        Path | None,
        typer.Option(help="Folder that the paths of a table start from.", show_default="that of the table"),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="FITS pixels to colours: auto, legacy, sdss, euclid, asinh.")
    ] = "auto",
    bands: Annotated[
        str | None,
        typer.Option(
            help='FITS bands, then those for red, green, blue: "{id}_{band}.fits:irg" where each band has a '
            'file, "grz:zrg" for cubes.',
            show_default="found by the names of the files and by their headers",
        ),
    ] = None,
    mosaic: Annotated[
        str | None,
        typer.Option(
            help='Cut the galaxies of the table out of these tiles: "tiles/*.fits", or '
            '"tiles/*_{band}.fits:irg" where each band has files.',
            show_default="none",
        ),
    ] = None,
    size: Size = None,
    size_column: SizeColumn = None,
    size_factor: SizeFactor = None,
    position: Annotated[
        str | None,
        typer.Option(
            help='Columns of right ascension and declination: "RA,DEC", "ra:hours,dec".',
            show_default=_BY_NAME,
        ),
    ] = None,
) -> None:
    """Options of `with_images`."""


def with_images(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options that say how images are found; it takes them as `images`."""
    own = inspect.signature(verb, eval_str=True)
    said = inspect.signature(_images, eval_str=True).parameters
    extra = {name: p.replace(kind=p.KEYWORD_ONLY) for name, p in said.items()}
    kept = [p for p in own.parameters.values() if p.name != "images"]

    @wraps(verb)
    def wrapped(**values: Any) -> None:
        images = partial(source_spec, **{name: values[name] for name in extra})
        verb(**{p.name: values[p.name] for p in kept}, images=images)

    del wrapped.__wrapped__  # typer would look at the options of the verb itself
    parameters = [*kept, *extra.values()]
    wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def source_spec(source: Path, image_root: Path | None = None, **said: Any) -> SourceSpec:
    """
    Collect what a user said of his catalogue.

    Returns
    -------
    SourceSpec
        For `glue_zoobot.images.open_catalogue`.
    """
    from glue_zoobot.images import SourceSpec

    if (source / "manifest.json").is_file():
        raise CatalogueError(f"{source} holds embeddings; name the images that they were made of")
    return SourceSpec(str(source), image_root=None if image_root is None else str(image_root), **said)
