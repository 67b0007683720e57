"""Where a store goes when nobody says."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from glue_zoobot.folders import cache_folder


def default_store(source_path: str | Path, encoder_name: str) -> Path:
    """
    Folder for the embeddings of a source by an encoder.

    Parameters
    ----------
    source_path : str or Path
        Catalogue file, folder or container of images.
    encoder_name : str
        As in its `EncoderSpec`.

    Returns
    -------
    Path
        ``<source>.embeddings/<encoder>`` beside the source where one may write or a store already is,
        else a folder of the user's cache whose name holds a hash of the source's full path.
    """
    source = Path(source_path).expanduser().resolve()
    encoder = re.sub(r"[^\w.+-]+", "_", encoder_name).strip("._") or "encoder"
    beside = source.with_name(source.name + ".embeddings")
    writable = beside if beside.exists() else beside.parent
    if (beside / encoder / "manifest.json").exists() or os.access(writable, os.W_OK):
        return beside / encoder
    digest = hashlib.sha256(str(source).encode()).hexdigest()[:8]
    return cache_folder() / "embeddings" / f"{source.name}-{digest}" / encoder
