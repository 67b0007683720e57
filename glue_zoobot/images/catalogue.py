"""A catalogue that was opened: its images, its columns and what there is to say about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from astropy.table import Table

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images.identity import Identity
from glue_zoobot.images.source import ImageSource
from glue_zoobot.images.spec import SourceSpec
from glue_zoobot.images.tables import shared_texts

_NAMED = 5  # how many duplicate ids a summary names


@dataclass(frozen=True)
class Catalogue:
    """
    N galaxies with images.

    Attributes
    ----------
    spec : SourceSpec
        What was opened.
    source : ImageSource
        The images.
    table : astropy.table.Table
        N rows in the order of `source`; the first column is ``object_id`` (text).
    id_origin : str
        Where the ids come from: "column 'dr7objid'", "file stem" or "row number".
    duplicates : dict
        Id to the later rows that carry it again; the first row keeps the id.
    notes : tuple of str
        What the user should know about how this was understood.
    """

    spec: SourceSpec
    source: ImageSource
    table: Table
    id_origin: str
    duplicates: dict[str, list[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def assemble(
        cls,
        spec: SourceSpec,
        source: ImageSource,
        table: Table,
        identity: Identity,
        notes: tuple[str, ...] = (),
    ) -> Catalogue:
        """Put the pieces together; a column ``object_id`` that is not the id is kept under another name."""
        if not len(source):
            raise CatalogueError(f"{spec.path} holds no images")
        if "object_id" in table.colnames and identity.origin == "column 'object_id'":
            table.remove_column("object_id")
        elif "object_id" in table.colnames:
            table.rename_column("object_id", "object_id_in_table")
        table.add_column(shared_texts(identity.object_ids), name="object_id", index=0)
        return cls(spec, source, table, identity.origin, identity.duplicates(), (*identity.notes, *notes))

    def summary(self, broken: int | None = None) -> str:
        """
        Say what was found: "2,398 images, 3 broken, 1 duplicate id (5877…)", then the notes.

        Parameters
        ----------
        broken : int, optional
            Number of unreadable images, known after a `survey`.
        """
        parts = [_count(len(self.source), "image")]
        if broken is not None:
            parts.append(f"{broken:,} broken")
        if self.duplicates:
            parts.append(f"{_count(len(self.duplicates), 'duplicate id')} ({self._named_duplicates()})")
        parts.append(f"ids from {self.id_origin}")
        return "\n".join([", ".join(parts), *self.notes])

    def _named_duplicates(self) -> str:
        names = list(self.duplicates)[:_NAMED]
        return ", ".join(names) + ("" if len(names) == len(self.duplicates) else ", …")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
