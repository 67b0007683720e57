"""Where glue-zoobot keeps what can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """
    Folder for stores and samples that have no better place.

    ``GLUE_ZOOBOT_CACHE`` if that is set, else ``glue-zoobot`` in the cache folder of the platform.

    Returns
    -------
    Path
        It need not exist yet.
    """
    chosen = os.environ.get("GLUE_ZOOBOT_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "glue-zoobot"
