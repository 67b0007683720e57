"""
How the network computes: precision and batch size, chosen once per store and kept.

Precision, since embeddings of two precisions must not be compared. Batch size, since a library may
choose another kernel for another size, with other last digits: a run that was interrupted gives the
same numbers as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from glue_zoobot.embedding.store import EmbeddingStore
from glue_zoobot.errors import EncoderError, ImageError

if TYPE_CHECKING:
    import torch

# Images on which a reduced precision must keep the neighbours.
TRIAL_IMAGES = 128
# With fewer galaxies the trial of a precision, or of batch sizes, costs more time than it saves.
WORTH_A_TRIAL = 500
WORTH_A_PROBE = 4000
UNTRIED_BATCH_SIZE = {"cpu": 8, "gpu": 128}


def settle(store: EmbeddingStore, source: Any, rows: Iterable[int], encoder: Any) -> None:
    """
    Choose what a store's manifest leaves open, on the first images, and set the encoder to it.

    Parameters
    ----------
    store : EmbeddingStore
        Its manifest records the choice.
    source : ImageSource
    rows : iterable of int
        Rows of the source in plan order; the first of them are tried.
    encoder : Encoder
        Is set to the store's precision.
    """
    if store.precision is None:
        worth_a_trial = store.plan.n >= WORTH_A_TRIAL
        store.adopt("precision", _try_precision(source, rows, encoder) if worth_a_trial else "float32")
    if encoder.precision != store.precision:
        encoder.set_precision(store.precision)
    key = f"batch_size_{device_kind(encoder)}"
    if store.plan.n >= WORTH_A_PROBE and key not in store.manifest:
        from glue_zoobot.encoders import probe_batch_size

        store.adopt(key, probe_batch_size(encoder))


def batch_size(store: EmbeddingStore, encoder: Any) -> int:
    """Batch size of a store on an encoder's kind of device."""
    kind = device_kind(encoder)
    return int(store.manifest.get(f"batch_size_{kind}", UNTRIED_BATCH_SIZE[kind]))


def device_kind(encoder: Any) -> str:
    """``cpu`` or ``gpu``."""
    return "cpu" if str(encoder.device) == "cpu" else "gpu"


def _try_precision(source: Any, rows: Iterable[int], encoder: Any) -> str:
    from glue_zoobot.encoders import choose_precision

    encoder.set_precision("float32")
    return choose_precision(encoder, list(islice(_resized(source, rows, encoder), TRIAL_IMAGES)))


def _resized(source: Any, rows: Iterable[int], encoder: Any) -> Iterator[torch.Tensor]:
    for row in rows:
        try:
            yield encoder.resize(source.read(int(row)))
        except (ImageError, EncoderError):
            continue
