"""
How the network computes: precision and batch size, chosen once per store and kept.

Precision, since embeddings of two precisions must not be compared. Batch size, since a library may
choose another kernel for another size, with other last digits: a run that was interrupted gives the
same numbers as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from glue_zoobot.embedding.store import EmbeddingStore
from glue_zoobot.errors import ImageError

# Images on which a reduced precision must keep the neighbours.
TRIAL_IMAGES = 128
# With fewer galaxies the trials cost more time than they save.
WORTH_A_TRIAL = 1000
UNTRIED_BATCH_SIZE = {"cpu": 8, "gpu": 128}


def settle(store: EmbeddingStore, source: Any, rows: np.ndarray, encoder: Any) -> None:
    """
    Choose what a store's manifest leaves open, on the first images, and set the encoder to it.

    Parameters
    ----------
    store : EmbeddingStore
        Its manifest records the choice.
    source : ImageSource
    rows : ndarray of int64, shape (N,)
        Rows of the source in plan order.
    encoder : Encoder
        Is set to the store's precision.
    """
    worth = len(rows) >= WORTH_A_TRIAL
    if store.precision is None:
        store.adopt("precision", _trial_precision(source, rows, encoder) if worth else "float32")
    if encoder.precision != store.precision:
        encoder.set_precision(store.precision)
    key = f"batch_size_{device_kind(encoder)}"
    if worth and key not in store.manifest:
        from glue_zoobot.encoders import probe_batch_size

        store.adopt(key, probe_batch_size(encoder))


def batch_size(store: EmbeddingStore, encoder: Any) -> int:
    """Batch size of a store on an encoder's kind of device."""
    kind = device_kind(encoder)
    return int(store.manifest.get(f"batch_size_{kind}", UNTRIED_BATCH_SIZE[kind]))


def device_kind(encoder: Any) -> str:
    """``cpu`` or ``gpu``."""
    return "cpu" if str(encoder.device) == "cpu" else "gpu"


def _trial_precision(source: Any, rows: np.ndarray, encoder: Any) -> str:
    from glue_zoobot.encoders import choose_precision

    encoder.set_precision("float32")
    return choose_precision(encoder, list(islice(_readable(source, rows), TRIAL_IMAGES)))


def _readable(source: Any, rows: np.ndarray) -> Iterator[np.ndarray]:
    for row in rows:
        try:
            yield source.read(int(row))
        except ImageError:
            continue
