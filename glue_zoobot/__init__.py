"""Look-alikes, rare objects and new classes among galaxy images, in linked glue views."""

__version__ = "0.1.0"

__all__ = ["__version__", "setup"]


def setup() -> None:
    """
    Register loaders with glue; glue calls this when it starts.

    Safe to call more than once. Imports neither torch nor Qt.
    """
    from glue_zoobot.catalog import factories  # noqa: F401  registration happens at import, once
