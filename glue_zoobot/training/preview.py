"""A contact sheet: some galaxies, each augmentation alone, and views as the training sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional

from glue_zoobot.embedding.files import write_atomically
from glue_zoobot.encoders import EncoderSpec
from glue_zoobot.errors import EncoderError, ImageError
from glue_zoobot.images import Catalogue
from glue_zoobot.training.augment import NAMES, Augmentations, plain_view, random_view
from glue_zoobot.training.dust import catalogue_ebv
from glue_zoobot.training.fluxes import flux_reader
from glue_zoobot.training.galaxies import composite_of, frame_reader, frame_size
from glue_zoobot.training.loop import generator

__all__ = ["contact_sheet"]

CELL, GAP, HEAD = 96, 4, 28
FONT = 21  # pixels; the sheet is often shown at half its size
WHOLE, PLAIN, TOGETHER = "frame", "view", ("all", "all again")


def contact_sheet(
    catalogue: Catalogue,
    spec: EncoderSpec,
    augmentations: Augmentations,
    composite: str,
    path: str | Path,
    n: int = 6,
    seed: int = 0,
) -> Path:
    """
    Draw what the augmentations do to the first galaxies of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    spec : EncoderSpec
        Its input size and crop apply.
    augmentations : Augmentations
        Those that are switched off get no column.
    composite : str
        How pictures were made of fluxes, where the catalogue does not say.
    path : str or Path
        A picture file, ``.png`` or ``.jpg``.
    n, seed : int
        How many galaxies, and the seed of what is random.

    Returns
    -------
    Path

    Raises
    ------
    EncoderError
        If no picture can be read.
    """
    rows, frames = _first_frames(catalogue, spec, n)
    ebv = catalogue_ebv(catalogue.table)
    known = None if ebv is None else torch.tensor(ebv[rows], dtype=torch.float32)
    kind = composite_of(catalogue, composite)
    on = [name for name in NAMES if augmentations.only(name) != augmentations.only()]
    choices = {name: augmentations.only(name) for name in on} | dict.fromkeys(TOGETHER, augmentations)
    columns = {
        WHOLE: plain_view(frames, frames.shape[-1], 1.0, kind),
        PLAIN: plain_view(frames, spec.input_size, spec.crop, kind),
    }
    for number, (name, chosen) in enumerate(choices.items()):
        chance = generator("cpu", seed, number)
        columns[name] = random_view(frames, spec.input_size, spec.crop, kind, chosen, chance, known)
    return _draw(columns, [str(catalogue.source.object_ids[row]) for row in rows], Path(path))


def _first_frames(catalogue: Catalogue, spec: EncoderSpec, n: int) -> tuple[list[int], Tensor]:
    read = flux_reader(catalogue, frame_size(spec)) or frame_reader(catalogue, spec)
    rows, frames = [], []
    for row in range(len(catalogue.source)):
        try:
            frames.append(read(row))
        except (ImageError, EncoderError):
            continue
        rows.append(row)
        if len(rows) == n:
            break
    if not rows:
        raise EncoderError(f"no image of {catalogue.spec.path} can be read; `glue-zoobot check` says why")
    return rows, torch.stack(frames)


def _draw(columns: dict[str, Tensor], ids: Sequence[str], path: Path) -> Path:
    """Lay the pictures out, a column each, with its name above and the id of the galaxy in its frame."""
    step = CELL + GAP
    sheet = Image.new("RGB", (GAP + step * len(columns), HEAD + step * len(ids)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT)
    for x, (name, views) in enumerate(columns.items()):
        pen.text((GAP + x * step, 0), name, "black", font)
        cells = functional.interpolate(views, size=[CELL, CELL], mode="bilinear", antialias=True)
        for y, cell in enumerate((cells * 255).round().clamp(0, 255).byte()):
            sheet.paste(Image.fromarray(cell.permute(1, 2, 0).numpy()), (GAP + x * step, HEAD + y * step))
    for y, name in enumerate(ids):
        corner, text = (GAP + 3, HEAD + y * step + CELL - 3), _fitting(name, font)
        pen.text(corner, text, "white", font, anchor="ls", stroke_width=1, stroke_fill="black")
    kind = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    write_atomically(path, lambda temporary: sheet.save(temporary, kind))
    return path


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return as much of an id as fits into a cell: its end, where ids differ."""
    tails = (name, *("…" + name[k:] for k in range(1, len(name))))
    return next((tail for tail in tails if font.getlength(tail) <= CELL - 6), "")
