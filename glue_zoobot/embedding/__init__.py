"""The long job: a frozen plan, independent shards, a store that can be read while it grows."""

from glue_zoobot.embedding.job import run
from glue_zoobot.embedding.place import default_store
from glue_zoobot.embedding.plan import Plan
from glue_zoobot.embedding.progress import Progress
from glue_zoobot.embedding.store import EmbeddingStore, Status

__all__ = ["EmbeddingStore", "Plan", "Progress", "Status", "default_store", "run"]
