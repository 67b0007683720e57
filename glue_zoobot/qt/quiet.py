"""Without a display, Qt says with every window that it cannot hint at sizes; nobody needs to read that."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from qtpy import QtCore, QtGui

__all__ = ["silence_offscreen"]

_NOISE = "propagateSizeHints"


@cache  # once per process
def silence_offscreen() -> None:
    """Drop that one message where windows are drawn offscreen; everything else is passed on."""
    if QtGui.QGuiApplication.platformName() != "offscreen":
        return
    before: Any = None

    def pass_on(kind: Any, context: Any, message: str) -> None:
        if _NOISE in message:
            return
        if before is not None:
            before(kind, context, message)
        else:
            sys.stderr.write(f"{message}\n")

    before = QtCore.qInstallMessageHandler(pass_on)
