"""
What a dataset remembers about us: ``data.meta["glue_zoobot"]``.

Plain values only, so that glue saves them with the session. Paths are relative to the folder of the
file that the data came from, wherever that is now: a moved folder still finds its images and embeddings.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glue.core import Data

__all__ = [
    "KEY",
    "data_file",
    "load_origin",
    "record_of",
    "relative_to",
    "relative_to_data",
    "resolve",
    "update_record",
]

KEY = "glue_zoobot"
_KINDS = {
    **dict.fromkeys(("store", "id_column", "ratings"), str),
    **dict.fromkeys(("source", "columns", "teaching"), dict),
    **dict.fromkeys(("encoders", "ids", "notes"), list),
}
_MAX_STEPS_UP = 2  # a path further away than this is not part of what a user would move together


def record_of(data: Data) -> dict[str, Any]:
    """
    Return what is remembered about a dataset; do not change it.

    While a session is being restored, and after a merge, glue has not put the record back; then the one
    that the data's file gave when it was read stands in.
    """
    own = data.meta.get(KEY)
    if own is None:
        origin = load_origin(data)
        own = origin.meta.get(KEY) if origin is not None else None
    return _plain(own) if isinstance(own, dict) else {}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Entries that are what they should be; a session is a file that anybody may have written."""
    plain: dict[str, Any] = {
        key: value for key, value in record.items() if isinstance(value, _KINDS.get(key, object))
    }
    if "columns" in plain:
        plain["columns"] = {label: made for label, made in plain["columns"].items() if _is_column(made)}
    return plain


def _is_column(made: Any) -> bool:
    return isinstance(made, dict) and isinstance(made.get("uuid", ""), str)


def update_record(data: Data, **entries: Any) -> None:
    """
    Remember values under the given names, made plain.

    glue leaves a whole record out of the session if it finds one value in it that it cannot write.
    """
    record = {**record_of(data), **entries}
    data.meta[KEY] = json.loads(json.dumps(record, default=str))


def load_origin(data: Data) -> Data | None:
    """Return the dataset as its file gave it; a restored or merged one only shares its components."""
    log = _load_log(data)
    return next((origin for origin in log.data if origin.shape == data.shape), None) if log else None


def data_file(data: Data) -> Path | None:
    """Return the file or folder that a dataset was read from, where it is now; None if made in memory."""
    log = _load_log(data)
    return Path(log.path) if log is not None else None


def _load_log(data: Data) -> Any:
    """Return glue's note of the file, which after a session only the components carry."""
    if getattr(data, "_load_log", None) is not None:
        return data._load_log
    logs = [getattr(data.get_component(cid), "_load_log", None) for cid in data.main_components]
    return next((log for log in logs if log is not None), None)


def relative_to(path: str | Path, folder: Path) -> str:
    """Write a path relative to a folder if it is near it, else absolute."""
    absolute = os.path.abspath(path)  # noqa: PTH100  symbolic links are kept as the user sees them
    try:
        relative = Path(os.path.relpath(absolute, folder))
    except ValueError:  # another drive
        return absolute
    return relative.as_posix() if relative.parts.count("..") <= _MAX_STEPS_UP else absolute


def relative_to_data(data: Data, path: str | Path) -> str:
    """Write a path relative to the folder that the data's file is in."""
    file = data_file(data)
    return os.path.abspath(path) if file is None else relative_to(path, file.parent)  # noqa: PTH100


def resolve(data: Data, path: str) -> Path:
    """Inverse of `relative_to_data`, for the place where the data's file is now."""
    file = data_file(data)
    if file is None or Path(path).is_absolute():
        return Path(path)
    return Path(os.path.normpath(file.parent / path))
