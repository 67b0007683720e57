"""What a dataset has already, and what another embedding would do to it, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glue_zoobot.errors import ZoobotError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data

    from glue_zoobot.embedding import EmbeddingStore

__all__ = ["embedded_already", "why_not"]


def embedded_already(data: Data, target: Path, encoder: str) -> str:
    """
    Say which embeddings a dataset has, and what a run would do; reads files, so not for the GUI thread.

    Parameters
    ----------
    data : Data
    target : Path
        Folder into which the run would write.
    encoder : str
        Name or path of the encoder that it would use.

    Returns
    -------
    str
        One or two sentences; empty if there is nothing yet.
    """
    from glue_zoobot.catalog.record import record_of, resolve

    known = record_of(data).get("store")
    present = _open(resolve(data, known)) if known else None
    there = _open(target)
    parts = []
    if present is not None:
        status = present.status()
        parts.append(
            f"{data.label} has embeddings already: {counted(status.embedded, 'galaxy')} "
            f"by {present.encoder_name}, in {present.path}."
        )
    if there is not None:
        parts.append(_into(there, _name_of(encoder)))
    elif present is not None:
        parts.append("Start makes another set, which is used from then on; the present one stays on disk.")
    return " ".join(parts)


def why_not(encoder: str, store: str) -> str:
    """
    Say why a run cannot start; reads files, so not for the GUI thread.

    Parameters
    ----------
    encoder : str
        Name or path.
    store : str
        Folder into which the run would write.

    Returns
    -------
    str
        Empty if nothing speaks against it.
    """
    from glue_zoobot.encoders import find

    if not store:
        return "Choose a folder to save the embeddings in."
    try:
        name = find(encoder).name
    except (ZoobotError, OSError) as error:
        return str(error)
    there = _open(Path(store))
    return _other_encoder(there, name) if there is not None else ""


def _other_encoder(store: EmbeddingStore, encoder: str) -> str:
    if store.encoder_name == encoder:
        return ""
    return f"The chosen folder holds embeddings by {store.encoder_name}: choose another for {encoder}."


def _into(store: EmbeddingStore, encoder: str) -> str:
    """Say what a run into an existing store would do."""
    status = store.status()
    other = _other_encoder(store, encoder)
    if other:
        return other
    missing = status.total - status.done
    if missing:
        return f"Start goes on with the {counted(missing, 'image')} still missing there."
    return "The chosen folder is complete: Start computes nothing anew and uses it."


def _open(path: Path) -> EmbeddingStore | None:
    from glue_zoobot.embedding import EmbeddingStore

    try:
        return EmbeddingStore.open(path)
    except (ZoobotError, OSError):
        return None


def _name_of(encoder: str) -> str:
    from glue_zoobot.encoders import find

    try:
        return find(encoder).name
    except (ZoobotError, OSError):
        return encoder
