"""What the status bars of viewers say of the present answer."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glue_qt.app import GlueApplication

__all__ = ["replace_status"]


def replace_status(application: GlueApplication, before: str, now: str) -> None:
    """Let every viewer that says `before` say `now`; what else viewers say is theirs."""
    for viewer in chain(*application.viewers):
        if viewer.statusBar().currentMessage() == before:
            viewer.set_status(now)
