"""The folder of pictures that were fetched, and its log: what is there, whole, and what never will be."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from glue_zoobot.errors import CatalogueError

_LOG = "fetched.jsonl"
_MAX_LINE = 10_000


class Folder:
    """
    Where the pictures go.

    Parameters
    ----------
    path : pathlib.Path
        Made when something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = dict(_entries(path / _LOG))

    def name(self, url: str) -> str:
        """File of an address, relative to the folder, without its suffix."""
        key = hashlib.sha256(url.encode()).hexdigest()[:24]
        return f"images/{key[:2]}/{key}"

    def find(self, url: str) -> str | None:
        """File of an address if it is there and its content is what was fetched, else None."""
        entry = self._log.get(url, {})
        if "file" not in entry:
            return None
        path = self.path / entry["file"]
        try:
            data = path.read_bytes()
        except OSError:
            return None
        return entry["file"] if hashlib.sha256(data).hexdigest() == entry["sha256"] else None

    def missing(self, url: str) -> str | None:
        """Why the service has no picture at an address, if it said so."""
        return self._log.get(url, {}).get("missing")

    def keep(self, url: str, data: bytes) -> str:
        """Write a picture, whole or not at all."""
        file = self.name(url) + (
            ".fits" if data.startswith(b"SIMPLE") else ".png" if data[:1] == b"\x89" else ".jpg"
        )
        path = self.path / file
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            partial.replace(path)
            self._note(url, {"file": file, "sha256": hashlib.sha256(data).hexdigest()})
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CatalogueError(
                f"{path} cannot be written ({error}); free the disk and run the same again"
            ) from error
        return file

    def note_missing(self, url: str, reason: str) -> None:
        """Remember that a service has nothing there, so that it is not asked again."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._note(url, {"missing": reason})

    def _note(self, url: str, entry: dict[str, str]) -> None:
        line = json.dumps({"url": url, **entry, "when": datetime.now(UTC).isoformat(timespec="seconds")})
        with (self.path / _LOG).open("ab") as log:
            if log.tell() and _last_byte(self.path / _LOG) != b"\n":
                line = "\n" + line  # the last one was cut off
            log.write(line.encode() + b"\n")
        self._log[url] = entry


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Entries of the log; lines that are none are passed over, and names that lead out of the folder."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        while line := file.readline(_MAX_LINE):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
                continue
            if isinstance(entry.get("missing"), str):
                yield entry["url"], {"missing": entry["missing"]}
            file_name = str(entry.get("file", ""))
            parts = file_name.split("/")
            if parts[0] == "images" and ".." not in parts and isinstance(entry.get("sha256"), str):
                yield entry["url"], {"file": file_name, "sha256": entry["sha256"]}
