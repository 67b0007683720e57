"""The bridge to glue-core: sources in, columns and subsets out. Knows no Qt."""

from glue_zoobot.catalog.columns import write_columns
from glue_zoobot.catalog.embeddings import (
    RowEmbeddings,
    attach_embeddings,
    embeddings_of,
    why_no_embeddings,
)
from glue_zoobot.catalog.factories import load
from glue_zoobot.catalog.identity import object_ids_of
from glue_zoobot.catalog.maps import add_map
from glue_zoobot.catalog.pictures import RowImages, attach_images, images_of, source_of
from glue_zoobot.catalog.similar import SimilarGalaxies, similar_galaxies

__all__ = [
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
