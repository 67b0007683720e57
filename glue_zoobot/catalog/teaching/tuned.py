"""Encoders that were fine-tuned to a target, and moving between embeddings by them and others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glue_zoobot.catalog.embeddings import embeddings_of
from glue_zoobot.catalog.encoders import trained_encoders
from glue_zoobot.catalog.record import record_of, relative_to_data, resolve
from glue_zoobot.catalog.teaching.lesson import provenance_of
from glue_zoobot.catalog.teaching.memory import Remembering
from glue_zoobot.errors import AnalysisError, ZoobotError

__all__ = ["Tuned"]

_HEAD = "head"


class Tuned(Remembering):
    """What fine-tuning has given; a base of `Teaching`."""

    _embedded_by: tuple[Any, ...]

    def encoder_path(self) -> str:
        """
        Name or path of the encoder of the present embeddings, from which fine-tuning starts.

        Raises
        ------
        AnalysisError
            If nothing is being taught, or there are no embeddings.
        """
        from glue_zoobot.embedding import EmbeddingStore
        from glue_zoobot.encoders import specs

        self._check_open()
        embeddings = embeddings_of(self.data)
        if embeddings is None:
            raise AnalysisError("there are no embeddings whose encoder could be tuned")
        encoder = EmbeddingStore.open(embeddings.path).manifest["encoder"]
        known = {spec.name for spec in specs()}
        return str(encoder["name"] if encoder["name"] in known else _folder_of(encoder["weights"]))

    def tuned_key(self) -> tuple[Any, ...]:
        """Whatever changes when there may be another tuned encoder."""
        if self.data is None:
            return ()
        return (self.data.uuid, self.target, tuple(record_of(self.data).get("encoders", ())))

    def tuned_encoders(self) -> list[Path]:
        """Folders of encoders that were fine-tuned to this target, newest first."""
        if self.data is None:
            return []
        return [folder for folder in trained_encoders(self.data) if _target_of(folder) == self.target]

    def embedded_by(self, folder: Path) -> bool:
        """Whether the present embeddings are by a tuned encoder."""
        from glue_zoobot.analysis.heads import Head

        embeddings = self._embeddings
        if embeddings is None:
            return False
        key = (folder, embeddings)
        if self._embedded_by[:2] != key:
            try:
                Head.load(folder / _HEAD).check_encoder(provenance_of(embeddings))
                fits = True
            except ZoobotError:
                fits = False
            self._embedded_by = (*key, fits)
        return bool(self._embedded_by[2])

    def uses_head_of(self, folder: Path) -> bool:
        """Whether the head that came with a tuned encoder is what predicts."""
        return self._folder == relative_to_data(self.data, folder / _HEAD)

    def use_head_of(self, folder: Path) -> None:
        """Predict with the head that came with a tuned encoder, see `Teaching.load_head`."""
        self.load_head(self.data, folder / _HEAD)

    def store_before(self) -> Path | None:
        """Return the embeddings from which one went over to those by a tuned encoder, if they still exist."""
        path = self._remembered().get("store_before")
        if path is None:
            return None
        store = resolve(self.data, path)
        return store if (store / "manifest.json").is_file() else None

    def note_store(self) -> None:
        """Remember the present embeddings, and the head taught on them, to come back to."""
        embeddings = embeddings_of(self.data)
        if embeddings is not None and not any(self.embedded_by(one) for one in self.tuned_encoders()):
            self._update_memory(store_before=relative_to_data(self.data, embeddings.path))

    def go_back_to_store(self) -> None:
        """Take up the head that was taught on the embeddings that are used again now, if there is one."""
        folder = self._lesson_folder()
        self._folder = relative_to_data(self.data, folder) if folder.is_dir() else None
        self._remember()
        self.open(self.data, self.target)
        self._predict_anew()

    def load_head(self, data: Any, path: Any) -> None:
        """Predict with a head that was taught elsewhere; of `Teaching`."""
        raise NotImplementedError

    def open(self, data: Any, target: str) -> None:
        """Take up a target; of `Teaching`."""
        raise NotImplementedError

    def _forget(self) -> None:
        super()._forget()
        self._embedded_by = ()


def _target_of(folder: Path) -> str | None:
    """Return what an encoder was tuned to; None if it was trained without labels."""
    try:
        return str(json.loads((folder / _HEAD / "head.json").read_text(encoding="utf-8"))["target"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folder_of(weights: str) -> str:
    path = Path(weights)
    return str(path.parent if path.name == "model.safetensors" else path)
