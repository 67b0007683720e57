"""Options that several verbs share, and how they become a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from glue_zoobot.images import SourceSpec

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A folder of images, a table with a path column, or a container: HDF5, Parquet, npy, npz, FITS.",
    ),
]
Store = Annotated[Path, typer.Argument(metavar="DIR", help="A store that `glue-zoobot embed` has made.")]
IdColumn = Annotated[str | None, typer.Option(help="Column with the galaxy's id; found by itself if usual.")]
ImageColumn = Annotated[str | None, typer.Option(help="Column with the image's path or bytes.")]
ImageRoot = Annotated[
    Path | None, typer.Option(help="Folder that paths are relative to, if not that of the table.")
]
Preset = Annotated[str, typer.Option(help="FITS pixels to colours: auto, legacy, sdss, euclid, asinh.")]
Bands = Annotated[
    str | None, typer.Option(help='One file per band: a pattern such as "{id}_{band}.fits:irg".')
]
Encoder = Annotated[
    str, typer.Option(help="A name from `glue-zoobot encoders`, a hub or timm name, a folder or a file.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Json = Annotated[bool, typer.Option("--json", help="Progress as JSON lines on standard output.")]
Output = Annotated[Path, typer.Option("-o", "--output", help=".parquet .csv .ecsv .fits or .vot")]


def source_spec(
    source: Path,
    id_column: str | None,
    image_column: str | None,
    image_root: Path | None,
    preset: str,
    bands: str | None,
) -> SourceSpec:
    """
    Collect what a user said of his catalogue.

    Returns
    -------
    SourceSpec
        For `glue_zoobot.images.open_catalogue`.
    """
    from glue_zoobot.images import SourceSpec

    return SourceSpec(
        path=str(source),
        id_column=id_column,
        image_column=image_column,
        image_root=None if image_root is None else str(image_root),
        preset=preset,
        bands=bands,
    )
