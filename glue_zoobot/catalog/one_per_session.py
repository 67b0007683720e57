"""States that all windows of a session share, and that end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from echo import CallbackProperty

if TYPE_CHECKING:
    from glue.core import DataCollection

__all__ = ["dataset_property", "one_per_session"]


class _SessionState(Protocol):
    """What a state needs to belong to a session."""

    def __init__(self, data_collection: DataCollection) -> None: ...

    def take_up(self) -> None: ...


_State = TypeVar("_State", bound=_SessionState)


def one_per_session(kind: type[_State], data_collection: DataCollection) -> _State:
    """
    Return the state of a kind that belongs to a data collection, made when it is first asked for.

    Parameters
    ----------
    kind : type
        Made of the data collection alone; its ``take_up()`` finds what a restored session brought.
    data_collection : DataCollection
        Keeps the state itself: a table of ours would keep closed sessions alive.
    """
    name = f"_zoobot_{kind.__name__}"
    if not hasattr(data_collection, name):
        setattr(data_collection, name, kind(data_collection))
    state: _State = getattr(data_collection, name)
    state.take_up()
    return state


def dataset_property(docstring: str) -> CallbackProperty:
    """
    Return a callback property that holds a dataset, or None.

    It is kept in the instance: echo keeps values in a table of the class, from which a dataset, through its
    hub, would keep the state and so itself alive when the session is closed.
    """
    return CallbackProperty(
        docstring=docstring,
        getter=lambda state: state.__dict__.get("_data"),
        setter=lambda state, data: state.__dict__.update(_data=data),
    )
