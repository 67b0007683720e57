"""
Small pictures of all galaxies in one file mapped into memory: decoded once, then read at any speed.

What the file holds stays in memory as far as there is room, is shared by all processes of a machine, and is
still there when a training that was killed goes on. A picture has H x H pixels and takes ``3 H**2`` bytes
(27 kB at 96 pixels), twice that where it holds fluxes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glue_zoobot.embedding.ordered import available_cores, map_ordered
from glue_zoobot.errors import EncoderError, ImageError
from glue_zoobot.training.card import fingerprint

__all__ = ["Pictures"]

PENDING, WHOLE, BROKEN = 0, 1, 2
Reader = Callable[[int], Tensor]


@dataclass(frozen=True)
class Pictures:
    """
    Pictures of some rows of a source.

    Attributes
    ----------
    rows : np.ndarray
        (N,) int64, ascending.
    pixels : np.ndarray
        (N, 3, H, H), uint8 colours or float16 fluxes.
    state : np.ndarray
        (N,) uint8: still to be read, whole, or broken.
    """

    rows: np.ndarray
    pixels: np.ndarray
    state: np.ndarray

    @classmethod
    def open(cls, folder: Path, rows: np.ndarray, size: int, flux: bool, origin: str) -> Pictures:
        """
        Open the file of a folder, or make one where there is none or it is of other galaxies.

        Parameters
        ----------
        folder : Path
        rows : np.ndarray
            Rows of the source whose pictures are wanted, ascending.
        size : int
            Pixels of a picture.
        flux : bool
            Whether fluxes are kept.
        origin : str
            Hash of the galaxies and of how their pictures are made.

        Raises
        ------
        EncoderError
            If there is no room for it.
        """
        n = len(rows)
        described = {"rows": fingerprint(rows), "origin": origin, "size": size, "flux": flux}
        description, pixels, state = (folder / f"pictures.{suffix}" for suffix in ("json", "pixels", "state"))
        shape, dtype = (n, 3, size, size), np.dtype("float16" if flux else "uint8")
        if not description.exists() or json.loads(description.read_text()) != described:
            _allocate(pixels, int(np.prod(shape)) * dtype.itemsize)
            _allocate(state, n)
            description.write_text(json.dumps(described))
        return cls(
            rows, np.memmap(pixels, dtype, "r+", shape=shape), np.memmap(state, "uint8", "r+", shape=(n,))
        )

    def fill(
        self,
        read: Reader,
        progress: Callable[[int, int, int], None],
        stopped: Callable[[], bool],
    ) -> dict[int, str]:
        """
        Read what has not been read yet, by all cores.

        Parameters
        ----------
        read : callable
            From a row to its (3, H, H) picture.
        progress : callable
            Called with how many are done, how many there are and how many are broken.
        stopped : callable
            Whether to leave the rest for later.

        Returns
        -------
        dict
            Why a row is broken, of those read now.
        """
        todo = np.flatnonzero(self.state == PENDING)
        reasons: dict[int, str] = {}
        broken = int((self.state == BROKEN).sum())
        with ThreadPoolExecutor(available_cores(), "read") as pool:
            results = map_ordered(lambda place: _try(read, int(self.rows[place])), todo, pool, 256)
            done = len(self.rows) - len(todo)
            for place, (picture, reason) in zip(todo, results, strict=False):
                if picture is not None:
                    self.pixels[place] = picture
                else:
                    reasons[int(self.rows[place])] = reason
                self.state[place] = BROKEN if picture is None else WHOLE
                done += 1
                progress(done, len(self.rows), broken + len(reasons))
                if stopped():
                    pool.shutdown(cancel_futures=True)
                    break
        return reasons

    def whole(self) -> np.ndarray:
        """Those rows whose picture could be read."""
        return self.rows[self.state == WHOLE]

    def batch(self, rows: np.ndarray) -> Tensor:
        """Pictures of some rows, (B, 3, H, H)."""
        return torch.from_numpy(np.ascontiguousarray(self.pixels[np.searchsorted(self.rows, rows)]))


def _try(read: Reader, row: int) -> tuple[Any, str]:
    try:
        return read(row).numpy(), ""
    except (ImageError, EncoderError) as error:
        return None, str(error)


def _allocate(path: Path, size: int) -> None:
    """Make a file of zeros that has all its blocks, since a full disk cannot be reported later."""
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise EncoderError(
            f"{path}: no room for {size / 1e9:,.2f} GB of small pictures ({error}); choose another -o, a "
            "smaller --input-size, or fewer galaxies."
        ) from error
