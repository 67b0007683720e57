"""Sessions whose catalogues have moved: find them again near the session, or ask."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any

from glue.config import session_patch

from glue_zoobot.errors import CatalogueError

__all__ = ["find_moved_data"]

_LONGEST = 20  # folders of a lost path that may have moved with it
_LEVELS_UP = 2  # the session may lie in a folder of its own beside the data

#: Set by a window: asks the user where a file or folder is now, and says why what he showed before will not
#: do, if he did; None if he does not know.
ask: Callable[[Path, str], Path | None] | None = None


@session_patch()
def find_moved_data(session: dict[str, Any]) -> None:
    """
    Replace the paths of our datasets that are gone.

    By those of the same name near the session; else by what the user shows, beside which the others are
    looked for as well. With a window, only those that are the galaxies of the session. glue restores a
    session in the session's own folder, whole or not at all. Data of other readers, and whatever is still
    where it was, are left as they are.
    """
    from glue_zoobot.catalog.same_galaxies import factory_name  # only now: glue must start quickly

    here = Path.cwd()
    places = [here, *list(here.parents)[:_LEVELS_UP]]
    for name, record in session.items():
        if isinstance(record, dict) and str(record.get("_type", "")).endswith(".LoadLog"):
            ours = factory_name(record, session).startswith("glue_zoobot.")
            path = record.get("path")
            if ours and isinstance(path, str) and not _is_there(path):
                found = _find(path, places, partial(_why_not, session, name))
                if found is not None:
                    record["path"] = str(found)
                    _rename(session, name, path, found)


def _is_there(path: str | Path) -> bool:
    """Whether a source exists: all files of a pattern, or the catalogue that a cone is cut from."""
    from glue_zoobot.images.hats import CONE  # only now: glue must start quickly
    from glue_zoobot.images.tars import expand, is_pattern

    plain = str(path).partition(CONE)[0]
    try:
        return bool(expand(plain)) if is_pattern(plain) else Path(plain).exists()
    except (CatalogueError, OSError, ValueError):  # not all of them; or no name that a file can have
        return False


def _rename(session: dict[str, Any], log: str, lost: str, found: Path) -> None:
    from glue_zoobot.catalog.same_galaxies import rename_source  # only now: glue must start quickly

    rename_source(session, log, _parts(lost)[-1], found.name)


def _parts(path: str) -> tuple[str, ...]:
    return PureWindowsPath(path).parts if "\\" in path else Path(path).parts


def _why_not(session: dict[str, Any], log: str, found: Path) -> str:
    from glue_zoobot.catalog.same_galaxies import why_others  # only now: glue must start quickly

    return why_others(session, log, found)


def _find(path: str, places: list[Path], why_not: Callable[[Path], str]) -> Path | None:
    """Look nearby, and ask until what is shown will do; without a window what is nearby must do."""
    parts = _parts(path)
    found = _nearby(parts, places)
    if ask is None:
        return found
    problem = "" if found is None else why_not(found)
    while found is None or problem:
        found = ask(Path(*parts), problem)
        if found is None:
            error = CatalogueError(
                f"the session needs {path}, which is not there any more: put it back, or beside the session, "
                "and open the session again" + (f" ({problem})" if problem else "")
            )
            logging.getLogger(__name__).error("%s", error)  # glue shows it in a window only, and may end
            raise error
        problem = why_not(found)
        places += [] if problem else [found.parent]
    return found


def _nearby(parts: tuple[str, ...], places: list[Path]) -> Path | None:
    """Find the longest tail of a lost path that exists in one of the places."""
    candidates = (
        place.joinpath(*parts[start:])
        for start in range(max(1, len(parts) - _LONGEST), len(parts))
        for place in places
    )
    return next((candidate for candidate in candidates if _is_there(candidate)), None)
