"""What is said of an answer below its pictures: of how many galaxies it is, and what has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import Data

__all__ = ["embedded", "outdated", "partial"]

_AGAIN = '<a href="again">Ask again</a>'


def embedded(data: Data) -> str:
    """Say how much of a dataset can be found, and what it is compared by."""
    from glue_zoobot.catalog import embeddings_of, why_no_embeddings

    embeddings = embeddings_of(data)
    if embeddings is None:
        return why_no_embeddings(data)
    if embeddings.growing:
        return f"{embeddings.so_far()}, with {embeddings.encoder_name}; more is taken in by itself."
    return (
        f"{len(embeddings):,} of {counted(data.size, 'galaxy')} of {data.label} embedded "
        f"with {embeddings.encoder_name}."
    )


def partial(data: Data) -> str:
    """How much was embedded when the answer was found, such as ``256 of 3,000``; empty if all was."""
    from glue_zoobot.catalog.columns import provenance_of
    from glue_zoobot.catalog.similar import RANK

    return str(provenance_of(data, RANK).get("so_far") or "").removesuffix(" embedded so far")


def outdated(data: Data) -> str:
    """Say that the answer was found with other embeddings than there are now; empty if it was not."""
    from glue_zoobot.catalog import embeddings_of
    from glue_zoobot.catalog.columns import provenance_of
    from glue_zoobot.catalog.similar import RANK

    embeddings, asked, part = embeddings_of(data), provenance_of(data, RANK).get("encoder"), partial(data)
    if embeddings is None or asked is None:
        return ""
    if asked != embeddings.encoder_name:
        now = f"{data.label} is embedded with {embeddings.encoder_name} now"
        return f"{now}; this answer is by {asked}. {_AGAIN}"
    if part and not embeddings.so_far().startswith(part):
        now = embeddings.so_far() or f"{len(embeddings):,} are embedded now"
        return f"{now}; this answer is of {part}. {_AGAIN}"
    return ""
