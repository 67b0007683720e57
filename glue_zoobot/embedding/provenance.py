"""What a result must know of the embeddings that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glue_zoobot.embedding.store import EmbeddingStore

__all__ = ["provenance"]


def provenance(store: EmbeddingStore) -> dict[str, str]:
    """Encoder, weights, preprocessing, catalogue and versions of a store, as a table or a head keeps them."""
    manifest = store.manifest
    encoder = manifest["encoder"]
    return {
        "encoder": str(encoder["name"]),
        "weights_sha256": str(encoder["sha256"]),
        "preprocessing_hash": str(encoder["preprocessing_hash"]),
        "precision": str(store.precision),
        "catalogue_plan": str(manifest["catalogue"]["plan"]),
        **{f"version_{name}": str(number) for name, number in manifest["versions"].items()},
    }
