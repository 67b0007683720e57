"""Files that are either whole or absent, whatever happens while they are written."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from glue_zoobot.errors import StoreError

SUFFIX = ".tmp"
STALE_AFTER = 24 * 3600.0


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """
    Let ``write`` fill a temporary file, force it to disk, then give it its final name.

    A reader sees the old file, the new file or none, never a part of one; two writers of the same
    path do not disturb each other, the last rename wins.

    Parameters
    ----------
    path : Path
        Final name.
    write : callable
        Called with the temporary path, in the same folder.

    Raises
    ------
    StoreError
        The disk is full, the folder is read-only, and so on.
    """
    temporary = _temporary(path)
    try:
        write(temporary)
        _to_disk(temporary)
        temporary.replace(path)
        if os.name == "posix":  # a folder cannot be opened on Windows, which needs no such step
            _to_disk(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written ({error}). Make room or choose a writable folder, "
            "then run the same again: what is finished is kept."
        ) from error
    finally:
        with suppress(OSError):  # what stopped the writing may stop this too, and is said above
            temporary.unlink(missing_ok=True)


def decide(path: Path, text: str) -> str:
    """Write a small file unless there is one; what it holds: of several writers, the first decides."""
    temporary = _temporary(path)
    try:
        temporary.write_text(text, "utf-8")
        _to_disk(temporary)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links: the later of two may win, within an instant
            if not path.exists():
                temporary.replace(path)
        return path.read_text("utf-8")
    except OSError as error:
        raise StoreError(
            f"{path} could not be written ({error}). Make room or choose a writable folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_stale(folder: Path) -> int:
    """
    Remove temporary files in ``folder`` that no living process will finish, and count them.

    Those are files of processes of this host that have ended, and files of any host untouched for a day.
    """
    removed = 0
    for path in folder.glob(f".*{SUFFIX}"):
        try:
            if _is_stale(path):
                path.unlink(missing_ok=True)
                removed += 1
        except OSError:  # somebody else's file or a read-only folder: it does no harm where it is
            continue
    return removed


def _temporary(path: Path) -> Path:
    name = f".{path.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}{SUFFIX}"
    return path.with_name(name)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_stale(path: Path) -> bool:
    host_and_pid = path.name.removesuffix(SUFFIX).split(f".{socket.gethostname()}.")
    if len(host_and_pid) == 2 and os.name == "posix":
        pid = int(host_and_pid[1].split(".")[0])
        return pid != os.getpid() and not _is_alive(pid)
    return time.time() - path.stat().st_mtime > STALE_AFTER


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
