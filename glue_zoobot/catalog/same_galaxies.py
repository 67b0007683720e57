"""Whether a catalogue that was found for a session is the one that the session was saved with."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.catalog.record import KEY
from glue_zoobot.errors import ZoobotError
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from glue.core import Data

__all__ = ["factory_name", "rename_source", "sample_of_ids", "why_others"]

_SAMPLE = 50  # ids that a session keeps, so that it knows its galaxies again
_ENOUGH = 0.5  # of them; rows may have been added and removed since
_TEXT = "st__"  # before every text that glue writes


def sample_of_ids(ids: np.ndarray) -> list[str]:
    """Ids spread over a catalogue, at most fifty of `ids` (N,), for the session to keep."""
    places = np.unique(np.linspace(0, len(ids) - 1, _SAMPLE).astype(int)) if len(ids) else np.arange(0)
    return [str(ids[place]) for place in places]


def why_others(session: dict[str, Any], log: str, path: Path) -> str:
    """
    Say why a file or folder cannot stand in for the one that a session was saved with; empty if it can.

    Reads it.

    Parameters
    ----------
    session : dict
        What glue saved, as it is in the file.
    log : str
        Name in it of glue's note of the file.
    path : Path
    """
    from glue_zoobot.catalog.identity import object_ids_of

    record = session[log]
    name = factory_name(record, session)
    read = next((reader for reader in _readers() if name == f"{reader.__module__}.{reader.__name__}"), None)
    if read is None:  # a session may say anything; nothing else is called by its word
        return f"{name} is no reader of glue-zoobot"
    saved = [one for one in session.values() if _is_from(one, log, session)]
    try:
        data = read(str(path), **dict(*record.get("kwargs", [[]])))
    except (ZoobotError, OSError, ValueError) as error:
        return str(error)
    known = {name for one in saved for name in _ids(one, session)}
    there = len(known.intersection(object_ids_of(data).tolist()))
    if there < _ENOUGH * len(known):
        some = " of those looked for" if len(known) >= _SAMPLE else ""
        return f"these are other galaxies: {there} of {len(known)} ids of the session{some} are in {path}"
    for rows in (rows for one in saved for rows in _rows(one, session)):
        if rows != data.size:
            return (
                f"this is not the catalogue of the session: {path} has {counted(data.size, 'galaxy')}, "
                f"and the session was saved with {rows:,}"
            )
    return ""


def _readers() -> tuple[Callable[..., Data], ...]:
    from glue_zoobot.catalog.factories import read_images, read_plain_table
    from glue_zoobot.catalog.hats import read_hats

    return read_images, read_plain_table, read_hats


def factory_name(record: dict[str, Any], session: dict[str, Any]) -> str:
    """Name, with its module, of the function that glue's note of a file says to read it with; else empty."""
    factory = record.get("factory")
    factory = session.get(factory) if isinstance(factory, str) else factory
    return str(factory.get("function", "")) if isinstance(factory, dict) else ""


def rename_source(session: dict[str, Any], log: str, before: str, now: str) -> None:
    """
    Let the images of a dataset be in the file or folder that took the place of another.

    Parameters
    ----------
    session : dict
        What glue saved; changed.
    log : str
        Name in it of glue's note of the file.
    before, now : str
        Name of the file or folder, without those that it is in.
    """
    for data in [one for one in session.values() if _is_from(one, log, session)]:
        source = _entry(data, session, "source")
        path = source.get("contents", {}) if isinstance(source, dict) else {}
        if path.get(f"{_TEXT}path") == _TEXT + before:
            path[f"{_TEXT}path"] = _TEXT + now


def _components(data: dict[str, Any], session: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, name in data["components"]:
        component = session.get(name) if isinstance(name, str) else name
        if isinstance(component, dict):
            yield component


def _is_from(record: Any, log: str, session: dict[str, Any]) -> bool:
    """Whether a record of a session is a dataset with columns of a file."""
    return (
        isinstance(record, dict)
        and str(record.get("_type", "")).endswith(".Data")
        and any(component.get("log") == log for component in _components(record, session))
    )


def _entry(data: dict[str, Any], session: dict[str, Any], *names: str) -> Any:
    """What a dataset remembers under these names, each in what the one before it names; None if nothing."""
    found: Any = data.get("meta")
    for name in (KEY, *names):
        found = found.get("contents", {}).get(_TEXT + name) if isinstance(found, dict) else None
        found = session.get(found, found) if isinstance(found, str) else found
    return found


def _ids(data: dict[str, Any], session: dict[str, Any]) -> list[str]:
    """Ids that were kept; none in a session of an older version."""
    ids = _entry(data, session, "ids")
    return [str(name).removeprefix(_TEXT) for name in ids] if isinstance(ids, list) else []


def _rows(data: dict[str, Any], session: dict[str, Any]) -> Iterator[int]:
    """Rows of the columns that the session itself holds: glue opens it with just as many."""
    for component in _components(data, session):
        array = component.get("data")
        array = session.get(array) if isinstance(array, str) else array
        if isinstance(array, dict) and isinstance(array.get("data"), str):
            with io.BytesIO(base64.b64decode(array["data"])) as file:
                yield len(np.load(file, allow_pickle=False))
