"""The one place that writes results into a glue dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core.component import CategoricalComponent, Component
from glue.core.message import ComponentsChangedMessage

from glue_zoobot.catalog.record import record_of, update_record
from glue_zoobot.errors import AnalysisError

if TYPE_CHECKING:
    from glue.core import ComponentID, Data

__all__ = ["free_number", "our_columns", "provenance_of", "write_columns"]


def write_columns(
    data: Data, columns: Mapping[str, np.ndarray], provenance: Mapping[str, Any] | None = None
) -> dict[str, ComponentID]:
    """
    Add columns of ours, or give new values to those we wrote before, in one round of messages.

    A column of the user's with the same label stays untouched; ours then gets a number behind its label.

    Parameters
    ----------
    data : Data
        N rows.
    columns : mapping of str to np.ndarray
        Label to numbers, shape (N,), stored as float32 copies; or to text, which becomes categories.
    provenance : mapping, optional
        How they were made, in plain values; remembered in ``data.meta`` for each of them.

    Returns
    -------
    dict of str to ComponentID
        The columns under the labels that were asked for.

    Raises
    ------
    AnalysisError
        If a column does not have one value per row.
    """
    arrays = {label: _as_stored(values) for label, values in columns.items()}
    for label, values in arrays.items():
        if values.shape != data.shape:
            raise AnalysisError(
                f"column {label!r} has shape {values.shape}, but {data.label} has {data.shape}"
            )
    ours = {
        label: cid for label, cid in our_columns(data).items() if _same_kind(data, cid, arrays.get(label))
    }
    with _one_round(data):
        written = {
            label: ours[label]
            if label in ours
            else data.add_component(_component(values), _own_label(data, label))
            for label, values in arrays.items()
        }
        changed = {ours[label]: values for label, values in arrays.items() if label in ours}
        if changed:
            _update(data, changed)
    _remember(data, written, provenance or {})
    if changed:
        _refresh_subsets(data)
    return written


def our_columns(data: Data) -> dict[str, ComponentID]:
    """Return the columns that we wrote and that are still there, by the labels they were asked for."""
    by_uuid = {cid.uuid: cid for cid in data.main_components}
    known = record_of(data).get("columns", {})
    return {label: by_uuid[entry["uuid"]] for label, entry in known.items() if entry.get("uuid") in by_uuid}


def provenance_of(data: Data, label: str) -> dict[str, Any]:
    """Return how a column of ours was made; empty if it is not ours."""
    return dict(record_of(data).get("columns", {}).get(label, {}))


def free_number(data: Data, *patterns: str, start: int = 1) -> int:
    """Return the first number that makes labels of patterns such as ``map_{}_x`` that were never used."""
    taken = {cid.label for cid in data.components} | set(our_columns(data))
    number = start
    while taken & {pattern.format(number) for pattern in patterns}:
        number += 1
    return number


def _as_stored(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values.astype(str) if values.dtype.kind in "UO" else values.astype(np.float32)


def _component(values: np.ndarray) -> Component:
    return CategoricalComponent(values) if values.dtype.kind == "U" else Component(values)


def _same_kind(data: Data, cid: ComponentID, values: np.ndarray | None) -> bool:
    """Tell whether a column can take new values: glue does not let text become numbers."""
    categorical = isinstance(data.get_component(cid), CategoricalComponent)
    return values is not None and categorical == (values.dtype.kind == "U")


def _update(data: Data, changed: Mapping[ComponentID, np.ndarray]) -> None:
    """Give columns new values; categories that are there keep their codes, by which glue selects them."""
    for cid, values in changed.items():
        if values.dtype.kind == "U":
            component = data.get_component(cid)
            known = list(component.categories)
            new = [name for name in np.unique(values) if name not in known]
            # Not by update_components, which would strip the categories off.
            component._data = CategoricalComponent(values, categories=known + new).data
    data.update_components({cid: values for cid, values in changed.items() if values.dtype.kind != "U"})


def _own_label(data: Data, label: str) -> str:
    """Return `label`, with a number behind it if a column of the user's is called so."""
    if label not in {cid.label for cid in data.components}:
        return label
    return f"{label}_{free_number(data, label + '_{}', start=2)}"


@contextmanager
def _one_round(data: Data) -> Iterator[None]:
    """Hold back glue's messages until all columns are there, and say once that there are new ones."""
    if data.hub is None:
        yield
        return
    before = len(data.components)
    with data.hub.delay_callbacks():
        with data.hub.ignore_callbacks(ComponentsChangedMessage):  # every list of columns fills anew at each
            yield
        if len(data.components) != before:
            data.hub.broadcast(ComponentsChangedMessage(data))


def _remember(data: Data, written: dict[str, ComponentID], provenance: Mapping[str, Any]) -> None:
    entries = {label: {**provenance, "uuid": cid.uuid} for label, cid in written.items()}
    update_record(data, columns={**record_of(data).get("columns", {}), **entries})


def _refresh_subsets(data: Data) -> None:
    """Tell every subset that its members may have changed; glue itself forgets those with cached masks."""
    groups = {id(subset.group): subset.group for subset in data.subsets if hasattr(subset, "group")}
    for group in groups.values():
        group.broadcast("subset_state")
