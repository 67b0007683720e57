"""What embeddings are good for: similarity, maps, anomalies, interest. Knows neither glue nor Qt."""

from importlib import import_module
from typing import Any

from glue_zoobot.analysis.labels import LabelLog
from glue_zoobot.analysis.similarity import SimilaritySearch

__all__ = [
    "GalaxyClassifier",
    "GalaxyRegressor",
    "GalaxyVotes",
    "InterestModel",
    "LabelLog",
    "SimilaritySearch",
    "anomaly_scores",
]

# Those that need scikit-learn are imported when they are first asked for.
_LATE = {
    "GalaxyClassifier": "classify",
    "GalaxyRegressor": "regress",
    "GalaxyVotes": "votes",
    "InterestModel": "interest",
    "anomaly_scores": "anomaly",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
