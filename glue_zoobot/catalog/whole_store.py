"""
Look-alikes among all galaxies of a store, of which the dataset in glue is a sample or a region.

What is found comes in as a dataset of its own, joined to the other one by the galaxies' ids.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from glue.core import Data
from glue.core.component import CategoricalComponent, Component
from glue.core.link_helpers import JoinLink

from glue_zoobot.catalog.columns import write_columns
from glue_zoobot.catalog.components import table_to_data
from glue_zoobot.catalog.embeddings import embeddings_of, require_embeddings
from glue_zoobot.catalog.groups import active_subset_kept
from glue_zoobot.catalog.identity import id_columns, object_ids_of
from glue_zoobot.catalog.pictures import attach_images, source_of
from glue_zoobot.catalog.record import record_of
from glue_zoobot.catalog.store_rows import RowsById
from glue_zoobot.catalog.store_search import find_in_store
from glue_zoobot.catalog.stores import remember_store
from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import SourceSpec, open_catalogue
from glue_zoobot.images.files import FileSource
from glue_zoobot.images.hats import CONE
from glue_zoobot.images.paths import path_column
from glue_zoobot.wording import counted

if TYPE_CHECKING:
    from glue.core import ComponentID, DataCollection
    from glue.core.edit_subset_mode import EditSubsetMode

    from glue_zoobot.catalog.question import Question
    from glue_zoobot.embedding import EmbeddingStore

__all__ = ["RANK", "SCORE", "WholeAnswer", "bring_in", "galaxies_elsewhere", "search_whole_store"]

SCORE, RANK = "similarity_store", "similarity_rank_store"
_FOLDER = ".embeddings"  # ``<source>.embeddings/<encoder>`` is where stores are by default


@dataclass(frozen=True)
class WholeAnswer:
    """
    What was found in a whole store.

    Attributes
    ----------
    question : Question
    data : Data
        A new dataset, best first, not yet in glue.
    searched : int
        Galaxies in the store.
    unknown : int
        How many of those found are not in the dataset that was asked about.
    note : str
        What the user should know of how they were found.
    """

    question: Question
    data: Data
    searched: int
    unknown: int
    note: str

    def sentence(self) -> str:
        """Say how many were brought in, and from where."""
        spec = source_of(self.data)
        pictures = (
            f"pictures from {Path(spec.path).name}" if spec else "where their pictures are is not known"
        )
        store = Path(record_of(self.data)["store"])
        text = (
            f"{counted(self.data.size, 'galaxy')} brought in from {store.parent.name}/{store.name} "
            f"({self.searched:,} searched); {self.unknown:,} not in {self.question.data.label}; {pictures}"
        )
        return f"{text}; {self.note}" if self.note else text


def galaxies_elsewhere(data: Data) -> int:
    """Count the galaxies in the store of a dataset that are not in the dataset; 0 without a store."""
    embeddings = embeddings_of(data)
    return 0 if embeddings is None else embeddings.reader.store.plan.n - embeddings.part.total


def search_whole_store(question: Question, count: int = 100) -> WholeAnswer:
    """
    Ask all galaxies of a store; takes seconds, so not for a GUI thread.

    In memory if the store fits there, else from the disk by `~glue_zoobot.analysis.disk_search`, whose files
    are made the first time. Conditions on columns do not count: the store has no columns.

    Parameters
    ----------
    question : Question
        Of a dataset with embeddings.
    count : int
        How many look-alikes; the examples are not among them.

    Returns
    -------
    WholeAnswer
        Its dataset has the columns ``object_id``, those of the source if that has all of the galaxies,
        ``similarity_store`` and ``similarity_rank_store``.

    Raises
    ------
    AnalysisError
        There are no embeddings, or an example has none.
    """
    embeddings = require_embeddings(question.data)
    from glue_zoobot.embedding import EmbeddingStore

    store = EmbeddingStore.open(embeddings.path)
    ids, scores, notes = find_in_store(store, question, count)
    data = _dataset(question.data, store, ids)
    rank = np.arange(1, len(ids) + 1)
    made = {**question.provenance(), "method": "similarity in the whole store", "store": str(store.path)}
    write_columns(data, {SCORE: scores, RANK: rank}, made)
    unknown = int(np.count_nonzero(RowsById(object_ids_of(question.data)).find(ids) < 0))
    return WholeAnswer(question, data, store.status().embedded, unknown, "; ".join(notes))


def bring_in(collection: DataCollection, answer: WholeAnswer, mode: EditSubsetMode | None = None) -> Data:
    """Add what was found to glue, joined by id to the dataset that was asked about."""
    asked, found = answer.question.data, answer.data
    with active_subset_kept(mode):
        collection.append(found)
    ours = _id_column(asked)
    if ours is not None:
        theirs = found.id["object_id"]
        if not isinstance(asked.get_component(ours), CategoricalComponent):  # glue joins like with like only
            numbers = np.array(object_ids_of(found)).astype(asked[ours].dtype)
            theirs = found.add_component(Component(numbers), f"{ours.label}_number")
        collection.add_link(JoinLink(cids1=[ours], cids2=[theirs], data1=asked, data2=found))
    return found


def _id_column(data: Data) -> ComponentID | None:
    remembered = record_of(data).get("id_column")
    columns = [cid for cid, _ in id_columns(data) if cid is not None]
    return next((cid for cid in columns if cid.label == remembered), columns[0] if columns else None)


def _dataset(asked: Data, store: EmbeddingStore, ids: np.ndarray) -> Data:
    """Make a dataset of galaxies, with their rows and pictures where a source of them is known."""
    from astropy.table import Table

    label = f"{asked.label}: whole store"
    for spec in _sources(asked, store):
        try:
            catalogue = open_catalogue(spec)
        except (CatalogueError, OSError):
            continue
        rows = RowsById(catalogue.source.object_ids).find(ids)
        if np.any(rows >= 0):
            whole = bool(np.all(rows >= 0))
            files = isinstance(catalogue.source, FileSource)
            paths = path_column(catalogue.table, spec.image_column) if files else None
            table = catalogue.table[rows] if whole else Table({"object_id": ids.astype(str)})
            data = table_to_data(table, label, paths if whole else None)[0]
            attach_images(data, spec)
            break
    else:
        data = table_to_data(Table({"object_id": ids.astype(str)}), label)[0]
    remember_store(data, Path(os.path.abspath(store.path)))  # noqa: PTH100  read when it is asked about
    return data


def _sources(asked: Data, store: EmbeddingStore) -> Iterator[SourceSpec]:
    """Where the galaxies of a store may be: in what a cone was cut out of, beside the store, or here."""
    here = source_of(asked)
    if here is not None and CONE in here.path:
        yield replace(here, path=here.path.split(CONE)[0])
    folder = store.path.parent
    if folder.name.endswith(_FOLDER):
        beside: Any = folder.with_name(folder.name.removesuffix(_FOLDER))
        if here is None or Path(here.path) != beside:
            yield SourceSpec(str(beside))
    made_from = _made_from(store)
    if made_from is not None:
        yield made_from
    if here is not None:
        yield here


def _made_from(store: EmbeddingStore) -> SourceSpec | None:
    """Where the store says that its galaxies are; only if by a path from the store, as `embed` writes it."""
    fields = store.manifest.get("source")
    try:
        spec = SourceSpec.from_dict(fields) if isinstance(fields, dict) else None
    except CatalogueError:  # of a later version, or changed
        return None
    if spec is None or not spec.path.startswith(".."):
        return None

    def here(text: str) -> str:
        whole = os.path.normpath(store.path / text)
        return whole if text == spec.path or os.path.exists(os.path.dirname(whole)) else text  # noqa: PTH110, PTH120

    return spec.with_paths(here)
