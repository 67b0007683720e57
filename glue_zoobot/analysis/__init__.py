"""What embeddings are good for: similarity and maps. Knows neither glue nor Qt."""

from glue_zoobot.analysis.similarity import SimilaritySearch

__all__ = ["SimilaritySearch"]
