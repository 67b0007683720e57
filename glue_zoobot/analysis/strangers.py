"""What is said when a table is of other galaxies altogether."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["strangers"]

_SETTLED = ("", "column 'object_id'")  # then another column would not help


def strangers(
    names: Iterable[str], what: str, ours: Iterable[str], where: str, noun: str, path: str, ids_from: str
) -> str:
    """
    Say that none of some galaxies is among others, and how both are called.

    Parameters
    ----------
    names : iterable of str
        Ids of the galaxies in the table.
    what : str
        How many these are, such as ``200 labelled galaxies``.
    ours : iterable of str
        Ids that they were looked for among.
    where : str
        How many these are, such as ``1,500 galaxies here``.
    noun : str
        What the table holds, such as ``labels``.
    path, ids_from : str
        Its file, and what in it named the galaxies; empty where that is not known.
    """
    first = next((name for name in ours if name), "none")
    of, by = f" of {path}" if path else "", f", by {ids_from}" if ids_from else ""
    theirs = f"{next(iter(names), 'none')} …{by}"
    text = f"none of the {what}{of} ({theirs}) is among the {where} ({first} …)"
    hint = "" if ids_from in _SETTLED else " If their ids are in another column, call it object_id."
    return f"{text}; are these {noun} of another catalogue?{hint}"
