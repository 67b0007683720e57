"""When a session is opened: ask for a moved catalogue, say what else is missing, and show its panels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glue.config import session_patch
from qtpy import QtCore, QtWidgets

from glue_zoobot.catalog import moved

__all__ = ["look_when_restored"]

_AFTER = 300  # ms; glue restores a session before its event loop goes on


@session_patch(priority=-1)
def look_when_restored(session: dict[str, Any]) -> None:
    """Have a look at what the datasets refer to, once the session is open."""
    if QtWidgets.QApplication.instance() is not None:
        QtCore.QTimer.singleShot(_AFTER, _look)


def _look() -> None:
    from glue_zoobot.qt.interest.panel import show_restored_ranking
    from glue_zoobot.qt.missing_dialog import tell_what_is_missing
    from glue_zoobot.qt.similar.panel import show_restored_answer
    from glue_zoobot.qt.small_screen import let_titles_be_cut
    from glue_zoobot.qt.teach.panel import show_restored_teaching

    for window in QtWidgets.QApplication.topLevelWidgets():
        if hasattr(window, "data_collection") and window.app is not None:  # not closed
            let_titles_be_cut(window)
            tell_what_is_missing(window)
            show_restored_answer(window)
            show_restored_ranking(window)
            show_restored_teaching(window)


def _ask_for(lost: Path, problem: str) -> Path | None:
    """Ask where a catalogue is that a session needs: glue opens it whole or not at all."""
    if QtWidgets.QApplication.instance() is None:
        return None
    if problem and not _again(lost, problem):
        return None
    title, dialog = f"The session needs {lost.name}, which has moved: where is it?", QtWidgets.QFileDialog
    if lost.suffix:
        chosen = dialog.getOpenFileName(None, title, str(Path.cwd()), f"{lost.name};;All files (*)")[0]
    else:
        chosen = dialog.getExistingDirectory(None, title, str(Path.cwd()))
    return Path(chosen) if chosen else None


def _again(lost: Path, problem: str) -> bool:
    """Say why what was shown will not do; tell whether the user shows something else."""
    box = QtWidgets.QMessageBox
    text = f"{problem[:1].upper()}{problem[1:]}.\n\nWhere is {lost.name}, with which the session was saved?"
    answer = box.warning(None, "Not the catalogue of the session", text, box.Open | box.Cancel, box.Open)
    return bool(answer == box.Open)


moved.ask = _ask_for
