"""
One hierarchy of errors.

A message says what happened, to which file or galaxy, and what to do next.
"""

from __future__ import annotations


class ZoobotError(Exception):
    """Anything that glue-zoobot reports to its user; catch this to catch them all."""


class CatalogueError(ZoobotError):
    """A catalogue or image container cannot be opened or understood."""


class ImageError(ZoobotError):
    """
    One galaxy's picture cannot be read. Recorded for that galaxy; never ends a run.

    Parameters
    ----------
    object_id : str
        The galaxy.
    reason : str
        Why, in words that a user can act on.
    """

    def __init__(self, object_id: str, reason: str) -> None:
        super().__init__(object_id, reason)
        self.object_id = object_id
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.object_id}: {self.reason}"


class EncoderError(ZoobotError):
    """An encoder is unknown, its weights are not to be had, or they do not fit."""


class StoreError(ZoobotError):
    """An embedding store is missing, damaged, or belongs to another catalogue or encoder."""


class AnalysisError(ZoobotError):
    """A question that the embeddings at hand cannot answer."""
