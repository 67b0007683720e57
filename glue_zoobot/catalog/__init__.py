"""The bridge to glue-core: sources in, columns and subsets out. Knows no Qt."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glue_zoobot.catalog.columns import write_columns
    from glue_zoobot.catalog.embeddings import (
        RowEmbeddings,
        attach_embeddings,
        embeddings_of,
        why_no_embeddings,
    )
    from glue_zoobot.catalog.identity import object_ids_of
    from glue_zoobot.catalog.maps import add_map
    from glue_zoobot.catalog.pictures import Bands, RowImages, attach_images, images_of, source_of
    from glue_zoobot.catalog.reading import load
    from glue_zoobot.catalog.similar import SimilarGalaxies, similar_galaxies

__all__ = [
    "Bands",
    "RowEmbeddings",
    "RowImages",
    "SimilarGalaxies",
    "add_map",
    "attach_embeddings",
    "attach_images",
    "embeddings_of",
    "images_of",
    "load",
    "object_ids_of",
    "similar_galaxies",
    "source_of",
    "why_no_embeddings",
    "write_columns",
]

_MODULES = {
    "columns": ("write_columns",),
    "embeddings": ("RowEmbeddings", "attach_embeddings", "embeddings_of", "why_no_embeddings"),
    "identity": ("object_ids_of",),
    "maps": ("add_map",),
    "pictures": ("Bands", "RowImages", "attach_images", "images_of", "source_of"),
    "reading": ("load",),
    "similar": ("SimilarGalaxies", "similar_galaxies"),
}


def __getattr__(name: str) -> Any:
    """Import a module when the first of its names is asked for: glue starts with this package."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
