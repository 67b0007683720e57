"""Whether a store is what it says it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding.pipeline import embed_rows
from glue_zoobot.embedding.settings import batch_size
from glue_zoobot.embedding.shard import BROKEN, EMBEDDED, read_header, read_shard, vectors_of
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from glue_zoobot.embedding.store import EmbeddingStore

# Float16 storage and another device or thread count change a cosine by about 1e-6 in float32 and
# 1e-3 in bfloat16; another picture or network changes it by far more.
LOWEST_COSINE = 0.99


def damaged_shards(store: EmbeddingStore) -> list[str]:
    """
    Read every shard that is there to its end.

    Returns
    -------
    list of str
        One sentence for each shard that is damaged or belongs to something else; empty if all is well.
        Shards that are not there yet are no problem.
    """
    problems = []
    for shard in store.plan.shards:
        if not store.shard_path(shard).exists():
            continue
        try:
            read_header(store.shard_path(shard))
            if store.header(shard) is None:
                raise StoreError(
                    f"The shard {store.shard_path(shard)} belongs to another plan, encoder or precision. "
                    "Run again to make it anew."
                )
            _check_contents(store, shard)
        except StoreError as error:
            problems.append(str(error))
    return problems


def _check_contents(store: EmbeddingStore, shard: int) -> None:
    table = read_shard(store.shard_path(shard))
    path = store.shard_path(shard)
    ids = store.plan.shard_ids(shard)
    outcomes = np.where(table["embedding"].is_valid().to_numpy(), EMBEDDED, BROKEN)
    sound = {
        "other galaxies than the plan": np.array_equal(table["object_id"].to_numpy(), ids),
        "outcomes that do not fit its embeddings": np.array_equal(table["outcome"].to_numpy(), outcomes),
        "values that are not finite": bool(np.isfinite(vectors_of(table)).all()),
    }
    for complaint, holds in sound.items():
        if not holds:
            raise StoreError(f"The shard {path} holds {complaint}. Delete this file and run again.")


@dataclass(frozen=True)
class Agreement:
    """
    How well recomputed embeddings agree with the stored ones.

    Attributes
    ----------
    object_ids : tuple of str
        The galaxies that were recomputed.
    cosines : tuple of float
        Cosine between stored and recomputed embedding; NaN where the image is broken now.
    """

    object_ids: tuple[str, ...]
    cosines: tuple[float, ...]

    def problems(self) -> list[str]:
        """One sentence for each galaxy that does not agree."""
        pairs = zip(self.object_ids, self.cosines, strict=True)
        return [
            f"{object_id}: its image can no longer be read"
            if np.isnan(cosine)
            else f"{object_id}: recomputed embedding has cosine {cosine:.4f} with the stored one"
            for object_id, cosine in pairs
            if not cosine >= LOWEST_COSINE
        ]

    def text(self) -> str:
        """The result in a sentence."""
        if not self.object_ids:
            return "no embedding to recompute"
        good = [cosine for cosine in self.cosines if not np.isnan(cosine)]
        lowest = f", lowest cosine {min(good):.5f}" if good else ""
        return f"{len(self.object_ids)} galaxies recomputed, {len(self.problems())} disagree{lowest}"


def recompute_sample(
    store: EmbeddingStore, source: Any, encoder: Any, size: int = 32, random_state: int = 0
) -> Agreement:
    """
    Embed a random sample again and compare.

    Parameters
    ----------
    store : EmbeddingStore
    source : ImageSource
    encoder : Encoder
        The store's own; on whichever device.
    size : int
        Galaxies to recompute.
    random_state : int
        Seed of the choice.

    Raises
    ------
    StoreError
        The encoder is not the store's, or the source lacks a galaxy.
    """
    from glue_zoobot.embedding.matching import match

    store.require_encoder(encoder.spec)
    chosen = _choose(store, size, np.random.default_rng(random_state))
    rows_of = match(store.plan, source, chosen)
    ids, stored, rows = [], [], []
    for shard, positions in chosen.items():
        table = read_shard(store.shard_path(shard), ["object_id", "embedding"])
        there = np.flatnonzero(table["embedding"].is_valid().to_numpy())[positions]
        ids += table["object_id"].to_numpy()[there].tolist()
        stored += list(vectors_of(table)[positions].astype(np.float32))
        rows += rows_of(shard)[there].tolist()
    if encoder.precision != store.precision:
        encoder.set_precision(store.precision)
    fresh = [
        vector
        for batch in embed_rows(source, rows, encoder, batch_size(store, encoder))
        for vector in batch.vectors
    ]
    cosines = tuple(_cosine(one, other) for one, other in zip(stored, fresh, strict=True))
    return Agreement(tuple(ids), cosines)


def _choose(store: EmbeddingStore, size: int, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """Draw embedded galaxies: for each shard that has some of them, which of its embeddings."""
    shards = store.done()
    ends = np.cumsum([header.embedded for shard in shards if (header := store.header(shard))], dtype=int)
    total = int(ends[-1]) if len(ends) else 0
    drawn = np.sort(rng.choice(total, min(size, total), replace=False))
    which = np.searchsorted(ends, drawn, side="right")
    starts = np.concatenate([[0], ends])
    return {shards[i]: drawn[which == i] - starts[i] for i in np.unique(which)}


def _cosine(stored: np.ndarray, fresh: np.ndarray | None) -> float:
    if fresh is None:
        return float("nan")
    fresh = fresh.astype(np.float32)
    lengths = np.linalg.norm(stored) * np.linalg.norm(fresh)
    return float(stored @ fresh / lengths) if lengths else float(np.array_equal(stored, fresh))
