"""Sessions with absolute paths whose folder has moved: find our data again near the session."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Any

from glue.config import session_patch

__all__ = ["find_moved_data"]

_LEVELS_UP = 2  # the session may lie in a folder of its own beside the data


@session_patch()
def find_moved_data(session: dict[str, Any]) -> None:
    """
    Replace the paths of our datasets that are gone by those of the same name near the session, if any.

    glue restores a session in the session's own folder, whole or not at all. Data of other readers, and
    whatever is still where it was, are left as they are.
    """
    factories = {
        name
        for name, record in session.items()
        if isinstance(record, dict) and str(record.get("function", "")).startswith("glue_zoobot.")
    }
    for record in session.values():
        if isinstance(record, dict) and str(record.get("_type", "")).endswith(".LoadLog"):
            factory = record.get("factory")
            ours = factory in factories if isinstance(factory, str) else "glue_zoobot." in str(factory)
            if ours and not Path(record["path"]).exists():
                record["path"] = str(_nearby(record["path"]) or record["path"])


def _nearby(path: str) -> Path | None:
    """Find the longest tail of a lost path that exists in or above the current folder."""
    parts = PureWindowsPath(path).parts if "\\" in path else Path(path).parts
    here = Path.cwd()
    places = [here, *list(here.parents)[:_LEVELS_UP]]
    candidates = (place.joinpath(*parts[start:]) for start in range(1, len(parts)) for place in places)
    return next((candidate for candidate in candidates if candidate.exists()), None)
